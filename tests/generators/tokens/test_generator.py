"""The generator `tokens`: its contract, what it drops, how it ranks, and what it refuses."""

from dataclasses import dataclass

import materials
import numpy as np
import pytest
import torch
from hysteron.core.candidate import Candidate, PropertyValue, Step
from hysteron.core.checks import check_generator
from hysteron.core.contracts import HullDistance, Tools
from hysteron.core.errors import InputError, MissingDataError, SettingsError
from hysteron.core.identity import same_crystal
from hysteron.core.settings import validate
from hysteron.core.symmetry import is_polar
from hysteron.generators.ranking import ranked
from hysteron.generators.tokens.generator import Tokens, trained_model
from hysteron.generators.tokens.generator_config import (
    TokenGeneratorConfig,
    asked_ranges,
    request_of,
    style_of,
)
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.retrieval.known import KnownCrystals

VOCABULARY = Vocabulary()
SHAPE = ModelConfig(len(VOCABULARY), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of a model that has learned nothing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "tokens.safetensors"
    Trained(TokenModel(SHAPE).eval(), VOCABULARY, {"method": "Wyckoff tokens, untrained"}).save(path)
    return path


def tokens(weights, **wishes) -> Tokens:
    return Tokens(TokenGeneratorConfig(model=weights, **wishes))


def propose(generator: Tokens, count: int = 4, tools: Tools | None = None, seed: int = 0) -> list[Candidate]:
    return list(generator.generate([], count, np.random.default_rng(seed), tools or Tools()))


def test_it_keeps_the_contract(weights):
    """Small cells of ions: an untrained model puts few atoms where they fit."""
    generator = tokens(weights, natoms=(2, 3), oversampling=1)
    found = check_generator(generator, [], count=3, from_parents=False)
    for candidate in found:
        step = candidate.provenance[0]
        assert (step.stage, step.name, step.parents) == ("generate", "tokens", ())
        assert "untrained" in step.version
        assert candidate.value("log_probability") is not None


def test_the_space_group_asked_for_is_kept(weights):
    for candidate in propose(tokens(weights, spacegroup_number=225, natoms=(2, 6), oversampling=1)):
        assert candidate.spacegroup_number == 225
    for candidate in propose(tokens(weights, polar_only=True, natoms=(2, 4), oversampling=1)):
        assert is_polar(candidate.spacegroup_number)


def test_what_is_known_is_dropped(weights):
    """Rock salt is all that NaCl can be in its group with two atoms; the cells written lie near the known one or not."""
    generator = tokens(weights, formula="NaCl", spacegroup_number=225, natoms=(2, 2), oversampling=1)
    salt = materials.sodium_chloride()
    free = propose(generator, count=5)
    known = propose(generator, count=5, tools=Tools(known=KnownCrystals([("salt", salt)])))
    assert any(same_crystal(c.structure, salt) for c in free)
    assert known
    assert not any(same_crystal(c.structure, salt) for c in known)
    assert len({c.candidate_id for c in free}) == len(free)


class Gaps:
    """Predicts from the volume alone: a formation energy, and a gap of 3 eV for every second crystal."""

    name = "gaps"

    def predict(self, candidates):
        return [self._with(c) for c in candidates]

    def _with(self, candidate: Candidate) -> Candidate:
        volume = candidate.structure.volume / len(candidate.structure)
        gap = 3.0 if round(volume * 100) % 2 else 0.0
        return candidate.with_step(Step("predict", "gaps")).with_property(
            PropertyValue("band_gap", gap, "eV", "gaps"),
            PropertyValue("formation_energy_per_atom", -volume / 100, "eV/atom", "gaps"),
        )


@dataclass(frozen=True)
class FlatHull:
    name: str = "flat"
    potential_name: str = "gaps"

    def distance(self, composition, energy_per_atom, leave_out=()):
        return HullDistance(energy_per_atom + 1.0, None, ())

    def distances(self, items):
        if items and items[0][1] == 0.0:  # the elements
            return [HullDistance(0.0, None, ()) for _ in items]
        return [self.distance(*item) for item in items]


def test_what_the_predictor_confirms_comes_first_and_predictions_are_not_kept(weights):
    generator = tokens(
        weights, natoms=(2, 4), properties={"band_gap": (2.0, 4.0)}, near_hull=None, oversampling=4
    )
    found = propose(generator, 6, Tools(predictor=Gaps(), hull=FlatHull()))
    gaps = [c.value("band_gap") for c in Gaps().predict(found)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == 3.0
    assert all(len(c.provenance) == 1 and c.value("band_gap") is None for c in found)
    assert "predicted_energy_above_hull" in found[0].provenance[0].details


def test_the_predicted_distance_ranks_before_the_log_probability(weights):
    volumes = {"Si": 20.0, "NaCl": 24.0, "TiO2": 10.0}
    crystals = [materials.silicon(), materials.sodium_chloride(), materials.titania_rutile()]
    candidates = []
    for crystal in crystals:
        formula = crystal.composition.reduced_formula
        crystal.scale_lattice(volumes[formula] * len(crystal))
        probability = PropertyValue("log_probability", -volumes[formula], "1", "test")
        candidates.append(Candidate(formula, crystal).with_property(probability))
    order = [r.candidate.candidate_id for r in ranked(candidates, [10, 10, 10], {}, Tools())]
    assert order == ["TiO2", "Si", "NaCl"]
    judged = ranked(candidates, [10, 10, 10], {}, Tools(predictor=Gaps(), hull=FlatHull()))
    assert [r.distance for r in judged] == pytest.approx([0.9, 0.8, 0.76], abs=1e-6)


@pytest.mark.parametrize(("shift", "first"), [(-0.8, "NaCl"), (-1.3, "TiO2")])
def test_far_below_the_hull_is_no_better_than_far_above(shift, first):
    """Of equal log-probability: nearest to the hull first, or least far below it."""

    class Shifted(FlatHull):
        def distance(self, composition, energy_per_atom, leave_out=()):
            return HullDistance(energy_per_atom + 1.0 + shift, None, ())

    candidates = []
    for crystal, volume in ((materials.sodium_chloride(), 24.0), (materials.titania_rutile(), 10.0)):
        crystal.scale_lattice(volume * len(crystal))
        probability = PropertyValue("log_probability", -5.0, "1", "test")
        candidates.append(Candidate(crystal.composition.reduced_formula, crystal).with_property(probability))
    order = ranked(candidates, [10, 10], {}, Tools(predictor=Gaps(), hull=Shifted()))
    assert order[0].candidate.candidate_id == first


def test_ranges_become_bins_and_near_the_hull_is_asked_unless_told_otherwise():
    asked = request_of(TokenGeneratorConfig(properties={"band_gap": (2, 4)}), VOCABULARY)
    words = {bins.name: bins for bins in VOCABULARY.properties}
    gaps, heights = words["band_gap"].edges, words["energy_above_hull"].edges
    assert [(gaps[i - 1], gaps[i]) for i in asked.bins["band_gap"]] == [
        (2, 2.5),
        (2.5, 3),
        (3, 3.5),
        (3.5, 4),
    ]
    assert [heights[i] for i in asked.bins["energy_above_hull"]] == [0.001, 0.01, 0.025]
    assert asked_ranges(TokenGeneratorConfig(near_hull=None)) == {}
    told = TokenGeneratorConfig(properties={"energy_above_hull": (0.1, None)})
    assert asked_ranges(told) == {"energy_above_hull": (0.1, None)}


def test_elements_that_are_named_are_not_excluded():
    assert "U" in request_of(TokenGeneratorConfig(), VOCABULARY).exclude_elements
    assert request_of(TokenGeneratorConfig(formula="UO2"), VOCABULARY).exclude_elements == ()


def test_style():
    wishes = {"temperature": 0.8, "number_temperature": 0.3, "guidance": 2}
    style = style_of(TokenGeneratorConfig(**wishes, properties={"band_gap": (2, 4)}))
    assert (style.temperature, style.number_temperature, style.guidance) == (0.8, 0.3, 2)
    assert style_of(TokenGeneratorConfig(**wishes)).guidance == 0


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"spacegroup_number": 231}, "less than or equal to 230"),
        ({"formula": "Xx2O"}, "'Xx': not the symbol of an element"),
        ({"properties": {"band_gap": (4, 2)}}, "is empty"),
        ({"properties": {"band_gap": (None, None)}}, "open at both ends"),
        ({"properties": {"band_gap": (0, float("inf"))}}, "ends at a number"),
        ({"natoms": (5, 2)}, "the smaller one"),
        ({"polar_only": True, "spacegroup_number": 225}, "is not polar"),
        ({"steps": 100}, "no setting 'steps'"),
    ],
)
def test_wishes_that_are_none_get_a_sentence(wishes, sentence):
    with pytest.raises(SettingsError, match=sentence):
        validate(TokenGeneratorConfig, wishes, "[[generator]] tokens")


def test_a_property_that_the_model_does_not_know_gets_a_sentence(weights):
    with pytest.raises(InputError, match=r"cannot be asked for 'band_gab'.*band_gap"):
        propose(tokens(weights, properties={"band_gab": (1, 2)}))


def test_a_request_that_cannot_be_met_gets_a_sentence(weights):
    with pytest.raises(InputError, match="BaTiO3"):
        propose(tokens(weights, formula="BaTiO3", natoms=(6, 9)))
    with pytest.raises(InputError, match="0 crystals"):
        propose(tokens(weights), count=0)


def test_without_weights_a_sentence(tmp_path):
    with pytest.raises(MissingDataError, match="There is no file"):
        trained_model(tmp_path / "none.safetensors")
