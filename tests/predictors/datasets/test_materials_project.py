"""Labels carry the release that gave them."""

import gzip
import os
from pathlib import Path

import pytest
from hysteron.core.errors import InputError, MissingDataError
from hysteron.predictors.datasets.materials_project import materials_project
from toy_crystals import crystals_in

HEADER = "material_id,src_formation_energy_per_atom,src_e_above_hull,src_band_gap\n"
DATA = os.environ.get("HYSTERON_DATA_DIR")


@pytest.fixture
def data(tmp_path):
    crystals_in(tmp_path)
    labels = HEADER + "mp-3,mp20,mp_benchtable,\nmp-5,,mp40,\n"
    (tmp_path / "crystals/mp_labels.csv.gz").write_bytes(gzip.compress(labels.encode()))
    return tmp_path


def test_each_label_names_its_release(data):
    rows = {row.key: row for row in materials_project(data)}
    assert [(label.name, label.value, label.fidelity) for label in rows["mp-3"].labels] == [
        ("formation_energy_per_atom", -3.05, "mp20"),
        ("energy_above_hull", 0.0, "mp_benchtable"),
    ]
    # no release is named: the label stays, as one of no named release
    assert [label.fidelity for label in rows["mp-5"].labels] == ["mp", "mp40"]
    assert rows["mp-3"].group == rows["mp-3"].formula == "MgO"
    assert rows["mp-3"].split == "train"
    assert sorted(rows["mp-3"].cell.numbers.tolist())[0] == 8


def test_only_the_named_splits_are_read(data):
    assert not list(materials_project(data, ("val", "test")))


def test_a_folder_without_labels_and_a_label_that_is_no_number_are_told(data):
    path = data / "crystals/mp_structures_val_00.jsonl.gz"
    line = gzip.decompress((data / "crystals/mp_structures_train_00.jsonl.gz").read_bytes()).splitlines()[0]
    path.write_bytes(gzip.compress(line.replace(b'"e_above_hull": 0.0', b'"e_above_hull": "low"')))
    with pytest.raises(InputError, match="mp-1: e_above_hull is 'low'"):
        list(materials_project(data, ("val",)))
    (data / "crystals/mp_labels.csv.gz").unlink()
    with pytest.raises(MissingDataError, match="mp_labels"):
        list(materials_project(data))


@pytest.mark.skipif(not DATA, reason="needs the crystals: set HYSTERON_DATA_DIR")
def test_known_materials_have_their_known_values():
    rows = {row.key: row for row in materials_project(Path(DATA))}
    assert len(rows) == 62_938
    # Materials Project, PBE: salt, periclase, P4mm BaTiO3
    for key, formula, energy, gap in (
        ("mp-22862", "NaCl", -2.110, 5.145),
        ("mp-1265", "MgO", -3.053, 4.638),
        ("mp-5986", "BaTiO3", -3.489, 1.830),
    ):
        assert rows[key].formula == formula
        assert rows[key].label("formation_energy_per_atom") == pytest.approx(energy, abs=1e-3)
        assert rows[key].label("band_gap") == pytest.approx(gap, abs=1e-3)
    releases = [label.fidelity for row in rows.values() for label in row.labels]
    assert {"mp20", "mpts52", "mp40", "mp2018_crysxpp", "mp_benchtable", "mp"} == set(releases)
    splits = [row.split for row in rows.values()]
    assert [splits.count(name) for name in ("train", "val", "test")] == [50_450, 6_028, 6_460]
    train = {row.formula for row in rows.values() if row.split == "train"}
    assert not train & {row.formula for row in rows.values() if row.split == "test"}
