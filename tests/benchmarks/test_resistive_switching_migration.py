"""The row of migration barriers, on hand-written paths, a toy potential and the files themselves where they are."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hysteron.benchmarks import ferroelectric_figures
from hysteron.benchmarks import resistive_switching_migration as benchmark
from hysteron.benchmarks.migration_paths import HopPath, ends_of_overlay, read_other_paths, read_test_paths
from hysteron.benchmarks.resistive_switching_migration import MeasuredPaths, figures, in_order, migration_row
from hysteron.core.contracts import Calculation, Tools
from hysteron.core.errors import InputError, MissingDataError, StructureError
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from hysteron.screening.defects import barrier_error as screen_error
from pymatgen.core import Lattice, Structure

HEADER = (
    "class,composition,xc_functional,crystal_system,space_group,path_info,sys_name,migration_barrier_eV,"
    "mace_relaxed_barrier_eV,mace_unrelaxed_barrier_eV,source_split,group,split"
)
SADDLE = 0.3  # eV, of the toy
needs_data = pytest.mark.skipif(
    not (Path(os.environ.get("HYSTERON_DATA_DIR", "/nowhere")) / "ion_migration").is_dir(),
    reason="HYSTERON_DATA_DIR is not set or lacks ion_migration",
)


class DoubleWell:
    """Li in two wells 2 A apart along z above Cl; refuses sodium. Implements `Potential`."""

    name, energy_scale, model_hash = "double well", "toy", "1"

    def __init__(self):
        self.asked = 0

    def calculate(self, structures):
        self.asked += 1
        if any("Na" in structure.symbol_set for structure in structures):
            raise InputError("double well does not know sodium.")
        return [self._of(structure) for structure in structures]

    def _of(self, structure):
        x, y, z = structure.cart_coords[1] - structure.cart_coords[0] - 3
        t = 1 - z**2
        gradient = np.array([2 * x, 2 * y, -4 * SADDLE * t * z])
        return Calculation(SADDLE * t**2 + x**2 + y**2, np.array([gradient, -gradient]), np.zeros((3, 3)))


def crystal(z: float, cell: float = 8.0, ion: str = "Li") -> Structure:
    """Cl, and an ion `z` from the middle between the wells."""
    places = np.array([[0.5, 0.5, 0.5], [3.5, 3.5, 3.5 + z]])
    return Structure(Lattice.cubic(cell), ["Cl", ion], places / 8.0)


def hop(name: str, barrier: float, group: str = "", ion: str = "Li") -> HopPath:
    """A path of the toy."""
    ends = crystal(-1, ion=ion), crystal(1, ion=ion)
    return HopPath(name, group or name, "SALT", "GGA", ion, *ends, barrier, barrier + 0.1, None)


def told(name: str, barrier: float, converged: bool = True) -> dict:
    """What was measured."""
    energies = [0.0, barrier, 0.0]
    return {
        "name": name,
        "barrier": barrier,
        "energies": energies,
        "converged": converged,
        "seconds": 2.0,
        "method": "band",
    }


def tools() -> Tools:
    """With the toy."""
    potential = DoubleWell()
    relaxer = BatchedRelaxer(potential, RelaxerSettings(cell="fixed", workers=1))
    return Tools(potential=potential, atoms_relaxer=relaxer)


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """Intervals from 200 samples are good enough here."""
    monkeypatch.setattr(ferroelectric_figures, "BOOTSTRAP_SAMPLES", 200)


@pytest.fixture
def folder(tmp_path):
    """Three paths in the files' own format, one of which the potential refuses, and one overlay more."""
    data = tmp_path / "data" / "ion_migration"
    data.mkdir(parents=True)
    rows = [HEADER]
    ends, overlays = [], []
    for name, group, ion, barrier in (
        ("LiCl_1", "LiCl", "Li", 0.25),
        ("LiCl_2", "LiCl", "Li", 0.4),
        ("NaCl", "NaCl", "Na", 0.5),
        ("LiBr", "LiBr", "Li", 0.6),
        ("LiCl_3", "LiCl", "Li", 0.7),
    ):
        rows.append(
            f"SALT,{name},GGA,Cubic,Fm-3m,PATH 1,{name},{barrier},{barrier + 0.1},,train,{group},train"
        )
        pair = {"initial": _as_record(crystal(-1, ion=ion)), "final": _as_record(crystal(1, 8.2, ion=ion))}
        if name not in ("LiBr", "LiCl_3"):
            ends.append({"sys_name": name, "group": group, **pair})
        overlays.append({"sys_name": name, "group": group, "overlay": _as_record(overlay(ion))})
    for name, lines in (
        ("migration_barriers.csv.gz", rows),
        ("migration_endpoints_source_test.jsonl.gz", ends),
    ):
        _write(data / name, [line if isinstance(line, str) else json.dumps(line) for line in lines])
    _write(data / "migration_path_overlays.jsonl.gz", [json.dumps(line) for line in overlays])
    return tmp_path / "data"


