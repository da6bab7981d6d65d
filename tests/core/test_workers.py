"""Work over processes: one that is killed is replaced, and what it had in hand is done again; once."""

import pytest
from hysteron.core.errors import StageError
from hysteron.core.workers import map_unordered
from killed_workers import squared_once_killed

NUMBERS = range(7)


def results(tmp_path, times):
    tasks = ((number, str(tmp_path / "flag"), times) for number in NUMBERS)
    return dict(map_unordered(squared_once_killed, tasks, workers=2))


def test_what_a_killed_process_had_in_hand_is_done_again(tmp_path):
    assert results(tmp_path, 1) == {number: number**2 for number in NUMBERS}
    assert (tmp_path / "flag-0").exists()


def test_processes_that_are_killed_again_and_again_end_it_in_words(tmp_path):
    with pytest.raises(StageError, match="memory may be short"):
        results(tmp_path, 4)
