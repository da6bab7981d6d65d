"""The resistive-switching screen: six mechanisms, what is cheap, what is refined, and what it does not know."""

import json
import time

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import RefiningScreen, Relaxation, Screen, Tools
from hysteron.screening.resistive_switching import screen as module
from hysteron.screening.resistive_switching.reducibility import reducible_share
from hysteron.screening.resistive_switching.screen import (
    MECHANISMS,
    ResistiveSwitching,
    ResistiveSwitchingConfig,
)
from hysteron.screening.resistive_switching.vacancy_physics import Found
from hysteron.screening.resistive_switching.valence_change import UNCOMPUTED_FACTOR
from hysteron.screening.resistive_switching.wall_times import LEAST_SECONDS, unhurried, within
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
    assert isinstance(ResistiveSwitching(), RefiningScreen)


@pytest.mark.parametrize("name", ["hafnia_monoclinic", "titania_rutile", "strontium_titanate"])
def test_known_memristor_oxides_pass_as_hosts(name):
    _, verdict = judged(stable(name))
    assert verdict.passed, verdict.reason
    assert verdict.details["mechanism"] == "VCM"
    assert verdict.details["not_computed"] == ["vacancy_formation_energy", "migration_barrier", "lower_phase"]
    assert {"ECM", "MIT", "ECRAM"} <= set(verdict.details["mechanisms_not_judged"])
    assert [one["mechanism"] for one in verdict.details["mechanisms"]] == list(MECHANISMS)
    assert "vacancy_formation_energy not computed" in verdict.reason
    assert status(verdict)["vacancy_formation_energy"] == "not computed"
    json.dumps(verdict.details, allow_nan=False)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("magnesium_oxide", "no reducible cation"),
        ("sodium_chloride", "no reducible cation"),
        ("silicon", "no metal cation"),
    ],
)
def test_what_cannot_host_vacancies_fails(name, why):
    _, verdict = judged(stable(name))
    assert not verdict.passed
    assert why in verdict.reason.lower() or why in verdict.reason
    assert verdict.details["mechanism"] is None


def test_what_no_vacancy_moves_in_is_no_vcm_host():
    _, verdict = judged(stable("germanium_telluride"), mechanisms=("VCM",))
    assert not verdict.passed
    assert "its anions (Te)" in verdict.reason


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
    assert "nergy above hull is missing: No hull was handed in" in verdict.reason


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
    assert plain.score < full.score <= plain.score / UNCOMPUTED_FACTOR**2
    assert not {"vacancy_formation_energy", "migration_barrier"} & set(full.details["not_computed"])
    assert full.details["retention"]["barrier"] == 0.7
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
    assert "VCM is not judged: vacancy_formation_energy not computed." in verdict.reason


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


class AtRest:
    """A relaxer that leaves everything where it is, or gives up."""

    potential = ToyPotential()
    version = "at rest"

    def __init__(self, failure: str | None = None) -> None:
        self.failure = failure

    def relax(self, structures, on_done=None):
        return [Relaxation(s, -1.0, 0.0, 0, True, self.failure) for s in structures]


def refined(monkeypatch, found: Found, one: Candidate, seconds: float | None = 60.0):
    """A VCM host after a refinement that finds what it is told to find."""
    asked = []

    def physics(host, anions, tools, config, stop_at=None):
        asked.append((anions, config.seconds, stop_at))
        return found

    monkeypatch.setattr(module, "vacancy_physics", physics)
    screen = ResistiveSwitching(ResistiveSwitchingConfig(mechanisms=("VCM",)))
    measured = screen.measure([one], Tools())[0]
    after = screen.refine(measured, Tools(relaxer=AtRest()), seconds)
    return screen, measured, after, asked


VACANCIES = Found(
    properties=[
        PropertyValue("vacancy_formation_energy", 4.0, "eV", "Toy 1.0", 0.3),
        PropertyValue("migration_barrier", 0.9, "eV", "Toy 1.0, NEB", 0.1),
    ],
    vacancies={"O": {"element": "O"}},
    migration={"O": {"ion": "V_O"}},
    failures=["Something else failed."],
)


def test_a_refinement_adds_to_what_was_measured_and_raises_the_score(monkeypatch):
    host = candidate("titania_rutile").with_property(
        PropertyValue("energy_above_hull", 0.0, "eV/atom", "Toy 1.0")
    )
    screen, measured, after, asked = refined(monkeypatch, VACANCIES, host)
    assert asked[0][0] == ["O"]
    before, verdict = screen.judge(measured), screen.judge(after)
    assert before.passed
    assert verdict.score > before.score
    assert verdict.details["vacancies"] == {"O": {"element": "O"}}
    assert verdict.details["migration"] == {"O": {"ion": "V_O"}}
    assert after.get("energy_above_hull") is not None
    assert [f.reason for f in after.failures] == ["Something else failed."]
    json.dumps(verdict.details, allow_nan=False)


