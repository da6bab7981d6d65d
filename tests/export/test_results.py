"""Which runs of a candidate are taken, each by itself; and a genuine export, read whole."""

from __future__ import annotations

import dataclasses
import shutil

import genuine_outputs
import numpy as np
import pytest
from hysteron.benchmarks import ingest_samples as samples
from hysteron.benchmarks.ingest_vasp import vasprun
from hysteron.export.asked import asked_of
from hysteron.export.calculation import PRISTINE, RELAXATION, STATIC, VACANCY
from hysteron.export.results import read_results


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    samples.write_export(folder, formats=("vasp",))
    return folder


@pytest.fixture
def sound(written, tmp_path):
    shutil.copytree(written / "vasp", tmp_path / "vasp")
    return tmp_path / "vasp"


def barium(folder):
    asked, refused = asked_of(folder)
    assert not refused
    return read_results(asked[0], asked)


def test_all_sound_runs_are_taken(sound):
    results = barium(sound)
    assert {taken.asked.kind for taken in results.taken} == {RELAXATION, STATIC, PRISTINE, VACANCY}
    assert (results.refused, results.waiting, results.remarks) == ((), (), ())
    assert results.path.result.smooth
    assert results.path.result.polarization == pytest.approx(samples.known_polarization(), abs=0.02)


def test_of_a_metal_no_polarization_is_told(sound):
    run = dataclasses.replace(samples.sound_runs("vasp")[f"{samples.BARIUM}/static"].run, gap=0.0)
    (sound / samples.BARIUM / "static" / "vasprun.xml").write_text(vasprun(run))
    results = barium(sound)
    assert not results.path.result.smooth
    (refusal,) = results.refused
    assert "the crystal is a metal" in refusal.reason


def test_what_has_not_been_run_is_waited_for_and_no_failure(sound):
    (sound / samples.BARIUM / "static" / "vasprun.xml").unlink()
    shutil.rmtree(sound / samples.BARIUM / "vacancy")
    for place in (sound / samples.BARIUM / "polarization").glob("*/OUTCAR"):
        place.unlink()
    results = barium(sound)
    assert [taken.asked.kind for taken in results.taken] == [RELAXATION]
    assert results.refused == ()
    assert results.path is None
    assert len(results.waiting) == 3 + samples.IMAGES


def test_a_path_that_is_half_run_is_refused_and_says_what_is_missing(sound):
    for i in (2, 7):
        (sound / samples.BARIUM / "polarization" / f"{i:02d}" / "OUTCAR").unlink()
    results = barium(sound)
    assert results.path is None
    assert [refusal.reason.split(": ")[0] for refusal in results.refused] == [
        f"{samples.BARIUM}/polarization lacks the images 02, 07 of a path of 9"
    ]
    assert len(results.taken) == 4


def test_edited_inputs_are_told_and_stop_nothing(sound):
    (sound / samples.BARIUM / "static" / "INCAR").write_text("ENCUT = 600\n")
    (sound / samples.BARIUM / "polarization" / "03" / "INCAR").unlink()
    results = barium(sound)
    assert len(results.taken) == 4
    assert results.of(STATIC).edited == ("INCAR",)
    assert results.of(RELAXATION).edited == ()
    assert results.path.edited == ("03/INCAR",)
    told = " ".join(results.remarks)
    assert f"{samples.BARIUM}/static: not as exported any more: INCAR." in told
    assert "03/INCAR" in told


def test_a_static_run_at_the_relaxed_geometry_is_taken_and_told(sound):
    relaxed = samples.sound_runs("vasp")[f"{samples.BARIUM}/relax"].run.last
    run = samples.Run(relaxed, energy=-40.07)
    (sound / samples.BARIUM / "static" / "vasprun.xml").write_text(vasprun(run))
    results = barium(sound)
    assert results.of(STATIC).at_relaxed
    assert "relaxation ended in" in " ".join(results.remarks)
    (sound / samples.BARIUM / "relax" / "vasprun.xml").unlink()
    results = barium(sound)
    assert results.of(STATIC) is None
    assert "another geometry" in results.refused[0].reason


def test_a_branch_that_is_not_certain_is_refused_and_its_energies_stay(sound):
    place = sound / samples.BARIUM / "polarization" / "04" / "OUTCAR"
    image = samples.sound_runs("vasp")[f"{samples.BARIUM}/polarization/04"]
    jumped = samples.Sound(image.asked, image.run, image.dipole + np.array([0, 0, 0.3]))
    samples.write_run(place.parent, "vasp", jumped, np.random.default_rng(0))
    results = barium(sound)
    assert "branch is not certain" in results.refused[0].reason
    assert not results.path.result.smooth
    assert all(image.energy is not None for image in results.path.images)


def test_results_of_an_unknown_format_are_refused_by_name(sound):
    place = sound / "manifest.json"
    place.write_text(place.read_text().replace('"format": "vasp"', '"format": "vapsp"'))
    results = barium(sound)
    assert results.taken == ()
    assert all("Did you mean 'vasp'" in refusal.reason for refusal in results.refused)


# Genuine outputs


def test_a_genuine_export_is_read_whole(tmp_path):
    genuine_outputs.write_genuine_export(tmp_path)
    results = barium(tmp_path)
    assert (results.refused, results.waiting, results.remarks) == ((), (), ())
    assert {taken.asked.kind for taken in results.taken} == {RELAXATION, STATIC}
    result = results.path.result
    assert result.polarization == pytest.approx(genuine_outputs.POLARIZATION, abs=1e-3)
    assert result.vector[:2] == pytest.approx([0, 0], abs=1e-3)
    # As printed the values lie on several branches; every step of what is told is much shorter than the quantum.
    printed = np.array([image.dipole[2] for image in results.path.images])
    assert np.abs(np.diff(printed)).max() > 0.8
    assert np.abs(np.diff(result.path[:, 2])).max() < 0.2 * result.quantum[2]
    assert result.nonpolar_residual < 1e-3


def test_genuine_runs_of_another_functional_than_the_asked_one_are_refused(tmp_path):
    genuine_outputs.write_genuine_export(tmp_path, functional="PBE")
    results = barium(tmp_path)
    assert (results.taken, results.path) == ((), None)
    assert len(results.refused) == 2 + genuine_outputs.IMAGES
    assert all("was run with LDA, exported was PBE" in refusal.reason for refusal in results.refused)
