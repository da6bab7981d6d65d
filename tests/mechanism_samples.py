"""A candidate with a resistive-switching verdict as the screen leaves it, in JSON."""

from __future__ import annotations

from typing import Any

from hysteron.core.candidate import Candidate, PropertyValue, Verdict
from screening_toys import candidate


def details(**more: Any) -> dict[str, Any]:
    """Of rutile titania's verdict, shortened."""
    hop = {"length_angstrom": 2.58, "kind": "symmetric saddle", "note": ""}
    return {
        "mechanism": "VCM",
        "mechanisms": [
            {
                "mechanism": "VCM",
                "status": "passed",
                "score": 0.69,
                "reason": "Band gap 1.67 eV.",
                "flagged": True,
            },
            {
                "mechanism": "ECM",
                "status": "failed",
                "score": 0.0,
                "reason": "Ag is eaten.",
                "flagged": False,
            },
            {
                "mechanism": "MIT",
                "status": "not judged",
                "score": None,
                "reason": "Unfamiliar.",
                "flagged": False,
            },
        ],
        "vacancies": {
            "O": {
                "element": "O",
                "energy_at_reference": 3.94,
                "energy_rich": 3.94,
                "energy_poor": -0.3,
                "sites": [{"label": "V_O(4f)", "energy": 3.94, "converged": True}],
                "notes": ["The host is small."],
            }
        },
        "migration": {
            "O": {
                "ion": "V_O",
                "barrier": 0.83,
                "percolation": {"1D": 0.83, "2D": 0.83, "3D": None},
                "hops": [
                    {**hop, "name": "O1-O1 2.58", "height": 1.04},
                    {**hop, "name": "O1-O1 2.80", "height": 0.83, "kind": "NEB"},
                    {**hop, "name": "O1-O1 3.40", "height": None, "kind": "not computed", "note": "Blocked."},
                ],
                "notes": [],
            }
        },
        "retention": {"sentence": "one hop waits long", "barrier_for_ten_years": [1.45, 1.53, 1.6]},
        "windows": {"migration_barrier": [0.3, 1.2]},
        **more,
    }


def switching_candidate(**more: Any) -> Candidate:
    """Rutile titania after the screen; `more` replaces parts of the verdict's details."""
    verdict = Verdict("resistive-switching", True, 0.69, 0.83, 0.3, "VCM: as told.", details(**more))
    barrier = PropertyValue("migration_barrier", 0.83, "eV", "toy, NEB, V_O", 0.2)
    return candidate("titania_rutile").with_property(barrier).with_verdict(verdict)
