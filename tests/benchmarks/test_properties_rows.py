"""Rows of the property benchmark on made-up tables and crystals: no data folder, seconds."""

import numpy as np
import pytest
import torch
from hysteron.benchmarks import properties
from hysteron.benchmarks.properties_abx3 import (
    ENERGY_COLUMN,
    FIRST_SHARE,
    columns,
    random_parts,
    references,
    split_parts,
    system_of,
    with_columns,
)
from hysteron.benchmarks.properties_coverage import UNSEEN, without_class
from hysteron.benchmarks.properties_inference import measured, parsed, poscar
from hysteron.benchmarks.properties_rows import gap_of, two_stages
from hysteron.benchmarks.properties_small import composition_baseline, roles
from hysteron.predictors.cell import Cell
from hysteron.predictors.datasets.abx3 import CRYSTAL_SYSTEMS
from hysteron.predictors.datasets.records import Label, LabelledCrystal
from hysteron.predictors.gnn.network import NetworkConfig, PropertyNetwork
from hysteron.predictors.gnn.prepare import pack
from hysteron.predictors.properties.sets import TrainingSet

METALS = ("Li", "Na", "K", "Rb", "Mg", "Ca", "Sr", "Ba", "Ti", "Zr", "Hf", "Al", "Ga", "Sc", "Y", "La")


def abx3_rows(count: int = 240) -> list[LabelledCrystal]:
    """Energies that are a sum over elements, on one scale for most rows and on another for the rest."""
    rng = np.random.default_rng(0)
    rows = []
    while len(rows) < count:
        a, b = rng.choice(len(METALS), 2, replace=False)
        on_second = rng.random() < 0.15
        formation = -1.0 - 0.1 * (a + b)
        total = formation - (0.2 * (a + b) + 1) * (4.0 if on_second else 1.0)
        length = 4.0 + 0.01 * a
        named = {"nsites": 5.0, "a_angstrom": length, "b_angstrom": length, "c_angstrom": length}
        named |= {"alpha_degree": 90.0, "beta_degree": 90.0, "gamma_degree": 90.0}
        named |= {"density_g_per_cm3": 5.0, "volume_angstrom3": length**3, "energy_per_atom_ev": total}
        named |= {"energy_above_hull_ev_per_atom": 0.1, "total_magnetization_mu_b": 0.0}
        labels = (
            Label("formation_energy_per_atom", formation, "eV/atom", "abx3-mp"),
            Label("band_gap", max(0.0, 0.3 * a - 1), "eV", "abx3-mp"),
            Label("crystal_system", 6.0, "1", "abx3-mp"),
        )
        formula = f"{METALS[a]}{METALS[b]}O3"
        split = ("train", "train", "train", "val", "test")[len(rows) % 5]
        rows.append(LabelledCrystal(str(len(rows)), formula, None, labels, split, formula, named))
    return rows


def cube(numbers: list[int], edge: float) -> Cell:
    corners = np.array([[0, 0, 0], [0.5, 0.5, 0.5]])[: len(numbers)] * edge
    return Cell(np.array(numbers), corners, np.eye(3) * edge)


def test_every_row_of_the_table_is_a_function():
    assert {"abx3", "oxygen-vacancies", "dielectric", "stability", "coverage", "inference", "readers"} <= set(
        properties.ROWS
    )
    assert all(callable(row) for row in properties.ROWS.values())


def test_two_scales_of_energy_are_told_apart():
    rows = abx3_rows()
    inputs = columns(rows)
    assert inputs[0, ENERGY_COLUMN] == rows[0].columns["energy_per_atom_ev"]
    assert inputs[0, FIRST_SHARE : FIRST_SHARE + 119].sum() == pytest.approx(1)
    energies = np.array([row.label("formation_energy_per_atom") for row in rows])
    found = references(inputs[:200], energies[:200], inputs[200:])
    assert np.median(np.abs(found - energies[200:])) < 1e-3


def test_a_metal_has_no_gap_and_an_insulator_none_below_zero():
    guesses = {
        "abx3_metal": np.array([[0.9], [0.2], [0.1]]),
        "abx3_conditional_gap": np.array([[1.0], [2.0], [-0.3]]),
    }
    assert gap_of(*two_stages(guesses, "abx3")).tolist() == [0.0, 2.0, 0.0]


