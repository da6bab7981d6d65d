"""`hysteron export`: every format from the command line, with settings of its own."""

import json

import materials
import pytest
from hysteron.cli.main import main
from hysteron.core.candidate import Candidate, Step
from hysteron.store.store import CandidateStore


@pytest.fixture
def store(tmp_path):
    address = str(tmp_path / "store.db")
    step = Step("retrieve", "catalog", "1")
    with CandidateStore.open(address) as opened:
        opened.upsert([Candidate("Si-227-0123456789", materials.silicon(), provenance=(step,))])
    return address


@pytest.mark.parametrize("name", ["vasp", "espresso", "gpaw", "atomate2", "cif"])
def test_every_format_is_written_and_named_in_the_help(name, store, tmp_path, capsys):
    out = tmp_path / name
    assert main(["export", "nelements = 1", "--to", name, "--out", str(out), "--store", store]) == 0
    assert json.loads((out / "manifest.json").read_text())["format"] == name
    capsys.readouterr()
    assert main(["export", "--help"]) == 0
    assert name in capsys.readouterr().out


def test_settings_of_the_format_are_set_by_name(store, tmp_path):
    out = tmp_path / "dft"
    options = ["--set", "kpoint_spacing=0.5", "--set", "pseudo_dir=/data/pseudo"]
    assert (
        main(["export", "nelements = 1", "--to", "espresso", "--out", str(out), "--store", store, *options])
        == 0
    )
    settings = json.loads((out / "manifest.json").read_text())["settings"]
    assert (settings["kpoint_spacing"], settings["pseudo_dir"]) == (0.5, "/data/pseudo")


@pytest.mark.parametrize(
    ("option", "says"),
    [("kpoint_spacing", "NAME=VALUE"), ("kspacing=0.2", "kpoint_spacing"), ("kpoint_spacing=fine", "number")],
)
def test_a_setting_that_cannot_be_is_a_sentence(option, says, store, tmp_path, capsys):
    out = tmp_path / "dft"
    arguments = [
        "export",
        "nelements = 1",
        "--to",
        "gpaw",
        "--out",
        str(out),
        "--store",
        store,
        "--set",
        option,
    ]
    assert main(arguments) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()
