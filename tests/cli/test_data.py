"""`hysteron data list` and `data fetch` as a newcomer meets them."""

import pytest
from hysteron.cli.main import main
from hysteron.core.settings import home
from servers.files import Fault, file_server

LIST = """
[family.toys]
title = "Toys"
licence = "CC-BY-4.0"
citation = "Toy et al. (2025)"
page = "https://x.org"

[[family.toys.file]]
name = "toy-one"
group = "toy"
url = "{base}/one.csv"
folder = "toys"
format = "csv"
megabytes = 1200

[[family.toys.file]]
name = "toy-two"
group = "toy"
by_hand = "Ask for it."
folder = "toys/two"
format = "csv"
"""


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with file_server() as found:
        found.content["/one.csv"] = b"a,b\n1,2\n"
        (home() / "data").mkdir(parents=True)
        (home() / "data/sources.toml").write_text(LIST.format(base=found.base))
        yield found


def test_the_list_has_tables_and_downloads_with_size_and_state(files, capsys):
    assert main(["data", "list"]) == 0
    shown = capsys.readouterr().out
    assert "catalog.jsonl.gz" in shown
    assert "toys: Toys (CC-BY-4.0)" in shown
    assert "1.2 GB" in shown
    assert "by hand" in shown
    assert "'hysteron data fetch': toy" in shown


def test_one_is_shown_in_full(files, capsys):
    assert main(["data", "list", "toy-one"]) == 0
    shown = capsys.readouterr().out
    assert files.base + "/one.csv" in shown
    assert "Toy et al. (2025)" in shown
    assert "none published" in shown
    assert "not here" in shown


def test_a_fetch_says_where_it_is_and_the_list_knows(files, capsys):
    assert main(["data", "fetch", "toy-one"]) == 0
    told = capsys.readouterr().err
    assert f"HYSTERON_DATA_DIR={home() / 'data'}" in told
    assert (home() / "data/toys/one.csv").read_bytes() == b"a,b\n1,2\n"
    assert main(["data", "list"]) == 0
    assert "here since" in capsys.readouterr().out


def test_another_folder_may_be_named(files, tmp_path):
    assert main(["data", "fetch", "toy-one", "--into", str(tmp_path / "here")]) == 0
    assert (tmp_path / "here/toys/one.csv").exists()


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("toy-on", 2, "Did you mean 'toy-one'"),
        ("toys", 2, "no data set or group 'toys'"),
        ("toy-two", 2, "Ask for it."),
        ("toy-one", 1, "answers 404"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_an_exit_code(files, capsys, name, code, sentence):
    files.faults = [Fault(status=404)]
    assert main(["data", "fetch", name]) == code
    told = capsys.readouterr().err
    assert sentence in told
    assert "Traceback" not in told
