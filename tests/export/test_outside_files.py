"""What of a folder is read that somebody else may have filled."""

from __future__ import annotations

import gzip
import hashlib
import os

import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.export import outside_files
from hysteron.export.outside_files import read_output, refuse_links


def test_plain_and_gzipped_files_are_the_same_file(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "out").write_bytes(b"energy\n")
    plain = read_output(tmp_path, "run/out")
    (tmp_path / "run" / "out.gz").write_bytes(gzip.compress(b"energy\n"))
    (tmp_path / "run" / "out").unlink()
    packed = read_output(tmp_path, "run/out")
    assert plain == packed
    assert packed.name == "run/out"
    assert packed.sha256 == hashlib.sha256(b"energy\n").hexdigest()
    assert packed.text == "energy\n"


def test_what_is_not_there_or_empty_is_a_sentence(tmp_path):
    with pytest.raises(NotFoundError, match="has not been run yet"):
        read_output(tmp_path, "out")
    (tmp_path / "out").write_bytes(b" \n")
    with pytest.raises(InputError, match="is empty"):
        read_output(tmp_path, "out")


@pytest.mark.parametrize("name", ["../out", "/etc/hostname", "a/../../out"])
def test_names_that_leave_the_folder_are_refused(name, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "out").write_text("secret")
    with pytest.raises(InputError, match="leaves the folder"):
        refuse_links(tmp_path / "folder", name)
    with pytest.raises((InputError, NotFoundError)):
        read_output(tmp_path / "folder", name)


def test_no_link_is_followed_wherever_it_stands(tmp_path):
    (tmp_path / "real" / "run").mkdir(parents=True)
    (tmp_path / "real" / "run" / "out").write_text("energy")
    root = tmp_path / "root"
    root.mkdir()
    (root / "run").symlink_to(tmp_path / "real" / "run")
    with pytest.raises(InputError, match="run is a symbolic link"):
        read_output(root, "run/out")
    (root / "run").unlink()
    (root / "run").mkdir()
    (root / "run" / "out").symlink_to(tmp_path / "real" / "run" / "out")
    with pytest.raises(InputError, match="run/out is a symbolic link"):
        read_output(root, "run/out")
    (root / "run" / "out").unlink()
    (root / "run" / "out").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="symbolic link"):
        read_output(root, "run/out")
    assert read_output(tmp_path / "real", "run/out").text == "energy"


def test_the_folder_itself_may_be_reached_by_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "out").write_text("energy")
    (tmp_path / "short").symlink_to(tmp_path / "real")
    assert read_output(tmp_path / "short", "out").text == "energy"


def test_large_files_pipes_and_folders_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(outside_files, "LARGEST_OUTPUT_BYTES", 1000)
    (tmp_path / "large").write_bytes(b"x" * 1001)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"x" * 100_000))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, says in (
        ("large", "larger than"),
        ("bomb", "larger than"),
        ("pipe", "no regular"),
        ("folder", "no regular"),
    ):
        with pytest.raises(InputError, match=says):
            read_output(tmp_path, name)
    (tmp_path / "fits").write_bytes(b"x" * 1000)
    assert len(read_output(tmp_path, "fits").content) == 1000


def test_a_damaged_gzip_is_a_sentence(tmp_path):
    whole = gzip.compress(os.urandom(1000))
    for i, content in enumerate((whole[:300], b"no gzip", whole[:40] + b"\xff" * 40 + whole[80:])):
        (tmp_path / f"{i}.gz").write_bytes(content)
        with pytest.raises(InputError, match="cannot be read"):
            read_output(tmp_path, str(i))
