"""The check of potentials lets honest ones through and catches each broken promise."""

import dataclasses
from itertools import count

import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.core.errors import ContractError, InputError
from hysteron.core.potential_check import check_potential
from hysteron.predictors.chgnet.potential import CHGNetPotential
from materials import iron_one_atom, magnesium_oxide, silicon, titania_rutile
from pymatgen.core import Lattice, Structure

CUTOFF = 5.0  # A
CRYSTALS = [titania_rutile(), magnesium_oxide(), silicon()]
CURIUM = Structure(Lattice.cubic(5.0), ["Cm", "O"], [[0] * 3, [0.5] * 3])


class Pairs:
    """A pair potential by hand: E = 1/2 sum Zi Zj w(r), w = (1 - (r/rc)^2)^3 / 1000; moments grow with Z."""

    name, energy_scale, model_hash = "Pairs 1", "toy", "1"

    def calculate(self, structures):
        for structure in structures:
            if any(s.specie.Z > 94 for s in structure):
                raise InputError("Pairs 1 knows hydrogen to plutonium.")
        return [self.one(s) for s in structures]

    def one(self, structure):
        numbers = np.array([s.specie.Z for s in structure], float)
        i, j, images, r = structure.get_neighbor_list(CUTOFF)
        vectors = structure.cart_coords[j] + images @ structure.lattice.matrix - structure.cart_coords[i]
        strength = numbers[i] * numbers[j] / 1000
        bump = 1 - (r / CUTOFF) ** 2
        slopes = strength * 3 * bump**2 * (-2 * r / CUTOFF**2)
        forces = np.zeros((len(structure), 3))
        np.add.at(forces, i, slopes[:, None] * vectors / r[:, None])
        virial = np.einsum("b,bi,bj->ij", slopes / r, vectors, vectors) / 2
        energy = float((strength * bump**3).sum() / 2)
        return Calculation(energy, forces, virial / structure.volume, numbers / 10)


def broken(how):
    """A pair potential whose results `how(structure, result, index, length)` spoils."""

    class Broken(Pairs):
        def calculate(self, structures):
            right = super().calculate(structures)
            return [how(s, r, i, len(right)) for i, (s, r) in enumerate(zip(structures, right, strict=True))]

    Broken.__qualname__ = "Broken"
    return Broken()


def energy(add):
    return lambda s, r, i, n: dataclasses.replace(r, energy=r.energy + add(s, i, n))


def changes(structure, result, i, n):
    structure[0] = "Xe"
    return result


SPOILED = {
    "energy turns": (energy(lambda s, i, n: 0.01 * s.lattice.matrix[0, 0]), "does not turn.*energy"),
    "forces do not turn": (
        lambda s, r, i, n: dataclasses.replace(r, forces=r.forces + np.array([0.01, 0, 0])),
        "does not turn.*forces",
    ),
    "stress does not turn": (
        lambda s, r, i, n: dataclasses.replace(r, stress=r.stress + np.diag([0.001, 0, 0])),
        "does not turn.*stress",
    ),
    "origin": (energy(lambda s, i, n: 0.01 * np.linalg.norm(s.frac_coords[0])), "depends on the origin"),
    "order of sites": (
        energy(lambda s, i, n: 0.01 * s[0].specie.Z),
        "depends on the order of sites",
    ),
    "magmoms do not permute": (
        lambda s, r, i, n: dataclasses.replace(r, magmoms=np.sort(r.magmoms)),
        "depends on the order of sites: magmoms",
    ),
    "supercell": (energy(lambda s, i, n: 0.1), "supercell: energy"),
    "batch": (energy(lambda s, i, n: 0.001 * n), "alone than in a batch"),
    "order of the batch": (energy(lambda s, i, n: 0.001 * i * (n > 1) if i < 2 else 0), "batch"),
    "forces": (lambda s, r, i, n: dataclasses.replace(r, forces=1.03 * r.forces), "forces are not the slope"),
    "sign of forces": (
        lambda s, r, i, n: dataclasses.replace(r, forces=-r.forces),
        "forces are not the slope",
    ),
    "stress": (lambda s, r, i, n: dataclasses.replace(r, stress=1.03 * r.stress), "stress is not the slope"),
    "sign of stress": (
        lambda s, r, i, n: dataclasses.replace(r, stress=-r.stress),
        "stress is not the slope",
    ),
    "stress in GPa": (
        lambda s, r, i, n: dataclasses.replace(r, stress=160.2 * r.stress),
        "stress is not the slope",
    ),
    "input": (changes, "changed the structures"),
    "shape": (lambda s, r, i, n: dataclasses.replace(r, forces=r.forces.T), "have shapes"),
    "voigt": (lambda s, r, i, n: dataclasses.replace(r, stress=np.zeros(6)), "have shapes"),
    "nan": (lambda s, r, i, n: dataclasses.replace(r, energy=float("nan")), "not finite"),
    "skew": (
        lambda s, r, i, n: dataclasses.replace(r, stress=r.stress + np.eye(3, k=1)),
        "not symmetric",
    ),
    "magmoms": (lambda s, r, i, n: dataclasses.replace(r, magmoms=np.zeros(1)), "magmoms have shape"),
}


