"""Windows, scores and settings of the ferroelectric verdict, which needs nothing but what was measured."""

from __future__ import annotations

import json
import time
from functools import lru_cache

import materials
import numpy as np
import pytest
from ferroelectric_toys import ANY_ENERGY, CRITERIA, judged, plain, status, zinc_oxide_well
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Tools
from hysteron.screening.ferroelectric.screen import Ferroelectric
from hysteron.screening.ferroelectric.verdict import EDGE_SCORE, FerroelectricConfig, window_score
from pydantic import ValidationError
from screening_toys import candidate


def test_never_measured_is_never_a_pass():
    verdict = Ferroelectric().judge(candidate("barium_titanate_tetragonal"))
    assert not verdict.passed
    assert "it was not measured" in verdict.reason


def test_polar_within_the_noise_only():
    structure = materials.strontium_titanate()
    structure.translate_sites([1], [0, 0, 0.02 / 3.905])
    _, verdict = judged(Candidate("noise", structure))
    assert not verdict.passed
    assert "within the noise" in verdict.reason
    assert [told["polar"] for told in verdict.details["symmetry"]] == [True, False]
    assert status(judged(Candidate("noise", structure), require_polar_at_loose=False)[1])["polar"] == "passed"


@pytest.mark.parametrize(
    ("setting", "value", "name"),
    [
        ("polarization_min", 100.0, "polarization"),
        ("distortion_max", 0.05, "distortion_max"),
        ("barrier_low", 300.0, "switching_barrier_per_atom"),
        ("barrier_high", 3.0, "switching_barrier_per_atom"),
        ("energy_difference_low", -1.0, "polar_nonpolar_energy_difference"),
        ("energy_difference_high", -300.0, "polar_nonpolar_energy_difference"),
    ],
)
def test_other_windows_need_no_new_measurement(setting, value, name):
    measured, verdict = _measured_zinc_oxide()
    assert verdict.passed
    shown = json.dumps(measured.to_record())
    config = FerroelectricConfig(**(ANY_ENERGY | {setting: value}))
    other = Ferroelectric(config).judge(measured)
    assert json.dumps(measured.to_record()) == shown
    assert not other.passed
    assert other.score == 0.0
    assert [n for n, found in status(other).items() if found != "passed"] == [name]
    assert other.threshold == getattr(config, setting)
    assert other.value == measured.value(name)


@lru_cache
def _measured_zinc_oxide():
    return judged(candidate("zinc_oxide"), Tools(potential=zinc_oxide_well()))


def test_the_energy_windows_reject_both_ends():
    measured, _ = _measured_zinc_oxide()
    for name, low, high in (
        ("polar_nonpolar_energy_difference", "energy_difference_low", "energy_difference_high"),
        ("switching_barrier_per_atom", "barrier_low", "barrier_high"),
    ):
        value = measured.value(name)
        for below, above, edge in (
            (value + 1, value + 2, value + 1),
            (value - 2, value - 1, value - 1),
        ):
            config = FerroelectricConfig(**(ANY_ENERGY | {low: below, high: above}))
            verdict = Ferroelectric(config).judge(measured)
            assert not verdict.passed
            assert verdict.threshold == pytest.approx(edge)
            assert "meV/atom" in verdict.reason
        inside = FerroelectricConfig(**(ANY_ENERGY | {low: value - 1, high: value + 1}))
        assert Ferroelectric(inside).judge(measured).passed


@pytest.mark.parametrize(("by_dft", "decides"), [(-400.0, "estimate"), (20.0, "DFT")])
def test_an_end_that_dft_did_not_relax_can_only_say_that_the_polar_one_is_not_lower(by_dft, decides):
    measured, _ = _measured_zinc_oxide()
    name = "polar_nonpolar_energy_difference"
    estimate = measured.get(name)
    assert estimate.value < 0
    both = measured.with_property(PropertyValue(name, by_dft, "meV/atom", "DFT/PBE/VASP 6.4"))
    verdict = Ferroelectric(FerroelectricConfig(**ANY_ENERGY)).judge(both)
    (told,) = [c for c in verdict.details["criteria"] if c["name"] == name]
    assert (told["method"], told["value"]) == {
        "estimate": (estimate.method, estimate.value),
        "DFT": ("DFT/PBE/VASP 6.4", by_dft),
    }[decides]


def test_a_window_scores_its_middle_and_not_the_less_the_better():
    window, good = (-150.0, 0.0), (-35.0, -4.0)
    assert window_score(-20, window, good) == 1.0
    assert window_score(0, window, good) == pytest.approx(EDGE_SCORE)
    assert window_score(-150, window, good) == pytest.approx(EDGE_SCORE)
    assert window_score(1, window, good) == window_score(-151, window, good) == 0.0
    scores = [window_score(value, window, good) for value in np.linspace(-150, -35, 20)]
    assert scores == sorted(scores)
    # A window that leaves out the good part still scores between its edge and one.
    for value in np.linspace(-10, -2, 9):
        assert 0 < window_score(value, (-10, -2), good) <= 1
    for value in np.linspace(100, 200, 9):
        assert 0 < window_score(value, (100, 200), (4, 60)) <= 1


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"energy_difference_low": 0.0, "energy_difference_high": -1.0}, "above"),
        ({"barrier_low": 50.0, "barrier_high": 50.0}, "barrier_high must lie above"),
        ({"symprec_tight": 0.1}, "symprec_loose"),
        ({"polarisation_min": 2.0}, "polarisation_min"),
        ({"path": "curved"}, "path"),
        ({"path_images": 8}, "path_images"),
        ({"required": ("beautiful",)}, "required"),
        ({"polarization_min": -1.0}, "polarization_min"),
        ({"gap_windows": {"pbe": {"low": 2.0, "high": 1.0}}}, "must lie above"),
    ],
)
def test_settings_without_sense_are_refused(settings, why):
    with pytest.raises(ValidationError, match=why):
        FerroelectricConfig(**settings)


def test_the_defaults():
    config = FerroelectricConfig()
    assert config.polarization_min == 5.0  # Smidt et al. 2020
    assert config.path == "linear"
    assert config.path_images >= 9
    assert list(config.required) == CRITERIA
    assert FerroelectricConfig.model_validate(config.model_dump()) == config


def test_a_verdict_is_cheap():
    """Some 1 ms of CPU for one: two looks at the symmetry. The best of five, for other work goes on beside."""
    measured, _ = plain("lithium_niobate")
    times = []
    for _ in range(5):
        started = time.process_time()
        Ferroelectric().judge(measured)
        times.append(time.process_time() - started)
    assert min(times) < 0.01
