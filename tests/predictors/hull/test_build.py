"""The computation of the hull's table, on a handful of crystals; a kill loses nothing that was finished."""

import json
import os
import shutil

import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.core.crystals import crystals_folder, read_crystals
from hysteron.core.errors import HullError, InputError, MissingDataError
from hysteron.core.lines import append_lines, read_lines
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.hull import build as hull_build
from hysteron.predictors.hull import export as hull_export
from hysteron.predictors.hull import queue as hull_queue
from hysteron.predictors.hull.build import Places
from hysteron.predictors.hull.export import (
    _gzipped,
    export_table,
    finished_phases,
    single_point_excess,
    why_not_relaxed,
    why_without_energy,
)
from hysteron.predictors.hull.phase import Phase
from hysteron.predictors.hull.records import (
    PRIORITY,
    RELAXED,
    SINGLE_POINTS,
    VERTICES,
    read_ids,
    write_ids,
)
from hysteron.predictors.hull.table import TABLE, ConvexHull, PhaseTable, card_file
from hysteron.predictors.hull.textbook_elements import textbook_elements
from hysteron.retrieval.relaxation_log import read_relaxations
from materials import silicon
from pymatgen.core import Composition, Structure
from toy_crystals import crystals_in


@pytest.fixture
def crystals(tmp_path):
    return crystals_in(tmp_path)


@pytest.fixture
def chgnet():
    return CHGNetPotential()


class Linear:
    """The same energy for each atom of an element, at any geometry; implements `Potential`."""

    energy_scale = "toy"

    def __init__(self, per_atom=-2.0, model_hash="linear-1"):
        self.name, self.model_hash, self.per_atom = "Linear 1.0", model_hash, per_atom
        self.seen = []

    def calculate(self, structures):
        self.seen.extend(s.composition.reduced_formula for s in structures)
        if any("Na" in s.symbol_set for s in structures):
            raise InputError("Linear 1.0 does not know sodium; NaCl holds Na.")
        return [
            Calculation(self.per_atom * len(s), np.zeros((len(s), 3)), np.zeros((3, 3))) for s in structures
        ]


def build(places, potential, **options):
    return hull_build.build_hull(places, "2026-11-24", potential, workers=1, **options)


def test_the_whole_build_and_its_resumption(crystals, tmp_path, chgnet):
    places = Places(crystals, tmp_path / "out", tmp_path / "work")
    stages = []
    card = build(places, chgnet, progress=lambda *told: stages.append(told))
    assert {stage for stage, *_ in stages} == {"single points", "vertices", "relaxed"}
    assert card["name"] == "mp-chgnet-2026-11"
    assert (card["phases"], card["relaxed"], card["not_relaxed"]) == (9, 9, {})
    hull = ConvexHull(PhaseTable.load(places.out / TABLE), potential=chgnet)
    oxide = next(p for p in hull.table.phases if p.material_id == "mp-3")
    assert oxide.relaxed
    assert oxide.energy_per_atom == pytest.approx(-6.314, abs=0.01)
    assert hull.distance(Composition("MgO"), oxide.energy_per_atom).energy_above_hull == pytest.approx(0)
    # salt has no elements here: its hull is refused, so it is never a vertex; it is relaxed with the rest
    assert "mp-5" not in read_ids(places.work / "vertices.txt")
    assert [line["id"] for line in read_lines(places.work / RELAXED)][-1] == "mp-5"
    table = (places.out / TABLE).read_bytes()
    before = (places.work / RELAXED).read_bytes()
    build(places, chgnet)
    assert (places.work / RELAXED).read_bytes() == before
    assert (places.out / TABLE).read_bytes() == table


def table_with(places, rows, **card):
    """A table as an earlier build left it, the card of CHGNet's if nothing else is said."""
    places.table.parent.mkdir(exist_ok=True)
    places.table.write_bytes(_gzipped([Phase(*row) for row in rows]))
    fields = {
        "name": "mp-chgnet-2026-10",
        "potential": CHGNetPotential.name,
        "model_hash": CHGNetPotential().model_hash,
        "single_point_excess": 0.0123,
        "model_error": None,
    }
    card_file(places.table).write_text(json.dumps(fields | card))


