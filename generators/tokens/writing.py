"""Which crystals of the model are handed out?

Words follow the grammar, so formula, charge and places are right by construction. Numbers are drawn freely, and two
things can go wrong with them: atoms fall on one another, or coordinates fall on places of higher symmetry, so that the
crystal has another space group than the one written. Such a crystal is written anew; nothing else is thrown away.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...core.errors import InputError
from ...core.identity import SYMPREC_ANGSTROM
from .decode import decode
from .sampling import AT_ONCE, Sampler, Style, Written
from .sequence import WyckoffCrystal

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .grammar import Grammar
    from .weights import Trained

NEAREST_ANGSTROM = 0.5
NEAREST_SHARE = 0.5
"""No two atoms are nearer than this, nor than this share of the sum of their covalent radii."""
SMALLEST_VOLUME = 0.1  # A^3
LARGEST_VOLUME_PER_ATOM = 250.0  # A^3: caesium has 117
TOO_NEAR, OTHER_GROUP, NO_CELL = "atoms overlap", "another space group", "no sensible cell"
GIVE_UP_AFTER = 2000
"""Crystals in a row of which none is sound."""


@dataclass(frozen=True)
class Sound:
    """A crystal that can be handed out.

    Attributes:
        crystal: In the words of its space group, as it was written.
        structure: Its primitive cell.
        log_probability: Nats, of words and densities.
    """

    crystal: WyckoffCrystal
    structure: Structure
    log_probability: float


class Writer:
    """Writes crystals until they are sound.

    Attributes:
        written: How many crystals were written so far, sound or not.
        refused: How many were not, by reason.
    """

    def __init__(self, trained: Trained) -> None:
        self.sampler = Sampler(trained.model, trained.vocabulary, trained.openings)
        self.written = 0
        self.refused: Counter[str] = Counter()

    def sound(
        self, grammar: Grammar, generator: torch.Generator, style: Style = Style(), at_once: int = AT_ONCE
    ) -> Iterator[Sound]:
        """Sound crystals without end; equal seeds give equal ones.

        Args:
            grammar: What may be written.
            generator: On the processor.
            style: How boldly.
            at_once: How many are written side by side.

        Raises:
            InputError: of many crystals in a row not one is sound; says what is wrong with most of them.
        """
        in_vain: Counter[str] = Counter()
        while True:
            with one_thread():
                batch = list(self.sampler.write(grammar, at_once, generator, style))
            self.written += at_once
            self.refused[NO_CELL] += at_once - len(batch)
            in_vain[NO_CELL] += at_once - len(batch)
            for written in batch:
                structure, reason = examined(written)
                if structure is not None:
                    in_vain.clear()
                    yield Sound(written.crystal, structure, written.log_probability)
                    continue
                self.refused[reason] += 1
                in_vain[reason] += 1
            if in_vain.total() >= GIVE_UP_AFTER:
                raise InputError(_hopeless(in_vain))


def examined(written: Written) -> tuple[Structure, str] | tuple[None, str]:
    """The primitive cell, or none and why the crystal is not sound."""
    structure = decode(written.crystal)
    if not SMALLEST_VOLUME <= structure.volume <= LARGEST_VOLUME_PER_ATOM * len(structure):
        return None, NO_CELL
    if overlaps(structure):
        return None, TOO_NEAR
    if spacegroup_number(structure) != written.crystal.spacegroup_number:
        return None, OTHER_GROUP
    return structure, ""


def overlaps(structure: Structure) -> bool:
    """Whether two atoms, periodic images included, are nearer than they may be."""
    radii = _covalent_radii()[list(structure.atomic_numbers)]
    reach = max(NEAREST_ANGSTROM, 2 * NEAREST_SHARE * float(radii.max()))
    if min(structure.lattice.abc) < NEAREST_ANGSTROM:
        return True
    centres, points, _, distances = structure.get_neighbor_list(reach)
    least = np.maximum(NEAREST_ANGSTROM, NEAREST_SHARE * (radii[centres] + radii[points]))
    return bool((distances < least).any())


def spacegroup_number(structure: Structure) -> int | None:
    """At symprec 0.01 A; `None` where spglib finds no symmetry."""
    os.environ.setdefault("SPGLIB_WARNING", "OFF")
    import spglib

    cell: Any = (structure.lattice.matrix, structure.frac_coords, structure.atomic_numbers)
    dataset = spglib.get_symmetry_dataset(cell, symprec=SYMPREC_ANGSTROM)
    return None if dataset is None else int(dataset.number)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch: the model is small, and sums round otherwise with two."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@lru_cache(maxsize=1)
def _covalent_radii() -> np.ndarray:
    """By atomic number, A. Source: Cordero et al., Dalton Trans. 2832 (2008), as ASE has them."""
    from ase.data import covalent_radii

    return np.asarray(covalent_radii)


def _hopeless(in_vain: Counter[str]) -> str:
    reason, count = in_vain.most_common(1)[0]
    wrong = {
        TOO_NEAR: "have atoms on one another",
        OTHER_GROUP: "have more symmetry than the space group asked for",
        NO_CELL: "have no sensible cell",
    }[reason]
    return (
        f"Of {in_vain.total()} crystals written in a row not one is sound: {count} {wrong}. "
        "Ask for other space groups, another formula, or more atoms."
    )
