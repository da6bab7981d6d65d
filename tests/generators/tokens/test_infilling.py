"""Masked crystals are filled, ranked by what the model thinks of them, named, and told apart from what is known.

The model here has learned nothing: what is tested is what it is asked, and what is made of its answers.
"""

import dataclasses
import math

import materials
import numpy as np
import pytest
import torch
from hysteron.core.candidate import Candidate, PropertyValue, Step
from hysteron.core.checks import check_generator
from hysteron.core.contracts import HullDistance, Tools
from hysteron.core.errors import InputError, StructureError
from hysteron.core.identity import bucket_of
from hysteron.generators.tokens import infilling
from hysteron.generators.tokens.generator import Tokens
from hysteron.generators.tokens.generator_config import TokenGeneratorConfig
from hysteron.generators.tokens.infilling import infill
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.openings import Openings
from hysteron.generators.tokens.reading import log_probabilities
from hysteron.generators.tokens.tokens import to_tokens
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.wyckoff.decode import decode
from hysteron.generators.wyckoff.encode import encode
from hysteron.retrieval.known import KnownCrystals

WORDS = Vocabulary()
SHAPE = ModelConfig(len(WORDS), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2, longest=128)
SINGLE_PRECISION = 1e-3  # nats
STEP = Step("generate", "tokens", "1")


@pytest.fixture(scope="module")
def trained() -> Trained:
    torch.manual_seed(0)
    return Trained(TokenModel(SHAPE).eval(), WORDS, {"method": "Wyckoff tokens, untrained"})


def template(make) -> Candidate:
    return Candidate("template", make() if callable(make) else make)


def fill(make, trained, *mask, tools=None, **wishes) -> list[Candidate]:
    config = TokenGeneratorConfig(mask=mask, near_hull=None, **wishes)
    return list(infill(template(make), config, trained, STEP, np.random.default_rng(0), tools or Tools()))


def exchanges(candidates) -> list[str]:
    return [candidate.provenance[0].details["exchange"] for candidate in candidates]


def doubled():
    """Cubic BaTiO3, two cells on one another: Ba 0 and 1, Ti 2 and 3, O 4 to 9."""
    return materials.barium_titanate_cubic() * (1, 1, 2)


def test_every_filling_tells_where_it_comes_from(trained):
    found = fill(materials.barium_titanate_tetragonal, trained, "Ti")
    assert len(found) > 40
    assert len({candidate.candidate_id for candidate in found}) == len(found)
    assert "BaTiO3" not in {candidate.formula for candidate in found}
    zirconate = next(candidate for candidate in found if candidate.formula == "BaZrO3")
    (step,) = zirconate.provenance
    assert step.parents == ("template",)
    assert step.details["mask"] == ["Ti"]
    assert step.details["exchange"] == "Ti -> Zr"
    assert step.details["template_formula"] == "BaTiO3"
    assert step.details["template_spacegroup_number"] == 99
    assert step.details["oxidation_states"] == {"Ba": 2, "Zr": 4, "O": -2}
    assert step.details["known_as"] is None
    assert zirconate.spacegroup_number == 99
    (value,) = zirconate.properties
    assert (value.name, value.units, value.method) == ("log_probability", "1", "Wyckoff tokens, untrained")
    difference = value.value - step.details["template_log_probability"]
    assert step.details["log_probability_difference"] == pytest.approx(difference, abs=1e-5)


def test_the_most_probable_comes_first(trained):
    nats = [c.value("log_probability") for c in fill(materials.strontium_titanate, trained, "Sr")]
    assert nats == sorted(nats, reverse=True)


def test_the_log_probability_is_that_of_reading_the_crystal(trained):
    for candidate in fill(materials.lithium_niobate, trained, "Nb", elements=("Ta", "V", "Sb")):
        read = log_probabilities([to_tokens(encode(candidate.structure), WORDS)], trained)
        assert candidate.value("log_probability") == pytest.approx(read[0], abs=SINGLE_PRECISION)


def test_coordinates_and_shape_are_the_templates(trained):
    old = encode(materials.lithium_niobate())
    (tantalate,) = fill(materials.lithium_niobate, trained, "Nb", elements=("Ta",))
    new = encode(tantalate.structure)
    free = [[value for orbit in crystal.orbits for value in orbit.free] for crystal in (old, new)]
    assert free[1] == pytest.approx(free[0], abs=1e-4)
    assert new.lattice[1] / new.lattice[0] == pytest.approx(old.lattice[1] / old.lattice[0], abs=1e-4)
    volume = tantalate.structure.volume / materials.lithium_niobate().volume
    assert tantalate.provenance[0].details["volume_factor"] == pytest.approx(volume, abs=1e-4)


