"""Does a component keep the promises of its contract?

For tests here and in outside packages: each check runs a component on real candidates and raises
`ContractError` with one sentence if a promise is broken. It returns what the component gave, so that a
test can go on with it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

from .candidate import Candidate, PropertyValue, Verdict
from .contracts import Generator, Hull, HullDistance, HullQuery, Predictor, Screen, Source, Tools
from .errors import ContractError, HullError
from .filters import Filter

LEAST_SHARE_OF_COVALENT_RADII = 0.5
"""Two atoms closer than this share of the sum of their covalent radii overlap."""
SAME_VALUE = 1e-4
"""Relative; single precision in another order of summation."""
SAME_DISTANCE = 1e-6
"""eV/atom; a hull found by another road."""


def check_source(source: Source, query: Filter | None = None) -> list[Candidate]:
    """Every record says its source and version; the same query gives the same records.

    Args:
        source: The component.
        query: What to search for; it should match something.

    Raises:
        ContractError: a promise is broken.
    """
    found = list(source.search(query))
    _require(bool(found), f"{source.name} found nothing; check it with a query that matches.")
    for candidate in found:
        _check_candidate(candidate, source.name)
        steps = [step for step in candidate.provenance if step.stage == "retrieve"]
        told = bool(steps) and bool(steps[-1].name and steps[-1].version)
        _require(told, f"{candidate.candidate_id} from {source.name} does not say its source and version.")
    _check_distinct(found, source.name)
    again = [_timeless(c) for c in source.search(query)]
    _require(again == [_timeless(c) for c in found], f"{source.name} gave other records the second time.")
    return found


def check_generator(
    generator: Generator,
    seeds: Sequence[Candidate],
    count: int = 8,
    seed: int = 0,
    tools: Tools | None = None,
    from_parents: bool = True,
) -> list[Candidate]:
    """Same seed, same output; parents recorded; no overlapping atoms; at most `count`; seeds untouched.

    Args:
        generator: The component.
        seeds: Known crystals to start from.
        count: How many to ask for.
        seed: Root of the random stream.
        tools: What the generator may need.
        from_parents: False for a model that needs no seeds: then naming parents is not asked.

    Raises:
        ContractError: a promise is broken.
    """
    import numpy as np

    tools = tools or Tools()
    before = [c.to_record() for c in seeds]
    runs = [list(generator.generate(seeds, count, np.random.default_rng(seed), tools)) for _ in range(2)]
    found, name = runs[0], generator.name
    _require(bool(found), f"{name} proposed nothing; check it with seeds it can use.")
    _require(len(found) <= count, f"{name} gave {len(found)} candidates where {count} were asked for.")
    _require([c.to_record() for c in seeds] == before, f"{name} changed its seeds.")
    known = {c.candidate_id for c in seeds}
    for candidate in found:
        _check_candidate(candidate, name)
        _check_no_overlap(candidate, name)
        _check_lineage(candidate, name, known, from_parents)
    _check_distinct(found, name)
    same = [_timeless(c) for c in runs[0]] == [_timeless(c) for c in runs[1]]
    _require(same, f"{name} gave other candidates for the same seed.")
    return found


def check_predictor(
    predictor: Predictor, candidates: Sequence[Candidate], tolerance: float = SAME_VALUE
) -> list[Candidate]:
    """Order and length kept; input untouched; alone, batched or in another order the same values.

    Args:
        predictor: The component.
        candidates: At least two, of different size.
        tolerance: Relative difference that counts as none.

    Raises:
        ContractError: a promise is broken.
    """
    name = predictor.name
    before = [c.to_record() for c in candidates]
    found = predictor.predict(candidates)
    _check_same_order(candidates, found, name)
    _require([c.to_record() for c in candidates] == before, f"{name} changed the candidates it was given.")
    _require(predictor.predict([]) == [], f"{name} made something of an empty list.")
    for candidate in found:
        _check_candidate(candidate, name, needs_spacegroup=False)
    backwards = predictor.predict(list(reversed(candidates)))[::-1]
    for one, given, reversed_one in zip(candidates, found, backwards, strict=True):
        alone = predictor.predict([one])[0]
        for other, how in ((alone, "alone"), (reversed_one, "in another order")):
            _check_same_values(given, other, tolerance, f"{name} on {one.candidate_id} {how}")
    return found


def check_screen(
    screen: Screen,
    candidates: Sequence[Candidate],
    tools: Tools | None = None,
    needs_properties: bool = True,
) -> list[Candidate]:
    """`measure` keeps order, length and input; `judge` is pure, says why, and never passes what is missing.

    Args:
        screen: The component.
        candidates: What to screen.
        tools: What `measure` may need.
        needs_properties: False for a screen that asks of the composition alone.

    Returns:
        The measured candidates, each with its verdict.

    Raises:
        ContractError: a promise is broken.
    """
    name = screen.name
    before = [c.to_record() for c in candidates]
    measured = screen.measure(candidates, tools or Tools())
    _check_same_order(candidates, measured, name)
    _require([c.to_record() for c in candidates] == before, f"{name} changed the candidates it was given.")
    judged = []
    for candidate in measured:
        verdict = screen.judge(candidate)
        _check_verdict(verdict, candidate, screen)
        if needs_properties:
            bare = dataclasses.replace(candidate, properties=())
            _require(
                not screen.judge(bare).passed, f"{name} passed {candidate.candidate_id} without any property."
            )
        if not verdict.passed:
            _check_losing_never_helps(candidate, screen)
        judged.append(candidate.with_verdict(verdict))
    return judged


def check_hull(hull: Hull, items: Sequence[HullQuery]) -> list[HullDistance | HullError]:
    """One result per item, in order; alone or batched the same value; an error where there is none.

    Args:
        hull: The component.
        items: At least two that it knows; those it cannot know belong among them.

    Raises:
        ContractError: a promise is broken.
    """
    found = hull.distances(items)
    _require(bool(hull.name and hull.potential_name), "A hull says its name and its potential.")
    _require(hull.distances([]) == [], f"{hull.name} made something of an empty list.")
    _require(len(found) == len(items), f"{hull.name} gave {len(found)} distances for {len(items)} items.")
    for item, batched in zip(items, found, strict=True):
        who = f"{hull.name} on {item[0].formula or 'no atoms'}"
        try:
            alone = hull.distance(*item)
        except HullError as error:
            _require(str(batched) == str(error), f"{who}: alone it is refused, in a batch it is {batched}.")
            continue
        told = isinstance(batched, HullDistance)
        _require(told, f"{who}: alone it has a distance, in a batch it is refused ({batched}).")
        assert isinstance(batched, HullDistance)
        values = (batched.energy_above_hull, alone.energy_above_hull)
        _require(all(math.isfinite(v) for v in values), f"{who}: the distance is not finite.")
        _require(
            math.isclose(*values, abs_tol=SAME_DISTANCE), f"{who}: alone {values[1]}, batched {values[0]}."
        )
    return found


def _check_candidate(candidate: Candidate, name: str, needs_spacegroup: bool = True) -> None:
    who = f"{candidate.candidate_id} from {name}"
    _require(bool(candidate.candidate_id), f"A candidate from {name} has no id.")
    _require(candidate.structure.is_ordered, f"{who} is disordered.")
    if needs_spacegroup:
        _require(candidate.spacegroup_number is not None, f"{who} has no space group.")
    try:
        text = json.dumps(candidate.to_record(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractError(f"{who} cannot be written as JSON: {error}.") from None
    back = Candidate.from_record(json.loads(text))
    _require(
        json.loads(json.dumps(back.to_record())) == json.loads(text), f"{who} changes when written and read."
    )


def _check_no_overlap(candidate: Candidate, name: str) -> None:
    import numpy as np
    from ase.data import atomic_numbers, covalent_radii

    structure = candidate.structure
    radii = np.array([covalent_radii[atomic_numbers[site.specie.symbol]] for site in structure])
    i, j, _, distances = structure.get_neighbor_list(2 * LEAST_SHARE_OF_COVALENT_RADII * float(radii.max()))
    overlap = distances < LEAST_SHARE_OF_COVALENT_RADII * (radii[i] + radii[j])
    if overlap.any():
        k = int(np.argmax(overlap))
        pair = "-".join(structure[int(site)].specie.symbol for site in (i[k], j[k]))
        raise ContractError(
            f"{candidate.candidate_id} from {name} has overlapping atoms: {pair} at {distances[k]:.2f} A."
        )


def _check_lineage(candidate: Candidate, name: str, known: set[str], from_parents: bool) -> None:
    steps = [step for step in candidate.provenance if step.stage == "generate"]
    who = f"{candidate.candidate_id} from {name}"
    told = len(steps) == 1 and steps[0].name == name and bool(steps[0].version and steps[0].config_hash)
    _require(told, f"{who} needs one step 'generate' with name, version and config_hash.")
    parents = set(steps[0].parents)
    _require(
        parents <= known, f"{who} names parents that are no seeds: {', '.join(sorted(parents - known))}."
    )
    _require(bool(parents) or not from_parents, f"{who} names no parents.")
    _require(candidate.candidate_id not in parents, f"{who} is its own parent.")


def _check_distinct(candidates: Sequence[Candidate], name: str) -> None:
    ids = [c.candidate_id for c in candidates]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    _require(not twice, f"{name} gave {', '.join(twice)} more than once.")


def _check_same_order(given: Sequence[Candidate], found: Sequence[Candidate], name: str) -> None:
    _require(len(found) == len(given), f"{name} gave {len(found)} candidates back of {len(given)}.")
    kept = [c.candidate_id for c in found] == [c.candidate_id for c in given]
    _require(kept, f"{name} changed the order or the ids of its candidates.")


def _check_same_values(one: Candidate, other: Candidate, tolerance: float, where: str) -> None:
    mine, theirs = ({(p.name, p.method): p for p in c.properties} for c in (one, other))
    _require(mine.keys() == theirs.keys(), f"{where} gave other properties.")
    for key, value in mine.items():
        _require(
            _close(value, theirs[key], tolerance), f"{where} gave another {key[0]}: {theirs[key].value}."
        )
    failed = [[f.name for f in c.failures] for c in (one, other)]
    _require(failed[0] == failed[1], f"{where} failed otherwise.")


def _close(one: PropertyValue, other: PropertyValue, tolerance: float) -> bool:
    a, b = (v.value if isinstance(v.value, tuple) else (v.value,) for v in (one, other))
    return len(a) == len(b) and all(
        x == y
        if isinstance(x, str) or isinstance(y, str)
        else math.isclose(x, y, rel_tol=tolerance, abs_tol=tolerance)
        for x, y in zip(a, b, strict=True)
    )


def _check_verdict(verdict: Verdict, candidate: Candidate, screen: Screen) -> None:
    who = f"{screen.name} on {candidate.candidate_id}"
    _require(verdict.screen == screen.name, f"{who}: the verdict is signed {verdict.screen!r}.")
    _require(isinstance(verdict.passed, bool), f"{who}: passed is {verdict.passed!r}, not true or false.")
    _require(bool(verdict.reason.strip()), f"{who}: the verdict gives no reason.")
    if verdict.score is not None:
        _require(0 <= verdict.score <= 1, f"{who}: the score is {verdict.score}, outside 0 to 1.")
    try:
        json.dumps(dataclasses.asdict(verdict), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ContractError(f"{who}: the verdict cannot be written as JSON: {error}.") from None
    _require(screen.judge(candidate) == verdict, f"{who}: judging again gave another verdict.")


def _check_losing_never_helps(candidate: Candidate, screen: Screen) -> None:
    """A candidate that failed does not pass by losing a property."""
    for lost in candidate.properties:
        rest = tuple(p for p in candidate.properties if p is not lost)
        passed = screen.judge(dataclasses.replace(candidate, properties=rest)).passed
        _require(not passed, f"{screen.name} passed {candidate.candidate_id} once it had lost {lost.name}.")


def _timeless(candidate: Candidate) -> dict[str, Any]:
    """The record without the times of its steps."""
    record = candidate.to_record()
    return record | {"provenance": [step | {"time": ""} for step in record["provenance"]]}


def _require(holds: bool, sentence: str) -> None:
    if not holds:
        raise ContractError(sentence)
