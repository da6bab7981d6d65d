"""The question to DFT names what is hoped for, the estimates with their intervals, and the least certain number."""

import dataclasses

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Verdict
from hysteron.export.calculation import BERRY_PHASE, STATIC, VACANCY, Calculation
from hysteron.export.question import least_certain, question_of, told

POLARIZATION = PropertyValue("polarization", 26.0, "uC/cm^2", "effective charges", 6.5, "", (15.0, 37.0), 0.9)


def calculation(kind: str, **more) -> Calculation:
    return Calculation.of(materials.silicon(), kind, "x/y", "PBE", **more)


def criterion(name: str, value: float, threshold: float, uncertainty: float | None) -> dict:
    return {"name": name, "value": value, "threshold": threshold, "uncertainty": uncertainty}


def test_a_number_is_told_with_unit_interval_and_method():
    assert told(POLARIZATION) == ("polarization 26 +- 6.5 uC/cm^2 (90% interval 15 to 37, effective charges)")
    bare = PropertyValue("band_gap", 1.8, "eV", "PBE")
    assert told(bare) == "band gap 1.8 eV (PBE)"


def test_a_ferroelectric_is_asked_for_its_ground_state_polarization_and_barrier(ferroelectric):
    asked = question_of(ferroelectric, [calculation(STATIC), calculation(BERRY_PHASE, image=0)])
    assert "BaTiO3 keep its structure in P4mm (99)" in asked
    assert "energy above hull 0.004 +- 0.034 eV/atom" in asked
    assert "lower in energy than its nonpolar reference in Pm-3m (221)" in asked
    assert "polarization 26 +- 6.5 uC/cm^2" in asked
    assert "polar nonpolar energy difference -12.2 meV/atom" in asked
    without = question_of(ferroelectric, [calculation(STATIC)])
    assert "No nonpolar reference is exported" in without


def test_a_resistive_switching_host_is_asked_for_the_vacancies_that_are_exported(hosts):
    exported = [calculation(VACANCY, missing={"element": "O", "label": label}) for label in ("V_O2(4e)",)]
    asked = question_of(hosts[2], exported)
    assert "by VCM: what does a neutral vacancy cost at V_O2(4e) (screen: 6.50 eV)?" in asked
    assert "6.5 +- 0.6 eV (CHGNet 0.3.0, neutral, O-rich)" in asked
    assert "V_O1(4e)" not in asked
    assert "stays what it is" in question_of(hosts[2], [calculation(STATIC)])


def test_the_least_certain_number_is_the_one_nearest_to_its_threshold(ferroelectric):
    verdict = dataclasses.replace(
        ferroelectric.verdicts[0],
        details={
            "criteria": [
                criterion("polarization", 26.0, 5.0, 6.5),  # 3.2 standard deviations
                criterion("polar_nonpolar_energy_difference", -12.25, 0.0, 8.0),  # 1.5
                criterion("distortion_max", 0.1, 2.0, 0.01),  # no question to DFT
                criterion("switching_barrier", 1.0, 1.1, None),
                "no criterion",
            ]
        },
    )
    found = least_certain(ferroelectric.with_verdict(verdict))
    assert "polar nonpolar energy difference" in found
    assert "1.5 standard deviations from the threshold of 0 that the ferroelectric screen" in found
    # Of numbers that no verdict rests on: 0.034 of 0.004 is more than 6.5 of 26.
    assert "energy above hull 0.004 +- 0.034" in least_certain(ferroelectric)


def test_nothing_known_is_asked_without_numbers():
    asked = question_of(Candidate("Si-227-x", materials.silicon()), [calculation(STATIC)])
    assert asked.startswith("Does Si keep its structure when")
    assert "has not been predicted" in asked
    assert "least" not in asked


@pytest.mark.parametrize("details", [{}, {"criteria": 3}, {"criteria": [{"name": "polarization"}]}])
def test_details_of_any_shape_are_survived(ferroelectric, details):
    verdict = Verdict("resistive-switching", True, None, None, None, "", details)
    assert question_of(ferroelectric.with_verdict(verdict), [calculation(STATIC)])
