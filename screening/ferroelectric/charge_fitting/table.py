"""Makes `data/effective_charges.json` and its card, `data/effective_charges.md`, from the labelled pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from ..bond_dipoles import CUTOFF_ANGSTROM, SOFTNESS_ANGSTROM
from ..charges import FORMAT, METHOD, TABLE, terms_of
from .check import (
    BOOTSTRAP_QUANTILES,
    COVERAGE,
    FOLDS,
    HeldOut,
    agreement,
    bootstrapped,
    error_law,
    held_out,
    interval_covers,
    norms,
)
from .fit import DEGREES_OF_FREEDOM, LABEL_FLOOR, LABEL_RELATIVE, PRIOR_DEVIATIONS, Fit, fit_charges
from .labels import SOURCE, LabelledPair, read_labelled

CARD = "effective_charges.md"
LICENCE = "MIT (blondegeek/ferroelectric_search_site, whose files the labels are)"
DIGITS = 5
OUTVOTED = 0.1
"""Pairs of less weight are named on the card."""


@dataclass(frozen=True)
class _Checked:
    """One way to leave out groups, and what came of it."""

    name: str
    groups: list[str]
    said: list[HeldOut]

    def figures(self, dft: np.ndarray) -> dict[str, Any]:
        """Agreement, coverage and their intervals, as JSON."""
        ours, covers = norms([one.vector for one in self.said]), interval_covers(self.said)
        return {
            "groups": len(set(self.groups)),
            **agreement(dft, ours),
            "mae_interval": bootstrapped(self.groups, lambda i: agreement(dft[i], ours[i])["mae"]),
            "r2_interval": bootstrapped(self.groups, lambda i: agreement(dft[i], ours[i])["r2"]),
            "coverage": float(covers.mean()),
            "coverage_interval": bootstrapped(self.groups, lambda i: float(covers[i].mean())),
        }


def fit_and_write(data_folder: Path, into: Path) -> dict[str, Any]:
    """Fit effective charges to all labelled pairs, and write the table and its card.

    Args:
        data_folder: Holds `ferroelectrics`.
        into: Folder of the two files, made if needed.

    Returns:
        The table without its terms and covariance.

    Raises:
        MissingDataError: the labels are not there.
    """
    table = build_table(read_labelled(data_folder), f"{datetime.now(UTC):%Y-%m-%d}")
    into.mkdir(parents=True, exist_ok=True)
    (into / TABLE).write_text(_json(table), encoding="utf-8")
    (into / CARD).write_text(card(table), encoding="utf-8")
    return {key: value for key, value in table.items() if key not in ("terms", "covariance", "ions")}


def build_table(pairs: Sequence[LabelledPair], date: str) -> dict[str, Any]:
    """The table as JSON.

    Args:
        pairs: All of them, for the fit and its cross-validation.
        date: Of the fit, ISO 8601.
    """
    fit = fit_charges(pairs)
    dft = norms([pair.polarization for pair in pairs])
    families = _checked("family of chemistry", [pair.family for pair in pairs], pairs)
    formulas = _checked("formula", [pair.formula for pair in pairs], pairs)
    model = replace(fit.model, errors=_rounded(asdict(error_law(families.said))))
    nominal = norms([pair.nominal for pair in pairs])
    own = norms([pair.nominal + _added(fit, pair) for pair in pairs])
    return {
        "format": FORMAT,
        "method": METHOD,
        "date": date,
        "source": SOURCE,
        "licence": LICENCE,
        "made_by": "hysteron data build charges",
        "units": "terms: fraction of the cation's formal charge; errors: uC/cm^2",
        "pairs": len(pairs),
        "formulas": len({pair.formula for pair in pairs}),
        "labels_above_60": int(np.sum(dft > 60)),
        "softness_angstrom": SOFTNESS_ANGSTROM,
        "cutoff_angstrom": CUTOFF_ANGSTROM,
        "prior_deviations": list(PRIOR_DEVIATIONS),
        "label_floor": LABEL_FLOOR,
        "label_relative": LABEL_RELATIVE,
        "degrees_of_freedom": DEGREES_OF_FREEDOM,
        "errors": model.errors,
        "residuals": _rounded(agreement(dft, own)),
        "nominal_charges": _rounded(agreement(dft, nominal)),
        "cross_validated": {one.name: _rounded(one.figures(dft)) for one in (families, formulas)},
        "outvoted": _outvoted(pairs, fit),
        "terms": _terms(pairs, fit),
        "covariance": {"terms": list(model.shared), "rows": [_rounded(row) for row in model.covariance]},
        "ions": sorted(model.ions),
    }


def _checked(name: str, groups: list[str], pairs: Sequence[LabelledPair]) -> _Checked:
    return _Checked(name, groups, held_out(pairs, groups))


def _added(fit: Fit, pair: LabelledPair) -> np.ndarray:
    return sum((fit.model.coefficient(bond) * one for bond, one in pair.added.items()), np.zeros(3))


def _outvoted(pairs: Sequence[LabelledPair], fit: Fit) -> list[dict[str, Any]]:
    return [
        {
            "formula": pair.formula,
            "spacegroups": list(pair.spacegroups),
            "weight": round(float(weight), 3),
            "dft": round(float(np.linalg.norm(pair.polarization)), 2),
            "fitted": round(float(np.linalg.norm(pair.nominal + _added(fit, pair))), 2),
            "against_its_ions": pair.against_its_ions,
        }
        for pair, weight in zip(pairs, fit.weights, strict=True)
        if weight < OUTVOTED
    ]


def _terms(pairs: Sequence[LabelledPair], fit: Fit) -> dict[str, Any]:
    behind: dict[str, list[str]] = {}
    for pair in pairs:
        for term in sorted({term for bond in pair.added for term in terms_of(bond)}):
            behind.setdefault(term, []).append(pair.formula)
    return {
        term: {
            "value": _rounded(fit.model.values[term]),
            "deviation": _rounded(fit.model.variances[term] ** 0.5),
            "pairs": len(formulas),
            "formulas": len(set(formulas)),
        }
        for term, formulas in sorted(behind.items())
    }


def _rounded(value: Any) -> Any:
    """To `DIGITS` significant digits, all through JSON."""
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(one) for one in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _json(table: dict[str, Any]) -> str:
    """One line for each term and each row, so that a change shows itself."""
    lines = []
    for key, value in table.items():
        if key == "terms":
            inner = ",\n".join(f"    {json.dumps(name)}: {json.dumps(one)}" for name, one in value.items())
            text = f"{{\n{inner}\n  }}"
        elif key == "covariance":
            rows = ",\n".join(f"      {json.dumps(row)}" for row in value["rows"])
            text = f'{{\n    "terms": {json.dumps(value["terms"])},\n    "rows": [\n{rows}\n    ]\n  }}'
        else:
            text = json.dumps(value)
        lines.append(f"  {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def card(table: dict[str, Any]) -> str:
    """The card, Markdown."""
    rows = "\n".join(
        f"| {FOLDS} folds by {name}, {one['groups']} groups | {_spread(one, 'mae', 2)} | "
        f"{one['median_absolute_error']:.2f} | {_spread(one, 'r2', 3)} | {_spread(one, 'coverage', 2)} |"
        for name, one in table["cross_validated"].items()
    )
    outvoted = "\n".join(
        f"| {one['formula']} | {one['spacegroups'][0]} to {one['spacegroups'][1]} | {one['dft']:.1f} | "
        f"{one['fitted']:.1f} | {one['weight']:.3f} | {'yes' if one['against_its_ions'] else 'no'} |"
        for one in table["outvoted"]
    )
    nominal, own, errors = table["nominal_charges"], table["residuals"], table["errors"]
    low, high = BOOTSTRAP_QUANTILES
    law = f"{errors['floor']:.3f} + {errors['relative']:.3f} P + {errors['of_bonds']:.3f} (the part by the bonds)"
    return f"""# Effective charges