EARLIER = [
    ("mp-3", "MgO", -6.5, True),  # not CHGNet's value: so it is seen whether it is computed again
    ("mp-4", "Si", -5.0, False),
    ("mp-gone", "KCl", -3.0, True),
]


def test_a_new_folder_begins_with_the_table_there_is(crystals, tmp_path, chgnet):
    places = Places(crystals, tmp_path / "out", tmp_path / "work", tmp_path / "earlier" / TABLE)
    table_with(places, EARLIER)
    card = build(places, chgnet)
    energies = {p.material_id: p for p in PhaseTable.load(places.out / TABLE).phases}
    assert energies["mp-3"] == Phase("mp-3", "MgO", -6.5, True)
    assert energies["mp-4"].relaxed
    assert energies["mp-4"].energy_per_atom < -5.2
    assert "mp-gone" not in energies
    single_points = {line["id"]: line for line in read_lines(places.work / SINGLE_POINTS)}
    assert "mp-3" not in single_points
    assert single_points["mp-4"]["energy_per_atom"] == -5.0
    # too few relaxations to measure the spread from
    assert card["single_point_excess"] == 0.0123
    assert card["single_point_excess_of_relaxed"] == {"carried_over_from": "mp-chgnet-2026-10"}
    # what the catalogue's build reads has a geometry
    assert all(r.structure is not None for _, r in read_relaxations(places.work / RELAXED))


def test_a_table_of_other_weights_is_not_taken_up_and_anew_takes_up_nothing(crystals, tmp_path, chgnet):
    places = Places(crystals, tmp_path / "out", tmp_path / "work", tmp_path / "earlier" / TABLE)
    table_with(places, EARLIER, model_hash="other")
    build(places, chgnet)
    assert not any(line.get("kept") for line in read_lines(places.work / RELAXED))
    table_with(places, EARLIER)
    marker = {"id": "mp-1", "formula": "Mg", "energy_per_atom": -9.0, "converged": True, "failure": None}
    append_lines(places.work / RELAXED, [marker])
    build(places, chgnet, anew=True)
    energies = {p.material_id: p.energy_per_atom for p in PhaseTable.load(places.out / TABLE).phases}
    assert energies["mp-1"] > -2
    assert energies["mp-3"] == pytest.approx(-6.314, abs=0.01)
    assert marker in list(read_lines(places.work / (RELAXED + ".before")))


def test_any_potential_gets_a_table_of_its_own(crystals, tmp_path):
    places, linear = Places(crystals, tmp_path / "out", tmp_path / "work"), Linear()
    card = build(places, linear, registered="linear:toy")
    assert (card["name"], card["potential"], card["model_hash"]) == (
        "mp-linear-toy-2026-11",
        "Linear 1.0",
        "linear-1",
    )
    assert card["made_by"] == "hysteron data build hull --potential linear:toy"
    assert "potential_source" not in card
    assert card["without_energy"] == {"Linear 1.0 does not know sodium": 1}
    hull = ConvexHull(PhaseTable.load(places.out / "hull-linear-toy.csv.gz"), potential=linear)
    assert hull.distance(Composition("MgO"), -1.5).energy_above_hull == pytest.approx(0.5)
    with pytest.raises(HullError, match="energies of Linear"):
        ConvexHull(hull.table, potential=CHGNetPotential())


def test_a_folder_of_another_potential_is_refused(crystals, tmp_path, chgnet):
    places = Places(crystals, tmp_path / "out", tmp_path / "work")
    build(places, Linear(), registered="linear")
    for other, registered in ((chgnet, "chgnet"), (Linear(model_hash="linear-2"), "linear")):
        with pytest.raises(InputError, match=r"holds energies of Linear 1.0 .* --anew"):
            build(places, other, registered=registered)
    (places.work / "potential.json").unlink()  # as folders were when CHGNet was the only potential
    with pytest.raises(InputError, match="holds energies of CHGNet"):
        build(places, Linear(), registered="linear")


