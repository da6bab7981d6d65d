"""What the README and the guide say is what there is."""

import re
import shlex
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from hysteron.cli.main import app, main
from hysteron.core.settings import read_toml
from hysteron.flows.run_settings import resolve

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^    \.venv/bin/hysteron (.+)$", README, re.MULTILINE)))


def test_both_set_up_commands_are_complete():
    lines = [line.strip() for line in README.splitlines() if line.strip().startswith("python3 -m venv")]
    assert len(lines) == 2
    for line in lines:
        assert "-c constraints.txt" in line
        assert line.endswith(("/bin/hysteron discover", "/bin/pytest"))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_is_one(line, capsys):
    """Its options exist: the parser is asked for the help of the command with the same options given."""
    name, *options = shlex.split(line)
    flags = [option for option in options if option.startswith("--")]
    assert main([name, "--help"]) == 0
    said = capsys.readouterr().out
    for flag in flags:
        assert flag in said


def test_the_python_of_the_readme_names_what_exists():
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block
    imports = "\n".join(line for line in block[1].splitlines() if line.startswith("from"))
    exec(compile(imports, "README.md", "exec"), {})


def test_the_settings_of_the_guide_are_accepted(tmp_path):
    block = re.search(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    assert block
    path = tmp_path / "RUN.toml"
    path.write_text(block[1])
    settings = resolve(path)
    assert read_toml(path)["run"]["budget"] == settings.run.budget
    from hysteron.flows import toolbox

    for table in settings.screen:
        toolbox.screen(table)
    for table in settings.generator:
        toolbox.generator(table)


def test_the_filters_of_the_guide_can_be_read():
    from hysteron.core.filters import parse

    section = GUIDE.split("## Filters")[1].split("A bare property")[0]
    filters = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert len(filters) >= 4
    for text in filters:
        parse(text)


def test_every_command_is_in_the_readme_or_the_guide():
    names = {c.name or c.callback.__name__ for c in app.registered_commands}
    untold = {name for name in names if f"hysteron {name}" not in README + GUIDE}
    assert len(names) >= 12
    assert not untold


def test_every_constraint_is_exact_and_meets_the_project():
    from packaging.requirements import Requirement

    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert version, line
            pinned[name.lower().replace("_", "-")] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    # the extras of other potentials exclude one another, so no one set of versions serves them
    for line in chain(project["dependencies"], extras["postgres"], extras["test"]):
        requirement = Requirement(line)
        name = requirement.name.lower().replace("_", "-")
        assert requirement.specifier.contains(pinned[name]), line
