"""Supply and process flags, and the few things that reject."""

import json

import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Screen, Tools
from hysteron.screening.supply import Supply, SupplyConfig
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from screening_toys import candidate


def judged(one: Candidate, **settings):
    screen = Supply(SupplyConfig(**settings))
    measured = screen.measure([one], Tools())[0]
    return measured, screen.judge(measured)


def rock_salt(cation: str, anion: str) -> Candidate:
    cell = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.5), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    return Candidate(f"{cation}{anion}", cell)


def kinds(verdict) -> set[str]:
    return {flag["kind"] for flag in verdict.details["flags"]}


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


def test_lead_is_flagged_with_its_source_and_not_rejected():
    _, verdict = judged(candidate("lead_titanate"))
    assert verdict.passed
    assert verdict.score == 0.5
    flag = next(flag for flag in verdict.details["flags"] if flag.get("element") == "Pb")
    assert "RoHS" in flag["source"]
    assert "68.4% by weight" in flag["flag"]  # 207.2 of 303.06 g/mol


def test_mobile_ions_and_fast_diffusers_are_contamination():
    assert "contamination" in kinds(judged(candidate("sodium_chloride"))[1])
    assert "contamination" in kinds(judged(rock_salt("Cu", "O"))[1])
    assert "contamination" not in kinds(judged(candidate("hafnia_polar"))[1])


def test_radioactive_is_rejected_unless_allowed():
    _, verdict = judged(rock_salt("U", "O"))
    assert not verdict.passed
    assert "U without a stable isotope" in verdict.reason
    _, verdict = judged(rock_salt("U", "O"), allow_radioactive=True)
    assert verdict.passed
    assert verdict.score < 1


def test_what_the_settings_forbid_is_rejected():
    _, verdict = judged(candidate("lead_titanate"), forbid=("Pb", "Cd"))
    assert not verdict.passed
    assert "Pb forbidden" in verdict.reason
    with pytest.raises(ValidationError, match="Plumbum"):
        SupplyConfig(forbid=("Plumbum",))


def test_an_unknown_supply_is_a_failure_and_a_flag():
    measured, verdict = judged(rock_salt("Pu", "O"), allow_radioactive=True)
    assert measured.get("supply_hhi") is None
    assert "Pu" in measured.failures[0].reason
    assert "unknown" in kinds(verdict)


def test_never_measured_is_told_as_unknown():
    assert "unknown" in kinds(Supply().judge(candidate("titania_rutile")))


def test_the_setting_or_cell_of_the_crystal_does_not_matter():
    one = candidate("barium_titanate_tetragonal")
    large = Candidate("large", one.structure * (2, 1, 1))
    assert judged(large)[0].value("supply_hhi") == pytest.approx(judged(one)[0].value("supply_hhi"))
