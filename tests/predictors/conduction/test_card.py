"""Table and card are written together and say what was measured."""

import gzip

from hysteron.predictors.conduction.card import CARD, build_table, learn
from hysteron.predictors.conduction.fit import TABLE as COMPOUNDS
from hysteron.predictors.conduction.fit import read_labelled
from hysteron.predictors.conduction.model import TABLE, Conductor

OXIDES = {  # a few of each class, textbook knowledge
    0: ["SrVO3", "RuO2", "ReO3", "LaNiO3", "SrRuO3", "IrO2", "CrO2", "BaNiS2", "TiS2", "CoSi2", "NbO", "VO"],
    1: [
        "MgO",
        "TiO2",
        "SrTiO3",
        "NiO",
        "MnO",
        "LaFeO3",
        "LaCrO3",
        "ZnO",
        "Al2O3",
        "CeO2",
        "ZnS",
        "WO3",
        "CuO",
        "Cr2O3",
        "La2CuO4",
    ],
    2: [
        "VO2",
        "V2O3",
        "Ti2O3",
        "NbO2",
        "NdNiO3",
        "LaCoO3",
        "Fe3O4",
        "Ca2RuO4",
        "BaVS3",
        "CuIr2S4",
        "NaOsO3",
        "SmNiO3",
    ],
}


def folder_of_compounds(tmp_path):
    path = tmp_path / COMPOUNDS
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.write("Compound,Label\n")
        out.writelines(f"{formula},{label}\n" for label, names in OXIDES.items() for formula in names)
    return tmp_path


def test_the_table_that_is_written_can_be_read_and_the_card_names_its_figures(tmp_path):
    data, into = folder_of_compounds(tmp_path / "data"), tmp_path / "into"
    into.mkdir()
    figures = build_table(data, into, repeats=1)
    written = (into / CARD).read_text()
    assert f"{figures['left_out']['family']['balanced_accuracy']['value']:.2f}" in written
    assert "12 metals, 15 insulators, 12 with" in written
    assert "{" not in written
    learnt = Conductor(into / TABLE).learnt
    assert len(learnt.fitted.rows) == 39
    assert "oxide" in learnt.anion_classes
    assert "tetrelide" not in learnt.anion_classes


def test_equal_data_teach_the_same(tmp_path):
    labelled = read_labelled(folder_of_compounds(tmp_path))
    one, other = learn(labelled), learn(labelled)
    assert one.to_dict() == other.to_dict()
