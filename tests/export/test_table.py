"""The CSV: units and methods beside every number, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.export.table import neutral, shortlist_csv, write_csv


def rows(candidates) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(shortlist_csv(candidates))))


def test_a_row_per_candidate_with_units_methods_and_uncertainties(shortlist):
    table = rows(shortlist)
    assert [row["candidate_id"] for row in table] == [c.candidate_id for c in shortlist]
    first = table[0]
    assert (first["formula"], first["spacegroup_number"], first["spacegroup_symbol"]) == (
        "BaTiO3",
        "99",
        "P4mm",
    )
    assert (first["nsites"], first["origin"], first["parents"]) == (
        "5",
        "substitution",
        "SrTiO3-221-aaaaaaaaaa",
    )
    assert (first["polarization"], first["polarization_units"]) == ("26", "uC/cm^2")
    assert first["polarization_method"] == "oxidation state charges"
    assert first["polarization_uncertainty"] == "6.5"
    assert first["polarization_vector"] == "[0, 0, 26]"
    assert (first["ferroelectric_passed"], first["ferroelectric_score"]) == ("yes", "0.8")


def test_a_negative_number_stays_a_number(ferroelectric):
    assert rows([ferroelectric])[0]["polar_nonpolar_energy_difference"] == "-12.25"


def test_what_was_not_computed_is_empty_never_zero(shortlist):
    known = rows(shortlist)[1]
    assert known["polarization"] == known["polarization_units"] == known["ferroelectric_passed"] == ""


def test_the_space_group_is_found_if_the_candidate_does_not_carry_it(known):
    assert known[0].spacegroup_number is None
    assert rows(known[:1])[0]["spacegroup_number"] == "221"


def test_numbers_come_back_as_they_were(ferroelectric):
    exact = ferroelectric.with_property(PropertyValue("energy_per_atom", -7.123456789, "eV/atom", "m"))
    assert rows([exact])[0]["energy_per_atom"] == "-7.123456789"


def test_what_another_potential_said_stands_beside_the_best_value(ferroelectric, known):
    second = PropertyValue("energy_above_hull", 0.0421, "eV/atom", "Second 2.0")
    first = PropertyValue("energy_above_hull", 0.02, "eV/atom", "First 1.0", 0.03)
    both, alone = rows([ferroelectric.with_property(second, first), known[0].with_property(first)])
    assert (both["energy_above_hull"], both["energy_above_hull_method"]) == ("0.02", "First 1.0")
    assert "Second 2.0: 0.0421" in both["energy_above_hull_other_methods"]
    assert "Second" not in alone["energy_above_hull_other_methods"]


def test_text_that_starts_a_formula_is_neutralised_everywhere(ferroelectric):
    attack = "=cmd|' /C calc'!A0"
    hostile = Candidate(
        attack,
        ferroelectric.structure,
        (PropertyValue("band_gap", -1.0, "eV", "@SUM(1)"),),
        (Step("generate", "+1", parents=("-1",)),),
        (Verdict("-evil", True, None, None, None, "\t=1"),),
    )
    row = next(iter(csv.reader(io.StringIO(shortlist_csv([hostile]).split("\n", 1)[1]))))
    heading = next(iter(csv.reader(io.StringIO(shortlist_csv([hostile])))))
    for cell in (*row, *heading):
        numeric = cell.replace("-", "", 1).replace(".", "", 1).isdigit()
        assert numeric or not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert f"'{attack}" in row
    assert "-1" in row


@given(st.text())
def test_neutral_text_never_starts_a_formula(text):
    assert not neutral(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert neutral(text) in (text, f"'{text}")


def test_the_file_is_utf8(ferroelectric, tmp_path):
    named = Candidate("α-GeTe", ferroelectric.structure)
    path = write_csv(tmp_path / "shortlist.csv", [named])
    assert path.read_bytes().decode() == shortlist_csv([named])
    assert "α-GeTe" in path.read_text(encoding="utf-8")


def test_an_empty_shortlist_is_a_heading():
    assert shortlist_csv([]).startswith("candidate_id,formula,")
    assert len(shortlist_csv([]).splitlines()) == 1
