"""`hysteron ask`: what is told, what is refused, what programs get."""

import json

import pytest
from hysteron.cli.main import main


def test_the_filter_and_every_assumption_are_told(capsys):
    assert main(["ask", "stable wurtzite nitrides with a band gap above 2 eV"]) == 0
    said = capsys.readouterr()
    assert (
        'Filter: energy_above_hull <= 0.001 AND structure_type = "wurtzite" AND elements HAS "N"' in said.err
    )
    assert "stable: energy_above_hull <= 0.001 eV/atom" in said.err
    assert "which underestimates" in said.err
    records = [json.loads(line) for line in said.out.splitlines()]
    assert {"AlN", "GaN"} & {record["formula"] for record in records}
    for record in records:
        values = {p["name"]: p for p in record["properties"]}
        assert values["band_gap"]["value"] > 2
        assert values["energy_above_hull"]["value"] <= 0.001
        assert values["energy_above_hull"]["source"].startswith("mp-chgnet")
        assert values["structure_type"]["value"] == "wurtzite"


@pytest.mark.parametrize("question", ["cheap oxides", "", "oxides with a gap above 2 kelvin"])
def test_what_is_not_understood_ends_with_2_and_prints_nothing(question, capsys):
    assert main(["ask", question]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("hysteron: ")


def test_a_table_shows_what_was_asked_for(capsys):
    assert main(["ask", "What is the density of SrTiO3?", "--format", "table"]) == 0
    said = capsys.readouterr()
    assert "density" in said.out
    assert "g/cm^3" in said.out
    assert "5.0" in said.out or "5.1" in said.out or "4.9" in said.out, (
        "X-ray density 5.12 g/cm^3; CHGNet's cell is larger"
    )


def test_how_many_is_a_number(capsys):
    assert main(["ask", "how many perovskite titanates are there", "--format", "table"]) == 0
    assert int(capsys.readouterr().out) > 5


def test_a_source_that_does_not_know_the_property_says_so(capsys):
    assert main(["ask", "oxides with a polarization above 20 uC/cm2"]) == 2
    assert "The catalogue does not hold polarization" in capsys.readouterr().err


def test_the_catalogue_has_no_recipes(capsys):
    assert main(["ask", "how do I make LiFePO4?"]) == 2
    assert "--source materials-project" in capsys.readouterr().err


def test_without_a_key_the_materials_project_says_what_to_do(capsys):
    assert main(["ask", "silicon carbides", "--source", "materials-project"]) == 2
    assert "MP_API_KEY" in capsys.readouterr().err


def test_the_store_can_be_asked(tmp_path, capsys):
    import sample_candidates as sample
    from hysteron.store.store import CandidateStore

    url = str(tmp_path / "s.db")
    with CandidateStore.open(url) as store:
        store.upsert(sample.everyone())
    assert (
        main(["ask", "titanates with a polarization above 40 uC/cm2", "--source", "store", "--store", url])
        == 0
    )
    said = capsys.readouterr()
    assert [json.loads(line)["formula"] for line in said.out.splitlines()] == ["BaTiO3"]
    assert "1 of 1 materials from store (" in said.err
