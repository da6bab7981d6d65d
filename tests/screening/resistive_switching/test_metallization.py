"""Electrochemical metallization: insulating host, mobile metal, an electrode that is not eaten."""

import json

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Tools
from hysteron.core.oxidation import oxidation_states
from hysteron.screening.criteria import decide
from hysteron.screening.defects.barriers import MigrationConfig
from hysteron.screening.defects.interstitials import InterstitialConfig
from hysteron.screening.resistive_switching.metallization import (
    MECHANISM,
    MetallizationConfig,
    cheap_metallization,
    costly_metallization,
    judge_metallization,
)
from insertion_toys import hull_of, pair_salt, pair_tools
from pydantic import ValidationError
from screening_toys import candidate

INERT = {"metal": "Ag", "energy": 0.0, "metal_fraction": 0.0, "products": [], "hull": "toy"}
EATEN = {"metal": "Cu", "energy": -0.2, "metal_fraction": 0.25, "products": ["CuAgS", "Ag"], "hull": "toy"}


def hafnia(gap: float | None = 4.0, above_hull: float | None = 0.0) -> Candidate:
    one = candidate("hafnia_monoclinic")
    if gap is not None:
        one = one.with_property(PropertyValue("band_gap", gap, "eV", "PBE"))
    if above_hull is not None:
        one = one.with_property(PropertyValue("energy_above_hull", above_hull, "eV/atom", "Toy 1.0"))
    return one


def hops(barrier: float | None, uncertainty: float = 0.1) -> dict:
    return {"barrier": barrier, "uncertainty": uncertainty, "method": "toy NEB", "why": "nothing connects"}


def judged(one: Candidate, **found):
    config = MetallizationConfig()
    findings = {"charges": oxidation_states(one.structure), MECHANISM: found}
    criteria = judge_metallization(one, findings, config, "resistive-switching")
    return {c.name: c for c in criteria}, decide(MECHANISM, criteria, config.required, "ion_mobility")


def test_a_host_with_a_mobile_metal_and_an_inert_electrode_passes():
    _, verdict = judged(hafnia(), reactions={"Ag": INERT, "Cu": INERT}, mobility={"Ag": hops(0.3)})
    assert verdict.passed, verdict.reason
    assert verdict.value == 0.3
    assert verdict.threshold == 0.5
    assert "ion_mobility of Ag 0.30 +- 0.1 eV (toy NEB)" in verdict.reason
    json.dumps(verdict.details, allow_nan=False)


def test_the_electrode_that_serves_best_speaks():
    criteria, verdict = judged(
        hafnia(), reactions={"Ag": EATEN, "Cu": INERT}, mobility={"Ag": hops(0.1), "Cu": hops(0.4)}
    )
    assert verdict.passed
    assert criteria["ion_mobility"].sentence.startswith("ion_mobility of Cu")
    criteria, _ = judged(
        hafnia(), reactions={"Ag": INERT, "Cu": INERT}, mobility={"Ag": hops(0.9), "Cu": hops(0.4)}
    )
    assert criteria["ion_mobility"].value == 0.4


def test_an_electrode_that_is_eaten_fails_and_says_into_what():
    criteria, verdict = judged(hafnia(), reactions={"Ag": EATEN, "Cu": EATEN}, mobility={})
    assert not verdict.passed
    assert criteria["electrode_reaction"].status == "failed"
    assert "0.200 eV/atom by forming CuAgS, Ag" in criteria["electrode_reaction"].sentence


@pytest.mark.parametrize(
    ("barrier", "status"), [(0.49, "passed"), (0.51, "failed"), (1.4, "failed"), (0.0, "passed")]
)
def test_the_window_of_mobility(barrier, status):
    criteria, _ = judged(
        hafnia(), reactions={"Ag": INERT, "Cu": INERT}, mobility=dict.fromkeys(("Ag", "Cu"), hops(barrier))
    )
    assert criteria["ion_mobility"].status == status


def test_a_barrier_near_the_edge_is_flagged():
    criteria, _ = judged(hafnia(), reactions={"Ag": INERT}, mobility={"Ag": hops(0.4, uncertainty=0.3)})
    assert criteria["ion_mobility"].flagged
    assert criteria["ion_mobility"].uncertainty == 0.3
    criteria, _ = judged(hafnia(), reactions={"Ag": INERT}, mobility={"Ag": hops(0.1, uncertainty=0.05)})
    assert not criteria["ion_mobility"].flagged


