"""The catalogue is built, resumed, and written without losing anything."""

from __future__ import annotations

import dataclasses

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import StageError
from hysteron.core.identity import IdentityIndex
from hysteron.retrieval.catalog.build import RELAXATION_LOG, build_catalog, gap_method, method_of, twins_of
from hysteron.retrieval.catalog.file import read_catalog
from hysteron.retrieval.catalog.source import Catalog
from hysteron.retrieval.relaxation_log import RelaxationLog, read_relaxations
from toy_catalog import TOY_SHRINKAGE, ToyRelaxer, data_folder


@pytest.fixture
def data(tmp_path):
    return data_folder(tmp_path / "data")


def built(data, tmp_path, relaxer=None, name="catalog.jsonl.gz", **more):
    return build_catalog(
        data, tmp_path / name, relaxer or ToyRelaxer(), work_dir=tmp_path / "work", date="2026-01-31", **more
    )


def test_every_chosen_crystal_is_in_the_catalogue_or_listed(data, tmp_path):
    result = built(data, tmp_path)
    present = {i for row in result.rows for i in (row.material_id, *row.same_as)}
    left = {each.material_id for each in result.left}
    assert left == {"mp-9"}
    assert present == {f"mp-{i}" for i in (1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 14)}
    card = (tmp_path / "catalog.md").read_text()
    assert "| mp-9 | GeTe | TeGe: the cell is flat; given up at step 3. |" in card
    assert "| mp-10 |" in card, "what did not converge is said"
    assert "CC BY 4.0" in card
    assert "doi:10.1063/1.4812323" in card


def test_the_same_crystal_twice_is_one_row(data, tmp_path):
    rows = [row for row in built(data, tmp_path).rows if row.candidate_id.startswith("TiO2")]
    assert len(rows) == 1
    assert {rows[0].material_id, *rows[0].same_as} == {"mp-6", "mp-7"}


def test_the_id_is_that_of_the_published_crystal(data, tmp_path):
    rows = {row.material_id: row for row in built(data, tmp_path).rows}
    identifier, _, _ = IdentityIndex().assign(materials.barium_titanate_tetragonal())
    assert rows["mp-1"].candidate_id == identifier
    assert rows["mp-1"].candidate_id != rows["mp-2"].candidate_id


def test_geometry_and_energy_are_the_relaxed_ones(data, tmp_path):
    row = {row.material_id: row for row in built(data, tmp_path).rows}["mp-1"]
    published = materials.barium_titanate_tetragonal()
    assert row.structure().volume == pytest.approx(published.volume * TOY_SHRINKAGE**3, rel=1e-4)
    assert np.allclose(row.structure().frac_coords, published.frac_coords, atol=1e-5)
    assert row.energy_per_atom == pytest.approx(-3 / 5 - 0.05)
    assert row.spacegroup_number == 99


def test_crystals_that_relax_into_one_another_are_told(data, tmp_path):
    class Straightening(ToyRelaxer):
        def _one(self, structure):
            done = super()._one(structure)
            if structure.composition.reduced_formula != "BaTiO3":
                return done
            return dataclasses.replace(done, structure=materials.barium_titanate_cubic())

    rows = built(data, tmp_path, Straightening(version="straightening")).rows
    ids = sorted(row.candidate_id for row in rows if row.candidate_id.startswith("BaTiO3"))
    assert len(ids) == 2
    assert twins_of(rows) == [(ids[0], ids[1])]
    assert f"| {ids[0]} | {ids[1]} |" in (tmp_path / "catalog.md").read_text()


def test_equal_input_gives_equal_bytes(data, tmp_path):
    built(data, tmp_path, name="a.jsonl.gz")
    built(data, tmp_path, name="b.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_build_that_was_killed_goes_on_and_ends_the_same(data, tmp_path):
    undisturbed = build_catalog(
        data, tmp_path / "a.jsonl.gz", ToyRelaxer(), work_dir=tmp_path / "other", date="2026-01-31"
    )
    with pytest.raises(KeyboardInterrupt):
        built(data, tmp_path, ToyRelaxer(stop_after=5), name="b.jsonl.gz")
    assert not (tmp_path / "b.jsonl.gz").exists()
    log = tmp_path / "work" / RELAXATION_LOG
    log.write_bytes(log.read_bytes()[:-20])
    second = ToyRelaxer()
    resumed = built(data, tmp_path, second, name="b.jsonl.gz")
    assert len(second.relaxed) == 12 - 4
    assert resumed == undisturbed
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_relaxations_by_another_relaxer_are_not_used(data, tmp_path):
    built(data, tmp_path)
    stricter = ToyRelaxer(version="toy fmax=0.01")
    assert built(data, tmp_path, stricter).header.relaxer == "toy fmax=0.01"
    assert len(stricter.relaxed) == 12


def test_relaxations_handed_in_are_used(data, tmp_path):
    first = ToyRelaxer()
    built(data, tmp_path, first)
    known = list(read_relaxations(tmp_path / "work" / RELAXATION_LOG, method_of(first)))
    second = ToyRelaxer()
    again = build_catalog(data, tmp_path / "b.jsonl.gz", second, work_dir=tmp_path / "new", relaxed=known)
    assert second.relaxed == []
    assert {row.candidate_id for row in again.rows} == {
        row.candidate_id for row in Catalog(tmp_path / "catalog.jsonl.gz")._file.rows
    }


def test_a_relaxer_that_fails_everywhere_leaves_the_old_file(data, tmp_path):
    class Broken(ToyRelaxer):
        def _one(self, structure):
            return super()._one(materials.germanium_telluride())

    old = tmp_path / "catalog.jsonl.gz"
    old.write_bytes(b"old")
    with pytest.raises(StageError, match="None of the chosen crystals"):
        built(data, tmp_path, Broken(version="broken"))
    assert old.read_bytes() == b"old"


def test_progress_is_told(data, tmp_path):
    told = []
    built(data, tmp_path, progress=lambda *what: told.append(what))
    assert told[-1] == ("relax", 12, 12)
    assert [done for stage, done, _ in told if stage == "relax"] == list(range(13))


def test_work_goes_to_the_home_folder_by_default(data, tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    build_catalog(data, tmp_path / "catalog.jsonl.gz", ToyRelaxer())
    assert (tmp_path / "home" / "cache" / RELAXATION_LOG).is_file()


def test_a_log_that_ends_in_the_middle_of_a_line_takes_the_next_one(tmp_path):
    path = tmp_path / "log.jsonl"
    one = ToyRelaxer().relax([materials.zinc_oxide()])[0]
    RelaxationLog(path, "toy").append("mp-1", one)
    path.write_bytes(path.read_bytes() + b'{"id":"mp-2","meth')
    RelaxationLog(path, "toy").append("mp-3", one)
    assert [i for i, _ in read_relaxations(path)] == ["mp-1", "mp-3"]
    assert [i for i, _ in read_relaxations(path, "another")] == []


@pytest.mark.parametrize(
    ("elements", "method"),
    [({"V", "O"}, "PBE+U"), ({"V", "S"}, "PBE"), ({"Ba", "Ti", "O"}, "PBE"), ({"Fe", "F"}, "PBE+U")],
)
def test_gaps_say_where_the_materials_project_adds_u(elements, method):
    assert gap_method(frozenset(elements)) == method


def test_the_file_is_read_as_it_was_written(data, tmp_path):
    result = built(data, tmp_path)
    content = read_catalog(tmp_path / "catalog.jsonl.gz")
    assert content.header == result.header
    assert content.rows == result.rows
    assert all(isinstance(c, Candidate) for c in Catalog(tmp_path / "catalog.jsonl.gz").search())
