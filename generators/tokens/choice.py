"""Which epoch writes the best crystals?

Not the one that loses least: a model that has read the training crystals often enough writes them down again. So
epochs are tried out: each writes some crystals without redrawing, and what counts is the share that is sound, new to the
training crystals, different from one another, and expected near the hull.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch

from ...core.errors import StructureError
from ..soundness import examined, one_thread
from ..wyckoff.crystal import WyckoffCrystal
from ..wyckoff.encode import encode
from .generator_config import TokenGeneratorConfig, request_of, style_of
from .grammar import Grammar
from .sampling import Sampler

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .weights import Trained

Key = tuple[str, int, str]
"""Formula, space group and Wyckoff sequence: crystals that differ in it are different ones."""
Judge = Callable[[Sequence["Structure"]], Sequence[bool]]


@dataclass(frozen=True)
class TryOut:
    """What an epoch wrote.

    Attributes:
        epoch: Counted from 1.
        written: Crystals, of which
        sound: have no atoms on one another and the space group that was written, of which
        unique: are different from one another, of which
        novel: are no training crystals, of which
        promising: are expected near the hull.
    """

    epoch: int
    written: int
    sound: int
    unique: int
    novel: int
    promising: int

    @property
    def yields(self) -> float:
        """The share of crystals written that are all of it."""
        return self.promising / self.written

    def as_dict(self) -> dict[str, Any]:
        """As a card has it."""
        return asdict(self)


def key_of(crystal: WyckoffCrystal) -> Key:
    """Of a crystal in its canonical description."""
    return crystal.formula, crystal.spacegroup_number, crystal.wyckoff


def try_out(
    trained: Trained, epoch: int, taught: Collection[Key], count: int, seed: int, promising: Judge
) -> TryOut:
    """Write crystals under the generator's default settings and count.

    Args:
        trained: The weights of that epoch.
        epoch: Counted from 1.
        taught: Keys of the training crystals.
        count: How many are written.
        seed: Of what is drawn.
        promising: Says which structures are expected near the hull.
    """
    config = TokenGeneratorConfig()
    grammar = Grammar(trained.vocabulary, request_of(config, trained.vocabulary))
    sampler = Sampler(trained.model, trained.vocabulary, trained.openings)
    with one_thread():
        written = list(sampler.write(grammar, count, torch.Generator().manual_seed(seed), style_of(config)))
    structures = [structure for one in written if (structure := examined(one.crystal)[0]) is not None]
    unique: dict[Key, Structure] = {}
    for structure in structures:
        try:
            unique.setdefault(key_of(encode(structure, trained.vocabulary.most_atoms)), structure)
        except StructureError:
            continue
    novel = [structure for key, structure in unique.items() if key not in taught]
    good = sum(promising(novel))
    return TryOut(epoch, count, len(structures), len(unique), len(novel), good)


def best(tried: Sequence[TryOut]) -> TryOut:
    """The one that yields most; the earliest of equal ones."""
    return max(tried, key=lambda one: (one.yields, -one.epoch))
