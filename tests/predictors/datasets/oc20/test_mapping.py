"""OC20's mapping of systems: a pickled dictionary, read as plain data."""

import pickle

import numpy as np
import pytest
from hysteron.core.errors import InputError, NotFoundError
from hysteron.predictors.datasets.oc20.mapping import Oc20System, read_mapping

FIELDS = {
    "bulk_id": 6756,
    "ads_id": 69,
    "bulk_symbols": "Ca2Hg4",
    "ads_symbols": "*C",
    "bulk_mpid": "mp-11289",
    "miller_index": (2, 0, -1),
    "shift": 0.145,
    "top": True,
    "adsorption_site": ((4.5, 12.85, 16.13),),
    "class": 1,
    "anomaly": 0,
}
SYSTEM = Oc20System(
    6756, 69, "Ca2Hg4", "*C", "mp-11289", (2, 0, -1), 0.145, True, ((4.5, 12.85, 16.13),), 1, 0
)  # fmt: skip


def written(path, value, protocol=None):
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_systems_come_back(tmp_path, protocol):
    numpys = FIELDS | {"shift": np.float64(0.145), "bulk_id": np.int64(6756), "top": np.bool_(True)}
    path = written(tmp_path / "m.pkl", {"random1": FIELDS, "random2": numpys}, protocol)
    assert read_mapping(path) == {"random1": SYSTEM, "random2": SYSTEM}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"random1": FIELDS | {"shift": print}}, r"asks for builtins\.print"),
        ({"random1": FIELDS | {"adsorption_site": np.zeros((1, 3))}}, r"asks for numpy"),
        ([FIELDS], "no dictionary of systems"),
        ({"random1": 5}, "random1: it is no dictionary"),
        ({"random1": {"bulk_id": 1}}, "random1: it lacks 'ads_id'"),
        ({"random1": FIELDS | {"miller_index": (1, 0)}}, "not three numbers"),
        ({"random1": FIELDS | {"shift": float("nan")}}, "not a finite number"),
        ({"random1": FIELDS | {"bulk_mpid": 5}}, "no text"),
        ({"random1": FIELDS | {"anomaly": "none"}}, "no whole number"),
        ({"random1": FIELDS | {"adsorption_site": 5}}, "random1"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path, value, said):
    with pytest.raises(InputError, match=said):
        read_mapping(written(tmp_path / "m.pkl", value))


def test_no_file_and_an_empty_one(tmp_path):
    with pytest.raises(NotFoundError):
        read_mapping(tmp_path / "m.pkl")
    (tmp_path / "m.pkl").write_bytes(b"")
    with pytest.raises(InputError, match="0 bytes"):
        read_mapping(tmp_path / "m.pkl")
