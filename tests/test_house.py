"""The house plan: folders, imports that run down only, and packaging that lists them all."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLOORS = {
    "core": 1,
    "retrieval": 2,
    "generators": 2,
    "predictors": 2,
    "screening": 2,
    "store": 2,
    "export": 2,
    "flows": 3,
    "cli": 4,
    "benchmarks": 3.5,
    "data": 0,
}
SOURCES = [path for folder in FLOORS for path in sorted((ROOT / folder).rglob("*.py"))]
HOMES = {
    "prefect": {"flows"},
    "typer": {"cli"},
    "torch": {"predictors", "generators", "flows", "benchmarks"},
    "sqlalchemy": {"store"},
}


def imports(path: Path):
    """(number of dots, module, at top level) of each import in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = set(map(id, tree.body))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.level, node.module or "", id(node) in top
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield 0, alias.name, id(node) in top


def stage_of(path: Path, level: int, module: str) -> str | None:
    """Which folder of the house a relative import leads to."""
    if level == 0:
        parts = module.split(".")
        return parts[1] if parts[0] == "hysteron" and len(parts) > 1 else None
    package = path.relative_to(ROOT).parts[:-1]
    parts = [*package[: len(package) - level + 1], *module.split(".")]
    return parts[0] if parts else None


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_run_down_and_never_sideways(path):
    own = path.relative_to(ROOT).parts[0]
    for level, module, _ in imports(path):
        stage = stage_of(path, level, module)
        if stage is None or stage == own or stage not in FLOORS:
            continue
        assert FLOORS[stage] < FLOORS[own], f"{own} imports {stage} ({module})"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_heavy_packages_stay_in_their_rooms(path):
    own = path.relative_to(ROOT).parts[0]
    for level, module, _ in imports(path):
        package = module.split(".")[0]
        if level == 0 and package in HOMES:
            assert own in HOMES[package], f"{own} imports {package}"


def test_every_package_is_listed():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    found = {
        ".".join(("hysteron", *path.parent.relative_to(ROOT).parts))
        for folder in (*FLOORS,)
        for path in (ROOT / folder).rglob("__init__.py")
    } | {"hysteron"}
    assert sorted(listed) == sorted(found)


def test_no_other_python_file_stands_at_the_root():
    assert [path.name for path in ROOT.glob("*.py")] == ["__init__.py"]


def test_modules_stay_readable():
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 500}
    assert not long, "is there a second question hiding inside?"
