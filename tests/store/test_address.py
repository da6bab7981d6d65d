"""Addresses: what is understood, what is refused with a sentence, and that no password is printed."""

import os
import sys

import pytest
from hysteron.core.errors import StoreError
from hysteron.store.address import names_password, network_filesystem, read_address
from hysteron.store.store import CandidateStore


def test_a_path_a_sqlite_url_and_the_default_are_one_kind(tmp_path, monkeypatch):
    path = tmp_path / "a folder" / "store.db"
    assert read_address(str(path)).path == path
    assert read_address(f"sqlite:///{path}").path == path
    monkeypatch.chdir(tmp_path)
    assert read_address("x.db").path == read_address("sqlite:///x.db").path == tmp_path / "x.db"
    monkeypatch.setenv("HYSTERON_STORE", str(path))
    with CandidateStore.open() as store:
        assert store.url_shown == f"sqlite:///{path}"
    assert path.is_file()


def test_the_default_lies_in_the_home_folder():
    with CandidateStore.open():
        assert os.path.isfile(os.path.join(os.environ["HYSTERON_HOME"], "store.db"))


def test_a_password_is_never_shown():
    pytest.importorskip("psycopg")
    for scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        address = read_address(f"{scheme}://ann:s3cret@db.example/hysteron?sslmode=require")
        assert address.url.password == "s3cret"
        assert address.shown == "postgresql://ann:***@db.example/hysteron"


@pytest.mark.parametrize("word", ["password", "sslpassword"])
def test_a_password_after_the_question_mark_is_refused_and_not_repeated(word):
    pytest.importorskip("psycopg")
    text = f"postgresql://ann@db.example/hysteron?{word}=s3cret"
    assert names_password(text)
    with pytest.raises(StoreError, match="before the @") as caught:
        read_address(text)
    assert "s3cret" not in str(caught.value)


def test_a_server_that_is_not_there_is_a_sentence_without_the_password():
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match="the server said") as caught:
        CandidateStore.open("postgresql://ann:s3cret@127.0.0.1:1/s3cret")
    assert "s3cret" not in str(caught.value).replace("/s3cret", "")


def test_without_psycopg_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"hysteron\[postgres\]"):
        read_address("postgresql://ann@localhost/x")


@pytest.mark.parametrize(
    "text",
    [
        "mysql://ann:s3cret@host/db",
        "sqlite://",
        "sqlite:///:memory:",
        ":memory:",
        "sqlite:///x.db?mode=ro",
        "sqlite+aiosqlite:///x.db",
        "postgresql+psycopg2://ann:s3cret@host/db",
        "postgresql://ann:s3cret@host:port/db",
        "://s3cret",
        "a\0b",
    ],
)
def test_other_addresses_are_refused_with_an_example(text):
    with pytest.raises(StoreError, match="Write a path, sqlite:///PATH") as caught:
        read_address(text)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", [b"just some notes of mine\n", b"SQLite format 2\0"])
def test_a_file_that_is_no_database_is_left_alone(tmp_path, content):
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is not a SQLite database"):
        CandidateStore.open(path)
    assert path.read_bytes() == content


def test_a_damaged_database_is_a_sentence(tmp_path):
    path = tmp_path / "s.db"
    CandidateStore.open(path).close()
    content = bytearray(path.read_bytes())
    content[100:5000] = b"\xff" * 4900
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        CandidateStore.open(path)


def test_places_that_cannot_be_written_are_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be opened"):
        CandidateStore.open(tmp_path / "file" / "store.db")
    with pytest.raises(StoreError, match="directory"):
        CandidateStore.open(tmp_path)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="cannot be written"):
        CandidateStore.open(tmp_path / "s.db")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that not even root can write")
def test_a_folder_in_which_no_file_can_be_made_is_a_sentence():
    with pytest.raises(StoreError, match=r"cannot be (written|opened|used: its file cannot be opened)"):
        CandidateStore.open("/proc/store.db")


def test_a_store_that_is_not_there_is_only_made_on_request(tmp_path):
    with pytest.raises(StoreError, match="There is no store at"):
        CandidateStore.open(tmp_path / "s.db", create=False)
    assert list(tmp_path.iterdir()) == []


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
server:/export /home nfs4 rw 0 0
//nas/my\\040share /mnt/my\\040share cifs rw 0 0
ann@host: /mnt/far fuse.sshfs rw 0 0
C: /mnt/c 9p rw,aname=drvfs 0 0
/dev/sdb1 /home/local xfs rw 0 0
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/store.db", None),
        ("/home/ann/.local/share/hysteron/store.db", "nfs4"),
        ("/home/local/store.db", None),
        ("/homework/store.db", None),
        ("/mnt/my share/deep/store.db", "cifs"),
        ("/mnt/far/store.db", "fuse.sshfs"),
        ("/mnt/c/store.db", "9p"),
    ],
)
def test_network_shares_are_known_by_their_mount(tmp_path, path, kind):
    from pathlib import Path

    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_filesystem(Path(path), mounts) == kind


def test_a_container_whose_root_is_9p_is_no_share(tmp_path):
    (tmp_path / "mounts").write_text("none / 9p rw,trans=fd 0 0\n")
    assert network_filesystem(tmp_path / "s.db", tmp_path / "mounts") is None


def test_a_share_is_refused_and_postgresql_proposed(tmp_path, monkeypatch):
    (tmp_path / "mounts").write_text(f"server:/x {tmp_path} nfs rw 0 0\n")
    monkeypatch.setattr("hysteron.store.address.MOUNTS", tmp_path / "mounts")
    with pytest.raises(StoreError, match=r"network share \(nfs\).*postgresql://"):
        CandidateStore.open(tmp_path / "s.db")
    assert not (tmp_path / "s.db").exists()


def test_an_address_without_a_password_takes_it_from_the_environment(monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("HYSTERON_STORE", "postgresql://me:secret@host/candidates")
    assert read_address("postgresql://me@host/candidates").url.password == "secret"
    assert read_address("postgresql://me@host/others").url.password is None
    assert read_address("postgresql://me:own@host/candidates").url.password == "own"
    assert "secret" not in read_address("postgresql://me@host/candidates").shown
