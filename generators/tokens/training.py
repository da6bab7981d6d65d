"""How is the token model trained?

One loop for every device: seeded, its order of crystals decided by the seed alone, resumable from a checkpoint of weights,
optimiser and random states. Needs torch, numpy and safetensors alone once the crystals are a table of items.
"""

from __future__ import annotations

import copy
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...core.errors import InputError
from ..learning import decay_groups, follow, matmul_precision
from .items import Table, batches, forget
from .model import TokenModel
from .vocabulary import Vocabulary

LEAST_RATE = 0.05  # of the highest learning rate, at the end


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how fast.

    Attributes:
        epochs: Passes over the training crystals.
        batch: Sequences in a batch.
        learning_rate: At its highest, after the warm-up.
        weight_decay: Of AdamW, for matrices alone.
        warmup: Share of all steps in which the rate rises.
        averaging: Decay of the moving average of weights, which is what is kept.
        clip: Largest norm of the gradient.
        forgetting: Share of property bins taken away; see `items.forget`.
        seed: Of first weights, order and forgetting.
    """

    epochs: int = 30
    batch: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.05
    averaging: float = 0.999
    clip: float = 1.0
    forgetting: float = 0.4
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """After one epoch.

    Attributes:
        epoch: Counted from 1.
        epochs: Of all.
        loss: Mean over the training items, nats.
        validation: Mean over the validation crystals of the nats of a whole crystal.
        seconds: Spent so far.
    """

    epoch: int
    epochs: int
    loss: float
    validation: float
    seconds: float


def train(
    model: TokenModel,
    table: Table,
    vocabulary: Vocabulary,
    training: Tensor,
    validation: Tensor,
    config: TrainingConfig,
    on_epoch: Callable[[Progress, TokenModel], None] | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "",
) -> TokenModel:
    """Train and return the averaged model of the last epoch.

    Args:
        model: Its first weights; changed in place.
        table: All sequences.
        vocabulary: Of the sequences.
        training, validation: Rows of the table; validation decides nothing here.
        config: How long and how fast.
        on_epoch: Called after every epoch with the averaged model, which it may look at and keep a copy of.
        checkpoint: File to resume from and write to after each epoch.
        fingerprint: Of configuration and data; a checkpoint of another one is refused.

    Raises:
        InputError: the checkpoint belongs to another training, or is none.
    """
    device = next(model.parameters()).device
    average = copy.deepcopy(model).eval().requires_grad_(False)
    optimiser = torch.optim.AdamW(
        decay_groups(model, config.weight_decay), lr=config.learning_rate, betas=(0.9, 0.95)
    )
    generator = torch.Generator().manual_seed(config.seed)
    steps = config.epochs * math.ceil(len(training) / config.batch)
    step = first = 0
    spent = 0.0
    if checkpoint is not None and checkpoint.is_file():
        state = _read(checkpoint, device, fingerprint)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        step, first, spent = state["step"], state["epoch"], state["seconds"]
    begun = time.perf_counter() - spent
    for epoch in range(first, config.epochs):
        model.train()
        total = count = 0.0
        with matmul_precision():
            for rows in batches(table.lengths, training, config.batch, generator):
                items = forget(table.batch(rows, device), vocabulary, config.forgetting, generator)
                losses, judged = model.losses(items), items.judged[:, 1:].sum()
                _set_rate(optimiser, config, step, steps)
                optimiser.zero_grad(set_to_none=True)
                (losses.sum() / judged).backward()
                nn.utils.clip_grad_norm_(model.parameters(), config.clip)
                optimiser.step()
                follow(average, model, min(config.averaging, (1 + step) / (10 + step)))
                total += float(losses.detach().sum())
                count += float(judged)
                step += 1
        seconds = time.perf_counter() - begun
        progress = Progress(
            epoch + 1, config.epochs, total / max(count, 1.0), nats(average, table, validation), seconds
        )
        if checkpoint is not None:
            _save(
                checkpoint,
                {
                    "model": model.state_dict(),
                    "average": average.state_dict(),
                    "optimiser": optimiser.state_dict(),
                    "generator": generator.get_state(),
                    "torch": torch.get_rng_state(),
                    "step": step,
                    "epoch": epoch + 1,
                    "seconds": seconds,
                    "fingerprint": fingerprint,
                },
            )
        if on_epoch:
            on_epoch(progress, average)
    return average


@torch.no_grad()
def nats(model: TokenModel, table: Table, rows: Tensor, batch: int = 256) -> float:
    """Mean over crystals of minus the logarithm of a whole crystal's density; properties as the table has them."""
    if not len(rows):
        return math.nan
    device = next(model.parameters()).device
    model.eval()
    ordered = rows[table.lengths[rows].argsort(stable=True)]
    total = sum(float(model.losses(table.batch(some, device)).sum()) for some in ordered.split(batch))
    return total / len(rows)


def rate_at(step: int, steps: int, config: TrainingConfig) -> float:
    """Rises linearly, then falls as a cosine to `LEAST_RATE` of the highest."""
    warm = max(1, int(config.warmup * steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return config.learning_rate * (LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * done)))


def _set_rate(optimiser: torch.optim.Optimizer, config: TrainingConfig, step: int, steps: int) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate_at(step, steps, config)


def _read(path: Path, device: torch.device, fingerprint: str) -> dict[str, Any]:
    """A checkpoint of this very training.

    Raises:
        InputError: it is of another one, or cannot be read.
    """
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise InputError(f"{path} cannot be read as a checkpoint; begin again with --anew.") from None
    if not isinstance(state, dict) or state.get("fingerprint") != fingerprint:
        raise InputError(
            f"{path} belongs to a training with other settings or data; give the model another name, or begin "
            "again with --anew."
        )
    return state


def _save(path: Path, state: dict[str, Any]) -> None:
    """In one move, so that an interruption leaves the old checkpoint or the new one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
