"""How probable does the model find a crystal that it is told?

The log-probability is that of all words and numbers but the property bins, as `sampling.py` gives it of what it writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from .items import Table
from .model import Cache
from .tokens import TokenSequence

if TYPE_CHECKING:
    from .weights import Trained

AT_ONCE = 256


@torch.no_grad()
def log_probabilities(sequences: Sequence[TokenSequence], trained: Trained) -> list[float]:
    """Of each sequence, nats."""
    found: list[float] = []
    for first in range(0, len(sequences), AT_ONCE):
        some = sequences[first : first + AT_ONCE]
        items = Table.of(some, trained.vocabulary).batch(torch.arange(len(some)), _device(trained))
        found.extend((-trained.model.losses(items).sum(1)).tolist())
    return found


def variant_log_probabilities(
    variants: Sequence[Sequence[TokenSequence]], tails: Sequence[int], trained: Trained
) -> list[list[float]]:
    """The same of sequences that differ in their last numbers alone: what they share is read once.

    Args:
        variants: Of each crystal, equally many.
        tails: For each crystal how many numbers of its variants may differ, at least one.
        trained: The model.
    """
    found: list[list[float]] = [[] for _ in variants]
    for places in _of_one_shape(variants, tails):
        nats = _of_variants([variants[i] for i in places], tails[places[0]], trained)
        for i, own in zip(places, nats, strict=True):
            found[i] = own
    return found


def _of_one_shape(variants: Sequence[Sequence[TokenSequence]], tails: Sequence[int]) -> Iterator[list[int]]:
    """Places of crystals whose sequences and tails are equally long, so many as are read at once."""
    by_shape: dict[tuple[int, int], list[int]] = {}
    for i, (own, tail) in enumerate(zip(variants, tails, strict=True)):
        by_shape.setdefault((len(own[0].tokens) + len(own[0].numbers), tail), []).append(i)
    for _, places in sorted(by_shape.items()):
        at_once = max(1, AT_ONCE // len(variants[places[0]]))
        for first in range(0, len(places), at_once):
            yield places[first : first + at_once]


@torch.no_grad()
def _of_variants(
    variants: Sequence[Sequence[TokenSequence]], tail: int, trained: Trained
) -> list[list[float]]:
    model, device, times = trained.model, _device(trained), len(variants[0])
    flat = [sequence for own in variants for sequence in own]
    items = Table.of(flat, trained.vocabulary).batch(torch.arange(len(flat)), device)
    length = items.tokens.shape[1]
    shared, given = items[::times], length - tail
    cache = Cache.empty(model.config, len(variants), device, length)
    hidden = model(shared[:, :given], shared[:, 1 : given + 1], cache)
    nats = model.nats(hidden[:, :-1], shared[:, 1:given]).sum(1).repeat_interleave(times)
    rows = torch.arange(len(variants), device=device).repeat_interleave(times)
    cache, hidden = cache.select(rows), hidden[rows, -1:]
    for place in range(given, length):
        nats = nats + model.nats(hidden, items[:, place : place + 1])[:, 0]
        if place + 1 < length:
            hidden = model(items[:, place : place + 1], items[:, place + 1 : place + 2], cache)
    return (-nats).reshape(-1, times).tolist()


def _device(trained: Trained) -> torch.device:
    return next(trained.model.parameters()).device
