"""The whole ferroelectric screen on real crystals with toy tools."""

from __future__ import annotations

import json
import time

import materials
import numpy as np
import pytest
from ferroelectric_toys import (
    ANY_ENERGY,
    CRITERIA,
    WELL,
    ToyPolarDifference,
    ToyRelaxer,
    boron_nitride,
    criterion,
    hydrogen_cyanide,
    indium_selenide,
    judged,
    moved,
    plain,
    status,
    zinc_oxide_well,
)
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Screen, Tools
from hysteron.screening.ferroelectric import screen
from hysteron.screening.ferroelectric.charges import METHOD, polarization
from hysteron.screening.ferroelectric.parents import find_parents
from hysteron.screening.ferroelectric.screen import Ferroelectric
from hysteron.screening.ferroelectric.switching import RELAXED_HALF, RELAXED_SIGMA
from hysteron.screening.ferroelectric.verdict import FerroelectricConfig
from hysteron.screening.measurement import findings_of
from pymatgen.core import Lattice, Structure
from screening_toys import ConstantPotential, ToyPotential, candidate, energy_of

ALWAYS = {
    "parent_spacegroup_number",
    "distortion_max",
    "polarization",
    "polarization_vector",
    "polar_nonpolar_energy_difference",
    "switching_barrier",
    "switching_barrier_per_atom",
}
PROXIES = {"coercive_field", "transition_temperature"}
INVARIANCE = 1e-3
"""uC/cm^2, meV/atom, A: what is left of an average that stops, and of spglib's own idealisation."""


def test_it_is_a_screen():
    assert isinstance(Ferroelectric(), Screen)


@pytest.mark.parametrize(
    "name", ["barium_titanate_tetragonal", "lead_titanate", "lithium_niobate", "germanium_telluride"]
)
def test_known_ferroelectrics_pass(name):
    """The toy's energies are no physics, so their windows are open here."""
    measured, verdict = plain(name)
    assert verdict.passed, verdict.reason
    assert list(status(verdict)) == CRITERIA
    assert set(status(verdict).values()) == {"passed"}
    names = [p.name for p in measured.properties]
    assert len(set(names)) == len(names)
    assert set(names) - PROXIES == ALWAYS
    assert verdict.value == measured.value("polarization")
    assert verdict.threshold == 5.0
    assert 0 < verdict.score < 1
    for told in (METHOD, "gap unknown", "Toy 1.0, ends unrelaxed", "polar as given, not relaxed"):
        assert told in verdict.reason


def test_polarizations_lie_by_what_was_measured():
    """BaTiO3 26 uC/cm^2 (Merz 1953), LiNbO3 71 (Wemple et al. 1968), at measured geometries; the charges are those of PBE."""
    for name, measured in (("barium_titanate_tetragonal", 26.0), ("lithium_niobate", 71.0)):
        found = plain(name)[0].value("polarization")
        assert found == pytest.approx(measured, rel=0.35)


@pytest.mark.parametrize(
    "one", [candidate("lead_titanate"), candidate("silicon"), Candidate("In2Se3", indium_selenide())]
)
def test_measurement_and_verdict_survive_json(one):
    """Of one that passes, one that is set aside, and one without a parent."""
    measured, verdict = judged(one)
    record = json.dumps(measured.with_verdict(verdict).to_record(), allow_nan=False)
    again = Candidate.from_record(json.loads(record))
    assert again == measured.with_verdict(verdict)
    assert Ferroelectric(FerroelectricConfig(**ANY_ENERGY)).judge(again) == verdict


def test_what_the_details_tell():
    measured, verdict = plain("lead_titanate")
    told = verdict.details
    assert [(s["spacegroup_number"], s["symprec"]) for s in told["symmetry"]] == [(99, 0.01), (99, 0.05)]
    assert (told["parents"][0]["spacegroup_number"], told["parents"][0]["symbol"]) == (221, "Pm-3m")
    assert [parent["spacegroup_number"] for parent in told["parents"]] == [221, 123]
    assert told["mechanism"]["kind"] == "displacive"
    assert told["nominal_polarization"] < measured.value("polarization")
    assert told["extrapolated"] == []
    assert list(told["effective_charges"]) == ["O2-", "Pb2+", "Ti4+"]
    assert told["effective_charges"]["Ti4+"] > 4
    charges = told["effective_charges"]
    assert charges["Pb2+"] + charges["Ti4+"] + 3 * charges["O2-"] == pytest.approx(0, abs=1e-6)
    # One electron over the face of the cell: e / a^2 along c.
    assert told["quantum"][2] == pytest.approx(1602.176634 / 3.902**2)
    assert {estimate["name"] for estimate in told["estimates"]} >= PROXIES
    assert told["path"]["from"] == "parent"
    assert not told["ends"]["relaxed"]
    assert np.array(told["displacements"]).shape == (5, 3)


