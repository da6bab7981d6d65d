"""The model that writes crystals: a decoder transformer whose next item is a word or a number.

A word is drawn from a softmax, a free coordinate from a mixture of von Mises densities, a lattice parameter from a mixture of
normal ones (lengths by their logarithm). What kind of number comes next, of which axis and of which orbit, follows from the words
alone, so the model is told. Sources: Vaswani et al., arXiv:1706.03762 (attention); Cao et al., Sci. Bull. 70, 3522 (2025),
arXiv:2403.15734 (Wyckoff letters as words, von Mises mixtures for free coordinates).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

WORD, COORDINATE, LOG_LENGTH, ANGLE = range(4)
"""Kinds of items."""
NAMES = ("", "x", "y", "z", "a", "b", "c", "alpha", "beta", "gamma")
"""Names of numbers; a word has none."""
HARMONICS = 12  # of a coordinate that is read
SHARPEST = 10.0  # logarithm of the greatest concentration: 0.001 of a period
NARROWEST_LOG_LENGTH = 2e-3
NARROWEST_ANGLE = 2e-3  # in units of ANGLE_SCALE_DEGREES
ANGLE_SCALE_DEGREES = 30.0
MIDDLE_LOG_LENGTH, LOG_LENGTH_SCALE = 1.8, 0.5


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the model.

    Attributes:
        words: Size of the vocabulary.
        width, layers, heads: Of the transformer.
        coordinate_parts, lattice_parts: Densities in a mixture.
        longest: Items of a sequence.
        dropout: While training.
    """

    words: int
    width: int = 256
    layers: int = 5
    heads: int = 8
    coordinate_parts: int = 16
    lattice_parts: int = 8
    longest: int = 192
    dropout: float = 0.1

    def as_dict(self) -> dict:
        """As JSON has it."""
        return asdict(self)


