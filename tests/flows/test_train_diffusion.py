"""`train diffusion` and its adapters on a data folder of a few crystals: what they leave behind, and going on."""

import gzip
import json

import materials
import pytest
from hysteron.core.errors import InputError, MissingDataError
from hysteron.flows.progress import Silent
from hysteron.flows.train_diffusion import train_adapter, train_diffusion
from hysteron.generators.diffusion.generator import trained_adapter
from hysteron.generators.diffusion.settings import DiffusionConfig
from hysteron.generators.diffusion.weights import Trained

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
HEIGHTS = {"train-3": 0.3}
"""eV/atom; the others are on the hull."""


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
                    "band_gap": float(i),
                    "e_above_hull": HEIGHTS.get(f"{split}-{i}", 0.0),
                }
                lines.write(json.dumps(record) + "\n")
    return tmp_path / "data"


def config(steps: int = 4, device: str = "cpu", **data) -> DiffusionConfig:
    return DiffusionConfig.model_validate(
        {
            "name": "tiny",
            "data": {"most_atoms": 12} | data,
            "network": {"width": 16, "layers": 1, "heads": 2, "pair_width": 8},
            "training": {"steps": steps, "batch": 2, "device": device},
            "adapter": {"rank": 2, "steps": steps},
        }
    )


def test_weights_card_log_and_curves_are_left(data, tmp_path):
    told = Told()
    path = train_diffusion(config(), tmp_path / "out", told, data=data)
    model = Trained.load(path)
    assert path == tmp_path / "out" / "tiny.safetensors"
    assert model.card["crystals"] == {"train": 3, "val": 2}, (
        "silicon has no anion, TiO2 lies 0.3 eV above the hull"
    )
    assert model.card["steps"] == 4
    assert model.card["finished"]
    assert {(a, b): n for a, b, n in model.sizes} == {(2, 2): 1, (3, 12): 1, (5, 5): 1}
    card = (tmp_path / "out" / "tiny.md").read_text()
    assert "Trained" in card
    assert "at most 0.1 eV/atom above the hull" in card
    rows = [json.loads(line) for line in (tmp_path / "out" / "tiny.jsonl").read_text().splitlines()]
    assert rows[-1]["errors"]["validation: lattice"] > 0
    assert (tmp_path / "out" / "tiny.png").read_bytes().startswith(b"\x89PNG")
    assert told.sentences[-1].startswith("epoch")


def test_all_crystals_teach_where_the_domain_says_so(data, tmp_path):
    path = train_diffusion(config(anions=False, near_hull=0.5), tmp_path / "out", Silent(), data=data)
    assert Trained.load(path).card["crystals"] == {"train": 5, "val": 2}


def test_more_steps_go_on_and_other_settings_are_refused(data, tmp_path):
    train_diffusion(config(2), tmp_path / "out", Silent(), data=data)
    went_on = train_diffusion(config(4), tmp_path / "out", Silent(), data=data)
    at_once = train_diffusion(config(4), tmp_path / "other", Silent(), anew=True, data=data)
    assert Trained.load(went_on).card["steps"] == 4
    assert Trained.load(went_on).sizes == Trained.load(at_once).sizes
    with pytest.raises(InputError, match="other settings or data"):
        train_diffusion(config(4, near_hull=0.5), tmp_path / "out", Silent(), data=data)
    train_diffusion(config(4, near_hull=0.5), tmp_path / "out", Silent(), anew=True, data=data)


def test_a_training_that_is_done_gives_its_weights_again(data, tmp_path):
    first = train_diffusion(config(), tmp_path / "out", Silent(), data=data)
    again = train_diffusion(config(), tmp_path / "other", Silent(), data=data)
    assert again.parent.name == "other"
    assert Trained.load(again).digest == Trained.load(first).digest
    assert Trained.load(again).card["finished"]


@pytest.mark.parametrize(("name", "known"), [("band_gap", 4), ("spacegroup", 4), ("energy_above_hull", 4)])
def test_an_adapter_belongs_to_its_base(name, known, data, tmp_path):
    base = train_diffusion(config(), tmp_path / "out", Silent(), data=data)
    before = base.read_bytes()
    path = train_adapter(name, config(), tmp_path / "out", Silent(), data=data)
    assert path.name == f"tiny-{name}.safetensors"
    assert base.read_bytes() == before
    adapter = trained_adapter(name, Trained.load(base), base)
    assert adapter is not None
    assert adapter.card["crystals"]["train"] == known, (
        "of the anions' compounds, also what lies above the hull"
    )
    assert f"listen to {name}" in path.with_suffix(".md").read_text()


def test_an_adapter_without_a_base_or_without_labels_is_a_sentence(data, tmp_path):
    train_diffusion(config(), tmp_path / "out", Silent(), data=data)
    with pytest.raises(InputError, match="formation_energy_per_atom is known of no training crystal"):
        train_adapter("formation_energy_per_atom", config(), tmp_path / "out", Silent(), data=data)
    nameless = config().model_copy(update={"name": "nobody"})
    with pytest.raises(MissingDataError, match="nobody"):
        train_adapter("band_gap", nameless, tmp_path / "out", Silent(), data=data)


def test_a_device_that_is_not_here_is_refused(data, tmp_path):
    with pytest.raises(InputError, match="cuda:99"):
        train_diffusion(config(device="cuda:99"), tmp_path / "out", Silent(), data=data)


def test_without_crystals_in_the_domain_nothing_is_trained(data, tmp_path):
    with pytest.raises(InputError, match="no training crystal of at most 1 atoms"):
        train_diffusion(config(most_atoms=1), tmp_path / "out", Silent(), data=data)