def test_an_honest_potential_passes():
    found = check_potential(Pairs(), CRYSTALS, unknown=CURIUM)
    assert [len(c.forces) for c in found] == [6, 2, 2]
    assert max(np.abs(c.forces).max() for c in found) > 0.01


def test_chgnet_keeps_its_promises():
    check_potential(CHGNetPotential(), [*CRYSTALS, iron_one_atom()], unknown=CURIUM)


@pytest.mark.parametrize("how", SPOILED)
def test_a_broken_promise_is_caught(how):
    spoil, said = SPOILED[how]
    with pytest.raises(ContractError, match=said):
        check_potential(broken(spoil), CRYSTALS)


def test_a_direct_model_may_be_checked_for_all_the_rest():
    spoil, _ = SPOILED["forces"]
    with pytest.raises(ContractError, match="worker process"):  # the toy class is local: it passed the rest
        check_potential(broken(spoil), CRYSTALS, conservative=False)


@pytest.mark.parametrize("attribute", ["name", "energy_scale", "model_hash"])
def test_a_nameless_potential_is_caught(attribute):
    nameless = Pairs()
    setattr(nameless, attribute, " ")
    with pytest.raises(ContractError, match=f"has no {attribute}"):
        check_potential(nameless, CRYSTALS)


class Restless(Pairs):
    ticks = count()

    @property
    def model_hash(self):
        return str(next(self.ticks))


class Sedentary(Pairs):
    def __init__(self):
        self.memory = lambda: None


class Forgetful(Pairs):
    """Its weights stay behind when it travels."""

    def __init__(self):
        self.energy = 0.0

    def one(self, structure):
        right = super().one(structure)
        return dataclasses.replace(
            right, energy=right.energy + self.__dict__.get("energy", 1.0) * len(structure)
        )

    def __getstate__(self):
        return {}

    def __setstate__(self, state):
        pass


class Renamed(Pairs):
    def __setstate__(self, state):
        self.model_hash = "2"

    def __getstate__(self):
        return {"any": 1}


class Tolerant(Pairs):
    def calculate(self, structures):
        return [self.one(s) for s in structures]


class Brusque(Pairs):
    def calculate(self, structures):
        if any(s.specie.Z > 94 for structure in structures for s in structure):
            raise KeyError("Cm")
        return [self.one(s) for s in structures]


class Greedy(Pairs):
    def calculate(self, structures):
        return [*super().calculate(structures), *super().calculate(structures[:1])]


class Inventive(Pairs):
    def calculate(self, structures):
        return super().calculate(structures or [silicon()])


@pytest.mark.parametrize(
    ("potential", "said"),
    [
        (Restless(), "model_hash of Restless changes"),
        (Sedentary(), "cannot travel"),
        (Forgetful(), "other values in a worker"),
        (Renamed(), "another potential in a worker"),
        (Tolerant(), "does not refuse CmO"),
        (Brusque(), "KeyError instead of an InputError"),
        (Greedy(), "gave 4 results for 3"),
        (Inventive(), "empty list"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_bad_companion_is_caught(potential, said):
    with pytest.raises(ContractError, match=said):
        check_potential(potential, CRYSTALS, unknown=CURIUM)
