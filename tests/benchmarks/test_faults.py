"""What is counted of faults, what is kept of them, and a few real ones."""

import json

import pytest
from hysteron.benchmarks import BENCHMARKS, faults
from hysteron.benchmarks.faults_disks import Share, SmallDisk, can_mount
from hysteron.benchmarks.faults_kept import Fault, kept
from hysteron.core.errors import InputError
from hysteron.core.registry import load
from hysteron.store.comparison import Differences

EQUAL = Differences([], [], [], False)
SHORT = Differences(["a", "b"], [], [], True)


def test_faults_are_counted_by_kind_with_what_they_left():
    found = faults._figures(
        [
            Fault("flow", 1.0, "relax", SHORT, EQUAL, True, 1, 5.0),
            Fault("server", 2.0, "screen", EQUAL, EQUAL, False, 0, 7.0),
            Fault("flow", 3.0, "rank", SHORT, Differences(["a"], ["c", "d"], [], False), True, 0, 9.0),
            Fault("disk", 3.0, "rank", SHORT, EQUAL, True, 0, 9.0),
        ],
        4,
    )
    assert (found["n"], found["kills"], found["seed"]) == (4, 3, 4)
    assert (found["lost"], found["duplicated"], found["different"]) == (1, 2, 1)
    assert (found["baseline_different"], found["baseline_lost"]) == (3, 6)
    assert found["kinds"]["flow"]["n"] == 2
    assert found["kinds"]["flow"]["too_late_and_tried_again"] == 1
    assert found["kinds"]["server"]["ended_without_being_resumed"] == 1


def test_there_are_fifty_kills_of_four_kinds_and_disks_besides():
    plan = faults._plan(quick=False, only=None)
    assert sum(kind in faults.KILLED for kind in plan) >= 50
    assert {plan.count(kind) for kind in faults.KILLED} == {faults.KILLS // len(faults.KILLED)}
    assert set(plan) == set(faults._FAULTS) == set(faults._plan(quick=True, only=None))
    assert set(faults._plan(quick=False, only="disk")) == {"disk"}


def test_a_fault_is_kept_as_soon_as_it_is_over(tmp_path):
    fault = Fault("flow", 1.5, "relax", SHORT, EQUAL, True, 0, 5.0)
    kept({"seed": 1}, resume=True, folder=tmp_path).add(3, fault)
    assert kept({"seed": 1}, resume=True, folder=tmp_path).faults == {3: fault}
    assert kept({"seed": 2}, resume=True, folder=tmp_path).faults == {}
    assert kept({"seed": 1}, resume=False, folder=tmp_path).faults == {}
    assert kept({"seed": 1}, resume=True, folder=tmp_path).faults == {}, "begun anew"


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="flow, worker, server, database, disk, share"):
        faults.run(only="moon")


def test_a_small_disk_gets_full_and_a_share_vanishes(tmp_path):
    share = Share(tmp_path / "share")
    (share.place / "one").write_text("1")
    share.vanish()
    with pytest.raises(OSError, match="Not a directory"):
        (share.place / "one").read_text()
    share.come_back()
    assert (share.place / "one").read_text() == "1"
    if not can_mount():
        pytest.skip("A file system can be mounted by root alone.")
    disk = SmallDisk(tmp_path / "disk")
    try:
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (disk.place / "one").write_text("1")
        disk.make_room()
        (disk.place / "one").write_text("1")
    finally:
        disk.end()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_doubled_whatever_happens(own_home):
    found = load("faults", BENCHMARKS, "hysteron.benchmarks")(seed=2, quick=True)
    assert (found["lost"], found["duplicated"], found["different"]) == (0, 0, 0)
    assert set(found["kinds"]) >= {"flow", "worker", "server", "share"}
    again = load("faults", BENCHMARKS, "hysteron.benchmarks")(seed=2, quick=True, resume=True)
    assert again["kept_from_before"] == again["n"] == json.loads(json.dumps(found))["n"]
