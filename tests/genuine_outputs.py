"""Outputs of a real run: PbTiO3 from the cubic parent to P4mm, by Debian's pw.x 6.7 and its LDA pseudopotentials.

The inputs were written by the exporter at 25 Ry, k-points 0.55/A apart, 8 images, and run as they were (2026-12-01, some
ten minutes of one core). Lists of k-points, iterations and timings were cut out of the texts, and the folder of the
pseudopotentials is written as `./pseudo`. A test fixture and nothing else.
"""

from __future__ import annotations

import dataclasses
import gzip
from pathlib import Path

import materials
import numpy as np
import orjson
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.polar_path import polar_path
from hysteron.export.calculation import BERRY_PHASE, RELAXATION, STATIC, Calculation
from pymatgen.core import Structure

FILE = Path(__file__).parent / "export" / "lead_titanate_pw.json.gz"
IMAGES = 8
POLARIZATION = 90.746
"""uC/cm^2, of these runs."""


def lead_titanate() -> Candidate:
    """P4mm with the cubic parent (a = 3.97 A, measured above the transition)."""
    reference = {"reference": {"structure": cubic_lead_titanate().as_dict()}}
    return Candidate(
        "TiPbO3-99-0000000000",
        materials.lead_titanate(),
        (PropertyValue("polarization", 80.0, "uC/cm^2", "effective charges (made up for this test)"),),
        (Step("retrieve", "fixture", "1"),),
        (Verdict("ferroelectric", True, 0.8, 80.0, 5.0, "Polar.", reference),),
        spacegroup_number=99,
    )


def cubic_lead_titanate() -> Structure:
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(np.eye(3) * 3.97, ["Pb", "Ti", "O", "O", "O"], places)


def calculations(functional: str = "LDA") -> list[Calculation]:
    """What was asked for."""
    polar, name = materials.lead_titanate(), lead_titanate().candidate_id
    path = polar_path(cubic_lead_titanate(), polar, IMAGES)
    return [
        Calculation.of(polar, RELAXATION, f"{name}/relax", functional),
        Calculation.of(polar, STATIC, f"{name}/static", functional),
        *(
            Calculation.of(image, BERRY_PHASE, f"{name}/polarization/{i:02d}", functional, image=i)
            for i, image in enumerate(path)
        ),
    ]


def texts() -> dict[str, str]:
    """By the path from the candidate's folder."""
    return orjson.loads(gzip.decompress(FILE.read_bytes()))


def write_genuine_export(root: Path, functional: str = "LDA") -> None:
    """The outputs with a manifest that asks for them."""
    name = lead_titanate().candidate_id
    for path, text in texts().items():
        (root / name / path).parent.mkdir(parents=True, exist_ok=True)
        (root / name / path).write_text(text)
    listed = [dataclasses.asdict(one) for one in calculations(functional)]
    entry = {"id": name, "formula": "TiPbO3", "folder": name, "files": [], "calculations": listed}
    record = {"manifest_version": 2, "format": "espresso", "candidates": [entry]}
    (root / "manifest.json").write_bytes(orjson.dumps(record))
