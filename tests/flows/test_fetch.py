"""A data set stands under its name when it is whole and what was published, and never before."""

import hashlib
import io
import shutil
import tarfile
from collections import namedtuple

import pytest
from hysteron.core.errors import InputError, OutputError, StageError
from hysteron.flows import fetch as fetching
from hysteron.flows.download import Patience
from hysteron.flows.fetch import begun_bytes, data_folder, fetch, place_of, recorded
from hysteron.flows.progress import Silent
from hysteron.flows.sources import Source
from servers.files import Fault, file_server

BODY = b"a,b\n1,2\n" * 400_000  # 3.2 MB
PATIENCE = Patience(attempts=2, silence_seconds=2.0, sleep=lambda _: None)
Usage = namedtuple("Usage", "total used free")


class Heard(Silent):
    def __init__(self):
        self.said, self.stages, self.steps = [], [], 0

    def stage(self, name, total):
        self.stages.append((name, total))

    def advance(self, count=1):
        self.steps += count

    def say(self, sentence):
        self.said.append(sentence)


@pytest.fixture
def files():
    with file_server() as found:
        found.content["/a.csv"] = BODY
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            info = tarfile.TarInfo("set/data.txt")
            info.size = 4
            tar.addfile(info, io.BytesIO(b"data"))
        found.content["/a.tar.gz"] = buffer.getvalue()
        yield found


def source(files, path="/a.csv", **changed):
    values = {
        "name": "thing",
        "family": "f",
        "title": "t",
        "licence": "CC-BY-4.0",
        "citation": "c",
        "page": "https://x.org",
        "folder": "f/thing",
        "format": "csv",
        "url": files.base + path,
    }
    return Source(**values | changed)


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def test_a_file_gets_its_name_when_it_is_checked(files, tmp_path):
    heard = Heard()
    wanted = source(files, sha256=sha256(BODY), md5=hashlib.md5(BODY).hexdigest())
    record = fetch(wanted, tmp_path, heard, patience=PATIENCE)
    assert (tmp_path / "f/thing/a.csv").read_bytes() == BODY
    assert (record.sha256, record.bytes, record.compared) == (sha256(BODY), len(BODY), True)
    assert recorded(wanted, tmp_path) == record
    assert heard.stages == [("thing, MB", 3), ("checking thing, MB", 3)]
    assert heard.steps == 6
    assert begun_bytes(wanted, tmp_path) == 0
    assert sorted(path.name for path in (tmp_path / ".fetched").iterdir()) == ["thing.json", "thing.lock"]


def test_what_is_there_is_not_fetched_again_unless_asked(files, tmp_path):
    heard = Heard()
    wanted = source(files)
    first = fetch(wanted, tmp_path, heard, patience=PATIENCE)
    assert fetch(wanted, tmp_path, heard, patience=PATIENCE) == first
    assert len(files.asked) == 1
    assert "thing is there" in heard.said[-1]
    files.content["/a.csv"], files.etag = BODY + b"3,4\n", '"two"'
    again = fetch(wanted, tmp_path, heard, anew=True, patience=PATIENCE)
    assert again.sha256 == sha256(BODY + b"3,4\n")
    assert "is another file than that of" in heard.said[-1]
    assert not again.compared


@pytest.mark.parametrize("name", ["md5", "sha256"])
def test_a_wrong_checksum_leaves_nothing(files, tmp_path, name):
    wanted = source(files, **{name: "0" * (32 if name == "md5" else 64)})
    with pytest.raises(StageError, match=f"thing has the {name.upper()} .*, published is 0000"):
        fetch(wanted, tmp_path, Heard(), patience=PATIENCE)
    assert not place_of(wanted, tmp_path).exists()
    assert recorded(wanted, tmp_path) is None
    assert begun_bytes(wanted, tmp_path) == 0