def test_what_was_refined_promises_nothing_more(monkeypatch):
    host = stable("titania_rutile")
    screen, measured, after, _ = refined(monkeypatch, VACANCIES, host)
    assert screen.promise(measured) == pytest.approx(screen.judge(measured).score)
    assert screen.promise(after) == 0.0
    assert screen.promise(host) == 0.0  # never measured


def test_a_new_measurement_forgets_the_refinement_of_another_geometry(monkeypatch):
    screen, _, after, _ = refined(monkeypatch, VACANCIES, stable("titania_rutile"))
    again = screen.measure([after], Tools())[0]
    assert again.get("migration_barrier") is None
    assert "vacancies" not in screen.judge(again).details


def test_without_a_time_limit_no_wall_clock_decides(monkeypatch):
    _, _, _, asked = refined(monkeypatch, VACANCIES, stable("titania_rutile"), seconds=None)
    assert asked[0][1:] == (float("inf"), None)
    _, _, _, asked = refined(monkeypatch, VACANCIES, stable("titania_rutile"), seconds=7.0)
    assert asked[0][1] < float("inf")


def test_settings_without_their_clocks_are_otherwise_the_same():
    config = ResistiveSwitchingConfig()
    free = unhurried(config)
    assert free.vacancy_hops.seconds == float("inf")
    assert free.ecm.interstitial.hop_seconds == float("inf")
    assert free.gap_windows == config.gap_windows
    assert free.vacancy_hops.steps == config.vacancy_hops.steps


def test_no_wall_time_is_longer_than_what_is_left():
    config = ResistiveSwitchingConfig()
    assert within(config, None) == config
    late = within(config, time.monotonic() - 1.0)
    assert late.vacancy_hops.seconds == late.ecm.interstitial.hop_seconds == LEAST_SECONDS
    soon = within(config, time.monotonic() + 30.0)
    assert 29.0 < soon.vacancy_hops.seconds_per_hop <= 30.0
    assert soon.ecm.interstitial.hop_seconds <= 30.0


def test_a_host_that_cannot_be_relaxed_is_a_sentence():
    screen = ResistiveSwitching()
    measured = screen.measure([stable("titania_rutile")], Tools())[0]
    after = screen.refine(measured, Tools(relaxer=AtRest("the cell is flat")), 1.0)
    assert any("the cell is flat" in failure.reason for failure in after.failures)
    assert screen.promise(after) == 0.0
    lone = screen.refine(measured, Tools(), 1.0)
    assert any("need a relaxer" in failure.reason for failure in lone.failures)


def test_a_barrier_that_is_required_and_passes_scores_above_nothing():
    # 0.6 eV lies in the window though it keeps no state for long: the pass is a pass, and a longer memory scores more.
    def score(barrier: float) -> float:
        host = stable("titania_rutile", migration_barrier=(barrier, "eV", "NEB PBE"))
        return judged(host, required=("migration_barrier",), mechanisms=("VCM",))[1].score

    assert 0 < score(0.6) < score(1.1)


def test_only_the_mechanisms_named_are_asked():
    _, verdict = judged(stable("titania_rutile"), mechanisms=("VCM", "PCM"))
    assert [one["mechanism"] for one in verdict.details["mechanisms"]] == ["VCM", "PCM"]
    with pytest.raises(ValidationError):
        ResistiveSwitchingConfig(mechanisms=("magic",))


@pytest.mark.slow
def test_strontium_titanate_from_end_to_end():
    from hysteron.flows import toolbox

    tools = toolbox.tools_for_prediction()
    screen = ResistiveSwitching(ResistiveSwitchingConfig(mechanisms=("VCM",)))
    host = candidate("strontium_titanate").with_property(PropertyValue("band_gap", 1.8, "eV", "PBE"))
    measured = screen.measure([host], tools)[0]
    after = screen.refine(measured, tools, None)
    assert after.value("vacancy_formation_energy") == pytest.approx(
        5.4, abs=0.8
    )  # PBE 5.5; CHGNet 0.3.0 5.05
    assert 0.3 < after.value("migration_barrier") < 0.8  # measured and PBE 0.5 to 0.7
    assert screen.judge(after).passed
