"""The mobility of a named ion: one form for hops between voids and into vacancies, and how it is judged."""

import materials
import pytest
from hysteron.core.contracts import Tools
from hysteron.screening.criteria import Criterion
from hysteron.screening.defects import interstitial_hops
from hysteron.screening.defects.barrier_error import BarrierError
from hysteron.screening.defects.barriers import MigrationConfig
from hysteron.screening.defects.interstitials import InterstitialConfig
from hysteron.screening.resistive_switching import ion_mobility
from hysteron.screening.resistive_switching.ion_mobility import (
    as_mobility,
    between_voids,
    easier,
    into_vacancies,
    judge_barrier,
    most_promising,
)
from hysteron.screening.window import Window
from insertion_toys import hull_of, pair_salt, pair_tools

SMALL = InterstitialConfig(fit_min=0.3, apart_angstrom=5.5, atoms_max=16, sites_max=1)
HOP = {"name": "O1-O1 2.8", "method": "symmetric saddle", "height": 0.5, "note": ""}
BLOCKED = {"name": "O1-O2 3.1", "method": "not computed", "height": None, "note": "Sr stands in the way."}


def record(barrier: float | None = 0.5, hops=(HOP, BLOCKED)) -> dict:
    name = "O1-O1 2.8" if barrier is not None else None
    return {
        "ion": "V_O",
        "potential": "toy 1",
        "barrier": barrier,
        "uncertainty": 0.3,
        "governing_hop": name,
        "hops": list(hops),
    }


def test_the_hop_that_governs_names_the_method_and_the_potential_stands_there_once():
    assert as_mobility(record())["method"] == "toy 1, symmetric saddle, hops into vacancies"
    band = HOP | {"method": "climbing-image NEB, 5 images, toy 1, converged"}
    assert as_mobility(record(hops=[band]))["method"].count("toy 1") == 1
    assert as_mobility(record())["uncertainty"] == 0.3
    assert as_mobility(record(None, [BLOCKED]))["why"] == "Sr stands in the way."


def test_the_easier_way_counts_and_a_failure_only_where_there_is_no_other():
    low, high = as_mobility(record(0.2)), as_mobility(record(0.7))
    assert easier(["it exploded", high, low]) is low
    assert easier(["it exploded", as_mobility(record(None))]) == "it exploded"


def test_a_barrier_is_judged_with_ion_method_and_uncertainty():
    found = judge_barrier("ion_mobility", "Ag", as_mobility(record()), Window(high=0.6))
    assert (found.name, found.status, found.value, found.threshold) == ("ion_mobility", "passed", 0.5, 0.6)
    assert found.sentence.startswith("ion_mobility of Ag 0.50 +- 0.3 eV (toy 1, symmetric saddle")
    assert found.flagged
    assert judge_barrier("ion_mobility", "Ag", None, Window(low=0.1)).status == "not computed"
    assert judge_barrier("ion_mobility", "Ag", None, Window(low=0.1)).threshold == 0.1
    assert (
        judge_barrier("ion_mobility", "Ag", "no.", Window(high=0.1)).sentence
        == "ion_mobility of Ag is missing: no"
    )


def test_known_and_passed_goes_before_untried_and_untried_before_failed():
    one = {s: Criterion("x", s, s) for s in ("passed", "not computed", "missing", "failed")}
    assert (
        most_promising([[one["failed"], one["passed"]], [one["not computed"], one["passed"]]])[0].status
        == "not computed"
    )
    assert most_promising([[one["missing"]], [one["failed"]]])[0].status == "missing"
    assert most_promising([[one["not computed"]], [one["passed"]]])[0].status == "passed"
    better = Criterion("x", "passed", "better", score=1.0)
    assert most_promising([[one["passed"]], [better]]) == [better]


@pytest.fixture(scope="module")
def tools() -> Tools:
    return pair_tools(hull_of(Na=-1.0, Cl=-1.2, Li=-0.9))


def test_both_ways_have_one_form(tools):
    put_in = between_voids(pair_salt(), "Li", tools, SMALL)
    own = into_vacancies(pair_salt(), "Cl", tools, MigrationConfig(apart_angstrom=5.5, atoms_max=16))
    for found in (put_in, own):
        assert found["barrier"] >= 0
        assert found["uncertainty"] > 0
        assert judge_barrier("ion_mobility", found["ion"], found, Window(high=9.0)).passed
    assert put_in["insertion"]["ion"] == "Li"


def test_what_cannot_be_answered_is_a_sentence(tools):
    assert "needs a" in between_voids(pair_salt(), "Li", Tools(), SMALL)
    assert "potential" in into_vacancies(pair_salt(), "Na", Tools(), MigrationConfig())
    late = between_voids(pair_salt(), "Li", tools, SMALL.model_copy(update={"seconds": 1e-9}))
    assert late["barrier"] is None
    assert "are spent" in judge_barrier("ion_mobility", "Li", late, Window(high=1.0)).sentence
    assert isinstance(between_voids(materials.disordered_alloy(), "Li", tools, SMALL), str)


def test_a_measured_error_of_the_ion_and_potential_goes_before_that_of_all(tools, monkeypatch):
    measured = BarrierError(0.25, (0.1, 1.9), 0.9)
    for module in (interstitial_hops, ion_mobility):
        monkeypatch.setattr(module, "barrier_error", lambda *_: measured)
    put_in = between_voids(pair_salt(), "Li", tools, SMALL)
    own = into_vacancies(pair_salt(), "Cl", tools, MigrationConfig(apart_angstrom=5.5, atoms_max=16))
    for found in (put_in, own):
        assert (found["uncertainty"], found["interval"]) == (0.25, [0.1, 1.9])
        assert judge_barrier("ion_mobility", "Li", found, Window(high=1.8)).flagged
        assert not judge_barrier("ion_mobility", "Li", found, Window(high=2.0)).flagged
