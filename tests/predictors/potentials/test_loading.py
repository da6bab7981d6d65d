"""Names of potentials: ours, of outside packages, of files; and what is said when something is missing."""

import subprocess
import sys

import pytest
from hysteron.core.energy_scales import SCALES
from hysteron.core.errors import InputError, MissingDataError, NotFoundError
from hysteron.predictors import POTENTIALS
from hysteron.predictors.potentials import weights
from hysteron.predictors.potentials.families import FAMILIES, Family
from hysteron.predictors.potentials.loading import (
    describe_families,
    load_potential,
    potential_names,
    split_name,
)

OPTIONAL = [family for family, about in FAMILIES.items() if about.extra]


@pytest.fixture
def outside(tmp_path, monkeypatch):
    """An installed package with an entry point."""
    info = tmp_path / "toyff-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toyff\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hysteron.potentials]\ntoyff = potential_toys:lennard_jones\n")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_tables_agree():
    assert set(POTENTIALS) == set(FAMILIES)
    for family, about in FAMILIES.items():
        assert about.default in about.models or not about.models, family
        assert all(model.energy_scale in SCALES for model in about.models.values()), family


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("chgnet", ("chgnet", None)),
        ("sevennet-l3i5", ("sevennet", "l3i5")),
        ("mace-mp-0b3", ("mace", "mp-0b3")),
        ("mace:/home/me/fine-tuned.model", ("mace", ":/home/me/fine-tuned.model")),
    ],
)
def test_a_name_is_family_and_model(name, parts):
    assert split_name(name, POTENTIALS) == parts


@pytest.mark.parametrize("name", ["chgnett", "mace-", "sevennet_0", "", "orbit"])
def test_an_unknown_name_proposes_known_ones(name):
    with pytest.raises(NotFoundError, match="Known: chgnet, "):
        load_potential(name, POTENTIALS)


@pytest.mark.parametrize("family", OPTIONAL)
def test_an_unknown_model_proposes_the_nearest(family):
    typed = f"{family}-{FAMILIES[family].default}x"
    with pytest.raises(NotFoundError, match=f"Did you mean '{family}-{FAMILIES[family].default}'"):
        load_potential(typed, POTENTIALS)


def test_chgnet_is_the_potential_itself():
    assert load_potential("chgnet", POTENTIALS).name == load_potential("chgnet-0.3.0", POTENTIALS).name
    with pytest.raises(InputError, match="one model"):
        load_potential("chgnet-0.2.0", POTENTIALS)


def test_an_outside_package_adds_one(outside):
    assert "toyff" in potential_names(POTENTIALS)
    assert load_potential("toyff", POTENTIALS).name == "Lennard-Jones 1"
    assert load_potential("toyff-3", POTENTIALS).name == "Lennard-Jones 3"


def test_the_doctor_is_told_what_is_there_and_how_to_get_the_rest(outside, monkeypatch):
    told = dict(describe_families(POTENTIALS))
    assert set(told) == {*OPTIONAL, "toyff"}
    assert told["toyff"] == "from toyff 1.0"
    monkeypatch.setattr(Family, "installed", None)
    assert dict(describe_families(POTENTIALS))["mace"].endswith("pip install 'hysteron[mace]'")
    monkeypatch.setattr(Family, "installed", "9.9")
    found = dict(describe_families(POTENTIALS))["sevennet"]
    assert found.startswith(
        "sevenn 9.9; with weights: sevennet-0, sevennet-l3i5; weights fetched from GitHub"
    )


@pytest.mark.parametrize("family", OPTIONAL)
def test_a_missing_package_is_one_sentence(family):
    about = FAMILIES[family]
    if about.installed:
        pytest.skip(f"{about.distribution} is installed")
    with pytest.raises(MissingDataError, match=f"needs the package {about.distribution}: pip install"):
        load_potential(family, POTENTIALS)


@pytest.mark.parametrize("family", ["sevennet", "mace", "orb", "mattersim", "fairchem"])
def test_a_missing_file_is_named(family):
    with pytest.raises(InputError, match="no weights at /nowhere"):
        load_potential(f"{family}:/nowhere/at.all", POTENTIALS)


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (OSError("Name or service not known"), "run this once with a network"),
        (RuntimeError("401 Client Error: Unauthorized for url"), "accept Meta's FAIR Chemistry License"),
        (RuntimeError("Cannot access gated repo"), "HF_TOKEN"),
        (RuntimeError("port=14030 closed"), "run this once with a network"),
    ],
)
def test_weights_that_do_not_come_say_what_to_do(cause, said):
    failed = RuntimeError("download failed")
    failed.__cause__ = cause
    with pytest.raises(MissingDataError, match=said), weights.told_in_words("fairchem", None):
        raise failed


def test_a_package_that_is_there_but_broken_is_told_apart(monkeypatch):
    monkeypatch.setattr(Family, "installed", "0.3")
    with pytest.raises(MissingDataError, match="does not import"), weights.told_in_words("mace", None):
        import hysteron.no_such_module  # noqa: F401


def test_listing_names_loads_nothing_heavy():
    code = (
        "import sys; from hysteron.predictors import POTENTIALS; "
        "from hysteron.predictors.potentials.loading import potential_names; potential_names(POTENTIALS); "
        "print(sorted({'torch', 'ase', 'pymatgen', 'chgnet', 'sevenn', 'mace'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
