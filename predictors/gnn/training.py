"""How is the property network trained?

One loop for every property and device, resumable from a checkpoint of weights, optimiser and random states. Needs
torch, torch_geometric, numpy and safetensors alone.
"""

from __future__ import annotations

import contextlib
import copy
import math
import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.errors import InputError
from .packed import Packed

MATMUL_PRECISION = "medium"  # bfloat16 products summed in float32, where the processor has them
RARE = 8  # a head with labels for less than this part of a batch counts for less


@dataclass(frozen=True)
class TrainingConfig:
    """How long and how fast.

    Attributes:
        epochs: Passes over the training crystals.
        batch: Crystals in a batch.
        learning_rate: At its highest, after the warm-up.
        weight_decay: Of AdamW.
        warmup: Share of all steps in which the rate rises.
        averaging: Decay of the moving average of weights, which is what is kept.
        clip: Largest norm of the gradient.
        trunk_rate: Learning rate of the trunk over that of the heads; below one it forgets less of what it started from.
        seed: Of the first weights and the order of crystals.
    """

    epochs: int = 100
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup: float = 0.1
    averaging: float = 0.995
    clip: float = 5.0
    trunk_rate: float = 1.0
    seed: int = 0


@dataclass
class Targets:
    """What the heads are to learn of each crystal.

    Attributes:
        values: Labels by head, in their units, NaN where there is none, shape `(ncrystals, outputs)`.
        kinds: `l1` (absolute error), `binary` (label 0 or 1) or `classes` (label is the class's
            number), by head.
        weights: Share of a head in the loss.
        offsets: What is known before the network speaks and only corrected by it, by head, as `values`; of `binary` the log odds.
        means, scales: Of the training labels minus offsets, by head, shape `(outputs,)`; filled by `fit`.
    """

    values: dict[str, Tensor]
    kinds: dict[str, str]
    weights: dict[str, float] = field(default_factory=dict)
    offsets: dict[str, Tensor] = field(default_factory=dict)
    means: dict[str, Tensor] = field(default_factory=dict)
    scales: dict[str, Tensor] = field(default_factory=dict)

    def to(self, device: str | torch.device) -> Targets:
        """The same on another device."""
        tables = {
            name: {key: tensor.to(device) for key, tensor in getattr(self, name).items()}
            for name in ("values", "offsets", "means", "scales")
        }
        return Targets(kinds=self.kinds, weights=self.weights, **tables)

    def fit(self, indices: Tensor) -> None:
        """Take means and scales from the crystals of `indices`."""
        for name in self.values:
            known = self.residual(name)[indices]
            if self.kinds[name] == "l1":
                self.means[name] = torch.nanmedian(known, dim=0).values
                self.scales[name] = torch.nanmean((known - self.means[name]).abs(), dim=0).clamp_min(1e-6)

    def residual(self, name: str) -> Tensor:
        """Labels minus what is known before."""
        return self.values[name] - self.offsets.get(name, 0.0)

    def loss(self, outputs: Mapping[str, Tensor], indices: Tensor) -> Tensor:
        """Weighted sum over heads of the mean over labels; each member is trained on all of them.

        A head with few labels in the batch counts for less, so that one rare label does not outshout the rest.
        """
        total = torch.zeros((), device=indices.device)
        for name, found in outputs.items():
            wanted = self.values[name][indices]
            known = ~torch.isnan(wanted)
            if not known.any():
                continue
            losses = self._losses(name, found, wanted, indices)
            fewest = len(indices) / RARE
            mean = (losses * known).sum() / (known.sum().clamp_min(fewest) * len(found))
            total = total + self.weights.get(name, 1.0) * mean
        return total

    def _losses(self, name: str, found: Tensor, wanted: Tensor, indices: Tensor) -> Tensor:
        """Of each member, crystal and output; whatever where there is no label."""
        filled = torch.nan_to_num(wanted)
        if self.kinds[name] == "classes":
            chosen = filled.long().expand(len(found), -1, -1)
            return -found.log_softmax(dim=-1).gather(-1, chosen)
        if self.kinds[name] == "binary":
            logits = found + self._offset(name, indices)
            return functional.binary_cross_entropy_with_logits(
                logits, filled.expand_as(found), reduction="none"
            )
        scaled = (self.residual(name)[indices] - self.means[name]) / self.scales[name]
        return (found - torch.nan_to_num(scaled)).abs()

    def predictions(self, outputs: Mapping[str, Tensor], indices: Tensor) -> dict[str, Tensor]:
        """In units of the labels (or probabilities), shape `(members, n, outputs)`."""
        found = {}
        for name, raw in outputs.items():
            if self.kinds[name] == "classes":
                found[name] = raw.softmax(dim=-1)
            elif self.kinds[name] == "binary":
                found[name] = (raw + self._offset(name, indices)).sigmoid()
            else:
                found[name] = raw * self.scales[name] + self.means[name] + self._offset(name, indices)
        return found

    def _offset(self, name: str, indices: Tensor) -> Tensor | float:
        return self.offsets[name][indices] if name in self.offsets else 0.0


