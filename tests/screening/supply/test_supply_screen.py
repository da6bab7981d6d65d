"""Supply and process flags, and that only what the settings name rejects."""

import json

import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Screen, Tools
from hysteron.screening.supply.screen import FACTORS, Supply, SupplyConfig
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from screening_toys import candidate


def judged(one: Candidate, **settings):
    screen = Supply(SupplyConfig(**settings))
    measured = screen.measure([one], Tools())[0]
    return measured, screen.judge(measured)


def rock_salt(cation: str, anion: str) -> Candidate:
    lattice = Lattice([[0, 2.75, 2.75], [2.75, 0, 2.75], [2.75, 2.75, 0]])
    cell = Structure(lattice, [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return Candidate(f"{cation}{anion}", cell)


def kinds(verdict) -> set[str]:
    return {flag["kind"] for flag in verdict.details["flags"]}


def flag_of(verdict, kind: str) -> dict:
    return next(flag for flag in verdict.details["flags"] if flag["kind"] == kind)


def test_it_is_a_screen():
    assert isinstance(Supply(), Screen)


def test_the_index_is_weighted_by_mass():
    # Gaultois et al. 2013: Zn 1600 and O 500 (production); 0.8034 and 0.1966 by mass.
    measured, verdict = judged(candidate("zinc_oxide"))
    table = {"Zn": 1600.0, "O": 500.0}
    mass = {"Zn": 65.38, "O": 15.999}
    expected = sum(table[s] * mass[s] for s in table) / sum(mass.values())
    assert measured.value("supply_hhi") == pytest.approx(expected, rel=1e-3)
    assert verdict.details["hhi_reserve"] > 0
    json.dumps(verdict.details, allow_nan=False)


def test_an_unremarkable_oxide_passes_without_flags():
    _, verdict = judged(candidate("titania_rutile"))
    assert verdict.passed
    assert verdict.score == 1.0
    assert verdict.details["flags"] == []
    assert verdict.details["process"]["outcome"] == "fits"


def test_lead_is_flagged_with_its_source_and_not_rejected():
    _, verdict = judged(candidate("lead_titanate"))
    assert verdict.passed
    assert kinds(verdict) == {"restricted", "high_process_temperature"}
    assert verdict.score == pytest.approx(FACTORS["restricted"] * FACTORS["high_process_temperature"])
    flag = flag_of(verdict, "restricted")
    assert flag["element"] == "Pb"
    assert "RoHS" in flag["source"]
    assert "68.4% by weight" in flag["flag"]  # 207.2 of 303.06 g/mol


def test_mobile_ions_and_fast_diffusers_are_contamination():
    assert "contamination" in kinds(judged(candidate("sodium_chloride"))[1])
    assert "contamination" in kinds(judged(rock_salt("Cu", "O"))[1])
    assert "contamination" not in kinds(judged(candidate("hafnia_polar"))[1])


@pytest.mark.parametrize(
    ("cation", "anion", "element", "ppm"), [("Pb", "Te", "Te", 0.001), ("Ag", "Cl", "Ag", 0.075)]
)
def test_the_scarcest_element_counts(cation, anion, element, ppm):
    # CRC Handbook of Chemistry and Physics, 97th ed.: abundance in the crust, mg/kg.
    _, verdict = judged(rock_salt(cation, anion))
    flag = flag_of(verdict, "scarce")
    assert (flag["element"], flag["value"], flag["threshold"]) == (element, ppm, 0.1)
    assert "scarce" not in kinds(judged(rock_salt(cation, anion), scarce_ppm=ppm / 2)[1])


def test_heat_is_judged_against_the_back_end_of_line():
    _, verdict = judged(candidate("barium_titanate_cubic"))
    flag = flag_of(verdict, "high_process_temperature")
    assert flag["value"] == 500
    assert flag["source"]
    assert verdict.details["process"]["made"]["what"] == "crystallization"
    assert "high_process_temperature" not in kinds(
        judged(candidate("barium_titanate_cubic"), back_end_celsius=600)[1]
    )


def test_how_it_is_made_may_not_be_known():
    _, verdict = judged(rock_salt("Ga", "As"))
    assert "process_unknown" in kinds(verdict)
    assert verdict.details["process"] == {"outcome": "process_unknown", "lost": None, "made": None}


def test_radioactivity_weighs_and_rejects_only_if_asked():
    _, verdict = judged(rock_salt("U", "O"))
    assert verdict.passed
    assert verdict.score <= FACTORS["radioactive"]
    _, verdict = judged(rock_salt("U", "O"), reject=("radioactive",))
    assert not verdict.passed
    assert verdict.score == 0
    assert "U is without a stable isotope" in verdict.reason


@pytest.mark.parametrize(
    ("one", "kind"),
    [
        (candidate("lead_titanate"), "restricted"),
        (rock_salt("As", "Ga"), "toxic"),
        (rock_salt("Ni", "O"), "harmful"),
        (candidate("sodium_chloride"), "contamination"),
        (rock_salt("Y", "As"), "concentrated"),  # Y: HHI 9800 of production
        (rock_salt("Pb", "Te"), "scarce"),
        (rock_salt("Sn", "H"), "process_unknown"),
        (candidate("barium_titanate_cubic"), "high_process_temperature"),
        (rock_salt("Tl", "Se"), "heat_sensitive"),
        (rock_salt("Pu", "O"), "supply_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.candidate_id,
)
def test_every_kind_rejects_when_the_settings_name_it(one, kind):
    assert judged(one)[1].passed
    _, verdict = judged(one, reject=(kind,))
    assert not verdict.passed
    assert kind in verdict.reason
    assert judged(candidate("titania_rutile"), reject=(kind,))[1].passed


def test_a_kind_weighs_once():
    one = judged(rock_salt("Na", "Cl"))[1]
    two = judged(rock_salt("Na", "Co"))[1]
    assert sum(flag["kind"] == "contamination" for flag in two.details["flags"]) == 2
    expected = 1.0
    for kind in kinds(two):
        expected *= FACTORS[kind]
    assert two.score == pytest.approx(expected)
    assert one.score == pytest.approx(FACTORS["contamination"])


def test_what_the_settings_forbid_is_rejected():
    _, verdict = judged(candidate("lead_titanate"), forbid=("Pb", "Cd"))
    assert not verdict.passed
    assert "Pb forbidden" in verdict.reason
    with pytest.raises(ValidationError, match="Plumbum"):
        SupplyConfig(forbid=("Plumbum",))


def test_an_unknown_kind_of_flag_is_refused():
    with pytest.raises(ValidationError, match="radioactive"):
        SupplyConfig(reject=("dangerous",))


def test_an_unknown_supply_is_a_failure_and_a_flag():
    measured, verdict = judged(rock_salt("Pu", "O"))
    assert measured.get("supply_hhi") is None
    assert "Pu" in measured.failures[0].reason
    flags = [flag["flag"] for flag in verdict.details["flags"] if flag["kind"] == "supply_unknown"]
    assert flags == ["concentration of supply unknown", "abundance of Pu in the crust unknown"]


def test_never_measured_is_told_as_unknown():
    assert kinds(Supply().judge(candidate("titania_rutile"))) == {"supply_unknown"}


def test_the_setting_or_cell_of_the_crystal_does_not_matter():
    one = candidate("barium_titanate_tetragonal")
    large = Candidate("large", one.structure * (2, 1, 1))
    measured, verdict = judged(one)
    again, same = judged(large)
    assert again.value("supply_hhi") == pytest.approx(measured.value("supply_hhi"))
    assert same.details["flags"] == verdict.details["flags"]
