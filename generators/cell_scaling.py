"""How much does a crystal's volume change when ions are exchanged?

Two estimates of the ratio of new to old volume are averaged as logarithms, three parts to one:

- Shannon radii: the sum of radii along each bond, at the coordination found there; strong bonds weigh more;
- bond valences: the length at which O'Keeffe and Brese's bond valences per charge are what they were.

The mean errs less than either (`hysteron benchmark substitution` measures it). If neither can be made,
pymatgen's data-mined lattice scaling compares the crystal before and after.

Sources: Shannon (1976), doi:10.1107/S0567739476001551; O'Keeffe and Brese (1991), doi:10.1021/ja00009a002;
pymatgen's `DLSVolumePredictor` (Chu et al., Comput. Mater. Sci. 146, 184 (2018)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..core.bond_valences import bond_valence_length
from .ion_pairs import Ion
from .ion_sizes import Surroundings, ionic_radius

if TYPE_CHECKING:
    from pymatgen.core import Structure

VALENCE_SOFTNESS_ANGSTROM = 0.37
"""Brown and Altermatt's universal constant of the bond valence law."""
STRENGTH_EXPONENT = 0.25
"""Power of Pauling's bond strength (charge over coordination) in a bond's weight. Between 0 and 0.5 the error
over 1,500 pairs of known crystals is flat; 0 makes too much of the twelve soft A-O bonds of a perovskite."""
SHARE_OF_RADII = 0.75
"""Weight of the first estimate; the error over the same pairs is least there."""
NARROWEST_FACTOR, WIDEST_FACTOR = 0.2, 5.0


def volume_factor(structure: Structure, around: Surroundings, new: Sequence[Ion]) -> tuple[float, str]:
    """New volume over old volume.

    Args:
        structure: The crystal as it is.
        around: Its bonds and ions.
        new: The ions after the exchange, one per site.

    Returns:
        The factor, and how it was found: `Shannon radii, bond valences`; 1 and `not scaled` where nothing
        is known of an element.
    """
    factor, method = _estimate(structure, around, new)
    return min(max(factor, NARROWEST_FACTOR), WIDEST_FACTOR), method


def _estimate(structure: Structure, around: Surroundings, new: Sequence[Ion]) -> tuple[float, str]:
    by_radii, by_valences = _from_shannon_radii(around, new), _from_bond_valences(around, new)
    if by_radii is not None and by_valences is not None:
        factor = by_radii**SHARE_OF_RADII * by_valences ** (1 - SHARE_OF_RADII)
        return factor, "Shannon radii, bond valences"
    if by_radii is not None:
        return by_radii, "Shannon radii"
    if by_valences is not None:
        return by_valences, "bond valences"
    by_mining = _from_data_mined_scaling(structure, new)
    return (by_mining, "data-mined lattice scaling") if by_mining is not None else (1.0, "not scaled")


def _from_shannon_radii(around: Surroundings, new: Sequence[Ion]) -> float | None:
    """Weighted mean ratio of bond lengths, cubed."""
    before = _site_radii(around.ions, around.coordination)
    after = _site_radii(new, around.coordination)
    if before is None or after is None:
        return None
    old_sums = before[around.cations] + before[around.anions]
    new_sums = after[around.cations] + after[around.anions]
    if (old_sums <= 0).any() or (new_sums <= 0).any():
        return None
    charges = np.array([ion.charge for ion in around.ions])
    strengths = charges[around.cations] / around.coordination[around.cations]
    weights = around.weights * strengths**STRENGTH_EXPONENT
    return float(np.average(new_sums / old_sums, weights=weights)) ** 3


def _site_radii(ions: Sequence[Ion], coordination: np.ndarray) -> np.ndarray | None:
    radii = [ionic_radius(ion, number) for ion, number in zip(ions, coordination, strict=True)]
    return None if None in radii else np.array(radii)


def _from_bond_valences(around: Surroundings, new: Sequence[Ion]) -> float | None:
    """The scale of length at which valences per charge are what they were, cubed."""
    old_lengths = _bond_lengths(around, around.ions)
    new_lengths = _bond_lengths(around, new)
    if old_lengths is None or new_lengths is None:
        return None
    per_charge = np.exp((old_lengths - around.lengths) / VALENCE_SOFTNESS_ANGSTROM).sum() / _positive(
        around.ions
    )
    wanted, low, high = per_charge * _positive(new), NARROWEST_FACTOR ** (1 / 3), WIDEST_FACTOR ** (1 / 3)
    # The sum falls as lengths grow; thirty halvings settle the scale to 1e-9.
    for _ in range(30):
        middle = 0.5 * (low + high)
        found = np.exp((new_lengths - middle * around.lengths) / VALENCE_SOFTNESS_ANGSTROM).sum()
        low, high = (middle, high) if found > wanted else (low, middle)
    return (0.5 * (low + high)) ** 3


def _bond_lengths(around: Surroundings, ions: Sequence[Ion]) -> np.ndarray | None:
    """Length at which each bond would carry one valence unit, A, shape `(nbonds,)`."""
    lengths = [
        bond_valence_length(ions[i].symbol, ions[j].symbol)
        for i, j in zip(around.cations, around.anions, strict=True)
    ]
    return None if None in lengths else np.array(lengths)


def _positive(ions: Sequence[Ion]) -> int:
    return sum(ion.charge for ion in ions if ion.charge > 0)


def _from_data_mined_scaling(structure: Structure, new: Sequence[Ion]) -> float | None:
    """DLS volume after over DLS volume before; `None` where an element is not in its tables."""
    from pymatgen.analysis.structure_prediction.volume_predictor import DLSVolumePredictor, bond_params

    symbols = [ion.symbol for ion in new]
    if not {*structure.symbol_set, *symbols} <= bond_params.keys():
        return None
    exchanged = structure.copy()
    for i, symbol in enumerate(symbols):
        exchanged[i] = symbol
    predictor = DLSVolumePredictor(min_scaling=NARROWEST_FACTOR, max_scaling=WIDEST_FACTOR)
    return float(predictor.predict(exchanged) / predictor.predict(structure))
