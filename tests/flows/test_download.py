"""Whatever breaks on the way, the file is whole and the right version in the end, or a sentence says why not."""

import json

import pytest
from hysteron.core.errors import OutputError, StageError
from hysteron.flows.download import Patience, download
from servers.files import Fault, file_server

BODY = bytes(range(256)) * 4000  # a megabyte
MOST = 10 * len(BODY)


@pytest.fixture
def files():
    with file_server() as found:
        found.content["/a.bin"] = BODY
        yield found


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def get(files, tmp_path, pauses):
    def call(path="/a.bin", **options):
        patience = Patience(attempts=3, silence_seconds=2.0, sleep=pauses.append, jitter=lambda: 1.0)
        options = {"most_bytes": MOST, "patience": patience} | options
        return download(files.base + path, tmp_path / "a.part", **options)

    return call


def ranges(files):
    return [asked.get("range") for asked in files.asked]


def test_a_whole_file_comes_with_its_progress(files, get, tmp_path):
    told = []
    version = get(progress=lambda done, total: told.append((done, total)))
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert (version.etag, version.total) == ('"one"', len(BODY))
    assert told[0] == (0, len(BODY))
    assert told[-1] == (len(BODY), len(BODY))
    assert files.asked[0]["accept-encoding"] == "identity"


def test_a_connection_cut_midway_goes_on_from_there(files, get, tmp_path, pauses):
    files.faults = [Fault(cut=300_000), Fault(cut=200_000)]
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert ranges(files) == [None, "bytes=300000-", "bytes=500000-"]
    assert [asked.get("if-range") for asked in files.asked] == [None, '"one"', '"one"']
    assert pauses == [1.0, 1.0]  # each attempt brought something, so the pause does not grow


def test_a_kill_goes_on_in_another_process(files, get, tmp_path):
    files.faults = [Fault(cut=300_000)]
    with pytest.raises(KeyboardInterrupt):
        get(patience=Patience(sleep=interrupted))
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert ranges(files) == [None, "bytes=300000-"]


def interrupted(_):
    raise KeyboardInterrupt


def test_a_finished_download_is_not_asked_for_again(files, get):
    get()
    get()
    assert len(files.asked) == 1


def test_a_server_without_ranges_sends_it_anew(files, get, tmp_path):
    files.faults = [Fault(cut=300_000), Fault(ignore_range=True)]
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY


def test_a_file_that_has_changed_begins_anew(files, get, tmp_path):
    files.faults = [Fault(cut=300_000)]
    with pytest.raises(KeyboardInterrupt):
        get(patience=Patience(sleep=interrupted))
    files.etag, files.modified = '"two"', "Thu, 02 Jan 2025 00:00:00 GMT"
    files.content["/a.bin"] = BODY[::-1]
    version = get()
    assert (tmp_path / "a.part").read_bytes() == BODY[::-1]
    assert version.etag == '"two"'


def test_a_change_that_the_server_hides_behind_206_is_noticed(files, get, tmp_path):
    files.faults = [Fault(cut=300_000), Fault(headers={"ETag": '"two"'})]
    files.etag = None  # the first answer has a date only, the second an entity tag of another version
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert ranges(files) == [None, "bytes=300000-", None]


def test_another_part_than_the_one_asked_for_is_not_appended(files, get, tmp_path):
    files.faults = [Fault(cut=300_000), Fault(wrong_part=True)]
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert ranges(files) == [None, "bytes=300000-", None]


@pytest.mark.parametrize(("etag", "modified"), [('W/"one"', None), (None, None)])
def test_without_a_sure_version_it_begins_anew(files, get, tmp_path, etag, modified):
    files.etag, files.modified = etag, modified
    files.faults = [Fault(cut=300_000)]
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert ranges(files) == [None, None]


