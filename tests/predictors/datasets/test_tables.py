"""Rows and lines become values, or a sentence that names the row."""

import gzip

import numpy as np
import pytest
from hysteron.core.errors import InputError, MissingDataError
from hysteron.predictors.datasets.tables import (
    cell_of,
    columns_of,
    data_path,
    labels_of,
    number,
    read_json_lines,
    read_rows,
)


def test_a_file_that_is_absent_is_named_with_the_variable(tmp_path, monkeypatch):
    with pytest.raises(MissingDataError, match=r"no file .*x/y\.csv; HYSTERON_DATA_DIR"):
        data_path("x/y.csv", tmp_path)
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="set HYSTERON_DATA_DIR"):
        data_path("x/y.csv")


def test_sodium_nitride_is_a_formula_and_an_empty_field_is_none(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"formula,gap\nNaN,\nMgO,4.5\n"))
    rows = list(read_rows(path, ("formula", "gap")))
    assert [row["formula"] for _, row in rows] == ["NaN", "MgO"]
    assert [number(row, "gap", where) for where, row in rows] == [None, 4.5]
    assert [where for where, _ in rows] == ["t.csv.gz row 1", "t.csv.gz row 2"]


def test_a_missing_column_and_a_file_that_is_no_table_are_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"t\.csv lacks the columns gap; it has a, b\."):
        list(read_rows(path, ("a", "gap")))
    broken = tmp_path / "t.csv.gz"
    broken.write_bytes(gzip.compress(b"a,b\n1,2\n" * 999)[:-9])
    with pytest.raises(InputError, match="cannot be read as CSV"):
        list(read_rows(broken, ("a",)))


@pytest.mark.parametrize("value", ["soon", "inf", float("inf"), [1.0], "nan"])
def test_what_is_no_finite_number_is_refused_with_its_row(value):
    with pytest.raises(InputError, match=r"here: gap is .*, expected a finite number"):
        number({"gap": value}, "gap", "here")


def test_empty_fields_give_neither_label_nor_column():
    row = {"gap": float("nan"), "energy": -1.0}
    labels = labels_of(row, {"gap": ("band_gap", "eV", "x"), "energy": ("e", "eV/atom", "x")}, "here")
    assert [(label.name, label.value, label.units) for label in labels] == [("e", -1.0, "eV/atom")]
    assert columns_of(row, {"gap": "gap_ev", "energy": "energy_ev", "other": "o"}, "here") == {
        "energy_ev": -1.0
    }


@pytest.mark.parametrize("line", [b"[1]\n", b"{\n", b'"x"\n'])
def test_a_line_that_is_no_object_is_refused_with_its_number(tmp_path, line):
    path = tmp_path / "l.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' + line))
    with pytest.raises(InputError, match=r"l\.jsonl\.gz line 2"):
        list(read_json_lines(path))


def test_a_file_that_is_cut_off_is_refused(tmp_path):
    path = tmp_path / "l.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' * 999)[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        list(read_json_lines(path))


def test_a_cell_from_lengths_and_angles_is_pymatgens():
    from pymatgen.core import Lattice

    parameters = [3.1, 4.2, 5.3, 71.0, 98.0, 112.0]
    coords = [[0.1, 0.2, 0.3], [0.7, 0.5, 0.9]]
    cell = cell_of(parameters, ["Na", "Cl"], coords, "here")
    lattice = Lattice.from_parameters(*parameters)
    np.testing.assert_allclose(cell.lattice, lattice.matrix, atol=1e-10)
    np.testing.assert_allclose(cell.positions, lattice.get_cartesian_coords(coords), atol=1e-10)
    assert cell.numbers.tolist() == [11, 17]


@pytest.mark.parametrize(
    ("lattice", "species", "coords"),
    [
        ([4, 4, 4, 90, 90, 90], ["Xx"], [[0, 0, 0]]),
        ([4, 4, 4, 90, 90], ["Na"], [[0, 0, 0]]),
        ([[4, 0, 0], [8, 0, 0], [0, 0, 4]], ["Na"], [[0, 0, 0]]),
        ([4, 4, 4, 90, 90, 90], ["Na", "Cl"], [[0, 0, 0]]),
        ([4, 4, 4, 90, 90, 90], ["Na"], [[0, 0, float("nan")]]),
        ([4, 4, 4, 90, 90, 90], [], []),
        (None, ["Na"], [[0, 0, 0]]),
        ([4, 4, 4, 170, 170, 170], ["Na"], [[0, 0, 0]]),
    ],
)
def test_what_is_no_crystal_is_refused(lattice, species, coords):
    with pytest.raises(InputError, match="here has"):
        cell_of(lattice, species, coords, "here")
