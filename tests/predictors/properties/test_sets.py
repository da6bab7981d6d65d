"""Rows become tensors: labels by fidelity and scale, graphs from a cache that knows its crystals."""

import math
from dataclasses import replace

import materials
import numpy as np
import pytest
import torch
from hysteron.core.errors import InputError, MissingDataError
from hysteron.predictors.cell import Cell
from hysteron.predictors.datasets.records import Label
from hysteron.predictors.gnn import prepare
from hysteron.predictors.properties import fit, sets
from hysteron.predictors.properties.heads import HEADS
from hysteron.predictors.properties.sets import TrainingSet, digest, from_scale, targets_of, training_set
from hysteron.predictors.properties.settings import PropertiesConfig
from property_toys import ByElement, gathered_by_element, packed, perovskite, rock_salt, row_of

NAN = math.nan


def labelled(*labels: tuple[str, float, str], structure=None):
    """A row with (name, value, fidelity) labels."""
    found = tuple(Label(name, value, "", fidelity) for name, value, fidelity in labels)
    return row_of(structure or rock_salt("Mg"), "train", found)


def values(head: str, *rows) -> list:
    found = targets_of(rows, [head]).values[head]
    return [[None if math.isnan(x) else pytest.approx(x, rel=1e-6) for x in row] for row in found.tolist()]


# Labels


def test_each_fidelity_has_its_output():
    name = "formation_energy_per_atom"
    rows = [
        labelled((name, -1.0, "mp20")),
        labelled((name, -2.0, "mp2018_crysxpp"), (name, -3.0, "mpts52")),
        labelled((name, -4.0, "abx3-mp")),
        labelled(("band_gap", 1.0, "mp20")),
    ]
    assert values("formation_energy", *rows) == [
        [-1.0, None, None, None],
        [None, -3.0, -2.0, None],
        [None] * 4,
        [None] * 4,
    ]
    assert values("abx3_formation_energy", *rows) == [[None], [None], [-4.0], [None]]


def test_gaps_of_all_releases_share_an_output():
    rows = [labelled(("band_gap", 1.5, fidelity)) for fidelity in ("mp20", "mpts52", "mp_benchtable")]
    assert values("band_gap", *rows) == [[1.5]] * 3
    assert values("band_gap", labelled(("band_gap", 1.5, "castelli-gllbsc"))) == [[None]]


def test_zero_is_a_metal_and_no_gap_of_an_insulator():
    rows = [labelled(("band_gap", gap, "mp20")) for gap in (0.0, 0.4)]
    assert values("band_gap", *rows) == [[0.0], [0.4]]
    assert values("metal", *rows) == [[1.0], [0.0]]
    assert values("conditional_gap", *rows) == [[None], [0.4]]


def test_a_permittivity_is_learned_as_its_logarithm():
    rows = [labelled(("dielectric_total", value, "mp-dfpt")) for value in (math.e**3, 0.0, -5.0)]
    assert values("dielectric_total", *rows) == [[3.0], [math.log(1e-3)], [math.log(1e-3)]]


def test_a_magnetization_is_learned_per_atom_and_without_sign():
    perovskites = [
        labelled(("total_magnetization", value, "mp"), structure=perovskite("Sr")) for value in (-5.0, 100.0)
    ]
    assert values("magnetization", *perovskites) == [[1.0], [None]]


def test_scales_are_undone():
    numbers, sizes = np.array([0.5, 2.0]), np.array([4, 10])
    assert from_scale(numbers, HEADS["band_gap"], sizes).tolist() == [0.5, 2.0]
    assert from_scale(numbers, HEADS["magnetization"], sizes).tolist() == [2.0, 20.0]
    assert np.allclose(np.log(from_scale(numbers, HEADS["dielectric_total"], sizes)), numbers)


def test_a_class_has_one_column():
    row = labelled(("crystal_system", 4.0, "abx3-mp"))
    assert values("crystal_system", row) == [[4.0]]


def test_each_head_says_how_it_is_learned():
    found = targets_of([labelled(("band_gap", 1.0, "mp20"))], ["formation_energy", "metal"])
    assert found.kinds == {"formation_energy": "l1", "metal": "binary"}
    assert found.offsets == {}


# Names


def test_an_unknown_set_is_a_sentence():
    with pytest.raises(InputError, match=r"No data set 'perov'.*perov5"):
        sets.rows_of("perov")


def test_an_unknown_head_is_a_sentence(tmp_path):
    config = PropertiesConfig.model_validate({"data": {"heads": ["bandgap"]}})
    with pytest.raises(InputError, match=r"No head 'bandgap'.*Did you mean 'band_gap'"):
        fit.gather(config, tmp_path)