def test_work_stops_when_time_is_up_and_goes_on_later(crystals, tmp_path):
    places, linear = Places(crystals, tmp_path / "out", tmp_path / "work"), Linear()
    with pytest.raises(MissingDataError, match="No energies"):
        build(places, linear, seconds=-1)
    assert hull_build.compute_single_points(linear, hull_build.all_phases(crystals), places.work, 1)
    assert not (places.work / "vertices.txt").exists()
    card = build(places, linear, seconds=-1)
    assert (card["relaxed"], card["not_relaxed"]) == (0, {"not tried": 8})
    linear.seen.clear()
    assert build(places, linear)["relaxed"] == 8


def test_kept_phases_need_no_single_point(crystals, tmp_path):
    append_lines(
        tmp_path / RELAXED, [{"id": "mp-3", "formula": "MgO", "energy_per_atom": -6, "converged": True}]
    )
    linear = Linear()
    hull_build.compute_single_points(linear, hull_build.all_phases(crystals), tmp_path, workers=1)
    assert "Si" in linear.seen
    assert "MgO" not in linear.seen


def test_the_time_left_is_told_from_the_atoms_left(crystals, tmp_path, monkeypatch):
    monkeypatch.setattr(hull_build, "SURE", 0.0)
    phases = hull_build.all_phases(crystals)[:4]
    monkeypatch.setattr(hull_queue, "ATOMS_PER_TASK", 1)
    write_ids(tmp_path / PRIORITY, [p.material_id for p in phases])
    told = []
    hull_build.compute_relaxed(Linear(), phases, tmp_path, 1, lambda *now: told.append(now))
    assert [(done, total) for _, done, total, _ in told] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert all(left > 0 for *_, left in told[:-1])
    assert told[-1][-1] == pytest.approx(0)


def test_relaxed_structures_are_kept_for_the_catalogue(crystals, tmp_path, chgnet):
    phases = hull_build.all_phases(crystals)
    write_ids(tmp_path / PRIORITY, ["mp-3", "mp-unknown"])
    hull_build.compute_relaxed(chgnet, phases, tmp_path, workers=1)
    (line,) = read_lines(tmp_path / RELAXED)
    structure = Structure(line["lattice"], line["species"], line["frac_coords"])
    assert (line["id"], line["converged"]) == ("mp-3", True)
    assert structure.volume / len(structure) == pytest.approx(9.34, rel=0.05)


def test_half_a_line_is_forgotten_and_what_follows_kept(tmp_path):
    path = tmp_path / SINGLE_POINTS
    append_lines(path, [{"id": "a", "formula": "Na", "nsites": 1, "energy_per_atom": -1.0}])
    with path.open("ab") as out:
        out.write(b'{"id": "b", "for')
    append_lines(path, [{"id": "c", "formula": "Cl2", "nsites": 2, "energy_per_atom": -2.0}])
    assert [line["id"] for line in read_lines(path)] == ["a", "c"]


def test_a_relaxation_that_did_not_converge_leaves_its_phase_unrelaxed(tmp_path):
    single = [{"id": i, "formula": "NaCl", "nsites": 2, "energy_per_atom": -3.0} for i in "abc"]
    append_lines(tmp_path / SINGLE_POINTS, [*single, {"id": "d", "formula": "X", "failure": "no"}])
    told = {"formula": "NaCl", "nsites": 2, "failure": None}
    append_lines(
        tmp_path / RELAXED,
        [
            {"id": "a", "energy_per_atom": -3.1, "converged": True} | told,
            {"id": "b", "energy_per_atom": -3.2, "converged": False} | told,
            {"id": "c", "energy_per_atom": -3.3, "converged": False} | told | {"failure": "exploded"},
        ],
    )
    phases = finished_phases(tmp_path)
    found = {p.material_id: (p.energy_per_atom, p.relaxed) for p in phases}
    assert found == {"a": (-3.1, True), "b": (-3.2, False), "c": (-3.0, False)}
    excess = single_point_excess(tmp_path)
    assert (excess["of"], excess["n"]) == ("all phases relaxed here", 1)
    assert [excess[k] for k in ("median", "mean", "rms", "p68", "p95")] == [0.1] * 5
    assert why_not_relaxed(tmp_path, phases) == {"did not converge": 1, "exploded": 1}
    assert why_without_energy(tmp_path) == {"no": 1}


