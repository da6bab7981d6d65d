"""The generation benchmark on a handful of crystals and a toy potential: rows, claims, and what is kept."""

import json
from functools import cache, cached_property

import materials
import pytest
import torch
from hysteron.benchmarks import BENCHMARKS, generation, generation_sets
from hysteron.benchmarks.generation import run
from hysteron.benchmarks.generation_claims import claims
from hysteron.benchmarks.generation_conditioning import compared, conditioning_row, is_inside
from hysteron.benchmarks.generation_figures import Made, symmetry_of
from hysteron.benchmarks.generation_kept import Kept
from hysteron.benchmarks.generation_reference import Reference
from hysteron.benchmarks.generation_sets import GROUPS, MAKERS, key_of, made
from hysteron.benchmarks.generation_speed import speed_row
from hysteron.benchmarks.generation_world import Plan, World
from hysteron.core.candidate import PropertyValue
from hysteron.core.contracts import HullDistance, Relaxation
from hysteron.core.crystals import CrystalRecord
from hysteron.core.errors import MissingDataError, NotFoundError
from hysteron.core.registry import load
from hysteron.core.symmetry import is_polar
from hysteron.generators.tokens.generator import trained_model
from hysteron.generators.tokens.generator_config import TokenGeneratorConfig
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from pair_potential import PairPotential

TOY = Plan(count=4, per_group=1, conditioned=4, training=2, timed=8, repeats=2)
SHAPE = ModelConfig(len(Vocabulary()), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


class Flat:
    """A hull at -3 eV/atom everywhere."""

    name = potential_name = "flat"

    def distances(self, items):
        return [HullDistance(energy + 3, None, ()) for _, energy, _ in items]


class Gaps:
    """Every crystal has a gap of 3 eV."""

    name, model_hash = "gaps", "1"

    def predict(self, candidates):
        gap = PropertyValue("band_gap", 3.0, "eV", "toy")
        energy = PropertyValue("formation_energy_per_atom", -1.0, "eV/atom", "toy")
        return [c.with_property(gap, energy) for c in candidates]


class Swelling:
    """A relaxer that makes every crystal one percent larger."""

    version, potential = "swelling", PairPotential()

    def relax(self, structures, on_done=None, checkpoint=None):
        found = []
        for i, structure in enumerate(structures):
            larger = structure.copy()
            larger.scale_lattice(1.01 * structure.volume)
            found.append(Relaxation(larger, -2.95, 0.01, 7, True))
            if on_done:
                on_done(i, found[-1])
        return found


class ToyWorld(World):
    """An untrained model that writes the smallest cells, for it puts few atoms where they fit."""

    code = "toy"
    hull, predictor, relaxer = Flat(), Gaps(), Swelling()

    @cached_property
    def file(self):
        torch.manual_seed(0)
        path = self.kept.folder / "model.safetensors"
        Trained(TokenModel(SHAPE).eval(), Vocabulary(), {"method": "untrained"}).save(path)
        return path

    @property
    def weights(self):
        return "untrained"

    @property
    def trained(self):
        return trained_model(self.file)

    def config(self, **wishes):
        return TokenGeneratorConfig(**{"natoms": (2, 3), "model": self.file, "oversampling": 1} | wishes)

    @cached_property
    def reference(self):
        return Reference(
            [record(crystal("sodium_chloride"), "a", "train"), record(crystal("silicon"), "b", "test")]
        )


@cache
def crystal(name):
    return getattr(materials, name)()


def record(structure, identifier, split):
    return CrystalRecord(
        identifier,
        structure.composition.reduced_formula,
        structure.lattice.matrix.tolist(),
        [site.specie.symbol for site in structure],
        structure.frac_coords.tolist(),
        {"split": split, "e_above_hull": 0.0},
    )


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
    for only in ("written", "raw", "groups", "compared"):
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
