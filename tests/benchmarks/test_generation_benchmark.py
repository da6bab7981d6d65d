"""The generation benchmark on a handful of crystals and a toy potential: rows, claims, and what is kept."""

import json

import pytest
from generation_toys import TOY, ToyWorld, crystal
from hysteron.benchmarks import BENCHMARKS, generation, generation_sets
from hysteron.benchmarks.generation import ROWS, run
from hysteron.benchmarks.generation_claims import CLAIMS, claims
from hysteron.benchmarks.generation_conditioning import compared, conditioning_row, is_inside
from hysteron.benchmarks.generation_figures import Made, symmetry_of
from hysteron.benchmarks.generation_kept import Kept
from hysteron.benchmarks.generation_rows import DIFFUSION_PAIRS, PAIRS
from hysteron.benchmarks.generation_sets import GROUPS, MAKERS, RELAXED, key_of, made
from hysteron.benchmarks.generation_speed import speed_row
from hysteron.core.errors import MissingDataError, NotFoundError
from hysteron.core.registry import load
from hysteron.core.symmetry import is_polar
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from pair_potential import PairPotential

CRYSTALS = ("sodium_chloride", "magnesium_oxide", "barium_titanate_tetragonal", "magnesium_oxide")
asked_for = []


def some_crystals(world):
    asked_for.append(world.plan.count)
    structures = [crystal(name) for name in CRYSTALS[: world.plan.count]]
    return [Made(s, symmetry_of(s, 0.01)[0], -1.0) for s in structures], {"written": 9, "refused": {"x": 5}}


@pytest.fixture
def world(tmp_path):
    asked_for.clear()
    return ToyWorld(0, TOY, Kept(folder=tmp_path / "kept"))


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """`run` on the toy world, every set of the same four crystals."""
    asked_for.clear()
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(generation, "World", ToyWorld)
    monkeypatch.setattr(generation_sets, "MAKERS", dict.fromkeys(MAKERS, some_crystals))
    return tmp_path / "kept"


def test_every_row_that_looks_at_sets(toys):
    rows = {}
    for only in ("written", "raw", "groups", "compared", "diffusion_written", "diffusion_raw"):
        found = run(only=only, plan=TOY, folder=toys, resume=True)
        json.dumps(found, allow_nan=False)
        assert found["claims"]
        rows |= found["rows"]
    raw = rows["written"]["raw"]
    assert (raw["unique"]["hits"], raw["novel"]["hits"], raw["n"]) == (3, 3, 4)
    assert raw["made"]["refused"] == {"x": 5}
    assert rows["written"]["training_crystals"]["of"] == 1
    relaxed = rows["raw"]
    assert relaxed["stability"]["at_rest"]["hits"] == 4
    assert relaxed["group"]["symprec_0.1_A"]["kept"]["hits"] >= 3
    assert 0 < relaxed["displacement"]["at_rest_A"]["n"] <= 4
    assert sum(one["n"] for one in rows["groups"]["by_group"].values()) == 4  # 225 twice over, and 99
    differences = rows["compared"]["differences"]["reranked less substitution"]
    assert differences["sun"]["difference"] == 0
    assert len(asked_for) == len(MAKERS)  # each set is made once and then read
    assert "after_dropping_the_known" not in relaxed
    of_diffusion(rows)
    targets_of_diffusion(rows)


def of_diffusion(rows):
    novel = rows["diffusion_raw"]["after_dropping_the_known"]
    assert (novel["dropped"], novel["at_rest"]["n"]) == (1, 3)  # salt is known
    before = rows["diffusion_written"]["before_redrawing"]
    assert before["from_tokens"]["group_kept"]["symprec_0.01_A"]["hits"] == 4
    assert "group_kept" not in before["plain"]


def targets_of_diffusion(rows):
    """Every set is of the same crystals here, so that one row stands for all."""
    after = rows["diffusion_raw"]
    names = ("diffusion_raw", "diffusion_symmetric", "diffusion_groups")
    found = claims({"diffusion_written": rows["diffusion_written"], **dict.fromkeys(names, after)})
    lines = {line["figure"]: line for line in found}
    for name in ("diffusion_raw", "diffusion_symmetric"):
        assert lines[f"{name}: unique"]["target"] == ">= 0.97"
        assert (lines[f"{name}: novel"]["target"], lines[f"{name}: novel"]["met"]) == (">= 0.6", True)
        line = lines[f"{name}: at most 0.1 eV/atom above the hull, of those that were not known"]
        assert (line["target"], line["n"], line["measured"], line["with_the_known"]) == (
            ">= 0.35",
            3,
            1.0,
            1.0,
        )
        assert lines[f"{name}: median displacement from generated to relaxed, A"]["target"] == "<= 0.15"
    kept = "space group {}kept after relaxation, symprec 0.1 A"
    assert lines[f"diffusion_symmetric: {kept.format('')}"]["target"] == ">= 0.9"
    assert lines[f"diffusion_groups: {kept.format('asked for ')}"]["target"] == ">= 0.9"
    assert lines[f"diffusion_raw: {kept.format('')}"]["target"] is None
    assert lines["diffusion_groups: novel"]["target"] is None


