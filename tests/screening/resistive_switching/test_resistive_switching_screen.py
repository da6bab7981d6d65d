"""The resistive-switching screen: hosts of the valence change mechanism, and what it does not know."""

import json

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Screen, Tools
from hysteron.screening.resistive_switching.screen import ResistiveSwitching, ResistiveSwitchingConfig
from hysteron.screening.resistive_switching.valence_change import reducible_share
from pydantic import ValidationError
from screening_toys import ToyHull, ToyPotential, candidate


def with_values(name: str, **values: tuple[float, str, str]) -> Candidate:
    properties = [PropertyValue(n, value, units, method) for n, (value, units, method) in values.items()]
    return candidate(name).with_property(*properties)


def stable(name: str, **values: tuple[float, str, str]) -> Candidate:
    return with_values(name, energy_above_hull=(0.0, "eV/atom", "Toy 1.0"), **values)


def judged(one: Candidate, tools: Tools | None = None, **settings):
    screen = ResistiveSwitching(ResistiveSwitchingConfig(**settings))
    measured = screen.measure([one], tools or Tools())[0]
    return measured, screen.judge(measured)


def status(verdict) -> dict[str, str]:
    return {criterion["name"]: criterion["status"] for criterion in verdict.details["criteria"]}


def test_it_is_a_screen():
    assert isinstance(ResistiveSwitching(), Screen)


@pytest.mark.parametrize("name", ["hafnia_monoclinic", "titania_rutile", "strontium_titanate"])
def test_known_memristor_oxides_pass_as_hosts(name):
    _, verdict = judged(stable(name))
    assert verdict.passed, verdict.reason
    assert verdict.details["mechanism"] == "VCM"
    assert verdict.details["not_computed"] == ["vacancy_formation_energy", "migration_barrier"]
    assert set(verdict.details["mechanisms_not_judged"]) == {"ECM", "PCM", "MIT", "ECRAM", "halide"}
    assert "vacancy_formation_energy not computed" in verdict.reason
    assert status(verdict)["vacancy_formation_energy"] == "not computed"
    json.dumps(verdict.details, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("magnesium_oxide", "no reducible cation"),
        ("sodium_chloride", "no reducible cation"),
        ("germanium_telluride", "its anions (Te)"),
        ("silicon", "no metal cation"),
    ],
)
def test_what_cannot_host_vacancies_fails(name, why):
    _, verdict = judged(stable(name))
    assert not verdict.passed
    assert why in verdict.reason[:1].lower() + verdict.reason[1:]


def test_a_metal_fails_by_its_gap():
    _, verdict = judged(stable("strontium_titanate", band_gap=(0.0, "eV", "PBE")))
    assert not verdict.passed
    assert "PBE window of 0.5 to 5 eV" in verdict.reason


def test_the_gap_window_is_that_of_its_method():
    # Strontium titanate: 1.8 eV by PBE passes; 1.8 eV by HSE06 would be another material and fails.
    assert judged(stable("strontium_titanate", band_gap=(1.8, "eV", "PBE")))[1].passed
    assert not judged(stable("strontium_titanate", band_gap=(1.8, "eV", "HSE06")))[1].passed


def test_instability_fails_and_an_unknown_hull_is_never_a_pass():
    unstable = with_values("titania_rutile", energy_above_hull=(0.3, "eV/atom", "Toy 1.0"))
    assert not judged(unstable)[1].passed
    _, verdict = judged(candidate("titania_rutile"))
    assert not verdict.passed
    assert (
        "energy above hull is missing: No hull was handed in"
        in verdict.reason[:1].lower() + verdict.reason[1:]
    )


def test_it_measures_the_hull_itself_where_no_screen_has():
    tools = Tools(hull=ToyHull(lowest=-100.0), potential=ToyPotential())
    measured, _ = judged(candidate("titania_rutile"), tools)
    assert measured.get("energy_above_hull").source == "toy-hull-2026"
    known, _ = judged(stable("titania_rutile"), tools)
    assert known.value("energy_above_hull") == 0.0


def test_computed_energies_raise_the_score_and_are_judged():
    host = stable("titania_rutile")
    known = stable(
        "titania_rutile",
        vacancy_formation_energy=(4.5, "eV", "PBE"),
        migration_barrier=(0.7, "eV", "NEB PBE"),
    )
    plain, full = judged(host)[1], judged(known)[1]
    assert full.passed
    assert full.score == pytest.approx(plain.score / 0.7**2)
    assert full.details["not_computed"] == []
    outside = stable("titania_rutile", vacancy_formation_energy=(9.0, "eV", "PBE"))
    _, verdict = judged(outside)
    assert status(verdict)["vacancy_formation_energy"] == "failed"


def test_a_required_energy_that_was_not_computed_is_no_pass():
    required = (
        "insulator",
        "reducible_cation",
        "anion_host",
        "energy_above_hull",
        "vacancy_formation_energy",
    )
    _, verdict = judged(stable("titania_rutile"), required=required)
    assert not verdict.passed
    assert verdict.reason == "vacancy_formation_energy not computed."


def test_never_measured_is_never_a_pass():
    assert not ResistiveSwitching().judge(stable("titania_rutile")).passed


def test_a_disordered_crystal_is_a_failure_and_the_others_go_on():
    ones = [candidate("disordered_alloy"), stable("titania_rutile")]
    measured = ResistiveSwitching().measure(ones, Tools())
    assert any("partially occupied" in failure.reason for failure in measured[0].failures)
    assert not ResistiveSwitching().judge(measured[0]).passed
    assert ResistiveSwitching().judge(measured[1]).passed


def test_measuring_twice_changes_nothing_and_the_cell_does_not_matter():
    screen = ResistiveSwitching()
    once = screen.measure([stable("titania_rutile")], Tools())
    assert screen.measure(once, Tools()) == once
    large = stable("titania_rutile").with_structure(materials.titania_rutile() * (1, 1, 2))
    assert judged(large)[1].score == pytest.approx(screen.judge(once[0]).score)


@pytest.mark.parametrize(
    "ion", [("Ti", 4), ("Hf", 4), ("Zr", 4), ("Ta", 5), ("W", 6), ("Ni", 2), ("Ce", 4), ("V", 4)]
)
def test_cations_of_known_memristors_are_reducible(ion):
    assert reducible_share(*ion) >= 0.02


@pytest.mark.parametrize("ion", [("Mg", 2), ("Al", 3), ("La", 3), ("Sr", 2), ("Zn", 2), ("Na", 1)])
def test_cations_that_keep_their_charge_are_not(ion):
    assert reducible_share(*ion) < 0.02


def test_an_average_state_counts_lower_ones():
    assert reducible_share("Fe", 2.5) == pytest.approx(reducible_share("Fe", 3), rel=0.05)


def test_windows_without_sense_are_refused():
    with pytest.raises(ValidationError, match="must lie above"):
        ResistiveSwitchingConfig(migration_barrier={"low": 2.0, "high": 1.0})
    with pytest.raises(ValidationError):
        ResistiveSwitchingConfig(required=("magic",))
