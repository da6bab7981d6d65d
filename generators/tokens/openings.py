"""With which property bins does a sequence open?

A request allows some bins of some properties. Bins are drawn together, as often as the training crystals have
them: an insulator of a low formation energy is asked for where there are such crystals, and a corner of the
range that no crystal is in is not asked for at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from ...core.errors import InputError
from .tokens import TokenSequence
from .vocabulary import ANY, Vocabulary

Bins = tuple[int, ...]
"""One token for each property of the vocabulary."""


@dataclass(frozen=True)
class Openings:
    """How often each combination of bins opens a training sequence.

    Attributes:
        counts: By combination; empty if nothing is known of them.
    """

    counts: dict[Bins, int] = field(default_factory=dict)

    @classmethod
    def of(cls, sequences: Iterable[TokenSequence], vocabulary: Vocabulary) -> Openings:
        """Counted in training sequences."""
        length = len(vocabulary.properties)
        return cls(dict(sorted(Counter(s.tokens[:length] for s in sequences).items())))

    @classmethod
    def from_rows(cls, rows: Sequence[Sequence[int]], vocabulary: Vocabulary) -> Openings:
        """What `rows` wrote.

        Raises:
            InputError: a row is no count of a combination of the vocabulary's bins.
        """
        kinds = [vocabulary.ids(bins.name) for bins in vocabulary.properties]
        counts = {}
        for row in rows:
            *bins, count = (int(value) for value in row)
            known = len(bins) == len(kinds) and all(
                kind.start <= token < kind.stop for kind, token in zip(kinds, bins, strict=True)
            )
            if not known or count < 1:
                raise InputError(f"{list(row)} is no count of property bins.")
            counts[tuple(bins)] = count
        return cls(counts)

    def rows(self) -> list[list[int]]:
        """For a file: the bins of a combination, then its count."""
        return [[*bins, count] for bins, count in self.counts.items()]

    def draw(
        self, allowed: Sequence[np.ndarray], vocabulary: Vocabulary, count: int, generator: torch.Generator
    ) -> list[list[int]]:
        """Tokens to open with, `count` times one for each property.

        Args:
            allowed: For each property the tokens that may open.
            vocabulary: Of the tokens.
            count: How many openings.
            generator: Draws.
        """
        asked = self._asked(allowed, vocabulary)
        if not asked:
            columns = [
                torch.from_numpy(some)[torch.randint(len(some), (count,), generator=generator)].tolist()
                for some in allowed
            ]
            return (
                [list(row) for row in zip(*columns, strict=True)] if columns else [[] for _ in range(count)]
            )
        weights = torch.tensor([float(n) for n in asked.values()])
        chosen = torch.multinomial(weights, count, replacement=True, generator=generator).tolist()
        combinations = list(asked)
        return [list(combinations[i]) for i in chosen]

    def _asked(self, allowed: Sequence[np.ndarray], vocabulary: Vocabulary) -> Counter[Bins]:
        """The combinations that are allowed; where a property may only be `any`, its bins are not looked at."""
        anything = [vocabulary.id_of(bins.name, ANY) for bins in vocabulary.properties]
        choices = [set(some.tolist()) for some in allowed]
        free = [choice == {token} for choice, token in zip(choices, anything, strict=True)]
        found: Counter[Bins] = Counter()
        for bins, count in self.counts.items():
            told = tuple(a if is_free else t for t, a, is_free in zip(bins, anything, free, strict=True))
            if all(token in choice for token, choice in zip(told, choices, strict=True)):
                found[told] += count
        return found
