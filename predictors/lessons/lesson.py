"""What do all DFT values of a store teach, and what becomes of a candidate's estimates then?

A lesson is JSON: the pairs it was learned from, what was left out and why, and for every property, method and DFT the
errors by class, the calibration, and the correction. Its version is the hash of that, so equal pairs make the same
lesson. It is never changed; a later one stands beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ...core.candidate import Candidate, PropertyValue, Step
from ...core.chemistry_families import chemistry_family
from ...core.errors import InputError
from ...core.learnt import bare, is_estimate
from ...core.properties import describe, method_rank
from .calibration import calibration
from .correction import LEAST_PAIRS, Correction, learn_correction
from .pairs import AS_EXPORTED, LeftOut, Pair, pairs_of, with_kept
from .residuals import by_class, figures

FORMAT = "hysteron-lesson-1"
STEP = "lesson"
"""Name of the step that a corrected candidate has."""


@dataclass(frozen=True)
class Lesson:
    """A lesson as a run uses it.

    Attributes:
        version: Hash of its content.
        content: The JSON.
        corrections: Those that do something; of one method the best DFT's last.
    """

    version: str
    content: dict[str, Any]
    corrections: tuple[Correction, ...]

    def corrected(self, candidate: Candidate) -> list[PropertyValue]:
        """The corrected values of a candidate's estimates."""
        family = chemistry_family(candidate.structure.composition)
        found = []
        for correction in self.corrections:
            for value in candidate.properties:
                if (value.name, value.method) == (correction.name, correction.method) and is_estimate(value):
                    new = correction.corrected(value, family, self.version)
                    found += [new] if new else []
        return found

    def seen(self, candidate: Candidate) -> Candidate:
        """The candidate as this lesson shows it: its corrected values, and no other lesson's."""
        return bare(candidate).with_property(*self.corrected(candidate))

    def step(self, values: Sequence[PropertyValue]) -> Step:
        """What the provenance says of corrected values."""
        details = {
            "properties": [[value.name, value.method] for value in values],
            "learned_from": self.content["learned_from"],
        }
        return Step("predict", STEP, self.version, details=details)


def lesson_of(version: str, content: dict[str, Any]) -> Lesson:
    """A stored lesson.

    Raises:
        InputError: it is of another format than this program reads.
    """
    if content.get("format") != FORMAT:
        raise InputError(
            f"The lesson {version} has the format {content.get('format')!r}; this program reads {FORMAT!r}. Run 'hysteron learn'."
        )
    made = [Correction.from_record(group["correction"]) for group in content["groups"]]
    # Of several DFT methods the best one's correction is added last, and so counts.
    made.sort(key=lambda c: (c.name, c.method, -method_rank(c.name, c.teacher), c.teacher))
    return Lesson(version, content, tuple(c for c in made if c.does_something))


def learn(
    candidates: Iterable[Candidate], kept: Sequence[Pair] = (), least: int = LEAST_PAIRS
) -> dict[str, Any]:
    """The content of a lesson.

    Args:
        candidates: Those that DFT has answered, in any order.
        kept: Pairs of the lesson before.
        least: Pairs below which nothing is corrected.
    """
    pairs: list[Pair] = []
    left_out: list[LeftOut] = []
    for candidate in candidates:
        found, refused = pairs_of(candidate)
        pairs += found
        left_out += refused
    return taught_by(with_kept(pairs, kept), left_out, least)


def taught_by(
    pairs: Sequence[Pair], left_out: Sequence[LeftOut] = (), least: int = LEAST_PAIRS
) -> dict[str, Any]:
    """The content of a lesson that these pairs teach."""
    groups: dict[tuple[str, str, str], list[Pair]] = defaultdict(list)
    for pair in pairs:
        groups[pair.group].append(pair)
    known = {(p.candidate_id, p.name, p.method) for p in pairs}
    refused = sorted(
        (asdict(one) for one in left_out if (one.candidate_id, one.name, one.method) not in known),
        key=lambda row: (row["candidate_id"], row["name"], row["method"]),
    )
    return {
        "format": FORMAT,
        "least": least,
        "learned_from": {
            "candidates": len({p.candidate_id for p in pairs}),
            "dft_values": len({(p.candidate_id, p.name, p.teacher) for p in pairs}),
            "dft": sorted({p.teacher for p in pairs}),
        },
        "groups": [_group(groups[key], least) for key in sorted(groups)],
        "pairs": [pair.to_record() for pair in pairs],
        "left_out": refused,
    }


def kept_pairs(content: dict[str, Any] | None) -> list[Pair]:
    """The pairs of a stored lesson; none of one that another program wrote."""
    if content is None or content.get("format") != FORMAT:
        return []
    return [Pair.from_record(record) for record in content["pairs"]]


def _group(pairs: Sequence[Pair], least: int) -> dict[str, Any]:
    """Everything that is said of one property, method and DFT."""
    name, method, teacher = pairs[0].group
    asked = [p for p in pairs if p.geometry == AS_EXPORTED]
    elsewhere = [p for p in pairs if p.geometry != AS_EXPORTED]
    return {
        "name": name,
        "units": describe(name).units,
        "method": method,
        "teacher": teacher,
        "overall": figures(asked),
        "by_class": by_class(asked),
        "at_dft_geometry": figures(elsewhere) if elsewhere else None,
        "calibration": calibration(asked),
        "correction": learn_correction(pairs, least).to_record(),
    }
