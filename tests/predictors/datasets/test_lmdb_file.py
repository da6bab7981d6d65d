"""Our walk through an LMDB file against the LMDB library, and files that the library would die of."""

import pickle
import random

import lmdb
import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.lmdb_file import LmdbFile


def written(path, entries):
    with lmdb.open(str(path), map_size=1 << 26, subdir=False, lock=False, sync=False) as file:
        for key, value in entries.items():  # one change each, as the public scripts do
            with file.begin(write=True) as transaction:
                transaction.put(key.encode(), value)
    return path


@pytest.fixture(scope="module")
def entries():
    rng = random.Random(0)
    sizes = [0, 1, 300, 1900, 2030, 2040, 4080, 4081, 9000, 70_000]
    return {str(i): rng.randbytes(sizes[i % len(sizes)]) for i in range(700)} | {"length": b"700"}


@pytest.fixture(scope="module")
def path(entries, tmp_path_factory):
    return written(tmp_path_factory.mktemp("lmdb") / "a.lmdb", entries)


def test_every_value_is_that_of_the_library(path, entries):
    file = LmdbFile(path)
    assert len(file) == len(entries) == 701
    assert {key: file.get(key) for key in entries} == entries
    with (
        lmdb.open(str(path), subdir=False, readonly=True, lock=False) as library,
        library.begin() as transaction,
    ):
        assert library.stat()["depth"] >= 2
        assert {bytes(k).decode(): bytes(v) for k, v in transaction.cursor()} == entries


@pytest.mark.parametrize("key", ["", "-1", "700", "0x", "lengthy", "z", "~" * 400])
def test_a_key_that_is_not_there_is_none(path, key):
    assert LmdbFile(path).get(key) is None


def test_keys_that_were_deleted_and_written_again(tmp_path):
    path = written(tmp_path / "a.lmdb", {str(i): bytes(3000) for i in range(50)})
    with (
        lmdb.open(str(path), map_size=1 << 26, subdir=False, lock=False) as file,
        file.begin(write=True) as change,
    ):
        for i in range(0, 50, 2):
            change.delete(str(i).encode())
        change.put(b"1", b"new")
    file = LmdbFile(path)
    assert (len(file), file.get("0"), file.get("1"), file.get("3")) == (25, None, b"new", bytes(3000))


def test_an_empty_database_has_no_key(tmp_path):
    file = LmdbFile(written(tmp_path / "a.lmdb", {}))
    assert (len(file), file.get("0")) == (0, None)


def test_a_pickled_reader_opens_the_file_for_itself(path, entries):
    file = LmdbFile(path)
    assert file.get("5") == entries["5"]
    again = pickle.loads(pickle.dumps(file))
    assert again._map is None
    assert again.get("5") == entries["5"]
    file.close()
    assert file.get("6") == entries["6"]


def test_no_file_and_no_lmdb(tmp_path):
    with pytest.raises(NotFoundError, match="no file"):
        len(LmdbFile(tmp_path / "none.lmdb"))
    (tmp_path / "text.lmdb").write_text("words " * 1000)
    with pytest.raises(InputError, match="no LMDB file"):
        LmdbFile(tmp_path / "text.lmdb").get("0")


def test_a_database_within_the_database_is_refused(tmp_path):
    path = tmp_path / "a.lmdb"
    with lmdb.open(str(path), map_size=1 << 20, subdir=False, lock=False, max_dbs=2) as file:
        file.open_db(b"inner")
    with pytest.raises(InputError, match="a table of its own"):
        LmdbFile(path).get("inner")


@pytest.mark.parametrize("kept", [1, 1023, 4096, 8192, 100_000, -1])
def test_a_file_that_is_cut_off_is_told_of(path, tmp_path, kept):
    """The library itself ends the process here."""
    raw = path.read_bytes()
    (tmp_path / "cut.lmdb").write_bytes(raw[:kept])
    with pytest.raises(InputError, match=r"cut off|no LMDB file|damaged"):
        LmdbFile(tmp_path / "cut.lmdb").get("0")


@pytest.mark.parametrize("seed", range(40))
def test_changed_bytes_give_a_value_or_a_sentence(path, entries, tmp_path, seed):
    rng = random.Random(seed)
    raw = bytearray(path.read_bytes())
    for _ in range(30):  # heads of pages and lists of nodes, where a wrong number leads astray
        raw[rng.randrange(len(raw) // 4096) * 4096 + rng.randrange(64)] = rng.randrange(256)
    (tmp_path / "b.lmdb").write_bytes(raw)
    for key in rng.sample(sorted(entries), 60):
        found = value_or_sentence(LmdbFile(tmp_path / "b.lmdb"), key)
        assert "b.lmdb" in found if isinstance(found, str) else len(found or b"") < len(raw)


def value_or_sentence(file, key):
    try:
        return file.get(key)
    except InputError as error:
        return str(error)
