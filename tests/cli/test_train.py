"""`hysteron train properties` as somebody meets it who has a configuration and no patience."""

import pytest
from hysteron.cli.main import main
from hysteron.core.settings import home


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes a configuration and gives its path; there is no data folder."""
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)

    def write(text: str) -> str:
        (tmp_path / "tiny.toml").write_text(text)
        return str(tmp_path / "tiny.toml")

    return write


def refused(arguments, capsys) -> str:
    """What a command says that ends with code 2."""
    assert main(["train", "properties", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert "Unexpected" not in said.err
    return said.err


@pytest.mark.parametrize("arguments", [["train", "--help"], ["train", "properties", "--help"]])
def test_there_is_help(arguments, capsys):
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert "Train" in shown
    assert len(shown) > 200


def test_train_alone_shows_what_can_be_trained(capsys):
    main(["train"])
    shown = capsys.readouterr()
    assert "properties" in shown.out + shown.err


def test_help_names_every_option(capsys):
    main(["train", "properties", "--help"])
    shown = capsys.readouterr().out
    for option in ("config", "--into", "--workers", "--anew", "HYSTERON_DATA_DIR"):
        assert option in shown


def test_an_absent_file_is_a_sentence(capsys):
    assert "There is no file nothing.toml" in refused(["nothing.toml"], capsys)


def test_a_folder_is_a_sentence(tmp_path, capsys):
    assert "cannot be read as TOML" in refused([str(tmp_path)], capsys)


def test_broken_toml_is_a_sentence(config, capsys):
    assert "cannot be read as TOML" in refused([config("[data\n")], capsys)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("epochs = 3", "'epochs'"),
        ("[training]\nepoch = 3", "'training.epoch'"),
        ("[training]\nepochs = 0", "training.epochs"),
        ("[training]\nepochs = 'many'", "training.epochs"),
        ("[training]\nlearning_rate = -1.0", "training.learning_rate"),
        ("[network]\nwidth = 1_000_000", "network.width"),
        ("[network]\nmembers = 1", "network.members"),
        ("name = '../elsewhere'", "name"),
        ("name = 'UPPER case'", "name"),
        ("[data]\nsets = []", "data.sets"),
        ("[data]\nheads = []", "data.heads"),
        ("[data]\nsets = 'perov5'", "data.sets"),
        ("[data]\nsets = ['perov6']", "Did you mean 'perov5'"),
        ("[data]\nheads = ['bandgap']", "Did you mean 'band_gap'"),
        ("[data]\nsets = ['materials-project', 'perov6']", "Did you mean 'perov5'"),
    ],
)
def test_a_wrong_setting_is_a_sentence(text, says, config, capsys):
    path = config(text)
    said = refused([path], capsys)
    assert says in said


def test_a_device_that_is_not_here_is_a_sentence(config, capsys):
    """Before any data set is read: there is none here either."""
    said = refused([config("[training]\ndevice = 'cuda:99'")], capsys)
    assert "cuda:99" in said


def test_no_data_folder_is_a_sentence(config, capsys):
    said = refused([config("[data]\nsets = ['perov5']")], capsys)
    assert "set HYSTERON_DATA_DIR" in said
    assert "hysteron data fetch" in said


def test_an_empty_data_folder_is_a_sentence(config, tmp_path, monkeypatch, capsys):
    (tmp_path / "sets").mkdir()
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path / "sets"))
    said = refused([config("[data]\nsets = ['perov5']")], capsys)
    assert str(tmp_path / "sets") in said


def test_a_place_that_cannot_be_a_folder_is_a_sentence(config, tmp_path, capsys):
    (tmp_path / "file").write_text("mine")
    said = refused([config(""), "--into", str(tmp_path / "file/models")], capsys)
    assert str(tmp_path / "file") in said
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_is_left_behind_by_a_refused_training(config, capsys):
    refused([config("[data]\nsets = ['perov5']")], capsys)
    assert not list(home().rglob("*.safetensors"))


@pytest.mark.parametrize("workers", ["0", "many"])
def test_workers_are_a_number_above_zero(workers, config, capsys):
    assert main(["train", "properties", config(""), "--workers", workers]) == 2
    assert "--workers" in capsys.readouterr().err


def test_the_configuration_that_ships_is_valid():
    from importlib import resources

    from hysteron.core.settings import read_toml, validate
    from hysteron.predictors.properties.settings import PropertiesConfig

    with resources.as_file(resources.files("hysteron.data").joinpath("configs/properties.toml")) as path:
        found = validate(PropertiesConfig, read_toml(path), "properties.toml")
    assert found.name == "properties"
    assert found.training.device == "cpu"


# The diffusion model


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diffusion"], "Give a TOML file or --profile cpu-2h, gpu-30min"),
        (["diffusion", "x.toml", "--profile", "cpu-2h"], "Give a TOML file or --profile"),
        (["diffusion", "nothing.toml"], "There is no file nothing.toml"),
        (["diffusion", "--profile", "tpu"], "tpu"),
        (
            ["diffusion-adapter", "--profile", "cpu-2h"],
            "Name what the model shall listen to: --property band_gap",
        ),
        (["diffusion-adapter", "--profile", "cpu-2h", "--property", "luck"], "luck"),
        (["diffusion", "--profile", "cpu-2h"], "HYSTERON_DATA_DIR"),
    ],
)
def test_bad_wishes_about_the_diffusion_model_are_sentences(arguments, says, monkeypatch, capsys):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    assert main(["train", *arguments]) == 2
    said = capsys.readouterr()
    assert says in said.err
    assert "Traceback" not in said.err
    assert "Unexpected" not in said.err


def test_every_adapter_can_be_asked_for():
    from hysteron.cli.train import AdapterProperty
    from hysteron.generators.diffusion.lessons import ADAPTED

    assert {one.value for one in AdapterProperty} == set(ADAPTED)


@pytest.mark.parametrize("profile", ["cpu-2h", "gpu-30min"])
def test_the_profiles_that_ship_are_valid_and_small_enough(profile):
    """At most 10 MB of weights in half precision."""
    from importlib import resources

    from hysteron.core.settings import read_toml, validate
    from hysteron.generators.diffusion.elements import descriptors
    from hysteron.generators.diffusion.network import Network, NetworkConfig
    from hysteron.generators.diffusion.settings import DiffusionConfig

    shipped = resources.files("hysteron.data").joinpath("configs", f"diffusion-{profile}.toml")
    with resources.as_file(shipped) as path:
        config = validate(DiffusionConfig, read_toml(path), profile)
    network = Network(NetworkConfig(**config.network.model_dump(), descriptors=descriptors().shape[1]))
    assert 2 * sum(tensor.numel() for tensor in network.state_dict().values()) < 10_000_000
    assert (config.training.device == "cuda") == (profile == "gpu-30min")
    assert config.training.compiled == (profile == "gpu-30min")
