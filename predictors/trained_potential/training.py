"""How is a potential trained?

One loop for every data set and device: energies, forces and stresses together, frames of several fidelities in one
batch. Resumable in the midst of an epoch, since its order belongs to seed and epoch alone. Needs torch,
torch_geometric, numpy and safetensors alone.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.data import Data

from ...core.errors import InputError, StageError
from ..gnn.training import Progress, TrainingConfig, follow, rate_at, set_rate
from .network import Output, PotentialNetwork, edge_vectors
from .packed_frames import PackedFrames

ENERGY_THRESHOLD = 0.02
"""eV; of OC20's share of frames whose energy and forces are both right (Chanussot et al., arXiv:2010.09990)."""
FORCE_THRESHOLD = 0.03
"""eV/A, of every component; as above."""


@dataclass(frozen=True)
class PotentialTraining(TrainingConfig):
    """How long, how fast, and what counts.

    Attributes:
        energy_weight: Of the mean absolute error of energies, eV/atom (adsorption energies: eV).
        force_weight: Of the mean length of the errors of forces, eV/A.
        stress_weight: Of the mean absolute error of stresses, eV/A^3.
        freeze_trunk: Whether only the heads learn.
        checkpoint_seconds: Between two checkpoints within an epoch.
    """

    epochs: int = 50
    batch: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    averaging: float = 0.999
    energy_weight: float = 4.0
    force_weight: float = 1.0
    stress_weight: float = 20.0
    freeze_trunk: bool = False
    checkpoint_seconds: float = 600.0


@dataclass(frozen=True)
class Share:
    """One data set of a training; all its frames are of one fidelity.

    Attributes:
        indices: Its training frames.
        per_epoch: How many of them an epoch takes; more than there are come again in another order.
    """

    indices: Tensor
    per_epoch: int


@dataclass(frozen=True)
class Trained:
    """What a training leaves, moving averages of the weights.

    Attributes:
        last: After the last epoch.
        best: Of the lowest validation loss.
        best_epoch: Counted from 1; the last where there are no validation frames.
    """

    last: PotentialNetwork
    best: PotentialNetwork
    best_epoch: int


def train_network(
    network: PotentialNetwork,
    frames: PackedFrames,
    shares: Sequence[Share],
    validation: Tensor,
    config: PotentialTraining,
    on_epoch: Callable[[Progress], None] | None = None,
    on_step: Callable[[], None] | None = None,
    checkpoint: Path | None = None,
    fingerprint: str = "",
) -> Trained:
    """Train, on the device where network and frames are.

    Args:
        network: Its first weights, references and scales; changed in place.
        frames: All frames.
        shares: What is learned from.
        validation: Indices to report on; they choose the best epoch and nothing else.
        config: How long, how fast, and what counts.
        on_epoch: Called after every epoch.
        on_step: Called after every step.
        checkpoint: File to resume from and to write to.
        fingerprint: Of configuration and data; a checkpoint of another one is refused.

    Raises:
        InputError: the checkpoint belongs to another training.
        StageError: the loss is no longer finite.
    """
    taught = {int(frames.fidelity[share.indices[0]]) for share in shares}
    run = _Run(network, taught, config, steps_of(shares, config), fingerprint)
    if checkpoint is not None and checkpoint.is_file():
        run.resume(checkpoint, frames.energies.device)
    saved = time.perf_counter()
    while run.epoch < config.epochs:
        network.train()
        batches = epoch_order(shares, config.seed, run.epoch).split(config.batch)
        while run.place < len(batches):
            run.step(frames, batches[run.place].to(frames.energies.device))
            if on_step:
                on_step()
            if checkpoint is not None and time.perf_counter() - saved >= config.checkpoint_seconds:
                run.save(checkpoint)
                saved = time.perf_counter()
        progress = run.end_epoch(frames, validation, sum(map(len, batches)))
        if checkpoint is not None:
            run.save(checkpoint)
            saved = time.perf_counter()
        if on_epoch:
            on_epoch(progress)
    return run.trained()


def steps_of(shares: Sequence[Share], config: PotentialTraining) -> int:
    """Number of steps of the whole training."""
    return config.epochs * math.ceil(sum(share.per_epoch for share in shares) / config.batch)


