"""The file of a model: read as it was written, and nothing else is read."""

import json
import pickle

import numpy as np
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.predictors.gnn.packed import Packed
from hysteron.predictors.properties import fit, model
from hysteron.predictors.properties.model import FORMAT, PropertyModel, file_hash
from hysteron.predictors.properties.priors import chgnet_formation
from property_toys import config, gathered_by_element, packed, references, rock_salt
from pymatgen.core import Lattice, Structure
from safetensors import safe_open
from safetensors.torch import save_file


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> PropertyModel:
    found = fit.fit(config(epochs=1), gathered_by_element(), references(), tmp_path_factory.mktemp("fit"))
    found.card = {"method": "GNN toy"}
    return found


@pytest.fixture
def path(made, tmp_path):
    made.save(tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


def rewritten(path, change) -> None:
    """The same file with another header and other tensors."""
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["hysteron"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
    header = change(header, tensors) or header
    save_file(tensors, path, {"hysteron": json.dumps(header)})


def test_it_predicts_the_same_after_saving_and_loading(made, path):
    loaded = PropertyModel.load(path)
    one, other = (m.evaluate(gathered_by_element().crystals) for m in (made, loaded))
    for name, values in one.members.items():
        assert np.array_equal(values, other.members[name], equal_nan=True), name
    assert np.array_equal(one.distances, other.distances)
    assert loaded.intervals == made.intervals
    assert loaded.elements == made.elements
    assert loaded.domain.limit == made.domain.limit
    assert loaded.card == {"method": "GNN toy"}
    assert not any(p.requires_grad for p in loaded.network.parameters())


def test_saving_again_gives_the_same_bytes(path, tmp_path):
    PropertyModel.load(path).save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert file_hash(tmp_path / "again.safetensors") == file_hash(path)
    assert len(file_hash(path)) == 16


def test_a_batch_size_changes_nothing(made):
    crystals = gathered_by_element().crystals
    one, other = made.evaluate(crystals, batch=7), made.evaluate(crystals, batch=1000)
    for name, values in one.members.items():
        assert np.allclose(values, other.members[name], atol=1e-5, equal_nan=True), name


def test_heads_have_their_shapes(made):
    found = made.evaluate(gathered_by_element().crystals.select(torch.arange(4)))
    assert found.members["formation_energy"].shape == (3, 4, 4)
    assert found.means("band_gap").shape == found.spreads("band_gap").shape == (4, 1)
    assert np.allclose(found.members["crystal_system"].sum(-1), 1, atol=1e-5)
    assert ((found.members["metal"] >= 0) & (found.members["metal"] <= 1)).all()
    assert (found.spreads("band_gap") > 0).all()


def test_chgnets_formation_energy_is_counted_from_the_elements():
    crystals: Packed = packed(rock_salt("Mg"))
    known = references()
    known[12], known[8] = -1.5, -5.0
    energy = -0.05 * (12 + 8) / 2  # of `ByElement`, eV/atom
    assert chgnet_formation(crystals, known).tolist() == pytest.approx([energy + (1.5 + 5.0) / 2])


def test_an_element_without_reference_has_none(made):
    xenon = packed(Structure(Lattice.cubic(4.0), ["Xe"], [[0, 0, 0]]))
    assert made.formation_energies(xenon).isnan().all()


# What is refused


def test_an_absent_file_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a property model"):
        PropertyModel.load(tmp_path / "none.safetensors")


@pytest.mark.parametrize("size", [0, 4, 100, 2000, -1])
def test_a_truncated_file_is_a_sentence(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match="cannot be read as a property model"):
        PropertyModel.load(path)


@pytest.mark.parametrize("content", [b"not weights", b"{}" * 400, b"\xff" * 64])
def test_something_else_is_a_sentence(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as a property model"):
        PropertyModel.load(path)


def test_a_folder_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a property model"):
        PropertyModel.load(tmp_path)


class Poisoned:
    def __reduce__(self):
        return (pytest.fail, ("A pickle was opened.",))


def test_no_pickle_is_opened(path, made):
    path.write_bytes(pickle.dumps(Poisoned()))
    with pytest.raises(InputError, match="cannot be read"):
        PropertyModel.load(path)
    torch.save(made.network.state_dict(), path)
    with pytest.raises(InputError, match="cannot be read"):
        PropertyModel.load(path)


def test_a_file_too_large_is_not_opened(path, monkeypatch):
    monkeypatch.setattr(model, "LARGEST_BYTES", path.stat().st_size - 1)
    with pytest.raises(InputError, match="larger than"):
        PropertyModel.load(path)


@pytest.mark.parametrize("name", [None, "hysteron-properties-99", "hysteron-potential-1"])
def test_another_format_is_named(path, name):
    rewritten(path, lambda header, _: header | {"format": name})
    with pytest.raises(InputError) as caught:
        PropertyModel.load(path)
    assert repr(name) in str(caught.value)
    assert FORMAT in str(caught.value)


def test_other_safetensors_are_no_model(path):
    save_file({"x": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="no property model of this program"):
        PropertyModel.load(path)


def without(key):
    def change(header, tensors):
        header.pop(key, None)
        tensors.pop(key, None)

    return change


def with_prior(head, *shape):
    """A prior of a head that stands on nothing, is not there, or of another shape."""

    def change(header, tensors):
        tensors[f"priors.{head}"] = torch.zeros(shape, dtype=torch.float64)

    return change


def with_header(**more):
    return lambda header, _: header | more


def with_network(**more):
    return lambda header, _: header | {"network": header["network"] | more}


@pytest.mark.parametrize(
    "change",
    [
        without("network"),
        without("intervals"),
        without("card"),
        without("limit"),
        without("references"),
        without("domain.axes"),
        without("network.trunk.elements.weight"),
        with_network(width=24),
        with_network(layers=2),
        with_network(surprise=1),
        with_network(outputs=[["heat_of_vaporisation", 1]]),
        with_header(intervals=[]),
        with_header(intervals={"band_gap": [{"slope": 1}]}),
        with_header(limit="far"),
        with_header(network="large"),
        with_prior("band_gap", 1, 120),
        with_prior("castelli_heat", 1, 120),
        with_prior("formation_energy", 4, 119),
        lambda header, _: [header],
        lambda header, _: 3,
    ],
)
def test_a_file_with_a_wrong_part_is_a_sentence(path, change):
    rewritten(path, change)
    with pytest.raises(InputError, match="property model"):
        PropertyModel.load(path)


def test_a_header_cannot_ask_for_much_memory(path):
    """Two million wide would be a terabyte of weights; the tensors in the file are small."""
    rewritten(path, with_network(width=2_000_000))
    with pytest.raises(InputError, match="property model"):
        PropertyModel.load(path)
