"""The network of the potential: what may not change it, its slopes, and what happens at the cutoff."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hysteron.predictors.cell import Cell
from hysteron.predictors.datasets.records import Frame
from hysteron.predictors.trained_potential import training
from hysteron.predictors.trained_potential.data import Recipe, pack_frames
from hysteron.predictors.trained_potential.network import PotentialNetwork, PotentialShape, envelope

CUTOFF = 4.0
DOUBLE = 1e-9  # sums in another order, double precision
SLOPE = 1e-5  # relative; central differences of 1e-4 A


def network(seed=0, **shape):
    """With drawn weights, in double precision; its head is loud, so that a fault shows."""
    torch.manual_seed(seed)
    shape = {
        "fidelities": ("a", "b"),
        "cutoff_angstrom": CUTOFF,
        "width": 16,
        "layers": 3,
        "vectors": 6,
    } | shape
    made = PotentialNetwork(PotentialShape(**shape)).double().eval()
    made.references.uniform_(-3, 3)
    made.scales.fill_(10.0)
    return made


def frame(numbers, positions, lattice=None, periodic=(True, True, True), **more):
    lattice = np.zeros((3, 3)) if lattice is None else lattice
    cell = Cell(np.array(numbers), np.array(positions, dtype=float), np.array(lattice, dtype=float))
    return Frame("x", cell, "a", np.array(periodic), energy=0.0, **more)


def crystal(seed=0, count=5):
    rng = np.random.default_rng(seed)
    lattice = np.diag([4.1, 3.7, 4.6]) + rng.uniform(-0.6, 0.6, (3, 3))
    return frame(rng.integers(1, 60, count), rng.random((count, 3)) @ lattice, lattice)


def evaluated(made, *frames, head=0):
    packed = pack_frames(frames, Recipe(CUTOFF), np.float64).with_fidelity(head)
    return made.evaluate(packed.batch(torch.arange(len(packed))))


def rotation(seed=1):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turn * np.sign(np.linalg.det(turn))


def test_energy_stays_and_forces_and_stress_turn_with_the_crystal():
    made, one = network(), crystal()
    turn = rotation()
    cell = one.cell
    turned = frame(cell.numbers, cell.positions @ turn.T, cell.lattice @ turn.T)
    shifted = frame(cell.numbers, cell.positions + np.array([0.3, -5.2, 8.1]), cell.lattice)
    before = evaluated(made, one)
    after, moved = evaluated(made, turned), evaluated(made, shifted)
    assert before.energies.allclose(after.energies, atol=DOUBLE)
    assert np.allclose(before.forces.numpy() @ turn.T, after.forces.numpy(), atol=DOUBLE)
    assert np.allclose(turn @ before.stresses[0].numpy() @ turn.T, after.stresses[0].numpy(), atol=DOUBLE)
    assert moved.energies.allclose(before.energies, atol=DOUBLE)
    assert moved.forces.allclose(before.forces, atol=DOUBLE)
    assert before.forces.abs().max() > 0.01


def test_the_order_of_atoms_and_the_choice_of_cell_do_not_matter():
    made, one = network(), crystal()
    cell = one.cell
    order = np.array([3, 0, 4, 1, 2])
    shuffled = evaluated(made, frame(cell.numbers[order], cell.positions[order], cell.lattice))
    before = evaluated(made, one)
    assert shuffled.energies.allclose(before.energies, atol=DOUBLE)
    assert shuffled.forces.allclose(before.forces[order], atol=DOUBLE)
    skew = np.array([[1, 0, 0], [2, 1, 0], [-1, 3, 1]]) @ cell.lattice
    assert evaluated(made, frame(cell.numbers, cell.positions, skew)).forces.allclose(
        before.forces, atol=DOUBLE
    )
    twice = frame(
        np.tile(cell.numbers, 2),
        np.vstack([cell.positions, cell.positions + cell.lattice[1]]),
        np.diag([1, 2, 1]) @ cell.lattice,
    )
    doubled = evaluated(made, twice)
    assert doubled.energies.allclose(2 * before.energies, atol=DOUBLE)
    assert doubled.stresses.allclose(before.stresses, atol=DOUBLE)


def test_alone_or_in_a_batch_the_same():
    made = network()
    frames = [crystal(seed, count) for seed, count in ((0, 5), (1, 2), (2, 9))]
    together = evaluated(made, *frames)
    alone = [evaluated(made, one) for one in frames]
    assert together.energies.allclose(torch.cat([o.energies for o in alone]), atol=DOUBLE)
    assert together.forces.allclose(torch.cat([o.forces for o in alone]), atol=DOUBLE)
    assert together.stresses.allclose(torch.cat([o.stresses for o in alone]), atol=DOUBLE)


def test_forces_and_stress_are_slopes_of_the_energy():
    made, one = network(), crystal()
    found = evaluated(made, one)
    cell, step = one.cell, 1e-4
    rng = np.random.default_rng(3)
    direction = rng.normal(size=cell.positions.shape)

    def energy(positions, lattice):
        return float(evaluated(made, frame(cell.numbers, positions, lattice)).energies)

    ends = [energy(cell.positions + h * direction, cell.lattice) for h in (step, -step)]
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(
        -float((found.forces.numpy() * direction).sum()), rel=SLOPE
    )
    strain = rng.normal(size=(3, 3))
    strain = strain + strain.T
    maps = [np.eye(3) + h * strain for h in (step, -step)]
    ends = [energy(cell.positions @ m, cell.lattice @ m) for m in maps]
    assert (ends[0] - ends[1]) / (2 * step * cell.volume) == pytest.approx(
        float((found.stresses[0].numpy() * strain).sum()), rel=SLOPE
    )


def test_a_neighbour_comes_and_goes_without_a_jump():
    """An atom leaves the reach of two others; energy and force are followed through both cutoffs."""
    made = network()

    def along(places):
        ends = [[[0, 0, 0], [0.9, 1.1, 0], [x, 0, 0]] for x in places]
        found = evaluated(made, *(frame([8, 22, 56], p, periodic=[False] * 3) for p in ends))
        return found.energies.numpy(), found.forces.numpy()[2::3, 0]

    for x in (CUTOFF, 0.9 + np.sqrt(CUTOFF**2 - 1.1**2)):
        (below, above), (pull, pull_above) = along([x - 1e-6, x + 1e-6])
        assert above == pytest.approx(below - pull * 2e-6, abs=1e-9)
        assert abs(pull_above - pull) < 2e-6 * 1.0, "1 eV/A^2; the force would jump"
    path = np.linspace(3.0, 5.2, 401)
    energies, forces = along(path)
    assert energies[-1] - energies[0] == pytest.approx(-np.trapezoid(forces, path), abs=1e-4)
    assert np.ptp(energies) > 0.01
    assert forces[-1] == 0.0


def test_the_envelope_ends_with_vanishing_derivatives():
    x = torch.tensor([0.0, 1.0, 1.2], dtype=torch.float64, requires_grad=True)
    value = envelope(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    (bend,) = torch.autograd.grad(slope.sum(), x)
    assert value.tolist() == [1.0, 0.0, 0.0]
    assert slope.abs().max() == 0
    assert bend.abs().max() < 1e-12


def test_an_atom_without_neighbours_has_an_energy_and_no_force():
    found = evaluated(network(), frame([8], [[0, 0, 0]], periodic=[False] * 3))
    assert torch.isfinite(found.energies).all()
    assert not found.forces.any()
    assert not found.stresses.any()


def test_each_fidelity_has_a_head_and_energies_of_elements_of_its_own():
    made, one = network(), crystal()
    first, second = (evaluated(made, one, head=k) for k in (0, 1))
    assert not first.forces.allclose(second.forces)
    made.references[1] += 1.0
    assert evaluated(made, one, head=1).energies.allclose(second.energies + 5.0)


def test_a_head_of_adsorption_energies_counts_the_adsorbate_alone():
    made = network(tags=True)
    made.adsorption[0] = True
    tags = np.array([0, 0, 1, 1, 2])
    one = crystal()
    tagged = frame(one.cell.numbers, one.cell.positions, one.cell.lattice, tags=tags)
    before = evaluated(made, tagged)
    made.references[0] += 1.0
    assert evaluated(made, tagged).energies.allclose(before.energies + 1.0)
    assert not evaluated(made, one).forces.allclose(before.forces), "tags tell atoms apart"


def test_second_derivatives_exist():
    made = network().train()
    packed = pack_frames([crystal()], Recipe(CUTOFF), np.float64)
    found = made.evaluate(packed.batch(torch.arange(1)), training=True)
    (found.forces.square().sum() + found.stresses.square().sum()).backward()
    slopes = [p.grad for p in made.trunk.parameters() if p.grad is not None]
    assert len(slopes) > 20
    assert all(torch.isfinite(s).all() for s in slopes)


def third_party(path, seen):
    """Packages that importing a file of this project imports at once, its own files followed."""
    if path in seen or not path.is_file():
        return set()
    seen.add(path)
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1].joinpath(*str(node.module or "").split("."))
            found |= third_party(base.with_suffix(".py"), seen) | third_party(base / "__init__.py", seen)
    return found - sys.stdlib_module_names


@pytest.mark.parametrize("name", ["training", "model", "packed_frames", "../gnn/curves"])
def test_training_needs_torch_and_numpy_alone(name):
    """So that a machine with a GPU and nothing else can do it."""
    here = (Path(training.__file__).parent / f"{name}.py").resolve()
    seen = set()
    assert third_party(here, seen) <= {"torch", "torch_geometric", "numpy", "safetensors"}
    assert any(path.parent.name == "gnn" for path in seen)
