"""Does a candidate fit an application, and what limits it there?

It fits if a class that its verdicts allow serves there and every requirement that a crystal can answer is met. What limits it is
the requirement that fails or is unknown; if there is none, the tightest one, be it the crystal's or the assumed device's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.candidate import Candidate
from .assumed_accuracy import Accuracies, Accuracy
from .assumed_device import judge_device
from .classes import Allowed, DeviceClass
from .material import judge_material
from .profiles import Profile
from .requirement import WORST_MARGIN, Requirement, most_limiting
from .words import FROM_CRYSTAL

CLASS = "mechanism"
"""Name of the requirement that a class be allowed."""


@dataclass(frozen=True)
class Fit:
    """A candidate against one profile.

    Attributes:
        name: Of the profile.
        title: Likewise.
        mechanism: The assumed class; `None` if none that its verdicts allow serves there.
        fits: Whether every required requirement on the material is met.
        undecided: It does not fit only because something is not known.
        limiting: Of all requirements the most limiting one.
        margin: Least margin of the required requirements on the material; `None` where one is missing.
        requirements: Those on the material, then the assumed device's.
        accuracy: Of the profile's workloads, for an assumed device of the class.
    """

    name: str
    title: str
    mechanism: str | None
    fits: bool
    undecided: bool
    limiting: Requirement
    margin: float | None
    requirements: tuple[Requirement, ...]
    accuracy: Mapping[str, Accuracy]

    @property
    def decisive(self) -> Requirement:
        """The most limiting of the required requirements on the material."""
        return most_limiting(_required(self.requirements)) or self.limiting

    @property
    def order(self) -> tuple[bool, bool, float]:
        """Greater is better: fits, may fit yet, least margin."""
        least = _least(_required(self.requirements))
        return self.fits, self.undecided, WORST_MARGIN if least is None else least

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "assumed_class": self.mechanism,
            "fits": self.fits,
            "undecided": self.undecided,
            "limiting": self.limiting.record(),
            "margin": None if self.margin is None else round(self.margin, 4),
            "requirements": [one.record(one.kind == "material") for one in self.requirements],
            "accuracy": {name: one.record() for name, one in self.accuracy.items()},
        }


def fit_profile(
    name: str, profile: Profile, candidate: Candidate, allowed: Allowed, accuracies: Accuracies
) -> Fit:
    """A candidate against a profile, with the allowed class that suits it best.

    Args:
        name: Of the profile.
        profile: What is asked.
        candidate: With properties and verdicts.
        allowed: What its verdicts leave.
        accuracies: Of assumed devices.
    """
    serving = [one for one in allowed.classes if one.mechanism in profile.classes]
    if not serving:
        return _without_class(name, profile, allowed)
    tried = [_with_class(name, profile, candidate, device, accuracies) for device in serving]
    return max(tried, key=lambda fit: fit.order)  # of equals the first, in the order of the verdict


def _with_class(
    name: str, profile: Profile, candidate: Candidate, device: DeviceClass, accuracies: Accuracies
) -> Fit:
    asked = [bound for bound in profile.material if bound.asked_of(device.mechanism)]
    material = [_class_passed(device), *(judge_material(bound, candidate, device) for bound in asked)]
    assumed = judge_device(profile, device.mechanism)
    required = _required(material)
    fits = all(one.status == "passed" for one in required)
    failed = any(one.status == "failed" for one in required)
    unknown = any(one.status == "missing" for one in required)
    told = [one for one in (*material, *assumed) if one.status != "missing"]
    limiting = most_limiting(told if fits else required)
    return Fit(
        name=name,
        title=profile.title,
        mechanism=device.mechanism,
        fits=fits,
        undecided=not fits and not failed,
        limiting=limiting or required[0],
        margin=None if unknown else _least(required),
        requirements=(*material, *assumed),
        accuracy=accuracies.of(profile.workloads, device.mechanism),
    )


def _class_passed(device: DeviceClass) -> Requirement:
    """That the class has passed its screen; as well as the screen's score says."""
    score = "" if device.score is None else f", score {device.score:.2f}"
    flag = ", with a flag" if device.flagged else ""
    sentence = f"class {device.mechanism} passed the {device.screen} screen{score}{flag}"
    return Requirement(
        CLASS, "material", FROM_CRYSTAL, "passed", sentence, device.score, flagged=device.flagged
    )


def _without_class(name: str, profile: Profile, allowed: Allowed) -> Fit:
    open_yet = [one for one in allowed.unjudged if one in profile.classes]
    has = ", ".join(one.mechanism for one in allowed.classes)
    if open_yet:
        sentence = f"no class that serves here has passed; {', '.join(open_yet)} could not be judged"
    elif has:
        sentence = (
            f"a device of class {has} does not serve here: {profile.not_for or 'not among its classes'}"
        )
    else:
        sentence = f"none of the classes that serve here has passed: {', '.join(profile.classes)}"
    limiting = Requirement(CLASS, "material", FROM_CRYSTAL, "missing" if open_yet else "failed", sentence)
    return Fit(name, profile.title, None, False, bool(open_yet), limiting, None, (limiting,), {})


def _required(requirements: Sequence[Requirement]) -> list[Requirement]:
    return [one for one in requirements if one.kind == "material" and one.required]


def _least(requirements: Sequence[Requirement]) -> float | None:
    return min((one.margin for one in requirements if one.margin is not None), default=None)


def best_first(fits: Sequence[Fit]) -> list[Fit]:
    """Those that fit first, then those that may yet; of equals in the order of the profiles."""
    return sorted(fits, key=lambda fit: fit.order, reverse=True)  # stable: reverse keeps the order of equals
