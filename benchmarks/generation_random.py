"""What does a writer reach that knows nothing? The baseline of the generation benchmark.

A walk over the same grammar as the model's, each word drawn evenly among those allowed; free coordinates drawn evenly; a cell
of random shape whose volume is that of spheres of the atoms' covalent radii, times one factor. So it has the model's formal
knowledge (neutral formulas, positions of the space group) and no other.

Source of the radii: Cordero et al., Dalton Trans. 2832 (2008), doi:10.1039/b801115j, as tabulated in ASE.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import HysteronError
from ..generators.soundness import examined
from ..generators.tokens.sampling import Written
from ..generators.tokens.tokens import COORDINATE, LOG_LENGTH, TokenSequence, from_tokens, slots, to_tokens
from ..generators.tokens.writing import Sound
from ..generators.wyckoff.crystal import Orbit, WyckoffCrystal
from ..generators.wyckoff.lattice import LENGTHS, free_parameters, lattice_matrix
from ..generators.wyckoff.positions import space_group

if TYPE_CHECKING:
    from ..generators.tokens.grammar import Grammar

VOLUME_OVER_SPHERES = 1.76
"""Median over 1,564 neutral training crystals of at most 20 atoms; the middle half lies between 1.38 and 2.6."""
LONGEST_OVER_SHORTEST = 3.0
ANGLES_DEGREE = (60.0, 120.0)


class RandomWriter:
    """Writes crystals at random, and counts what it writes.

    Attributes:
        written: How many, before anything was redrawn.
        refused: How many were redrawn, by reason.
    """

    def __init__(self) -> None:
        self.written = 0
        self.refused: Counter[str] = Counter()

    def sound(self, grammar: Grammar, rng: np.random.Generator) -> Iterator[Sound]:
        """Crystals without end that pass the checks that those of the model pass; their log-probability is that of the walk."""
        while True:
            written = random_crystal(grammar, rng)
            self.written += 1
            structure, reason = examined(written.crystal)
            if structure is None:
                self.refused[reason] += 1
            else:
                yield Sound(written.crystal, structure, written.log_probability)


def random_crystal(grammar: Grammar, rng: np.random.Generator) -> Written:
    """One crystal, sound or not; its log-probability is that of the words alone."""
    state, tokens, nats = grammar.start(), [], 0.0
    while not state.is_finished:
        choices = np.flatnonzero(state.allowed())
        tokens.append(int(rng.choice(choices)))
        nats -= math.log(len(choices))
        state = state.advance(tokens[-1])
    vocabulary = grammar.vocabulary
    words = [vocabulary.word(token) for token in tokens]
    number = next(int(value) for kind, value in words if kind == "spacegroup")
    letters = [str(value) for kind, value in words if kind == "letter"]
    kinds = [slot.kind for slot in slots(number, letters)]
    coordinates = rng.random(kinds.count(COORDINATE)).tolist()
    unscaled = [0.0 if kind == LOG_LENGTH else 90.0 for kind in kinds if kind != COORDINATE]
    sequence = TokenSequence(tuple(tokens), (*coordinates, *unscaled))
    orbits = from_tokens(sequence, vocabulary).orbits
    crystal = WyckoffCrystal(number, orbits, random_lattice(number, orbits, rng))
    return Written(crystal, nats, to_tokens(crystal, vocabulary))


def random_lattice(number: int, orbits: tuple[Orbit, ...], rng: np.random.Generator) -> tuple[float, ...]:
    """Free lattice parameters of a cell of random shape and of the volume that the atoms ask for.

    The logarithm of each length is drawn evenly, so that none is more than three times another; angles evenly.
    """
    names = free_parameters(number)
    while True:
        values = [
            rng.uniform(*ANGLES_DEGREE) if name not in LENGTHS else LONGEST_OVER_SHORTEST ** rng.random()
            for name in names
        ]
        try:
            crystal = WyckoffCrystal(number, orbits, tuple(values))
        except HysteronError:
            continue  # the angles make no cell
        vectors = space_group(number).primitive_vectors @ lattice_matrix(values, number)
        scale = (volume_asked(crystal) / abs(float(np.linalg.det(vectors)))) ** (1 / 3)
        return tuple(
            value * scale if name in LENGTHS else value for name, value in zip(names, values, strict=True)
        )


def volume_asked(crystal: WyckoffCrystal) -> float:
    """Volume of the primitive cell by the radii of its atoms, A^3."""
    from ase.data import atomic_numbers, covalent_radii

    cubes = sum(n * covalent_radii[atomic_numbers[symbol]] ** 3 for symbol, n in crystal.amounts.items())
    return VOLUME_OVER_SPHERES * 4 / 3 * math.pi * float(cubes)
