"""The ferroelectric benchmark on a handful of pairs: figures that must come out, and the cache of measurements."""

import dataclasses
import json

import materials
import numpy as np
import pytest
from hysteron.benchmarks import ferroelectric
from hysteron.benchmarks.ferroelectric_figures import agreement, classifier, share
from hysteron.benchmarks.ferroelectric_measured import Measured
from hysteron.benchmarks.ferroelectric_parents import fitted_weights, parents_row, search
from hysteron.benchmarks.ferroelectric_screening import (
    Screened,
    end_to_end_row,
    screen_row,
    screened,
    speed_row,
)
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Tools
from hysteron.core.errors import MissingDataError, NotFoundError
from hysteron.core.polar_pairs import Pair
from hysteron.screening.ferroelectric.charges import load_model
from hysteron.screening.ferroelectric.screen import Ferroelectric
from hysteron.screening.ferroelectric.verdict import FerroelectricConfig
from screening_toys import ToyPotential

ANY_ENERGY = FerroelectricConfig(
    energy_difference_low=-1e6, energy_difference_high=1e6, barrier_low=0, barrier_high=1e6
)


def pair(name: str, parent: int, polarization: float, difference: float) -> Pair:
    crystal = getattr(materials, name)()
    return Pair(
        formula=crystal.composition.reduced_formula,
        polar=crystal,
        nonpolar=crystal,
        nonpolar_spacegroup=parent,
        spacegroup=99,
        polarization=polarization,
        polarization_vector=np.array([0, 0, polarization]),
        energy_difference=difference,
        path_maximum=None,
        band_gap=2.0,
        polar_id=f"mp-{name}",
        nonpolar_id="mp-1",
        preferred=True,
    )


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    return [
        pair("barium_titanate_tetragonal", 221, 35.0, -10.0),
        pair("lead_titanate", 221, 90.0, -30.0),
        pair("lithium_niobate", 2, 80.0, 5.0),
    ]


@pytest.fixture(scope="module")
def found(pairs, tmp_path_factory) -> list[Screened]:
    kept = Measured("toy", {}, folder=tmp_path_factory.mktemp("kept"))
    tools = Tools(potential=ToyPotential())
    return screened(pairs, [load_model()] * 3, tools, ANY_ENERGY, kept)


def test_a_share_has_an_interval_over_formulas():
    told = share([True, True, False, False], ["A", "A", "B", "B"], seed=0)
    assert told["value"] == 0.5
    assert told["interval_90"] == [0.0, 1.0]
    assert told["n"] == 4


def test_precision_and_recall():
    told = classifier([True, True, True, False], [True, True, False, True], list("abcd"), seed=0)
    assert told["precision"]["value"] == pytest.approx(2 / 3)
    assert told["recall"]["value"] == pytest.approx(2 / 3)
    assert told["baseline_precision"] == 0.75
    assert classifier([True], [False], ["a"], seed=0)["recall"]["value"] == 0.0


def test_agreement_of_equal_numbers_is_perfect():
    told = agreement([1.0, 2.0, 5.0], [1.0, 2.0, 5.0], list("abc"), seed=0)
    assert told["mae"]["value"] == 0
    assert told["r2"]["value"] == 1
    assert told["baseline_mae"] == pytest.approx(4 / 3)


def test_parents_are_counted_as_right_or_wrong(pairs):
    searches = [search(one) for one in pairs]
    told = parents_row(searches, searches, seed=0)
    assert told["preferred"]["first"]["value"] == pytest.approx(2 / 3)  # 2 is no parent of LiNbO3's
    assert told["preferred"]["among_five"]["value"] == pytest.approx(2 / 3)
    assert told["preferred"]["share_with_a_parent"]["value"] == 1
    assert told["preferred"]["baseline_first"]["value"] == 0
    json.dumps(told, allow_nan=False)


def test_any_parent_of_the_crystal_counts_for_the_crystal(pairs):
    other = dataclasses.replace(pairs[0], nonpolar_spacegroup=123)
    told = parents_row([search(pairs[0]), search(other)], [], seed=0)["preferred"]
    assert told["first"]["value"] == 0.5
    assert told["first_is_any_of_the_crystals_parents"]["value"] == 1


def test_weights_prefer_what_is_right(pairs):
    near, frequent, symmetric = fitted_weights([search(one) for one in pairs[:2]])
    assert symmetric > 0 or frequent > 0  # Pm-3m lies as far as P4/mmm and must win
    assert np.isfinite([near, frequent, symmetric]).all()


