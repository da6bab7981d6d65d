"""What is given before noise becomes a crystal: how many atoms, which types, which symmetry?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...core.errors import InputError, OutsideDomainError
from ..soundness import one_thread
from ..tokens.request import Request
from ..wyckoff.crystal import WyckoffCrystal
from .elements import ANIONS
from .entries import symmetric_entry
from .generator_config import DiffusionGeneratorConfig
from .network import HEAVIEST
from .sampler import plain_start
from .table import MASK, Batch, padded

if TYPE_CHECKING:
    from ..tokens.weights import Trained as TrainedTokens
    from .weights import Size, Trained

SKELETONS_AT_ONCE = 64


@dataclass(frozen=True)
class Start:
    """What is given of some crystals.

    Attributes:
        batch: As the sampler takes it.
        skeletons: Of each crystal, where symmetry is given.
    """

    batch: Batch
    skeletons: tuple[WyckoffCrystal, ...] | None = None


class Starts:
    """Gives starts without end.

    Args:
        config: What is asked.
        trained: The diffusion model.
        tokens: The token model, where symmetry is asked for.

    Raises:
        InputError: the wishes contradict one another.
        OutsideDomainError: the model never learnt such crystals.
    """

    def __init__(
        self, config: DiffusionGeneratorConfig, trained: Trained, tokens: TrainedTokens | None
    ) -> None:
        self.config, self.trained, self.tokens = config, trained, tokens
        self.request = request_of(config)
        require_domain(self.request, trained)
        self.elements = element_mask(self.request)

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Start]:
        """Starts of so many crystals each; the same `rng` gives the same ones.

        Raises:
            InputError: no crystal can be what is asked.
        """
        if self.config.is_symmetric:
            yield from self._symmetric(size, rng)
        sizes, weights = self._sizes()
        while True:
            chosen = np.sort(rng.choice(sizes, size, p=weights))
            yield Start(self._plain(chosen.tolist()))

    def _sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of atoms that are possible, and how usual they are."""
        low, high = self.config.natoms or (1, self.trained.data.most_atoms)
        amounts = self.request.amounts
        unit = sum(amounts.values()) if amounts else 1
        usual = usual_sizes(self.trained.sizes, unit if amounts else None)
        found = {
            n: usual.get(n, 0.0) + 1e-6
            for n in range(unit, self.trained.data.most_atoms + 1, unit)
            if low <= n <= high and (amounts or n in usual)
        }
        if not found:
            what = (
                f"{self.request.formula} has {unit} atoms to the formula unit"
                if amounts
                else "That is the wish"
            )
            raise InputError(
                f"No cell of {low} to {high} atoms is possible: {what}, and the model makes cells of up to "
                f"{self.trained.data.most_atoms}. Widen the range of atoms."
            )
        weights = np.array(list(found.values()))
        return np.array(list(found)), weights / weights.sum()

    def _plain(self, sizes: Sequence[int]) -> Batch:
        start = plain_start(sizes)
        amounts = self.request.amounts
        if amounts is None:
            return start
        types = torch.full_like(start.types, MASK)
        for row, size in zip(types, sizes, strict=True):
            units = size // sum(amounts.values())
            row[:size] = torch.tensor(
                [z for symbol, n in amounts.items() for z in [_number(symbol)] * n * units]
            )
        return start.but(types=types)

    def _symmetric(self, size: int, rng: np.random.Generator) -> Iterator[Start]:
        stream = self._skeletons(min(size, SKELETONS_AT_ONCE), rng)
        while True:
            some = sorted((next(stream) for _ in range(size)), key=lambda crystal: crystal.natoms)
            yield Start(padded([symmetric_entry(crystal) for crystal in some]), tuple(some))

    def _skeletons(self, at_once: int, rng: np.random.Generator) -> Iterator[WyckoffCrystal]:
        """Crystals of the token model, of which coordinates and lattice do not count."""
        from ..tokens.generator_config import request_of as token_request
        from ..tokens.generator_config import style_of
        from ..tokens.grammar import Grammar
        from ..tokens.sampling import Sampler

        assert self.tokens is not None
        config = self.config.for_tokens()
        grammar = Grammar(self.tokens.vocabulary, token_request(config, self.tokens.vocabulary))
        sampler = Sampler(self.tokens.model, self.tokens.vocabulary, self.tokens.openings)
        draws = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
        in_vain = 0
        while True:
            with one_thread():
                some = [one.crystal for one in sampler.write(grammar, at_once, draws, style_of(config))]
            inside = [crystal for crystal in some if _is_inside(crystal, self.trained)]
            in_vain = 0 if inside else in_vain + 1
            if in_vain > 20:
                raise OutsideDomainError(
                    f"The token generator writes nothing of what the diffusion model knows, {_domain(self.trained)}. "
                    "Ask for other elements, or ask 'tokens'."
                )
            yield from inside