def overlay(ion: str = "Li") -> Structure:
    """The ion five times on its way, and chlorine."""
    places = [[3.5, 3.5, 3.5 + z] for z in (-1, -0.5, 0, 0.5, 1)] + [[0.5, 0.5, 0.5]]
    return Structure(Lattice.cubic(8), [ion] * 5 + ["Cl"], places, coords_are_cartesian=True)


def _as_record(structure: Structure) -> dict:
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "species": [site.specie.symbol for site in structure],
        "coords": structure.frac_coords.tolist(),
        "coords_are_cartesian": False,
    }


def _write(path, lines):
    with gzip.open(path, "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")


def test_both_ends_come_in_the_cell_of_the_first(folder):
    path = read_test_paths(folder)[0]
    assert (path.name, path.group, path.kind, path.functional, path.ion) == (
        "LiCl_1",
        "LiCl",
        "SALT",
        "GGA",
        "Li",
    )
    assert path.final.lattice == path.initial.lattice
    assert path.strain == pytest.approx(0.2)
    assert (path.barrier, path.mace_relaxed, path.mace_unrelaxed) == (0.25, 0.35, None)


def test_paths_of_other_hosts_alone_are_free_to_learn_from(folder):
    others = read_other_paths(folder)
    assert [path.name for path in others] == ["LiBr"]
    assert others[0].ion == "Li"


def test_ends_are_read_from_an_overlay():
    initial, final = ends_of_overlay(overlay())
    for end, z in ((initial, -1), (final, 1)):
        assert end.composition.reduced_formula == "LiCl"
        assert end[0].coords == pytest.approx([3.5, 3.5, 3.5 + z])
    short = overlay()
    short.remove_sites([2])
    with pytest.raises(StructureError, match="5 places of one ion"):
        ends_of_overlay(short)


def test_absent_files_are_told(tmp_path):
    with pytest.raises(MissingDataError, match="hysteron data fetch"):
        read_test_paths(tmp_path)


def test_the_order_is_that_of_the_seed():
    paths = [hop(str(i), 0.1 * i) for i in range(20)]
    once, again, other = (in_order(paths, seed) for seed in (0, 0, 1))
    assert once == again != other
    assert sorted(path.name for path in once) == sorted(path.name for path in paths)


def test_the_row_counts_failures_and_keeps_what_it_measured(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(folder))
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    found = migration_row(tools=tools())
    assert json.loads(json.dumps(found)) == found
    assert found["n_paths"] == 3
    assert list(found["failures"]) == ["NaCl"]
    assert "sodium" in found["failures"]["NaCl"]
    assert found["band"]["n"] == 2
    assert found["band"]["mae"]["value"] == pytest.approx((0.05 + 0.1) / 2, abs=0.005)
    assert found["band"]["bias"]["value"] == pytest.approx((0.05 - 0.1) / 2, abs=0.005)
    assert found["mace_relaxed"]["mae"]["value"] == pytest.approx(0.1)
    assert found["mace_unrelaxed"]["n"] == 0
    assert found["mace_unrelaxed"]["mae"]["value"] is None
    again = tools()
    assert migration_row(resume=True, tools=again)["paths"] == found["paths"]
    assert again.potential.asked == 0
    anew = tools()
    migration_row(tools=anew)
    assert anew.potential.asked > 0


def test_half_a_line_is_measured_again(tmp_path):
    own = tools()
    kept = MeasuredPaths(own.potential, own.atoms_relaxer, True, tmp_path)
    first = kept.measured(hop("LiCl", 0.3))
    kept.path.write_text(kept.path.read_text()[:-20])
    again = MeasuredPaths(own.potential, own.atoms_relaxer, True, tmp_path).measured(hop("LiCl", 0.3))
    assert again["barrier"] == pytest.approx(first["barrier"])


def test_other_settings_are_another_file(tmp_path):
    own = tools()
    places = {MeasuredPaths(own.potential, own.atoms_relaxer, True, tmp_path, s).path for s in (100.0, 200.0)}
    assert len(places) == 2


def test_figures_of_a_known_error():
    paths = [hop(f"p{i}", 0.2 + 0.1 * i) for i in range(8)]
    found = [told(p.name, p.barrier + (0.1 if i % 2 else -0.3)) for i, p in enumerate(paths)]
    row = figures(paths, found, DoubleWell(), seed=0)
    assert row["band"]["mae"]["value"] == pytest.approx(0.2)
    assert row["band"]["bias"]["value"] == pytest.approx(-0.1)
    assert row["band"]["median_absolute_error"]["value"] == pytest.approx(0.2)
    low, high = row["band"]["mae"]["interval_90"]
    assert 0.1 <= low < 0.2 < high <= 0.3
    assert row["mace_relaxed"]["spearman"]["value"] == pytest.approx(1)
    assert row["baseline_median_of_others"]["mae"]["value"] > 0.2
    assert row["seconds"] == {"median": 2.0, "total": 16.0}