def test_polarization_is_compared_and_silence_counts_as_zero(found):
    told = end_to_end_row(found, seed=0)
    assert told["where_told"]["mae"]["value"] < 10
    assert told["classifier_above_5"]["recall"]["value"] == 1
    silent = dataclasses.replace(found[0], candidate=Candidate("none", found[0].pair.polar))
    less = end_to_end_row([silent, *found[1:]], seed=0)
    assert less["where_told"]["mae"]["n"] == 2
    assert less["all_silence_is_zero"]["mae"]["value"] > told["all_silence_is_zero"]["mae"]["value"]
    assert less["classifier_above_5"]["recall"]["value"] == pytest.approx(2 / 3)
    assert told["missed_above_5"] == []
    assert less["missed_above_5"] == ["BaTiO3 mp-barium_titanate_tetragonal: DFT 35.0, ours none"]


def test_the_energy_difference_is_compared_where_the_path_leads_to_the_same_parent(found):
    """The toy's differences have no interval until one is given; LiNbO3's DFT parent is none that was found."""
    assert end_to_end_row(found, seed=0)["energy_difference_to_the_same_parent"]["coverage"]["n"] == 0

    def sure(one: Screened, low: float, high: float) -> Screened:
        told = PropertyValue(
            "polar_nonpolar_energy_difference", -9.0, "meV/atom", "sure", 1.0, "", (low, high), 0.9
        )
        parent = {"parent": {"spacegroup_number": 221}}
        details = one.verdict.details | {"ends": parent}
        candidate = dataclasses.replace(one.candidate, properties=(told,))
        verdict = dataclasses.replace(one.verdict, details=details)
        return dataclasses.replace(one, candidate=candidate, verdict=verdict)

    rows = [sure(found[0], -12.0, -6.0), sure(found[1], -12.0, -6.0), sure(found[2], -12.0, -6.0)]
    told = end_to_end_row(rows, seed=0)["energy_difference_to_the_same_parent"]
    assert told["coverage"]["n"] == 2
    assert told["coverage"]["value"] == 0.5  # -10 lies inside, -30 does not
    assert told["mae"]["value"] == pytest.approx((1 + 21) / 2)
    assert told["right_sign"]["value"] == 1


def test_the_verdict_is_held_against_the_rule(found):
    told = screen_row(found, found, seed=0)
    assert told["preferred"]["positives"] == 2  # the third lies above its parent by DFT
    assert told["preferred"]["precision"]["value"] == pytest.approx(2 / 3)
    assert told["preferred"]["recall"]["value"] == 1
    assert len(told["passed_against_dft"]) == 1
    assert told["unlabelled"]["passed_by_dft_values"] == 2
    json.dumps(told, allow_nan=False)


def test_what_costs_a_positive_its_pass_is_named(found):
    verdict = Ferroelectric(FerroelectricConfig(polarization_min=1e3)).judge(found[0].candidate)
    told = screen_row([dataclasses.replace(found[0], verdict=verdict)], [], seed=0)
    assert told["positives_lost_to"] == {"polarization": ["BaTiO3"]}


def test_the_time_is_that_of_candidates_with_a_path(found):
    told = speed_row(found, [0.1, 0.3], [0.5])
    assert told["n"] == 3
    assert told["ratio_to_baseline"] == pytest.approx(told["median_seconds"] / 0.5)
    assert told["median_search_seconds"] == 0.2


def test_measured_candidates_are_kept_when_asked(tmp_path):
    start = Candidate("one", materials.barium_titanate_tetragonal())
    calls = []

    def measure(candidate):
        calls.append(candidate.candidate_id)
        return candidate.with_property(PropertyValue("band_gap", 1.0, "eV", "PBE")), 2.5

    first = Measured("row", {"a": 1}, folder=tmp_path)
    assert first.measured(start, measure)[1] == 2.5
    with first.path.open("a") as lines:
        lines.write('{"candidate": ')  # an interruption
    again = Measured("row", {"a": 1}, resume=True, folder=tmp_path)
    assert again.measured(start, measure)[0].value("band_gap") == 1.0
    assert calls == ["one"]
    other = Measured("row", {"a": 2}, resume=True, folder=tmp_path)
    other.measured(start, measure)
    Measured("row", {"a": 1}, folder=tmp_path).measured(start, measure)
    assert calls == ["one", "one", "one"]


def test_an_unknown_row_is_refused():
    with pytest.raises(NotFoundError, match="Did you mean 'parents'"):
        ferroelectric.run(only="parent")


def test_without_data_it_says_so(monkeypatch):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        ferroelectric.run()
