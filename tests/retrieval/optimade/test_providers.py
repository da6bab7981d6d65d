"""The table of providers, and what a user may name."""

from __future__ import annotations

import pytest
from hysteron.core.errors import InputError, NotFoundError, SettingsError
from hysteron.core.properties import method_matches
from hysteron.retrieval.optimade.providers import Provider, checked, provider_of, read_providers

SHIPPED = read_providers()


def table(tmp_path, text: str):
    path = tmp_path / "providers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_table_is_encrypted_named_and_licensed():
    names = [provider.name for provider in SHIPPED]
    assert {
        "mp",
        "oqmd",
        "alexandria-pbe",
        "alexandria-pbesol",
        "cod",
        "mc3d",
        "nomad",
        "jarvis",
        "odbx",
    } <= {*names}
    for provider in SHIPPED:
        assert provider.base_url.startswith("https://")
        assert provider.title
        assert provider.licence != "not known"


def test_no_two_databases_share_a_method_and_a_functional_can_be_asked_for():
    of = {provider.name: {row.method for row in provider.properties} for provider in SHIPPED}
    methods = [method for each in of.values() for method in each]
    assert len(methods) == len(set(methods))
    oqmd = next(provider for provider in SHIPPED if provider.name == "oqmd")
    assert all(method_matches(row.slug, "pbe") for row in oqmd.properties)


def test_those_that_ask_not_to_be_aggregated_or_repeat_crystals_are_not_asked_by_default():
    asked = {provider.name for provider in SHIPPED if provider.asked_by_default}
    assert asked == {"mp", "alexandria-pbe", "alexandria-pbesol", "oqmd", "mc3d", "cod", "tcod", "odbx"}


def test_a_value_is_found_along_its_path_and_a_sentinel_is_none():
    mp = next(provider for provider in SHIPPED if provider.name == "mp")
    (row,) = [r for r in mp.rows("energy_above_hull") if r.path[0] == "gga_gga+u"]
    stability = {"gga_gga+u": {"energy_above_hull": 0.02}, "r2scan": None}
    assert row.value({"_mp_stability": stability}) == 0.02
    assert row.value({"_mp_stability": None}) is None
    assert row.value({"_mp_stability": [1]}) is None
    jarvis = next(provider for provider in SHIPPED if provider.name == "jarvis")
    (hull,) = jarvis.rows("energy_above_hull")
    assert hull.value({"_jarvis_ehull": -99999}) is None
    assert hull.value({"_jarvis_ehull": 0.0}) == 0.0


def test_a_provider_is_found_by_name_or_address():
    assert provider_of("oqmd", SHIPPED).title.endswith("Quantum Materials Database")
    assert provider_of("https://oqmd.org/optimade/v1/", SHIPPED).name == "oqmd"


def test_an_address_that_the_table_does_not_hold_is_a_provider_of_the_standard_alone():
    found = provider_of("http://127.0.0.1:8000/a b/ä", SHIPPED)
    assert found.name == "127.0.0.1:8000/a-b/-"
    assert found.properties == ()


def test_an_unknown_name_proposes_the_nearest():
    with pytest.raises(NotFoundError, match="Did you mean 'oqmd'"):
        provider_of("oqdm", SHIPPED)


def test_credentials_never_become_a_provider():
    with pytest.raises(InputError) as refusal:
        provider_of("https://me:hunter2@oqmd.org/optimade", SHIPPED)
    assert "hunter2" not in str(refusal.value)


def test_a_table_in_the_home_folder_is_used_instead(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    text = '[[provider]]\nname = "mine"\nbase_url = "https://example.org"\n'
    (tmp_path / "data" / "optimade_providers.toml").write_text(text)
    assert [provider.name for provider in read_providers()] == ["mine"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[provider]\n", "cannot be read"),
        ('provider = "x"\n', "needs"),
        ('[[provider]]\nname = "a"\nbase_url = "https://a.org"\ncolour = 1\n', "no setting 'colour'"),
        (
            '[[provider]]\nname = "a"\nbase_url = "https://a.org"\n'
            '[[provider]]\nname = "a"\nbase_url = "https://b.org"\n',
            "Two OPTIMADE providers",
        ),
        (
            '[[provider]]\nname = "a"\nbase_url = "https://a.org"\n'
            'properties = [{name = "bandgap", field = "_a_gap", method = "PBE"}]\n',
            "no number of the property table",
        ),
        (
            '[[provider]]\nname = "a"\nbase_url = "https://a.org"\n'
            'properties = [{name = "band_gap", field = "a gap", method = "PBE"}]\n',
            "field",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_refused(tmp_path, text, said):
    with pytest.raises(SettingsError, match=said):
        read_providers(table(tmp_path, text))


@pytest.mark.parametrize("address", ["http://example.org", "https://me:hunter2@example.org"])
def test_an_address_of_the_table_must_be_safe(address):
    with pytest.raises(InputError):
        checked([Provider(name="a", base_url=address)])
