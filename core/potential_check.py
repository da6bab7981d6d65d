"""Does a potential keep the promises of its contract?

For tests here and in outside packages: `check_potential` runs a potential on real crystals, moved off
their symmetric positions, and raises `ContractError` with one sentence if a promise is broken.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .contracts import Calculation, Potential
from .errors import ContractError, InputError

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_ENERGY = 2e-5
"""eV/atom; single precision over another order of summation, some 1e-7 of some 10 eV/atom, tenfold."""
SAME_FORCE = 1e-3
"""eV/A; single precision leaves some 1e-5, networks on short bonds some 1e-4."""
SAME_STRESS = 2e-5
"""eV/A^3, that is 0.003 GPa; as forces, over the volume of an atom."""
SAME_MAGMOM = 1e-3
"""mu_B."""
SLOPE = 0.01
"""Relative; a slope taken from energies against forces or stress. Direct models miss by several percent."""
ENERGY_NOISE = 2e-7
"""Relative; of one energy in single precision (2^-24 is 6e-8, and a sum of many terms)."""
STEP = 0.0025
"""A, of each atom on average, for numerical forces. Networks are rough: 0.01 A is too far for CHGNet."""
STRAIN = 0.001
"""For numerical stress; moves neighbours as far as `STEP` moves atoms."""
RATTLE = 0.08
"""A; how far atoms are moved off their positions, so that no force vanishes by symmetry."""
SWELL = 1.02
"""Linear; so that no stress vanishes because the cell is relaxed."""
DIRECTIONS = 3
"""Directions along which slopes are taken."""


def check_potential(
    potential: Potential,
    structures: Sequence[Structure],
    unknown: Structure | None = None,
    conservative: bool = True,
    seed: int = 0,
) -> list[Calculation]:
    """Energies stay and forces and stress turn with the crystal, alone or in any company; slopes agree.

    Args:
        potential: The component.
        structures: At least two, of different size, one of them with two elements. They are moved off
            their positions before use.
        unknown: A crystal that it should refuse, if there is one.
        conservative: False for a model whose forces are known not to be derivatives of its energy.
        seed: Of the displacements, rotations and directions.

    Returns:
        The calculations of the displaced crystals, in order.

    Raises:
        ContractError: a promise is broken; the sentence says which, on which crystal and by how much.
    """
    rng = np.random.default_rng(seed)
    _check_names(potential)
    crystals = [_displaced(s, rng) for s in structures]
    found = _check_shapes(potential, crystals)
    _check_company(potential, crystals, found)
    for crystal, calculation in zip(crystals, found, strict=True):
        _check_symmetries(potential, crystal, calculation, rng)
        if conservative:
            _check_slopes(potential, crystal, calculation, rng)
    _check_travels(potential, crystals[0], found[0])
    if unknown is not None:
        _check_refuses(potential, crystals[0], unknown)
    return found


def _check_names(potential: Potential) -> None:
    for attribute in ("name", "energy_scale", "model_hash"):
        value = getattr(potential, attribute, None)
        told = isinstance(value, str) and bool(value.strip())
        _require(told, f"A potential of class {type(potential).__name__} has no {attribute}: {value!r}.")
        again = getattr(potential, attribute)
        _require(
            again == value, f"{attribute} of {type(potential).__name__} changes: {value!r}, then {again!r}."
        )


def _check_shapes(potential: Potential, crystals: list[Structure]) -> list[Calculation]:
    """One finite result of the right shape per crystal, and the crystals as they were."""
    before = [c.as_dict() for c in crystals]
    found = potential.calculate(crystals)
    name = potential.name
    _require([c.as_dict() for c in crystals] == before, f"{name} changed the structures it was given.")
    _require(len(found) == len(crystals), f"{name} gave {len(found)} results for {len(crystals)} structures.")
    _require(potential.calculate([]) == [], f"{name} made something of an empty list.")
    for crystal, result in zip(crystals, found, strict=True):
        who = f"{name} on {crystal.composition.reduced_formula}"
        shapes = (np.shape(result.forces), np.shape(result.stress))
        wanted = ((len(crystal), 3), (3, 3))
        _require(shapes == wanted, f"{who}: forces and stress have shapes {shapes}, not {wanted}.")
        values = np.concatenate([[result.energy], np.ravel(result.forces), np.ravel(result.stress)])
        _require(bool(np.isfinite(values).all()), f"{who}: energy, forces or stress are not finite.")
        skew = float(np.abs(result.stress - result.stress.T).max())
        _require(skew <= SAME_STRESS, f"{who}: the stress is not symmetric, by {skew:.2g} eV/A^3.")
        if result.magmoms is not None:
            shape = np.shape(result.magmoms)
            _require(shape == (len(crystal),), f"{who}: magmoms have shape {shape}, not ({len(crystal)},).")
    return found


def _check_company(potential: Potential, crystals: list[Structure], found: list[Calculation]) -> None:
    """Alone, or in another order, the same values."""
    backwards = potential.calculate(crystals[::-1])[::-1]
    for crystal, together, reversed_one in zip(crystals, found, backwards, strict=True):
        who = f"{potential.name} on {crystal.composition.reduced_formula}"
        (alone,) = potential.calculate([crystal])
        _require_same(together, alone, len(crystal), f"{who} gives other values alone than in a batch")
        _require_same(
            together, reversed_one, len(crystal), f"{who} gives other values in a batch of another order"
        )


def _check_symmetries(
    potential: Potential, crystal: Structure, found: Calculation, rng: np.random.Generator
) -> None:
    """Rotated, shifted, reordered and repeated crystals."""
    name = f"{potential.name} on {crystal.composition.reduced_formula}"
    for words, changed, expected in _alike(crystal, found, rng):
        (result,) = potential.calculate([changed])
        _require_same(expected, result, len(changed), f"{name} {words}")


def _alike(
    crystal: Structure, found: Calculation, rng: np.random.Generator
) -> Iterator[tuple[str, Structure, Calculation]]:
    """(what was broken if it differs, the same crystal written otherwise, what it must give)."""
    lattice, positions = np.array(crystal.lattice.matrix), np.array(crystal.cart_coords)
    species, forces, magmoms = list(crystal.species), found.forces, found.magmoms

    turn = _rotation(rng)
    yield (
        "does not turn with the crystal",
        _crystal(lattice @ turn.T, species, positions @ turn.T),
        Calculation(found.energy, forces @ turn.T, turn @ found.stress @ turn.T, magmoms),
    )
    shift = rng.uniform(-1, 1, 3) @ lattice
    yield "depends on the origin", _crystal(lattice, species, positions + shift), found

    order = _another_order(len(species), rng)
    yield (
        "depends on the order of sites",
        _crystal(lattice, [species[i] for i in order], positions[order]),
        Calculation(found.energy, forces[order], found.stress, None if magmoms is None else magmoms[order]),
    )
    longer = np.diag([2, 1, 1]) @ lattice
    yield (
        "gives another energy per atom or other forces in a supercell",
        _crystal(longer, species * 2, np.vstack([positions, positions + lattice[0]])),
        Calculation(
            2 * found.energy,
            np.vstack([forces, forces]),
            found.stress,
            None if magmoms is None else np.concatenate([magmoms, magmoms]),
        ),
    )


def _check_slopes(
    potential: Potential, crystal: Structure, found: Calculation, rng: np.random.Generator
) -> None:
    """Forces and stress against differences of energies."""
    name = f"{potential.name} on {crystal.composition.reduced_formula}"
    lattice, positions = np.array(crystal.lattice.matrix), np.array(crystal.cart_coords)
    species, volume = list(crystal.species), crystal.volume

    for direction in _moves(found.forces, rng):
        slope, noise = _slope(
            potential, lambda h, d=direction: _crystal(lattice, species, positions + h * d), STEP, found
        )
        given = -float(np.sum(found.forces * direction))
        allowed = SLOPE * float(np.linalg.norm(found.forces) * np.linalg.norm(direction)) + noise
        _require(
            abs(slope - given) <= allowed,
            f"{name}: the forces are not the slope of the energy; along one direction it is {slope:.4g} eV/A, "
            f"by the forces {given:.4g} (allowed: {allowed:.2g}).",
        )
    for strain in _strains(rng):
        slope, noise = _slope(
            potential,
            lambda h, e=strain: _crystal(
                lattice @ (np.eye(3) + h * e), species, positions @ (np.eye(3) + h * e)
            ),
            STRAIN,
            found,
        )
        given = volume * float(np.sum(found.stress * strain))
        allowed = SLOPE * volume * float(np.linalg.norm(found.stress) * np.linalg.norm(strain)) + noise
        _require(
            abs(slope - given) <= allowed,
            f"{name}: the stress is not the slope of the energy over strain and volume; along one strain it is "
            f"{slope / volume:.4g} eV/A^3, by the stress {given / volume:.4g} (allowed: {allowed / volume:.2g}).",
        )


def _slope(
    potential: Potential, at: Callable[[float], Structure], step: float, found: Calculation
) -> tuple[float, float]:
    """(dE/dh from four energies, exact to the fourth power of the step; what rounding may do to it)."""
    steps = (step, -step, 2 * step, -2 * step)
    near, back, far, far_back = (c.energy for c in potential.calculate([at(h) for h in steps]))
    return (8 * (near - back) - (far - far_back)) / (12 * step), 2 * ENERGY_NOISE * abs(found.energy) / step


def _moves(forces: np.ndarray, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Directions of all atoms together, 1 A an atom in the mean: along the forces, then at random."""
    along = [forces] if np.linalg.norm(forces) > SAME_FORCE else []
    for direction in [*along, *rng.normal(size=(DIRECTIONS - len(along), *forces.shape))]:
        yield direction * np.sqrt(len(forces)) / np.linalg.norm(direction)