def test_a_part_longer_than_the_file_begins_anew(files, get, tmp_path):
    files.faults = [Fault(cut=300_000)]
    with pytest.raises(KeyboardInterrupt):
        get(patience=Patience(sleep=interrupted))
    with (tmp_path / "a.part").open("ab") as part:
        part.write(BODY)
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY


def test_a_part_of_another_address_or_without_a_note_is_not_used(files, get, tmp_path):
    (tmp_path / "a.part").write_bytes(b"something else")
    get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    files.content["/b.bin"] = b"b" * 1000
    get("/b.bin")
    assert (tmp_path / "a.part").read_bytes() == b"b" * 1000
    assert json.loads((tmp_path / "a.part.json").read_text())["url"].endswith("/b.bin")


def test_a_length_that_is_not_said_is_no_obstacle(files, get, tmp_path):
    files.faults = [Fault(chunked=True, cut=300_000), Fault(chunked=True)]
    version = get()
    assert (tmp_path / "a.part").read_bytes() == BODY
    assert version.total == len(BODY)


def test_pauses_grow_and_the_end_is_told(files, get, pauses):
    files.faults = [Fault(status=500), Fault(status=503), Fault(status=429)]
    with pytest.raises(StageError, match="answers 429, 3 times in a row"):
        get()
    assert pauses == [1.0, 2.0]


def test_what_is_kept_is_told(files, get):
    files.faults = [Fault(cut=300_000)] + [Fault(status=500)] * 9
    with pytest.raises(StageError, match="300000 bytes are kept; the same command goes on"):
        get()


def test_the_server_may_ask_to_wait(files, get, pauses):
    files.faults = [
        Fault(status=503, headers={"Retry-After": "7"}),
        Fault(status=503, headers={"Retry-After": "x"}),
    ]
    get()
    assert pauses == [7.0, 2.0]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, r"answers 404 \(Not Found\)\. The file has moved"),
        (403, "get the file by hand"),
        (418, "cannot be had"),
    ],
)
def test_what_will_not_pass_is_told_at_once(files, get, pauses, status, sentence):
    files.faults = [Fault(status=status)]
    with pytest.raises(StageError, match=sentence):
        get()
    assert not pauses
    assert len(files.asked) == 1


def test_a_server_that_is_not_there_is_told(tmp_path):
    patience = Patience(attempts=2, sleep=lambda _: None)
    with pytest.raises(StageError, match=r"broke off \(ConnectError\), 2 times in a row\.$"):
        download("http://127.0.0.1:9/a.bin", tmp_path / "a.part", MOST, patience=patience)


@pytest.mark.parametrize("chunked", [True, False])
def test_a_file_larger_than_expected_is_refused(files, get, chunked):
    files.faults = [Fault(chunked=chunked)]
    with pytest.raises(StageError, match="more than the 1000 "):
        get(most_bytes=1000)


def test_room_is_asked_for_once_the_size_is_known(files, get):
    def no_room(more):
        raise OutputError(f"no room for {more}")

    with pytest.raises(OutputError, match=f"no room for {len(BODY)}"):
        get(room=no_room)


def test_redirects_are_followed_on_this_machine_but_not_to_plain_http(files, get, tmp_path):
    files.faults = [Fault(status=302, headers={"Location": "/a.bin"})]
    get("/moved.bin")
    assert (tmp_path / "a.part").read_bytes() == BODY
    for place in ("http://example.org/a.bin", "ftp://example.org/a", ""):
        files.faults = [Fault(status=302, headers={"Location": place})] * 9
        with pytest.raises(StageError, match=r"not https|redirects"):
            get("/other.bin")


def test_an_encoded_file_is_refused(files, get):
    files.faults = [Fault(headers={"Content-Encoding": "gzip"})]
    with pytest.raises(StageError, match="in the encoding 'gzip'"):
        get()


def test_a_folder_that_cannot_be_written_is_told(files, tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        download(files.base + "/a.bin", tmp_path / "none" / "a.part", MOST)