def epoch_order(shares: Sequence[Share], seed: int, epoch: int) -> Tensor:
    """Which frames an epoch visits, in order; the same for the same seed and epoch."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    chosen = []
    for share in shares:
        rounds = math.ceil(share.per_epoch / len(share.indices))
        orders = [torch.randperm(len(share.indices), generator=generator) for _ in range(rounds)]
        chosen.append(share.indices.cpu()[torch.cat(orders)[: share.per_epoch]])
    together = torch.cat(chosen)
    return together[torch.randperm(len(together), generator=generator)]


def loss_of(output: Output, data: Data, network: PotentialNetwork, config: PotentialTraining) -> Tensor:
    """Weighted sum of the errors of what is known in a batch."""
    errors = _energy_errors(output, data, network).abs()
    total = config.energy_weight * errors.mean()
    free = torch.isfinite(data.forces).all(dim=1)
    if config.force_weight and free.any():
        misses = torch.linalg.vector_norm(output.forces[free] - data.forces[free], dim=1)
        total = total + config.force_weight * misses.mean()
    stressed = torch.isfinite(data.stresses).flatten(1).all(dim=1)
    if config.stress_weight and stressed.any():
        total = (
            total + config.stress_weight * (output.stresses[stressed] - data.stresses[stressed]).abs().mean()
        )
    return total


def measure(
    network: PotentialNetwork,
    frames: PackedFrames,
    indices: Tensor,
    config: PotentialTraining,
) -> tuple[float, dict[str, dict[str, float]]]:
    """Loss over the frames, and the errors of each fidelity.

    Returns:
        By fidelity: `frames`, `energy_mae` (eV/atom; adsorption energies: eV), and where they are known `force_mae`
        (eV/A, mean over components), `force_mae_of_zero` (the same if all forces were said to be zero), `stress_mae`
        (eV/A^3) and `within_threshold` (share of frames with energy and forces right by OC20's thresholds).
    """
    network.eval()
    sums: dict[str, _Sums] = {name: _Sums() for name in network.shape.fidelities}
    total = 0.0
    for some in indices.split(config.batch):
        data = frames.batch(some)
        output = network.evaluate(data)
        total += float(loss_of(output, data, network, config)) * len(some)
        for k, name in enumerate(network.shape.fidelities):
            sums[name].add(output, data, _energy_errors(output, data, network), k)
    found = {name: table.means() for name, table in sums.items() if table.frames}
    return total / max(len(indices), 1), found


class _Run:
    """The state of a training, as its checkpoint holds it."""

    def __init__(
        self,
        network: PotentialNetwork,
        taught: set[int],
        config: PotentialTraining,
        steps: int,
        fingerprint: str,
    ) -> None:
        self.network, self.config, self.steps, self.fingerprint = network, config, steps, fingerprint
        network.trunk.requires_grad_(not config.freeze_trunk)
        for k, head in enumerate(network.heads.values()):
            head.requires_grad_(k in taught)  # the decay of weights would change the others
        self.optimiser = torch.optim.AdamW(
            [p for p in network.parameters() if p.requires_grad],
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
        )
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.best = copy.deepcopy(self.average)
        self.best_loss, self.best_epoch = math.inf, 0
        self.epoch = self.place = self.taken = 0
        self.total = 0.0
        self.begun = time.perf_counter()

    def step(self, frames: PackedFrames, indices: Tensor) -> None:
        """One batch."""
        config = self.config
        set_rate(self.optimiser, rate_at(self.taken, self.steps, config))
        data = frames.batch(indices)
        loss = loss_of(_evaluated(self.network, data, config), data, self.network, config)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise StageError(
                f"The loss is {value} at step {self.taken + 1}; lower learning_rate, or look for frames whose "
                "forces are out of bounds."
            )
        self.optimiser.zero_grad(set_to_none=True)
        if loss.requires_grad:
            loss.backward()
            nn.utils.clip_grad_norm_(self.network.parameters(), config.clip)
            self.optimiser.step()
        follow(self.average, self.network, min(config.averaging, (1 + self.taken) / (10 + self.taken)))
        self.total += value * len(indices)
        self.place += 1
        self.taken += 1

    def end_epoch(self, frames: PackedFrames, validation: Tensor, count: int) -> Progress:
        """Validate, keep the best, and begin the next epoch."""
        errors: dict[str, float] = {}
        loss = -self.epoch  # without validation frames the last is the best
        if len(validation):
            loss, found = measure(self.average, frames, validation.to(frames.energies.device), self.config)
            errors = {
                f"{name} {what}": v for name, t in found.items() for what, v in t.items() if _told(what)
            }
            errors["validation loss"] = loss
        if loss < self.best_loss or not self.best_epoch:
            self.best_loss, self.best_epoch = loss, self.epoch + 1
            self.best.load_state_dict(self.average.state_dict())
        mean, self.total, self.place = self.total / max(count, 1), 0.0, 0
        self.epoch += 1
        return Progress(self.epoch, self.config.epochs, mean, errors, time.perf_counter() - self.begun)

    def trained(self) -> Trained:
        """What is left when it ends."""
        return Trained(self.average, self.best, self.best_epoch)

    def save(self, path: Path) -> None:
        """Replace the checkpoint in one move."""
        state: dict[str, Any] = {name: getattr(self, name).state_dict() for name in _MODULES}
        state |= {name: getattr(self, name) for name in _NUMBERS}
        state["seconds"] = time.perf_counter() - self.begun
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def resume(self, path: Path, device: torch.device) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, weights_only=True, map_location=device)
        if state.get("fingerprint") != self.fingerprint:
            raise InputError(
                f"{path} belongs to a training with other settings or data; give the model another name, or "
                "begin again with --anew."
            )
        for name in _MODULES:
            getattr(self, name).load_state_dict(state[name])
        for name in _NUMBERS:
            setattr(self, name, state[name])
        self.begun = time.perf_counter() - state["seconds"]


_MODULES = ("network", "average", "best", "optimiser")
_NUMBERS = ("fingerprint", "best_loss", "best_epoch", "epoch", "place", "taken", "total")


class _Sums:
    """Sums over frames of one fidelity, from which its errors are told."""

    def __init__(self) -> None:
        self.frames = self.components = self.stresses = self.judged = 0
        self.energy = self.force = self.zero = self.stress = 0.0
        self.right = 0

    def add(self, output: Output, data: Data, energy_errors: Tensor, fidelity: int) -> None:
        """Add those frames of a batch that are of the fidelity."""
        ours = data.fidelity == fidelity
        self.frames += int(ours.sum())
        self.energy += float(energy_errors[ours].abs().sum())
        free = torch.isfinite(data.forces).all(dim=1)
        misses = (output.forces - data.forces).abs()
        mine = free & ours[data.owners]
        self.components += 3 * int(mine.sum())
        self.force += float(misses[mine].sum())
        self.zero += float(data.forces[mine].abs().sum())
        stressed = ours & torch.isfinite(data.stresses).flatten(1).all(dim=1)
        self.stresses += 9 * int(stressed.sum())
        self.stress += float((output.stresses - data.stresses)[stressed].abs().sum())
        worst = torch.zeros(len(ours), device=misses.device, dtype=misses.dtype)
        worst = worst.scatter_reduce(0, data.owners[free], misses[free].amax(dim=1), "amax")
        with_forces = torch.zeros_like(ours).index_fill(0, data.owners[free], True)
        judged = ours & with_forces
        close = (output.energies - data.energies).abs() < ENERGY_THRESHOLD
        self.judged += int(judged.sum())
        self.right += int((judged & close & (worst < FORCE_THRESHOLD)).sum())

    def means(self) -> dict[str, float]:
        """The errors; see `measure`."""
        found: dict[str, float] = {"frames": self.frames, "energy_mae": self.energy / self.frames}
        if self.components:
            found["force_mae"] = self.force / self.components
            found["force_mae_of_zero"] = self.zero / self.components
        if self.stresses:
            found["stress_mae"] = self.stress / self.stresses
        if self.judged:
            found["within_threshold"] = self.right / self.judged
        return found


def _told(what: str) -> bool:
    """Whether an error changes from epoch to epoch."""
    return what not in ("frames", "force_mae_of_zero")


def _energy_errors(output: Output, data: Data, network: PotentialNetwork) -> Tensor:
    """Per atom, or of adsorption energies per frame, eV, shape `(nframes,)`."""
    whole = network.adsorption[data.fidelity]
    return (output.energies - data.energies) / torch.where(whole, 1, data.sizes)


def _evaluated(network: PotentialNetwork, data: Data, config: PotentialTraining) -> Output:
    """Slopes are computed where some are known."""
    slopes = (config.force_weight and torch.isfinite(data.forces).any()) or (
        config.stress_weight and torch.isfinite(data.stresses).any()
    )
    if slopes:
        return network.evaluate(data, training=True)
    return Output(network(data, edge_vectors(data)), data.forces, data.stresses)