def request_of(config: DiffusionGeneratorConfig) -> Request:
    """The wishes about elements and formula.

    Raises:
        InputError: they contradict one another.
    """
    return Request(
        formula=config.formula,
        chemsys=config.chemsys,
        elements=config.elements,
        exclude_elements=() if config.names_elements else config.exclude_elements,
        natoms=config.natoms,
        intermetallics=config.intermetallics,
    )


def require_domain(request: Request, trained: Trained) -> None:
    """Refuse what the model never learnt.

    Raises:
        OutsideDomainError: it holds none of the anions that it learnt, or an element beyond its table.
    """
    may = [symbol for symbol in ANIONS if request.lets_in(symbol)]
    named = request.system
    if trained.data.anions and (not may or (named is not None and not named & set(ANIONS))):
        what = request.formula or request.chemsys or "what was asked for"
        raise OutsideDomainError(
            f"{what} holds none of the anions that this diffusion model learnt ({', '.join(ANIONS)}). "
            "Ask 'tokens', or train it on all crystals (anions = false)."
        )
    strange = sorted(symbol for symbol in named or () if _number(symbol) >= HEAVIEST)
    if strange:
        raise OutsideDomainError(f"The diffusion model knows no {', '.join(strange)}.")


def element_mask(request: Request) -> torch.Tensor:
    """Which types a crystal may have, shape `(HEAVIEST,)`."""
    from pymatgen.core import Element

    may = torch.zeros(HEAVIEST, dtype=torch.bool)
    for number in range(1, HEAVIEST):
        may[number] = request.lets_in(Element.from_Z(number).symbol)
    return may


def usual_sizes(sizes: Sequence[Size], unit: int | None) -> dict[int, float]:
    """How usual each number of atoms is, of crystals with so many atoms to the formula unit, or of all."""
    found: dict[int, float] = {}
    for atoms, natoms, count in sizes:
        if unit is None or atoms == unit:
            found[natoms] = found.get(natoms, 0.0) + count
    return found


def sizes_of(crystals: Sequence[WyckoffCrystal]) -> tuple[Size, ...]:
    """How large crystals are; see `weights.Size`."""
    found: dict[tuple[int, int], int] = {}
    for crystal in crystals:
        atoms = list(crystal.amounts.values())
        key = sum(atoms) // math.gcd(*atoms), sum(atoms)
        found[key] = found.get(key, 0) + 1
    return tuple((*key, count) for key, count in sorted(found.items()))


def _is_inside(crystal: WyckoffCrystal, trained: Trained) -> bool:
    from .lessons import formula_is_inside

    known = all(_number(symbol) < HEAVIEST for symbol in crystal.amounts)
    return known and crystal.natoms <= trained.data.most_atoms and formula_is_inside(crystal, trained.data)


def _domain(trained: Trained) -> str:
    anions = f" with one of {', '.join(ANIONS)}" if trained.data.anions else ""
    return f"crystals of up to {trained.data.most_atoms} atoms{anions}"


def _number(symbol: str) -> int:
    from pymatgen.core import Element

    return Element(symbol).Z