def test_the_reference_can_be_interpolated_to():
    one, (_, verdict) = candidate("lead_titanate"), plain("lead_titanate")
    reference = Structure.from_dict(verdict.details["reference"]["structure"])
    assert reference.species == one.structure.species
    steps = (one.structure.frac_coords - reference.frac_coords) @ one.structure.lattice.matrix
    assert steps == pytest.approx(np.array(verdict.details["displacements"]), abs=1e-4)
    first = verdict.details["parents"][0]
    assert first["distortion_max"] == pytest.approx(np.linalg.norm(steps, axis=1).max())


def test_the_polarization_comes_with_method_uncertainty_and_interval():
    measured, _ = plain("barium_titanate_tetragonal")
    found = measured.get("polarization")
    assert found.method == METHOD
    assert np.linalg.norm(measured.value("polarization_vector")) == pytest.approx(found.value)
    assert 0 < found.uncertainty < found.interval[1] - found.value
    assert found.interval[0] < found.value < found.interval[1]
    assert 0.5 < found.coverage < 1
    assert "Pm-3m (221)" in found.source


# What is centric has no polarization


@pytest.mark.parametrize(
    "name", ["strontium_titanate", "silicon", "sodium_chloride", "barium_titanate_cubic", "hafnia_monoclinic"]
)
def test_a_centrosymmetric_crystal_is_set_aside_without_a_search(name):
    potential, relaxer = ToyPotential(), ToyRelaxer()
    measured, verdict = judged(candidate(name), Tools(potential=potential, relaxer=relaxer))
    assert measured == candidate(name)
    assert potential.batches == relaxer.batches == []
    assert not verdict.passed
    assert verdict.score == 0.0
    assert "is not polar (spglib, symprec 0.01 A)" in verdict.reason
    assert status(verdict) == {"polar": "failed"}


@pytest.mark.parametrize("name", ["lead_titanate", "zinc_oxide"])
def test_the_polarization_vanishes_with_the_distortion(name):
    """Along the way from the parent it grows from zero, and the parent itself is not polar."""
    polar = getattr(materials, name)()
    parent = find_parents(polar, 0.01, limit=1)[0]
    charges = findings_of(plain(name)[0], "ferroelectric")["charges"]
    norms = [polarization(polar, x * parent.displacements, charges).norm for x in (0, 0.02, 0.5, 1)]
    assert norms[0] == pytest.approx(0, abs=1e-9)
    assert norms == sorted(norms)
    assert norms[1] < 0.05 * norms[3]
    measured, verdict = judged(Candidate("parent", parent.structure))
    assert measured.get("polarization") is None
    assert status(verdict) == {"polar": "failed"}


def test_the_inverted_domain_has_the_opposite_polarization():
    polar = materials.lithium_niobate()
    inverted = Structure(polar.lattice, polar.species, -polar.frac_coords)
    up, down = plain("lithium_niobate")[0], judged(Candidate("inverted", inverted))[0]
    assert down.value("polarization") == pytest.approx(up.value("polarization"), abs=INVARIANCE)
    vectors = [np.array(one.value("polarization_vector")) for one in (up, down)]
    assert vectors[0] == pytest.approx(-vectors[1], abs=INVARIANCE)


# However the crystal is written down


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["barium_titanate_tetragonal", "lithium_niobate", "germanium_telluride"])
def test_orientation_order_and_origin_leave_scalars_and_turn_the_vector(name, seed):
    other, rotation, order = moved(getattr(materials, name)(), seed)
    here, there = plain(name)[0], judged(Candidate("moved", other))[0]
    _same_scalars(here, there)
    turned = rotation @ np.array(here.value("polarization_vector"))
    assert np.array(there.value("polarization_vector")) == pytest.approx(turned, abs=INVARIANCE)
    shifts, moved_shifts = (np.array(findings_of(c, "ferroelectric")["displacements"]) for c in (here, there))
    assert moved_shifts == pytest.approx(shifts[order] @ rotation.T, abs=INVARIANCE)


