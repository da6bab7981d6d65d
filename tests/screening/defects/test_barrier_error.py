"""The error of barriers: told for the ions and the potential it was measured on, and for no others."""

from __future__ import annotations

import json
from pathlib import Path

import hysteron
import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.screening.defects.barrier_error import FORMAT, TABLE, _table, barrier_error, error_by

MADE_UP = {
    "format": FORMAT,
    "model_hash": "1",
    "floor": 0.1,
    "growth": 0.2,
    "one_sigma": 1.0,
    "ninety": 2.0,
    "ions": ["Li", "Mg"],
}


class Toy:
    """A potential by name alone."""

    name, energy_scale, model_hash = "toy", "toy", "1"


def test_the_error_grows_with_the_barrier():
    found = error_by(MADE_UP, 0.5, "Li", Toy())
    assert found.uncertainty == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.1, 0.9))
    assert error_by(MADE_UP, 1.0, "Mg", Toy()).uncertainty == pytest.approx(0.3)


def test_no_interval_reaches_below_zero():
    assert error_by(MADE_UP, 0.0, "Li", Toy()).interval == pytest.approx((0, 0.2))


def test_of_what_was_not_measured_nothing_is_told():
    assert error_by(MADE_UP, 0.5, "O", Toy()) is None
    other = Toy()
    other.model_hash = "2"
    assert error_by(MADE_UP, 0.5, "Li", other) is None


def test_the_shipped_table_is_of_chgnet_and_of_cations():
    table = json.loads((Path(hysteron.__file__).parent / "data" / TABLE).read_text(encoding="utf-8"))
    assert table["format"] == FORMAT
    assert table["model_hash"] == CHGNetPotential().model_hash
    assert "O" not in table["ions"]
    assert table["factor_not_applied"]["gain_interval_90"][0] < 0
    found = barrier_error(0.5, "Li", CHGNetPotential())
    assert found.interval[0] < 0.5 - found.uncertainty < 0.5 + found.uncertainty < found.interval[1]
    assert barrier_error(0.5, "O", CHGNetPotential()) is None


def test_another_file_in_its_place_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / TABLE).write_text('{"format": "other"}')
    _table.cache_clear()
    with pytest.raises(InputError, match="no table of barrier errors"):
        barrier_error(0.5, "Li", Toy())
    _table.cache_clear()
