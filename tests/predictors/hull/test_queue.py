"""The order of relaxations, lists that grow meanwhile, and what is left."""

import pytest
from hysteron.core.crystals import CrystalRecord
from hysteron.core.lines import append_lines
from hysteron.predictors.hull import queue as hull_queue
from hysteron.predictors.hull.queue import RelaxationQueue
from hysteron.predictors.hull.records import (
    ELEMENTS,
    NEAR_HULL,
    PRIORITY,
    RELAXED,
    REST,
    VERTICES,
    write_ids,
)

SIZES = {"a": 3, "b": 2, "c": 8, "d": 5, "e": 1, "f": 4}


@pytest.fixture
def phases(monkeypatch):
    monkeypatch.setattr(hull_queue, "ATOMS_PER_TASK", 1)
    return [
        CrystalRecord(i, "Na", [4.0, 4.0, 4.0, 90.0, 90.0, 90.0], ["Na"] * n, [[0.0, 0.0, 0.0]] * n, {})
        for i, n in SIZES.items()
    ]


def order(queue):
    return [phase.material_id for chunk in queue for phase in chunk]


def test_lists_in_order_small_cells_first(phases, tmp_path):
    write_ids(tmp_path / REST, SIZES)
    write_ids(tmp_path / VERTICES, ["c"])
    write_ids(tmp_path / NEAR_HULL, ["d"])  # counts twice: 10 atoms, after the vertex of 8
    write_ids(tmp_path / PRIORITY, ["f", "nobody"])
    write_ids(tmp_path / ELEMENTS, ["a"])
    queue = RelaxationQueue(phases, tmp_path)
    assert (queue.listed, queue.atoms_left) == (6, 23)
    assert order(queue) == ["a", "f", "c", "d", "e", "b"]
    queue.finish(["a", "f"])
    assert (queue.finished, queue.atoms_left) == (2, 16)


def test_what_is_relaxed_is_left_out_and_a_list_may_grow(phases, tmp_path):
    append_lines(tmp_path / RELAXED, [{"id": "e"}, {"id": "of another table"}])
    write_ids(tmp_path / REST, ["a", "e", "b"])
    queue = RelaxationQueue(phases, tmp_path)
    assert (queue.listed, queue.atoms_left) == (4, 5)
    chunks = iter(queue)
    assert [p.material_id for p in next(chunks)] == ["b"]
    write_ids(tmp_path / PRIORITY, ["c"])
    write_ids(tmp_path / REST, ["a", "e", "b", "f"])
    assert [p.material_id for chunk in chunks for p in chunk] == ["c", "a", "f"]
    assert queue.listed == 6


def test_a_chunk_has_about_so_many_atoms(phases, tmp_path, monkeypatch):
    monkeypatch.setattr(hull_queue, "ATOMS_PER_TASK", 6)
    write_ids(tmp_path / REST, SIZES)
    queue = RelaxationQueue(phases, tmp_path)
    assert [[p.material_id for p in chunk] for chunk in queue] == [["e", "b", "a"], ["f", "d"], ["c"]]
