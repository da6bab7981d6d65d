"""Disks and folders that fail under a run: it ends with a sentence, and goes on to the same store once they are back."""

import errno
import os
import shutil
import subprocess

import pytest
from hysteron.core.errors import OutputError, StoreError
from hysteron.flows import launch, order, results, steps
from hysteron.store.comparison import content, differences, told
from hysteron.store.store import CandidateStore

RELAXATIONS, CHUNK = 8, 4


@pytest.fixture(scope="module")
def quiet(made_toy_world, tmp_path_factory):
    """The store of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp("quiet")
    with made_toy_world.inside():
        run = launch.new_run(
            made_toy_world.settings(RELAXATIONS, CHUNK), str(folder / "one.db"), folder / "one"
        )
        order.carry_out(run)
        steps.forget()
    return content(folder / "one.db")


def new_run(world, store, out):
    return launch.new_run(world.settings(RELAXATIONS, CHUNK), str(store), out)


def gone_on_with(store):
    """As a new process would, after the cause is gone."""
    steps.forget()
    order.carry_out(launch.resume("last", str(store)))
    return content(store)


def just_before(monkeypatch, step, happens):
    """Something happens once, when a step is about to begin."""
    carry_out, once = order.STEPS[step], []

    def call(*arguments):
        if not once:
            once.append(step)
            happens(*arguments)
        return carry_out(*arguments)

    monkeypatch.setitem(order.STEPS, step, call)


@pytest.mark.parametrize("stage", ["generate", "relax", "screen", "rank", "export"])
def test_a_process_that_dies_after_its_work_and_before_the_write(
    quiet, toy_world, tmp_path, monkeypatch, stage
):
    """The worst moment, as a kill leaves it."""
    run = new_run(toy_world, tmp_path / "one.db", tmp_path / "one")
    upsert = CandidateStore.upsert

    def dying(self, candidates, *arguments, work=None, **more):
        chunk_to_die_in = 1 if stage in ("relax", "screen") else 0
        if work and work[:2] == (stage, chunk_to_die_in):
            raise MemoryError("killed")
        upsert(self, candidates, *arguments, work=work, **more)

    with monkeypatch.context() as patch:
        patch.setattr(CandidateStore, "upsert", dying)
        with pytest.raises(MemoryError):
            order.carry_out(run)
    assert run.store.get_run(run.run_id).status == "failed"
    found = differences(quiet, gone_on_with(tmp_path / "one.db"))
    assert not found, told(found)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ESTALE])
def test_an_output_folder_that_fails(quiet, toy_world, tmp_path, monkeypatch, number):
    def fails(*_, **__):
        raise OSError(number, os.strerror(number))

    run = new_run(toy_world, tmp_path / "one.db", tmp_path / "one")
    with monkeypatch.context() as patch:
        patch.setattr(results, "write_results", fails)
        with pytest.raises(OutputError, match=f"cannot be written .*--resume {run.run_id}"):
            order.carry_out(run)
    assert run.store.get_run(run.run_id).status == "failed"
    assert not differences(quiet, gone_on_with(tmp_path / "one.db"))


def test_an_output_folder_that_is_gone(quiet, toy_world, tmp_path, monkeypatch):
    share = tmp_path / "share"
    run = new_run(toy_world, tmp_path / "one.db", share / "one")

    def vanishes(*_):
        shutil.rmtree(share)
        share.write_text("not mounted")

    just_before(monkeypatch, "rank", vanishes)
    with pytest.raises(OutputError, match="cannot be written"):
        order.carry_out(run)
    share.unlink()
    assert not differences(quiet, gone_on_with(tmp_path / "one.db"))
    assert (share / "one/report.html").exists()


@pytest.mark.parametrize("step", ["generate", "relax", "screen"])
def test_a_store_that_vanishes(quiet, toy_world, tmp_path, monkeypatch, step):
    store, away = tmp_path / "disk/one.db", tmp_path / "away"
    run = new_run(toy_world, store, tmp_path / "one")
    just_before(monkeypatch, step, lambda *_: (tmp_path / "disk").rename(away))
    with pytest.raises(StoreError, match="has vanished"):
        order.carry_out(run)
    assert not store.exists(), "no empty store is made in its place"
    away.rename(tmp_path / "disk")
    found = differences(quiet, gone_on_with(store))
    assert not found, told(found)


def test_a_store_that_is_replaced_is_not_written(toy_world, tmp_path, monkeypatch):
    store = tmp_path / "one.db"
    run = new_run(toy_world, store, tmp_path / "one")

    def replaced(*_):
        shutil.copy(store, tmp_path / "copy.db")
        (tmp_path / "copy.db").rename(store)

    just_before(monkeypatch, "relax", replaced)
    with pytest.raises(StoreError, match="was replaced"):
        order.carry_out(run)


@pytest.mark.parametrize("step", ["generate", "relax"])
def test_a_full_disk(quiet, toy_world, tmp_path, monkeypatch, step):
    run = new_run(toy_world, tmp_path / "one.db", tmp_path / "one")
    just_before(monkeypatch, step, lambda *_: run.store._database.alone("PRAGMA max_page_count = 1"))
    with pytest.raises(StoreError, match="is full"):
        order.carry_out(run)
    found = differences(quiet, gone_on_with(tmp_path / "one.db"))
    assert not found, told(found)


@pytest.mark.slow
def test_a_disk_that_is_really_full(quiet, toy_world, tmp_path):
    """A small file system in memory, which is filled up under the run and then made larger."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False).returncode:
        pytest.skip("A file system can be mounted by root alone.")
    try:
        run = new_run(toy_world, disk / "one.db", tmp_path / "one")
        (disk / "filler").write_bytes(bytes(os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - 65_536))
        with pytest.raises(StoreError, match=r"is full|gave an error"):
            order.carry_out(run)
        (disk / "filler").unlink()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        found = differences(quiet, gone_on_with(disk / "one.db"))
        assert not found, told(found)
    finally:
        steps.forget()
        subprocess.run(["umount", "-l", disk], check=True)
