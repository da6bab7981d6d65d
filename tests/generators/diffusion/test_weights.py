"""The files of a diffusion model and its adapters: nothing is run, and an adapter knows its base."""

import json
import pickle

import diffusion_toys as toys
import pytest
import torch
from hysteron.core.errors import InputError
from hysteron.generators.diffusion.adapters import SPACEGROUP, Adapter, AdapterConfig, shares_of
from hysteron.generators.diffusion.settings import DataTable
from hysteron.generators.diffusion.weights import Trained, TrainedAdapter, grid_of
from safetensors import safe_open
from safetensors.torch import save_file

SIZES = ((2, 2, 5), (5, 5, 3))


@pytest.fixture
def path(tmp_path):
    network = toys.awake(toys.small_network())
    Trained(network, DataTable(anions=False), SIZES, {"method": "tiny"}).save(tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def adapter_path(path, tmp_path):
    adapter = toys.awake(Adapter(AdapterConfig("band_gap", 16, 2, 4)))
    grid = grid_of(torch.tensor([0.0] * 60 + [1.0, 2.0, 3.0, 4.0] * 10))
    TrainedAdapter(adapter, Trained.load(path).digest, grid).save(tmp_path / "a.safetensors")
    return tmp_path / "a.safetensors"


def rewritten(path, change) -> None:
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()["hysteron"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  # no mapping
    save_file(tensors, path, {"hysteron": json.dumps(change(header, tensors))})


def test_a_model_comes_back_in_bfloat16_and_keeps_its_digest(path, tmp_path):
    after = Trained.load(path)
    assert after.data == DataTable(anions=False)
    assert after.sizes == SIZES
    assert after.method == "tiny"
    assert not after.network.training
    assert not any(p.requires_grad for p in after.network.parameters())
    after.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()
    assert Trained.load(tmp_path / "again.safetensors").digest == after.digest
    with torch.no_grad():
        next(iter(after.network.parameters())).add_(1.0)
    assert Trained.load(path).digest != after.digest


def test_an_adapter_comes_back(adapter_path, path):
    adapter = TrainedAdapter.load(adapter_path)
    assert adapter.name == "band_gap"
    assert adapter.base == Trained.load(path).digest


@pytest.mark.parametrize("size", [0, 10, 500, -1])
@pytest.mark.parametrize("which", [Trained, TrainedAdapter])
def test_a_truncated_file_is_a_sentence(which, size, path, adapter_path):
    file = path if which is Trained else adapter_path
    file.write_bytes(file.read_bytes()[:size])
    with pytest.raises(InputError, match=r"cannot be read as|is no"):
        which.load(file)


def test_one_is_not_taken_for_the_other(path, adapter_path):
    with pytest.raises(InputError, match="is no diffusion model"):
        Trained.load(adapter_path)
    with pytest.raises(InputError, match="is no adapter"):
        TrainedAdapter.load(path)


class Poisoned:
    def __reduce__(self):
        return (pytest.fail, ("A pickle was opened.",))


def test_a_pickle_is_not_opened(tmp_path):
    (tmp_path / "x.safetensors").write_bytes(pickle.dumps(Poisoned()))
    for which in (Trained, TrainedAdapter):
        with pytest.raises(InputError):
            which.load(tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "shape", [{"width": 4096}, {"layers": 400}, {"pair_width": 4096}, {"descriptors": 5}, {"strange": 1}]
)
def test_a_header_that_asks_for_more_than_there_is_is_refused(shape, path):
    rewritten(path, lambda header, _: header | {"network": header["network"] | shape})
    with pytest.raises(InputError, match="cannot be read"):
        Trained.load(path)


@pytest.mark.parametrize("change", [{"grid": [3, 1]}, {"grid": []}, {"base": None, "grid": ["x"]}])
def test_an_adapter_without_an_ascending_grid_is_refused(change, adapter_path):
    rewritten(adapter_path, lambda header, _: header | change)
    with pytest.raises(InputError, match="cannot be read"):
        TrainedAdapter.load(adapter_path)


def test_a_range_is_told_as_shares_of_the_training_crystals(adapter_path):
    """60 metals of 100; a quarter of the rest at each of 1 to 4 eV."""
    adapter = TrainedAdapter.load(adapter_path)
    low, high = adapter.told(2.0, 3.0)[:2].tolist()
    assert low == pytest.approx(0.7, abs=0.015)
    assert high == pytest.approx(0.9, abs=0.015)
    assert adapter.told(None, 0.0)[:2].tolist() == pytest.approx([0.0, 0.6], abs=0.015)
    assert adapter.told(0.0, None)[:2].tolist() == [0.0, 1.0]
    assert adapter.told(-5.0, 50.0)[:2].tolist() == [0.0, 1.0]


def test_the_shares_are_those_that_the_training_uses():
    known = torch.cat([torch.zeros(500), torch.rand(1500, generator=torch.Generator().manual_seed(0)) * 5])
    grid = grid_of(known)
    adapter = TrainedAdapter(Adapter(AdapterConfig("band_gap", 16, 2, 4)), "", grid)
    values = torch.tensor([0.0, 0.4, 2.0, 4.9])
    below, through = shares_of(values, known)
    for value, low, high in zip(values.tolist(), below.tolist(), through.tolist(), strict=True):
        told = adapter.told(value, value)
        assert told[0] == pytest.approx(low, abs=0.01)
        assert told[1] == pytest.approx(high, abs=0.01)


def test_the_adapter_of_space_groups_has_no_grid(path, tmp_path):
    adapter = Adapter(AdapterConfig(SPACEGROUP, 16, 2, 4))
    TrainedAdapter(adapter, "x").save(tmp_path / "g.safetensors")
    assert TrainedAdapter.load(tmp_path / "g.safetensors").grid == ()
