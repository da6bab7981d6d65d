"""What moves, under which pressure, and when a crystal is at rest."""

import numpy as np
import pytest
from hysteron.predictors.cell import Cell
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.relaxation.coordinates import GPA, FrechetCoordinates, Freedom, LocalCoordinates
from hysteron.predictors.relaxation.matrices import logarithm, mean_conjugate
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from materials import hafnia_polar, magnesium_oxide
from pair_potential import PairPotential, morse
from pymatgen.core import Lattice, Structure
from scipy.integrate import quad_vec
from scipy.linalg import expm, logm

METHODS = ["bfgs", "fire"]
SAME_ENERGY = 1e-4  # eV/atom: both stop at finite forces
NUMERICAL_SLOPE = 1e-6  # eV/A, central differences in double precision


def distorted(structure, seed=0):
    rng = np.random.default_rng(seed)
    moved = structure.copy()
    moved.lattice = Lattice(moved.lattice.matrix @ (np.eye(3) + rng.normal(scale=0.02, size=(3, 3))))
    for i in range(len(moved)):
        moved.translate_sites([i], rng.normal(scale=0.05, size=3), frac_coords=False)
    return moved


def relaxed(structure, potential=None, **settings):
    settings = RelaxerSettings(**{"workers": 1, "fmax": 0.005, **settings})
    (found,) = BatchedRelaxer(potential or PairPotential(), settings).relax([structure])
    assert found.failure is None
    return found


@pytest.mark.parametrize("cell", ["free", "fixed", "volume"])
@pytest.mark.parametrize("kind", ["local", "frechet"])
def test_the_gradient_is_the_slope_of_the_objective(cell, kind):
    """Along any allowed move, away from the first geometry."""
    first = Cell.from_structure(distorted(magnesium_oxide() * [2, 1, 1]))
    freedom = Freedom(cell, pressure_gpa=7)
    coordinates = (
        LocalCoordinates(first, freedom, 2.0) if kind == "local" else FrechetCoordinates(first, freedom)
    )
    rng = np.random.default_rng(3)
    here = coordinates.moved(first, coordinates.allowed(rng.normal(scale=0.05, size=21)))
    slope = coordinates.point(here, morse(here)).gradient
    move = coordinates.allowed(rng.normal(size=21))
    ends = [coordinates.moved(here, sign * 1e-5 * move) for sign in (1, -1)]
    high, low = (coordinates.point(end, morse(end)).objective for end in ends)
    assert (high - low) / 2e-5 == pytest.approx(slope @ move, abs=NUMERICAL_SLOPE * np.linalg.norm(move))


def test_series_of_3x3_matrices():
    rng = np.random.default_rng(0)
    for size in (1e-12, 0.02, 0.4):
        small = rng.normal(scale=size, size=(3, 3))
        assert logarithm(expm(small)) == pytest.approx(small, abs=1e-14)
        assert logarithm(np.eye(3) + small / 2) == pytest.approx(logm(np.eye(3) + small / 2), abs=1e-13)
        other = rng.normal(size=(3, 3))
        mean, _ = quad_vec(lambda s, a=small, m=other: expm(s * a) @ m @ expm(-s * a), 0, 1)
        assert mean_conjugate(small, other) == pytest.approx(mean, abs=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_a_fixed_cell_is_not_touched(method):
    start = distorted(magnesium_oxide())
    found = relaxed(start, method=method, cell="fixed")
    assert found.converged
    assert found.steps > 0
    assert (found.structure.lattice.matrix == start.lattice.matrix).all()


@pytest.mark.parametrize("method", METHODS)
def test_fixed_volume_changes_the_shape_alone(method):
    start = distorted(magnesium_oxide())
    found = relaxed(start, method=method, cell="volume")
    assert found.converged
    assert found.structure.volume == pytest.approx(start.volume, rel=1e-8)
    assert not np.allclose(found.structure.lattice.abc, start.lattice.abc, rtol=0.005)
    squeezed = relaxed(start, method=method, cell="volume", pressure_gpa=10)
    assert squeezed.energy_per_atom == pytest.approx(found.energy_per_atom, abs=SAME_ENERGY)


@pytest.mark.parametrize("method", METHODS)
def test_ten_gigapascal_compress_as_the_bulk_modulus_says(method):
    """MgO: K 160 GPa, K' 4 (Speziale et al., JGR 106, 515 (2001)): 0.946 of the volume; models are 15% off."""
    potential = CHGNetPotential()
    free, pressed = (relaxed(magnesium_oxide(), potential, method=method, pressure_gpa=p) for p in (0, 10))
    assert free.converged
    assert pressed.converged
    ratio = pressed.structure.volume / free.structure.volume
    assert ratio == pytest.approx((1 + 4 * 10 / 160) ** (-1 / 4), abs=0.015)
    assert pressed.energy_per_atom > free.energy_per_atom
    (there,) = potential.calculate([pressed.structure])
    assert pressed.energy_per_atom == pytest.approx(there.energy / 2, abs=1e-5)  # no pV in it
    assert there.stress == pytest.approx(-10 * GPA * np.eye(3), abs=0.005 * 2 / pressed.structure.volume)


@pytest.mark.parametrize("method", METHODS)
def test_a_supercell_relaxes_like_its_cell(method):
    single = magnesium_oxide()
    single.scale_lattice(single.volume * 1.1)
    double = single * [2, 1, 1]
    one, two = (relaxed(s, method=method, fmax=0.02) for s in (single, double))
    assert two.energy_per_atom == pytest.approx(one.energy_per_atom, abs=1e-3)
    assert two.steps <= 3 * one.steps


@pytest.mark.parametrize("method", METHODS)
def test_turning_the_crystal_leaves_its_energy(method):
    start = distorted(hafnia_polar())
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    turned = Structure(start.lattice.matrix @ turn, start.species, start.frac_coords)
    one, two = (relaxed(s, method=method, fmax=0.02) for s in (start, turned))
    assert one.converged
    assert two.energy_per_atom == pytest.approx(one.energy_per_atom, abs=1e-3)
    assert two.structure.volume == pytest.approx(one.structure.volume, rel=2e-3)
