"""A checkpoint comes back whole, an interrupted one leaves the old, and a strange one is refused."""

import json
from pathlib import Path

import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.diffusion import checkpoints
from hysteron.generators.diffusion.checkpoints import INDEX, read_checkpoint, write_checkpoint
from torch import nn

MOST_BYTES = 16_000_000
"""Of a file that everything copies."""
FINGERPRINT = "these settings"


class Learner:
    """A small module, its average, and an optimiser that has made some steps."""

    def __init__(self, seed: int, width: int = 6, steps: int = 3) -> None:
        torch.manual_seed(seed)
        self.width = width
        self.module = nn.Sequential(nn.Linear(width, width), nn.Linear(width, 2))
        self.average = nn.Sequential(nn.Linear(width, width), nn.Linear(width, 2))
        self.optimiser = torch.optim.AdamW(self.module.parameters(), lr=0.1)
        for _ in range(steps):
            self.advance()

    @property
    def modules(self) -> dict[str, nn.Module]:
        return {"learner": self.module, "average": self.average}

    def advance(self) -> None:
        self.optimiser.zero_grad()
        self.module(torch.ones(1, self.width)).square().sum().backward()
        self.optimiser.step()

    def write(self, folder: Path, step: int = 3) -> None:
        states = {name: module.state_dict() for name, module in self.modules.items()}
        write_checkpoint(folder, states, self.optimiser, {"step": step, "fingerprint": FINGERPRINT})

    def read(self, folder: Path, fingerprint: str = FINGERPRINT) -> int | None:
        """The step that it was written at."""
        told = read_checkpoint(folder, self.modules, self.optimiser, fingerprint)
        return told and told["step"]

    def numbers(self) -> list[torch.Tensor]:
        weights = [p for module in self.modules.values() for p in module.state_dict().values()]
        state = self.optimiser.state_dict()["state"]
        return [*weights, *(state[i][key] for i in sorted(state) for key in sorted(state[i]))]


def same(one: Learner, other: Learner) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.numbers(), other.numbers(), strict=True))


def change_index(folder: Path, **changes) -> None:
    told = json.loads((folder / INDEX).read_text())
    (folder / INDEX).write_text(json.dumps({**told, **changes}))


def test_a_checkpoint_comes_back_whole(tmp_path):
    one, other = Learner(0), Learner(1, steps=0)
    one.write(tmp_path / "made" / "by itself")
    assert other.read(tmp_path / "made" / "by itself") == 3
    assert same(one, other)
    for learner in (one, other):
        learner.advance()
    assert same(one, other), "and goes on as the other does"


def test_where_there_is_none_nothing_is_read(tmp_path):
    one, untouched = Learner(0), Learner(0)
    assert one.read(tmp_path) is None
    assert one.read(tmp_path / "nowhere") is None
    assert same(one, untouched)


def test_files_stay_below_sixteen_megabytes(tmp_path):
    """A module of 2 x 17 MB, whose optimiser holds twice as much."""
    one = Learner(0, width=1450, steps=1)
    one.write(tmp_path)
    files = sorted(tmp_path.glob("*.safetensors"))
    assert len(files) >= 4
    assert max(path.stat().st_size for path in files) < MOST_BYTES
    other = Learner(1, width=1450, steps=0)
    other.read(tmp_path)
    assert same(one, other)


def test_the_next_checkpoint_takes_the_place_of_the_last(tmp_path):
    one = Learner(0)
    for step in range(3, 7):
        one.advance()
        one.write(tmp_path, step)
        names = json.loads((tmp_path / INDEX).read_text())["files"]
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, INDEX])
    other = Learner(1)
    assert other.read(tmp_path) == 6
    assert same(one, other)


@pytest.mark.parametrize("when", ["between files and index", "in the middle of the files"])
def test_an_interruption_leaves_the_old_checkpoint(tmp_path, monkeypatch, when):
    one = Learner(0)
    one.write(tmp_path, 3)
    old = Learner(1)
    old.read(tmp_path)
    one.advance()
    with monkeypatch.context() as patched:
        if when.startswith("between"):
            patched.setattr(Path, "replace", interrupt)
        else:
            patched.setattr(checkpoints, "SHARD_BYTES", 100)
            patched.setattr(checkpoints, "_shards", lambda tensors: ThenInterrupt([tensors]))
        with pytest.raises(KeyboardInterrupt):
            one.write(tmp_path, 4)
    other = Learner(2)
    assert other.read(tmp_path) == 3
    assert same(old, other)
    assert not same(one, other)
    one.write(tmp_path, 4)
    assert other.read(tmp_path) == 4
    assert same(one, other)


def interrupt(*_):
    raise KeyboardInterrupt


class ThenInterrupt(list):
    """A list that is interrupted at its end."""

    def __iter__(self):
        yield from super().__iter__()
        raise KeyboardInterrupt


def test_another_trainings_checkpoint_is_refused(tmp_path):
    Learner(0).write(tmp_path)
    other, untouched = Learner(1), Learner(1)
    with pytest.raises(InputError, match=r"other settings or data.*--anew"):
        other.read(tmp_path, "other settings")
    assert same(other, untouched), "nothing of it was taken"


@pytest.mark.parametrize("name", ["../secret.safetensors", "/tmp/secret.safetensors", "a/b.safetensors"])
def test_an_index_that_names_files_elsewhere_is_refused(tmp_path, name):
    folder = tmp_path / "checkpoint"
    Learner(0).write(folder)
    (tmp_path / "secret.safetensors").write_bytes(b"something")
    change_index(folder, files=[name])
    with pytest.raises(InputError, match="not in the folder"):
        Learner(1).read(folder)
    with pytest.raises(ValueError, match="not in the folder"):
        Learner(1).write(folder)
    assert (tmp_path / "secret.safetensors").read_bytes() == b"something"


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / INDEX).write_text("no JSON"),
        lambda folder: (folder / INDEX).write_text("[1, 2]"),
        lambda folder: change_index(folder, files=["0-007.safetensors"]),
        lambda folder: change_index(folder, files=[".."]),
        lambda folder: change_index(folder, files=None),
        lambda folder: change_index(folder, files=[]),
        lambda folder: next(folder.glob("*.safetensors")).write_bytes(b"no tensors"),
    ],
)
def test_a_damaged_checkpoint_gets_a_sentence(tmp_path, damage):
    Learner(0).write(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read as a checkpoint.*--anew"):
        Learner(1).read(tmp_path)


def test_a_checkpoint_of_another_shape_is_refused(tmp_path):
    Learner(0).write(tmp_path)
    with pytest.raises(InputError, match="cannot be read as a checkpoint"):
        Learner(0, width=5).read(tmp_path)