@pytest.mark.parametrize("name", sets.SETS)
def test_absent_files_are_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        sets.rows_of(name)
    with pytest.raises(MissingDataError, match=str(tmp_path)):
        sets.rows_of(name, tmp_path)


def test_a_set_without_crystals_is_a_sentence(tmp_path):
    with pytest.raises(MissingDataError, match="'abx3' has no crystals"):
        training_set("abx3", [], tmp_path)


# Splits


def test_no_row_trains_what_another_tests():
    splits = {
        "MgO": ("train", "test"),  # in two tables: the first may not train
        "CaO": ("train", "val"),
        "SrO": ("val", "test", "train"),
        "BaO": ("train", "train"),
        "NiO": ("", "test"),
    }
    rows = [row_of(rock_salt(f[:2]), split) for f, given in splits.items() for split in given]
    found = fit.without_leaks(TrainingSet(rows, packed(*(row.cell for row in rows))))
    assert [row.split for row in found.rows] == [
        *("", "test"),
        *("", "val"),
        *("", "test", ""),
        *("train", "train"),
        *("", "test"),
    ]
    assert [row.formula for row in found.rows] == [row.formula for row in rows]
    by_split = {s: {r.formula for r in found.rows if r.split == s} for s in ("train", "val", "test")}
    assert not by_split["train"] & (by_split["val"] | by_split["test"])
    assert not by_split["val"] & by_split["test"]


def test_indices_of_a_split_and_joining():
    rows = [row_of(rock_salt("Mg"), split) for split in ("train", "test", "train")]
    one = TrainingSet(rows, packed(*(row.cell for row in rows)))
    two = TrainingSet.join([one, one])
    assert one.indices("train").tolist() == [0, 2]
    assert two.indices("test").tolist() == [1, 4]
    assert two.indices("val").tolist() == []
    assert len(two.crystals) == 6


def test_the_toy_has_all_splits():
    for split in ("train", "val", "test"):
        assert len(gathered_by_element().indices(split)) >= 20


# The cache


@pytest.fixture
def counted(monkeypatch):
    """How many crystals were prepared."""
    told: list[int] = []

    class Counting(ByElement):
        def describe_cells(self, cells):
            told.append(len(cells))
            return super().describe_cells(cells)

    monkeypatch.setattr(prepare, "CHGNetPotential", Counting)
    return told


def test_what_is_prepared_is_not_prepared_again(counted, tmp_path):
    rows = [row_of(rock_salt(cation)) for cation in ("Mg", "Ca", "Sr")]
    first = training_set("toy", rows, tmp_path / "cache")
    second = training_set("toy", [replace(row, split="test") for row in rows], tmp_path / "cache")
    assert counted == [3]
    for name, tensor in vars(first.crystals).items():
        assert torch.equal(getattr(second.crystals, name), tensor), name
    assert {row.split for row in second.rows} == {"test"}
    assert [p.suffix for p in (tmp_path / "cache").iterdir()] == [".safetensors"]


def test_other_crystals_are_prepared(counted, tmp_path):
    rows = [row_of(rock_salt(cation)) for cation in ("Mg", "Ca")]
    training_set("toy", rows, tmp_path)
    training_set("toy", rows[::-1], tmp_path)
    training_set("toy", [*rows, row_of(rock_salt("Sr"))], tmp_path)
    training_set("other", rows, tmp_path)
    assert counted == [2, 2, 3, 2]


def test_the_digest_tells_crystals_and_weights_apart(monkeypatch):
    cell = Cell.from_structure(materials.silicon())
    moved = replace(cell, positions=cell.positions + 1e-6)
    renamed = replace(cell, numbers=cell.numbers + 1)
    larger = replace(cell, lattice=cell.lattice * 1.001)
    found = {digest([c]) for c in (cell, moved, renamed, larger)} | {digest([cell, cell])}
    assert len(found) == 5
    assert digest(iter([cell])) == digest([cell])
    monkeypatch.setattr(sets, "NEIGHBOURS", 16)
    assert digest([cell]) not in found


def test_gathering_joins_the_sets_and_stops_leaks(counted, tmp_path, monkeypatch):
    tables = {
        "perov5": [row_of(perovskite("Sr"), "train"), row_of(perovskite("Ba"), "test")],
        "abx3": [row_of(perovskite("Ba", a=4.0), "train")],
    }
    monkeypatch.setattr(fit, "rows_of", lambda name, data: tables[name])
    config = PropertiesConfig.model_validate({"data": {"sets": ["perov5", "abx3"], "heads": ["band_gap"]}})
    told: list[int] = []
    found = fit.gather(config, tmp_path, on_done=told.append)
    assert [row.split for row in found.rows] == ["train", "test", ""]
    assert len(found.crystals) == 3
    assert told == counted == [2, 1]
