"""An archive becomes one folder, or nothing."""

import io
import tarfile

import pytest
from hysteron.core.errors import OutputError, StageError
from hysteron.flows.unpack import unpack

MOST = 1_000_000


def archive(tmp_path, *members, name="a.tar.gz"):
    path = tmp_path / name
    with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as tar:
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def left_in(tmp_path):
    return sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_a_single_folder_inside_becomes_the_target(tmp_path, name):
    told = []
    path = archive(tmp_path, ("top/x.txt", b"x"), ("top/deep/y.txt", b"y"), name=name)
    assert unpack(path, tmp_path / "out", MOST, lambda done, total: told.append((done, total))) == 0
    assert (tmp_path / "out/x.txt").read_text() == "x"
    assert (tmp_path / "out/deep/y.txt").read_text() == "y"
    assert all(done <= total == path.stat().st_size for done, total in told)
    assert left_in(tmp_path) == [name, "out"]


def test_several_things_inside_stay_as_they_are_and_replace_the_old(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old.txt").write_text("old")
    unpack(archive(tmp_path, ("x.txt", b"x"), ("top/y.txt", b"y")), tmp_path / "out", MOST)
    assert left_in(tmp_path / "out") == ["top", "x.txt"]


@pytest.mark.parametrize("name", ["../evil.txt", "top/../../evil.txt", "/../evil.txt"])
def test_a_path_that_leads_out_is_refused_and_nothing_is_left(tmp_path, name):
    room = tmp_path / "room"
    room.mkdir()
    with pytest.raises(StageError, match=r"a\.tar\.gz is refused"):
        unpack(archive(tmp_path, ("ok.txt", b"x"), (name, b"evil")), room / "out", MOST)
    assert left_in(tmp_path) == ["a.tar.gz", "room"]
    assert left_in(room) == []


def test_links_and_devices_are_left_out_and_counted(tmp_path):
    members = [link("l", "/etc/passwd"), link("h", "x", tarfile.LNKTYPE), link("d", "", tarfile.CHRTYPE)]
    path = archive(tmp_path, ("x", b"x"), ("y", b"y"), *members, ("l/evil", b"evil"))
    assert unpack(path, tmp_path / "out", MOST) == 3
    assert left_in(tmp_path / "out") == ["l", "x", "y"]
    assert (tmp_path / "out/l").is_dir()
    assert not (tmp_path / "out/l").is_symlink()


def test_an_archive_that_grows_too_large_is_refused(tmp_path):
    with pytest.raises(StageError, match="unpacks to more than the 1000 bytes"):
        unpack(archive(tmp_path, ("x", b"0" * 900), ("y", b"0" * 900)), tmp_path / "out", 1000)
    assert left_in(tmp_path) == ["a.tar.gz"]


def test_a_damaged_archive_leaves_the_folder_as_it_was(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old.txt").write_text("old")
    path = archive(tmp_path, ("x.txt", bytes(range(256)) * 400))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(StageError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out", MOST)
    path.write_bytes(b"no archive at all")
    with pytest.raises(StageError, match="cannot be unpacked"):
        unpack(path, tmp_path / "out", MOST)
    assert (tmp_path / "out/old.txt").read_text() == "old"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        unpack(archive(tmp_path, ("x", b"x")), tmp_path / "file" / "out", MOST)
