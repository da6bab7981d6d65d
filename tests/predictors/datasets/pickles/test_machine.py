"""Pickles are read as plain data, by opcodes alone: sound ones bit by bit, poisoned ones never."""

import math
import pickle
import random
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hysteron.benchmarks.readers_poison import other_pickles, running_pickles
from hysteron.benchmarks.readers_samples import make_samples, new_graph, old_graph, pickled_graph
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.oc20.pyg_objects import graph_fields, plain_pickle

PLAIN = [
    None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31, -(2**70), 2**200, 1.5, -math.inf, "", "word", "\u00e9" * 300,
    b"", b"bytes", bytes(300), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1, [2, [3]]], list(range(2000)),
    {}, {"a": {"b": (1, 2)}, "c": [None]}, {i: str(i) for i in range(1500)}, OrderedDict(a=1, b=2),
    np.float32(1.5), np.int64(-7), np.bool_(True),
]  # fmt: skip


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", PLAIN, ids=lambda v: f"{type(v).__name__}-{str(v)[:12]}")
def test_plain_values_come_back(value, protocol):
    assert plain_pickle(pickle.dumps(value, protocol=protocol)) == value


def test_a_value_that_holds_itself_comes_back():
    value: list = [1]
    value.append(value)
    found = plain_pickle(pickle.dumps(value))
    assert found[1] is found


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("kind", ["?", "i1", "u1", "<i4", "<i8", "f2", "<f4", "<f8", ">f8", ">i4"])
def test_arrays_come_back_bit_by_bit(kind, protocol, monkeypatch):
    monkeypatch.setattr(pickle, "dumps", lambda value, protocol, p=protocol, d=pickle.dumps: d(value, p))
    rng = np.random.default_rng(0)
    for shape in [(), (0,), (5,), (4, 3), (2, 3, 4)]:
        array = np.asarray(rng.normal(size=shape) * 100).astype(kind)
        for given in (array, np.asfortranarray(array)):
            found = graph_fields(new_graph({"a": given}))["a"]
            assert (found.dtype, found.shape, found.tobytes()) == (given.dtype, given.shape, given.tobytes())


@pytest.mark.parametrize(
    "kind", ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"]
)
@pytest.mark.parametrize("write", [new_graph, old_graph])
def test_tensors_come_back_bit_by_bit(kind, write):
    base = (torch.randn(6, 4) * 100).to(getattr(torch, kind))
    windows = [base, base.T, base[1:4, 2], base[::2], base[:0], base[2, 3], base[:1].expand(3, 4)]
    found = graph_fields(write({f"t{i}": t for i, t in enumerate(windows)}))
    for i, tensor in enumerate(windows):
        array = found[f"t{i}"]
        assert (array.dtype.name, array.shape) == (kind, tuple(tensor.shape))
        assert array.tobytes() == tensor.contiguous().numpy().tobytes()


def test_old_and_new_graphs_have_the_fields_that_were_set():
    fields = {"pos": torch.zeros(2, 3), "sid": 7, "word": "w"}
    for write in (new_graph, old_graph):
        assert set(graph_fields(write(fields))) == {"pos", "sid", "word"}


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.complex64])
def test_tensors_that_are_no_plain_numbers_are_refused(kind):
    with pytest.raises(InputError, match="no plain data"):
        graph_fields(new_graph({"t": torch.zeros(2, dtype=kind)}))


def test_tensors_with_gradients_are_refused():
    with pytest.raises(InputError, match="gradient"):
        graph_fields(new_graph({"t": torch.zeros(2, requires_grad=True)}))


def test_poison_is_refused_and_nothing_runs(tmp_path):
    poison = running_pickles(tmp_path) | other_pickles()
    for name, raw in poison.items():
        for read in (graph_fields, plain_pickle):
            if (name, read) in {("no-graph", plain_pickle), ("deep", plain_pickle)}:
                continue  # plain data, though no graph
            with pytest.raises(InputError, match=r"[a-z]{3}.*\.$"):
                read(raw)
    assert not list(tmp_path.iterdir())


def test_a_sentence_names_what_was_asked_for(tmp_path):
    with pytest.raises(InputError, match=r"asks for builtins\.eval, which is no plain data"):
        graph_fields(running_pickles(tmp_path)["eval"])


@pytest.mark.parametrize("old", [False, True])
def test_changed_bytes_give_fields_or_a_sentence(old):
    sound = pickled_graph(make_samples(1, 0, least=3, most=3)[0], old=old)
    rng = random.Random(0)
    told = 0
    for _ in range(1500):
        raw = bytearray(sound)
        for _ in range(rng.randint(1, 3)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        try:
            graph_fields(bytes(raw))
        except InputError:
            told += 1
    assert 0 < told < 1500
