"""Ion-gated memory: a dose that leaves the framework as it is."""

import json

import materials
import pytest
from hysteron.core.contracts import Tools
from hysteron.screening.criteria import decide
from hysteron.screening.defects.barriers import MigrationConfig
from hysteron.screening.defects.topotactic import TopotacticConfig
from hysteron.screening.resistive_switching.ionic import (
    MECHANISM,
    IonicConfig,
    cheap_ionic,
    costly_ionic,
    judge_ionic,
)
from insertion_toys import hull_of, pair_tools
from pydantic import ValidationError
from screening_toys import candidate


def ends(**changed) -> dict:
    end = {"value": 0.01, "uncertainty": 0.03, "decomposition": []}
    return {
        "ion": "Li",
        "mode": "insertion",
        "before": "TiO2",
        "after": "Li(TiO2)2",
        "ions": 1,
        "volume_change_percent": 2.0,
        "shift_angstrom": 0.2,
        "framework_kept": True,
        "energy_per_ion": -1.8,
        "voltage": 1.8,
        "voltage_reference": "Li/Li1+",
        "voltage_vs_lithium": 1.8,
        "energy_above_hull": [end, end],
        "method": "toy",
    } | changed


def hops(barrier: float) -> dict:
    return {"barrier": barrier, "uncertainty": 0.1, "method": "toy NEB"}


def judged(name: str = "titania_rutile", found: dict | None = None):
    config = IonicConfig()
    criteria = judge_ionic(candidate(name), {MECHANISM: found or {}}, config, "resistive-switching")
    return {c.name: c for c in criteria}, decide(MECHANISM, criteria, config.required, "ion_mobility")


def lithium(barrier: float = 0.3, **changed) -> dict:
    """Lithium alike, and hydrogen no better: else hydrogen, untried, would leave the class unjudged."""
    both = ("Li", "H")
    return {"ends": dict.fromkeys(both, ends(**changed)), "mobility": dict.fromkeys(both, hops(barrier))}


def test_an_ion_that_was_not_tried_leaves_the_class_unjudged():
    found = lithium(volume_change_percent=9.0)
    assert judged(found=found)[1].score == 0.0
    assert judged(found={"ends": {"Li": found["ends"]["Li"]}, "mobility": {}})[1].score is None


def test_a_host_that_keeps_its_framework_passes_and_names_the_ion():
    criteria, verdict = judged(found=lithium())
    assert verdict.passed, verdict.reason
    assert "toy, TiO2 to Li(TiO2)2" in criteria["volume_change"].sentence
    assert "vs Li/Li+" in criteria["voltage"].sentence
    assert verdict.value == 0.3
    json.dumps(verdict.details, allow_nan=False)


def test_what_is_not_judged_is_said_in_a_pass():
    criteria, verdict = judged(found=lithium())
    assert criteria["conduction_change"].status == "not computed"
    assert "electronic conduction changes with the dose is not judged" in verdict.reason


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"volume_change_percent": 6.0}, "volume_change"),
        ({"volume_change_percent": -6.0}, "volume_change"),
        ({"shift_angstrom": 1.4}, "framework_kept"),
        ({"voltage_vs_lithium": 0.4}, "voltage"),
        ({"voltage_vs_lithium": 4.6}, "voltage"),
        (
            {"energy_above_hull": [{"value": 0.0, "uncertainty": None}, {"value": 0.2, "uncertainty": None}]},
            "ends_near_hull",
        ),
    ],
)
def test_each_window_refuses(changed, name):
    criteria, verdict = judged(found=lithium(**changed))
    assert not verdict.passed
    assert [one.name for one in criteria.values() if one.status == "failed"] == [name]


def test_a_slow_ion_fails():
    criteria, _ = judged(found=lithium(0.7))
    assert criteria["ion_mobility"].status == "failed"


def test_the_end_that_lies_farther_from_the_hull_counts():
    far = {"energy_above_hull": [{"value": 0.08, "uncertainty": 0.01}, {"value": 0.02, "uncertainty": 0.01}]}
    criteria, _ = judged(found=lithium(**far))
    assert criteria["ends_near_hull"].value == 0.08


def test_the_ion_that_serves_best_speaks():
    found = {
        "ends": {
            "Li": ends(volume_change_percent=9.0),
            "H": ends(ion="H", voltage=0.4, voltage_reference="H/H1+", voltage_vs_lithium=3.44),
        },
        "mobility": {"Li": hops(0.2), "H": hops(0.4)},
    }
    criteria, verdict = judged(found=found)
    assert verdict.passed
    assert criteria["ion_mobility"].sentence.startswith("ion_mobility of H")
    assert "from 0.40 V vs H/H1+ by standard potentials in water" in criteria["voltage"].sentence


def test_an_anion_has_no_voltage_and_so_no_pass():
    criteria, verdict = judged(found=lithium(voltage=None, voltage_vs_lithium=None))
    assert criteria["voltage"].status == "missing"
    assert not verdict.passed


def test_nothing_computed_is_no_pass_and_says_what_would():
    criteria, verdict = judged()
    assert not verdict.passed
    assert verdict.score is None
    assert {c.status for c in criteria.values()} == {"not computed"}
    assert "both ends relaxed" in criteria["volume_change"].sentence


def test_a_failure_is_missing_with_its_reason():
    why = "TiO2 has no void that Li fits into."
    both = dict.fromkeys(("Li", "H"), why)
    criteria, _ = judged(found={"ends": both, "mobility": both})
    assert criteria["voltage"].status == "missing"
    assert "no void" in criteria["voltage"].sentence


def test_a_hosts_own_ion_goes_before_foreign_ones():
    assert cheap_ionic(candidate("lithium_cobaltate"), Tools()) == {"ions": ["Li"]}
    assert cheap_ionic(candidate("sodium_chloride"), Tools()) == {"ions": ["Na"]}
    assert cheap_ionic(candidate("titania_rutile"), Tools()) == {"ions": ["Li", "H"]}


def test_ends_are_computed_and_hops_only_where_they_may_pass():
    tools = pair_tools(hull_of(Li=-0.9, Co=-1.0, O=-1.1))
    config = IonicConfig(
        topotactic=TopotacticConfig(removed_share=1.0),
        vacancy_hops=MigrationConfig(apart_angstrom=4.0, atoms_max=8),
    )
    found = costly_ionic(candidate("lithium_cobaltate"), tools, config, host=materials.lithium_cobaltate())
    assert found["ends"]["Li"]["after"] == "CoO2"
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    criteria = judge_ionic(candidate("lithium_cobaltate"), {MECHANISM: found}, config, "resistive-switching")
    refused = any(c.status == "failed" for c in criteria if c.name != "ion_mobility")
    assert ("not followed" in str(found["mobility"]["Li"])) == refused


def test_without_tools_or_time_it_says_so():
    found = costly_ionic(candidate("lithium_cobaltate"), Tools())
    assert "need a relaxer" in found["ends"]["Li"]
    host = materials.lithium_cobaltate()
    late = costly_ionic(candidate("lithium_cobaltate"), pair_tools(), host=host, stop_at=0.0)
    assert "no time was left" in late["mobility"]["Li"]


def test_settings_without_sense_are_refused():
    with pytest.raises(ValidationError):
        IonicConfig(ions=())
    with pytest.raises(ValidationError):
        IonicConfig(ions=("Xe",))
