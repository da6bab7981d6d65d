"""What is relaxed first: probable, polar, small, of its own family, and expected to be stable."""

import math
from dataclasses import replace

import pytest
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step
from hysteron.core.contracts import HullDistance
from hysteron.core.errors import HullError, SettingsError
from hysteron.flows import steps, toolbox
from hysteron.flows.run_settings import RunSettings, resolve
from hysteron.flows.selection import (
    COST_PER_ATOM,
    FURTHEST,
    MOST_UNSTABLE_EV,
    POLAR_BONUS,
    REPEATED_CHEMISTRY,
    SPREAD,
    UNSTABLE_PER_EV,
    affordable,
    by_promise,
)
from property_toys import rock_salt
from pymatgen.core import Composition


def proposal(cation: str, probability: float = 0.1, parent: str = "", group: int = 225) -> Candidate:
    """A rock salt that a generator proposed; each of another parent unless said otherwise."""
    return Candidate(
        f"{cation}O",
        rock_salt(cation),
        (PropertyValue("substitution_probability", probability, "1", "pairs"),),
        (Step("generate", "substitution", parents=(parent or f"parent of {cation}",)),),
        spacegroup_number=group,
    )


def order(candidates, **unstable):
    return by_promise(candidates, False, unstable)


CATIONS = ("Mg", "Ca", "Sr", "Ba")


def test_without_predictions_the_probable_come_first():
    candidates = [proposal(c, 0.1 * i) for i, c in enumerate(CATIONS, 1)]
    assert by_promise(candidates, False) == ["BaO", "SrO", "CaO", "MgO"]
    assert by_promise(candidates, False, {}) == by_promise(candidates, False, None)


def test_of_equals_the_one_expected_nearest_to_the_hull_comes_first():
    candidates = [proposal(c) for c in CATIONS]
    assert order(candidates, MgO=0.3, CaO=0.1, SrO=0.2, BaO=0.05) == ["BaO", "CaO", "SrO", "MgO"]


def test_a_tenth_of_an_ev_costs_as_much_as_a_factor_of_e():
    assert pytest.approx(0.1) == 1 / UNSTABLE_PER_EV
    candidates = [proposal("Mg", 0.1 * math.e), proposal("Ca", 0.1)]
    assert order(candidates, MgO=0.11) == ["CaO", "MgO"]
    assert order(candidates, MgO=0.09) == ["MgO", "CaO"]


def test_below_the_hull_is_no_better_than_on_it():
    candidates = [proposal("Mg", 0.1), proposal("Ca", 0.11)]
    assert order(candidates, MgO=-2.0, CaO=0.0) == ["CaO", "MgO"]


def test_beyond_a_limit_a_prediction_tells_no_more():
    candidates = [proposal("Mg", 0.11), proposal("Ca", 0.1)]
    assert order(candidates, MgO=50.0, CaO=MOST_UNSTABLE_EV) == ["MgO", "CaO"]


def test_who_has_no_prediction_pays_nothing():
    candidates = [proposal("Mg"), proposal("Ca", 0.09)]
    assert order(candidates, MgO=0.05) == ["CaO", "MgO"]


def test_a_family_does_not_take_the_head_even_if_it_is_stable():
    """Three of one chemical system and parent, on the hull, and one of another, a little above it."""
    family = [replace(proposal("Mg", parent="periclase"), candidate_id=f"MgO-{i}") for i in range(3)]
    stranger = proposal("Ca")
    price = 0.5 + REPEATED_CHEMISTRY
    assert order([*family, stranger], CaO=0.9 * price / UNSTABLE_PER_EV)[1] == "CaO"
    assert order([*family, stranger], CaO=1.1 * price / UNSTABLE_PER_EV)[2] == "CaO"


def test_polar_groups_and_few_atoms_count_as_before():
    polar = proposal("Mg", group=186)
    large = replace(proposal("Ca"), structure=rock_salt("Ca") * [2, 2, 2])
    candidates = [large, proposal("Sr"), polar]
    assert by_promise(candidates, True) == ["MgO", "SrO", "CaO"]
    assert POLAR_BONUS > 0
    slight = (16 - 2) * COST_PER_ATOM / UNSTABLE_PER_EV
    assert by_promise([large, proposal("Sr")], False, {"SrO": slight * 1.1}) == ["CaO", "SrO"]
    assert by_promise([large, proposal("Sr")], False, {"SrO": slight * 0.9}) == ["SrO", "CaO"]


def test_everybody_is_listed_once():
    candidates = [proposal(c) for c in CATIONS]
    assert sorted(order(candidates, MgO=1.0, CaO=-1.0)) == ["BaO", "CaO", "MgO", "SrO"]


# Where the predictions come from


