"""The error of a potential's barriers is as wide as it is told, and a factor is found where there is one."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hysteron.benchmarks.migration_fitting import (
    MOST_ATOMS,
    fit_error,
    fit_scale,
    fit_width,
    left_out,
    training_paths,
)
from hysteron.benchmarks.migration_paths import HopPath, read_test_paths
from hysteron.screening.defects.barrier_error import error_by
from pymatgen.core import Lattice, Structure

END = Structure(Lattice.cubic(5), ["Li"], [[0, 0, 0]])


class Toy:
    """A potential by name alone."""

    name, energy_scale, model_hash = "toy", "toy", "1"


def hop(i: int, barrier: float, ion: str = "Li") -> HopPath:
    """A path of a host of its own."""
    return HopPath(f"p{i}", f"g{i}", "SALT", "GGA", ion, END, END, barrier, None, None)


def test_a_factor_is_found_in_spite_of_broken_rows():
    rng = np.random.default_rng(0)
    x = rng.uniform(0.1, 2, 60)
    y = 1.3 * x + rng.normal(scale=0.02, size=60)
    y[:3] = 7.0
    assert fit_scale(x, y) == pytest.approx(1.3, abs=0.03)
    assert fit_scale(np.append(x, 0.0), np.append(y, 0.5)) == pytest.approx(fit_scale(x, y))


def test_the_factor_has_the_least_absolute_error():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0.1, 2, 31), rng.uniform(0.1, 2, 31)
    best = fit_scale(x, y)
    errors = [np.abs(factor * x - y).sum() for factor in (best, best - 0.01, best + 0.01)]
    assert errors[0] == min(errors)


def test_a_group_does_not_see_its_own_factor():
    x, groups = np.array([1.0, 1.0, 1.0, 2.0, 2.0]), np.array(["a", "a", "a", "b", "b"])
    y = np.where(groups == "a", 3.0, 2.0)
    assert left_out(x, y, groups) == pytest.approx([1.0, 1.0, 1.0, 6.0, 6.0])


def test_the_width_grows_as_the_error_does():
    rng = np.random.default_rng(2)
    values = rng.uniform(0, 2, 4000)
    floor, growth = fit_width(rng.exponential(0.05 + 0.2 * values), values)
    assert floor == pytest.approx(0.05, abs=0.02)
    assert growth == pytest.approx(0.2, abs=0.03)


def test_intervals_of_the_fit_hold_what_they_promise():
    rng = np.random.default_rng(3)
    x = rng.uniform(0.1, 2, 400)
    y = x + rng.laplace(scale=0.05 + 0.1 * x)
    paths = [hop(i, barrier) for i, barrier in enumerate(y[:200])]
    paths[0] = hop(0, float(y[0]), "Zn")
    table = fit_error(paths, x[:200].tolist(), Toy())
    assert table["ions"] == ["Li"]
    assert table["n_paths"] == 200
    assert table["mae"] == pytest.approx(np.abs(x - y)[:200].mean(), abs=1e-4)
    found = [error_by(table, value, "Li", Toy()) for value in x[200:]]
    inside = [one.interval[0] <= truth <= one.interval[1] for one, truth in zip(found, y[200:], strict=True)]
    near = np.abs(x - y)[200:] < [one.uncertainty for one in found]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)
    assert np.mean(near) == pytest.approx(0.68, abs=0.08)


def test_a_factor_gains_where_there_is_one_and_nothing_where_there_is_none():
    rng = np.random.default_rng(4)
    x, noise = rng.uniform(0.1, 2, 80), rng.laplace(scale=0.1, size=80)
    for factor, gains in ((1.4, True), (1.0, False)):
        paths = [hop(i, barrier) for i, barrier in enumerate(factor * x + noise)]
        told = fit_error(paths, x.tolist(), Toy())["factor_not_applied"]
        assert told["value"] == pytest.approx(factor, abs=0.08)
        assert (told["gain_interval_90"][0] > 0) == gains


@pytest.mark.skipif(
    not (Path(os.environ.get("HYSTERON_DATA_DIR", "/nowhere")) / "ion_migration").is_dir(),
    reason="HYSTERON_DATA_DIR is not set or lacks ion_migration",
)
def test_paths_to_learn_from_are_one_a_host_and_none_of_the_test():
    folder = Path(os.environ["HYSTERON_DATA_DIR"])
    paths = training_paths(folder)
    groups = [path.group for path in paths]
    assert len(groups) == len(set(groups)) > 200
    assert not set(groups) & {path.group for path in read_test_paths(folder)}
    assert max(len(path.initial) for path in paths) <= MOST_ATOMS
    assert [path.name for path in training_paths(folder)] == [path.name for path in paths]
