"""Settings: unknown keys speak up; the look-up order of shipped files."""

import pytest
from hysteron.core.errors import MissingDataError, SettingsError
from hysteron.core.settings import Settings, config_hash, data_dir, data_file, read_toml, validate


class Example(Settings):
    temperature_kelvin: float = 300.0


def test_an_unknown_key_proposes_the_nearest():
    with pytest.raises(SettingsError, match="Did you mean 'temperature_kelvin'"):
        validate(Example, {"temperature": 4}, "[example]")


def test_a_wrong_value_names_the_key():
    with pytest.raises(SettingsError, match="temperature_kelvin"):
        validate(Example, {"temperature_kelvin": "warm"}, "[example]")


def test_equal_settings_have_equal_hashes():
    assert config_hash(Example()) == config_hash({"temperature_kelvin": 300.0})
    assert config_hash(Example()) != config_hash(Example(temperature_kelvin=4))


def test_own_files_win_over_shipped_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    shipped = data_file("presets/all.toml")
    own = tmp_path / "data/presets/all.toml"
    own.parent.mkdir(parents=True)
    own.write_text("")
    assert data_file("presets/all.toml") == own != shipped


def test_a_missing_table_says_where_it_was_sought(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    with pytest.raises(MissingDataError, match=r"nothing\.csv"):
        data_file("nothing.csv")


def test_data_dir_must_be_named(monkeypatch):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        data_dir()


def test_a_broken_toml_is_a_sentence(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[run\nseed=")
    with pytest.raises(SettingsError, match="cannot be read as TOML"):
        read_toml(path)
