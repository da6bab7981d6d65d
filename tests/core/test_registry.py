"""The registry: every name of every stage leads to something that loads."""

import importlib

import pytest
from hysteron.core.errors import NotFoundError
from hysteron.core.registry import load, names

TABLES = [
    ("retrieval", "SOURCES"),
    ("generators", "GENERATORS"),
    ("predictors", "POTENTIALS"),
    ("screening", "SCREENS"),
    ("export", "FORMATS"),
    ("benchmarks", "BENCHMARKS"),
]


@pytest.mark.parametrize(("stage", "table"), TABLES)
def test_every_shipped_name_loads(stage, table):
    entries = getattr(importlib.import_module(f"hysteron.{stage}"), table)
    assert entries
    for name in entries:
        assert callable(load(name, entries, f"hysteron.{stage}")), name


def test_an_unknown_name_proposes_the_nearest():
    with pytest.raises(NotFoundError, match="Did you mean 'substitution'"):
        load("substitutions", {"substitution": "x:y"}, "hysteron.generators")


def test_names_are_sorted():
    assert names({"b": "", "a": ""}, "hysteron.nothing") == ["a", "b"]
