"""From a configuration to a model that `predict` can use, on a few crystals, resumable."""

import json
from contextlib import contextmanager

import property_toys
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import InputError
from hysteron.core.settings import home
from hysteron.core.workers import single_threaded
from hysteron.flows import toolbox
from hysteron.flows.progress import Silent
from hysteron.flows.train_properties import told, train_properties
from hysteron.predictors.gnn import curves
from hysteron.predictors.gnn.training import Progress
from hysteron.predictors.properties import fit
from hysteron.predictors.properties.predictor import Properties
from property_toys import config, perovskite
from screening_toys import ToyHull


class Listening(Silent):
    """Remembers what it was told, and may lose patience after some epochs."""

    def __init__(self, patience: int = 99) -> None:
        self.patience = patience
        self.stages: list[tuple[str, int | None]] = []
        self.counts: dict[str, int] = {}
        self.sentences: list[str] = []

    def stage(self, name, total):
        self.stages.append((name, total))

    def advance(self, count=1):
        name = self.stages[-1][0]
        self.counts[name] = self.counts.get(name, 0) + count

    def say(self, sentence):
        self.sentences.append(sentence)
        if len(self.sentences) >= self.patience:
            raise KeyboardInterrupt


@contextmanager
def toys():
    """The toy rows stand in for a data set; gold has no reference phase."""
    with pytest.MonkeyPatch.context() as patch, property_toys.without_chgnet(), single_threaded():
        patch.setattr(fit, "rows_of", lambda name, data: list(property_toys.rows()))
        patch.setattr(toolbox, "hull", lambda name="chgnet": ToyHull(lowest=-4.0))
        yield patch


@pytest.fixture
def undrawn():
    """Drawing the curves takes longer than training the toy."""
    with toys() as patch:
        patch.setattr(curves, "draw_curves", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a training that was left in peace, and who listened to it."""
    folder, listening = tmp_path_factory.mktemp("models"), Listening()
    with toys() as patch:
        patch.setenv("HYSTERON_HOME", str(tmp_path_factory.mktemp("home")))
        assert train_properties(config(), folder, listening) == folder / "tiny.safetensors"
    return folder, listening


def test_weights_card_log_and_curves_are_left(trained):
    folder, _ = trained
    assert {p.name for p in folder.iterdir()} == {"tiny.safetensors", "tiny.md", "tiny.jsonl", "tiny.png"}
    assert (folder / "tiny.png").read_bytes()[:4] == b"\x89PNG"
    log = [json.loads(line) for line in (folder / "tiny.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in log] == [1, 2]
    assert log[-1]["errors"].keys() == set(property_toys.HEADS)


def test_the_card_says_what_it_was_trained_on_and_how_far_off_it_is(trained):
    folder, _ = trained
    card = Properties(path=folder / "tiny.safetensors").model.card
    assert card["crystals"] == {"train": 40, "val": 90, "test": 20}
    assert card["test"]["band_gap"]["n"] == 20
    assert card["config"]["training"]["epochs"] == 2
    assert card["method"].startswith("GNN")
    json.dumps(card, allow_nan=False)
    text = (folder / "tiny.md").read_text()
    for word in ("# tiny", "40 crystals", "| band_gap |", "| oxygen_vacancy |", "Castelli", "## Limits"):
        assert word in text


def test_the_model_predicts(trained):
    predictor = Properties(path=trained[0] / "tiny.safetensors")
    with toys():
        (found,) = predictor.predict([Candidate("SrTiO3", perovskite("Sr"))])
    assert not found.failures
    gap = found.get("band_gap")
    assert gap.method == predictor.method
    assert gap.interval is not None


def test_progress_is_told(trained):
    _, listening = trained
    assert [name for name, _ in listening.stages] == ["prepare crystals", "train", "evaluate"]
    assert dict(listening.stages)["train"] == 2
    assert listening.counts == {"prepare crystals": 150, "train": 2}
    assert listening.sentences[0].startswith("epoch 1 of 2: loss ")


def test_it_stands_in_the_home_if_nothing_else_is_said(undrawn):
    assert train_properties(config(epochs=1), None, Listening()).parent == home() / "models"


def test_an_interrupted_training_goes_on_where_it_was(undrawn, tmp_path):
    into = tmp_path / "models"
    whole = train_properties(config(epochs=3), tmp_path / "undisturbed", Listening())
    again = config(epochs=3).model_copy(update={"name": "again"})
    with pytest.raises(KeyboardInterrupt):
        train_properties(again, into, Listening(patience=2))
    assert not (into / "again.safetensors").exists()
    listening = Listening()
    path = train_properties(again, into, listening)
    assert len(listening.sentences) == 1
    assert listening.counts == {"train": 3}  # the bar stands at three of three; nothing is prepared again
    log = [json.loads(line)["epoch"] for line in (into / "again.jsonl").read_text().splitlines()]
    assert log == [1, 2, 3]
    one, other = (Properties(path=p).model for p in (whole, path))
    assert one.intervals == other.intervals
    assert one.card["test"] == other.card["test"]


def test_another_configuration_of_the_name_is_refused_unless_told_to_begin_anew(undrawn, tmp_path):
    into = tmp_path
    train_properties(config(epochs=1), into, Listening())
    with pytest.raises(InputError, match="--anew"):
        train_properties(config(epochs=2), into, Listening())
    listening = Listening()
    train_properties(config(epochs=2), into, listening, anew=True)
    assert len(listening.sentences) == 2
    log = [json.loads(line)["epoch"] for line in (into / "tiny.jsonl").read_text().splitlines()]
    assert log == [1, 2]


def test_a_line_of_progress_has_the_time_left():
    progress = Progress(3, 24, 1.3371, {"band_gap": 0.2345, "metal": 0.1}, 180.0)
    assert told(progress) == "epoch 3 of 24: loss 1.34; band_gap 0.234, metal 0.1; 21 min left"
