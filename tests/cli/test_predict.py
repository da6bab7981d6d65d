"""`hysteron predict` with a tiny model of the test's own in HYSTERON_HOME."""

import csv
import io
import json

import materials
import pytest
from hysteron.cli.main import main
from hysteron.core.settings import home
from hysteron.flows import toolbox
from hysteron.predictors.properties import predictor
from hysteron.predictors.properties.predictor import SHIPPED
from property_toys import perovskite, rock_salt, with_certainty_of_metal, write_weights


def forget():
    predictor._loaded.cache_clear()
    toolbox.predictor.cache_clear()


@pytest.fixture
def model(own_home):
    """A model in HYSTERON_HOME that calls nothing a metal."""
    forget()
    path = home() / "models" / SHIPPED
    write_weights(path)
    with_certainty_of_metal(path, False)
    yield path
    forget()


@pytest.fixture
def crystals(tmp_path):
    """A perovskite, a rock salt and one with an element the model has not seen."""
    folder = tmp_path / "crystals"
    folder.mkdir()
    perovskite("Sr").to(str(folder / "a.cif"))
    rock_salt("Mg").to(str(folder / "b.vasp"), fmt="poscar")
    rock_salt("Pu").to(str(folder / "c.cif"))
    return folder


def test_the_table_has_unit_interval_and_domain(model, crystals, capsys):
    assert main(["predict", str(crystals), "--format", "table"]) == 0
    shown = capsys.readouterr().out
    heading, *lines = shown.splitlines()
    for word in ("input", "candidate", "property", "value", "90% interval", "unit", "domain"):
        assert word in heading
    gaps = [line for line in lines if " band_gap " in line]
    assert len(gaps) == 3
    assert all(" eV " in line and " to " in line for line in gaps)
    assert [line.split()[-1] for line in gaps] == ["in", "in", "outside"]
    assert sum("vacancy_formation_energy" in line and " to " in line for line in lines) == 1
    assert "band_gap by GNN toy: MP PBE and PBE+U" in shown


def test_jsonl_has_the_interval_and_the_input(model, crystals, capsys):
    assert main(["predict", str(crystals)]) == 0
    captured = capsys.readouterr()
    records = [json.loads(line) for line in captured.out.splitlines()]
    assert [r["input"].rpartition("/")[2] for r in records] == ["a.cif", "b.vasp", "c.cif"]
    for record in records:
        gap = next(p for p in record["properties"] if p["name"] == "band_gap")
        assert gap["interval"][0] <= gap["value"] <= gap["interval"][1]
        assert gap["coverage"] == 0.9
        assert gap["method"] == "GNN toy"
        step = record["provenance"][-1]
        assert step["stage"] == "predict"
        assert "in_domain" in step["details"]
    assert records[2]["provenance"][-1]["details"]["elements_not_trained_on"]["band_gap"] == ["Pu"]


def test_csv_has_method_and_uncertainty(model, crystals, capsys):
    assert main(["predict", str(crystals), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["formula"] for row in rows] == ["SrTiO3", "MgO", "PuO"]
    assert all(row["band_gap_method"] == "GNN toy" and float(row["band_gap_uncertainty"]) > 0 for row in rows)
    assert [row["vacancy_formation_energy"] != "" for row in rows] == [True, False, False]


def test_what_was_printed_can_be_read_again(model, crystals, tmp_path, capsys):
    assert main(["predict", str(crystals)]) == 0
    (tmp_path / "found.jsonl").write_text(capsys.readouterr().out)
    assert main(["predict", str(tmp_path / "found.jsonl")]) == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [len([p for p in r["properties"] if p["name"] == "band_gap"]) for r in records] == [1, 1, 1]


def test_the_broken_are_told_and_the_rest_predicted(model, crystals, capsys):
    (crystals / "broken.cif").write_text("not a cif")
    materials.disordered_alloy().to(str(crystals / "partial.cif"))
    assert main(["predict", str(crystals), "--format", "table"]) == 1
    captured = capsys.readouterr()
    assert "2 of 5 inputs cannot be used" in captured.err
    assert captured.out.count(" band_gap ") == 3


def test_a_crystal_that_the_model_cannot_treat_is_told(model, tmp_path, capsys):
    rock_salt("Am").to(str(tmp_path / "AmO.cif"))
    rock_salt("Mg").to(str(tmp_path / "MgO.cif"))
    main(["predict", str(tmp_path), "--format", "jsonl"])
    captured = capsys.readouterr()
    assert "could not be treated" in captured.err
    assert "Am" in captured.err
    records = [json.loads(line) for line in captured.out.splitlines()]
    assert [bool(r["properties"]) for r in records] == [False, True]


def test_the_potential_can_be_asked_instead(crystals, capsys):
    assert main(["predict", str(crystals / "b.vasp"), "--model", "chgnet", "--format", "table"]) == 0
    shown = capsys.readouterr().out
    assert "energy_per_atom" in shown
    assert "CHGNet 0.3.0" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "propertys"], "Did you mean 'properties'"),
        (["--format", "xml"], "jsonl"),
    ],
)
def test_wrong_options_are_a_sentence(arguments, says, crystals, capsys):
    assert main(["predict", str(crystals), *arguments]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_a_broken_model_is_a_sentence(model, crystals, capsys):
    model.write_bytes(model.read_bytes()[:5000])
    assert main(["predict", str(crystals)]) == 2
    said = capsys.readouterr().err
    assert str(model) in said
    assert "cannot be read as a property model" in said


def test_nothing_to_predict_is_a_sentence(model, tmp_path, capsys):
    (tmp_path / "broken.cif").write_text("not a cif")
    assert main(["predict", str(tmp_path / "broken.cif")]) == 2
    assert "no usable input" in capsys.readouterr().err


def test_help_says_that_nothing_is_relaxed(capsys):
    assert main(["predict", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "90% intervals" in shown
    assert "nothing is relaxed" in shown
    assert "--model" in shown
