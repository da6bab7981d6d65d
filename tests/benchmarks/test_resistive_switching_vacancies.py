"""The benchmark of vacancy energies: its figures on hosts made up so that the answer is known."""

import materials
import numpy as np
import pytest
from hysteron.benchmarks.resistive_switching_vacancies import (
    COLLAPSED_EV,
    accuracy,
    by_cation,
    figures,
    in_order,
    vacancy_row,
)
from hysteron.core.contracts import Tools
from hysteron.core.errors import InputError
from hysteron.flows.vacancy_energies import MeasuredHost
from hysteron.predictors.datasets.vacancy_hosts import REFERENCE_SHIFT_EV, VacancyHost

CATIONS = ("Ti", "Zr", "Mn", "Fe")


def measured(n=40, seed=0):
    """Energies that miss DFT by what the features tell, and by 1 eV more where B is Mn."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3))
    rows = []
    for i in range(n):
        b = CATIONS[i % len(CATIONS)]
        features[i, 2] = CATIONS.index(b)
        dft = 4.0 + features[i, 0]
        energy = dft + REFERENCE_SHIFT_EV + 0.5 + 0.8 * features[i, 1] + (1.0 if b == "Mn" else 0.0)
        host = VacancyHost(f"emery:A{i}-{b}", f"A{i}{b}O3", f"A{i}", b, f"mp-{i}", None, dft, 0.0)
        record = {"energy_at_reference": float(energy), "sites": [{}, {}]}
        rows.append(MeasuredHost(host, materials.strontium_titanate(), record, None, 2.0))
    return rows, features


@pytest.fixture(scope="module")
def row():
    return figures(*measured(), seed=0)


def test_the_correction_is_shown_on_formulas_it_has_not_seen(row):
    assert row["before"]["n"] == 40
    assert row["after_formula_left_out"]["mae"]["value"] < 0.5 * row["before"]["mae"]["value"]
    low, high = row["gain_of_correction"]["interval_90"]
    assert 0.3 < low < row["gain_of_correction"]["value"] < high < 1.0
    assert row["after_b_cation_left_out"]["mae"]["value"] >= row["after_formula_left_out"]["mae"]["value"]
    beside = row["beside"]
    assert beside["median of the other folds"]["mae"]["value"] == pytest.approx(0.8, abs=0.3)
    assert beside["constant shift"]["mae"]["value"] < row["before"]["mae"]["value"]
    assert 0.7 <= row["interval"]["coverage"]["value"] <= 1.0


def test_errors_by_cation_name_what_the_potential_misses(row):
    assert row["by_b_cation"]["Mn"]["n"] == 10
    assert row["by_b_cation"]["Mn"]["before"] > row["by_b_cation"]["Ti"]["before"] + 0.5
    assert abs(row["by_b_cation"]["Mn"]["after"]) < 0.3
    rows, _ = measured(n=8)
    zeros = np.zeros(8)
    assert by_cation(rows, zeros, zeros, zeros) == {}  # two of each are too few


def test_the_reference_is_said_and_counted(row):
    assert row["reference"]["shift_added_to_dft"] == pytest.approx(0.366)
    assert row["reference"]["mae_without_it"] > row["before"]["mae"]["value"]
    rows, _ = measured()
    sound = sum(one.host.dft > COLLAPSED_EV for one in rows)
    assert row["where_dft_is_positive"]["before"]["n"] == sound


def test_agreement_by_hand():
    dft = np.array([1.0, 2.0, 3.0, 4.0])
    found = accuracy(dft, dft[[0, 2, 1, 3]] + 0.5, ["a", "b", "c", "d"], seed=0)
    assert found["mae"]["value"] == pytest.approx((0.5 + 1.5 + 0.5 + 0.5) / 4)
    assert found["bias"]["value"] == pytest.approx(0.5)
    assert found["spearman"]["value"] == pytest.approx(0.8)


def test_the_order_is_the_seeds_alone():
    hosts = [one.host for one in measured()[0]]
    keys = [host.key for host in in_order(hosts, 1)]
    assert [host.key for host in in_order(hosts[::-1], 1)] == keys
    assert [host.key for host in in_order(hosts, 2)] != keys
    assert sorted(keys) == sorted(host.key for host in hosts)


def test_a_potential_without_features_is_refused():
    with pytest.raises(InputError, match="features"):
        vacancy_row(tools=Tools())