@pytest.mark.parametrize("name", ["barium_titanate_tetragonal", "zinc_oxide"])
@pytest.mark.parametrize("scaling", [[2, 1, 1], [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]])
def test_a_supercell_changes_nothing(name, scaling):
    here = plain(name)[0]
    there = judged(Candidate("supercell", getattr(materials, name)() * scaling))[0]
    _same_scalars(here, there)
    assert there.value("polarization_vector") == pytest.approx(
        here.value("polarization_vector"), abs=INVARIANCE
    )


def _same_scalars(here: Candidate, there: Candidate):
    assert [p.name for p in here.properties] == [p.name for p in there.properties]
    for one, other in zip(here.properties, there.properties, strict=True):
        if one.name != "polarization_vector":
            assert other.value == pytest.approx(one.value, abs=INVARIANCE, rel=1e-4), one.name
        assert (other.method, other.units) == (one.method, one.units)
    groups = [
        [parent["spacegroup_number"] for parent in findings_of(c, "ferroelectric")["parents"]]
        for c in (here, there)
    ]
    assert groups[0] == groups[1]


# Path, barrier, difference


def test_a_known_double_well_gives_its_barrier_and_its_difference():
    measured, verdict = judged(candidate("zinc_oxide"), Tools(potential=zinc_oxide_well()))
    assert measured.value("switching_barrier_per_atom") == pytest.approx(WELL)
    assert measured.value("switching_barrier") == pytest.approx(2 * WELL / 1000)  # two atoms per formula unit
    assert measured.value("polar_nonpolar_energy_difference") == pytest.approx(-WELL)
    path = verdict.details["path"]
    assert len(path["fractions"]) == len(path["energies"]) == path["images"] >= 9
    expected = WELL * (np.array(path["fractions"]) ** 2 - 1) ** 2
    assert path["energies"] == pytest.approx(expected, abs=1e-6)
    assert criterion(verdict, "polar_nonpolar_energy_difference")["score"] == 1
    # 8 / (3 sqrt 3) W / P, of 20 meV/atom and the volume of an atom.
    volume, charge = materials.zinc_oxide().volume / 4, measured.value("polarization") / 1602.176634
    field = 8 / (3 * np.sqrt(3)) * WELL / 1000 / volume / charge * 100
    assert measured.value("coercive_field") == pytest.approx(field)


@pytest.mark.parametrize("name", ["lead_titanate", "barium_titanate_tetragonal", "zinc_oxide"])
def test_forward_minus_backward_barrier_is_the_difference_of_the_ends(name):
    """In the toy BaTiO3 is the lower at its parent, so that the barrier is none from one side, all from the other."""
    measured, verdict = plain(name, relaxed_parents=1)
    path = verdict.details["path"]
    forward = measured.value("switching_barrier_per_atom")
    backward = max(path["energies"]) - path["energies"][0]
    assert forward >= 0 <= backward
    difference = measured.value("polar_nonpolar_energy_difference")
    assert forward - backward == pytest.approx(-difference, abs=1e-9)
    reference = Structure.from_dict(verdict.details["reference"]["structure"])
    polar = getattr(materials, name)()
    assert difference == pytest.approx(
        1000 * (energy_of(polar) - energy_of(reference)) / len(polar), abs=1e-6
    )


def test_an_elastic_band_on_request():
    """The well's straight path is its lowest one, so the band stays on it."""
    tools = Tools(potential=zinc_oxide_well())
    measured, verdict = judged(candidate("zinc_oxide"), tools, path="neb", neb_seconds=20.0)
    assert verdict.details["path"]["kind"] == "NEB"
    assert measured.get("switching_barrier_per_atom").method.startswith("NEB, ")
    assert measured.value("switching_barrier_per_atom") == pytest.approx(WELL, abs=0.1)
    assert verdict.passed


def test_a_band_that_cannot_be_had_leaves_the_straight_path_and_says_so():
    class NoForces(ToyPotential):
        def calculate(self, structures):
            nothing = np.full((3, 3), np.nan)
            return [
                type(found)(found.energy, np.full((len(s), 3), np.nan), nothing)
                for found, s in zip(super().calculate(structures), structures, strict=True)
            ]

    _, verdict = judged(candidate("lead_titanate"), Tools(potential=NoForces()), path="neb")
    assert verdict.details["path"]["kind"] == "linear"
    assert "No elastic band: " in verdict.details["path"]["note"]


