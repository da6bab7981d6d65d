"""What does the report show of the way a candidate would switch? Plain values for the template."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from ..core.candidate import Candidate
from .crystal import spacegroup_number
from .report_profile import profile
from .report_scenes import Scene
from .report_switching import FoundParent, Switching, SwitchingPath, switching
from .report_words import count, number, spacegroup


def picture(candidate: Candidate, drawn: Scene, rank: int) -> dict[str, Any]:
    """The `switching` of a candidate's card: `None` if the ferroelectric screen has told nothing that can be shown."""
    told = switching(candidate)
    if told is None or not (told.path or told.parents or drawn.moves or told.mechanism):
        return {"switching": None, "arrows": False}
    return {
        "arrows": drawn.moves is not None,
        "switching": {
            "profile": _profile(candidate, told, rank),
            "path": _path_words(told.path) if told.path else "",
            "ends": _ends_words(told),
            "arrows": _arrow_words(drawn),
            "parents": [_parent(parent) for parent in told.parents],
            "mechanism": _mechanism_words(told),
        },
    }


def _profile(candidate: Candidate, told: Switching, rank: int) -> Markup | None:
    if told.path is None:
        return None
    relaxed = told.polar_end.spacegroup_number if told.polar_end else None
    end = relaxed or spacegroup_number(candidate)
    start = end if told.path.reversed else told.parent_number
    return profile(told.path, start, end, f"path-{rank}")


def _path_words(path: SwitchingPath) -> str:
    """Kind, images, where it is highest, and the ends' difference, which is not the barrier."""
    beginning = "the reversed state (−P)" if path.reversed else "the nonpolar parent"
    kind = path.kind_in_words[:1].upper() + path.kind_in_words[1:]
    text = f"{kind}: {count(len(path.energies), 'image')} from {beginning}, highest at {path.fractions[path.highest]:.2f}."
    if path.difference is not None:
        other = "reversed" if path.reversed else "nonpolar"
        text += f" Polar minus {other} end {number(path.difference, 1)} meV/atom."
    return f"{text} {path.note}".strip()


def _ends_words(told: Switching) -> str:
    """How the ends were relaxed, and what went wrong in it."""
    parts = [f"{told.ends_method[:1].upper()}{told.ends_method[1:]}."] if told.ends_method else []
    for name, end in (("polar", told.polar_end), ("parent", told.parent_end)):
        if end is not None and end.collapsed:
            parts.append(f"The {name} end collapsed to another symmetry when it was relaxed.")
        if end is not None and end.converged is False:
            parts.append(f"The {name} end did not converge.")
    return " ".join(parts)


def _arrow_words(drawn: Scene) -> str:
    if drawn.moves is None:
        return ""
    most = int(np.argmax(drawn.moves.lengths))
    element = drawn.elements[drawn.kinds[most]]
    length = number(float(drawn.moves.lengths[most]))
    return (
        f"Arrows on the crystal: {drawn.moves.caption}; they begin at the surface of each ball. "
        f"Largest displacement {length} Å ({element})."
    )


def _parent(parent: FoundParent) -> dict[str, Any]:
    return {
        "group": spacegroup(parent.spacegroup_number),
        "number": parent.spacegroup_number,
        "distortion": "" if parent.distortion_max is None else number(parent.distortion_max, 3),
        "strain": "" if parent.strain is None else number(100 * parent.strain, 2),
        "energy": "" if parent.energy_above_polar is None else number(parent.energy_above_polar, 1),
        "found_by": ", ".join(parent.found_by),
    }


def _mechanism_words(told: Switching) -> str:
    mechanism = told.mechanism
    if mechanism is None:
        return ""
    words = [mechanism.kind.replace("_", " ").capitalize()] if mechanism.kind else []
    if mechanism.assessable is False:
        words.append("not assessable by this method")
    if mechanism.reason:
        words.append(mechanism.reason)
    return f"{': '.join(words).rstrip('.')}."
