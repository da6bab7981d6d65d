"""From gathered frames to a trained potential: make or take up a network, train it, judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...core.clock import utc_now
from ...core.errors import InputError
from ...core.settings import config_hash
from ..cell import Cell
from ..datasets.linear_references import fit_linear_references
from ..datasets.records import Frame
from ..gnn.network import ELEMENTS, count_parameters
from ..gnn.training import Progress
from .model import Fidelity, TrainedModel
from .network import ADSORBATE, PotentialNetwork, PotentialShape
from .packed_frames import PackedFrames
from .sets import Gathered, Listener, elements_of, heads_of
from .settings import PotentialConfig
from .training import PotentialTraining, measure, steps_of, train_network

LEAST_SCALE = 1e-3


def fit(
    config: PotentialConfig,
    gathered: Gathered,
    folder: Path,
    listener: Listener,
    on_epoch: Callable[[Progress], None] | None = None,
    start: TrainedModel | None = None,
    resume: bool = True,
) -> tuple[TrainedModel, TrainedModel]:
    """Train on the training frames; the validation frames choose the best epoch.

    Args:
        config: What and how.
        gathered: Its data.
        folder: Receives `checkpoint.pt`.
        listener: Told of every step.
        on_epoch: Told of every epoch.
        start: What the training starts from.
        resume: Go on from the checkpoint, if there is one.

    Returns:
        The model of the last epoch, and of the best.

    Raises:
        InputError: the device is not here, or the checkpoint or `start` do not fit.
        StageError: the loss is no longer finite.
    """
    settings = PotentialTraining(**config.training.model_dump(exclude={"device", "threads"}))
    device = _device(config.training.device)
    network, fidelities = first_network(config, gathered, start, listener.say)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    if not resume:
        checkpoint.unlink(missing_ok=True)
    listener.stage("train", steps_of(gathered.shares, settings))
    frames = gathered.frames.to(device)
    with _threads(config.training.threads):
        trained = train_network(
            network.to(device),
            frames,
            gathered.shares,
            gathered.validation,
            settings,
            on_epoch,
            listener.advance,
            checkpoint,
            _fingerprint(config, gathered, start),
        )
        card = {
            "trained": utc_now()[:10],
            "config": _without_places(config),
            "data": gathered.sets,
            "started_from": f"{start.name} {start.digest[:16]}" if start else None,
            "parameters": count_parameters([network]),
        }
        models = []
        for average, epoch in ((trained.last, settings.epochs), (trained.best, trained.best_epoch)):
            _, errors = measure(average, frames, gathered.validation.to(device), settings)
            models.append(
                TrainedModel(
                    config.name,
                    average.to("cpu"),
                    fidelities,
                    {**card, "epoch": epoch, "validation": errors},
                )
            )
    return models[0], models[1]


def first_network(
    config: PotentialConfig,
    gathered: Gathered,
    start: TrainedModel | None,
    say: Callable[[str], None] = lambda sentence: None,
) -> tuple[PotentialNetwork, tuple[Fidelity, ...]]:
    """The network before its training, with scales and energies of elements, and what its heads are.

    Raises:
        InputError: a head of `start` is taught other energies than before.
    """
    names = heads_of(config, start)
    shape = _shape(config, gathered, tuple(names), start)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.training.seed)
        network = PotentialNetwork(shape)
    earlier = {f.name: f for f in start.fidelities} if start else {}
    if start:
        dropped = [name for name in earlier if name not in names]
        if dropped:
            say(f"The trunk changes, so these heads of {start.name} are left out: {', '.join(dropped)}.")
        _take_weights(network, start)
    fidelities = []
    for k, name in enumerate(names):
        tables = [table for table in config.data if table.head == name]
        if not tables:
            fidelities.append(earlier[name])
            continue
        known = earlier.get(name)
        wanted = (tables[0].adsorption, tables[0].kind != "relaxed")
        if known and (known.adsorption, known.forces) != wanted:
            raise InputError(
                f"The head {name} of {config.start_from} learned other energies than [[data]] has."
            )
        ours = [
            s.indices for s, table in zip(gathered.shares, config.data, strict=True) if table.head == name
        ]
        found = _set_constants(network, k, gathered.frames, torch.cat(ours), wanted[0], known, say)
        fidelities.append(Fidelity(name, *wanted, found))
    return network, tuple(fidelities)


def _shape(
    config: PotentialConfig, gathered: Gathered, names: tuple[str, ...], start: TrainedModel | None
) -> PotentialShape:
    if start:
        return PotentialShape(**{**start.network.shape.as_dict(), "fidelities": names})
    frames = gathered.frames
    edges, atoms = len(frames.sources), len(frames.numbers)
    return PotentialShape(
        fidelities=names, neighbours=max(1.0, round(edges / atoms, 2)), **config.network.model_dump()
    )


def _take_weights(network: PotentialNetwork, start: TrainedModel) -> None:
    """Trunk and heads of an earlier model; a head it lacks begins as a copy of its first."""
    network.trunk.load_state_dict(start.network.trunk.state_dict())
    old = start.network
    first = old.shape.fidelities[0]
    for k, name in enumerate(network.shape.fidelities):
        there = name in old.heads
        network.heads[name].load_state_dict(old.heads[name if there else first].state_dict())
        j = old.shape.fidelities.index(name if there else first)
        network.scales[k] = old.scales[j]
        if there:
            network.references[k], network.adsorption[k] = old.references[j], old.adsorption[j]


def _set_constants(
    network: PotentialNetwork,
    k: int,
    frames: PackedFrames,
    indices: Tensor,
    adsorption: bool,
    known: Fidelity | None,
    say: Callable[[str], None],
) -> tuple[int, ...]:
    """Energies of elements and the scale of a head from its training frames; what it has already stays.

    Returns:
        The elements it knows then.
    """
    network.adsorption[k] = adsorption
    before = set(known.elements) if known else set()
    table = network.references[k].numpy()
    rows = list(_rests(frames, indices, adsorption, table, before))
    left = [row for row in rows if len(row.cell.numbers)]
    if left:
        found = fit_linear_references(left)
        for z, energy in found.energies.items():
            table[z] = energy
        if found.remark:
            say(f"{network.shape.fidelities[k]}: {found.remark}")
    network.references[k] = torch.from_numpy(table)
    if known is None:
        network.scales[k] = _scale(frames, indices, rows, table)
    return tuple(sorted(before | elements_of(frames, indices)))


def _rests(
    frames: PackedFrames, indices: Tensor, adsorption: bool, table: np.ndarray, before: set[int]
) -> Iterator[Frame]:
    """Each frame with those atoms alone whose elements have no energy yet, and the energy that is left for them."""
    numbers, tags, starts = frames.numbers.numpy(), frames.tags.numpy(), frames.atom_starts.numpy()
    energies = frames.energies.numpy()
    has = np.isin(np.arange(ELEMENTS + 1), list(before))
    for i in indices.tolist():
        atoms = slice(starts[i], starts[i + 1])
        own = numbers[atoms].astype(np.int64)
        if adsorption:
            own = own[tags[atoms] == ADSORBATE]
        rest = float(energies[i] - table[own[has[own]]].sum())
        new = own[~has[own]]
        yield Frame("", Cell(new, np.zeros((len(new), 3)), np.eye(3)), "", energy=rest)


def _scale(frames: PackedFrames, indices: Tensor, rows: Sequence[Frame], table: np.ndarray) -> float:
    """The root mean square of the forces in eV/A, or of the energies over the root of the size, whichever is larger."""
    chosen = torch.zeros(len(frames), dtype=torch.bool).index_fill(0, indices, True)
    forces = frames.forces[chosen.repeat_interleave(frames.sizes)]
    known = forces[torch.isfinite(forces)]
    of_forces = float(known.square().mean().sqrt()) if len(known) else 0.0
    rest = np.array([(row.energy or 0.0) - table[row.cell.numbers].sum() for row in rows])
    sizes = frames.sizes[indices].double().numpy()
    return max(float(np.sqrt(np.mean(rest**2 / sizes))), of_forces, LEAST_SCALE)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """So many threads of torch inside, if it is told."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"Training cannot run on {name!r} here: {str(error).splitlines()[0]}") from None
    return device


def _fingerprint(config: PotentialConfig, gathered: Gathered, start: TrainedModel | None) -> str:
    """Of everything that decides the result, the device aside."""
    values = config.model_dump(mode="json")
    values["training"] = {
        k: v for k, v in values["training"].items() if k not in ("device", "checkpoint_seconds")
    }
    for table in values["data"]:
        del table["path"], table["validation"]
    return f"{config_hash(values)} {gathered.digest} {start.digest if start else ''}"


def _without_places(config: PotentialConfig) -> dict[str, Any]:
    """The configuration as a card shows it: names of files, not where they lie on this machine."""
    values = config.model_dump(mode="json")
    for table in [values, *values["data"]]:
        for key in ("path", "validation", "start_from"):
            if table.get(key):
                table[key] = Path(table[key]).name
    return values
