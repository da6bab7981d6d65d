"""Verdicts follow what DFT has found, by the windows of the run that judged last, and nothing of the old ones is lost."""

from __future__ import annotations

import dataclasses

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.contracts import Tools
from hysteron.flows.judging import DEFAULTS, Judges
from hysteron.screening.ferroelectric.screen import Ferroelectric
from hysteron.screening.ferroelectric.verdict import FerroelectricConfig
from hysteron.store.store import CandidateStore

SETTINGS = {"path": "none", "required": ["polar", "nonpolar_parent", "insulator", "polarization"]}
"""Without a path, which would need a potential."""


def gap(value: float, method: str) -> PropertyValue:
    return PropertyValue("band_gap", value, "eV", method)


@pytest.fixture
def store(tmp_path):
    with CandidateStore.open(str(tmp_path / "store.db")) as opened:
        yield opened


@pytest.fixture
def barium() -> Candidate:
    """As a run leaves it: measured, judged, passed."""
    screen = Ferroelectric(FerroelectricConfig(**SETTINGS))
    start = Candidate("BaTiO3-99-0123456789", materials.barium_titanate_tetragonal(), (gap(1.8, "PBE"),))
    (measured,) = screen.measure([start], Tools())
    judged = measured.with_verdict(screen.judge(measured))
    assert judged.verdict("ferroelectric").passed
    return judged


def run(store, name: str, candidate: Candidate, settings: dict, stage: str = "screen") -> None:
    config = {"screen": [{"name": "ferroelectric", "settings": settings}]}
    store.create_run(name, 0, config, {}, None)
    store.upsert([candidate], name, stage=stage)


def test_a_gap_by_dft_turns_a_verdict_by_the_runs_windows(store, barium):
    run(store, "run-a", barium, SETTINGS)
    richer = store.get(barium.candidate_id).with_property(gap(0.2, "DFT/PBE/VASP 6.4"))
    judged, (change,), remarks = Judges(store).judge_again(richer)
    assert (change.before.passed, change.after.passed, change.turned) == (True, False, True)
    assert change.windows == "windows of run run-a"
    assert "and gap 0.20 eV (DFT/PBE/VASP 6.4) lies outside" in change.after.reason
    assert judged.verdict("ferroelectric") == change.after
    assert not remarks


def test_the_old_verdict_stays_in_the_provenance_and_nothing_changes_twice(store, barium):
    run(store, "run-a", barium, SETTINGS)
    richer = store.get(barium.candidate_id).with_property(gap(0.2, "DFT/PBE/VASP 6.4"))
    judged, _, _ = Judges(store).judge_again(richer)
    store.upsert([judged])
    stored = store.get(barium.candidate_id)
    step = stored.provenance[-1]
    assert (step.stage, step.name) == ("screen", "judged again")
    (before,) = step.details["verdicts_before"]
    assert Verdict(**before) == store_form(barium.verdict("ferroelectric"))
    again, changes, _ = Judges(store).judge_again(stored)
    assert (again, changes) == (stored, [])


def store_form(verdict: Verdict) -> Verdict:
    """As it comes back from JSON."""
    import orjson

    return Verdict(**orjson.loads(orjson.dumps(dataclasses.asdict(verdict))))


def test_the_newest_run_that_judged_it_counts(store, barium):
    run(store, "run-a", barium, SETTINGS)
    run(store, "run-b", barium, SETTINGS | {"gap_windows": {"pbe": {"low": 0.1}}})
    run(store, "run-c", barium, SETTINGS | {"gap_windows": {"pbe": {"low": 9.0}}}, stage="generate")
    richer = store.get(barium.candidate_id).with_property(gap(0.2, "DFT/PBE/VASP 6.4"))
    judged, (change,), _ = Judges(store).judge_again(richer)
    assert judged.verdict("ferroelectric").passed
    assert (change.turned, change.windows) == (False, "windows of run run-b")
    (clause,) = change.news
    assert clause.startswith("band gap 0.20 eV (DFT/PBE/VASP 6.4) lies in")


def test_without_a_run_the_defaults_hold(store, barium):
    store.upsert([barium])
    _, (change,), _ = Judges(store).judge_again(store.get(barium.candidate_id))
    assert change.windows == DEFAULTS  # they require a path, which was not followed
    assert not change.after.passed


def test_a_verdict_without_a_measurement_stands(store, barium):
    bare = dataclasses.replace(barium, provenance=(Step("retrieve", "file", "1"),))
    store.upsert([bare])
    again, changes, _ = Judges(store).judge_again(bare.with_property(gap(0.2, "DFT/PBE/VASP 6.4")))
    assert again.verdicts == bare.verdicts
    assert not changes


def test_windows_that_cannot_be_read_leave_the_verdict_and_are_told(store, barium):
    run(store, "run-a", barium, {"no_such_window": 1})
    judged, changes, remarks = Judges(store).judge_again(store.get(barium.candidate_id))
    assert judged.verdicts == store.get(barium.candidate_id).verdicts
    assert not changes
    assert "stands as it was" in remarks[0]
    assert "no_such_window" in remarks[0]


@pytest.mark.parametrize("method", ["DFT/LDA/pw.x 6.7", "DFT/PBEsol/pw.x 6.7", "DFT/PBE+U/VASP 6.4"])
def test_semilocal_gaps_share_a_window(store, barium, method):
    run(store, "run-a", barium, SETTINGS)
    bare = dataclasses.replace(store.get(barium.candidate_id), properties=barium.properties[1:])
    judged, _, _ = Judges(store).judge_again(bare.with_property(gap(0.2, method)))
    assert not judged.verdict("ferroelectric").passed
    assert method in judged.verdict("ferroelectric").reason
