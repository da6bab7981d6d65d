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
    MOST_UNSTABLE_EV,
    POLAR_BONUS,
    REPEATED_CHEMISTRY,
    UNSTABLE_PER_EV,
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
