"""The computation of the hull's table, on a handful of crystals; a kill loses nothing that was finished."""

import gzip
import json
import os
import shutil

import numpy as np
import pytest
from hysteron.core.crystals import crystals_folder, read_crystals
from hysteron.core.errors import MissingDataError
from hysteron.core.lines import append_lines, read_lines
from hysteron.predictors.hull import build as hull_build
from hysteron.predictors.hull.export import export_table, finished_phases, single_point_excess
from hysteron.predictors.hull.records import (
    PRIORITY,
    RELAXED,
    SINGLE_POINTS,
    read_ids,
    write_ids,
)
from hysteron.predictors.hull.table import TABLE, ConvexHull, PhaseTable
from hysteron.predictors.hull.textbook_elements import textbook_elements
from materials import magnesium_oxide, silicon, sodium_chloride
from pymatgen.core import Composition, Lattice, Structure


def line_of(material_id, structure, **labels):
    return {
        "material_id": material_id,
        "reduced_formula": structure.composition.reduced_formula,
        "split": "train",
        "lattice": structure.lattice.matrix.tolist(),
        "species": [str(s.specie) for s in structure],
        "frac_coords": structure.frac_coords.tolist(),
    } | labels


@pytest.fixture
def crystals(tmp_path):
    """Mg, O and MgO, a little Si and salt, as a crystals folder."""
    # hcp Mg: a 3.21, c 5.21 A (Kittel); O2 as molecules of 1.22 A in a cube, a stand-in for the solid
    mg = Structure(Lattice.hexagonal(3.21, 5.21), ["Mg"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])
    o2 = Structure(Lattice.cubic(4), ["O", "O"], [[0, 0, 0], [1.22, 0, 0]], coords_are_cartesian=True)
    squeezed = magnesium_oxide()
    squeezed.scale_lattice(squeezed.volume * 0.9)
    lines = [
        line_of("mp-1", mg, formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-2", o2, formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-3", squeezed, formation_energy_per_atom=-3.05, e_above_hull=0.0),
        line_of("mp-4", silicon(), formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-5", sodium_chloride(), formation_energy_per_atom=-2.1, e_above_hull=0.0),
    ]
    folder = tmp_path / "crystals"
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "mp_structures_train_00.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def test_the_whole_build_and_its_resumption(crystals, tmp_path):
    work, out = tmp_path / "work", tmp_path / "out"
    stages = []
    card = hull_build.build_hull(
        crystals, out, work, "2026-11-24", workers=1, progress=lambda *told: stages.append(told)
    )
    assert {stage for stage, _, _ in stages} == {"single points", "vertices", "relaxed"}
    assert card["name"] == "mp-chgnet-2026-11"
    hull = ConvexHull(PhaseTable.load(out / TABLE))
    oxide = next(p for p in hull.table.phases if p.material_id == "mp-3")
    assert oxide.relaxed
    assert oxide.energy_per_atom == pytest.approx(-6.314, abs=0.01)
    assert hull.distance(Composition("MgO"), oxide.energy_per_atom).energy_above_hull == pytest.approx(0)
    # salt has no elements here: it is in the table, and its hull is refused, so it is never a vertex
    assert "mp-5" not in read_ids(work / "vertices.txt")
    table = (out / TABLE).read_bytes()
    before = (work / RELAXED).read_bytes()
    hull_build.build_hull(crystals, out, work, "2026-11-24", workers=1)
    assert (work / RELAXED).read_bytes() == before
    assert (out / TABLE).read_bytes() == table


def test_relaxed_structures_are_kept_for_the_catalogue(crystals, tmp_path):
    phases = hull_build.all_phases(crystals)
    write_ids(tmp_path / PRIORITY, ["mp-3", "mp-unknown"])
    hull_build.compute_relaxed(phases, tmp_path, workers=1)
    (line,) = read_lines(tmp_path / RELAXED)
    structure = Structure(line["lattice"], line["species"], line["frac_coords"])
    assert (line["id"], line["converged"]) == ("mp-3", True)
    assert structure.volume / len(structure) == pytest.approx(magnesium_oxide().volume / 2, rel=0.05) or (
        structure.volume / len(structure) == pytest.approx(9.34, rel=0.05)
    )


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
    found = {p.material_id: (p.energy_per_atom, p.relaxed) for p in finished_phases(tmp_path)}
    assert found == {"a": (-3.1, True), "b": (-3.2, False), "c": (-3.0, False)}
    (tmp_path / "vertices.txt").write_text("a\nb\n")
    assert single_point_excess(tmp_path)["rms"] == pytest.approx(0.1)


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