@dataclass(frozen=True)
class Progress:
    """After one epoch.

    Attributes:
        epoch: Counted from 1.
        epochs: Of all.
        loss: Mean training loss.
        errors: Mean absolute error (or share of wrong classes) on the validation crystals, by head.
        seconds: Spent so far.
    """

    epoch: int
    epochs: int
    loss: float
    errors: dict[str, float]
    seconds: float


def train(
    network: nn.Module,
    crystals: Packed,
    targets: Targets,
    training: Tensor,
    validation: Tensor,
    config: TrainingConfig,
    on_epoch: Callable[[Progress], None] | None = None,
    checkpoint: Path | None = None,
    validate_every: int = 1,
    fingerprint: str = "",
) -> nn.Module:
    """Train and return the averaged network.

    Args:
        network: Its first weights; changed in place.
        crystals: All crystals, on the device of the network.
        targets: Labels of all crystals, on the same device; means and scales are fitted here.
        training: Indices to learn from.
        validation: Indices to report on; they decide nothing here.
        config: How long and how fast.
        on_epoch: Called after every epoch.
        checkpoint: File to resume from and write to after each epoch.
        validate_every: Epochs between two reports on the validation crystals.
        fingerprint: Of configuration and data; a checkpoint of another one is refused.

    Raises:
        InputError: the checkpoint belongs to another training, or is none.
    """
    targets.fit(training)
    steps = config.epochs * math.ceil(len(training) / config.batch)
    optimiser = torch.optim.AdamW(
        _groups(network, config), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.98)
    )
    average = copy.deepcopy(network).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(config.seed)
    step = first = 0
    spent = 0.0
    if checkpoint is not None and checkpoint.is_file():
        state = _read(checkpoint, training.device, fingerprint)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        generator.set_state(state["generator"].cpu())
        torch.set_rng_state(state["torch"].cpu())
        step, first, spent = state["step"], state["epoch"], state["seconds"]
    begun = time.perf_counter() - spent
    for epoch in range(first, config.epochs):
        network.train()
        total = 0.0
        with matmul_precision(MATMUL_PRECISION):
            for indices in _batches(training, config.batch, generator):
                set_rate(optimiser, rate_at(step, steps, config))
                loss = targets.loss(network(crystals.batch(indices)), indices)
                if not loss.requires_grad:  # no crystal of this batch has a label
                    continue
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), config.clip)
                optimiser.step()
                follow(average, network, min(config.averaging, (1 + step) / (10 + step)))
                total += float(loss.detach()) * len(indices)
                step += 1
        last = epoch + 1 == config.epochs
        errors = {}
        if len(validation) and (last or (epoch + 1) % validate_every == 0):
            errors = mean_errors(average, crystals, targets, validation)
        seconds = time.perf_counter() - begun
        if checkpoint is not None:
            _save(checkpoint, network, average, optimiser, generator, step, epoch + 1, seconds, fingerprint)
        if on_epoch:
            on_epoch(Progress(epoch + 1, config.epochs, total / len(training), errors, seconds))
    return average