class Flat:
    """Formation energy by the cation; knows no barium, fails on strontium."""

    name = "flat"
    energies = {"Mg": -3.0, "Ca": -2.9}

    def __init__(self):
        self.batches = []

    def predict(self, candidates):
        self.batches.append(len(candidates))
        return [self._predict(c) for c in candidates]

    def _predict(self, candidate):
        cation = candidate.structure[0].specie.symbol
        if cation == "Sr":
            return candidate.with_failure(Failure("predict", self.name, "No."))
        if cation not in self.energies:
            return candidate
        energy = PropertyValue("formation_energy_per_atom", self.energies[cation], "eV/atom", "flat 1.0")
        return candidate.with_property(energy)


class Hull:
    """Elements at -2 eV/atom, the oxides' hull at -5.1; knows no zinc and no hull of calcium."""

    name, potential_name = "toy", "CHGNet 0.3.0"

    def distances(self, items):
        return [self._distance(composition, energy) for composition, energy, _ in items]

    def _distance(self, composition, energy):
        if "Zn" in composition or composition == Composition("Pb1 O1"):
            return HullError("None.")
        lowest = -2.0 if len(composition) == 1 else -5.1
        return HullDistance(energy - lowest, None, ())


@pytest.fixture
def toys(monkeypatch):
    predictor = Flat()
    monkeypatch.setattr(toolbox, "predictor", lambda name: predictor)
    monkeypatch.setattr(toolbox, "hull", lambda name: Hull())
    return predictor


def settings(**more) -> RunSettings:
    return RunSettings.model_validate(resolve(options={"preset": "all"}).model_dump(mode="json") | more)


def test_a_distance_is_the_predicted_energy_less_the_hull(toys):
    """MgO: -3.0 from elements at -2.0 is -5.0 eV/atom, 0.1 above the hull; CaO 0.2."""
    found = steps.predicted_distances(settings(), [proposal(c) for c in CATIONS])
    assert found == {"MgO": pytest.approx(0.1), "CaO": pytest.approx(0.2)}


def test_a_proposal_without_references_or_hull_is_left_out(toys, monkeypatch):
    monkeypatch.setitem(Flat.energies, "Zn", -1.0)
    monkeypatch.setitem(Flat.energies, "Pb", -1.0)
    found = steps.predicted_distances(settings(), [proposal(c) for c in ("Zn", "Mg", "Pb")])
    assert set(found) == {"MgO"}


def test_no_predictor_no_triage(monkeypatch):
    monkeypatch.setattr(toolbox, "hull", lambda name: pytest.fail("No hull is needed."))
    assert steps.predicted_distances(settings(predictor=[]), [proposal("Mg")]) == {}


def test_no_proposals_no_distances(toys):
    assert steps.predicted_distances(settings(), []) == {}


def test_proposals_are_predicted_in_batches(toys, monkeypatch):
    monkeypatch.setattr(steps, "TRIAGED_AT_ONCE", 3)
    steps.predicted_distances(settings(), [proposal(c) for c in CATIONS])
    assert toys.batches == [3, 1]


def test_an_unknown_predictor_is_refused_before_the_run(tmp_path):
    path = tmp_path / "RUN.toml"
    path.write_text('[[predictor]]\nname = "propertys"\n')
    with pytest.raises(SettingsError, match="Did you mean 'properties'"):
        resolve(path)


# Several generators


def written(cation: str, nats: float | None, unstable: float = 0.0, generator: str = "writer") -> Candidate:
    """A rock salt that another generator wrote from nothing."""
    candidate = replace(proposal(cation), properties=(), provenance=(Step("generate", generator),))
    if nats is None:
        return candidate
    return candidate.with_property(PropertyValue("log_probability", nats, "1", f"{generator} 1"))


EIGHT = ("Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni")
OTHER_EIGHT = ("Zn", "Cd", "Sn", "Pb", "Cu", "Eu", "V", "Ti")


def two_generators(counts=(8, 8)):
    """Substitution with probabilities of 0.01 to 0.05, and one whose nats lie between -100 and -30."""
    one = [proposal(c, 0.01 + 0.005 * i) for i, c in enumerate(EIGHT[: counts[0]])]
    return one, [written(c, -100.0 + 10.0 * i) for i, c in enumerate(OTHER_EIGHT[: counts[1]])]


def ids(candidates):
    return {c.candidate_id for c in candidates}


def test_nats_of_one_generator_are_not_held_against_those_of_another():
    one, other = two_generators()
    ordered = by_promise([*one, *other], False)
    for head in (4, 8, 12):
        assert abs(len(set(ordered[:head]) & ids(one)) - head / 2) <= 1


def test_generators_share_the_head_as_they_shared_the_proposals():
    one, other = two_generators((8, 2))
    ordered = by_promise([*one, *other], False)
    assert len(set(ordered[:5]) & ids(other)) == 1


def test_the_hull_is_the_judge_between_generators_and_leaves_nobody_out():
    one, other = two_generators()
    unstable = {c.candidate_id: 0.1 for c in other}
    head = set(by_promise([*one, *other], False, unstable)[:8])
    assert 1 <= len(head & ids(other)) <= 3
    unstable = {c.candidate_id: 0.4 for c in other}
    assert not set(by_promise([*one, *other], False, unstable)[:7]) & ids(other)