def test_a_site_of_a_larger_cell_is_doped(trained):
    (found,) = fill(doubled, trained, "2", elements=("Nb",))
    assert (found.formula, len(found.structure), found.spacegroup_number) == ("Ba2TiNbO6", 10, 123)
    assert exchanges([found]) == ["Ti at 2 -> Nb"]


def test_sites_together_get_one_element_and_sites_apart_their_own(trained):
    together = fill(doubled, trained, "2+3", elements=("Zr", "Hf"))
    apart = fill(doubled, trained, "2,3", elements=("Zr", "Hf"))
    assert sorted(exchanges(together)) == ["Ti -> Hf", "Ti -> Zr"]
    assert sorted(c.formula for c in apart) == ["Ba2HfZrO6", "BaHfO3", "BaZrO3"], "each crystal once"
    assert next(c for c in apart if c.formula == "BaZrO3").spacegroup_number == 221


def test_a_filling_with_more_symmetry_is_told_in_it(trained):
    """Both Ti alike again: the small cubic cell, as if it had been the template."""
    (large,) = fill(doubled, trained, "2,3", formula="BaZrO3")
    (small,) = fill(materials.barium_titanate_cubic, trained, "Ti", formula="BaZrO3")
    assert len(large.structure) == len(small.structure) == 5
    assert large.candidate_id == small.candidate_id
    assert large.value("log_probability") == pytest.approx(
        small.value("log_probability"), abs=SINGLE_PRECISION
    )


def test_a_mask_that_keeps_its_element_is_not_told(trained):
    found = fill(materials.barium_titanate_cubic, trained, "Ba,Ti", elements=("Ba", "Ti", "Zr"))
    assert "Ti -> Zr" in exchanges(found)
    assert "Ba -> Ti, Ti -> Ba" in exchanges(found)


def test_species_under_one_mask_become_alike(trained):
    found = fill(materials.barium_titanate_cubic, trained, "Ba+Ti", elements=("Fe", "Al"))
    assert {c.formula for c in found} == {"Fe2O3", "Al2O3"}
    assert "Ba+Ti -> Al" in exchanges(found)


def test_elements_that_stay_need_not_be_named_and_are_not_excluded(trained):
    assert exchanges(fill(materials.strontium_titanate, trained, "Ti", elements=("Zr",))) == ["Ti -> Zr"]
    others = exchanges(fill(materials.strontium_titanate, trained, "Sr", exclude_elements=("O", "Ba")))
    assert "Sr -> Ca" in others
    assert "Sr -> Ba" not in others


def test_what_is_known_stays_under_its_name(trained):
    known = KnownCrystals([("my-strontium-titanate", materials.strontium_titanate())])
    found = fill(
        materials.barium_titanate_cubic, trained, "Ba", elements=("Sr", "Ca"), tools=Tools(known=known)
    )
    names = {c.formula: (c.candidate_id, c.provenance[0].details["known_as"]) for c in found}
    assert names["SrTiO3"] == ("my-strontium-titanate", "my-strontium-titanate")
    assert names["CaTiO3"][1] is None


class Formation:
    """Predicts -2 eV/atom for everything."""

    name = "formation"

    def predict(self, candidates):
        value = PropertyValue("formation_energy_per_atom", -2.0, "eV/atom", self.name)
        return [c.with_property(value).with_step(Step("predict", self.name)) for c in candidates]


class Flat:
    """Elements at 0, everything else 1 eV/atom above a hull."""

    name, potential_name = "flat", "flat"

    def distance(self, composition, energy_per_atom, leave_out=()):
        return HullDistance(energy_per_atom + 3.0, None, ((composition.reduced_formula, "", 1.0),))

    def distances(self, items):
        return [self.distance(*item) for item in items]

    def reference_energy(self, element):
        return 0.0


def test_predictions_stand_beside(trained, monkeypatch):
    monkeypatch.setattr(
        infilling,
        "expected_distances",
        lambda some, hull: [0.1 if c.formula == "SrTiO3" else None for c in some],
    )
    tools = Tools(predictor=Formation(), hull=Flat())
    found = fill(materials.barium_titanate_cubic, trained, "Ba", elements=("Sr", "Ca"), tools=tools)
    for candidate in found:
        assert candidate.value("formation_energy_per_atom") == -2.0
        assert [step.stage for step in candidate.provenance] == ["generate", "predict"]
        details = candidate.provenance[0].details
        assert details.get("predicted_energy_above_hull") == (0.1 if candidate.formula == "SrTiO3" else None)


