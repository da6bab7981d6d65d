"""Energy above the hull against a window, with what cannot be known said."""

import dataclasses
import json

import pytest
from hysteron.core.candidate import PropertyValue
from hysteron.core.contracts import Screen, Tools
from hysteron.screening.stability import Stability, StabilityConfig
from screening_toys import ConstantPotential, ToyHull, ToyPotential, candidate, energy_of


def with_energy(name: str, energy: float, method: str = "Toy 1.0"):
    return candidate(name).with_property(PropertyValue("energy_per_atom", energy, "eV/atom", method))


def judged(one, tools, config=None):
    screen = Stability(config)
    measured = screen.measure([one], tools)[0]
    return measured, screen.judge(measured)


def test_it_is_a_screen():
    assert isinstance(Stability(), Screen)


def test_below_the_window_passes_with_value_source_and_products():
    measured, verdict = judged(with_energy("barium_titanate_tetragonal", -7.95), Tools(hull=ToyHull()))
    found = measured.get("energy_above_hull")
    assert found.value == pytest.approx(0.05)
    assert (found.method, found.source, found.uncertainty) == ("Toy 1.0", "toy-hull-2026", 0.05)
    assert verdict.passed
    assert (verdict.value, verdict.threshold) == (pytest.approx(0.05), 0.1)
    assert "0.050 +- 0.050 eV/atom (Toy 1.0, hull toy-hull-2026)" in verdict.reason
    assert [p["formula"] for p in verdict.details["decomposition"]] == ["BaO", "TiO2"]
    # One deviation below the threshold: the normal distribution gives 0.8413.
    assert verdict.details["probability_below_threshold"] == pytest.approx(0.8413, abs=1e-4)
    json.dumps(verdict.details, allow_nan=False)


def test_above_the_window_fails_and_the_window_is_a_setting():
    one = with_energy("barium_titanate_tetragonal", -7.85)
    _, verdict = judged(one, Tools(hull=ToyHull()))
    assert not verdict.passed
    assert verdict.score == 0.0
    assert judged(one, Tools(hull=ToyHull()), StabilityConfig(energy_above_hull_max=0.2))[1].passed


def test_an_interval_of_the_hull_reaches_the_candidate():
    class WithInterval(ToyHull):
        def distance(self, composition, energy_per_atom, leave_out=()):
            found = super().distance(composition, energy_per_atom, leave_out)
            return dataclasses.replace(found, interval=(-0.03, 0.13), coverage=0.9)

    measured, _ = judged(with_energy("barium_titanate_tetragonal", -7.95), Tools(hull=WithInterval()))
    found = measured.get("energy_above_hull")
    assert (found.interval, found.coverage) == ((-0.03, 0.13), 0.9)


def test_no_uncertainty_no_probability():
    _, verdict = judged(with_energy("silicon", -7.95), Tools(hull=ToyHull(uncertainty=None)))
    assert "probability_below_threshold" not in verdict.details


def test_a_phase_below_the_hull_scores_one():
    _, verdict = judged(with_energy("silicon", -8.2), Tools(hull=ToyHull()))
    assert verdict.value == pytest.approx(-0.2)
    assert verdict.score == 1.0


def test_an_element_without_reference_is_a_failure_and_the_others_go_on():
    alloy = candidate("disordered_alloy").with_property(
        PropertyValue("energy_per_atom", -4.0, "eV/atom", "Toy 1.0")
    )
    measured = Stability().measure([alloy, with_energy("silicon", -7.95)], Tools(hull=ToyHull()))
    assert "Au reference" in measured[0].failures[0].reason
    assert measured[0].get("energy_above_hull") is None
    verdict = Stability().judge(measured[0])
    assert not verdict.passed
    assert verdict.score is None
    assert "Au reference" in verdict.reason
    assert Stability().judge(measured[1]).passed


def test_an_energy_of_another_potential_does_not_count():
    one = with_energy("silicon", -7.95, "Other 2.0")
    _measured, verdict = judged(one, Tools(hull=ToyHull()))
    assert not verdict.passed
    assert "no energy_per_atom by Toy 1.0" in verdict.reason
    assert judged(one, Tools(hull=ToyHull(), potential=ConstantPotential()))[1].passed is False


def test_the_hulls_potential_computes_what_is_missing_in_one_batch():
    potential = ToyPotential()
    names = ["silicon", "zinc_oxide", "strontium_titanate"]
    ones = [candidate(name) for name in names] + [with_energy("magnesium_oxide", -7.9)]
    measured = Stability().measure(ones, Tools(hull=ToyHull(), potential=potential))
    assert potential.batches == [3]
    for one in measured[:3]:
        energy = one.get("energy_per_atom")
        assert energy.value == pytest.approx(energy_of(one.structure) / len(one.structure))
        assert energy.source == "single point of the geometry given"
        assert one.get("energy_above_hull") is not None


def test_the_hull_is_asked_once_for_a_batch():
    hull, asked = ToyHull(), []
    one_by_one = hull.distances
    hull.distances = lambda items: asked.append(len(items)) or one_by_one(items)
    ones = [with_energy("silicon", -7.95), candidate("zinc_oxide"), with_energy("magnesium_oxide", -7.9)]
    measured = Stability().measure(ones, Tools(hull=hull))
    assert asked == [2]
    assert [c.value("energy_above_hull") for c in measured] == [pytest.approx(0.05), None, pytest.approx(0.1)]


def test_no_hull_is_said():
    _, verdict = judged(with_energy("silicon", -7.95), Tools())
    assert not verdict.passed
    assert "No hull was handed in" in verdict.reason


def test_measuring_twice_changes_nothing_and_leaves_the_input_alone():
    one = candidate("silicon")
    tools = Tools(hull=ToyHull(), potential=ToyPotential())
    once = Stability().measure([one], tools)
    assert Stability().measure(once, tools) == once
    assert one == candidate("silicon")


def test_a_new_geometry_gets_a_new_energy():
    tools = Tools(hull=ToyHull(), potential=ToyPotential())
    once = Stability().measure([candidate("silicon")], tools)[0]
    swollen = once.structure.copy()
    swollen.scale_lattice(once.structure.volume * 1.2)
    twice = Stability().measure([once.with_structure(swollen)], tools)[0]
    assert twice.value("energy_per_atom") != pytest.approx(once.value("energy_per_atom"))
