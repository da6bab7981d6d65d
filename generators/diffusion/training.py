"""How is the network trained, and how are its adapters?

One loop for every device. Order, noise and wishes of a step follow from the seed and the step alone, so that a training that
was interrupted goes on as if it had not been. The rate rises, stays, and falls to nothing at the end; what is kept is a moving
average of the weights. Needs torch, numpy and safetensors alone once the crystals are a `Table`.

Source: Hu et al., arXiv:2404.06395, section 4 (a rate that stays and then falls).
"""

from __future__ import annotations

import contextlib
import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..learning import decay_groups, follow, matmul_precision
from .adapters import GROUPS, SPACEGROUP, SYSTEMS, Adapter, drawn_intervals, shares_of
from .checkpoints import read_checkpoint, write_checkpoint
from .network import Network
from .process import Losses, add_noise, losses
from .table import Table

WARMUP_STEPS = 500
FALLING = 0.3
"""Share of the training in which the rate falls."""
SYMMETRIC_SHARE = 0.5
"""Of crystals that are shown with their symmetry."""
HIDING = (0.5, 0.25)
"""Share of crystals whose types are hidden, without symmetry and with it; of the others the formula is given."""
DECISIVE, DECISIVE_SHARE = (0.3, 0.9), 0.6
"""Times at which a crystal takes shape (a noise of 0.01 to 0.3 of a period), and the share of a training spent on them alone; the
rest is spread evenly."""
VALIDATED = 768
"""Validation crystals that are looked at."""
DEAF_SHARE = 0.1
"""Of crystals whose wish is left out of an adapter's training."""


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how fast.

    Attributes:
        minutes: Of training, pauses not counted.
        steps: At most.
        batch: Crystals in a step.
        learning_rate: At its highest.
        weight_decay: Of AdamW, for matrices alone.
        averaging: Decay of the moving average.
        clip: Largest norm of the gradient.
        checkpoint_minutes: From one checkpoint to the next.
        report_steps: From one report to the next.
        compiled: Whether the network is compiled first; pays on a GPU.
        seed: Of first weights, order, noise and wishes.
    """

    minutes: float = 110.0
    steps: int = 1_000_000
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    averaging: float = 0.9995
    clip: float = 1.0
    checkpoint_minutes: float = 3.0
    report_steps: int = 1000
    compiled: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """So far.

    Attributes:
        step: Steps done.
        epochs: Passes over the training crystals.
        share: Of the whole training, by time or by steps, whichever is further.
        training: Mean losses of motions, lattice and types over the steps since the last report; none where there was no step.
        validation: The same of held-out crystals under a noise that stays the same.
        seconds: Of training.
    """

    step: int
    epochs: float
    share: float
    training: tuple[float, float, float] | None
    validation: tuple[float, float, float]
    seconds: float


def train(
    network: Network,
    table: Table,
    config: TrainingConfig,
    adapter: Adapter | None = None,
    on_report: Callable[[Progress, nn.Module], None] | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "",
) -> nn.Module:
    """Train the network, or one adapter on a network that stays as it is.

    Args:
        network: Its first weights; changed in place unless there is an adapter.
        table: Crystals.
        config: How long and how fast.
        adapter: Changed in place.
        on_report: Called now and then, and at the end even if nothing was left to do, with the averaged weights, which it may
            look at and keep a copy of.
        checkpoint: Folder to resume from and to write to.
        fingerprint: Of configuration and data; a checkpoint of another one is refused.

    Returns:
        The averaged weights of the network, or of the adapter.

    Raises:
        InputError: the checkpoint belongs to another training, or is none.
        KeyboardInterrupt: after a checkpoint was written.
    """
    training = Training(network, table, config, adapter, checkpoint, fingerprint)
    with matmul_precision():
        try:
            while not training.is_done:
                training.advance()
                if on_report and training.step % config.report_steps == 0 and not training.is_done:
                    on_report(training.progress(), training.average)
                training.save_now_and_then()
        except KeyboardInterrupt:
            training.save()
            raise
        if on_report:
            on_report(training.progress(), training.average)
    training.save()
    return training.average


class Training:
    """Weights, optimiser and clock of one training; see `train`."""

    def __init__(
        self,
        network: Network,
        table: Table,
        config: TrainingConfig,
        adapter: Adapter | None,
        checkpoint: Path | None,
        fingerprint: str,
    ) -> None:
        self.device = next(network.parameters()).device
        self.network, self.table, self.config, self.adapter = network, table.to(self.device), config, adapter
        self.checkpoint, self.fingerprint = checkpoint, fingerprint
        self.learner: nn.Module = network if adapter is None else adapter
        if adapter is not None:
            network.requires_grad_(False).eval()
        self.average = copy.deepcopy(self.learner).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            decay_groups(self.learner, config.weight_decay), lr=config.learning_rate, betas=(0.9, 0.98)
        )
        self.forward = torch.compile(network, dynamic=True) if config.compiled else network
        self.wishes = None if adapter is None else Wishes(adapter.config.name, self.table)
        taught = self.table.training
        known = torch.ones_like(taught) if self.wishes is None else self.wishes.known
        self.rows = torch.nonzero(taught & known)[:, 0]
        self.held_out = torch.nonzero(~taught & known)[:, 0]
        self.natoms = self.table.symmetric.natoms
        self.step, self.spent = 0, 0.0
        if checkpoint is not None:
            self._resume(checkpoint)
        self.begun = time.monotonic() - self.spent
        self.saved = time.monotonic()
        self.sums, self.count = torch.zeros(3), 0
        self._epoch, self._order = -1, torch.empty(0)

    @property
    def steps_per_epoch(self) -> int:
        """Of one pass over the training crystals."""
        return math.ceil(len(self.rows) / self.config.batch)

    @property
    def seconds(self) -> float:
        """Of training so far."""
        return time.monotonic() - self.begun

    @property
    def share(self) -> float:
        """Of the whole training that is done."""
        return min(1.0, max(self.seconds / (60 * self.config.minutes), self.step / self.config.steps))

    @property
    def is_done(self) -> bool:
        """Whether time or steps are used up."""
        return self.share >= 1

    def advance(self) -> None:
        """One step."""
        generator = self._generator(self.step)
        self.learner.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * rate_at(self.step, self.share)
        found = _losses(
            self.forward, self.table, self._batch(), generator, self._heard(self.learner), gathered
        )
        self.optimiser.zero_grad(set_to_none=True)
        found.total().backward()
        nn.utils.clip_grad_norm_(self.learner.parameters(), self.config.clip)
        self.optimiser.step()
        follow(self.average, self.learner, min(self.config.averaging, (1 + self.step) / (10 + self.step)))
        self.step += 1
        self.sums += torch.tensor(
            [float(one.detach()) for one in (found.motions, found.lattice, found.types)]
        )
        self.count += 1

    @torch.no_grad()
    def progress(self) -> Progress:
        """Where the training stands; begins a new mean of the training losses."""
        training = tuple((self.sums / self.count).tolist()) if self.count else None
        self.sums, self.count = torch.zeros(3), 0
        return Progress(
            self.step,
            self.step / self.steps_per_epoch,
            self.share,
            training,  # type: ignore[arg-type]
            self._validation(),
            self.seconds,
        )

    def save_now_and_then(self) -> None:
        """Write a checkpoint if the last one is old."""
        if time.monotonic() - self.saved > 60 * self.config.checkpoint_minutes:
            self.save()

    def save(self) -> None:
        """Write a checkpoint."""
        if self.checkpoint is None:
            return
        write_checkpoint(
            self.checkpoint,
            {"learner": self.learner.state_dict(), "average": self.average.state_dict()},
            self.optimiser,
            {"step": self.step, "seconds": self.seconds, "fingerprint": self.fingerprint},
        )
        self.saved = time.monotonic()

    def _resume(self, folder: Path) -> None:
        told = read_checkpoint(
            folder, {"learner": self.learner, "average": self.average}, self.optimiser, self.fingerprint
        )
        if told is not None:
            self.step, self.spent = int(told["step"]), float(told["seconds"])

    def _batch(self) -> Tensor:
        """The crystals of this step: of nearly one size, every one once in a pass."""
        epoch, place = divmod(self.step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self._pass(epoch)
        return self.rows[self._order[place]]

    def _pass(self, epoch: int) -> list[Tensor]:
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + 7_919 * (epoch + 1))
        jitter = torch.rand(len(self.rows), generator=generator).to(self.device)
        batches = (self.natoms[self.rows] + jitter).argsort().split(self.config.batch)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def _generator(self, step: int) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(self.config.seed * 1_000_003 + step)

    def _heard(self, learner: nn.Module) -> Heard:
        """What an adapter is told of crystals."""
        wishes = self.wishes
        if wishes is None:
            return lambda rows, generator: []
        return lambda rows, generator: [(learner, wishes.drawn(rows, generator))]

    def _validation(self) -> tuple[float, float, float]:
        network = self.average if self.wishes is None else self.network
        return validation(network, self.table, self.held_out, self.config.seed, self._heard(self.average))


Heard = Callable[[Tensor, torch.Generator], list[tuple[Any, Tensor]]]
"""Adapters with their wishes, of crystals by their rows."""


@torch.no_grad()
def validation(
    network: nn.Module,
    table: Table,
    rows: Tensor,
    seed: int,
    heard: Heard = lambda rows, generator: [],
) -> tuple[float, float, float]:
    """Mean losses of motions, lattice and types under a noise that the seed decides; NaN without crystals.

    Args:
        network: In whatever mode; it is in evaluation mode afterwards.
        table: Crystals, on the network's device.
        rows: Which of them, of which `VALIDATED` at most are looked at.
        seed: Of the noise, which is the same whatever is heard, and of what is heard.
        heard: Adapters.
    """
    if not len(rows):
        return math.nan, math.nan, math.nan
    network.eval()
    natoms = table.symmetric.natoms
    generator, wishes = (torch.Generator(rows.device).manual_seed(seed * 1_000_003 + i) for i in (0, 1))
    total, count = torch.zeros(3), 0
    chosen = rows[:: max(1, len(rows) // VALIDATED)]
    for some in chosen[natoms[chosen].argsort(stable=True)].split(128):
        found = _losses(network, table, some, generator, lambda those, _: heard(those, wishes))
        total += len(some) * torch.tensor([float(f) for f in (found.motions, found.lattice, found.types)])
        count += len(some)
    return tuple((total / count).tolist())  # type: ignore[return-value]


def _losses(
    network: Callable,
    table: Table,
    rows: Tensor,
    generator: torch.Generator,
    heard: Heard,
    spread: Callable[[Tensor], Tensor] = lambda even: even,
) -> Losses:
    """Of some crystals, with or without symmetry, formula given or hidden, at times of `spread`."""
    count, drawn = len(rows), {"generator": generator, "device": rows.device}
    symmetric, flip, hide = (torch.rand(count, **drawn) for _ in range(3))
    symmetric = symmetric < SYMMETRIC_SHARE
    batch = table.batch(rows, symmetric)
    flip = (flip < 0.5) & ~symmetric
    batch = batch.but(free=torch.where(flip[:, None, None], -batch.free % 1.0, batch.free))
    hide = hide < torch.tensor(HIDING, device=rows.device)[symmetric.long()]
    times = spread((torch.randperm(count, **drawn) + torch.rand(1, **drawn)) / count)
    noisy, asked = add_noise(batch, times, hide, generator)
    with _autocast(rows.device):
        expected = network(noisy.crystals, noisy.time, noisy.shown, heard(rows, generator))
    return losses(batch, noisy, asked, expected)


def gathered(even: Tensor) -> Tensor:
    """Times of a training from numbers that fill 0 to 1 evenly: most of them lie in `DECISIVE`."""
    low, high = DECISIVE
    before = low * (1 - DECISIVE_SHARE)
    within = DECISIVE_SHARE + (high - low) * (1 - DECISIVE_SHARE)
    rest = 1 - DECISIVE_SHARE
    times = torch.where(even < before, even / rest, low + (even - before) * (high - low) / within)
    return torch.where(even > before + within, high + (even - before - within) / rest, times)


class Wishes:
    """What an adapter is told of the training crystals.

    Args:
        name: Of the property.
        table: With its values.
    """

    def __init__(self, name: str, table: Table) -> None:
        self.groups: Tensor | None = None
        if name == SPACEGROUP:
            self.groups = table.properties[SPACEGROUP]
            self.known = torch.ones_like(table.training)
            return
        values = table.properties[name]
        self.known = values.isfinite()
        training = values[self.known & table.training]
        self.below, self.through = shares_of(values, training)

    def drawn(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Wishes that these crystals fulfil; some are empty."""
        deaf = torch.rand(len(rows), generator=generator, device=rows.device) < DEAF_SHARE
        if self.groups is not None:
            return _thinned(self.groups[rows], deaf, generator)
        below, through = self.below[rows], self.through[rows]
        below, through = torch.where(deaf, 0.0, below), torch.where(deaf, 1.0, through)
        return drawn_intervals(below, through, generator)


def _thinned(told: Tensor, deaf: Tensor, generator: torch.Generator) -> Tensor:
    """Group features of which the number is left out at times, or all but the crystal system, or everything."""
    found = told.clone()
    draw = torch.rand(len(told), generator=generator, device=told.device)
    found[draw < 0.4, :GROUPS] = 0
    found[draw < 0.25, GROUPS + SYSTEMS :] = 0
    found[deaf] = 0
    return found


def rate_at(step: int, share: float) -> float:
    """Of the highest rate: rises linearly over the first steps, falls as a square root towards the end."""
    rising = min(1.0, (step + 1) / WARMUP_STEPS)
    falling = max(0.0, share - (1 - FALLING)) / FALLING
    return rising * (1 - math.sqrt(falling)) if falling else rising


def _autocast(device: torch.device) -> contextlib.AbstractContextManager:
    if device.type == "cuda":
        return torch.autocast("cuda", torch.bfloat16)
    return contextlib.nullcontext()
