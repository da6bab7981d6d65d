"""The benchmark of polar-nonpolar energies, on made-up pairs of a known law and on hand-written files."""

import csv
import gzip
import json

import numpy as np
import pytest
from hysteron.benchmarks.ferroelectric_energies import Row, Rows, figures, measure, read_rows
from hysteron.core.errors import MissingDataError
from hysteron.predictors.polar_difference import FORMAT, Combination
from hysteron.predictors.polar_table import table
from materials import barium_titanate_cubic, barium_titanate_tetragonal

FORMULAS = ("BaTiO3", "CaCO3", "TlF", "AlN", "HCl", "PbTiO3", "GeTe", "Mg(OH)2", "KNbO3", "NaNO2")
WEIGHTS = np.array([0.4, 0.8])


@pytest.fixture(scope="module")
def measured():
    """Sixty pairs whose DFT values are the weighted sum of two members, but for two broken rows."""
    rng = np.random.default_rng(0)
    truth = rng.laplace(scale=15, size=60)
    members = truth[:, None] + rng.normal(scale=2, size=(60, 2))
    dft = members @ WEIGHTS
    dft[[3, 44]] += 100
    ends = barium_titanate_tetragonal(), barium_titanate_cubic()
    rows = [
        Row(FORMULAS[i % 10], (f"mp-{i}", f"mp-{i + 100}"), *ends, float(dft[i]), _label(i, dft[i]), i % 3)
        for i in range(60)
    ]
    return Rows(rows, members, ("CHGNet 0.3.0", "CHGNet 0.2.0"), {"exact": dft})


def _label(i, dft):
    """The pairs whose two ends are both known have a label; every other of these is 10 meV/atom away."""
    return float(dft + 10 * (i % 2)) if i % 3 == 2 else None


def test_figures_are_json_and_the_fit_finds_the_law(measured):
    found = figures(measured)
    assert json.loads(json.dumps(found)) == found
    combined = found["combination"]["formula_left_out"]
    assert combined["mae"] == pytest.approx(200 / 60, abs=0.01)  # the broken rows alone
    assert combined["baseline_mae"] > combined["mae"]
    assert combined["gain_in_mae"] == pytest.approx(combined["baseline_mae"] - combined["mae"])
    low, high = combined["mae_interval_90"]
    assert low < combined["mae"] < high
    np.testing.assert_allclose(found["combination"]["fit"]["weights"], WEIGHTS, atol=1e-5)
    assert found["others"]["exact"]["mae"] == 0
    assert found["others"]["exact"]["share_right_sign"] == 1


def test_the_worst_pairs_are_the_broken_ones(measured):
    worst = figures(measured)["worst"]
    assert {row["polar_id"] for row in worst[:2]} == {"mp-3", "mp-44"}
    assert len(worst) == 15


def test_subsets_apart_count_what_they_say(measured):
    apart = figures(measured)["apart"]
    counts = {name: subset["combination"]["n"] for name, subset in apart.items()}
    assert list(counts.values()) == [40, 20, 10, 10]


def test_sizes_share_out_all_pairs(measured):
    for interval in figures(measured)["interval"].values():
        assert sum(size["n"] for size in interval["by_size"]) == 60
        assert 0 <= interval["coverage"] <= 1


def test_the_table_holds_a_fit_for_each_potential(measured):
    written = table(measured.formulas, measured.dft, measured.names, measured.members, measured.others)
    assert written["format"] == FORMAT
    fits = [Combination.from_dict(fit) for fit in json.loads(json.dumps(written))["fits"]]
    assert [fit.members for fit in fits] == [("exact",), ("CHGNet 0.3.0", "CHGNet 0.2.0")]
    assert fits[0].weights == (1.0,)


def test_energies_of_both_members_are_per_atom(measured):
    row = measured.rows[0]
    doubled = Row(row.formula, row.ids, row.polar * (2, 1, 1), row.nonpolar, row.dft, None, 0)
    members = measure([row, doubled]).members
    assert members.shape == (2, 2)
    assert members[0] == pytest.approx(members[1], abs=0.02)  # meV/atom, single precision


def test_missing_files_are_named(tmp_path):
    with pytest.raises(MissingDataError, match="smidt2020"):
        read_rows(tmp_path)


def test_preferred_rows_are_read_with_their_labels(tmp_path):
    for folder in ("ferroelectrics", "crystals"):
        (tmp_path / folder).mkdir()
    record = {
        "lattice": barium_titanate_cubic().lattice.matrix.tolist(),
        "species": ["Ba", "Ti", "O", "O", "O"],
        "frac_coords": barium_titanate_cubic().frac_coords.tolist(),
    }
    pairs = [
        {
            "wfid": f"w{i}",
            "preferred": preferred,
            "reduced_formula": "BaTiO3",
            "polar_id": "mp-1",
            "nonpolar_id": nonpolar,
            "energy_diff_polar_minus_nonpolar_meV_atom": "-14.5",
            "nonpolar_spacegroup": "221",
            "polar_spacegroup": "99",
            "polarization_change_norm_uC_cm2": "",
            "path_energy_max_above_polar_meV_atom": "",
            "mp_polar_band_gap_eV": "",
        }
        for i, (preferred, nonpolar) in enumerate([("True", "mp-2"), ("False", "mp-2"), ("True", "mp-3")])
    ]
    labels = [
        {"material_id": "mp-1", "formation_energy_per_atom": "-3.50"},
        {"material_id": "mp-2", "formation_energy_per_atom": "-3.48"},
    ]
    _write(tmp_path / "ferroelectrics" / "smidt2020_ferroelectric_candidates.csv.gz", pairs)
    _write(tmp_path / "crystals" / "mp_labels.csv.gz", labels)
    with gzip.open(tmp_path / "ferroelectrics" / "smidt2020_structures.jsonl.gz", "wt") as lines:
        for i in range(3):
            lines.write(json.dumps({"wfid": f"w{i}", "polar": record, "nonpolar": record}) + "\n")
    first, second = read_rows(tmp_path)
    assert first.dft == -14.5
    assert first.label == pytest.approx(-20)
    assert (first.known_ends, second.known_ends) == (2, 1)
    assert second.label is None


def _write(path, rows):
    with gzip.open(path, "wt", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
