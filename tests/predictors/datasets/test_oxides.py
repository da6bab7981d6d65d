"""matminer's form of the oxygen vacancies gives what the CSV gives."""

import gzip
import json

import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.vacancies import wolverton_oxides

COLUMNS = [
    *("a", "alpha", "atom a", "atom b", "b", "beta", "c", "e_form", "e_form oxygen", "e_hull", "formula"),
    *("gamma", "gap pbe", "lowest distortion", "mu_b", "vpa"),
]


def file_of(tmp_path, *rows, columns=COLUMNS):
    path = tmp_path / "wolverton_oxides.json.gz"
    document = {"index": list(range(len(rows))), "columns": columns, "data": rows}
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    return path


def row(a="Sr", b="Ti", kind="cubic", vacancy=5.504):
    return [3.9, 90, a, b, 3.9, 90, 3.9, -3.5, vacancy, 0.05, a + b + "O3", 90, 1.8, kind, None, 59.319 / 5]


def test_rows_have_their_energy_and_cubic_ones_a_crystal(tmp_path):
    rows = list(wolverton_oxides(file_of(tmp_path, row(), row("Ti", "Sr", "orthorhombic", None))))
    assert [each.key for each in rows] == ["emery:Sr-Ti", "emery:Ti-Sr"]
    assert [each.label("vacancy_formation_energy") for each in rows] == [5.504, None]
    assert [each.cell is not None for each in rows] == [True, False]
    assert rows[0].split == rows[1].split
    assert "magnetic_moment_mu_b" not in rows[0].columns


def test_another_table_is_refused(tmp_path):
    path = file_of(tmp_path, ["Sr", "Ti", "cubic"], columns=["atom a", "atom b", "lowest distortion"])
    with pytest.raises(InputError, match="lacks the columns e_form oxygen, e_form"):
        list(wolverton_oxides(path))
