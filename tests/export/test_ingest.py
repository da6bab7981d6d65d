"""What finished runs add to a candidate."""

from __future__ import annotations

import dataclasses

import genuine_outputs
import materials
import numpy as np
import orjson
import pytest
from hysteron.benchmarks import ingest_samples as samples
from hysteron.core.candidate import Candidate, Step
from hysteron.core.errors import InputError
from hysteron.export.asked import asked_of
from hysteron.export.calculation import RELAXATION, STATIC
from hysteron.export.ingest import with_results
from hysteron.export.results import read_results
from pymatgen.core import Lattice, Structure


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    samples.write_export(folder, formats=("vasp",))
    asked, _ = asked_of(folder)
    return read_results(asked[0], asked)


@pytest.fixture
def barium() -> Candidate:
    return Candidate(
        samples.BARIUM, samples.tetragonal(), (), (Step("retrieve", "catalog", "1"),), spacegroup_number=99
    )


def without_times(candidate: Candidate) -> dict:
    return dataclasses.replace(
        candidate, provenance=tuple(dataclasses.replace(step, time="") for step in candidate.provenance)
    ).to_record()


def test_every_number_comes_with_method_and_source(barium, results):
    richer, remarks = with_results(barium, [results])
    nsites = len(barium.structure)
    expected = {
        ("energy_per_atom", "DFT/PBE/VASP 6.3"): samples.RELAXED_EV / nsites,
        ("band_gap", "DFT/PBE/VASP 6.3"): samples.GAP_EV,
        ("polarization", "DFT/PBE/VASP 6.3/Berry phase"): samples.known_polarization(),
        ("polar_nonpolar_energy_difference", "DFT/PBE/VASP 6.3/linear path"): -1000
        * samples.DEPTH_EV
        / nsites,
        ("switching_barrier", "DFT/PBE/VASP 6.3/linear path"): samples.DEPTH_EV,
        ("switching_barrier_per_atom", "DFT/PBE/VASP 6.3/linear path"): 1000 * samples.DEPTH_EV / nsites,
    }
    found = {(p.name, p.method): p for p in richer.properties if p.name != "polarization_vector"}
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key].value == pytest.approx(value, abs=1e-3), key
        assert found[key].uncertainty is None
        assert "VASP 6.3.2" in found[key].source
        assert "sha256" in found[key].source
    assert (
        "at the relaxed geometry; cutoff 520 eV; 4x4x4 k-points"
        in found["energy_per_atom", "DFT/PBE/VASP 6.3"].source
    )
    assert "at the exported geometry" in found["band_gap", "DFT/PBE/VASP 6.3"].source
    assert (
        Candidate.from_record(orjson.loads(orjson.dumps(richer.to_record()))).to_record()
        == richer.to_record()
    )
    assert len(remarks) == 1


def test_no_vacancy_formation_energy_is_made_up(barium, results):
    richer, remarks = with_results(barium, [results])
    assert richer.get("vacancy_formation_energy") is None
    assert (
        "no vacancy formation energy is told: it needs the energy of O in its reference phase" in remarks[0]
    )
    step = next(step for step in richer.provenance if step.name == "vacancy")
    assert step.details["energy_minus_pristine_ev"] == pytest.approx(9.5)
    assert step.details["missing"]["element"] == "O"
    assert "reference phase" in step.details["why_no_formation_energy"]


def test_each_run_is_a_step_that_holds_a_whole_frame(barium, results):
    richer, _ = with_results(barium, [results])
    steps = {step.name: step for step in richer.provenance if step.stage == "ingest"}
    assert list(steps) == ["relaxation", "static", "pristine", "vacancy", "berry_phase"]
    details = steps["static"].details
    assert steps["static"].version == "VASP 6.3.2"
    assert list(details["files"]) == [f"{samples.BARIUM}/static/vasprun.xml"]
    assert len(next(iter(details["files"].values()))) == 64
    assert details["energy_ev"] == samples.ENERGY_EV
    assert np.array(details["forces_ev_per_a"]).shape == (5, 3)
    assert np.array(details["stress_ev_per_a3"])[2, 2] == pytest.approx(-0.02)
    assert details["structure"]["species"] == ["Ba", "Ti", "O", "O", "O"]
    path = steps["berry_phase"].details
    assert len(path["path"]) == len(path["energies_ev"]) == len(path["files"]) == samples.IMAGES


