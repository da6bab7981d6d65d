"""Where is an interrupted training kept?

A folder of safetensors files below 16 MB, so that each can be copied by what copies only small files, and an index in JSON
that is replaced last: an interruption leaves the old checkpoint or the new one. Nothing in it is code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ...core.errors import InputError

SHARD_BYTES = 15_000_000
INDEX = "index.json"


def write_checkpoint(
    folder: Path,
    states: Mapping[str, Mapping[str, Tensor]],
    optimiser: torch.optim.Optimizer,
    told: dict[str, Any],
) -> None:
    """Keep weights, optimiser and whatever else is told.

    Args:
        folder: Made if it is not there.
        states: Weights by name.
        optimiser: With tensors as state.
        told: What JSON can hold.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    old: dict[str, Any] = _index(folder) if (folder / INDEX).is_file() else {"files": []}
    tensors = {f"{name}.{key}": value for name, state in states.items() for key, value in state.items()}
    for i, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{key}": torch.as_tensor(value) for key, value in state.items()}
    round_ = 1 - int(old.get("round", 1))
    files = []
    for i, shard in enumerate(_shards(tensors)):
        files.append(f"{round_}-{i:03d}.safetensors")
        save_file(
            {key: value.detach().cpu().contiguous().clone() for key, value in shard.items()},
            folder / files[-1],
        )
    part = folder / f"{INDEX}.part"
    part.write_text(json.dumps({**told, "round": round_, "files": files}, indent=1), encoding="utf-8")
    part.replace(folder / INDEX)
    for stale in set(old["files"]) - set(files):
        _inside(folder, stale).unlink(missing_ok=True)


def read_checkpoint(
    folder: Path, modules: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer, fingerprint: str
) -> dict[str, Any] | None:
    """Put a checkpoint into modules and optimiser.

    Returns:
        What was told beside them; `None` if there is no checkpoint.

    Raises:
        InputError: it is of another training, or cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / INDEX).is_file():
        return None
    try:
        told = _index(folder)
        if told.get("fingerprint") != fingerprint:
            raise InputError(
                f"{folder} belongs to a training with other settings or data; give the model another name, or begin "
                "again with --anew."
            )
        tensors: dict[str, Tensor] = {}
        for name in told["files"]:
            tensors |= load_file(_inside(folder, name))
        for name, module in modules.items():
            module.load_state_dict(
                {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
            )
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("optimiser."):
                _, i, field = key.split(".")
                state.setdefault(int(i), {})[field] = value
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    except (
        OSError,
        SafetensorError,
        LookupError,
        AttributeError,
        TypeError,
        ValueError,
        RuntimeError,
    ) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{folder} cannot be read as a checkpoint ({reason}); begin again with --anew."
        ) from None
    return told


def _index(folder: Path) -> dict[str, Any]:
    return json.loads((folder / INDEX).read_text(encoding="utf-8"))


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder itself, whatever the index says."""
    if Path(name).name != name:
        raise ValueError(f"the index names {name!r}, which is not in the folder")
    return folder / name


def _shards(tensors: Mapping[str, Tensor]) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for key, value in tensors.items():
        bytes_ = value.numel() * value.element_size()
        if shards[-1] and size + bytes_ > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][key] = value
        size += bytes_
    return shards