def test_the_spread_is_that_of_vertices_where_enough_are_relaxed(tmp_path, monkeypatch):
    monkeypatch.setattr(hull_export, "FEWEST", 2)
    lines = [{"id": i, "formula": "NaCl", "energy_per_atom": -3.0} for i in "abcd"]
    append_lines(tmp_path / SINGLE_POINTS, lines)
    drops = {"a": 0.1, "b": 0.3, "c": 2.0}
    told = {"formula": "NaCl", "converged": True, "failure": None}
    append_lines(tmp_path / RELAXED, [told | {"id": i, "energy_per_atom": -3 - x} for i, x in drops.items()])
    write_ids(tmp_path / VERTICES, ["a", "d"])
    assert single_point_excess(tmp_path)["n"] == 3
    write_ids(tmp_path / VERTICES, ["a", "b", "d"])
    excess = single_point_excess(tmp_path)
    assert (excess["of"], excess["n"]) == ("hull vertices", 2)
    assert excess["rms"] == pytest.approx(np.sqrt((0.01 + 0.09) / 2), abs=1e-5)


def test_failures_are_counted_by_reason(tmp_path):
    told = {"formula": "NaCl", "energy_per_atom": None, "converged": False}
    sentences = [
        "Na1 Cl1: the volume changed by a factor 3.21; given up at step 12.",
        "Na4 Cl4: the volume changed by a factor 0.3; given up at step 2.",
        "Na1 Cl1: the cell is empty (1200 A^3 per atom); given up at step 7.",
        "CHGNet knows hydrogen to plutonium; Am2 O3 holds Am.",
    ]
    append_lines(
        tmp_path / RELAXED, [told | {"id": str(i), "failure": text} for i, text in enumerate(sentences)]
    )
    phases = [Phase(str(i), "NaCl", -1.0, False) for i in range(5)]
    assert why_not_relaxed(tmp_path, phases) == {
        "the volume changed by a factor N": 2,
        "the cell is empty (N A^3 per atom)": 1,
        "CHGNet knows hydrogen to plutonium": 1,
        "not tried": 1,
    }


def test_an_empty_work_folder_is_refused(tmp_path):
    with pytest.raises(MissingDataError, match="No energies"):
        export_table(tmp_path, tmp_path, "2026-11-24")


def test_textbook_elements_are_closest_packings():
    # measured densities, g/cm^3: Kittel (2005), chapter 1, table 4
    densities = {"La": 6.17, "Mg": 1.74, "Ru": 12.36, "Sr": 2.58}
    for record in textbook_elements():
        structure = record.structure()
        distances = structure.get_all_neighbors(1.05 * _nearest(structure))
        assert {len(around) for around in distances} == {12}
        assert structure.density == pytest.approx(densities[record.reduced_formula], rel=0.02)


def _nearest(structure):
    return min(n.nn_distance for around in structure.get_all_neighbors(5) for n in around)


def test_crystals_folder_says_what_is_missing(tmp_path, monkeypatch, crystals):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        crystals_folder()
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match="No crystals"):
        crystals_folder(tmp_path / "empty")
    assert crystals_folder(tmp_path) == crystals
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    records = list(read_crystals(crystals_folder()))
    assert [r.material_id for r in records] == ["mp-1", "mp-2", "mp-3", "mp-4", "mp-5"]
    assert records[3].structure().matches(silicon())
    assert np.isclose(records[4].labels["formation_energy_per_atom"], -2.1)


@pytest.mark.skipif("HYSTERON_DATA_DIR" not in os.environ, reason="needs HYSTERON_DATA_DIR")
def test_the_shared_crystals_are_all_readable(tmp_path):
    folder = crystals_folder()
    first = sorted(folder.glob("mp_structures_val_*.jsonl.gz"))[0]
    shutil.copy(first, tmp_path)
    records = list(read_crystals(tmp_path))
    assert len(records) > 1000
    assert all(len(r.frac_coords) == r.nsites for r in records)