def test_the_same_results_twice_change_nothing(barium, results):
    once, _ = with_results(barium, [results])
    twice, _ = with_results(once, [results])
    assert twice.to_record() == once.to_record()
    later, _ = with_results(barium, [results])
    assert without_times(later) == without_times(once)


def test_other_results_replace_the_same_method_and_leave_both_steps(barium, results):
    once, _ = with_results(barium, [results])
    relaxed = results.of(RELAXATION)
    lower = dataclasses.replace(relaxed, run=dataclasses.replace(relaxed.run, energy=-41.0))
    changed = dataclasses.replace(results, taken=(lower, *results.taken[1:]))
    again, _ = with_results(once, [changed])
    assert [p.value for p in again.all_of("energy_per_atom")] == [pytest.approx(-8.2)]
    assert again.value("band_gap") == samples.GAP_EV
    assert [step.name for step in again.provenance].count("relaxation") == 2
    assert all(step.time for step in again.provenance if step.stage == "ingest")


def test_values_of_another_code_or_an_estimate_stay_beside(barium, results):
    from hysteron.core.candidate import PropertyValue

    known = barium.with_property(
        PropertyValue("polarization", 26.0, "uC/cm^2", "effective charges (ridge 2026)"),
        PropertyValue("energy_per_atom", -7.9, "eV/atom", "CHGNet 0.3.0"),
        PropertyValue("band_gap", 1.9, "eV", "PBE"),
        PropertyValue("band_gap", 3.3, "eV", "experiment"),
        PropertyValue("switching_barrier", 0.1, "eV/f.u.", "NEB, CHGNet"),
    )
    richer, _ = with_results(known, [results])
    assert richer.get("polarization").method == "DFT/PBE/VASP 6.3/Berry phase"
    assert richer.value("polarization", method="effective_charges") == 26.0
    assert richer.get("energy_per_atom").method == "DFT/PBE/VASP 6.3"
    assert richer.value("energy_per_atom", method="CHGNet 0.3.0") == -7.9
    assert [p.method for p in richer.all_of("band_gap")] == ["experiment", "DFT/PBE/VASP 6.3", "PBE"]
    assert richer.get("switching_barrier").method == "DFT/PBE/VASP 6.3/linear path"


# The geometry


def test_the_relaxed_geometry_becomes_the_present_one_in_the_candidates_order(barium, results):
    order = [4, 2, 1, 0, 3]
    shuffled = barium.with_structure(Structure.from_sites([barium.structure[i] for i in order]), 99)
    richer, _ = with_results(shuffled, [results])
    assert richer.candidate_id == barium.candidate_id
    assert [s.specie.symbol for s in richer.structure] == [barium.structure[i].specie.symbol for i in order]
    relaxed = results.of(RELAXATION).run.last
    assert richer.structure.lattice.matrix == pytest.approx(relaxed.lattice)
    assert richer.structure.frac_coords == pytest.approx(relaxed.positions[order])
    assert richer.spacegroup_number in (99, 123)


def test_a_crystal_that_has_moved_on_keeps_its_geometry_and_is_told(barium, results):
    other = barium.with_structure(barium.structure * (1, 1, 2), 99)
    richer, remarks = with_results(other, [dataclasses.replace(results, path=None)])
    assert richer.structure == other.structure
    assert "keeps its geometry" in remarks[0]
    assert richer.get("energy_per_atom") is not None


def test_a_relaxation_that_is_known_does_not_take_the_geometry_back(barium, results):
    once, _ = with_results(barium, [results])
    later = once.with_structure(once.structure.copy().apply_strain(0.01), 99)
    again, _ = with_results(later, [results])
    assert again.structure == later.structure


