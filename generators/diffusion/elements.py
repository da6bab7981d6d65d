"""What is told of an element beside its name, so that the network can carry over what it learnt of its neighbours?"""

from __future__ import annotations

import math
import warnings
from functools import lru_cache

import torch
from torch import Tensor

from .network import HEAVIEST

ANIONS = ("N", "O", "F", "P", "S", "Cl", "Se", "Br", "Te", "I")
"""A crystal with one of them counts as a compound of anions."""
_BLOCKS = "spdf"
_GROUPS, _PERIODS = 18, 7


@lru_cache(maxsize=1)
def descriptors() -> Tensor:
    """Group, period, block, valence electrons and electronegativity by atomic number.

    Returns:
        Shape `(HEAVIEST, 31)`; the first row, of no element, is zero.

    Source: pymatgen's table of the elements; electronegativities are Pauling's.
    """
    from pymatgen.core import Element

    table = torch.zeros(HEAVIEST, _GROUPS + _PERIODS + len(_BLOCKS) + 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymatgen warns of noble gases without an electronegativity
        for number in range(1, HEAVIEST):
            element = Element.from_Z(number)
            row = table[number]
            row[element.group - 1] = 1
            row[_GROUPS + _period(element.row) - 1] = 1
            row[_GROUPS + _PERIODS + _BLOCKS.index(element.block)] = 1
            row[-2] = _outer_electrons(number) / 10
            x = float(element.X)
            row[-1] = x / 4 if math.isfinite(x) else 0.0
    return table


def _outer_electrons(number: int) -> int:
    """Electrons beyond the last noble gas; f and d shells that are full before others begin do not count."""
    core = max((c for c in (2, 10, 18, 36, 54, 86) if c < number), default=0)
    beyond = number - core
    has_f = core >= 54
    if has_f and beyond > 16:
        beyond -= 14
        has_f = False
    return beyond - 10 if core >= 18 and not has_f and beyond > 12 else beyond


def _period(row: int) -> int:
    """Of a row of pymatgen's table, which has lanthanides in row 8 and actinides in row 9."""
    return {8: 6, 9: 7}.get(row, row)
