"""`train tokens` on a data folder of a few crystals: what it leaves behind, and going on."""

import gzip
import json

import materials
import pytest
from hysteron.core.errors import InputError, MissingDataError
from hysteron.flows.progress import Silent
from hysteron.flows.train_tokens import train_tokens
from hysteron.generators.tokens.settings import TokensConfig
from hysteron.generators.tokens.weights import Trained

CRYSTALS = {
    "train": (
        materials.strontium_titanate,
        materials.silicon,
        materials.sodium_chloride,
        materials.titania_rutile,
        materials.hafnia_polar,
    ),
    "val": (materials.germanium_telluride, materials.magnesium_oxide),
}


class Told(Silent):
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    folder = tmp_path / "data" / "crystals"
    folder.mkdir(parents=True)
    for split, crystals in CRYSTALS.items():
        with gzip.open(folder / f"mp_structures_{split}_00.jsonl.gz", "wt") as lines:
            for i, crystal in enumerate(crystals):
                structure = crystal()
                record = {
                    "material_id": f"{split}-{i}",
                    "reduced_formula": structure.composition.reduced_formula,
                    "lattice": structure.lattice.matrix.tolist(),
                    "species": [site.specie.symbol for site in structure],
                    "frac_coords": structure.frac_coords.tolist(),
                    "split": split,
                    "band_gap": 1.0,
                }
                lines.write(json.dumps(record) + "\n")
    return tmp_path / "data"


def config(epochs: int = 2) -> TokensConfig:
    return TokensConfig.model_validate(
        {
            "name": "tiny",
            "data": {"most_atoms": 12},
            "model": {"width": 16, "layers": 1, "heads": 2, "coordinate_parts": 2, "lattice_parts": 2},
            "training": {"epochs": epochs, "batch": 2},
            "choice": {"every": 1, "crystals": 6},
        }
    )


def test_weights_log_and_curves_are_left_and_every_epoch_is_kept(data, tmp_path):
    told = Told()
    path = train_tokens(config(), tmp_path / "out", told, data=data)
    model = Trained.load(path)
    assert model.card["crystals"] == {"train": 5, "val": 2}
    assert model.vocabulary.most_atoms == 12
    rows = [json.loads(line) for line in (tmp_path / "out" / "tiny.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2]
    assert rows[0]["errors"]["nats of a validation crystal"] > 0
    assert (tmp_path / "out" / "tiny.png").read_bytes().startswith(b"\x89PNG")
    kept = sorted(p.name for p in (tmp_path / "home" / "cache" / "train" / "tiny").glob("epoch-*"))
    assert kept == ["epoch-001.safetensors", "epoch-002.safetensors"]
    assert [one["epoch"] for one in model.card["tried_out"]] == [1, 2]
    assert model.card["epoch"] in (1, 2)
    assert sum(count for *_, count in model.openings.rows()) == 5
    assert len(told.sentences) == 3
    card = (tmp_path / "out" / "tiny.md").read_text()
    assert f"of 2 epochs the weights of epoch {model.card['epoch']} are kept" in card
    assert "on 5 crystals" in card


def test_a_finished_training_is_not_repeated_and_anew_it_is(data, tmp_path):
    first = train_tokens(config(), tmp_path / "out", Silent(), data=data).read_bytes()
    told = Told()
    assert train_tokens(config(), tmp_path / "out", told, data=data).read_bytes() == first
    assert len(told.sentences) == 1
    assert train_tokens(config(), tmp_path / "out", told, anew=True, data=data).read_bytes() == first
    assert len(told.sentences) == 4


def test_what_cannot_be_written_is_told(data, tmp_path):
    path = data / "crystals" / "mp_structures_train_00.jsonl.gz"
    with gzip.open(path, "at") as lines:
        record = {
            "material_id": "bad",
            "reduced_formula": "Si",
            "lattice": [4, 4, 4, 90, 90, 90],
            "species": ["Si", "Si"],
            "frac_coords": [[0, 0, 0], [0, 0, 1e-7]],
            "split": "train",
        }
        lines.write(json.dumps(record) + "\n")
    told = Told()
    train_tokens(config(1), tmp_path / "out", told, data=data)
    assert told.sentences[0].startswith("1 of 8 crystals cannot be written in Wyckoff positions")


def test_an_absent_folder_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        train_tokens(config(), tmp_path / "out", Silent())


def test_weights_of_another_run_do_not_stay_among_the_epochs(data, tmp_path):
    train_tokens(config(3), tmp_path / "out", Silent(), data=data)
    train_tokens(config(1), tmp_path / "out", Silent(), anew=True, data=data)
    kept = [p.name for p in (tmp_path / "home" / "cache" / "train" / "tiny").glob("epoch-*")]
    assert kept == ["epoch-001.safetensors"]


def test_a_device_that_is_not_here_is_a_sentence(data, tmp_path):
    changed = config().model_copy(
        update={"training": config().training.model_copy(update={"device": "warp"})}
    )
    with pytest.raises(InputError, match="Training cannot run on 'warp' here"):
        train_tokens(changed, tmp_path / "out", Silent(), data=data)


def test_no_crystal_small_enough_is_a_sentence(data, tmp_path):
    changed = config().model_copy(update={"data": config().data.model_copy(update={"most_atoms": 1})})
    with pytest.raises(InputError, match="no training crystal of at most 1 atoms"):
        train_tokens(changed, tmp_path / "out", Silent(), data=data)


def test_heads_that_do_not_share_the_width_are_refused():
    with pytest.raises(ValueError, match="do not share width"):
        TokensConfig.model_validate({"model": {"width": 100, "heads": 8}})
