"""A trained file as a potential: the contract, its heads, and what it refuses."""

import numpy as np
import pytest
from alloy_frames import FIDELITY, alloys, slabs, write_extxyz
from hysteron.core.energy_scales import RAW_OMAT24
from hysteron.core.errors import InputError, NotFoundError, StageError, StructureError
from hysteron.core.potential_check import check_potential
from hysteron.core.settings import validate
from hysteron.flows.progress import Silent
from hysteron.predictors import POTENTIALS
from hysteron.predictors.potentials.ase_calculator import PotentialCalculator
from hysteron.predictors.potentials.loading import load_potential
from hysteron.predictors.potentials.trained import TrainedPotential
from hysteron.predictors.trained_potential.fit import fit
from hysteron.predictors.trained_potential.model import Fidelity, TrainedModel
from hysteron.predictors.trained_potential.sets import gather
from hysteron.predictors.trained_potential.settings import PotentialConfig
from materials import silicon
from pymatgen.core import Lattice, Structure

NETWORK = {"cutoff_angstrom": 4.5, "width": 16, "layers": 2, "radial": 16, "vectors": 4}


def trained(folder, tables, **network):
    config = validate(
        PotentialConfig,
        {
            "name": "toy",
            "data": tables,
            "network": NETWORK | network,
            "training": {"epochs": 1, "batch": 8, "learning_rate": 0.01},
        },
        "toy.toml",
    )
    _, best = fit(config, gather(config, folder, Silent()), folder, Silent())
    best.save(folder / "toy.safetensors")
    return folder / "toy.safetensors"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """One head, briefly trained on alloys."""
    folder = tmp_path_factory.mktemp("one")
    file = write_extxyz(folder / "alloys.extxyz", alloys(24))
    table = {"path": str(file), "format": "extxyz", "fidelity": FIDELITY, "split": "frame"}
    return trained(folder, [table])


@pytest.fixture(scope="module")
def two_heads(tmp_path_factory):
    """A head of totals of OMat24's name, and one that needs tags."""
    folder = tmp_path_factory.mktemp("two")
    first = write_extxyz(folder / "alloys.extxyz", alloys(12))
    second = write_extxyz(folder / "slabs.extxyz", slabs(6))
    rest = {"format": "extxyz", "split": "frame", "validation_share": 0.2}
    return trained(
        folder,
        [
            {"path": str(first), "fidelity": "omat24"} | rest,
            {"path": str(second), "fidelity": "toy-adsorption"} | rest,
        ],
        tags=False,
    )


def copper(a=3.6, **more):
    return Structure(
        Lattice.cubic(a), ["Cu"] * 4, [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]], **more
    )