def test_all_paths_share_their_batches():
    """Parents as they stand, ends of all trials (two parents each), nine images of each path, two more of each."""
    potential = ToyPotential()
    names = ["barium_titanate_tetragonal", "strontium_titanate", "lead_titanate"]
    Ferroelectric().measure([candidate(name) for name in names], Tools(potential=potential))
    assert potential.batches == [4, 8, 18, 4]


def test_a_polarization_below_the_minimum_is_worth_no_path():
    potential = ToyPotential()
    measured, verdict = judged(
        candidate("barium_titanate_tetragonal"), Tools(potential=potential), polarization_min=80.0
    )
    assert potential.batches == []
    assert measured.get("switching_barrier_per_atom") is None
    assert measured.failures == ()
    assert status(verdict)["polarization"] == "failed"
    assert verdict.threshold == 80.0
    for name in ("polar_end", "polar_nonpolar_energy_difference", "switching_barrier_per_atom"):
        assert status(verdict)[name] == "missing"
        assert "not computed, the polarization is below 80 uC/cm^2" in criterion(verdict, name)["sentence"]


def test_no_path_on_request():
    potential = ToyPotential()
    one = candidate("barium_titanate_tetragonal")
    required = ("polar", "nonpolar_parent", "assessable", "insulator", "polarization", "distortion_max")
    measured, verdict = judged(one, Tools(potential=potential), path="none", required=required)
    assert potential.batches == []
    assert verdict.passed
    assert "path" not in verdict.details
    assert "the settings ask for no path" in criterion(verdict, "switching_barrier_per_atom")["sentence"]
    assert measured.value("polarization") > 5
    assert not judged(one, Tools(potential=potential), path="none")[1].passed


def test_without_a_potential_the_energy_is_missing_and_nothing_passes():
    measured, verdict = judged(candidate("barium_titanate_tetragonal"), Tools())
    assert measured.get("polar_nonpolar_energy_difference") is None
    assert measured.get("polarization") is not None
    assert "No potential" in measured.failures[0].reason
    assert not verdict.passed
    assert verdict.score is None
    assert "polar_nonpolar_energy_difference is missing: No potential" in verdict.reason


def test_with_a_potential_at_last_the_old_failure_is_gone():
    measured, _ = judged(candidate("barium_titanate_tetragonal"), Tools())
    again, verdict = judged(measured)
    assert again.failures == ()
    assert verdict.passed


def test_no_difference_in_energy_is_at_the_edge_of_the_window_and_has_no_barrier():
    screen = Ferroelectric()
    measured = screen.measure([candidate("lead_titanate")], Tools(potential=ConstantPotential()))[0]
    assert measured.value("polar_nonpolar_energy_difference") == pytest.approx(0.0, abs=1e-9)
    assert measured.value("switching_barrier_per_atom") == pytest.approx(0.0, abs=1e-9)
    verdict = screen.judge(measured)
    assert not verdict.passed
    assert status(verdict)["switching_barrier_per_atom"] == "failed"


# Ends at rest


def test_relaxed_ends_are_told_and_the_candidate_stays_where_it_was():
    relaxer, held = ToyRelaxer(), ToyRelaxer()
    one = candidate("lead_titanate")
    tools = Tools(potential=ToyPotential(), relaxer=relaxer, parent_relaxer=held)
    measured, verdict = judged(one, tools, relaxed_parents=1)
    assert (relaxer.batches, held.batches) == ([1], [1])
    assert measured.structure == one.structure
    assert criterion(verdict, "polar_end")["sentence"] == "stays polar when relaxed"
    assert not criterion(verdict, "polar_end")["flagged"]
    assert measured.get("switching_barrier").method.endswith(", ends relaxed")
    assert verdict.passed


def test_ends_are_left_alone_on_request():
    relaxer = ToyRelaxer()
    tools = Tools(potential=ToyPotential(), relaxer=relaxer, parent_relaxer=relaxer)
    _, verdict = judged(candidate("lead_titanate"), tools, relax_ends=False)
    assert relaxer.batches == []
    assert criterion(verdict, "polar_end")["flagged"]
    assert verdict.details["ends"]["method"] == "ends unrelaxed"