def test_an_archive_becomes_its_folder(files, tmp_path):
    wanted = source(files, "/a.tar.gz")
    record = fetch(wanted, tmp_path, Heard(), patience=PATIENCE)
    assert (tmp_path / "f/thing/data.txt").read_text() == "data"
    assert record.path == "f/thing"
    assert not list(tmp_path.rglob("*.tar.gz"))
    fetch(wanted, tmp_path, Heard(), anew=True, keep_archive=True, patience=PATIENCE)
    assert (tmp_path / "f/a.tar.gz").exists()


def test_a_download_that_broke_off_is_seen_and_goes_on(files, tmp_path):
    wanted = source(files)
    files.faults = [Fault(cut=1_000_000)] + [Fault(status=500)] * 9
    with pytest.raises(StageError, match="are kept"):
        fetch(wanted, tmp_path, Heard(), patience=PATIENCE)
    assert begun_bytes(wanted, tmp_path) == 1_000_000
    assert not place_of(wanted, tmp_path).exists()
    files.faults = []
    fetch(wanted, tmp_path, Heard(), patience=PATIENCE)
    assert (tmp_path / "f/thing/a.csv").read_bytes() == BODY
    assert files.asked[-1]["range"] == "bytes=1000000-"


def test_what_somebody_else_put_there_is_not_replaced(files, tmp_path):
    (tmp_path / "f/thing").mkdir(parents=True)
    (tmp_path / "f/thing/mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="was not put there by 'data fetch'"):
        fetch(source(files, "/a.tar.gz"), tmp_path, Heard(), anew=True, patience=PATIENCE)
    assert (tmp_path / "f/thing/mine.txt").read_text() == "mine"
    assert not files.asked


@pytest.mark.parametrize("stated", [3.2, None])
def test_room_is_looked_for_before_anything_is_written(files, tmp_path, monkeypatch, stated):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: Usage(10**12, 0, 501_000_000))
    with pytest.raises(OutputError, match=r"thing needs about 3 MB in .*, where 501 MB are free"):
        fetch(source(files, megabytes=stated), tmp_path, Heard(), patience=PATIENCE)
    assert len(files.asked) == (0 if stated else 1)
    assert begun_bytes(source(files), tmp_path) == 0


def test_the_unpacked_size_counts(files, tmp_path, monkeypatch):
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda _: Usage(10**12, 0, 10**9))
    wanted = source(files, "/a.tar.gz", megabytes=1, unpacked_megabytes=2000)
    with pytest.raises(OutputError, match=r"needs about 2\.0 GB"):
        fetch(wanted, tmp_path, Heard(), patience=PATIENCE)


def test_a_file_much_larger_than_stated_is_refused(files, tmp_path):
    with pytest.raises(StageError, match="more than the 1130000 expected"):
        fetch(source(files, megabytes=0.1), tmp_path, Heard(), patience=PATIENCE)


def test_two_at_once_are_refused(files, tmp_path):
    wanted = source(files)
    with (
        fetching._alone(wanted, tmp_path),
        pytest.raises(OutputError, match="Another process is fetching thing"),
    ):
        fetch(wanted, tmp_path, Heard(), patience=PATIENCE)


def test_what_comes_by_hand_only_says_how(files, tmp_path):
    wanted = source(files, url="", by_hand="Ask for access.")
    with pytest.raises(InputError, match=r"thing: Ask for access\. Its place is .*f/thing"):
        fetch(wanted, tmp_path, Heard())


def test_a_data_set_that_was_removed_counts_as_absent(files, tmp_path):
    wanted = source(files, "/a.tar.gz")
    fetch(wanted, tmp_path, Heard(), patience=PATIENCE)
    shutil.rmtree(tmp_path / "f")
    assert recorded(wanted, tmp_path) is None


def test_the_data_folder_is_the_named_one(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    assert data_folder() == tmp_path / "home/data"
    assert data_folder(tmp_path) == tmp_path


def test_a_data_folder_that_cannot_be_written_is_told(files, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Name another place with --into"):
        fetch(source(files), tmp_path / "file", Heard(), patience=PATIENCE)
