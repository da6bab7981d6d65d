"""What becomes of a host that loses anions: which cation is reduced, into which phase, and what carries the current?

Three answers of different strength. How often a cation is met in lower states is a count over the ICSD. The phase that
a host with fewer anions falls apart into is read off the hull of competing phases. Whether electrons or holes carry the
current is a rule of thumb on the shells of the cations, told and never required.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from ...core.errors import HullError
from ..criteria import Criterion
from ..gap import NONMETALS

if TYPE_CHECKING:
    from pymatgen.core import Composition, Structure

    from ...core.contracts import Hull

OXIDATION_STATE_TABLE = "SMACT 4.0.2, oxidation states reported in the ICSD (2024)"
REMOVED_SHARE = 0.02
"""Of the anions of a host: small, so that the host itself and the phase next to it on the hull share the mixture."""
PRESENT = 1e-4
"""Of the atoms; a phase with less is numerical noise."""
SAME_STATE = 0.05
"""e per cation; smaller differences are those of averages over mixed valence."""
CARRIER_RULE = "shells of the cations (Greiner et al., Adv. Funct. Mater. 22, 4557 (2012))"
P_TYPE = frozenset(
    [("Ni", 2), ("Co", 2), ("Mn", 2), ("Fe", 2), ("Cu", 1), ("Ag", 1), ("Cr", 3), ("Sn", 2), ("Pb", 2)]
)
"""Cations that rather give up electrons than take them: their oxides lack cations and carry holes. Of the d metals as in
Greiner et al.; Sn2+ and Pb2+ by their lone pairs at the top of the valence band."""


def reducible_share(symbol: str, charge: float) -> float:
    """How often a cation is met in a lower positive state: lower over lower and present, in ICSD entries.

    Args:
        symbol: Element.
        charge: Present oxidation state, e, positive; an average counts as the state above it.

    Returns:
        0 to 1; 0 if no lower state is reported.
    """
    counts = _reported_states().get(symbol, {})
    lower = sum(count for state, count in counts.items() if 0 < state < charge)
    present = sum(count for state, count in counts.items() if charge <= state < charge + 1)
    return lower / (lower + present) if lower else 0.0


@lru_cache(maxsize=1)
def _reported_states() -> dict[str, dict[int, int]]:
    """By element and oxidation state: number of ICSD entries. Source: `OXIDATION_STATE_TABLE`."""
    table = resources.files("smact").joinpath("data", "oxidation_states_icsd24_counts.json")
    states: dict[str, dict[int, int]] = {}
    for row in json.loads(table.read_text(encoding="utf-8")):
        if row["results_count"]:
            states.setdefault(row["element"], {})[int(row["oxidation_state"])] = int(row["results_count"])
    return states


def lower_phase(
    composition: Composition, anion: str, charges: Mapping[str, float], hull: Hull
) -> dict[str, Any] | str:
    """Into what a host turns when it gives up some of an anion, by the hull.

    Args:
        composition: Of the host.
        anion: Symbol of what leaves.
        charges: Oxidation state of each element in the host, e.
        hull: Competing phases.

    Returns:
        `phase`, the formula of a phase on the hull with some of the anion and with cations in a lower state than in the
        host, or `None` if there is none beside metals; `products`, all formulas; `energy`, eV per anion that leaves for
        its reference phase, of the reaction between phases on the hull. Or a sentence why it cannot be told.
    """
    from pymatgen.core import Composition

    amounts = composition.reduced_composition.get_el_amt_dict()
    removed = REMOVED_SHARE * amounts[anion]
    mixtures = [amounts, {**amounts, anion: amounts[anion] - removed}, {anion: removed}]
    try:
        found = [hull.distance(Composition(one), 0.0) for one in mixtures]
    except HullError as error:
        return str(error)
    host, reduced, reference = (
        -one.energy_above_hull * sum(mixture.values()) for one, mixture in zip(found, mixtures, strict=True)
    )
    products = [formula for _, formula, share in found[1].decomposition if share > PRESENT]
    lower = [formula for formula in products if _is_reduced(formula, anion, charges)]
    return {
        "anion": anion,
        "phase": lower[0] if lower else None,
        "products": products,
        "energy": (reduced + reference - host) / removed,
        "hull": hull.name,
    }


def _is_reduced(formula: str, anion: str, charges: Mapping[str, float]) -> bool:
    """Whether a phase keeps some of the anion and its reducible cations lie in a lower state than in the host, if all
    other ions are as they were there."""
    from pymatgen.core import Composition

    amounts = Composition(formula).get_el_amt_dict()
    takers = [
        s for s in amounts if charges.get(s, 0) > 0 and s not in NONMETALS and reducible_share(s, charges[s])
    ]
    if anion not in amounts or not takers:
        return False
    others = sum(charges[s] * n for s, n in amounts.items() if s not in takers)
    in_host = sum(charges[s] * amounts[s] for s in takers)
    return -others < in_host - SAME_STATE * sum(amounts[s] for s in takers)


def judge_lower_phase(found: Mapping[str, Any] | str | None) -> Criterion:
    """Whether the hull holds a phase that a filament may turn into; never required by default."""
    name = "lower_phase"
    if not isinstance(found, Mapping):
        why = f": {found.rstrip('.')}" if isinstance(found, str) else ""
        return Criterion(name, "not computed", f"the phase that a reduced host turns into is not known{why}")
    method = f"hull {found['hull']}"
    energy, anion = float(found["energy"]), found["anion"]
    if found["phase"] is None:
        products = ", ".join(found["products"])
        return Criterion(
            name,
            "failed",
            f"no stable phase with less {anion} stands between it and {products} ({method})",
            energy,
            None,
            "eV",
            method,
            score=0.5,
        )
    return Criterion(
        name,
        "passed",
        f"a host that loses {anion} turns into {found['phase']} at {energy:.2f} eV per {anion} ({method})",
        energy,
        None,
        "eV",
        method,
        score=1.0,
    )


def judge_carriers(structure: Structure, charges: Sequence[float] | None) -> Criterion:
    """Whether electrons or holes are expected to carry the current, by a rule; told, never decisive."""
    name = "carriers"
    if charges is None:
        return Criterion(
            name, "missing", "no charge-balanced oxidation states, so its carriers are not known"
        )
    cations = {
        (site.specie.symbol, round(charge))
        for site, charge in zip(structure, charges, strict=True)
        if charge > 0 and site.specie.symbol not in NONMETALS
    }
    holes = sorted(f"{symbol}{charge}+" for symbol, charge in cations & P_TYPE)
    electrons = sorted(
        f"{symbol}{charge}+" for symbol, charge in cations - P_TYPE if reducible_share(symbol, charge) >= 0.02
    )
    if holes and electrons:
        words = f"n- or p-type: {', '.join(electrons)} take up electrons, {', '.join(holes)} give them"
    elif holes:
        words = f"tends to p-type: {', '.join(holes)} give up electrons"
    elif electrons:
        words = f"tends to n-type: anion vacancies are donors to {', '.join(electrons)}"
    else:
        words = "no tendency to n- or p-type is known"
    return Criterion(name, "passed", f"{words} ({CARRIER_RULE})", method=CARRIER_RULE, flagged=True)
