"""A second potential: on one scale its spread widens the error, on another it is refused with a sentence."""

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.checks import check_predictor
from hysteron.core.contracts import Calculation, HullDistance, Predictor, Relaxation
from hysteron.core.energy_scales import MP2020, RAW_MATPES_PBE, RAW_MP, RAW_OMAT24
from hysteron.core.errors import EnergyScaleError, HullError, InputError
from hysteron.predictors.disagreement import SPREAD_FACTOR, SecondOpinion, widened
from hysteron.predictors.potentials.mp2020 import mp2020_correction
from hysteron.predictors.potentials.references import ElementalReferences

OWN = -5.9  # eV/atom by the first potential


class Constant:
    """One energy per atom for every crystal; refuses xenon."""

    model_hash = "toy"

    def __init__(self, name, scale, energy=-5.8):
        self.name, self.energy_scale, self.energy = name, scale, energy

    def calculate(self, structures):
        if any("Xe" in s.symbol_set for s in structures):
            raise InputError(f"{self.name} does not know xenon.")
        return [Calculation(self.energy * len(s), None, None) for s in structures]


class FlatHull:
    """Everything competes with -6 eV/atom; elements have -2; knows no gold."""

    name, potential_name = "flat-2026-11", "First 1.0"

    def __init__(self, uncertainty=0.03):
        self.uncertainty = uncertainty

    def distance(self, composition, energy_per_atom, leave_out=()):
        if "Au" in composition:
            raise HullError("No Au in the hull.")
        distance = energy_per_atom - (-2.0 if len(composition) == 1 else -6.0)
        interval = (distance - 0.06, distance + 0.06) if self.uncertainty else None
        return HullDistance(distance, self.uncertainty, (), interval, 0.9 if interval else None)

    def distances(self, items):
        found = []
        for item in items:
            try:
                found.append(self.distance(*item))
            except HullError as error:
                found.append(error)
        return found


FIRST = Constant("First 1.0", MP2020)


def candidate(structure=None):
    one = Candidate("one", structure or materials.magnesium_oxide())
    return one.with_property(PropertyValue("energy_per_atom", OWN, "eV/atom", FIRST.name))


def asked(second, one=None, **more):
    (found,) = SecondOpinion(FIRST, second, FlatHull(), **more).predict([one or candidate()])
    return found


def test_on_the_same_scale_both_values_stand_and_the_spread_widens_the_first():
    found = asked(Constant("Second 2.0", MP2020))
    best, other = found.all_of("energy_above_hull")
    assert (best.method, best.value) == ("First 1.0", pytest.approx(0.1))
    assert (other.method, other.value) == ("Second 2.0", pytest.approx(0.2))
    assert best.uncertainty == pytest.approx((0.03**2 + (SPREAD_FACTOR * 0.1) ** 2) ** 0.5)
    half = 0.06 * best.uncertainty / 0.03
    assert best.interval == pytest.approx((0.1 - half, 0.1 + half))
    assert other.uncertainty is None, "how wrong the second tends to be was not measured"
    assert found.provenance[-1].details["spread"] == pytest.approx(0.1)


def test_asking_twice_widens_once():
    predictor = SecondOpinion(FIRST, Constant("Second 2.0", MP2020), FlatHull())
    once = predictor.predict([candidate()])
    assert predictor.predict(once) == once


def test_it_is_a_predictor():
    predictor = SecondOpinion(FIRST, Constant("Second 2.0", MP2020), FlatHull())
    assert isinstance(predictor, Predictor)
    check_predictor(predictor, [candidate(), candidate(materials.silicon())])


def test_raw_energies_are_corrected_first():
    structure = materials.magnesium_oxide()
    correction = mp2020_correction(structure).per_atom
    assert correction == pytest.approx(-0.687 / 2)  # Wang et al. 2021: oxide, eV per O
    found = asked(Constant("Raw 1.0", RAW_MP, OWN - correction))
    _, other = found.all_of("energy_above_hull")
    assert other.value == pytest.approx(0.1)
    assert other.method == f"Raw 1.0, {MP2020}"
    assert found.get("energy_above_hull").uncertainty == pytest.approx(0.03)


def test_scales_that_never_meet_are_refused_and_nothing_is_widened():
    found = asked(Constant("Wrong 1.0", RAW_MATPES_PBE))
    assert found.all_of("energy_above_hull") == []
    (failure,) = found.failures
    assert "different scales" in failure.reason
    assert "no uncertainty" in failure.reason
    assert failure.name == "second-opinion Wrong 1.0"


def test_scales_that_meet_at_the_formation_energy_need_references(monkeypatch):
    second = Constant("Omat 1.0", RAW_OMAT24, -7.0)
    assert "elemental references of Omat 1.0" in asked(second).failures[0].reason
    monkeypatch.setattr(
        "hysteron.predictors.potentials.references._CORRECTED", {RAW_OMAT24: lambda energy, structure: energy}
    )
    references = ElementalReferences("Omat 1.0", RAW_OMAT24, {"Mg": -3.0, "O": -3.0})
    _, other = asked(second, references=references).all_of("energy_above_hull")
    # -7 from elements at -3 is a formation energy of -4; with the first one's elements at -2: -6 eV/atom
    assert other.value == pytest.approx(0.0)


def test_one_that_the_second_potential_does_not_know_fails_alone():
    from pymatgen.core import Lattice, Structure

    fluoride = Structure(Lattice.cubic(4.0), ["Xe", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    gold = Structure(Lattice.cubic(4.0), ["Au", "Cu"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    bare = Candidate("bare", materials.silicon())
    predictor = SecondOpinion(FIRST, Constant("Second 2.0", MP2020), FlatHull())
    good, xenon, auric, without = predictor.predict([candidate(), candidate(fluoride), candidate(gold), bare])
    assert len(good.all_of("energy_above_hull")) == 2
    assert [c.get("energy_above_hull") for c in (xenon, auric, without)] == [None] * 3
    assert "xenon" in xenon.failures[0].reason
    assert "Au" in auric.failures[0].reason
    assert "no energy_per_atom by First 1.0" in without.failures[0].reason


def test_a_relaxer_of_the_second_potential_is_used():
    class Settled:
        def relax(self, structures, on_done=None):
            return [
                Relaxation(structures[0], -6.0, 0.01, 3, True),
                Relaxation(None, None, None, 9, False, "Gone."),
            ]

    second = Constant("Second 2.0", MP2020)
    predictor = SecondOpinion(FIRST, second, FlatHull(), relaxer=Settled())
    settled, lost = predictor.predict([candidate(), candidate()])
    assert settled.all_of("energy_above_hull")[1].value == pytest.approx(0.0)
    assert lost.failures[0].reason == "Gone."


def test_without_a_calibrated_error_the_spread_alone_is_none():
    distance = FlatHull(uncertainty=None).distance(materials.silicon().composition, -2.0)
    assert widened(distance, 0.1) == distance


def test_a_hull_of_another_potential_is_refused():
    with pytest.raises(EnergyScaleError, match=r"flat-2026-11 is made of First 1\.0"):
        SecondOpinion(Constant("Second 2.0", MP2020), FIRST, FlatHull())
