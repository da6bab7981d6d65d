"""The benchmark's figures on a handful of perovskites, and its baseline."""

import gzip
import json

import materials
import numpy as np
import pytest
from hysteron.benchmarks import BENCHMARKS
from hysteron.benchmarks.substitution import even_exchange, is_hit, read_world, run
from hysteron.core.errors import MissingDataError
from hysteron.core.registry import load

# Cubic perovskites: lattice parameters in A; CaTiO3 at 1580 K, BaZrO3 and SrZrO3 (above 1440 K) as measured.
PEROVSKITES = {
    ("Ba", "Ti"): (4.012, "train"),
    ("Sr", "Ti"): (3.905, "train"),
    ("Ca", "Ti"): (3.897, "val"),
    ("Ba", "Zr"): (4.192, "test"),
    ("Sr", "Zr"): (4.154, "test"),
}


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "crystals"
    folder.mkdir()
    lines: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for i, ((a_site, b_site), (a, split)) in enumerate(PEROVSKITES.items()):
        structure = materials.strontium_titanate()
        structure.replace_species({"Sr": a_site, "Ti": b_site})
        structure.scale_lattice(a**3)
        record = {
            "material_id": f"made-{i}",
            "reduced_formula": structure.composition.reduced_formula,
            "lattice": structure.lattice.matrix.tolist(),
            "species": [site.specie.symbol for site in structure],
            "frac_coords": structure.frac_coords.tolist(),
            "e_above_hull": 0.0,
            "split": split,
        }
        lines[split].append(json.dumps(record))
    for split, rows in lines.items():
        with gzip.open(folder / f"mp_structures_{split}_00.jsonl.gz", "wt") as file:
            file.write("\n".join(rows) + "\n")
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    return tmp_path


def test_figures_are_counted_and_finite(data):
    figures = run(seed=0, proposals=20, repeats=1, pairs=2)
    json.dumps(figures, allow_nan=False)
    recovery = figures["recovery"]
    assert (recovery["n_seeds"], recovery["n_held_out"]) == (1, 3)
    ours = recovery["substitution"]
    assert ours["n"] == 20
    assert 1 <= ours["hits"] <= 3
    low, high = ours["share_interval_90"]
    assert low < ours["share"] == ours["hits"] / 20 < high
    volume = figures["volume"]
    assert volume["substitution"]["n"] == volume["baseline"]["n"] == 2
    assert 0 < volume["substitution"]["mean_absolute"] < 15


def test_a_hit_needs_formula_and_space_group(data):
    world = read_world(seed=0)
    (seed,) = world.seeds
    proposals = list(even_exchange(world.seeds, 1, np.random.default_rng(3)))
    assert all(p.candidate_id != seed.candidate_id for p in proposals)
    truth = world.held_out["BaZrO3"][0].structure()
    from hysteron.core.candidate import Candidate

    assert is_hit(Candidate("x", truth, spacegroup_number=221), world.held_out)
    assert not is_hit(Candidate("x", truth, spacegroup_number=99), world.held_out)
    assert not is_hit(Candidate("x", materials.zinc_oxide(), spacegroup_number=186), world.held_out)


def test_it_is_registered_and_asks_for_its_data(monkeypatch):
    assert load("substitution", BENCHMARKS, "hysteron.benchmarks") is run
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        run()
