"""Who proposes the crystals of a chunk, how many each, and what becomes of one that two generators propose?

Every generator works for itself, so two of them may give the same crystal, and two names may fall together by chance (a
name is a digest). Here the same crystal becomes one candidate that both proposed, and different crystals get different names.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..core.candidate import Candidate
from ..core.contracts import Known, Tools
from ..core.errors import MissingDataError, OutsideDomainError
from ..core.identity import IdentityIndex, bucket_of
from ..export.run_summary import TOGETHER

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from .run import Run
    from .run_settings import RunSettings

PROPOSALS_A_CHUNK = 64
PROPOSALS_PER_RELAXATION = 3
PROPOSALS_PER_SECOND = 6
"""Of a wall-time budget; more than can be relaxed, so that the most promising can be chosen."""

Named = Iterable[tuple[str, "Structure"]]


@dataclass(frozen=True)
class Road:
    """A generator in a run.

    Attributes:
        name: As the run names it.
        share: Of the proposals; compares with the other roads'.
        ask: Gives at most so many crystals. Asked again, it goes on with the same random numbers.
    """

    name: str
    share: float
    ask: Callable[[int, Tools], Iterator[Candidate]]


class Proposals:
    """The crystals of one chunk, each with a name that nobody else has.

    Args:
        named: Crystals of the formulas it is asked for that have names already: what the store holds.

    Attributes:
        candidates: In the order they came. The same crystal by two roads is here twice, under one name and each time with its
            own provenance: the store makes one of them, with its own rule, and keeps the first geometry.
        by_generator: Ids that each generator proposed, each once.
        silent: Why a generator could propose nothing: its weights are missing, or the run asks for what its model never learnt.
    """

    def __init__(self, named: Callable[[list[str]], Named]) -> None:
        self._named = named
        self._index = IdentityIndex()
        self._formulas: set[str] = set()
        self.candidates: list[Candidate] = []
        self.by_generator: dict[str, list[str]] = {}
        self.silent: dict[str, str] = {}

    @property
    def ids(self) -> list[str]:
        """Of the different crystals, in the order they came."""
        return list(dict.fromkeys(c.candidate_id for c in self.candidates))

    def __len__(self) -> int:
        return len(self.ids)

    def take_in(self, generator: str, candidates: Sequence[Candidate]) -> None:
        """Add what a generator gave."""
        self._read_names({c.formula for c in candidates})
        given = self.by_generator.setdefault(generator, [])
        for candidate in map(self._with_own_name, candidates):
            self.candidates.append(candidate)
            if candidate.candidate_id not in given:
                given.append(candidate.candidate_id)

    def find(self, candidate: Candidate) -> str | None:
        """The name of the crystal of this chunk that `candidate` is; else `None`."""
        found = self._index.find(candidate.structure) if candidate.formula in self._formulas else None
        return found if found in self.ids else None

    def _with_own_name(self, candidate: Candidate) -> Candidate:
        """Under the name of the same crystal, if there is one; never under that of another one."""
        bucket = bucket_of(candidate.structure)
        same = self._index.find(candidate.structure, bucket)
        if same is None and candidate.candidate_id not in self._index:
            self._index.add(candidate.candidate_id, candidate.structure, bucket)
            return candidate
        name = same or self._index.assign(candidate.structure, bucket)[0]
        return replace(candidate, candidate_id=name)

    def _read_names(self, formulas: set[str]) -> None:
        """Names are taken by crystals of the same formula only: it is a part of the name."""
        for identifier, structure in self._named(sorted(formulas - self._formulas)):
            self._index.add(identifier, structure)
        self._formulas |= formulas


@dataclass(frozen=True)
class KnownOrProposed:
    """Answers for what was known before and for this chunk; implements `core.contracts.Known`."""

    known: Known
    proposals: Proposals

    def find(self, candidate: Candidate) -> str | None:
        return self.known.find(candidate) or self.proposals.find(candidate)


def propose(
    roads: Sequence[Road], count: int, tools: Tools, named: Callable[[list[str]], Named]
) -> Proposals:
    """A chunk of new crystals: every road gives its share, and who can gives what others could not.

    Nobody hears of the others' crystals at first, so that one on which two agree is seen to come from both. What is then
    missing is asked of the roads in order, of none that gave less than it was asked for: it has no more. So the others
    fill in for a generator without weights.

    Args:
        roads: In the order of the run.
        count: How many different crystals are wanted.
        tools: With `known`, the crystals that need not be proposed.
        named: Crystals of these formulas that have names already.

    Raises:
        MissingDataError, OutsideDomainError: no road can propose anything; the first one says why.
    """
    proposals = Proposals(named)
    rich, errors = [], []
    for road, wanted in zip(roads, shared_out([road.share for road in roads], count), strict=True):
        try:
            given = list(road.ask(wanted, tools)) if wanted else []
        except (MissingDataError, OutsideDomainError) as error:
            errors.append(error)
            proposals.silent[road.name] = str(error)
            continue
        proposals.take_in(road.name, given)
        if len(given) == wanted:
            rich.append(road)
    if errors and len(errors) == len(roads):
        raise errors[0]
    if tools.known is not None:
        tools = replace(tools, known=KnownOrProposed(tools.known, proposals))
    for road in rich:
        if missing := count - len(proposals):
            proposals.take_in(road.name, list(road.ask(missing, tools)))
    return proposals


def shared_out(shares: Sequence[float], total: int) -> list[int]:
    """Whole numbers in proportion to the shares that add up to the total, by the largest remainders.

    Of equal remainders the first counts as larger. Nobody goes away empty while somebody has two.
    """
    exact = [share / sum(shares) * total for share in shares]
    counts = [math.floor(number) for number in exact]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - exact[i])
    for i in by_remainder[: total - sum(counts)]:
        counts[i] += 1
    for i in range(len(counts)):
        richest = max(range(len(counts)), key=counts.__getitem__)
        if counts[i] == 0 and counts[richest] > 1:
            counts[richest] -= 1
            counts[i] = 1
    return counts


def proposals_wanted(settings: RunSettings) -> int:
    """How many new crystals a run proposes at most."""
    if settings.run.proposals:
        return settings.run.proposals
    if settings.run.relaxations:
        return max(PROPOSALS_A_CHUNK, PROPOSALS_PER_RELAXATION * settings.run.relaxations)
    return max(PROPOSALS_A_CHUNK, int(PROPOSALS_PER_SECOND * (settings.budget_seconds or 0)))


def proposers(run: Run) -> dict[str, str]:
    """Who proposed each crystal of a run, by id: a generator's name, or the names of several, in the run's order.

    It is what this run noted: a candidate's provenance may tell of other runs as well.
    """
    names = generators(run)
    found: dict[str, set[str]] = {}
    for payload in run.done("generate").values():
        # A run begun before there were two generators noted no names.
        for name, ids in payload.get("by_generator", {names[0]: payload["ids"]}).items():
            for identifier in ids:
                found.setdefault(identifier, set()).add(name)
    return {i: TOGETHER.join(sorted(who, key=names.index)) for i, who in found.items()}


def generators(run: Run) -> list[str]:
    """Names of those that propose in a run, in its order."""
    return [table.name for table in run.settings.generator if table.share]