def predict(
    network: nn.Module, crystals: Packed, targets: Targets, indices: Tensor, batch: int = 256
) -> dict[str, Tensor]:
    """Predictions of all members, on the processor, shape `(members, n, outputs)` by head."""
    parts: dict[str, list[Tensor]] = {}
    network.eval()
    with torch.no_grad():
        for some in indices.split(batch):
            for name, found in targets.predictions(network(crystals.batch(some)), some).items():
                parts.setdefault(name, []).append(found.cpu())
    return {name: torch.cat(found, dim=1) for name, found in parts.items()}


def mean_errors(network: nn.Module, crystals: Packed, targets: Targets, indices: Tensor) -> dict[str, float]:
    """Mean absolute error of the mean of the members, or share of wrong classes, by head."""
    found = predict(network, crystals, targets, indices)
    errors = {}
    for name, members in found.items():
        wanted = targets.values[name][indices].cpu()
        known = ~torch.isnan(wanted)
        if not known.any():
            continue
        guess = members.mean(0)
        if targets.kinds[name] == "classes":
            wrong = guess.argmax(-1) != torch.nan_to_num(wanted[:, 0]).long()
            errors[name] = float(wrong[known[:, 0]].float().mean())
        elif targets.kinds[name] == "binary":
            errors[name] = float(((guess > 0.5).float() != wanted)[known].float().mean())
        else:
            errors[name] = float((guess - wanted)[known].abs().mean())
    return errors


def _batches(indices: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.randperm(len(indices), generator=generator).to(indices.device)
    yield from indices[order].split(size)


def rate_at(step: int, steps: int, config: TrainingConfig) -> float:
    """Rises linearly, then falls as a cosine to a hundredth."""
    warm = max(1, int(config.warmup * steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, steps - warm)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Of every parameter, times the `factor` of its group."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def _groups(network: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    """The trunk's parameters and all others, each with the factor of its rate."""
    named = list(network.named_parameters())
    trunk = [p for name, p in named if name.startswith("trunk.")]
    others = [p for name, p in named if not name.startswith("trunk.")]
    groups = [{"params": trunk, "factor": config.trunk_rate}, {"params": others, "factor": 1.0}]
    return [group for group in groups if group["params"]]


def require_device(device: str) -> None:
    """Refuse a device that is not here, before anything is prepared for it.

    Raises:
        InputError: torch cannot place a tensor on it.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"Training cannot run on {device!r} here: {str(error).splitlines()[0]}") from None


@contextlib.contextmanager
def matmul_precision(wanted: str) -> Iterator[None]:
    """Matrix products in this precision, and afterwards as before."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(wanted)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the present ones; running statistics are taken over."""
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)


def _read(path: Path, device: torch.device, fingerprint: str) -> dict[str, Any]:
    """A checkpoint of this very training.

    Raises:
        InputError: it is of another one, or cannot be read.
    """
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError):
        raise InputError(f"{path} cannot be read as a checkpoint; begin again with --anew.") from None
    if not isinstance(state, dict) or state.get("fingerprint", fingerprint) != fingerprint:
        raise InputError(
            f"{path} belongs to a training with other settings or data; give the model another name, or begin "
            "again with --anew."
        )
    return state


def _save(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    generator: torch.Generator,
    step: int,
    epoch: int,
    seconds: float,
    fingerprint: str,
) -> None:
    """Replace the checkpoint in one move, so that an interruption leaves the old or the new one."""
    state = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "generator": generator.get_state(),
        "torch": torch.get_rng_state(),
        "step": step,
        "epoch": epoch,
        "seconds": seconds,
        "fingerprint": fingerprint,
    }
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)
