"""How does the model read a sequence of words and numbers?

As items side by side in long tensors: for each its word or number, what kind of number it is and of which orbit, and the space
group once that is said. Many sequences are kept in one table as long as the longest, and a batch is cut to its own longest.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .model import ANGLE, COORDINATE, LOG_LENGTH, NAMES, WORD, Items
from .tokens import TokenSequence, slots
from .vocabulary import ANY, Vocabulary

KINDS = {"coordinate": COORDINATE, "log_length": LOG_LENGTH, "angle": ANGLE}
STORED = {
    "tokens": torch.int16,
    "kinds": torch.uint8,
    "values": torch.float32,
    "names": torch.uint8,
    "elements": torch.int16,
    "letters": torch.int16,
    "groups": torch.int16,
    "judged": torch.bool,
}
"""As narrow as a table of all crystals is kept."""
BUCKET = 32  # batches that are sorted by length together


def items_of(sequence: TokenSequence, vocabulary: Vocabulary) -> Items:
    """One sequence, shapes `(nitems,)`."""
    words, count = len(sequence.tokens), len(sequence.tokens) + len(sequence.numbers)
    opening = len(vocabulary.properties)
    said = [vocabulary.word(token) for token in sequence.tokens]
    group = int(said[opening][1])
    places = orbit_tokens(sequence.tokens, vocabulary)
    table: dict[str, Any] = {name: np.zeros(count, dtype=np.int64) for name in STORED}
    table["values"] = np.zeros(count, dtype=np.float32)
    table["judged"] = np.zeros(count, dtype=bool)
    table["tokens"][:words] = sequence.tokens
    table["kinds"][:words] = WORD
    table["groups"][opening:] = sequence.tokens[opening]
    table["judged"][opening:words] = True
    letters = [str(vocabulary.word(letter)[1]) for _, letter in places]
    for i, (slot, value) in enumerate(zip(slots(group, letters), sequence.numbers, strict=True), start=words):
        table["kinds"][i] = KINDS[slot.kind]
        table["values"][i] = value
        table["names"][i] = NAMES.index(slot.name)
        table["judged"][i] = not slot.is_origin
        if slot.orbit is not None:
            table["elements"][i], table["letters"][i] = places[slot.orbit]
    return Items(**{name: torch.from_numpy(column) for name, column in table.items()})


def orbit_tokens(tokens: Sequence[int], vocabulary: Vocabulary) -> list[tuple[int, int]]:
    """The ids of element and letter of each orbit, in their order."""
    letters = vocabulary.ids("letter")
    return [
        (before, token)
        for before, token in itertools.pairwise(tokens)
        if letters.start <= token < letters.stop
    ]


class Table:
    """Many sequences, kept narrow.

    Attributes:
        columns: Of `Items`, shape `(nsequences, longest)`.
        lengths: Items of each sequence, shape `(nsequences,)`.
    """

    def __init__(self, columns: Mapping[str, Tensor], lengths: Tensor) -> None:
        self.columns = dict(columns)
        self.lengths = lengths

    def __len__(self) -> int:
        return len(self.lengths)

    @classmethod
    def of(cls, sequences: Sequence[TokenSequence], vocabulary: Vocabulary) -> Table:
        """Of sequences in their order."""
        lengths = torch.tensor([len(s.tokens) + len(s.numbers) for s in sequences], dtype=torch.long)
        longest = int(lengths.max()) if len(lengths) else 0
        columns = {name: torch.zeros(len(sequences), longest, dtype=kind) for name, kind in STORED.items()}
        for i, sequence in enumerate(sequences):
            items = items_of(sequence, vocabulary)
            for name, column in columns.items():
                column[i, : lengths[i]] = getattr(items, name).to(column.dtype)
        return cls(columns, lengths)

    def batch(self, rows: Tensor, device: str | torch.device = "cpu") -> Items:
        """These sequences, cut to the longest of them."""
        longest = int(self.lengths[rows].max())
        wide = {"values": torch.float32, "judged": torch.bool}
        return Items(
            **{
                f.name: self.columns[f.name][rows, :longest].to(device, wide.get(f.name, torch.long))
                for f in fields(Items)
            }
        )

    def save(self, path: Path) -> None:
        """As safetensors, in one move."""
        from safetensors.torch import save_file

        part = path.with_suffix(".part")
        save_file({**self.columns, "lengths": self.lengths}, part)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Table:
        """What `save` wrote."""
        from safetensors.torch import load_file

        columns = load_file(path)
        return cls(columns, columns.pop("lengths"))


def batches(lengths: Tensor, rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """All rows in a random order, sequences of like length together.

    Args:
        lengths: Of all sequences, shape `(nsequences,)`.
        rows: Those wanted.
        size: Sequences in a batch.
        generator: Decides the order.
    """
    order = rows[torch.randperm(len(rows), generator=generator)]
    for bucket in order.split(size * BUCKET):
        parts = bucket[lengths[bucket].argsort(stable=True)].split(size)
        for i in torch.randperm(len(parts), generator=generator).tolist():
            yield parts[i]


def forget(items: Items, vocabulary: Vocabulary, share: float, generator: torch.Generator) -> Items:
    """The same with property bins taken away at random, so that the model also writes unasked.

    In half of what is taken away all bins of a sequence go together.

    Args:
        items: A batch.
        vocabulary: Knows the bins.
        share: Of bins taken away one by one; half of it is the share of sequences that lose all.
        generator: Decides which.
    """
    count = len(vocabulary.properties)
    anything = torch.tensor(
        [vocabulary.id_of(bins.name, ANY) for bins in vocabulary.properties], device=items.tokens.device
    )
    chances = torch.rand(len(items), count + 1, generator=generator).to(items.tokens.device)
    taken = (chances[:, :count] < share) | (chances[:, count:] < share / 2)
    tokens = items.tokens.clone()
    tokens[:, :count] = torch.where(taken, anything, tokens[:, :count])
    return Items(**{**{f.name: getattr(items, f.name) for f in fields(Items)}, "tokens": tokens})
