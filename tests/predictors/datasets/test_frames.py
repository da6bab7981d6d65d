"""Walks through frames: from the start, from any place, shuffled, and past what cannot be read."""

import numpy as np
import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.datasets import frames as walks
from hysteron.predictors.datasets.checked import checked_frame
from hysteron.predictors.datasets.frames import IndexedFrames, StreamedFrames, atom_counts

BAD = {7, 13}


def frame(number):
    return checked_frame(str(number), "f", [1], np.zeros((1, 3)), np.eye(3), energy=number)


class Indexed(IndexedFrames):
    def __init__(self, bad=()):
        self.bad = bad

    def __len__(self):
        return 20

    def __getitem__(self, index):
        if index in self.bad:
            raise InputError(f"number {index} is bad")
        return frame(index)


class Streamed(StreamedFrames):
    """Files of 5, 0, 9 and 6 frames, numbered through."""

    sizes = (5, 0, 9, 6)
    shards = 4

    def __init__(self, bad=(), ends=None, unreadable=None):
        self.bad, self.ends, self.unreadable, self.parsed = bad, ends, unreadable, []

    def frames_in(self, shard):
        if shard == self.unreadable:
            raise InputError(f"file {shard} is unreadable")
        return self.sizes[shard]

    def read_shard(self, shard, start=0):
        first = sum(self.sizes[:shard])
        for entry in range(self.sizes[shard]):
            if (shard, entry) == self.ends:
                yield entry, InputError("the file ends")
                return
            if entry < start:
                continue
            number = first + entry
            self.parsed.append(number)
            yield entry, InputError(f"number {number} is bad") if number in self.bad else frame(number)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(walks, "BLOCK", 4)


def numbers(pairs):
    return [int(f.key) for _, f in pairs]


@pytest.mark.parametrize("kind", [Indexed, Streamed])
class TestBothKinds:
    def test_places_are_numbers(self, kind):
        assert len(kind()) == 20
        assert [(place, int(f.key)) for place, f in kind().read()] == [(i, i) for i in range(20)]
        assert [int(f.key) for f in kind()] == list(range(20))

    def test_every_place_resumes_the_walk(self, kind):
        for start in range(22):
            assert numbers(kind().read(start)) == list(range(start, 20))

    def test_every_place_resumes_the_shuffled_walk(self, kind):
        whole = list(kind().shuffled(5, 2))
        assert sorted(numbers(whole)) == list(range(20)) != numbers(whole)
        assert [place for place, _ in whole] == list(range(20))
        for start in range(22):
            assert numbers(kind().shuffled(5, 2, start)) == numbers(whole)[start:]

    def test_epochs_differ(self, kind):
        first, again, next_one = (numbers(kind().shuffled(5, epoch)) for epoch in (0, 0, 1))
        assert first == again != next_one

    def test_what_cannot_be_read_ends_the_walk_or_is_told(self, kind):
        with pytest.raises(InputError, match="number 7 is bad"):
            numbers(kind(BAD).read())
        told = []
        assert numbers(kind(BAD).read(on_error=told.append)) == [i for i in range(20) if i not in BAD]
        assert told == ["number 7 is bad", "number 13 is bad"]
        for start in (0, 6, 11):
            told = []
            shuffled = kind(BAD).shuffled(5, 2, start, told.append)
            assert not set(numbers(shuffled)) & BAD
        with pytest.raises(InputError, match="is bad"):
            numbers(kind(BAD).shuffled(5, 2))

    def test_a_start_before_the_first(self, kind):
        with pytest.raises(InputError, match="counted from 0"):
            next(kind().read(-1))


def test_files_before_the_start_are_not_parsed():
    frames = Streamed()
    assert numbers(frames.read(15)) == [15, 16, 17, 18, 19] == frames.parsed


def test_a_file_that_ends_too_early_leaves_the_places_of_the_next():
    told = []
    pairs = list(Streamed(ends=(2, 3)).read(on_error=told.append))
    assert [place for place, _ in pairs] == numbers(pairs) == [*range(8), *range(14, 20)]
    assert told == ["the file ends"]
    shuffled = list(Streamed(ends=(2, 3)).shuffled(1, 0, on_error=told.append))
    for start in range(20):
        resumed = numbers(Streamed(ends=(2, 3)).shuffled(1, 0, start, told.append))
        assert resumed == [int(f.key) for place, f in shuffled if place >= start]


def test_a_file_that_cannot_be_counted_is_told_of():
    told = []
    assert numbers(Streamed(unreadable=1).read(6, told.append)) == list(range(6, 20))
    assert set(told) == {"file 1 is unreadable"}


class TestAtomCounts:
    def test_are_those_beside_the_data(self, tmp_path):
        assert atom_counts(tmp_path, 3) is None
        np.savez(tmp_path / "metadata.npz", natoms=np.array([1, 2, 3]))
        assert atom_counts(tmp_path, 3).tolist() == [1, 2, 3]

    @pytest.mark.parametrize(
        "tables",
        [
            {"natoms": np.arange(4)},
            {"natoms": np.arange(10_000)},
            {"natoms": np.zeros(3)},
            {"other": np.arange(3)},
            {"natoms": np.array([1, None, 3], dtype=object)},
        ],
    )
    def test_that_do_not_fit_are_refused(self, tmp_path, tables):
        np.savez(tmp_path / "metadata.npz", **tables)
        with pytest.raises(InputError, match=r"metadata\.npz"):
            atom_counts(tmp_path, 3)

    def test_that_are_no_archive_are_refused(self, tmp_path):
        (tmp_path / "metadata.npz").write_text("no archive")
        with pytest.raises(InputError, match="cannot be read"):
            atom_counts(tmp_path, 3)
