"""How can the ions of a known crystal be exchanged so that exactly this formula results?

Structure prediction by prototype: every assignment of the crystal's ions to the elements of the formula
that keeps numbers, signs of charge and neutrality, each with its probability.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .exchanges import Exchange, shares_elements_as_before
from .ion_pairs import Ion, ion_pairs


def mappings(
    amounts: Mapping[Ion, int], target: Mapping[str, int], charges: Mapping[str, float]
) -> list[Exchange]:
    """All exchanges that turn a crystal into a formula, the most probable first.

    Args:
        amounts: Number of each ion in the crystal's cell.
        target: Number of atoms of each element in the reduced formula.
        charges: Average oxidation state of each element of the formula, e.

    Returns:
        None if the cell does not hold a whole number of formula units; the crystal that is the formula
        already is not among them.
    """
    units, rest = divmod(sum(amounts.values()), sum(target.values()))
    if rest:
        return []
    wanted = {element: number * units for element, number in target.items()}
    pairs = ion_pairs()
    found = []
    for assigned in _assignments(sorted(amounts), amounts, wanted, charges):
        new = _charged(assigned, amounts, charges)
        if new is None or not shares_elements_as_before(list(new), list(new.values())):
            continue
        changed = tuple((old, ion) for old, ion in new.items() if old != ion)
        if changed:
            score = sum(pairs.log_probability(old, ion) for old, ion in new.items())
            found.append(Exchange(changed, score))
    return sorted(found, key=lambda exchange: (-exchange.log_probability, exchange.pairs))


def _assignments(
    ions: list[Ion], amounts: Mapping[Ion, int], wanted: Mapping[str, int], charges: Mapping[str, float]
) -> Iterator[dict[Ion, str]]:
    """Ways to give each ion an element of like sign so that the numbers come out."""
    if not ions:
        if not any(wanted.values()):
            yield {}
        return
    first, rest = ions[0], ions[1:]
    for element in sorted(wanted):
        left = wanted[element] - amounts[first]
        if left >= 0 and charges[element] * first.charge > 0:
            for others in _assignments(rest, amounts, {**wanted, element: left}, charges):
                yield {first: element, **others}


def _charged(
    assigned: Mapping[Ion, str], amounts: Mapping[Ion, int], charges: Mapping[str, float]
) -> dict[Ion, Ion] | None:
    """New ions: the charges that stood there where their average is right, else the element's whole charge."""
    new: dict[Ion, Ion] = {}
    for element in sorted(set(assigned.values())):
        places = [ion for ion, given in assigned.items() if given == element]
        number = sum(amounts[ion] for ion in places)
        average = sum(amounts[ion] * ion.charge for ion in places) / number
        for ion in places:
            if abs(average - charges[element]) < 1e-6:
                new[ion] = Ion(element, ion.charge)
            elif float(charges[element]).is_integer():
                new[ion] = Ion(element, int(charges[element]))
            else:
                return None
    return {ion: new[ion] for ion in assigned}