def test_the_geometry_follows_what_was_read_last(barium, results):
    """A, B, A, and A and B together."""
    relaxed = results.of(RELAXATION)
    wider = dataclasses.replace(relaxed.run.last, lattice=relaxed.run.last.lattice * 1.01)
    other = dataclasses.replace(relaxed, run=dataclasses.replace(relaxed.run, last=wider, energy=-41.0))
    changed = dataclasses.replace(results, taken=(other, *results.taken[1:]))
    first, _ = with_results(barium, [results])
    second, _ = with_results(first, [changed])
    third, _ = with_results(second, [results])
    assert second.structure.volume == pytest.approx(1.01**3 * first.structure.volume)
    assert third.structure.volume == pytest.approx(first.structure.volume)
    assert third.value("energy_per_atom") == first.value("energy_per_atom")
    repeats = [step.details.get("repeat") for step in third.provenance if step.name == "relaxation"]
    assert repeats == [None, None, 2]
    assert with_results(third, [results])[0].to_record() == third.to_record()
    fourth, _ = with_results(third, [changed])
    assert fourth.structure.volume == pytest.approx(second.structure.volume)
    together, _ = with_results(barium, [results, changed])
    assert together.structure.volume == pytest.approx(second.structure.volume)
    assert with_results(together, [results, changed])[0].to_record() == together.to_record()


def test_without_a_relaxation_the_energy_is_that_of_the_static_run(barium, results):
    alone = dataclasses.replace(results, taken=(results.of(STATIC),), path=None)
    richer, _ = with_results(barium, [alone])
    assert richer.value("energy_per_atom") == pytest.approx(samples.ENERGY_EV / 5)
    assert "at the exported geometry" in richer.get("energy_per_atom").source
    assert richer.structure is barium.structure


def test_a_static_run_at_the_relaxed_geometry_gives_the_energy(barium, results):
    static = results.of(STATIC)
    there = dataclasses.replace(static, at_relaxed=True, run=dataclasses.replace(static.run, energy=-40.2))
    both = dataclasses.replace(results, taken=(results.of(RELAXATION), there), path=None)
    richer, _ = with_results(barium, [both])
    assert richer.value("energy_per_atom") == pytest.approx(-8.04)
    assert "at the relaxed geometry" in richer.get("band_gap").source


# What does not fit


def test_runs_of_another_formula_or_setting_are_refused(barium, results):
    with pytest.raises(InputError, match="belongs to another store, or was changed"):
        with_results(dataclasses.replace(barium, structure=materials.strontium_titanate()), [results])
    turned = barium.structure.lattice.matrix[:, [2, 0, 1]]
    other = Structure(Lattice(turned), barium.structure.species, barium.structure.frac_coords)
    with pytest.raises(InputError, match="another setting"):
        with_results(barium.with_structure(other), [dataclasses.replace(results, taken=())])


def test_an_uncertain_branch_gives_no_polarization_but_energies(barium, results):
    doubtful = dataclasses.replace(results.path.result, doubts=("It looks odd.",))
    path = dataclasses.replace(results.path, result=doubtful)
    richer, _ = with_results(barium, [dataclasses.replace(results, path=path)])
    assert richer.get("polarization") is None
    assert richer.get("switching_barrier") is not None
    assert richer.provenance[-1].details["branch"] == "branch not certain"


@pytest.mark.parametrize(
    ("change", "says"),
    [({"energy": None}, "self-consistent energy"), ({"settings": {"cutoff_ev": 400.0}}, "different cutoffs")],
)
def test_energies_that_cannot_be_compared_are_not(change, says, barium, results):
    images = list(results.path.images)
    images[3] = dataclasses.replace(images[3], **change)
    path = dataclasses.replace(results.path, images=tuple(images))
    richer, remarks = with_results(barium, [dataclasses.replace(results, path=path)])
    assert richer.get("switching_barrier") is None
    assert richer.get("polarization") is not None
    assert says in remarks[0]


def test_genuine_outputs_become_properties(tmp_path):
    genuine_outputs.write_genuine_export(tmp_path)
    asked, _ = asked_of(tmp_path)
    richer, remarks = with_results(genuine_outputs.lead_titanate(), [read_results(asked[0], asked)])
    assert remarks == []
    best = richer.get("polarization")
    assert (best.method, best.value) == (
        "DFT/LDA/pw.x 6.7/Berry phase",
        pytest.approx(genuine_outputs.POLARIZATION, abs=1e-3),
    )
    assert richer.value("polarization", method="effective charges") == 80.0
    assert richer.value("polar_nonpolar_energy_difference") == pytest.approx(-54.857, abs=0.001)
    assert richer.value("switching_barrier") == pytest.approx(0.27428, abs=1e-5)
    assert richer.value("band_gap") == pytest.approx(2.3811)
    assert richer.spacegroup_number == 99
    assert np.diag(richer.structure.lattice.matrix) == pytest.approx([3.812659, 3.812659, 4.015131])