def test_a_probability_is_the_mean_over_the_bins_asked_for(trained):
    """Two bins of the gap in the ratio 3 to 1, as the training crystals have them."""
    anything = [WORDS.id_of(bins.name, "any") for bins in WORDS.properties]
    place = [bins.name for bins in WORDS.properties].index("band_gap")
    rows = {}
    for number, count in ((5, 3), (6, 1)):
        opening = list(anything)
        opening[place] = WORDS.id_of("band_gap", number)
        rows[tuple(opening)] = count
    knowing = dataclasses.replace(trained, openings=Openings(rows))
    edges = WORDS.properties[place].edges
    (found,) = fill(
        materials.barium_titanate_cubic,
        knowing,
        "Ba",
        elements=("Sr",),
        properties={"band_gap": (edges[4], edges[6])},
    )
    sequence = to_tokens(encode(found.structure), WORDS)
    read = log_probabilities(
        [dataclasses.replace(sequence, tokens=(*o, *sequence.tokens[len(o) :])) for o in rows], knowing
    )
    low, high = sorted(read)
    assert low - SINGLE_PRECISION <= found.value("log_probability") <= high + SINGLE_PRECISION


def test_of_very_many_the_most_probable_are_kept(trained, monkeypatch):
    everything = fill(materials.sodium_chloride, trained, "Na")
    monkeypatch.setattr(infilling, "READ_IN_FULL", 10)
    some = fill(materials.sodium_chloride, trained, "Na")
    assert len(some) == 10
    assert len(everything) > 30
    assert set(exchanges(some)) <= set(exchanges(everything))


def test_an_alloy_is_filled_where_the_rule_of_charges_is_lifted(trained):
    found = fill(materials.iron_one_atom, trained, "Fe", elements=("Cr", "W"), intermetallics=True)
    assert sorted(exchanges(found)) == ["Fe -> Cr", "Fe -> W"]
    assert all(c.provenance[0].details["oxidation_states"] is None for c in found)
    assert all(c.provenance[0].details["volume_method"] == "not scaled; the model" for c in found)


@pytest.mark.parametrize(
    ("make", "mask", "wishes", "error", "reason"),
    [
        (materials.disordered_alloy, "0", {}, StructureError, "partially occupied sites"),
        (
            lambda: doubled() * (1, 1, 3),
            "0",
            {},
            StructureError,
            "30 atoms in its primitive cell; the sequence takes 20 at most",
        ),
        (materials.strontium_titanate, "Zr", {}, InputError, "no Zr in SrTiO3 to mask"),
        (
            materials.strontium_titanate,
            "Sr",
            {"elements": ("He",)},
            InputError,
            "Nothing but what is there fills SrTiO3 with Sr masked with nothing but He",
        ),
        (materials.strontium_titanate, "Sr", {"formula": "SrTiO3"}, InputError, "Nothing but what is there"),
        (
            materials.strontium_titanate,
            "Sr",
            {"spacegroup_number": 99},
            InputError,
            "None of the .* ways .* have another space group or number of atoms",
        ),
        (materials.strontium_titanate, "Sr", {"natoms": (7, 9)}, InputError, "another space group or number"),
        (materials.strontium_titanate, "Sr,Ti,O", {}, InputError, "combinations; 20000 are tried at most"),
    ],
)
def test_what_cannot_be_filled_is_told(make, mask, wishes, error, reason, trained):
    with pytest.raises(error, match=reason):
        fill(make, trained, mask, **wishes)


def test_a_larger_cell_of_a_small_crystal_is_no_large_template(trained):
    """Eight cells of NaCl are one, as long as no site is told from the others; the masked one is too large."""
    large = materials.sodium_chloride() * (2, 1, 1)
    assert exchanges(fill(large, trained, "Na", elements=("K",))) == ["Na -> K"]
    with pytest.raises(StructureError, match="takes 20 at most"):
        fill(materials.sodium_chloride() * (2, 2, 1), trained, "0")


def test_the_generator_hands_its_seeds_on_as_templates(trained, tmp_path):
    path = tmp_path / "tokens.safetensors"
    trained.save(path)
    generator = Tokens(TokenGeneratorConfig(model=path, mask=("Ba",), elements=("Sr", "Ca", "Pb", "Eu")))
    seeds = [template(materials.barium_titanate_cubic)]
    found = check_generator(generator, seeds, count=3)
    assert len(found) == 3
    assert all(bucket_of(c.structure).spacegroup_number == 221 for c in found)
    assert all(math.isfinite(c.value("log_probability")) for c in found)
    assert decode(encode(found[0].structure)).composition == found[0].structure.composition
