"""The generator `diffusion`: its contract, what it keeps and drops, its adapters, and what it refuses."""

import diffusion_toys as toys
import materials
import numpy as np
import pytest
import torch
from hysteron.core.candidate import Candidate
from hysteron.core.checks import check_generator
from hysteron.core.contracts import HullDistance, Tools
from hysteron.core.errors import InputError, MissingDataError, OutsideDomainError, SettingsError
from hysteron.core.settings import validate
from hysteron.generators.diffusion.adapters import SPACEGROUP, Adapter, AdapterConfig
from hysteron.generators.diffusion.generator import Diffusion, known_adapters, trained_adapter, trained_model
from hysteron.generators.diffusion.generator_config import DiffusionGeneratorConfig
from hysteron.generators.diffusion.settings import DataTable
from hysteron.generators.diffusion.weights import Trained, TrainedAdapter, grid_of
from hysteron.retrieval.known import KnownCrystals

SMALL = {"formula": "NaCl", "natoms": (2, 2), "oversampling": 1, "steps": 8}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of a model that has learned nothing, with two adapters."""
    folder = tmp_path_factory.mktemp("models")
    sizes = ((2, 2, 3), (5, 5, 1))
    trained = Trained(
        toys.awake(toys.small_network(), size=0.05), DataTable(), sizes, {"method": "diffusion, untrained"}
    )
    trained.save(folder / "tiny.safetensors")
    digest = Trained.load(folder / "tiny.safetensors").digest
    for name, grid in (("band_gap", grid_of(torch.rand(50) * 5)), (SPACEGROUP, ())):
        adapter = toys.awake(Adapter(AdapterConfig(name, 16, 2, 4)), size=0.05)
        TrainedAdapter(adapter, digest, grid).save(folder / f"tiny-{name}.safetensors")
    strange = Adapter(AdapterConfig("energy_above_hull", 16, 2, 4))
    TrainedAdapter(strange, "another", (0.0, 1.0)).save(folder / "tiny-energy_above_hull.safetensors")
    return folder / "tiny.safetensors"


def diffusion(weights, **wishes) -> Diffusion:
    return Diffusion(DiffusionGeneratorConfig(model=weights, **wishes))


def propose(
    generator: Diffusion, count: int = 3, tools: Tools | None = None, seed: int = 0
) -> list[Candidate]:
    return list(generator.generate([], count, np.random.default_rng(seed), tools or Tools()))


def test_it_keeps_the_contract(weights):
    found = check_generator(diffusion(weights, **SMALL), [], count=3, from_parents=False)
    for candidate in found:
        step = candidate.provenance[0]
        assert (step.stage, step.name, step.parents) == ("generate", "diffusion", ())
        assert "untrained" in step.version


def test_the_space_group_asked_for_is_that_of_the_crystal(weights):
    found = propose(
        diffusion(
            weights, spacegroup_number=99, elements=("Ba", "Ti", "O"), natoms=(3, 5), oversampling=1, steps=8
        )
    )
    assert found
    assert {candidate.spacegroup_number for candidate in found} == {99}


@pytest.mark.parametrize("steering", ["predictor", "potential"])
def test_steering_hears_energies(weights, steering):
    class Heard:
        """Finds everything at the hull, and counts."""

        name, model_hash = "heard", ""
        asked = 0

        def predict(self, candidates):
            self.asked += 1
            return list(candidates)

        def calculate(self, structures):
            self.asked += 1
            return [type("Calculation", (), {"energy": -3.0 * len(s)})() for s in structures]

    class Flat:
        name = potential_name = "flat"

        def distances(self, items):
            return [HullDistance(0.0, None, ()) for _ in items]

    heard = Heard()
    tools = Tools(predictor=heard, potential=heard, hull=Flat())
    generator = diffusion(weights, steering=steering, particles=2, **(SMALL | {"steps": 20}))
    assert ("potential" in generator.uses_tools) == (steering == "potential")
    assert propose(generator, 2, tools)
    assert heard.asked >= 2
    with pytest.raises(InputError, match="Steering by the"):
        propose(generator, 2)


def test_what_is_known_is_dropped(weights):
    salt = propose(diffusion(weights, **SMALL), 1)[0]
    tools = Tools(known=KnownCrystals([("salt", salt.structure)]))
    again = propose(diffusion(weights, **SMALL), 1, tools)
    assert again
    assert again[0].candidate_id != salt.candidate_id


def test_adapters_are_found_beside_their_model_and_belong_to_it(weights, caplog):
    trained = trained_model(weights)
    assert known_adapters(trained, weights) == ["band_gap", SPACEGROUP]
    assert "belongs to another diffusion model" in caplog.text
    assert trained_adapter("formation_energy_per_atom", trained, weights) is None


def test_a_range_is_asked_of_its_adapter(weights):
    wish = {"properties": {"band_gap": (2.0, 4.0)}}
    plain, asked, deaf = (
        propose(diffusion(weights, **SMALL, **more), 2) for more in ({}, wish, wish | {"guidance": 0.0})
    )
    ids = [[c.candidate_id for c in some] for some in (plain, asked, deaf)]
    volumes = [[round(c.structure.volume, 3) for c in some] for some in (plain, asked, deaf)]
    assert ids[0] == ids[2]
    assert volumes[0] == volumes[2]
    assert volumes[0] != volumes[1]
    with pytest.raises(InputError, match="no adapter for 'formation_energy_per_atom'"):
        propose(diffusion(weights, **SMALL, properties={"formation_energy_per_atom": (None, -1.0)}))


def test_from_tokens_a_property_without_an_adapter_is_asked_of_the_token_model(weights):
    generator = diffusion(
        weights,
        from_tokens=True,
        natoms=(2, 4),
        oversampling=1,
        steps=8,
        properties={"formation_energy_per_atom": (None, -1.0)},
    )
    assert propose(generator, 1)


def test_a_formula_without_anions_is_refused_and_none_without_weights(weights, tmp_path):
    with pytest.raises(OutsideDomainError, match="none of the anions"):
        propose(diffusion(weights, formula="NiAl"))
    with pytest.raises(MissingDataError):
        propose(diffusion(tmp_path / "none.safetensors"))
    with pytest.raises(InputError, match="ask for one or more"):
        propose(diffusion(weights), 0)


def test_a_range_of_atoms_too_small_for_the_formula_is_a_sentence(weights):
    with pytest.raises(InputError, match="No cell of 3 to 3 atoms"):
        propose(diffusion(weights, formula="NaCl", natoms=(3, 3)))


@pytest.mark.parametrize(
    "settings",
    [{"steps": 1}, {"steering": "luck"}, {"polar_only": True, "spacegroup_number": 225}, {"properties": {"band_gap": (4, 2)}},
     {"guidance": -1}, {"strange": 1}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(SettingsError):
        validate(DiffusionGeneratorConfig, settings, "here")


def test_crystals_that_overlap_are_never_handed_out(weights):
    for candidate in propose(diffusion(weights, **SMALL), 5, seed=4):
        structure = candidate.structure
        assert structure.is_valid(tol=1.0)
        assert (
            structure.composition.reduced_formula == materials.sodium_chloride().composition.reduced_formula
        )
