"""Permittivities that mean something, joined to their crystals."""

import gzip
import os
from collections import Counter
from pathlib import Path

import pytest
from hysteron.predictors.datasets.dielectric import dielectric
from toy_crystals import crystals_in

DATA = os.environ.get("HYSTERON_DATA_DIR")
HEADER = (
    "material_id,formula,diel_elec_target,diel_ionic_target,diel_total_target,spacegroup,n_sites,volume,"
    "bandgap_pbe,reduced_formula,split\n"
)


def folder(tmp_path, *values, sites=8):
    (tmp_path / "ferroelectrics").mkdir()
    rows = "".join(f"mp-3,MgO,{value},225,{sites},18.0,4.5,MgO,train\n" for value in values)
    (tmp_path / "ferroelectrics/mp_dielectric_dfpt.csv.gz").write_bytes(
        gzip.compress((HEADER + rows).encode())
    )
    return tmp_path


def named(row):
    return {label.name: round(label.value, 6) for label in row.labels}


def test_parts_are_summed_and_the_index_is_the_root(tmp_path):
    rows = dielectric(folder(tmp_path, "4,6,", ",,10", "4,6,10.0001"), crystals=False)
    parts = {"dielectric_electronic": 4, "dielectric_ionic": 6, "refractive_index": 2}
    assert list(map(named, rows)) == [
        parts | {"dielectric_total": 10},
        {"dielectric_total": 10},
        parts | {"dielectric_total": 10.0001},
    ]


def test_unphysical_values_are_dropped_and_counted_while_the_rest_stays(tmp_path):
    dropped = Counter()
    data = folder(tmp_path, "-31279,972,", "1.0,5,", "101,5,", "4,1494,", ",,1.0", ",,1200")
    rows = list(dielectric(data, dropped, crystals=False))
    assert list(map(named, rows)) == [
        {"dielectric_ionic": 972},
        {"dielectric_ionic": 5},
        {"dielectric_ionic": 5},
        {"dielectric_electronic": 4, "refractive_index": 2},
        {},
        {},
    ]
    assert dropped == {
        "dielectric_electronic": 3,
        "refractive_index": 3,
        "dielectric_ionic": 1,
        "dielectric_total": 6,
    }


def test_a_crystal_of_another_size_is_not_joined(tmp_path):
    from hysteron.core.crystals import crystals_folder, read_crystals

    crystals_in(tmp_path)
    sites = next(r.nsites for r in read_crystals(crystals_folder(tmp_path)) if r.material_id == "mp-3")
    (row,) = dielectric(folder(tmp_path, "4,6,", sites=sites))
    assert len(row.cell.numbers) == sites
    path = tmp_path / "ferroelectrics/mp_dielectric_dfpt.csv.gz"
    text = gzip.decompress(path.read_bytes()).decode().replace(f"225,{sites},", f"225,{sites + 1},")
    path.write_bytes(gzip.compress(text.encode()))
    (row,) = dielectric(tmp_path)
    assert row.cell is None


@pytest.mark.skipif(not DATA, reason="needs the dielectric table: set HYSTERON_DATA_DIR")
def test_the_table_has_its_rows_and_its_outliers_are_gone():
    dropped = Counter()
    rows = list(dielectric(Path(DATA), dropped))
    assert (len(rows), sum(row.cell is not None for row in rows)) == (2_287, 1_985)
    values = [value for row in rows if (value := row.label("dielectric_electronic")) is not None]
    assert len(values) == 1_257
    assert min(values) > 1
    assert max(values) <= 100
    assert dropped["dielectric_electronic"] == 14
    assert dropped["dielectric_ionic"] == 2
