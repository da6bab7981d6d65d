"""matbench's own files, row by row, and what must not come out of them."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hysteron.core.errors import InputError, SettingsError
from hysteron.predictors.datasets import json_rows
from hysteron.predictors.datasets.matbench import TASKS, matbench_compositions, matbench_json
from materials import magnesium_oxide, silicon

DATA = os.environ.get("HYSTERON_DATA_DIR")


def document(*rows, columns=("structure", "e_form")):
    return {"index": list(range(len(rows))), "columns": list(columns), "data": [list(row) for row in rows]}


def written(path, content):
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.fixture(scope="module")
def rows():
    return [
        (magnesium_oxide().as_dict(), 0.5),
        (silicon().as_dict(), None),
        (magnesium_oxide().as_dict(), -1),
    ]


@pytest.mark.parametrize("name", ["matbench_perovskites.json.gz", "matbench_perovskites.json"])
@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_rows_are_read_whatever_the_size_of_a_chunk(tmp_path, rows, monkeypatch, name, chunk):
    monkeypatch.setattr(json_rows, "CHUNK_CHARACTERS", chunk)
    read = list(matbench_json(written(tmp_path / name, document(*rows))))
    assert [row.key for row in read] == [f"matbench_perovskites:{n}" for n in (1, 2, 3)]
    assert [row.label("heat_of_formation_castelli") for row in read] == [0.5, None, -1]
    assert [row.formula for row in read] == ["MgO", "Si", "MgO"]
    np.testing.assert_array_equal(read[1].cell.positions, silicon().cart_coords)


def test_rows_come_before_the_file_is_read_to_its_end(tmp_path, rows):
    text = json.dumps(document(*rows))
    path = written(tmp_path / "matbench_perovskites.json", text[: int(len(text) * 0.9)])
    read = matbench_json(path)
    assert [next(read).formula, next(read).formula] == ["MgO", "Si"]
    with pytest.raises(InputError, match="cut off or no JSON"):
        next(read)


def test_a_class_named_in_a_crystal_is_never_built(tmp_path):
    poisoned = magnesium_oxide().as_dict()
    poisoned["sites"][0]["properties"] = {"x": {"@module": "os", "@class": "system", "command": "true"}}
    path = written(tmp_path / "matbench_perovskites.json", document((poisoned, 1.0)))
    with pytest.raises(InputError, match="name a Python class"):
        list(matbench_json(path))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[1, 2]", "not in pandas' split form"),
        ("", "not in pandas' split form"),
        ('{"data": [[1, 2]], "columns": ["structure", "e_form"]}', "'columns' after its 'data'"),
        ('{"columns": ["structure", "e_form"], "data": [[1]]}', "row 1 does not have the columns"),
        ('{"columns": ["structure", "n"], "data": [[{}, 1]]}', "lacks the columns e_form"),
        ('{"columns": ["structure", "e_form"], "data": [[{}, 1]]}', "structure cannot be read"),
        ('{"columns": ["structure", "e_form"], "data": [[' + "[" * 100_000, "nested too deeply|cut off"),
        (
            '{"columns": ["structure", "e_form"], "data": [[{}, 1] [{}, 2]]}',
            "structure cannot be read|inside its array",
        ),
    ],
)
def test_what_is_no_table_is_told(tmp_path, content, sentence):
    with pytest.raises(InputError, match=sentence):
        list(matbench_json(written(tmp_path / "matbench_perovskites.json", content)))


def test_a_row_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_rows, "MOST_CHARACTERS", 1000)
    monkeypatch.setattr(json_rows, "CHUNK_CHARACTERS", 100)
    text = '{"columns": ["structure", "e_form"], "data": [["' + "x" * 5000
    with pytest.raises(InputError, match="more than 1000 characters"):
        list(matbench_json(written(tmp_path / "matbench_perovskites.json", text)))


def test_a_gzip_that_is_cut_off_is_told(tmp_path, rows):
    path = written(tmp_path / "matbench_perovskites.json.gz", document(*rows))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        list(matbench_json(path))


def test_an_unknown_table_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="no matbench table 'matbench_steels'"):
        list(matbench_json(written(tmp_path / "matbench_steels.json", document())))


def test_compositions_have_their_label_and_a_split_by_formula(tmp_path):
    (tmp_path / "composition_tables").mkdir()
    text = "mbid,n,composition,spg_num\nmb-1,1.7,K6 S6,189\nmb-2,1.8,K1 S1,225\n"
    (tmp_path / "composition_tables/matbench_dielectric.csv.gz").write_bytes(gzip.compress(text.encode()))
    rows = list(matbench_compositions("matbench_dielectric", tmp_path))
    assert [row.label("refractive_index") for row in rows] == [1.7, 1.8]
    assert rows[0].formula == rows[1].formula == "KS"
    assert rows[0].split == rows[1].split
    assert rows[1].columns == {"spacegroup_number": 225.0}


@pytest.mark.skipif(not DATA, reason="needs the composition tables: set HYSTERON_DATA_DIR")
@pytest.mark.parametrize(("task", "count"), [("matbench_dielectric", 4_201), ("matbench_expt_gap", 4_604)])
def test_the_tables_have_their_rows(task, count):
    rows = list(matbench_compositions(task, Path(DATA)))
    assert len(rows) == count
    assert all(row.labels[0].units == TASKS[task].units for row in rows)
