"""The property network does not care how a crystal is written down, nor who is in the batch with it."""

import materials
import numpy as np
import pytest
import torch
from hysteron.predictors.cell import Cell
from hysteron.predictors.gnn.network import NetworkConfig, PropertyNetwork, count_parameters
from hysteron.predictors.gnn.packed import Packed
from property_toys import packed
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

SINGLE_PRECISION_OUTPUT = 2e-6
"""Of outputs near 1: float32 distances and sums in another order, through three rounds of messages."""
CONFIG = NetworkConfig((("gap", 1), ("heat", 3)), width=24, layers=3, members=4, head_width=16)


@pytest.fixture(scope="module")
def network() -> PropertyNetwork:
    """With first weights that make much of distances, as trained ones do."""
    torch.manual_seed(3)
    found = PropertyNetwork(CONFIG).eval()
    with torch.no_grad():
        found.trunk.edges.weight.mul_(20)
    return found


@torch.no_grad()
def outputs(network: PropertyNetwork, crystals: Packed, *indices: int) -> dict[str, torch.Tensor]:
    chosen = torch.tensor(indices) if indices else torch.arange(len(crystals))
    return network(crystals.batch(chosen))


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    for name, tensor in one.items():
        assert torch.allclose(tensor, other[name], atol=SINGLE_PRECISION_OUTPUT, rtol=0), name


def test_shapes(network):
    found = outputs(network, packed(materials.silicon(), materials.zinc_oxide()))
    assert found["gap"].shape == (4, 2, 1)
    assert found["heat"].shape == (4, 2, 3)
    assert network.trunk(packed(materials.silicon()).batch(torch.arange(1))).shape == (1, 48)


def test_crystals_differ(network):
    found = outputs(network, packed(materials.strontium_titanate(), materials.barium_titanate_cubic()))
    assert (found["heat"][:, 0] - found["heat"][:, 1]).abs().max() > 100 * SINGLE_PRECISION_OUTPUT


def test_geometry_matters(network):
    squeezed = materials.strontium_titanate()
    squeezed.apply_strain(-0.03)
    found = outputs(network, packed(materials.strontium_titanate(), squeezed))
    assert (found["heat"][:, 0] - found["heat"][:, 1]).abs().max() > 100 * SINGLE_PRECISION_OUTPUT


@pytest.mark.parametrize("seed", range(4))
def test_order_rotation_and_origin_change_nothing(network, seed):
    rng = np.random.default_rng(seed)
    crystal = materials.lithium_niobate()
    order = rng.permutation(len(crystal))
    turn = Rotation.random(random_state=seed).as_matrix()
    moved = Cell(
        numbers=np.array([crystal[int(i)].specie.Z for i in order]),
        positions=(crystal.cart_coords[order] + rng.uniform(-5, 5, 3)) @ turn.T,
        lattice=crystal.lattice.matrix @ turn.T,
    )
    assert_same(outputs(network, packed(crystal)), outputs(network, packed(moved)))


@pytest.mark.parametrize("scaling", [[2, 1, 1], [[1, 1, 0], [0, 1, 0], [1, 0, 2]]])
def test_outputs_are_intensive(network, scaling):
    crystal = materials.barium_titanate_tetragonal()
    assert_same(outputs(network, packed(crystal)), outputs(network, packed(crystal * scaling)))


def test_a_skewed_cell_changes_nothing(network):
    assert_same(
        outputs(network, packed(materials.silicon())), outputs(network, packed(materials.skewed_silicon()))
    )


def test_alone_or_batched_the_same(network):
    gas = Structure(Lattice.cubic(100.0), ["Ar"], [[0, 0, 0]])
    crystals = packed(materials.silicon(), gas, materials.hafnia_polar(), materials.iron_one_atom())
    together = outputs(network, crystals)
    backwards = outputs(network, crystals, 3, 2, 1, 0)
    for i in range(4):
        alone = outputs(network, crystals, i)
        assert_same(alone, {name: found[:, [i]] for name, found in together.items()})
        assert_same(alone, {name: found[:, [3 - i]] for name, found in backwards.items()})


def test_members_are_independent(network):
    batch = packed(materials.silicon(), materials.zinc_oxide()).batch(torch.arange(2))
    found = network(batch)["heat"]
    assert (found[0] - found[1]).abs().max() > 100 * SINGLE_PRECISION_OUTPUT
    head = network.heads["heat"]
    gradients = torch.autograd.grad(found[2].sum(), [head.first.weight, head.second.weight])
    for gradient in gradients:
        untouched = [i for i in range(4) if not gradient[i].any()]
        assert untouched == [0, 1, 3]


def test_heads_are_independent_and_share_the_trunk(network):
    batch = packed(materials.silicon()).batch(torch.arange(1))
    gap = network(batch)["gap"].sum()
    gradients = torch.autograd.grad(gap, list(network.parameters()), allow_unused=True)
    used = {name for (name, _), g in zip(network.named_parameters(), gradients, strict=True) if g is not None}
    assert not any(name.startswith("heads.heat") for name in used)
    assert any(name.startswith("heads.gap") for name in used)
    assert any(name.startswith("trunk.convolutions.0") for name in used)


def test_every_weight_has_a_part(network):
    batch = packed(materials.strontium_titanate()).batch(torch.arange(1))
    loss = sum(found.square().sum() for found in network(batch).values())
    network.zero_grad()
    loss.backward()
    idle = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    network.zero_grad()
    assert not [name for name in idle if name.endswith("weight")]


def test_chgnets_features_count_only_where_they_are_asked_for(network):
    torch.manual_seed(3)
    without = PropertyNetwork(
        NetworkConfig(CONFIG.outputs, width=24, chgnet_features=False, members=2)
    ).eval()
    crystals = packed(materials.strontium_titanate())
    other = packed(materials.strontium_titanate())
    other.features = other.features + 1
    assert torch.equal(outputs(without, crystals)["heat"], outputs(without, other)["heat"])
    assert not any("trunk.features" in name for name, _ in without.named_parameters())
    difference = outputs(network, crystals)["heat"] - outputs(network, other)["heat"]
    assert difference.abs().max() > 100 * SINGLE_PRECISION_OUTPUT


def test_the_shape_survives_json():
    import json

    assert NetworkConfig.from_dict(json.loads(json.dumps(CONFIG.as_dict()))) == CONFIG


def test_parameters_are_counted(network):
    assert count_parameters([network]) == sum(p.numel() for p in network.parameters())
    assert count_parameters([network.trunk, network.heads]) == count_parameters([network])