def test_the_best_of_a_generator_does_not_outweigh_the_hull():
    """However probable its generator finds it: 2 on the common scale, 5 by the hull."""
    outlier = written("Zn", 1e6)
    others = [written(c, -50.0 - i) for i, c in enumerate(EIGHT)]
    ordered = by_promise([outlier, *others], False, {"ZnO": MOST_UNSTABLE_EV})
    assert ordered[-1] == "ZnO"
    assert 2 * FURTHEST < UNSTABLE_PER_EV * MOST_UNSTABLE_EV


def test_wide_values_are_shrunk_and_narrow_ones_never_stretched():
    """Quartiles 40 nats apart: 40 nats count as much as `SPREAD`. Differences of a thousandth stay one."""
    wide = [written(c, nats) for c, nats in zip(EIGHT[:5], (-100, -80, -60, -40, -20), strict=True)]
    price = SPREAD / UNSTABLE_PER_EV
    assert by_promise(wide[1:4:2], False) == ["BaO", "CaO"]
    assert by_promise(wide, False, {"MnO": 1.1 * price / 2})[0] == "BaO"
    assert by_promise(wide, False, {"MnO": 0.9 * price / 2})[0] == "MnO"
    narrow = [written("Mg", -50.0), written("Ca", -50.001)]
    assert by_promise(narrow, False, {"MgO": 0.001}) == ["CaO", "MgO"]


def test_the_order_of_the_input_does_not_matter():
    one, other = two_generators()
    expected = by_promise([*one, *other], False, {"ZnO": 0.2, "MgO": 0.1})
    assert by_promise([*other[::-1], *one[::2], *one[1::2]], False, {"ZnO": 0.2, "MgO": 0.1}) == expected


def test_one_proposal_equal_ones_and_ones_without_a_probability():
    assert by_promise([], False) == []
    assert by_promise([written("Mg", -50.0)], False) == ["MgO"]
    assert by_promise([written("Ca", -50.0), written("Ba", -50.0)], False) == ["BaO", "CaO"]
    unknown = [written(c, None) for c in ("Sr", "Mg")]
    assert by_promise(unknown, False) == ["MgO", "SrO"]
    assert sorted(by_promise([*unknown, proposal("Ca", 0.0)], False)) == ["CaO", "MgO", "SrO"]


def test_what_has_no_probability_stands_in_the_middle():
    values = [written(c, nats) for c, nats in zip(EIGHT[:4], (-80.0, -60.0, -40.0, -20.0), strict=True)]
    ordered = by_promise([*values, written("Zn", None)], False)
    assert ordered == ["BaO", "SrO", "ZnO", "CaO", "MgO"]


def test_of_a_crystal_of_two_roads_the_better_value_counts():
    one, other = two_generators()
    twice = one[0].with_property(PropertyValue("log_probability", 100.0, "1", "writer 1"))
    assert by_promise([*one, *other], False)[0] != "MgO"
    assert by_promise([twice, *one[1:], *other], False)[0] == "MgO"


def test_who_proposed_is_what_the_run_says():
    """The first step may be of another run: eight of one generator, of which the store says otherwise of two."""
    candidates = [proposal(c, 0.05 - 0.005 * i) for i, c in enumerate(EIGHT)]
    renamed = [replace(c, provenance=(Step("generate", "other"),)) for c in candidates[-2:]]
    who = dict.fromkeys(ids(candidates), "substitution")
    ordered = by_promise([*candidates[:-2], *renamed], False, None, who)
    assert ordered == by_promise(candidates, False)
    assert by_promise([*candidates[:-2], *renamed], False) != ordered


def test_a_region_of_interest_comes_first_by_the_logarithm_of_its_weight():
    candidates = [proposal("Mg", 0.1), proposal("Ca", 0.1 * 2.5), proposal("Sr", 0.1 * 3.5)]
    weights = {"MgO": 0.9, "CaO": 0.3, "SrO": 0.3}
    ordered = by_promise(candidates, False, None, None, lambda c: weights[c.formula])
    assert ordered == ["SrO", "MgO", "CaO"]  # a factor of three lies between the factors of 2.5 and 3.5
    assert by_promise(candidates, False, interest=lambda c: 0.2) == by_promise(candidates, False)


@pytest.mark.parametrize(
    ("free", "most", "chosen"),
    [
        ("", None, "abcde"),
        ("", 2, "ab"),
        ("b", 2, "abc"),
        ("de", 1, "ade"),
        ("abcde", 1, "abcde"),
        ("", 9, "abcde"),
    ],
)
def test_what_is_free_comes_beside_what_is_paid_for(free, most, chosen):
    assert affordable(list("abcde"), set(free), most) == list(chosen)