@dataclass
class Items:
    """Sequences side by side, shapes `(nsequences, nitems)`.

    Attributes:
        tokens: Word ids; 0, the padding, for a number and where a sequence has ended.
        kinds: `WORD`, `COORDINATE`, `LOG_LENGTH` or `ANGLE`.
        values: Fractional coordinate, logarithm of A, or degrees; 0 for a word.
        names: Places in `NAMES`.
        elements, letters: Word ids of a coordinate's orbit, else 0.
        groups: Word id of the space group from where it is said, else 0.
        judged: Whether the item counts in the loss: not the property bins, not an origin, not padding.
    """

    tokens: Tensor
    kinds: Tensor
    values: Tensor
    names: Tensor
    elements: Tensor
    letters: Tensor
    groups: Tensor
    judged: Tensor

    def __getitem__(self, index: slice | Tensor | tuple) -> Items:
        return Items(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def to(self, device: str | torch.device) -> Items:
        """The same on another device."""
        return Items(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass
class Cache:
    """Keys and values of the items read so far, for sampling.

    Attributes:
        keys, values: By layer, with room for items to come, shape `(nsequences, heads, room, width / heads)`.
        length: Items read.
    """

    keys: list[Tensor]
    values: list[Tensor]
    length: int = 0

    @classmethod
    def empty(
        cls, config: ModelConfig, sequences: int, device: str | torch.device = "cpu", room: int | None = None
    ) -> Cache:
        """Nothing read yet; room for so many items, by default for the longest sequence."""
        shape = (sequences, config.heads, room or config.longest, config.width // config.heads)
        keys, values = ([torch.zeros(shape, device=device) for _ in range(config.layers)] for _ in range(2))
        return cls(keys, values)

    def select(self, rows: Tensor) -> Cache:
        """Of some sequences."""
        return Cache([k[rows] for k in self.keys], [v[rows] for v in self.values], self.length)

    def read(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take further items in and give all there are; `length` is moved by the model once all layers have read."""
        end = self.length + key.shape[2]
        self.keys[layer][:, :, self.length : end] = key
        self.values[layer][:, :, self.length : end] = value
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]


class TokenModel(nn.Module):
    """Items in, densities of the next item out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.words = nn.Embedding(config.words, width)
        self.names = nn.Embedding(len(NAMES), width)
        self.asked = nn.Embedding(len(NAMES), width)
        self.asked_words = nn.Embedding(config.words, width)
        self.places = nn.Embedding(config.longest, width)
        self.numbers = nn.Linear(2 * HARMONICS + 2, width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(width)
        self.next_word = nn.Linear(width, config.words)
        self.next_coordinate = nn.Linear(width, 4 * config.coordinate_parts)
        self.next_length = nn.Linear(width, 3 * config.lattice_parts)
        self.next_angle = nn.Linear(width, 3 * config.lattice_parts)
        self.apply(_initialise)

    def forward(self, items: Items, asked: Items, cache: Cache | None = None) -> Tensor:
        """What is known after each item, shape `(nsequences, nitems, width)`.

        Args:
            items: Read now.
            asked: What comes after each of them; of it only name and orbit are looked at.
            cache: Of the items before, then one item at a time is read; takes these in.
        """
        before = 0 if cache is None else cache.length
        places = torch.arange(before, before + items.tokens.shape[1], device=items.tokens.device)
        hidden = self.words(items.tokens) + self.names(items.names) + self.numbers(read(items))
        hidden = hidden + self.asked(asked.names) + self.asked_words(asked.elements)
        hidden = hidden + self.asked_words(asked.letters) + self.asked_words(items.groups)
        hidden = self.dropout(hidden + self.places(places))
        for i, block in enumerate(self.blocks):
            hidden = block(hidden, i, cache)
        if cache is not None:
            cache.length += items.tokens.shape[1]
        return self.norm(hidden)

    def losses(self, items: Items) -> Tensor:
        """Nats of each item but the first given those before; 0 where it is not judged, shape `(nsequences, nitems - 1)`."""
        return self.nats(self(items[:, :-1], items[:, 1:]), items[:, 1:])

    def nats(self, hidden: Tensor, wanted: Items) -> Tensor:
        """Nats of items given what is known before each of them; 0 where one is not judged, shape `(nsequences, nitems)`."""
        total = torch.zeros_like(wanted.values)
        for kind, loss in (
            (WORD, self._word_loss),
            (COORDINATE, self._coordinate_loss),
            (LOG_LENGTH, self._length_loss),
            (ANGLE, self._angle_loss),
        ):
            chosen = wanted.judged & (wanted.kinds == kind)
            if chosen.any():
                total[chosen] = loss(hidden[chosen], wanted[chosen])
        return total

    def _word_loss(self, hidden: Tensor, wanted: Items) -> Tensor:
        return functional.cross_entropy(self.next_word(hidden), wanted.tokens, reduction="none")

    def _coordinate_loss(self, hidden: Tensor, wanted: Items) -> Tensor:
        return -self.coordinates(hidden).log_density(wanted.values)

    def _length_loss(self, hidden: Tensor, wanted: Items) -> Tensor:
        return -self.lengths(hidden).log_density(wanted.values)

    def _angle_loss(self, hidden: Tensor, wanted: Items) -> Tensor:
        return -self.angles(hidden).log_density(wanted.values)

    def coordinates(self, hidden: Tensor) -> VonMisesMixture:
        """Density of a fractional coordinate."""
        weights, cosines, sines, sharpness = self.next_coordinate(hidden).chunk(4, dim=-1)
        return VonMisesMixture(weights, torch.atan2(sines, cosines + 1e-6), sharpness)

    def lengths(self, hidden: Tensor) -> NormalMixture:
        """Density of the logarithm of a length in A."""
        weights, places, widths = self.next_length(hidden).chunk(3, dim=-1)
        return NormalMixture(
            weights, places, widths, MIDDLE_LOG_LENGTH, LOG_LENGTH_SCALE, NARROWEST_LOG_LENGTH
        )

    def angles(self, hidden: Tensor) -> NormalMixture:
        """Density of an angle in degrees."""
        weights, places, widths = self.next_angle(hidden).chunk(3, dim=-1)
        return NormalMixture(weights, places, widths, 90.0, ANGLE_SCALE_DEGREES, NARROWEST_ANGLE)


class Block(nn.Module):
    """Attention to what came before, then a layer for each item by itself."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.dropout = config.dropout
        self.first_norm = nn.LayerNorm(config.width)
        self.attention = nn.Linear(config.width, 3 * config.width, bias=False)
        self.mix = nn.Linear(config.width, config.width)
        self.second_norm = nn.LayerNorm(config.width)
        self.update = nn.Sequential(
            nn.Linear(config.width, 4 * config.width),
            nn.GELU(),
            nn.Linear(4 * config.width, config.width),
            nn.Dropout(config.dropout),
        )

    def forward(self, hidden: Tensor, layer: int, cache: Cache | None) -> Tensor:
        sequences, items, width = hidden.shape
        parts = self.attention(self.first_norm(hidden)).view(sequences, items, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        first = cache is None or not cache.length
        if cache is not None:
            key, value = cache.read(layer, key, value)
        found = functional.scaled_dot_product_attention(
            query, key, value, is_causal=first, dropout_p=self.dropout if self.training else 0.0
        )
        hidden = hidden + self.mix(found.transpose(1, 2).reshape(sequences, items, width))
        return hidden + self.update(self.second_norm(hidden))


@dataclass
class VonMisesMixture:
    """On a circle of period 1, shapes `(..., nparts)`.

    Attributes:
        weights: Unnormalised logarithms.
        means: Radians.
        sharpness: Unbounded; `concentrations` makes of it.
    """

    weights: Tensor
    means: Tensor
    sharpness: Tensor

    @property
    def concentrations(self) -> Tensor:
        """Of the parts, from nearly none to `exp(SHARPEST)`."""
        return torch.exp(SHARPEST * torch.sigmoid(self.sharpness)) - 0.99

    def log_density(self, values: Tensor) -> Tensor:
        """Per unit of the period, shape `(...)`."""
        kappa = self.concentrations
        away = torch.cos(2 * math.pi * values[..., None] - self.means) - 1
        parts = kappa * away - torch.log(torch.special.i0e(kappa))
        return torch.logsumexp(self.weights.log_softmax(-1) + parts, dim=-1)

    def sample(self, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """One value for each row, in [0, 1); below one, the temperature narrows the parts and prefers the weightier."""
        part = _drawn(self.weights / temperature, generator)
        mean = self.means.gather(-1, part)[..., 0]
        kappa = self.concentrations.gather(-1, part)[..., 0] / temperature
        return ((mean + _von_mises(kappa, generator)) / (2 * math.pi)) % 1.0


@dataclass
class NormalMixture:
    """On a line, shapes `(..., nparts)`.

    Attributes:
        weights: Unnormalised logarithms.
        places: Means, in units of `scale` from `middle`.
        widths: Logarithms of standard deviations, in units of `scale`.
        middle, scale: Where the numbers lie, in their unit.
        narrowest: Least standard deviation, in units of `scale`.
    """

    weights: Tensor
    places: Tensor
    widths: Tensor
    middle: float
    scale: float
    narrowest: float

    @property
    def deviations(self) -> Tensor:
        """Of the parts, in units of `scale`."""
        return functional.softplus(self.widths - 1) + self.narrowest

    def log_density(self, values: Tensor) -> Tensor:
        """Per unit, shape `(...)`."""
        scaled = (values[..., None] - self.middle) / self.scale
        sigma = self.deviations
        parts = (
            -0.5 * ((scaled - self.places) / sigma).square() - torch.log(sigma) - 0.5 * math.log(2 * math.pi)
        )
        return torch.logsumexp(self.weights.log_softmax(-1) + parts, dim=-1) - math.log(self.scale)

    def sample(self, generator: torch.Generator, temperature: float = 1.0) -> Tensor:
        """One value for each row; see `VonMisesMixture.sample`."""
        part = _drawn(self.weights / temperature, generator)
        mean, sigma = self.places.gather(-1, part)[..., 0], self.deviations.gather(-1, part)[..., 0]
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        return self.middle + self.scale * (mean + sigma * math.sqrt(temperature) * noise)


def read(items: Items) -> Tensor:
    """What the model is told of a number, shape `(nsequences, nitems, 2 * HARMONICS + 2)`; zeros for a word."""
    waves = 2 * math.pi * torch.arange(1, HARMONICS + 1, device=items.values.device) * items.values[..., None]
    is_coordinate = (items.kinds == COORDINATE)[..., None]
    circle = torch.where(is_coordinate, torch.cat([waves.cos(), waves.sin()], dim=-1), 0.0)
    length = torch.where(
        items.kinds == LOG_LENGTH, (items.values - MIDDLE_LOG_LENGTH) / LOG_LENGTH_SCALE, 0.0
    )
    angle = torch.where(items.kinds == ANGLE, (items.values - 90.0) / ANGLE_SCALE_DEGREES, 0.0)
    return torch.cat([circle, length[..., None], angle[..., None]], dim=-1)


def _drawn(logits: Tensor, generator: torch.Generator) -> Tensor:
    """One part for each row, shape `(..., 1)`."""
    flat = logits.reshape(-1, logits.shape[-1]).softmax(-1)
    return torch.multinomial(flat, 1, generator=generator).reshape(*logits.shape[:-1], 1)


def _von_mises(kappa: Tensor, generator: torch.Generator) -> Tensor:
    """Angles about 0 by rejection from a wrapped Cauchy, shape of `kappa`.

    Source: Best and Fisher, J. R. Stat. Soc. C 28, 152 (1979), doi:10.2307/2346732.
    """
    kappa = kappa.double().clamp_min(1e-6)
    tau = 1 + torch.sqrt(1 + 4 * kappa.square())
    rho = (tau - torch.sqrt(2 * tau)) / (2 * kappa)
    spread = (1 + rho.square()) / (2 * rho)
    found = torch.zeros_like(kappa)
    waiting = torch.ones_like(kappa, dtype=torch.bool)
    while waiting.any():
        first, second, third = torch.rand(3, *kappa.shape, generator=generator, device=kappa.device).double()
        turn = torch.cos(math.pi * first)
        cosine = ((1 + spread * turn) / (spread + turn)).clamp(-1, 1)
        excess = kappa * (spread - cosine)
        kept = (excess * (2 - excess) > second) | (torch.log(excess / second.clamp_min(1e-12)) + 1 >= excess)
        kept &= waiting
        found = torch.where(kept, torch.sign(third - 0.5) * torch.acos(cosine), found)
        waiting &= ~kept
    return found.float()


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