def test_a_failure_counts_with_the_baseline_and_a_stopped_band_as_far_as_it_came():
    paths = [hop(f"p{i}", 0.1 * (i + 1)) for i in range(5)]
    found = [told(p.name, p.barrier, converged=i > 1) for i, p in enumerate(paths)]
    found[4] = {"name": "p4", "failure": "The first end could not be relaxed."}
    row = figures(paths, found, DoubleWell(), seed=0)
    assert list(row["stopped"]) == ["p0", "p1"]
    assert row["band"]["n"] == 4
    assert row["band_converged"]["n"] == 2
    assert row["band_failures_at_baseline"]["n"] == 5
    assert row["band_failures_at_baseline"]["mae"]["value"] == pytest.approx((0.5 - 0.25) / 5)


def test_intervals_keep_paths_of_one_host_together():
    """All paths of one group: no sample differs from another."""
    paths = [hop(f"p{i}", 0.1 * i, group="one") for i in range(6)]
    found = [told(p.name, p.barrier + 0.1 * (i % 2)) for i, p in enumerate(paths)]
    low, high = figures(paths, found, DoubleWell(), seed=0)["band"]["mae"]["interval_90"]
    assert low == pytest.approx(high) == pytest.approx(0.05)


def test_a_path_through_a_lower_site_is_told_from_there():
    paths = [hop(f"p{i}", 0.5) for i in range(4)]
    found = [told(path.name, 0.1) | {"energies": [0.0, 0.1, -0.4, 0.1, 0.0]} for path in paths[:3]]
    row = figures(paths, [*found, told("p3", 0.5)], DoubleWell(), seed=0)
    assert row["intermediate_site"]["band"]["n"] == 3
    assert row["intermediate_site"]["band"]["mae"]["value"] == pytest.approx(0.4)
    assert row["intermediate_site"]["band_from_lowest"]["mae"]["value"] == pytest.approx(0)
    assert row["band_from_lowest"]["mae"]["value"] == pytest.approx(0)
    assert row["band"]["mae"]["value"] == pytest.approx(0.3)


def test_the_error_is_told_with_its_coverage(monkeypatch):
    table = {
        "model_hash": "1",
        "floor": 0.05,
        "growth": 0.0,
        "one_sigma": 1.0,
        "ninety": 2.0,
        "ions": ["Li"],
    }
    monkeypatch.setattr(screen_error, "_table", lambda: table)
    errors = (0.0, 0.04, 0.08, 0.3)
    paths = [hop(f"p{i}", 0.5 + error) for i, error in enumerate(errors)] + [hop("zinc", 0.5, ion="Zn")]
    row = figures(paths, [told(path.name, 0.5) for path in paths], DoubleWell(), seed=0)["told_error"]
    assert row["inside_interval_90"]["value"] == pytest.approx(0.75)
    assert row["inside_one_deviation"]["value"] == pytest.approx(0.5)
    assert row["inside_interval_90"]["n"] == 4
    assert row["median_uncertainty"] == pytest.approx(0.05)
    assert row["nothing_told"] == ["zinc"]


def test_mace_is_compared_path_by_path():
    """The toy's MACE errs by 0.1 eV everywhere."""
    paths = [hop(f"p{i}", 0.3 + 0.1 * i) for i in range(6)]
    found = [told(path.name, path.barrier - (0.04 if i % 2 else 0.0)) for i, path in enumerate(paths)]
    row = figures(paths, found, DoubleWell(), seed=0)["band_minus_mace"]
    assert row["value"] == pytest.approx(-0.08)
    assert -0.1 <= row["interval_90"][0] < row["value"] < row["interval_90"][1] <= -0.06


def test_no_path_measured_is_no_figure():
    paths = [hop("p", 0.3)]
    row = figures(paths, [{"name": "p", "failure": "refused"}], DoubleWell(), seed=0)
    assert row["band"]["n"] == 0
    assert row["band"]["mae"] == {"value": None, "interval_90": None}
    assert row["seconds"] is None


def test_missing_tools_are_told():
    for lacking in ("potential", "atoms_relaxer"):
        with pytest.raises(InputError, match="atoms_relaxer"):
            migration_row(tools=dataclasses.replace(tools(), **{lacking: None}))
    with pytest.raises(InputError, match="atoms_relaxer"):
        migration_row()


@needs_data
def test_the_paths_at_hand():
    folder = Path(os.environ["HYSTERON_DATA_DIR"])
    paths, others = read_test_paths(folder), read_other_paths(folder)
    assert (len(paths), len(others)) == (50, 443)
    assert not {path.group for path in paths} & {path.group for path in others}
    for path in paths + others:
        assert path.initial.composition == path.final.composition
        assert [site.specie for site in path.initial] == [site.specie for site in path.final]
    known = [path for path in paths if path.mace_relaxed is not None]
    mae = np.mean([abs(path.barrier - path.mace_relaxed) for path in known])
    assert mae == pytest.approx(0.30, abs=0.005)
    assert abs(mae - benchmark.TARGET_MAE) < 0.005
