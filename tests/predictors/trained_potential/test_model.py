"""The file of a trained potential: read back whole, and nothing read that is not one."""

import json
import struct

import pytest
import torch
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.trained_potential.model import Fidelity, TrainedModel
from hysteron.predictors.trained_potential.network import PotentialNetwork, PotentialShape
from safetensors.torch import load_file, save_file

HEADS = (Fidelity("a", False, True, (1, 8)), Fidelity("b-adsorption", True, False, (29,)))


@pytest.fixture
def model():
    made = PotentialNetwork(PotentialShape(("a", "b-adsorption"), width=8, layers=1, radial=8, vectors=2))
    made.references.normal_()
    made.adsorption[1] = True
    return TrainedModel("toy", made, HEADS, {"data": ["x"]})


def rewritten(path, change):
    """The file with another header and the same weights."""
    with path.open("rb") as file:
        length = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(json.loads(file.read(length))["__metadata__"]["hysteron"])
    change(header)
    save_file(load_file(path), path, {"hysteron": json.dumps(header)})
    return path


def test_what_was_saved_is_read(model, tmp_path):
    path = tmp_path / "toy.safetensors"
    model.save(path)
    state = torch.random.get_rng_state()
    again = TrainedModel.load(path)
    assert torch.equal(torch.random.get_rng_state(), state), "reading draws no numbers"
    assert (again.name, again.fidelities, again.card, again.digest) == (
        "toy",
        HEADS,
        {"data": ["x"]},
        model.digest,
    )
    assert again.network.shape == model.network.shape
    for name, tensor in model.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name
    assert again.network.references.dtype == torch.float64
    assert [p.name for p in tmp_path.iterdir()] == ["toy.safetensors"]


CHANGES = {
    "another format": lambda h: h.update(format="hysteron-properties-1"),
    "an unknown key": lambda h: h.update(hooks="os.system"),
    "a missing key": lambda h: h.pop("digest"),
    "an unknown shape": lambda h: h["shape"].update(dropout=0.1),
    "a width beyond reason": lambda h: h["shape"].update(width=10**9),
    "layers that are no number": lambda h: h["shape"].update(layers="3"),
    "a cutoff that is not finite": lambda h: h["shape"].update(cutoff_angstrom=float("nan")),
    "another width": lambda h: h["shape"].update(width=16),
    "other heads": lambda h: h["fidelities"].pop(),
    "the same head twice": lambda h: (
        h["shape"].update(fidelities=["a", "a"]),
        h["fidelities"][1].update(name="a"),
    ),
    "an element that is none": lambda h: h["fidelities"][0].update(elements=[0]),
    "a flag that is none": lambda h: h["fidelities"][0].update(forces=1),
    "a card that is none": lambda h: h.update(card=[1]),
    "another digest": lambda h: h.update(digest="0" * 64),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_a_header_that_does_not_fit_is_refused(model, tmp_path, change):
    path = tmp_path / "toy.safetensors"
    model.save(path)
    with pytest.raises(InputError, match=r"toy\.safetensors (is no|cannot be read as a) trained potential"):
        TrainedModel.load(rewritten(path, change))


def changed(path, name, tensor):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    tensors[name] = tensor
    save_file(tensors, path, metadata)


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.full((2,), 2.0), "were saved"),
        (torch.tensor([1.0, float("nan")]), "not finite"),
        (torch.ones(3), "another shape"),
        (torch.ones(2, dtype=torch.float16), "of type torch.float16"),
    ],
)
def test_weights_that_do_not_fit_are_refused(model, tmp_path, tensor, said):
    path = tmp_path / "toy.safetensors"
    model.save(path)
    changed(path, "scales", tensor)
    with pytest.raises(InputError, match=said):
        TrainedModel.load(path)


def test_a_tensor_that_is_not_known_is_refused(model, tmp_path):
    path = tmp_path / "toy.safetensors"
    model.save(path)
    changed(path, "more", torch.ones(1))
    with pytest.raises(InputError, match="weights has 'more'"):
        TrainedModel.load(path)


@pytest.mark.parametrize(
    "content", [b"", b"hello", struct.pack("<Q", 2**60), struct.pack("<Q", 2) + b"{}", b"\x80\x04K\x01."]
)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "toy.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match="trained potential"):
        TrainedModel.load(path)


def test_a_file_that_was_cut_off_is_refused(model, tmp_path):
    path = tmp_path / "toy.safetensors"
    model.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be read"):
        TrainedModel.load(path)


def test_nothing_at_the_path(tmp_path):
    with pytest.raises(NotFoundError, match="no trained potential at"):
        TrainedModel.load(tmp_path / "none.safetensors")
