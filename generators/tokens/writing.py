"""Which crystals of the model are handed out?

Words follow the grammar, so formula, charge and places are right by construction. Numbers are drawn freely; a crystal that they
make unsound (see `soundness.py`) is written anew, and nothing else is thrown away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ...core.errors import InputError
from ..soundness import NO_CELL, OTHER_GROUP, TOO_NEAR, examined, one_thread
from ..wyckoff.crystal import WyckoffCrystal
from .sampling import AT_ONCE, Sampler, Style

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .grammar import Grammar
    from .weights import Trained

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
                structure, reason = examined(written.crystal)
                if structure is not None:
                    in_vain.clear()
                    yield Sound(written.crystal, structure, written.log_probability)
                    continue
                self.refused[reason] += 1
                in_vain[reason] += 1
            if in_vain.total() >= GIVE_UP_AFTER:
                raise InputError(_hopeless(in_vain))


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
