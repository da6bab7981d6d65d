"""The file of a token model, and the examples it learned from: nothing is run, nothing is lost without a word."""

import json
import pickle

import materials
import pytest
import torch
from hysteron.core.crystals import CrystalRecord
from hysteron.core.errors import InputError
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import FORMAT, Trained
from hysteron.generators.wyckoff.examples import encoded, examples
from safetensors import safe_open
from safetensors.torch import save_file

VOCABULARY = Vocabulary(most_atoms=12)
SHAPE = ModelConfig(
    len(VOCABULARY), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2, longest=64
)


@pytest.fixture
def path(tmp_path):
    torch.manual_seed(0)
    Trained(TokenModel(SHAPE), VOCABULARY, {"name": "tiny"}).save(tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def rewritten(path, change) -> None:
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["hysteron"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
    save_file(tensors, path, {"hysteron": json.dumps(change(header, tensors))})


def test_it_comes_back_in_half_precision(path, tmp_path):
    torch.manual_seed(0)
    before, after = TokenModel(SHAPE), Trained.load(path)
    assert after.vocabulary == VOCABULARY
    assert after.card == {"name": "tiny"}
    assert after.model.config == SHAPE
    assert not after.model.training
    for name, values in before.state_dict().items():
        assert torch.allclose(after.model.state_dict()[name], values, atol=1e-3), name
    after.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [0, 10, 500, -1])
def test_a_truncated_file_is_a_sentence(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="cannot be read as a token model"):
        Trained.load(path)


class Poisoned:
    def __reduce__(self):
        return (pytest.fail, ("A pickle was opened.",))


def test_no_pickle_is_opened(path):
    path.write_bytes(pickle.dumps(Poisoned()))
    with pytest.raises(InputError, match="cannot be read"):
        Trained.load(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda header, _: header | {"format": "hysteron-properties-2"},
        lambda header, _: header | {"model": header["model"] | {"width": 32}},
        lambda header, _: header | {"model": header["model"] | {"width": 2_000_000}},
        lambda header, _: header | {"model": header["model"] | {"layers": 10_000_000}},
        lambda header, _: header | {"model": header["model"] | {"surprise": 1}},
        lambda header, _: header | {"most_atoms": 20},
        lambda header, _: header | {"properties": [["band_gap", [2.0, 1.0]]]},
        lambda header, _: [header],
        lambda header, tensors: tensors.pop("words.weight") is None or header,
    ],
)
def test_a_wrong_part_is_a_sentence(path, change):
    rewritten(path, change)
    with pytest.raises(InputError):
        Trained.load(path)


def test_another_format_is_named(path):
    rewritten(path, lambda header, _: header | {"format": "hysteron-tokens-9"})
    with pytest.raises(InputError, match=f"hysteron-tokens-9.*{FORMAT}"):
        Trained.load(path)


# Examples


def record(key: str, structure, **labels) -> CrystalRecord:
    return CrystalRecord(
        key,
        structure.composition.reduced_formula,
        structure.lattice.matrix.tolist(),
        [site.specie.symbol for site in structure],
        structure.frac_coords.tolist(),
        labels,
    )


@pytest.fixture
def records():
    overlapping = materials.silicon()
    overlapping.append("Si", overlapping[0].frac_coords + 1e-5)
    return [
        record("a", materials.strontium_titanate(), split="train", band_gap=1.8, e_above_hull=0.0),
        record("b", overlapping, split="train"),
        record("c", materials.sodium_chloride(), split="val", formation_energy_per_atom=None),
        record("d", materials.hafnia_monoclinic(), split="train"),
    ]


def in_turn(function, tasks):
    """Backwards, as processes may finish."""
    return reversed([(i, function(*task)) for i, task in enumerate(tasks)])


def test_examples_come_in_order_with_what_is_known(records, tmp_path):
    found, refused = examples(records, 10, tmp_path, in_turn)
    assert [e.key for e in found] == ["a", "c"]
    assert [e.split for e in found] == ["train", "val"]
    assert found[0].properties == {"band_gap": 1.8, "energy_above_hull": 0.0}
    assert found[1].properties == {}
    assert found[0].crystal.formula == "SrTiO3"
    assert sum(refused.values()) == 1, "the overlapping one has a reason; the large one was not asked"


def test_what_was_encoded_is_kept_and_other_labels_are_not_taken_for_it(records, tmp_path):
    told = []
    first, _ = examples(records, 10, tmp_path, in_turn, told.append)
    second, _ = examples(records, 10, tmp_path, None, told.append)
    assert first == second
    assert told == [3]
    records[0].labels["band_gap"] = 2.5
    third, _ = examples(records, 10, tmp_path, in_turn)
    assert third[0].properties["band_gap"] == 2.5


def test_a_line_for_each_record(records):
    assert [json.loads(line)["key"] for line in encoded(records, 12)] == ["a", "b", "c", "d"]
