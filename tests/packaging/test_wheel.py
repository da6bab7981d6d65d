"""A wheel, installed into an empty venv, answers from another folder."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(out), str(ROOT)]
    subprocess.run(command, check=True, timeout=240)
    return next(out.glob("hysteron-*.whl"))


def test_the_wheel_holds_code_tables_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "core/candidate.py",
        "data/presets/all.toml",
        "data/catalog.jsonl.gz",
        "data/hull.csv.gz",
        "py.typed",
    ):
        assert f"hysteron/{wanted}" in names
    assert any(name.endswith("licenses/NOTICE") for name in names)
    assert not any(name.startswith(("hysteron/tests", "tests")) for name in names)


def test_the_wheel_answers_help_in_an_empty_venv(wheel, tmp_path):
    """`--help` needs typer and rich alone; they come from this environment, nothing else of it does."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin/python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True, timeout=240
    )
    lent = tmp_path / "lent"
    lent.mkdir()
    import importlib.util

    for name in (
        "typer",
        "rich",
        "click",
        "markdown_it",
        "mdurl",
        "pygments",
        "shellingham",
        "annotated_doc",
    ):
        found = importlib.util.find_spec(name)
        if found and found.submodule_search_locations:
            (lent / name).symlink_to(next(iter(found.submodule_search_locations)))
    answer = subprocess.run(
        [home / "bin/hysteron", "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(lent), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    assert "discover" in answer.stdout