def test_a_polar_end_that_falls_into_its_parent_fails():
    heals = ToyRelaxer(lambda structure: find_parents(structure, 0.01, limit=1)[0].structure)
    tools = Tools(potential=ToyPotential(), relaxer=heals, parent_relaxer=ToyRelaxer())
    measured, verdict = judged(candidate("lead_titanate"), tools)
    assert not verdict.passed
    assert verdict.score == 0.0
    assert status(verdict)["polar_end"] == "failed"
    assert "polar end relaxes from P4mm (99) to Pm-3m (221), not polar" in verdict.reason
    assert verdict.details["ends"]["polar"]["collapsed"]
    assert measured.value("switching_barrier_per_atom") == pytest.approx(0, abs=1e-3)
    # What was measured on the crystal as it came stays so.
    assert measured.value("polarization") == plain("lead_titanate")[0].value("polarization")


# The calibrated difference


def test_a_calibrated_difference_takes_the_place_of_the_potentials():
    one = candidate("lead_titanate")
    own = plain("lead_titanate")[0].value("polar_nonpolar_energy_difference")
    measured, verdict = judged(one, Tools(potential=ToyPotential(), polar_difference=ToyPolarDifference()))
    found = measured.get("polar_nonpolar_energy_difference")
    assert found.value == pytest.approx(own / 2)
    assert found.method == "toy calibration, ends unrelaxed"
    assert found.uncertainty == 2.0
    assert found.interval == pytest.approx((own / 2 - 4, own / 2 + 4))
    assert criterion(verdict, "polar_nonpolar_energy_difference")["method"] == found.method
    # The path is the potential's, its ends as far apart as calibrated.
    path = verdict.details["path"]
    assert path["energies"][0] == pytest.approx(-found.value)
    assert path["difference"] == pytest.approx(found.value)
    assert path["energies"][-1] == 0
    assert "tilted to the calibrated difference" in measured.get("switching_barrier").method


def test_where_the_calibration_refuses_the_potential_speaks_and_no_other_is_touched():
    tools = Tools(potential=ToyPotential(), polar_difference=ToyPolarDifference())
    ones = [candidate("germanium_telluride"), candidate("lead_titanate")]
    refused, known = Ferroelectric().measure(ones, tools)
    assert refused.get("polar_nonpolar_energy_difference").method == "Toy 1.0, ends unrelaxed"
    assert refused.get("polar_nonpolar_energy_difference").uncertainty is None
    assert [failure.reason for failure in refused.failures] == ["The toy calibration does not know Ge."]
    assert known.get("polar_nonpolar_energy_difference").method == "toy calibration, ends unrelaxed"
    assert known.failures == ()


# Batches


def test_alone_or_together_measured_once_or_twice_the_same_and_input_untouched():
    names = ["barium_titanate_tetragonal", "titania_rutile", "lead_titanate", "disordered_alloy"]
    relaxers = {"relaxer": ToyRelaxer(), "parent_relaxer": ToyRelaxer()}
    tools = Tools(potential=ToyPotential(), polar_difference=ToyPolarDifference(), **relaxers)
    asked = Ferroelectric()
    ones = [candidate(name) for name in names]
    together = asked.measure(ones, tools)
    assert together == [asked.measure([one], tools)[0] for one in ones]
    assert asked.measure(together, tools) == together
    assert ones == [candidate(name) for name in names]
    verdicts = [asked.judge(one) for one in together]
    assert verdicts == [asked.judge(one) for one in together]
    assert [one.candidate_id for one in together] == names


def test_many_are_shared_among_processes_and_come_out_alike_in_their_order(monkeypatch):
    names = ["barium_titanate_tetragonal", "titania_rutile", "lead_titanate", "disordered_alloy"] * 2
    ones = [candidate(name) for name in names]
    alone = Ferroelectric().measure(ones, Tools(potential=ToyPotential()))
    monkeypatch.setattr(screen, "find_parents", lambda *_: pytest.fail("It was looked for in this process."))
    shared = Ferroelectric().measure(ones, Tools(potential=ToyPotential(), workers=2))
    assert shared == alone
    assert [one.candidate_id for one in shared] == names


def test_nothing_in_nothing_out():
    assert Ferroelectric().measure([], Tools(potential=ToyPotential())) == []