def _strains(rng: np.random.Generator) -> Iterator[np.ndarray]:
    """A swelling, then symmetric strains at random."""
    yield np.eye(3)
    for strain in rng.normal(size=(DIRECTIONS - 1, 3, 3)):
        symmetric = strain + strain.T
        yield symmetric / np.linalg.norm(symmetric)


def _check_travels(potential: Potential, crystal: Structure, found: Calculation) -> None:
    """A worker process gets it by pickle."""
    try:
        twin = pickle.loads(pickle.dumps(potential))  # noqa: S301 - what was pickled on the spot
    except Exception as error:
        raise ContractError(
            f"{potential.name} cannot travel to a worker process: {type(error).__name__}: {error}"
        ) from error
    told = [(p.name, p.energy_scale, p.model_hash) for p in (potential, twin)]
    _require(told[0] == told[1], f"{potential.name} is another potential in a worker process: {told[1]}.")
    (result,) = twin.calculate([crystal])
    _require_same(found, result, len(crystal), f"{potential.name} gives other values in a worker process")


def _check_refuses(potential: Potential, crystal: Structure, unknown: Structure) -> None:
    formula = unknown.composition.reduced_formula
    try:
        potential.calculate([crystal, unknown])
    except InputError:
        return
    except Exception as error:
        raise ContractError(
            f"{potential.name} meets {formula} with {type(error).__name__} instead of an InputError."
        ) from error
    raise ContractError(f"{potential.name} does not refuse {formula}, which it should not know.")


