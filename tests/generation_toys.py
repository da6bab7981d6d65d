"""A small world of the generation benchmark: untrained models, two crystals that are known, a toy relaxer."""

from functools import cache, cached_property

import materials
import torch
from hysteron.benchmarks.generation_cells import MeanCells
from hysteron.benchmarks.generation_reference import Reference
from hysteron.benchmarks.generation_world import Plan, World
from hysteron.core.candidate import PropertyValue
from hysteron.core.contracts import HullDistance, Relaxation
from hysteron.core.crystals import CrystalRecord
from hysteron.generators.diffusion.adapters import Adapter, AdapterConfig
from hysteron.generators.diffusion.elements import descriptors
from hysteron.generators.diffusion.generator_config import DiffusionGeneratorConfig
from hysteron.generators.diffusion.network import Network, NetworkConfig
from hysteron.generators.diffusion.settings import DataTable
from hysteron.generators.diffusion.weights import Trained as TrainedDiffusion
from hysteron.generators.diffusion.weights import TrainedAdapter
from hysteron.generators.tokens.generator import trained_model
from hysteron.generators.tokens.generator_config import TokenGeneratorConfig
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.generators.wyckoff.encode import encode
from pair_potential import PairPotential

TOY = Plan(
    count=4,
    per_group=1,
    conditioned=4,
    training=2,
    timed=8,
    repeats=2,
    diffused=4,
    diffused_per_group=1,
    predicted=3,
    curve=2,
    adapted=6,
    diffusion_timed=4,
)
SMALL = NetworkConfig(16, 1, 2, 8, descriptors().shape[1])
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

    code = diffusion_code = "toy"
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
    def diffusion_file(self):
        path = self.kept.folder / "diffusion.safetensors"
        TrainedDiffusion(network(), DataTable(), ((2, 2, 9), (3, 6, 1)), {"method": "untrained"}).save(path)
        return path

    def diffusion_config(self, **wishes):
        """Salt is neutral, and two atoms seldom lie on one another."""
        toy = {"natoms": (2, 2), "elements": ("Na", "Cl"), "oversampling": 1, "steps": 4}
        return DiffusionGeneratorConfig(**toy | {"model": self.diffusion_file} | wishes)

    def teach(self, name, grid=(0.0, 1.0, 9.0)):
        """Put an adapter beside the diffusion model that says something at random."""
        torch.manual_seed(1)
        adapter = Adapter(AdapterConfig(name, SMALL.width, SMALL.layers, 2))
        with torch.no_grad():
            for parameter in adapter.parameters():
                parameter += torch.randn(parameter.shape)
        path = self.diffusion_file.with_name(f"diffusion-{name}.safetensors")
        TrainedAdapter(adapter, self.diffusion.digest, () if name == "spacegroup" else grid).save(path)

    @cached_property
    def mean_cells(self):
        return MeanCells([encode(crystal("sodium_chloride")), encode(crystal("titania_rutile"))])

    @cached_property
    def reference(self):
        return Reference(
            [record(crystal("sodium_chloride"), "a", "train"), record(crystal("silicon"), "b", "test")]
        )


@cache
def crystal(name):
    return getattr(materials, name)()


def network():
    """One that has learnt nothing, but speaks."""
    torch.manual_seed(0)
    found = Network(SMALL, descriptors()).eval()
    with torch.no_grad():
        for layer in (found.motions, found.lattice, found.types):
            layer.weight += 0.05 * torch.randn(layer.weight.shape)
    return found


def record(structure, identifier, split, height=0.0):
    return CrystalRecord(
        identifier,
        structure.composition.reduced_formula,
        structure.lattice.matrix.tolist(),
        [site.specie.symbol for site in structure],
        structure.frac_coords.tolist(),
        {"split": split, "e_above_hull": height},
    )