def test_one_refused_by_the_potential_leaves_the_others_alone():
    """A made-up XeTiO3, as polar as PbTiO3, of which the potential knows nothing."""
    xenon = materials.lead_titanate().replace_species({"Pb": "Xe"}, in_place=False)
    names = ["barium_titanate_tetragonal", "lead_titanate"]
    ones = [candidate(names[0]), Candidate("xenon", xenon), candidate(names[1])]
    measured = Ferroelectric().measure(ones, Tools(potential=ToyPotential()))
    assert [one.candidate_id for one in measured] == [names[0], "xenon", names[1]]
    assert measured[0].get("polar_nonpolar_energy_difference") is not None
    assert measured[2].get("polar_nonpolar_energy_difference") is not None
    assert measured[1].get("parent_spacegroup_number").value == 221
    assert measured[1].get("switching_barrier") is None
    assert not Ferroelectric().judge(measured[1]).passed


def test_a_disordered_crystal_is_a_failure_and_no_crash():
    measured, verdict = judged(candidate("disordered_alloy"))
    assert "partially occupied" in measured.failures[0].reason
    assert not verdict.passed
    assert verdict.score is None
    assert "partially occupied" in verdict.reason


def test_atoms_within_the_loose_tolerance_are_a_failure_and_no_crash():
    """Two Cl 0.03 A apart: at 0.01 A a crystal, at 0.05 A none."""
    near = [[0, 0, 0], [0, 0, 0.5], [0.3, 0.3, 0.4], [0.3, 0.3, 0.4 + 0.03 / 7]]
    broken = Structure(Lattice.orthorhombic(5, 6, 7), ["Na", "Na", "Cl", "Cl"], near)
    ones = [Candidate("broken", broken), candidate("lead_titanate")]
    screen = Ferroelectric()
    measured = screen.measure(ones, Tools(potential=ToyPotential()))
    assert not screen.judge(measured[0]).passed
    assert "overlap" in screen.judge(measured[0]).reason
    assert measured[1].get("polarization") is not None


# What the method cannot tell


@pytest.mark.parametrize(
    ("make", "kind", "why"),
    [
        (hydrogen_cyanide, "molecular", "it holds molecules"),
        (boron_nitride, "electronic (sliding layers)", "only their stacking is"),
    ],
)
def test_what_is_not_assessable_says_so_and_never_passes(make, kind, why):
    potential = ToyPotential()
    one = Candidate("one", make())
    measured, verdict = judged(one, Tools(potential=potential))
    assert potential.batches == []
    assert verdict.details["mechanism"]["kind"] == kind
    assert not verdict.details["mechanism"]["assessable"]
    assert status(verdict)["assessable"] == "failed"
    assert not verdict.passed
    assert verdict.score == 0.0
    assert measured.get("polarization") is None
    sentence = criterion(verdict, "assessable")["sentence"]
    assert kind in sentence
    assert why in sentence
    assert sentence.count("ot assessable") == 1
    assert "not assessable by this method" in criterion(verdict, "polarization")["sentence"]
    assert "it was not measured" not in verdict.reason


def test_a_polar_metal_is_no_ferroelectric():
    metal = candidate("barium_titanate_tetragonal").with_property(PropertyValue("band_gap", 0.0, "eV", "PBE"))
    potential = ToyPotential()
    measured, verdict = judged(metal, Tools(potential=potential))
    assert not verdict.passed
    assert potential.batches == []
    assert measured.get("polarization") is None
    assert verdict.details["mechanism"]["kind"] == "metal"
    assert status(verdict)["insulator"] == status(verdict)["assessable"] == "failed"
    assert "band gap 0.00 eV (PBE) lies outside the PBE window" in verdict.reason


def test_a_small_gap_fails_and_a_known_one_scores_higher_than_the_rule():
    one = candidate("barium_titanate_tetragonal")
    small, known = (one.with_property(PropertyValue("band_gap", gap, "eV", "PBE")) for gap in (0.1, 1.83))
    assert status(judged(small)[1])["insulator"] == "failed"
    assert judged(known)[1].score > judged(one)[1].score


