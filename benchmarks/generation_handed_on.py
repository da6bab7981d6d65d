"""What does a generator hand on, with all the tools that it asks, and as members of which set?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..core.candidate import Candidate
from ..core.contracts import Generator, Tools
from ..core.errors import InputError
from .generation_figures import Made
from .generation_kept import Progress, Set
from .generation_world import World


def handed_on(world: World, generator: Generator, count: int, stream: str) -> list[Made]:
    """What a generator gives when it knows the reference's crystals, the property network and the hull.

    Args:
        world: Has these.
        generator: Under its settings.
        count: At most so many.
        stream: Name of the random stream.

    Raises:
        InputError: nothing can be made under these settings.
    """
    tools = Tools(known=world.reference, predictor=world.predictor, hull=world.hull)
    return of_candidates(list(generator.generate([], count, world.rng(stream), tools)))


def handed_on_by_group(
    world: World, generator_of: Callable[[int], Generator], groups: Sequence[int], count: int, name: str
) -> Set:
    """As `handed_on`, one space group after the other; one that has too few new crystals gives what it has.

    Args:
        world: As in `handed_on`.
        generator_of: A generator that is asked for this space group.
        groups: Their numbers.
        count: At most so many of each.
        name: What the random streams are called, with the group's number behind.
    """
    crystals: list[Made] = []
    in_vain: dict[str, str] = {}
    progress = Progress(f"{name}: groups", len(groups))
    for number in groups:
        try:
            crystals += handed_on(world, generator_of(number), count, f"{name} {number}")
        except InputError as error:
            in_vain[str(number)] = str(error)
        progress.advance()
    return crystals, {"groups": list(groups), "per_group": count, "in_vain": in_vain}


def of_candidates(candidates: Sequence[Candidate]) -> list[Made]:
    """As members of a set."""
    return [Made(c.structure, int(c.spacegroup_number or 1), c.value("log_probability")) for c in candidates]
