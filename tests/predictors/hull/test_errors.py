"""Errors by class: conformal widths, which labels count, and what a distance carries in the end."""

import csv
import gzip
import json

import numpy as np
import pytest
from hysteron.predictors.hull.chemistry import chemistry_class
from hysteron.predictors.hull.errors import (
    ALL,
    LABELS,
    Residual,
    conformal_quantile,
    errors_by_class,
    expected_error,
    residuals,
)
from hysteron.predictors.hull.table import ConvexHull, HullCard, Phase, PhaseTable
from pymatgen.core import Composition

FOUR_BINOMIAL_DEVIATIONS = 4 * np.sqrt(0.9 * 0.1 / 2000)


def drawn(count, seed, formula="NaCl", split="train", scale=0.03, shift=0.0):
    """Residuals with heavy tails."""
    values = shift + scale * np.random.default_rng(seed).standard_t(3, count)
    return [Residual(f"{formula}-{split}-{i}", formula, split, v, 2 * v) for i, v in enumerate(values)]


def test_the_quantile_by_hand():
    assert conformal_quantile(np.arange(1.0, 10.0), 0.9) == 9.0  # ceil(10 * 0.9) = 9th of nine
    assert conformal_quantile(np.arange(1.0, 20.0), 0.9) == 18.0  # ceil(20 * 0.9)
    assert conformal_quantile(np.array([3.0, 1.0]), 0.9) == 3.0  # too few: the largest


def test_widths_hold_what_they_promise_on_residuals_they_never_saw():
    rows = errors_by_class(drawn(2000, 0) + drawn(2000, 1, split="test"))
    row = rows["halide"]
    assert (row["n"], row["n_held_out"]) == (2000, 2000)
    assert row["held_out"]["within_half_width_90"] == pytest.approx(0.9, abs=FOUR_BINOMIAL_DEVIATIONS)
    assert row["held_out"]["within_sigma"] == pytest.approx(0.6827, abs=2 * FOUR_BINOMIAL_DEVIATIONS)
    assert row["formation_energy"]["sigma"] == pytest.approx(2 * row["sigma"], abs=2e-4)


def test_the_held_out_splits_do_not_move_the_fit():
    few = errors_by_class(drawn(200, 0))
    more = errors_by_class(drawn(200, 0) + drawn(500, 1, split="val", scale=3.0))
    assert more["halide"]["sigma"] == few["halide"]["sigma"]
    assert more["halide"]["held_out"]["within_half_width_90"] < 0.2


def test_a_bias_is_measured_and_said_what_it_would_bring():
    row = errors_by_class(drawn(500, 0, shift=0.1) + drawn(500, 1, split="val", shift=0.1))["halide"]
    assert row["bias"] == pytest.approx(0.1, abs=0.01)
    assert row["held_out"]["mean_absolute_less_bias"] < row["held_out"]["mean_absolute"]


def test_a_small_class_takes_the_error_of_all():
    rows = errors_by_class(drawn(150, 0) + drawn(20, 1, formula="GaN", scale=0.3))
    assert set(rows) == {ALL, "halide"}
    assert expected_error(rows, None, Composition("NaCl")).sigma == rows["halide"]["sigma"]
    assert expected_error(rows, None, Composition("GaN")).sigma == rows[ALL]["sigma"]
    assert errors_by_class(drawn(5, 0, split="val")) == {}


def test_without_classes_the_one_error_of_the_card_and_no_interval():
    found = expected_error(None, 0.04, Composition("NaCl"))
    assert (found.sigma, found.half_width) == (0.04, None)
    assert found.joined(0.03).sigma == pytest.approx(0.05)
    assert expected_error(None, None, Composition("NaCl")) is None


def card(**rest):
    return HullCard("toy-2026-11", "toy", 0.03, 0.04, rest)


PHASES = [
    Phase("na", "Na", -1.0, True),
    Phase("cl", "Cl2", -2.0, True),
    Phase("salt", "NaCl", -3.5, True),
    Phase("rich", "NaCl3", -3.0, True),
    Phase("old", "Na3Cl", -2.5, True),
]


