"""Output folders and files: what is refused, and in which words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hysteron.core.errors import OutputError
from hysteron.export.folders import LONGEST_NAME, distinct_name, prepare_folder, safe_name, write_atomically


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    assert prepare_folder(tmp_path / "a" / "b").is_dir()


def test_an_empty_folder_is_taken(tmp_path):
    assert prepare_folder(tmp_path) == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_content_is_refused_unless_told(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="not empty"):
        prepare_folder(tmp_path)
    assert prepare_folder(tmp_path, overwrite=True) == tmp_path
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        prepare_folder(tmp_path / "file")
    with pytest.raises(OutputError, match="part of that path is a file"):
        prepare_folder(tmp_path / "file" / "folder")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere"
)
def test_a_folder_without_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="No permission"):
        prepare_folder(tmp_path / "x")


def test_an_unknown_home_is_refused():
    with pytest.raises(OutputError, match="home of a user"):
        prepare_folder("~no-such-user-here/x")


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_atomically(path, b"old")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_written_file_has_the_usual_permissions(tmp_path):
    write_atomically(tmp_path / "a", b"")
    (tmp_path / "b").write_bytes(b"")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@given(st.text(max_size=300))
def test_a_safe_name_is_one_plain_name(text):
    name = safe_name(text)
    assert name == Path(name).name
    assert name not in ("", ".", "..")
    assert not name.startswith((".", "-"))
    assert len(name) <= LONGEST_NAME + 1
    assert name.isascii()
    assert " " not in name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("BaTiO3-99-3f2a9c81d0", "BaTiO3-99-3f2a9c81d0"),
        ("../../x", "x"),
        ("/etc/passwd", "etc_passwd"),
        ("Ba(TiO2)2-1-aa", "Ba_TiO2_2-1-aa"),
        ("CON", "_CON"),
        ("..", "_"),
        ("", "_"),
    ],
)
def test_safe_names(text, name):
    assert safe_name(text) == name


def test_names_that_differ_only_by_case_are_kept_apart():
    taken: set[str] = set()
    names = [distinct_name(text, taken) for text in ("CoO", "COO", "CoO")]
    assert names == ["CoO", "COO-2", "CoO-3"]
