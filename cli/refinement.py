"""The costly physics of a few crystals at a terminal: one bar, a crystal at a time, within a wall time each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.candidate import Candidate
    from ..core.contracts import Screen, Tools


def wall_time(text: str) -> float:
    """Seconds from `90s`, `10m` or a bare number.

    Raises:
        InputError: it is no wall time.
    """
    from ..core.errors import InputError
    from ..flows.run_settings import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise InputError(f"--refine-for: {error}.") from None


def refined(
    candidates: Sequence[Candidate], screens: Sequence[Screen], tools: Tools, seconds: float
) -> list[Candidate]:
    """Each candidate after the screens have looked closer, in order.

    Args:
        candidates: Measured and judged.
        screens: In the order they are asked.
        tools: As the screens were handed.
        seconds: Wall time for each candidate.
    """
    from ..flows.refinement import refined_by
    from .progress import bars

    found = []
    with bars() as shown:
        shown.stage("refine", len(candidates))
        for candidate in candidates:
            found.append(refined_by(candidate, screens, tools, seconds, hopeful_only=False))
            shown.advance(1)
    return found
