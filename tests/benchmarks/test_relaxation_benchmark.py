"""The benchmark of relaxation on a handful of crystals; its counting, its figures and its processes."""

import gzip
import json
import sys
import types

import materials
import numpy as np
import pytest
from hysteron.benchmarks import BENCHMARKS, relaxation_profile
from hysteron.benchmarks import relaxation_samples as samples
from hysteron.benchmarks.relaxation import Plan, claims, run
from hysteron.benchmarks.relaxation_accuracy import differences, worst_of
from hysteron.benchmarks.relaxation_operations import Sizes, multiply_adds, total
from hysteron.benchmarks.relaxation_profile import Sampler, next_factor, part_of_relaxation
from hysteron.benchmarks.relaxation_scaling import exponents
from hysteron.benchmarks.relaxation_speed import balanced, cpu_ratio, energy_figures
from hysteron.benchmarks.relaxation_stages import Stages, run_processes
from hysteron.core.errors import InputError, MissingDataError, NotFoundError, StageError
from hysteron.core.registry import load

TOY = Plan(
    methods=("bfgs",),
    near_basin=2,
    generated=2,
    steps=3,
    repeats=1,
    points=4,
    double=2,
    batches_per_size=1,
    counts=(1, 4),
    profiled=2,
    hull_candidates=7,
)
SMALL_FLOPS = 1e-4  # the package multiplies lattices and compositions as well


