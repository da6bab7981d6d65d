"""Where does a screen keep what it measured and what no property can hold?

In the candidate's provenance, as one step of the stage `screen` that carries the screen's findings
(a parent structure, decomposition products). `judge` reads them there, so it stays pure and cheap. A
new measurement takes the place of the old one together with the properties it had added, so a crystal
whose geometry has changed keeps nothing of its former self.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from .. import __version__
from ..core.candidate import Candidate, Failure, PropertyValue, Step
from ..core.settings import Settings, config_hash

STAGE = "screen"
_ADDED = "properties"


def forget(candidate: Candidate, screen: str) -> Candidate:
    """Without what earlier measurements of this screen have left: their steps, properties and failures."""
    old = _steps(candidate, screen)
    added = {tuple(pair) for step in old for pair in step.details.get(_ADDED, ())}
    return dataclasses.replace(
        candidate,
        properties=tuple(p for p in candidate.properties if (p.name, p.method) not in added),
        provenance=tuple(s for s in candidate.provenance if s not in old),
        failures=tuple(f for f in candidate.failures if (f.stage, f.name) != (STAGE, screen)),
    )


def with_measurement(
    candidate: Candidate,
    screen: str,
    config: Settings,
    properties: Sequence[PropertyValue],
    findings: Mapping[str, Any],
    failures: Sequence[str] = (),
    version: str = __version__,
) -> Candidate:
    """With what a screen has found; an earlier measurement of the same screen is replaced.

    Args:
        candidate: Left untouched.
        screen: Name of the screen.
        config: Its settings, which enter the step as a hash.
        properties: Values to add.
        findings: JSON object that `findings_of` gives back to `judge`.
        failures: One sentence for each thing that could not be computed.
        version: Of what measured.
    """
    added = {_ADDED: [[p.name, p.method] for p in properties]}
    step = Step(STAGE, screen, version, config_hash(config), details={**findings, **added})
    measured = forget(candidate, screen).with_property(*properties).with_step(step)
    for reason in failures:
        measured = measured.with_failure(Failure(STAGE, screen, reason))
    return measured


def with_more(
    candidate: Candidate,
    screen: str,
    config: Settings,
    properties: Sequence[PropertyValue],
    findings: Mapping[str, Any],
    failures: Sequence[str] = (),
) -> Candidate:
    """With what a screen has found beyond its last measurement, which stays; of equal keys and methods the new ones count.

    Args:
        candidate: Measured by the screen; left untouched.
        screen: Name of the screen.
        config: Its settings, which enter the step as a hash.
        properties: Values to add.
        findings: Joined to those of the last measurement.
        failures: One sentence for each thing that could not be computed, beside the earlier ones.
    """
    new = {(p.name, p.method) for p in properties}
    steps = _steps(candidate, screen)
    added = {tuple(pair) for step in steps[-1:] for pair in step.details.get(_ADDED, ())} - new
    kept = [p for p in candidate.properties if (p.name, p.method) in added]
    earlier = [f.reason for f in candidate.failures if (f.stage, f.name) == (STAGE, screen)]
    joined = {**(findings_of(candidate, screen) or {}), **findings}
    reasons = list(dict.fromkeys((*earlier, *failures)))
    version = steps[-1].version if steps else __version__
    return with_measurement(candidate, screen, config, [*kept, *properties], joined, reasons, version)


def findings_of(candidate: Candidate, screen: str) -> dict[str, Any] | None:
    """What the screen's last measurement found; `None` if it was never measured."""
    steps = _steps(candidate, screen)
    return {k: v for k, v in steps[-1].details.items() if k != _ADDED} if steps else None


def why_missing(candidate: Candidate, screen: str) -> str:
    """Why the screen's last measurement lacks something, as a clause without a full stop."""
    reasons = [f.reason.rstrip(".") for f in candidate.failures if (f.stage, f.name) == (STAGE, screen)]
    return "; ".join(reasons) or "it was not measured"


def _steps(candidate: Candidate, screen: str) -> list[Step]:
    """Oldest first. A store joins the steps of several runs, so there may be more than one."""
    return [step for step in candidate.provenance if (step.stage, step.name) == (STAGE, screen)]
