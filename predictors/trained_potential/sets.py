"""Which frames train a potential, and which judge it?

Each data set of the configuration is prepared, split and given its share of an epoch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from ...core.errors import InputError
from ..datasets.formats import open_frames
from ..gnn.network import ELEMENTS
from .data import Recipe, prepare
from .model import TrainedModel
from .packed_frames import PackedFrames
from .settings import DataTable, PotentialConfig, placed
from .training import Share

GROUPS = 2**56
TOLD_OF_EACH_SET = 3
"""Frames that cannot be used and are told of one by one; the rest is counted."""


class Listener(Protocol):
    """Who is told how far a training is."""

    def stage(self, name: str, total: int | None) -> None:
        """A stage begins."""

    def advance(self, count: int = 1) -> None:
        """So many items of it are done."""

    def say(self, sentence: str) -> None:
        """Something the user wants to know."""


@dataclass
class Gathered:
    """What a potential is trained on.

    Attributes:
        frames: Of all data sets.
        shares: Training frames of each set.
        validation: Frames that judge.
        sets: Of each set, what the card says.
        digest: Tells apart data.
    """

    frames: PackedFrames
    shares: list[Share]
    validation: Tensor
    sets: list[dict[str, Any]] = field(default_factory=list)
    digest: str = ""


def gather(
    config: PotentialConfig,
    cache: Path,
    listener: Listener,
    workers: int = 1,
    start: TrainedModel | None = None,
) -> Gathered:
    """All data sets of the configuration, with their neighbours.

    Args:
        config: What is learned.
        cache: Folder of what was prepared before.
        listener: Told of frames as they are prepared, and of those left out.
        workers: Processes that look for neighbours.
        start: What the training starts from; its cutoff holds.

    Raises:
        NotFoundError: a data set is not there.
        InputError: it has no frame to train or to judge with.
    """
    cutoff = start.network.shape.cutoff_angstrom if start else config.network.cutoff_angstrom
    heads = heads_of(config, start)
    parts: list[PackedFrames] = []
    shares, judging, sets, digests = [], [], [], []
    offset = 0
    for table in config.data:
        recipe = Recipe(cutoff, table.kind)
        own, digest = _prepared(table, table.path, table.limit, recipe, cache, listener, workers)
        training, validation = _split(table, own)
        members = [own]
        digests.append(digest)
        if table.validation:
            other, digest = _prepared(
                table, table.validation, table.validation_limit, recipe, cache, listener, workers
            )
            validation = torch.arange(len(other)) + len(own)
            members.append(other)
            digests.append(digest)
        parts += [some.with_fidelity(heads.index(table.head)) for some in members]
        shares.append(Share(training + offset, len(training)))
        judging.append(validation[: table.validation_limit] + offset)
        offset += sum(map(len, members))
        sets.append(
            {
                "data": Path(table.path).name,
                "format": table.format,
                "head": table.head,
                "energy": table.kind,
                "training_frames": len(training),
                "validation_frames": len(judging[-1]),
            }
        )
    counts = _per_epoch(config, shares)
    shares = [Share(share.indices, count) for share, count in zip(shares, counts, strict=True)]
    digest = hashlib.sha256("|".join(digests).encode()).hexdigest()[:16]
    frames = PackedFrames.join(parts)
    judges = _judged(frames, shares, torch.cat(judging), start, heads, listener.say)
    return Gathered(frames, shares, judges, sets, digest)


def heads_of(config: PotentialConfig, start: TrainedModel | None) -> list[str]:
    """Heads of the network. Heads of an earlier model that are not trained further stay only on a frozen trunk."""
    taught = list(dict.fromkeys(table.head for table in config.data))
    if start is None or not config.training.freeze_trunk:
        return taught
    return list(dict.fromkeys([*start.network.shape.fidelities, *taught]))


def elements_of(frames: PackedFrames, indices: Tensor) -> set[int]:
    """Atomic numbers that occur in some frames."""
    chosen = torch.zeros(len(frames), dtype=torch.bool).index_fill(0, indices, True)
    return set(frames.numbers[chosen.repeat_interleave(frames.sizes)].unique().tolist())


def _prepared(
    table: DataTable,
    path: str,
    limit: int | None,
    recipe: Recipe,
    cache: Path,
    listener: Listener,
    workers: int,
) -> tuple[PackedFrames, str]:
    place = placed(path)
    frames = open_frames(place, table.format, table.fidelity)
    text = json.dumps([*_files(place), table.format, table.energies_of, recipe.energy, limit])
    digest = hashlib.sha256(f"{text}|{recipe.cutoff_angstrom!r}".encode()).hexdigest()[:16]
    listener.stage(f"prepare {Path(path).name}", len(frames) if limit is None else min(limit, len(frames)))
    problems: list[str] = []

    def note(sentence: str) -> None:
        problems.append("")
        if len(problems) <= TOLD_OF_EACH_SET:
            listener.say(sentence)

    found = prepare(frames, recipe, cache / digest, limit, workers, listener.advance, note)
    if len(problems) > TOLD_OF_EACH_SET:
        listener.say(f"{len(problems)} frames of {Path(path).name} are left out in all.")
    return found, digest


def _files(place: Path) -> Iterator[list[Any]]:
    """Names, sizes and times of the files of a data set."""
    for file in sorted(place.iterdir()) if place.is_dir() else [place]:
        if file.is_file() and not file.name.endswith("-lock"):
            about = file.stat()
            yield [file.name, about.st_size, about.st_mtime_ns]


def _split(table: DataTable, frames: PackedFrames) -> tuple[Tensor, Tensor]:
    """Training and validation frames."""
    everything = torch.arange(len(frames))
    if table.validation or not table.validation_share:
        return everything, everything[:0]
    if table.split == "formula":
        aside = frames.groups.double() / GROUPS < table.validation_share
    else:
        order = torch.randperm(len(frames), generator=torch.Generator().manual_seed(0))
        aside = order < max(1, round(table.validation_share * len(frames)))
    training, validation = everything[~aside], everything[aside]
    if not len(training) or not len(validation):
        formulas = len(torch.unique(frames.groups))
        raise InputError(
            f"{table.path} has {len(frames)} frames of {formulas} formulas, which leaves {len(training)} to train and "
            f"{len(validation)} to judge with. Name a 'validation' file, change 'validation_share', or set "
            'split = "frame".'
        )
    return training, validation


def _per_epoch(config: PotentialConfig, shares: Sequence[Share]) -> list[int]:
    """Frames of each set in an epoch, as many in all as there are."""
    total = sum(len(share.indices) for share in shares)
    told = [table.share for table in config.data]
    whole = sum(share or 0.0 for share in told)
    if not whole:
        return [len(share.indices) for share in shares]
    return [max(1, round(total * (share or 0.0) / whole)) for share in told]


def _judged(
    frames: PackedFrames,
    shares: Sequence[Share],
    validation: Tensor,
    start: TrainedModel | None,
    heads: Sequence[str],
    say: Callable[[str], None],
) -> Tensor:
    """Those validation frames whose elements their head has learned.

    Raises:
        InputError: there are some, and none is left.
    """
    known = torch.zeros(len(heads), ELEMENTS + 1, dtype=torch.bool)
    for head in start.fidelities if start else ():
        if head.name in heads:
            known[heads.index(head.name), list(head.elements)] = True
    for share in shares:
        known[frames.fidelity[share.indices[0]], list(elements_of(frames, share.indices))] = True
    atoms = ~known[frames.fidelity.repeat_interleave(frames.sizes), frames.numbers.long()]
    owners = torch.arange(len(frames)).repeat_interleave(frames.sizes)
    strange = torch.zeros(len(frames), dtype=torch.long).index_add(0, owners, atoms.long()) > 0
    kept = validation[~strange[validation]]
    if len(kept) < len(validation):
        say(
            f"{len(validation) - len(kept)} of {len(validation)} validation frames hold elements that no training "
            "frame has; they judge nothing."
        )
        if not len(kept):
            raise InputError(
                "No validation frame holds only elements that are trained on; name a 'validation' file, or set "
                'split = "frame".'
            )
    return kept