@pytest.fixture(scope="module")
def folder_of_crystals(tmp_path_factory):
    """Four crystals in the test split, and one outside what CHGNet knows."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "crystals"
    folder.mkdir()
    crystals = [
        materials.strontium_titanate(),
        materials.zinc_oxide(),
        materials.silicon(),
        materials.barium_titanate_tetragonal(),
    ]
    beyond = materials.silicon()
    beyond.replace_species({"Si": "Cm"})
    lines = [json.dumps(record(i, structure)) for i, structure in enumerate([*crystals, beyond])]
    with gzip.open(folder / "mp_structures_test_00.jsonl.gz", "wt") as file:
        file.write("\n".join(lines) + "\n")
    return root


@pytest.fixture
def data(folder_of_crystals, monkeypatch):
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(folder_of_crystals))


def record(i, structure):
    return {
        "material_id": f"made-{i}",
        "reduced_formula": structure.composition.reduced_formula,
        "lattice": structure.lattice.matrix.tolist(),
        "species": [site.specie.symbol for site in structure],
        "frac_coords": structure.frac_coords.tolist(),
        "split": "test",
    }


@pytest.fixture
def stages(tmp_path):
    return Stages("0", fresh=False, folder=tmp_path / "kept")


def test_multiplications_are_those_that_torch_counts(monkeypatch):
    from chgnet.model.model import CHGNet
    from hysteron.predictors.cell import Cell
    from hysteron.predictors.chgnet.graph import build_graph
    from hysteron.predictors.chgnet.kernels import torch_gates, torch_messages
    from hysteron.predictors.chgnet.potential import CHGNetPotential
    from torch.utils.flop_counter import FlopCounterMode

    structure = materials.strontium_titanate()
    structure.perturb(0.05)
    sizes = Sizes.of(structure)
    graph = build_graph([Cell.from_structure(structure)])
    assert (sizes.bonds, sizes.short, sizes.angles) == (
        len(graph.first),
        graph.n_short,
        graph.angles.shape[1],
    )
    network = CHGNetPotential().network
    module = "hysteron.predictors.chgnet.network"  # torch cannot count inside the compiled messages
    monkeypatch.setattr(f"{module}.messages", torch_messages)
    monkeypatch.setattr(f"{module}.gates", torch_gates)
    for gradients in (False, True):
        with FlopCounterMode(display=False) as counter:
            network.evaluate(graph, gradients)
        assert counter.get_total_flops() == 2 * multiply_adds(sizes, gradients=gradients)
    model = CHGNet.load(use_device="cpu", verbose=False)
    stock = model.graph_converter(structure)
    for task in ("em", "efsm"):
        with FlopCounterMode(display=False) as counter:
            model.predict_graph(stock, task=task)
        ours = 2 * multiply_adds(sizes, "stock", gradients=task == "efsm")
        assert ours == pytest.approx(counter.get_total_flops(), rel=SMALL_FLOPS)
    assert multiply_adds(total([sizes, sizes])) == 2 * multiply_adds(sizes)


def test_speed_and_energies_of_both_sides(data, stages):
    found = run(only="near-basin", plan=TOY, stages=stages)
    json.dumps(found, allow_nan=False)
    row = found["rows"]["near-basin"]
    ours, stock = row["bfgs"], row["stock"]
    assert row["n"] == 2
    assert ours["cpu_times_faster"]["ratio"] == pytest.approx(stock["cpu_seconds"] / ours["cpu_seconds"])
    low, high = ours["cpu_times_faster"]["interval_90"]
    assert 1 < low <= high
    assert ours["energies"]["n"] == 2
    assert {c["figure"] for c in found["claims"]} == {
        "bfgs, times CPU, near-basin",
        "bfgs, share within 2 meV/atom, near-basin",
    }


def test_single_points_agree_and_are_compared_with_double_precision(data, stages):
    found = run(only="accuracy", plan=TOY, stages=stages)
    row = found["rows"]["accuracy"]
    assert row["n"] == 4
    assert row["ours_against_stock"]["energy"]["max"] < 0.01
    assert row["ours_against_stock"]["forces"]["max"] < 1e-3
    exact = row["against_double_precision"]["random"]
    for side in ("ours", "stock"):
        assert 0 < exact[side]["energy"]["max"] < 0.01
        assert 0 < exact[side]["stress"]["max"] < 1e-2
    last = found["claims"][-1]
    assert (last["met"], last["n"]) == (None, 4)
    assert 0 < last["stock"] < 1e-3


def test_profile_and_counts(data, stages, monkeypatch):
    monkeypatch.setattr(relaxation_profile, "MEASURING_SECONDS", 0.01)
    row = run(only="profile", plan=TOY, stages=stages)["rows"]["profile"]
    assert 0 < row["share_of_limit"] < 1
    assert sum(row["shares_of_relaxation"].values()) == pytest.approx(1)
    assert row["arithmetic_of_stock_over_ours"] > 2
    assert f"{row['evaluation_gflops']:.1f} GFLOP/s" in row["next_factor"]
    row = run(only="counts", plan=TOY, stages=stages)["rows"]["counts"]
    assert [one["count"] for one in row["counts"]] == [1, 4]
    assert all(one["peak_memory_mb"] >= one["memory_before_mb"] > 0 for one in row["counts"])


def test_the_hull_row_is_what_the_hull_measures(data, stages, monkeypatch):
    def hull_figures(seed, candidates=10_000):
        return {
            "candidates": candidates,
            "cpu_seconds": 31.0,
            "largest_difference_to_pymatgen": 1e-9,
            "compared_with_pymatgen": 3,
            "seed": seed,
        }

    stand_in = types.ModuleType("hysteron.benchmarks.relaxation_hull")
    stand_in.__dict__["hull_figures"] = hull_figures
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    found = run(seed=5, only="hull", plan=TOY, stages=stages)
    assert found["rows"]["hull"] == hull_figures(5, 7)
    assert [c["met"] for c in found["claims"]] == [False, True]


def test_a_fresh_process_is_pinned_and_its_results_are_kept(tmp_path):
    first = Stages("0", folder=tmp_path)
    machine = first.measure("machine", "machine", {})
    assert machine["torch_threads"] == 1
    again = Stages("0", resume=True, folder=tmp_path)
    assert again.measure("machine", "machine", {}) == machine
    assert again.reused == ["machine"]
    other = Stages("0", resume=True, fresh=False, folder=tmp_path)
    other.measure("machine", "machine", {"something": "else"})
    assert other.reused == []


def test_a_process_that_fails_is_an_error():
    with pytest.raises(StageError, match="'x' failed"):
        run_processes("x", "no such task", [{}])


def test_time_of_a_batch_is_shared_out_by_work():
    stock = {"clock": {"cpu_seconds": 30.0}, "structures": [{"cpu_seconds": t, "steps": 9} for t in (10, 20)]}
    ours = [{"clock": {"cpu_seconds": t}, "structures": [{"steps": 4}, {"steps": 4}]} for t in (2.0, 4.0)]
    found = cpu_ratio(stock, ours, np.array([1.0, 2.0]), seed=0)
    assert found["ratio"] == pytest.approx(10)
    assert found["interval_90"] == pytest.approx([10, 10])  # both structures gain the same
    assert found["ratio_of_evaluations"] == 2


def test_energies_are_compared_and_gaps_count_as_different():
    stock = [{"energy": -5.0}, {"energy": -5.0}, {"energy": -5.0}, None]
    ours = [{"energy": -5.001}, {"energy": -5.01}, {"energy": -4.9}, {"energy": -5.0}]
    found = energy_figures([["Si"]] * 4, stock, ours, [True, True, False, False])
    assert (found["within_2"], found["share"], found["without_an_end"]) == (1, 0.25, 1)
    assert (found["ours_lower"], found["stock_lower"]) == (1, 1)
    assert found["both_converged"]["share"] == 0.5
    assert found["largest_differences"][0]["ours_minus_stock"] == pytest.approx(100)


def test_differences_are_in_their_units():
    here = {"energy": -1.0, "forces": [[0.0, 0.0, 0.0]], "stress": [[0.0] * 3] * 3}
    there = {"energy": -1.001, "forces": [[0.0, 0.0, 0.5]], "stress": [[0.0, 0.0, 2.0]] * 3}
    found = differences([here], [there])
    assert found["energy"]["max"] == pytest.approx(1)
    assert (found["forces"]["max"], found["stress"]["max"]) == (0.5, 2.0)
    assert worst_of([here, here], [here, there]) == [1, 0]


def testexponents_shares_and_samples(data):
    x, y = np.array([1.0, 2, 4, 8]), np.array([3.0, 1, 5, 2])
    assert exponents(7 * x**1.5 * y**0.5, x, y) == pytest.approx([1.5, 0.5])
    assert balanced([5, 1, 4, 2], 2) == [[0, 1], [2, 3]]
    first, second = samples.near_basin(3, 4), samples.near_basin(3, 4)
    assert first == second != samples.near_basin(4, 4)
    assert len(first) == 4
    assert samples.from_plain(first[0]) == samples.from_plain(json.loads(json.dumps(first[0])))
    published = materials.silicon()
    moved = samples.disturbed(published, np.random.default_rng(0))
    strain = np.linalg.solve(published.lattice.matrix, moved.lattice.matrix) - np.eye(3)
    assert 0 < np.abs(strain).max() <= samples.LARGEST_STRAIN
    assert np.allclose(strain, strain.T)


def test_generated_crystals_are_small():
    found = samples.generated(0, 3)
    assert len(found) == 3
    assert all(2 <= len(one["species"]) <= samples.MOST_ATOMS for one in found)


def test_the_sampler_puts_time_to_where_it_was_spent():
    with Sampler(lambda frame: frame.f_code.co_name) as sampler:
        _busy(200_000)
    assert sampler.shares().get("_busy", 0) > 0.8
    assert part_of_relaxation(None) == "rest"


def _busy(n):
    value = 0
    for i in range(n * 10):
        value += i * i
    return value


def test_the_next_factor_follows_amdahl():
    limits = {
        "share_of_evaluation_that_is_products": 0.5,
        "limit_products_of_our_shapes_gflops": 40.0,
        "limit_large_product_gflops": 80.0,
        "evaluation_gflops": 20.0,
        "share_of_limit": 0.25,
    }
    shares = {"forward": 0.4, "backward": 0.4, "relaxation.bfgs": 0.2}
    sentence = next_factor(limits, shares)
    assert "1.7 times faster" in sentence  # 1 / (0.2 + 0.8 * 0.5)
    assert "2.5 times with" in sentence  # 1 / (0.2 + 0.8 * 0.25)


def test_it_is_registered_and_asks_for_its_data(monkeypatch, data):
    assert load("relaxation", BENCHMARKS, "hysteron.benchmarks") is run
    with pytest.raises(NotFoundError, match="near-basin"):
        run(only="near-basn")
    monkeypatch.delenv("HYSTERON_DATA_DIR")
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        run()


def test_an_option_that_a_benchmark_lacks_is_refused():
    from hysteron.benchmarks.query import run as query
    from hysteron.cli.benchmark import understood

    assert understood(run, "relaxation", {"only": "hull", "quick": True, "resume": False}) == {
        "only": "hull",
        "quick": True,
    }
    assert understood(query, "query", {"only": None}) == {}
    with pytest.raises(InputError, match="'query' has no --only or --quick"):
        understood(query, "query", {"only": "hull", "quick": True})


def test_a_row_without_a_device_makes_no_claim():
    assert claims({"gpu": None}) == []
