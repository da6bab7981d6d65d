"""Could a crystal switch by a metal-insulator transition (MIT), as threshold switches and neuristors do?

Warmed or driven through its transition such a crystal turns from an insulator into a metal and back, which gives a volatile
switch (Pickett et al., Nat. Mater. 12, 114 (2013), doi:10.1038/nmat3510). Judged here is whether it may have a transition at all,
by a classifier that the flow hands in and that sees the composition; its probabilities are those for metal, insulator and
transition being equally frequent. At which temperature, how large the jump is, and whether a field drives it, is not known.

A compound whose transition has been measured is named. It counts whatever the classifier makes of it, and is flagged for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...core.candidate import Candidate
from ...core.contracts import Conduction, Tools
from ...core.settings import Settings
from ..criteria import Criterion
from ..stability import judge_energy_above_hull

if TYPE_CHECKING:
    from pymatgen.core import Structure

MECHANISM = "MIT"
HEADLINE = "transition_probability"
LITERATURE = "measured transitions of the literature"
CLASSIFIED_SCORE = 0.5
"""Times the probability. Of what the classifier calls a transition 58% are one, of 301 compounds; among the crystals of a
search there are fewer by an unknown factor."""
KNOWN_SCORE = 0.8
"""Of a compound whose transition has been measured. Ours, 2026: its form and stoichiometry may be another's."""
CriterionName = Literal["transition_probability", "familiar", "energy_above_hull"]


class TransitionConfig(Settings):
    """Windows of the metal-insulator transition.

    Attributes:
        probability_min: Least probability of a transition where metals, insulators and transitions are equally frequent.
            On families of compounds left out, six in ten of those told 0.5 or more have one (`conduction.md`).
        count_known: Whether a compound with a measured transition passes whatever its probability. Without it, known
            compounds are named and judged as all others: for a test of the screen on known materials.
        energy_above_hull_max: eV/atom; it must lie below.
        required: Criteria without which nothing passes.
    """

    probability_min: float = Field(default=0.5, gt=0, le=1)
    count_known: bool = True
    energy_above_hull_max: float = Field(default=0.1, gt=0)
    required: tuple[CriterionName, ...] = ("transition_probability", "familiar", "energy_above_hull")


def transition_findings(structures: Sequence[Structure], tools: Tools) -> list[dict[str, Any] | str | None]:
    """What the classifier tells of each structure, as JSON; to be kept under `MIT` in the findings.

    Args:
        structures: In any order.
        tools: `conduction`.

    Returns:
        For each structure the probabilities, or in their place a sentence why there are none; `None` for all without a
        classifier.
    """
    classifier = tools.conduction
    if classifier is None:
        return [None] * len(structures)
    return [_finding(found, classifier.method) for found in classifier.classes(structures)]


def judge_transition(
    candidate: Candidate, findings: Mapping[str, Any], config: TransitionConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism.

    Args:
        candidate: With its energy above hull, where known.
        findings: What the screen has measured; under `MIT` one of `transition_findings`.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    found = findings.get(MECHANISM)
    stable = judge_energy_above_hull(candidate, config.energy_above_hull_max, screen)
    if not isinstance(found, Mapping):
        return [_untold(found, config.probability_min), _unfamiliar(found), stable]
    criteria = [_judge_probability(found, config), _judge_familiar(found, config), stable]
    return [*criteria, _known(found)] if found.get("family") else criteria


def _finding(found: Conduction | Exception, method: str) -> dict[str, Any] | str:
    if not isinstance(found, Conduction):
        return str(found)
    return {
        "metal": found.metal,
        "insulator": found.insulator,
        "transition": found.transition,
        "familiar": found.familiar,
        "family": found.family,
        "method": method,
    }


def _untold(found: Any, least: float) -> Criterion:
    """That there is no probability, and why."""
    if isinstance(found, str):
        sentence = f"transition_probability is missing: {found.rstrip('.')}"
        return Criterion(HEADLINE, "missing", sentence, None, least)
    sentence = "transition_probability not computed: no classifier of conduction was handed in"
    return Criterion(HEADLINE, "not computed", sentence, None, least)


def _unfamiliar(found: Any) -> Criterion:
    status = "missing" if isinstance(found, str) else "not computed"
    return Criterion("familiar", status, "whether the classifier knows such compounds is not known")


def _judge_probability(found: Mapping[str, Any], config: TransitionConfig) -> Criterion:
    value, method, least = float(found["transition"]), str(found["method"]), config.probability_min
    told = (
        f"probability of a transition {value:.2f} (metal {found['metal']:.2f}, insulator {found['insulator']:.2f}; "
        f"if all were equally frequent; {method})"
    )
    if _counts_as_known(found, config):
        sentence = f"its transition has been measured ({found['family']}); {told}"
        return Criterion(
            HEADLINE, "passed", sentence, value, least, method=LITERATURE, score=KNOWN_SCORE, flagged=True
        )
    if not found["familiar"]:
        sentence = f"{told} stands on nothing, since the compound is unlike all that were learnt from"
        return Criterion(HEADLINE, "missing", sentence, value, least, method=method)
    enough = value >= least
    return Criterion(
        name=HEADLINE,
        status="passed" if enough else "failed",
        sentence=f"{told} is {'at least' if enough else 'below'} {least:g}",
        value=value,
        threshold=least,
        method=method,
        score=CLASSIFIED_SCORE * value,
    )


def _judge_familiar(found: Mapping[str, Any], config: TransitionConfig) -> Criterion:
    method = str(found["method"])
    if found["familiar"]:
        return Criterion(
            "familiar", "passed", "the classifier has learnt from compounds like it", method=method
        )
    if _counts_as_known(found, config):
        return Criterion(
            "familiar",
            "passed",
            "known from measurement, though unlike all compounds the classifier has learnt from",
            method=LITERATURE,
            flagged=True,
        )
    return Criterion(
        "familiar", "missing", "it is unlike all compounds the classifier has learnt from", method=method
    )


def _counts_as_known(found: Mapping[str, Any], config: TransitionConfig) -> bool:
    return config.count_known and bool(found.get("family"))


def _known(found: Mapping[str, Any]) -> Criterion:
    return Criterion(
        "known_family", "passed", f"known family: {found['family']}", method=LITERATURE, flagged=True
    )