def _require_same(one: Calculation, other: Calculation, nsites: int, words: str) -> None:
    """Two results are the same within single precision."""
    magmoms = [np.zeros(nsites) if c.magmoms is None else c.magmoms for c in (one, other)]
    differences = (
        ("energy", abs(one.energy - other.energy) / nsites, SAME_ENERGY, "eV/atom"),
        ("forces", float(np.abs(one.forces - other.forces).max()), SAME_FORCE, "eV/A"),
        ("stress", float(np.abs(one.stress - other.stress).max()), SAME_STRESS, "eV/A^3"),
        ("magmoms", float(np.abs(magmoms[0] - magmoms[1]).max()), SAME_MAGMOM, "mu_B"),
    )
    for what, difference, allowed, unit in differences:
        _require(
            difference <= allowed,
            f"{words}: {what} differ by {difference:.2g} {unit} (allowed: {allowed:g}).",
        )


def _displaced(structure: Structure, rng: np.random.Generator) -> Structure:
    """The crystal a little larger, each atom moved by the same distance."""
    moves = rng.normal(size=(len(structure), 3))
    moves *= RATTLE / np.linalg.norm(moves, axis=1)[:, None]
    lattice = np.array(structure.lattice.matrix) * SWELL
    return _crystal(lattice, list(structure.species), np.array(structure.cart_coords) * SWELL + moves)


def _crystal(lattice: np.ndarray, species: list, positions: np.ndarray) -> Structure:
    from pymatgen.core import Lattice, Structure

    return Structure(Lattice(lattice), species, positions, coords_are_cartesian=True)


def _rotation(rng: np.random.Generator) -> np.ndarray:
    """A proper rotation."""
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return turn * np.sign(np.linalg.det(turn))


def _another_order(count: int, rng: np.random.Generator) -> np.ndarray:
    """A permutation that moves something, unless there is one site."""
    order = rng.permutation(count)
    return order if count == 1 or (order != np.arange(count)).any() else order[::-1]


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ContractError(sentence)
