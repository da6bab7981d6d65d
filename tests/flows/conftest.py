"""A catalogue of a few dozen real materials, so that a whole run takes seconds."""

import pytest
from pymatgen.core import Composition

WRITTEN = {
    "BaTiO3", "SrTiO3", "CaTiO3", "KNbO3", "LiNbO3", "BiFeO3", "ZnO", "HfO2", "ZrO2", "TiO2", "MgO", "NaCl", "LiTaO3",
    "GaN", "AlN", "BeO", "CdS", "GeTe", "SnTe", "KNO3", "NaNbO3", "BaZrO3", "CaZrO3", "NiO", "Ta2O5",
}  # fmt: skip
FORMULAS = {Composition(formula).reduced_formula for formula in WRITTEN}


@pytest.fixture(scope="session")
def small_home(tmp_path_factory):
    """A HYSTERON_HOME with a catalogue of its own, which wins over the shipped one."""
    from hysteron.core.settings import data_file
    from hysteron.retrieval.catalog.file import read_catalog, write_catalog

    home = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(home))
        shipped = read_catalog(data_file("catalog.jsonl.gz"))
    rows = [row for row in shipped.rows if Composition("".join(row.species)).reduced_formula in FORMULAS]
    (home / "data").mkdir()
    write_catalog(home / "data/catalog.jsonl.gz", shipped.header, rows)
    return home


@pytest.fixture
def small_catalog(own_home, small_home, monkeypatch):
    """The test's HYSTERON_HOME has the small catalogue."""
    monkeypatch.setenv("HYSTERON_HOME", str(small_home))
    return small_home


@pytest.fixture(scope="session")
def made_toy_world(tmp_path_factory):
    """Known crystals, a potential and a hull that cost next to nothing."""
    from hysteron.benchmarks.toy_world import World

    return World(tmp_path_factory.mktemp("toy")).make(60)


@pytest.fixture
def toy_world(own_home, made_toy_world):
    """The test lives in the toy world."""
    from hysteron.flows import steps

    with made_toy_world.inside():
        yield made_toy_world
    steps.forget()