def test_a_reversed_state_stands_in_where_there_is_no_parent():
    """Se of In2Se3 goes from one In to the other; the displacements told are half of that way, as from a middle."""
    measured, verdict = judged(Candidate("In2Se3", indium_selenide()))
    assert status(verdict)["nonpolar_parent"] == "passed"
    assert "reversed polar state" in criterion(verdict, "nonpolar_parent")["sentence"]
    told = verdict.details
    assert "parents" not in told
    assert "reference" not in told
    assert told["path"]["from"] == "reversed"
    assert told["reversed"]["distortion_max"] == pytest.approx(2 * measured.value("distortion_max"))
    assert measured.get("parent_spacegroup_number") is None
    # Both ends are one crystal, so there is a barrier and no difference.
    assert told["path"]["energies"][0] == pytest.approx(0, abs=1e-3)
    assert measured.value("switching_barrier_per_atom") == pytest.approx(max(told["path"]["energies"]))
    assert measured.get("polar_nonpolar_energy_difference") is None
    vector = np.array(measured.value("polarization_vector"))
    assert np.abs(vector[:2]).max() < INVARIANCE  # the three-fold axis is along c
    assert abs(vector[2]) > 1


def test_a_reversed_state_is_not_asked_for_the_difference_it_cannot_have():
    """With energies of its own it may pass: its two ends are the same crystal."""
    _, verdict = judged(Candidate("In2Se3", indium_selenide()))
    assert "it was not measured" not in verdict.reason
    assert status(verdict)["polar_nonpolar_energy_difference"] != "failed"
    assert verdict.passed, verdict.reason


def test_it_is_quick_without_a_potential():
    """Some 0.2 s of CPU for each of a few crystals, three to four times that is allowed here."""
    ones = [candidate(name) for name in ("barium_titanate_tetragonal", "lead_titanate", "lithium_niobate")]
    Ferroelectric().measure(ones[:1], Tools())
    started = time.process_time()
    Ferroelectric().measure(ones, Tools())
    assert time.process_time() - started < 0.8 * len(ones)


def test_several_parents_are_tried_and_the_path_goes_through_the_lowest():
    """In the toy P4/mmm lies below Pm-3m; the polarization stays that against the first."""
    relaxer, held = ToyRelaxer(), ToyRelaxer()
    tools = Tools(potential=ToyPotential(), relaxer=relaxer, parent_relaxer=held)
    alone, _ = judged(candidate("lead_titanate"), tools, relaxed_parents=1)
    measured, verdict = judged(candidate("lead_titanate"), tools)
    assert (relaxer.batches, held.batches) == ([1, 1], [1, 2])  # the crystal once, and both its parents
    above = [parent["energy_above_polar"] for parent in verdict.details["parents"]]
    assert above[1] < above[0]
    assert measured.value("polar_nonpolar_energy_difference") == pytest.approx(-above[1])
    assert alone.value("polar_nonpolar_energy_difference") == pytest.approx(-above[0])
    assert measured.value("polarization") == alone.value("polarization")
    assert measured.get("switching_barrier").source == "through P4/mmm (123)"


def test_a_calibrated_interval_is_wider_between_ends_that_the_potential_has_relaxed():
    """It was calibrated at DFT's geometries."""
    calibrated = {"potential": ToyPotential(), "polar_difference": ToyPolarDifference()}
    given, _ = judged(candidate("lead_titanate"), Tools(**calibrated), relaxed_parents=1)
    relaxers = {"relaxer": ToyRelaxer(), "parent_relaxer": ToyRelaxer()}
    relaxed, _ = judged(candidate("lead_titanate"), Tools(**calibrated, **relaxers), relaxed_parents=1)
    before, after = (one.get("polar_nonpolar_energy_difference") for one in (given, relaxed))
    assert after.value == pytest.approx(before.value)
    assert after.uncertainty == pytest.approx(RELAXED_SIGMA * before.uncertainty)
    half = (before.interval[1] - before.interval[0]) / 2
    assert after.interval == pytest.approx(
        (before.value - RELAXED_HALF * half, before.value + RELAXED_HALF * half)
    )


def test_the_potential_is_not_asked_again_for_what_is_calibrated():
    """Nine images and two more; without a calibration four ends besides."""
    alone, calibrated = ToyPotential(), ToyPotential()
    judged(candidate("lead_titanate"), Tools(potential=alone))
    judged(candidate("lead_titanate"), Tools(potential=calibrated, polar_difference=ToyPolarDifference()))
    assert alone.batches == [2, 4, 9, 2]
    assert calibrated.batches == [2, 9, 2]