def test_random_rows_are_seventy_to_thirty_and_formulas_keep_their_split():
    rows = abx3_rows(100)
    parts = random_parts(rows, 0)
    assert len(parts["test"]) == 30
    assert sorted(np.concatenate(list(parts.values()))) == list(range(100))
    assert all(rows[i].split == "val" for i in split_parts(rows)["val"])


def test_columns_give_all_three_figures():
    rows = abx3_rows(100)
    found = with_columns(rows, split_parts(rows), 0, quick=True)
    assert found["crystal_system"]["weighted_f1"] == 1.0
    assert found["band_gap"]["n"] == found["n"]["test"] == 20
    assert found["formation_energy"]["chosen_on_validation"] in found["formation_energy"]["test_of_all"]


@pytest.mark.parametrize(
    ("lattice", "system"),
    [
        (np.eye(3) * 4, "cubic"),
        (np.diag([4.0, 4, 5]), "tetragonal"),
        (np.diag([4.0, 5, 6]), "orthorhombic"),
        (np.array([[4.0, 0, 0], [-2, 3.4641016, 0], [0, 0, 5]]), "hexagonal"),
        (np.array([[4.0, 0, 0], [0, 5, 0], [1, 0, 6]]), "monoclinic"),
        (np.array([[4.0, 0, 0], [1, 5, 0], [1, 0.5, 6]]), "triclinic"),
    ],
)
def test_crystal_system_by_symmetry(lattice, system):
    assert CRYSTAL_SYSTEMS[system_of(Cell(np.array([11]), np.zeros((1, 3)), lattice))] == system


def vacancy_rows() -> list[LabelledCrystal]:
    rows = []
    for i in range(90):
        a, b = 3 + i % 10, 20 + i // 10
        label = Label("vacancy_formation_energy", float(a - 0.1 * b), "eV", "oqmd")
        given = {"atomic_number_a": float(a), "atomic_number_b": float(b), "valence_a": 2.0}
        split = ("train", "train", "val", "test")[i % 4]
        rows.append(LabelledCrystal(f"v{i}", f"x{i}", None, (label,), split, columns=given))
    return rows


def test_the_composition_baseline_knows_a_from_b():
    rows = vacancy_rows()
    inputs = roles(rows, with_cell=False)
    name, guesses = composition_baseline(rows, inputs, {row.key for row in rows}, 0, quick=True)
    wanted = np.array([row.label("vacancy_formation_energy") for row in rows if row.split == "test"])
    assert name
    assert np.abs(guesses - wanted).mean() < 0.3 * np.abs(wanted - wanted.mean()).mean()


def test_a_class_that_is_left_out_stands_in_no_other_split():
    cells = [cube([11, 17], 4.0), cube([12, 8], 4.2), cube([11, 8], 4.5), cube([19, 17], 4.4)]
    rows = [
        LabelledCrystal(str(i), f"f{i}", cell, (), split)
        for i, (cell, split) in enumerate(zip(cells, ("train", "train", "test", "val"), strict=True))
    ]
    some = without_class(TrainingSet(rows, pack(cells)), "halide", 3, 0)
    splits = {row.key: row.split for row in some.rows}
    assert splits["0"] == splits["3"] == UNSEEN
    assert splits["1"] == "train"
    assert [int(some.crystals.numbers[some.crystals.atom_starts[i]]) for i in range(len(some.rows))] == [
        int(row.cell.numbers[0]) for row in some.rows if row.cell is not None
    ]


def test_a_crystal_survives_its_poscar():
    cell = cube([11, 17], 4.1)
    back = Cell.from_structure(parsed(poscar(cell)))
    assert back.positions == pytest.approx(cell.positions)
    assert back.numbers.tolist() == [11, 17]


def test_three_clocks_tick():
    cells = [cube([11, 17], 4.1), cube([12, 8], 4.2)]
    network = PropertyNetwork(NetworkConfig((("band_gap", 1),), width=16, layers=1)).eval()
    before = torch.get_num_threads()
    found = measured(network, cells, pack(cells), by_stock=1)
    assert torch.get_num_threads() == before
    assert min(found["after_graph_building_per_second"], found["end_to_end_per_second"]) > 0
    assert found["n_stock"] == 1