def test_a_distance_carries_error_and_interval_of_its_class():
    rows = {ALL: {"sigma": 0.1, "half_width_90": 0.3}, "halide": {"sigma": 0.04, "half_width_90": 0.08}}
    unrelaxed = [*PHASES, Phase("bromine", "Br2", -1.5, True), Phase("br", "NaBr", -3.0, False)]
    hull = ConvexHull(PhaseTable(unrelaxed, card(errors_by_class=rows)))
    salt = hull.distance(Composition("NaCl"), -3.4)
    assert salt.uncertainty == pytest.approx(0.04)
    assert salt.interval == pytest.approx((0.02, 0.18))
    assert salt.coverage == 0.9
    # 0.04 and 0.03 of the unrelaxed competitor in quadrature: everything grows by 5/4
    bromide = hull.distance(Composition("NaBr"), -2.9)
    assert bromide.uncertainty == pytest.approx(0.05)
    assert bromide.interval == pytest.approx((0.0, 0.2))
    assert hull.distance(Composition("Na"), -0.9).uncertainty == pytest.approx(0.1)


@pytest.fixture
def crystals(tmp_path):
    """Salt phases with labels; Na3Cl's is of an old release, on another scale."""
    labels = {
        "na": ("Na", 0.0, 0.0, "mp2018_crysxpp", 1),
        "cl": ("Cl2", 0.0, 0.0, "mp20", 1),
        "salt": ("NaCl", -1.9, 0.0, "mp20", 2),
        "rich": ("NaCl3", -1.0, 0.0, "mpts52", 2),
        "old": ("Na3Cl", -5.0, 0.0, "mp2018_crysxpp", 2),
    }
    fields = ["material_id", "reduced_formula", "formation_energy_per_atom", "e_above_hull"]
    with gzip.open(tmp_path / LABELS, "wt", newline="") as out:
        rows = csv.writer(out)
        rows.writerow([*fields, "src_formation_energy_per_atom", "n_elements"])
        for i, (formula, formation, above, source, count) in labels.items():
            rows.writerow([i, formula, formation, above, source, count])
    line = {"lattice": [5.0] * 3 + [90.0] * 3, "species": ["Na"], "frac_coords": [[0, 0, 0]]}
    lines = [
        line | {"material_id": i, "reduced_formula": f, "split": "test" if i == "rich" else "train"}
        for i, (f, *_) in labels.items()
    ]
    text = "".join(json.dumps(x) + "\n" for x in lines)
    (tmp_path / "mp_structures_train_00.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def test_residuals_by_hand(crystals):
    found = {r.material_id: r for r in residuals(PhaseTable(PHASES, card()), crystals)}
    assert set(found) == {"salt", "rich"}, "the old scale and the elements are not compared"
    # Elements -1 and -2: salt has -2.0 by the table, NaCl3 -1.25.
    assert found["salt"].formation == pytest.approx(-2.0 - -1.9)
    assert found["rich"].formation == pytest.approx(-1.25 - -1.0)
    # Without its formula NaCl lies over 2/3 NaCl3 and 1/3 Na: (-2.0 + 2/3 1.25) - (-1.9 + 2/3 1.0)
    assert found["salt"].distance == pytest.approx((-2.0 + 2 / 3 * 1.25) - (-1.9 + 2 / 3))
    assert (found["salt"].split, found["rich"].split) == ("train", "test")
    assert found["salt"].chemistry == chemistry_class(["Na", "Cl"])


def test_without_a_table_of_labels_no_scale_is_known(crystals):
    (crystals / LABELS).unlink()
    assert residuals(PhaseTable(PHASES, card()), crystals) == []


def test_the_shipped_card_holds_its_promise_where_it_was_not_fitted():
    rows = ConvexHull().table.card.rest["errors_by_class"]
    assert (
        rows[ALL]["n"] + rows[ALL]["n_held_out"] == ConvexHull().table.card.rest["compared_with_labels"]["n"]
    )
    for name, row in rows.items():
        share, n = row["held_out"]["within_half_width_90"], row["n_held_out"]
        assert abs(share - 0.9) < 3 * np.sqrt(0.09 / n + 0.09 / row["n"]), name
        assert 0 < row["sigma"] < row["half_width_90"]
