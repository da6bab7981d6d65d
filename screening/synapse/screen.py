"""Which synaptic application could use this crystal, and what limits it there?

Reads what other screens have left (ferroelectric, resistive-switching and supply, with the properties they measured) and computes
nothing anew, so it comes after them. A crystal passes if it fits at least one profile on the requirements that a crystal can
answer. Devices are assumed, of the class that the verdicts allow; nothing assumed enters the score.
"""

from __future__ import annotations

from collections.abc import Sequence

from ...core.candidate import Candidate, Verdict
from ...core.contracts import Tools
from ...core.settings import Settings
from .assumed_accuracy import Accuracies, shipped_accuracies
from .classes import FERROELECTRIC_SCREEN, SWITCHING_SCREEN, Allowed, allowed_classes
from .fit import Fit, best_first, fit_profile
from .material import SUPPLY_SCREEN
from .profiles import Profile, chosen_profiles
from .words import NOTICE

NAME = "synapse"
READS = (FERROELECTRIC_SCREEN, SWITCHING_SCREEN, SUPPLY_SCREEN)
"""Screens whose verdicts it reads: they come before it, at least one of the first two."""
SCORE_OF_FITTING = 0.5
"""Score of a crystal that lies on the bound of its limiting requirement; the rest, up to 1, is for how far inside it lies."""


class SynapseConfig(Settings):
    """Which applications are asked.

    Attributes:
        profiles: Names, in this order; absent: all that ship with the project, then the run's own.
        own: A run's own profiles by name, numbers in its settings; one of a shipped name takes its place.
    """

    profiles: tuple[str, ...] | None = None
    own: dict[str, Profile] = {}


class Synapse:
    """Profiles that a candidate fits; implements `Screen`."""

    name = NAME
    config_model = SynapseConfig

    def __init__(self, config: SynapseConfig | None = None, accuracies: Accuracies | None = None) -> None:
        """With settings, and with other accuracies of assumed devices than the shipped ones.

        Raises:
            InputError: the settings name a profile that there is not.
        """
        self.config = config or SynapseConfig()
        self.profiles = chosen_profiles(self.config.profiles, self.config.own)
        self.accuracies = accuracies or shipped_accuracies()

    def measure(self, candidates: Sequence[Candidate], tools: Tools) -> list[Candidate]:
        """Nothing: what is needed stands in the verdicts and properties of the screens before."""
        return list(candidates)

    def judge(self, candidate: Candidate) -> Verdict:
        """Passes if a profile fits; the reason names the best profile and what limits it."""
        allowed = allowed_classes(candidate)
        if not allowed.asked:
            return _unasked()
        fits = [
            fit_profile(name, profile, candidate, allowed, self.accuracies)
            for name, profile in self.profiles.items()
        ]
        ordered = best_first(fits)
        best = ordered[0]
        return Verdict(
            screen=NAME,
            passed=best.fits,
            score=_score(best),
            value=best.decisive.value,
            threshold=best.decisive.bound,
            reason=_reason(ordered, allowed),
            details={
                "assumed_class": best.mechanism,
                "classes": _classes(allowed),
                "not_judged": list(allowed.unjudged),
                "profiles": [fit.record() for fit in ordered],
                "notes": [note for note in (NOTICE, self.accuracies.note) if note],
            },
        )


def _unasked() -> Verdict:
    reason = (
        f"No verdict of the screens {FERROELECTRIC_SCREEN} and {SWITCHING_SCREEN}, so no mechanism class is known; ask one of "
        "them before this one."
    )
    details = {"assumed_class": None, "classes": [], "not_judged": [], "profiles": [], "notes": [NOTICE]}
    return Verdict(NAME, False, None, None, None, reason, details)


def _score(best: Fit) -> float | None:
    """From the requirements that a crystal answers alone; `None` if only something unknown stands in the way."""
    if best.fits:
        return SCORE_OF_FITTING + (1 - SCORE_OF_FITTING) * max(0.0, best.margin or 0.0)
    return None if best.undecided else 0.0


def _classes(allowed: Allowed) -> list[dict[str, object]]:
    return [{"class": one.mechanism, "screen": one.screen, "flagged": one.flagged} for one in allowed.classes]


def _reason(ordered: Sequence[Fit], allowed: Allowed) -> str:
    best = ordered[0]
    limit = f"Limiting ({best.limiting.label}): {best.limiting.sentence}."
    if best.fits:
        others = [fit.title for fit in ordered[1:] if fit.fits]
        also = f", and {', '.join(others)}" if others else ""
        return f"Fits {best.title} as an assumed device of class {best.mechanism}{also}. {limit}"
    if best.mechanism:
        yet = ", which it may fit yet" if best.undecided else ""
        return f"No profile fits; nearest is {best.title}{yet}. {limit}"
    if allowed.classes:
        return f"No profile fits. {limit}"
    unjudged = f"; {', '.join(allowed.unjudged)} could not be judged" if allowed.unjudged else ""
    return (
        f"No profile fits: no mechanism class has passed its screen ({', '.join(allowed.asked)}){unjudged}."
    )