def test_sets_that_are_compared_have_rows():
    assert set(ROWS) == set(CLAIMS)
    named = {name for pair in (*PAIRS, *DIFFUSION_PAIRS) for name in pair}
    assert named < set(RELAXED) < set(ROWS)
    assert ROWS["diffusion_compared"].keywords["pairs"] is DIFFUSION_PAIRS


def test_targets_are_told_beside_figures(toys):
    lines = {line["figure"]: line for line in run(only="raw", plan=TOY, folder=toys)["claims"]}
    line = lines["raw: at most 0.1 eV/atom above the hull"]
    assert line["target"] == ">= 0.35"
    assert line["met"] is (line["measured"] >= 0.35)
    assert line["n"] == 4


def test_sets_and_relaxations_are_kept(toys, monkeypatch):
    potential = PairPotential()
    monkeypatch.setattr(ToyWorld, "relaxer", BatchedRelaxer(potential, RelaxerSettings(steps=5, workers=1)))
    plan = TOY.model_copy(update={"count": 2})
    first = run(only="raw", plan=plan, folder=toys)
    assert first["sets_of_an_earlier_run"] == []
    assert potential.evaluations > 0
    potential.evaluations = 0
    again = run(only="raw", plan=plan, folder=toys, resume=True)
    assert again["sets_of_an_earlier_run"] == ["raw"]
    assert potential.evaluations == 0
    for rows in (first["rows"], again["rows"]):
        rows["raw"].pop("displacement")  # is zero but for rounding
    assert again["rows"] == first["rows"]
    run(only="raw", plan=plan, folder=toys)
    assert potential.evaluations > 0


def test_a_set_of_another_seed_or_plan_is_another_set(world):
    key = key_of(world, "raw")
    assert key != key_of(ToyWorld(1, TOY, world.kept), "raw")
    assert key != key_of(ToyWorld(0, TOY.model_copy(update={"count": 5}), world.kept), "raw")
    assert "weights" in key
    assert "weights" not in key_of(world, "random")


def test_the_sets_that_the_generators_write(world, monkeypatch):
    monkeypatch.setattr(generation_sets, "GROUPS", (225, 160))
    for name in ("raw", "polar", "groups", "random", "unchecked", "reranked"):
        crystals, told = made(world, name)
        assert crystals
        assert told["seconds"] >= 0
        assert all(2 <= len(one.structure) <= 3 for one in crystals)
    crystals, told = made(world, "groups")
    assert [one.spacegroup_number for one in crystals] == [225, 160]
    assert told["in_vain"] == {}
    assert all(is_polar(one.spacegroup_number) for one in made(world, "polar")[0])


def test_conditioning_and_speed(world):
    found = conditioning_row(world)
    json.dumps(found, allow_nan=False)
    gaps = found["ranges"]["band_gap=2..4"]["guidance_1"]
    assert (gaps["asked"]["share"], gaps["not_asked"]["share"], gaps["times"]["ratio"]) == (1.0, 1.0, 1.0)
    assert found["ranges"]["formation_energy_per_atom=..-2.5"]["guidance_0"]["times"]["ratio"] is None
    found = speed_row(world)
    json.dumps(found, allow_nan=False)
    assert found["handed_out"]["rate"] >= 0
    assert found["handed_out"]["times_random"]["n"] == 2
    assert claims({"speed": found})


def test_seeds_of_substitution_are_training_crystals(world):
    (seed,) = world.reference.seeds()
    assert (seed.candidate_id, seed.value("energy_above_hull")) == ("a", 0.0)


def test_the_groups_are_different_and_exist():
    assert len(set(GROUPS)) == len(GROUPS) == 25
    assert all(1 <= number <= 230 for number in GROUPS)


def test_what_asking_for_a_property_is_worth():
    ranges = {"band_gap": (2.0, 4.0), "formation_energy_per_atom": (None, -2.0)}
    inside = {"band_gap": 2.0, "formation_energy_per_atom": -2.5}
    assert is_inside(inside, ranges)
    assert not is_inside(inside | {"band_gap": None}, ranges)
    assert not is_inside(inside | {"formation_energy_per_atom": -1.0}, ranges)
    outside = inside | {"band_gap": 5.0}
    found = compared([inside] * 60 + [outside] * 40, [inside] * 20 + [outside] * 80, ranges, seed=0)
    assert found["times"]["ratio"] == 3  # not less for rounding
    low, high = found["times"]["interval_95"]
    assert low < 3 < high
    assert found["greatest_possible_times"] == pytest.approx(5)
    assert compared([inside], [outside], ranges, seed=0)["times"]["ratio"] is None


def test_it_is_registered_and_says_what_it_needs(monkeypatch, tmp_path):
    assert load("generation", BENCHMARKS, "hysteron.benchmarks") is run
    with pytest.raises(NotFoundError, match="compared"):
        run(only="compare")
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        run()
