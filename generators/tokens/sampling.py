"""How does the model write crystals?

Many at a time, item by item: words among those that the grammar allows, then the numbers. A crystal's log-probability is the
model's own, of words and numbers together, without the help of the grammar: so crystals of different requests compare.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ...core.errors import InputError
from ..wyckoff.crystal import WyckoffCrystal
from .items import KINDS, orbit_tokens
from .model import ANGLE, COORDINATE, LOG_LENGTH, NAMES, WORD, Cache, Items, TokenModel
from .openings import Openings
from .tokens import Slot, TokenSequence, from_tokens, slots
from .vocabulary import ANY, Vocabulary

if TYPE_CHECKING:
    from .grammar import Grammar
    from .states import State

AT_ONCE = 256
ORIGIN = -1  # the place along a polar axis, which is no choice
COMPACT_BELOW = 0.75  # share of unfinished sequences below which the finished ones are put aside


@dataclass(frozen=True)
class Style:
    """How boldly the model writes.

    Attributes:
        temperature: Of words; below one, the likelier are preferred.
        number_temperature: Of coordinates and lattice.
        guidance: How much more the property bins count than the model thinks (classifier-free guidance, Ho and Salimans,
            arXiv:2207.12598, eq. 6): 0 for not more.
    """

    temperature: float = 1.0
    number_temperature: float = 1.0
    guidance: float = 0.0


@dataclass(frozen=True)
class Written:
    """A crystal of the model.

    Attributes:
        crystal: The record.
        log_probability: Nats, of words and densities.
        sequence: What was written, property bins included.
    """

    crystal: WyckoffCrystal
    log_probability: float
    sequence: TokenSequence


@dataclass
class _Draft:
    """A sequence that is being written."""

    state: State
    tokens: list[int] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    places: list[tuple[int, int]] = field(default_factory=list)
    slots: tuple[Slot, ...] = ()
    log_probability: float = 0.0

    @property
    def slot(self) -> Slot | None:
        """Where the next number goes; `None` while words are written and when all is written."""
        if not self.state.is_finished or self.is_finished:
            return None
        return self.slots[len(self.numbers)]

    @property
    def waits_for(self) -> int:
        """The kind of the next item; of an origin, which is no choice, `ORIGIN`."""
        if self.slot is None:
            return WORD
        return ORIGIN if self.slot.is_origin else KINDS[self.slot.kind]

    @property
    def is_finished(self) -> bool:
        return self.state.is_finished and len(self.numbers) == len(self.slots)


class Sampler:
    """Writes crystals.

    Args:
        model: In evaluation mode.
        vocabulary: Its words.
        openings: How often property bins go together; all of those allowed alike if it is not told.
    """

    def __init__(self, model: TokenModel, vocabulary: Vocabulary, openings: Openings | None = None) -> None:
        self.model = model
        self.vocabulary = vocabulary
        self.openings = openings or Openings()
        self.device = next(model.parameters()).device
        self._anything = [vocabulary.id_of(bins.name, ANY) for bins in vocabulary.properties]

    def write(
        self, grammar: Grammar, count: int, generator: torch.Generator, style: Style = Style()
    ) -> Iterator[Written]:
        """Crystals, in batches; equal seeds give equal crystals.

        A sequence whose numbers make no crystal (three angles that no cell has) is left out.

        Args:
            grammar: Which words may be written; it also chooses the property bins.
            count: How many sequences.
            generator: On the processor.
            style: How boldly.
        """
        for first in range(0, count, AT_ONCE):
            yield from self._batch(grammar, min(AT_ONCE, count - first), generator, style)

    @torch.no_grad()
    def _batch(self, grammar: Grammar, count: int, generator: torch.Generator, style: Style) -> list[Written]:
        drafts = self._opened(grammar, count, generator)
        guided = style.guidance != 0
        cache = Cache.empty(self.model.config, count * (1 + guided), self.device)
        active = list(range(count))
        hidden = self._read(self._opening(drafts, guided), cache)
        while active:
            waiting: dict[int, list[int]] = {}
            for i, row in enumerate(active):
                if not drafts[row].is_finished:
                    waiting.setdefault(drafts[row].waits_for, []).append(i)
            for kind, places in sorted(waiting.items()):
                some = [drafts[active[i]] for i in places]
                if kind == WORD:
                    self._write_words(some, places, hidden, generator, style)
                else:
                    self._write_numbers(kind, some, hidden[places], generator, style)
            left = [i for i, row in enumerate(active) if not drafts[row].is_finished]
            if not left:
                break
            if len(left) < COMPACT_BELOW * len(active):
                kept = torch.tensor([*left, *(len(active) + i for i in left)] if guided else left)
                cache = cache.select(kept.to(self.device))
                active = [active[i] for i in left]
            hidden = self._read(self._last(drafts, active, guided), cache)
        return [written for draft in drafts if (written := self._finished(draft)) is not None]

    def _opened(self, grammar: Grammar, count: int, generator: torch.Generator) -> list[_Draft]:
        """Drafts with their property bins."""
        allowed = [np.flatnonzero(mask) for mask in grammar.bins]
        drafts = [_Draft(grammar.start()) for _ in range(count)]
        for draft, bins in zip(
            drafts, self.openings.draw(allowed, self.vocabulary, count, generator), strict=True
        ):
            for chosen in bins:
                draft.tokens.append(chosen)
                draft.state = draft.state.advance(chosen)
        return drafts

    def _opening(self, drafts: Sequence[_Draft], guided: bool) -> tuple[Items, Items]:
        """The property bins, and that words come after them."""
        tokens = torch.tensor([draft.tokens for draft in drafts])
        if guided:
            tokens = torch.cat([tokens, torch.tensor(self._anything).expand_as(tokens)])
        return _items(tokens=tokens), _items(tokens=torch.zeros_like(tokens))

    def _last(self, drafts: Sequence[_Draft], active: Sequence[int], guided: bool) -> tuple[Items, Items]:
        """The last item of each sequence, and what comes after it."""
        columns: dict[str, list] = {
            name: [] for name in ("tokens", "kinds", "values", "names", "elements", "letters")
        }
        asked: dict[str, list] = {name: [] for name in ("names", "elements", "letters")}
        for row in active:
            draft = drafts[row]
            last = draft.slots[len(draft.numbers) - 1] if draft.numbers else None
            columns["tokens"].append(0 if last else draft.tokens[-1])
            columns["kinds"].append(KINDS[last.kind] if last else WORD)
            columns["values"].append(draft.numbers[-1] if last else 0.0)
            for name, value in zip(("names", "elements", "letters"), _told(last, draft), strict=True):
                columns[name].append(value)
            for name, value in zip(("names", "elements", "letters"), _told(draft.slot, draft), strict=True):
                asked[name].append(value)
        opening = len(self.vocabulary.properties)
        columns["groups"] = [drafts[row].tokens[opening] for row in active]
        both = 2 if guided else 1
        return tuple(  # type: ignore[return-value]
            _items(**{name: torch.tensor(values * both)[:, None] for name, values in some.items()})
            for some in (columns, asked)
        )

    def _read(self, pair: tuple[Items, Items], cache: Cache) -> Tensor:
        """What is known after the last item, shape `(nsequences, width)`."""
        items, asked = (some.to(self.device) for some in pair)
        return self.model(items, asked, cache)[:, -1]

    def _write_words(
        self,
        drafts: Sequence[_Draft],
        places: list[int],
        hidden: Tensor,
        generator: torch.Generator,
        style: Style,
    ) -> None:
        """A word each; `hidden` has the rows of `places`, and for guidance as many more that know no property bins."""
        own = self.model.next_word(hidden[places]).log_softmax(-1).cpu()
        logits = own
        if style.guidance:
            half = len(hidden) // 2
            unasked = self.model.next_word(hidden[[half + i for i in places]]).log_softmax(-1).cpu()
            logits = own + style.guidance * (own - unasked)
        allowed = torch.from_numpy(np.stack([draft.state.allowed() for draft in drafts]))
        logits = (logits / style.temperature).masked_fill(~allowed, -torch.inf)
        chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        likely = own.gather(1, chosen)[:, 0].tolist()
        for draft, token, nats in zip(drafts, chosen[:, 0].tolist(), likely, strict=True):
            draft.tokens.append(token)
            draft.state = draft.state.advance(token)
            draft.log_probability += nats
            if draft.state.is_finished:
                self._begin_numbers(draft)

    def _begin_numbers(self, draft: _Draft) -> None:
        draft.places = orbit_tokens(draft.tokens, self.vocabulary)
        group = int(self.vocabulary.word(draft.tokens[len(self.vocabulary.properties)])[1])
        draft.slots = slots(group, [str(self.vocabulary.word(letter)[1]) for _, letter in draft.places])

    def _write_numbers(
        self, kind: int, drafts: Sequence[_Draft], hidden: Tensor, generator: torch.Generator, style: Style
    ) -> None:
        """A number of this kind each."""
        if kind == ORIGIN:
            for draft in drafts:
                draft.numbers.append(0.0)
            return
        densities = {
            COORDINATE: self.model.coordinates,
            LOG_LENGTH: self.model.lengths,
            ANGLE: self.model.angles,
        }
        density = densities[kind](hidden)
        values = density.sample(generator, style.number_temperature)
        nats = density.log_density(values).tolist()
        for draft, value, likely in zip(drafts, values.tolist(), nats, strict=True):
            draft.numbers.append(value)
            draft.log_probability += likely

    def _finished(self, draft: _Draft) -> Written | None:
        """`None` if its numbers make no crystal."""
        sequence = TokenSequence(tuple(draft.tokens), tuple(draft.numbers))
        try:
            crystal = from_tokens(sequence, self.vocabulary)
        except InputError:
            return None
        return Written(crystal, draft.log_probability, sequence)


def _told(slot: Slot | None, draft: _Draft) -> tuple[int, int, int]:
    """Name, element and letter of a number's place; zeros for a word."""
    if slot is None:
        return 0, 0, 0
    element, letter = (0, 0) if slot.orbit is None else draft.places[slot.orbit]
    return NAMES.index(slot.name), element, letter


def _items(**columns: Tensor) -> Items:
    """Items of which some columns are given; the others are zero."""
    some = next(iter(columns.values()))
    found = {
        name: torch.zeros(some.shape, dtype=torch.long)
        for name in ("tokens", "kinds", "names", "elements", "letters", "groups")
    }
    found["values"] = torch.zeros(some.shape)
    found["judged"] = torch.zeros(some.shape, dtype=torch.bool)
    return Items(**(found | columns))
