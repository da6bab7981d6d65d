"""The rows of hops and oxides: the table of the literature, the figures, the cache and the baseline."""

from __future__ import annotations

import json
import re

import materials
import pytest
from hysteron.benchmarks import resistive_switching_hops as rows
from hysteron.core.contracts import Relaxation, Tools
from hysteron.core.crystals import CrystalRecord
from hysteron.core.errors import InputError, MissingDataError
from hysteron.screening.defects.barriers import MigrationConfig, migration_of
from hysteron.screening.defects.hop_cells import hop_cell, vacancies_at
from hysteron.screening.defects.hops import hops_of
from hysteron.screening.defects.invariant import Effort
from hysteron.screening.defects.symmetric_supercells import symmetric_supercell
from pair_potential import PairPotential

SMALL = MigrationConfig(apart_angstrom=7.0)


class Still:
    """A relaxer that leaves everything where it is."""

    version = "still"

    def __init__(self, potential):
        self.potential = potential

    def relax(self, structures, on_done=None):
        return [Relaxation(structure, 0.0, 0.0, 0, True) for structure in structures]


@pytest.fixture(scope="module")
def rock_salt():
    return materials.magnesium_oxide()


def test_the_table_names_its_papers_and_what_was_read():
    table = rows.read_literature()
    assert len({row.crystal for row in table}) >= 8
    for row in table:
        assert re.fullmatch(r"10\.\d{4,}/\S+", row.doi), row
        assert row.charge_state in {"0", "2+", "measured"}
        assert row.value_checked in {"text", "abstract", "own fit", "memory"}
        assert row.sure in {"high", "medium", "low"}
        assert 0.1 < row.barrier < 5
        assert row.sure != "high" or row.value_checked != "memory"


def test_errors_are_told_by_the_charge_of_the_vacancy():
    table = [
        rows.Literature("A", 1, 1.0, "0", "10.1/a", "text", "high"),
        rows.Literature("A", 1, 0.5, "2+", "10.1/a", "memory", "low"),
        rows.Literature("B", 2, 0.4, "measured", "10.1/b", "abstract", "high"),
        rows.Literature("C", 3, 0.4, "measured", "10.1/c", "abstract", "high"),
    ]
    found = {
        ("A", 1): {"name": "A (1)", "barrier": 0.6},
        ("B", 2): {"name": "B (2)", "barrier": 0.7},
        ("C", 3): {"name": "C (3)", "failure": "no time"},
    }
    figures = rows.oxide_figures(table, found, seed=0)
    assert figures["oxides"] == 2
    assert figures["without_a_barrier"] == ["C (3)"]
    errors = figures["errors"]
    assert errors["all"]["mae"]["value"] == pytest.approx((0.4 + 0.1 + 0.3) / 3)
    assert errors["charge 0"]["bias"]["value"] == pytest.approx(-0.4)
    assert errors["measured or 2+"]["mae"]["n"] == 2
    assert errors["value read"]["mae"]["n"] == 2
    low, high = errors["all"]["mae"]["interval_90"]
    assert low <= errors["all"]["mae"]["value"] <= high
    assert [value["ours"] for value in figures["values"]] == [0.6, 0.6, 0.7, None]


def test_a_crystal_is_measured_once_and_read_again(rock_salt, tmp_path):
    potential = PairPotential()
    kept = rows.Measured("toy", potential, Still(potential), SMALL, folder=tmp_path)
    first = kept.measured(("MgO", 225), rock_salt)
    assert first["barrier"] == pytest.approx(first["hops"][0]["height"])
    assert (first["name"], first["classes"]) == ("MgO (225)", 1)
    asked = potential.evaluations
    with kept.path.open("a", encoding="utf-8") as lines:
        lines.write('{"name": "half a li')
    again = rows.Measured("toy", potential, Still(potential), SMALL, resume=True, folder=tmp_path)
    assert again.measured(("MgO", 225), rock_salt) == json.loads(json.dumps(first))
    assert potential.evaluations == asked
    afresh = rows.Measured("toy", potential, Still(potential), SMALL, folder=tmp_path)
    assert not afresh.path.exists()


def test_other_settings_are_kept_apart(tmp_path):
    potential = PairPotential()
    one, other = (
        rows.Measured("toy", potential, Still(potential), config, folder=tmp_path)
        for config in (SMALL, MigrationConfig())
    )
    assert one.path != other.path


def test_a_failure_is_a_sentence(rock_salt, tmp_path):
    potential = PairPotential()
    bare = rock_salt.copy()
    bare.replace_species({"O": "S"})
    kept = rows.Measured("toy", potential, Still(potential), SMALL, folder=tmp_path)
    assert kept.measured(("MgS", 225), bare)["failure"] == "MgS has no O."


def test_the_first_look_is_held_against_heights():
    """More room, lower saddle: the ranks agree."""
    hops = [{"bottleneck_angstrom": room, "height": 1 - room} for room in (0.9, 0.7, 0.5, 0.3)]
    unknown = {"bottleneck_angstrom": 0.1, "height": None}
    told = rows.first_look(
        [{"name": "A", "hops": [*hops, unknown]}, {"name": "B", "hops": hops[:3]}, {"name": "C"}]
    )
    assert told == {"A": {"spearman": pytest.approx(1.0), "n": 4}}


def test_the_plain_band_finds_the_saddle_too(rock_salt):
    potential = PairPotential()
    hops = hops_of(rock_salt, "O")
    supercell = symmetric_supercell(hops.primitive, 7.0)
    cell = hop_cell(hops.classes[0], hops, supercell)
    sites = [cell.start_site, cell.end_site]
    ends = vacancies_at(sites, supercell.structure, potential, Effort(0.02, 100))
    band = rows.plain_band(
        cell.relaxed(ends[sites[0]], 0), cell.relaxed(ends[sites[1]], 1), potential, seconds=20.0
    )
    assert band["converged"]
    assert band["images"] == 7
    ours = migration_of(rock_salt, "O", Tools(potential=potential), SMALL)
    assert band["barrier"] == pytest.approx(ours.barrier, abs=0.02)


def test_crystals_are_found_by_formula_and_space_group(monkeypatch):
    def record(name, structure, above):
        return CrystalRecord(
            name,
            structure.composition.reduced_formula,
            structure.lattice.matrix.tolist(),
            [site.specie.symbol for site in structure],
            structure.frac_coords.tolist(),
            {"e_above_hull": above},
        )

    rutile, other = materials.titania_rutile(), materials.titania_rutile()
    other.scale_lattice(1.1 * other.volume)
    crystals = [record("a", other, 0.2), record("b", rutile, 0.1), record("c", materials.hafnia_polar(), 0.0)]
    monkeypatch.setattr(rows, "crystals_folder", lambda: None)
    monkeypatch.setattr(rows, "read_crystals", lambda folder: iter(crystals))
    (found,) = rows._crystals([("TiO2", 136)]).values()
    assert found.volume == pytest.approx(rutile.volume)
    with pytest.raises(MissingDataError, match=r"lack HfO2 \(14\)"):
        rows._crystals([("TiO2", 136), ("HfO2", 14)])


def test_tools_are_asked_for():
    with pytest.raises(InputError, match="parent_relaxer"):
        rows.hops_row(tools=Tools())
    with pytest.raises(InputError, match="parent_relaxer"):
        rows.oxides_row()