def test_what_was_not_computed_is_no_pass_and_says_what_would():
    criteria, verdict = judged(hafnia(), reactions={"Ag": INERT, "Cu": INERT})
    assert not verdict.passed
    assert verdict.score is None
    assert criteria["ion_mobility"].status == "not computed"
    assert "elastic bands" in criteria["ion_mobility"].sentence
    criteria, _ = judged(hafnia())
    assert criteria["electrode_reaction"].status == "not computed"
    assert "needs the hull" in criteria["electrode_reaction"].sentence


def test_a_failure_is_missing_with_its_reason():
    both = dict.fromkeys(("Ag", "Cu"), "it exploded.")
    criteria, _ = judged(hafnia(), reactions=both, mobility=both)
    assert criteria["electrode_reaction"].status == criteria["ion_mobility"].status == "missing"
    assert criteria["ion_mobility"].sentence.endswith("it exploded")
    none = dict.fromkeys(("Ag", "Cu"), hops(None))
    assert "nothing connects" in judged(hafnia(), mobility=none)[0]["ion_mobility"].sentence


def test_a_metal_fails_and_a_wide_gap_does_not():
    inert = {"Ag": INERT, "Cu": INERT}
    moving = {"Ag": hops(0.2)}
    assert not judged(hafnia(gap=0.0), reactions=inert, mobility=moving)[1].passed
    assert judged(hafnia(gap=9.0), reactions=inert, mobility=moving)[1].passed
    assert not judged(hafnia(above_hull=0.3), reactions=inert, mobility=moving)[1].passed


def test_the_hull_is_asked_for_each_electrode():
    hull = hull_of(Hf=0.0, O=0.0, Ag=0.0, Cu=0.0, HfO2=-3.5, CuO=-0.9)
    found = cheap_metallization(candidate("hafnia_monoclinic"), Tools(hull=hull))
    assert found["reactions"]["Ag"]["energy"] == found["reactions"]["Cu"]["energy"] == 0.0
    assert json.loads(json.dumps(found)) == found
    own = candidate("hafnia_monoclinic").with_property(
        PropertyValue("energy_per_atom", -0.5, "eV/atom", "pairs")
    )
    assert cheap_metallization(own, Tools(hull=hull)) == found  # above the hull its own energy does not count
    assert "no hull" in cheap_metallization(own, Tools())["reactions"]["Ag"]
    assert "Ag" in cheap_metallization(own, Tools(hull=hull_of(Hf=0.0, O=0.0)))["reactions"]["Ag"]


def test_only_what_is_not_eaten_is_followed():
    tools = pair_tools(hull_of(Na=-1.0, Cl=-1.2, Cu=-0.9, Ag=-0.9))
    config = MetallizationConfig(
        interstitial=InterstitialConfig(fit_min=0.2, apart_angstrom=5.5, atoms_max=16, sites_max=1),
        vacancy_hops=MigrationConfig(apart_angstrom=5.5, atoms_max=16),
    )
    known = {"reactions": {"Ag": INERT, "Cu": EATEN}}
    found = costly_metallization(Candidate("salt", pair_salt()), tools, config, known)
    assert set(found["mobility"]) == {"Ag"}
    assert found["mobility"]["Ag"]["barrier"] >= 0
    assert "insertion_energy" in found["mobility"]["Ag"]["insertion"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_tools_or_time_it_says_so():
    found = costly_metallization(candidate("sodium_chloride"), Tools())
    assert "need a relaxer" in found["mobility"]["Ag"]
    host = materials.sodium_chloride()
    late = costly_metallization(candidate("sodium_chloride"), pair_tools(), host=host, stop_at=0.0)
    assert "no time was left" in late["mobility"]["Cu"]


def test_settings_without_sense_are_refused():
    with pytest.raises(ValidationError):
        MetallizationConfig(metals=("Au",))
    with pytest.raises(ValidationError):
        MetallizationConfig(reaction_energy_min=0.1)


def test_an_ion_that_is_dear_to_bring_in_scores_less():
    def told(energy):
        mobility = {"ion": "Ag", "barrier": 0.2, "uncertainty": 0.05, "method": "toy"}
        mobility |= {} if energy is None else {"insertion": {"insertion_energy": energy}}
        findings = {"ECM": {"mobility": {"Ag": mobility}}}
        one = MetallizationConfig(metals=("Ag",))
        criteria = judge_metallization(candidate("titania_rutile"), findings, one, "screen")
        return next(c for c in criteria if c.name == "ion_mobility")

    assert told(None).score == told(-0.5).score == 1.0
    assert told(3.0).passed
    assert told(3.0).score < told(1.0).score < 1.0
    assert "3.00 eV against the metal" in told(3.0).sentence
