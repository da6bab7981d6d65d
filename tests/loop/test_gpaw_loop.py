"""A candidate of a shortlist goes through GPAW: exported scripts are run as they are, and what they give is ingested.

`shortlisted.jsonl` holds wurtzite LiCl as `hysteron discover` left it: proposed by ion exchange from LiBr, relaxed, predicted,
screened, and seventh of the shortlist that the README shows. Four atoms, some five minutes of one core.
"""

from __future__ import annotations

from pathlib import Path

import gpaw_engine
import pytest
from hysteron.core.candidate import Candidate
from orjson import loads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

SETTINGS = {"cutoff_ev": 400, "kpoint_spacing": 0.5, "path_images": 8, "string_points": 4}
"""Coarse; docs/dft.md has finer ones beside."""


def shortlisted() -> Candidate:
    return Candidate.from_record(loads((Path(__file__).parent / "shortlisted.jsonl").read_bytes()))


def test_export_gpaw_ingest(close_the_loop):
    if gpaw_engine.python_with_gpaw() is None:
        pytest.skip("no GPAW: apt-get install gpaw gpaw-data, or HYSTERON_GPAW_PYTHON")
    candidate = shortlisted()
    assert [step.stage for step in candidate.provenance][:3] == ["generate", "relax", "predict"]
    loop = close_the_loop(candidate, "gpaw", SETTINGS, gpaw_engine.run_all)
    after, method = loop.after, loop.after.get("energy_per_atom").method
    assert method.startswith("DFT/PBE/GPAW ")
    assert after.get("polarization").method == f"{method}/Berry phase"
    assert after.value("polarization") == pytest.approx(candidate.value("polarization"), rel=0.3)
    assert after.value("polar_nonpolar_energy_difference") < 0
    assert after.value("band_gap", method="dft") > 4
    assert after.structure.volume == pytest.approx(candidate.structure.volume, rel=0.05)
    assert after.spacegroup_number == 186
    assert after.verdict("ferroelectric").passed
    assert "DFT/PBE/GPAW" in after.verdict("ferroelectric").reason
    assert "ferroelectric: passed as before, on other numbers" in loop.told
    (step,) = [step for step in after.provenance if step.name == "judged again"]
    before = {verdict["screen"]: verdict for verdict in step.details["verdicts_before"]}
    assert before["ferroelectric"]["value"] == candidate.verdict("ferroelectric").value