Polarization of a crystal against its nonpolar parent: formal charges times displacements, plus what the electrons of
the bonds add (`screening/ferroelectric/bond_dipoles.py`), with coefficients by ridge regression toward the formal
charges. Fitted {table["date"]} by `{table["made_by"]}`.

| | |
| --- | --- |
| Labels | {table["source"]} |
| Licence | {table["licence"]} |
| Pairs | {table["pairs"]} of {table["formulas"]} formulas |
| Terms | {len(table["terms"])}: one for all bonds, one for each class of cations, class with anion, ion with anion |
| Prior deviations of the four levels | {", ".join(f"{one:g}" for one in table["prior_deviations"])} |
| Bond valences | softness {table["softness_angstrom"]:g} A, cutoff {table["cutoff_angstrom"]:g} A |

## How well it does

Norm of the polarization against DFT, with DFT's own nonpolar parents, uC/cm^2; all {table["pairs"]} pairs, wrong
branches included. In brackets {low:.0%} and {high:.0%} quantiles over samples of groups. Coverage: of the
{COVERAGE:.0%} interval, its width from the other folds alone.

| | MAE | median error | R2 | coverage |
| --- | --- | --- | --- | --- |
{rows}
| no fold, the shipped fit on its own labels | {own["mae"]:.2f} | {own["median_absolute_error"]:.2f} | {own["r2"]:.3f} | |
| formal charges alone | {nominal["mae"]:.2f} | {nominal["median_absolute_error"]:.2f} | {nominal["r2"]:.3f} | |

A family is the kind of the most electronegative element with that of the next one (`core/chemistry_families.py`):
BaTiO3 is judged by a fit that has seen no titanate, niobate or tungstate but bismuth and lead ones, phosphates and borates.

Uncertainty: {law}, joined in quadrature with that of the coefficients, times {errors["scale"]:.2f};
the interval reaches {errors["interval_factor"]:.2f} uncertainties to either side.

## Labels that the fit outvotes

A value that points against the ions is taken to be of another branch, which is possible where the quantum is small (about
10 uC/cm^2 in these layered crystals): Bi4Ti3O12 in Pc, from the same parent, is labelled 58 uC/cm^2 along its ions. Such
labels stay in all figures above; `hysteron benchmark ferroelectric` shows those without them too.

| | space groups | DFT | fitted | weight | against its ions |
| --- | --- | --- | --- | --- | --- |
{outvoted}

## Limits

- The nonpolar parent and the matching of atoms are given to it. A wrong parent is not in the uncertainty.
- PBE and PBE+U polarizations: tetragonal BaTiO3 has 46 uC/cm^2 there and 26 measured, since the cell is too long.
- Dynamical charges of single ions are by-products: of perovskites' oxygen it makes those along the bonds to the d metal
  too large by 1.2 e in the mean and those across them too small by 0.7 e (`hysteron benchmark ferroelectric`).
- Formal charges must exist: no metals, no elements, no polarization by electrons alone (sliding layers).
- The pieces of a molecule move as ions: polar molecules that turn as a whole are labelled here in a few cases only.
- Strain moves no ion: piezoelectric changes of the cell are left out, as in the labels' nonpolar ends only nearly.
- Ions and bonds that the fit has not seen take the values of their class; each estimate names them.
- Few polarizations above 60 uC/cm^2 stand behind it ({table["labels_above_60"]} pairs).
"""


def _spread(figures: dict[str, Any], name: str, digits: int) -> str:
    low, high = figures[f"{name}_interval"]
    return f"{figures[name]:.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