def gold_copper():
    return Structure(Lattice.cubic(2.8), ["Cu", "Au"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def test_it_keeps_the_promises_of_a_potential(path):
    potential = TrainedPotential(path)
    check_potential(potential, [copper(), gold_copper()], unknown=silicon())
    assert potential.name.startswith("toy ")
    assert potential.name.endswith(f"({FIDELITY})")
    assert potential.energy_scale == FIDELITY


def test_it_tells_what_its_training_measured(path):
    """The card's error on the validation frames is that of the potential through its front door."""
    model = TrainedModel.load(path)
    assert np.isfinite(model.card["validation"][FIDELITY]["energy_mae"])
    frame = alloys(1)[0]
    structure = Structure(frame.cell.array, list(frame.symbols), frame.positions, coords_are_cartesian=True)
    (found,) = TrainedPotential(path).calculate([structure])
    calculator = PotentialCalculator(TrainedPotential(path))
    frame.calc = calculator
    assert frame.get_potential_energy() == pytest.approx(found.energy, abs=1e-5)
    assert frame.get_forces() == pytest.approx(found.forces, abs=1e-4)


def test_it_is_named_by_path_or_by_name(path, tmp_path, monkeypatch):
    assert load_potential(f"trained:{path}", POTENTIALS).model_hash == TrainedPotential(path).model_hash
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "my-fine.safetensors").write_bytes(path.read_bytes())
    named = load_potential(f"trained-my-fine@{FIDELITY}", POTENTIALS)
    assert named.calculate([copper()])[0].energy == TrainedPotential(path).calculate([copper()])[0].energy
    with pytest.raises(NotFoundError, match="no trained potential at"):
        load_potential("trained-none", POTENTIALS)
    with pytest.raises(NotFoundError, match="'trained:PATH'"):
        load_potential("trained", POTENTIALS)


def test_energies_alone_are_the_same(path):
    potential = TrainedPotential(path)
    crystals = [copper(), gold_copper()]
    assert potential.energies(crystals) == pytest.approx(
        [c.energy for c in potential.calculate(crystals)], abs=1e-5
    )
    assert potential.energies([]).shape == (0,)


def test_one_of_several_heads_is_named(two_heads):
    with pytest.raises(InputError, match=r"heads omat24-pbe, toy-adsorption.*@omat24-pbe"):
        TrainedPotential(two_heads)
    with pytest.raises(NotFoundError, match="Did you mean 'omat24-pbe'"):
        TrainedPotential(two_heads, "omat24-pb")
    potential = load_potential(f"trained:{two_heads}@omat24-pbe", POTENTIALS)
    assert potential.energy_scale == RAW_OMAT24
    assert len(potential.calculate([copper()])) == 1
    with pytest.raises(InputError, match="not trained on O of"):
        potential.calculate([Structure(Lattice.cubic(4), ["Cu", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])])


def test_a_head_of_adsorption_energies_needs_tags(two_heads):
    potential = TrainedPotential(two_heads, "toy-adsorption")
    with pytest.raises(InputError, match="property 'tags'"):
        potential.calculate([copper()])
    with pytest.raises(InputError, match="property 'tags'"):
        potential.calculate([copper(site_properties={"tags": [0, 0, 0, 7]})])
    (bare,) = potential.calculate([copper(site_properties={"tags": [0, 0, 1, 1]})])
    assert np.isfinite(bare.energy)
    slab = slabs(1)[0]
    slab.calc = PotentialCalculator(potential)
    assert np.isfinite(slab.get_forces()).all(), "ASE's tags reach it"


def test_a_head_of_relaxed_energies_has_no_forces(path, tmp_path):
    model = TrainedModel.load(path)
    model.fidelities = (Fidelity(FIDELITY, False, False, (29,)),)
    model.save(tmp_path / "direct.safetensors")
    potential = TrainedPotential(tmp_path / "direct.safetensors")
    with pytest.raises(InputError, match="no forces; ask for 'energies'"):
        potential.calculate([copper()])
    assert np.isfinite(potential.energies([copper()])).all()


@pytest.mark.parametrize(
    ("structure", "error"),
    [
        (silicon(), InputError),
        (Structure(Lattice.cubic(3), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]]), StructureError),
        (Structure(Lattice.cubic(3), [], []), StructureError),
        (copper(1.5), StructureError),
    ],
)
def test_what_it_cannot_treat_is_refused_in_words(path, structure, error):
    potential = TrainedPotential(path)
    with pytest.raises(error):
        potential.check(structure)
    with pytest.raises(error):
        potential.calculate([copper(), structure])


def test_a_file_that_is_replaced_while_in_use_is_noticed(path, tmp_path):
    from hysteron.predictors.potentials import trained as module

    own = tmp_path / "own.safetensors"
    own.write_bytes(path.read_bytes())
    potential = TrainedPotential(own)
    other = TrainedModel.load(path)
    other.network.scales *= 2
    other.save(own)
    module._loaded.cache_clear()
    with pytest.raises(StageError, match="replaced"):
        potential.calculate([copper()])


def test_a_device_that_is_not_here(path):
    with pytest.raises(InputError, match="cannot work on 'cuda:7' here"):
        TrainedPotential(path, device="cuda:7")
