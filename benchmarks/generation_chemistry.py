"""Do compositions make sense as compounds of ions? SMACT decides, with several tables of oxidation states.

Decoding allows only what the table `icsd24` calls neutral and balanced, so that its share says nothing but that decoding does
what it says. The other tables were made without it: `smact14` is the one that most papers on generated crystals use.
A pure element passes and an alloy does not, except in `as_papers_count`, where alloys pass as well.

Source: Davies et al., Chem 1, 617 (2016), doi:10.1016/j.chempr.2016.09.010; SMACT 4.0.2.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache

from .generation_intervals import Figures, share

DECODING, SECOND = "icsd24", "smact14"
TABLES = (DECODING, SECOND, "icsd16", "pymatgen_sp")
TAUTOLOGY = f"Decoding allows no formula that {DECODING!r} does not call neutral and balanced: this share is met by construction."


def chemistry(formulas: Sequence[str]) -> Figures:
    """Shares of neutral formulas, and of those that are balanced as well, by table.

    Args:
        formulas: Reduced, one for each crystal.
    """
    n = len(formulas)
    found: Figures = {
        table: {
            "neutral": share(sum(is_neutral(formula, table) for formula in formulas), n),
            "and_balanced": share(sum(is_neutral(formula, table, balanced=True) for formula in formulas), n),
        }
        for table in TABLES
    }
    found[DECODING]["note"] = TAUTOLOGY
    lenient = sum(is_neutral(formula, SECOND, balanced=True, alloys=True) for formula in formulas)
    found["as_papers_count"] = share(lenient, n) | {"table": SECOND, "alloys": "pass"}
    return found


@lru_cache(maxsize=2**17)
def is_neutral(formula: str, table: str, balanced: bool = False, alloys: bool = False) -> bool:
    """Whether a choice of one oxidation state for each element is neutral.

    Args:
        formula: Reduced.
        table: Of oxidation states, by SMACT's name.
        balanced: Whether the negative ones must also be the more electronegative.
        alloys: Whether metals among themselves pass.
    """
    from pymatgen.core import Composition
    from smact.screening import smact_validity

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bool(
            smact_validity(
                Composition(formula),
                use_pauling_test=balanced,
                include_alloys=alloys,
                oxidation_states_set=table,
            )
        )
