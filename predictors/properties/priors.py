"""What is known of a label before the network speaks?

Of an energy per atom: CHGNet's. Another functional, correction scheme or set of reference phases shifts it by a constant per
element, and stretches it a little: both are fitted to the training labels of each output by ridge regression, towards
CHGNet's own formation energy.

Of a metal: whether the formula's charges can balance, and whether its electrons pair. The prior is how often a training label
says "metal" among formulas of the same kind. Common oxidation states are pymatgen's, one per element.

The network learns what is left.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor

from ..gnn.packed import Packed
from ..gnn.training import Targets
from .heads import HEADS

ATOMIC_NUMBERS = 119
TERMS = ATOMIC_NUMBERS + 1  # a constant per atomic number, and the stretch
RIDGE = 1e-3  # in squared shares; an element that no label knows keeps CHGNet's reference
MOST_IMBALANCE = 3  # elementary charges per formula unit; more counts as much
CHARGE_CLASSES = 2 * (MOST_IMBALANCE + 1)
PSEUDO_LABELS = 2.0  # of the whole set's share of metals, added to each class


def fitted_priors(
    targets: Targets, crystals: Packed, references: Tensor, training: Tensor, with_chgnet: bool = True
) -> dict[str, Tensor]:
    """What the training labels say of each head that stands on something.

    Args:
        targets: Labels of all crystals.
        crystals: With CHGNet's energies.
        references: CHGNet's energy of each element in its reference phase, eV/atom, by atomic number, shape `(119,)`.
        training: Places of the labels that may be seen.
        with_chgnet: Whether CHGNet may be asked.

    Returns:
        By head, float64: changes to CHGNet's formation energy as coefficients of the shares of the elements and of itself, shape
        `(outputs, 120)`, zero for an output without labels; or the log odds of a metal by class of charges, shape `(1, 8)`.
    """
    found = {}
    terms = classes = None
    for name, values in targets.values.items():
        if HEADS[name].on_chgnet and with_chgnet:
            terms = terms_of(crystals, references) if terms is None else terms
            columns = values.unbind(1)
            found[name] = torch.stack([_changes(terms, column, training) for column in columns])
        if HEADS[name].on_charges:
            classes = charge_classes(crystals) if classes is None else classes
            found[name] = _log_odds(classes[training], values[training, 0])[None]
    return found


def require_priors(priors: Mapping[str, Tensor], heads: Sequence[str]) -> None:
    """Refuse priors that are not those of these heads.

    Raises:
        ValueError: one is of a head that stands on nothing or is not there, or has another shape than `fitted_priors` gives.
    """
    for name, prior in priors.items():
        head = HEADS[name] if name in heads else None
        if head is None or not (head.on_chgnet or head.on_charges):
            raise ValueError(f"it has a prior for {name!r}, which stands on none")
        wanted = (head.outputs, TERMS if head.on_chgnet else CHARGE_CLASSES)
        if tuple(prior.shape) != wanted or prior.dtype != torch.float64:
            raise ValueError(
                f"its prior for {name!r} has shape {tuple(prior.shape)}, expected {wanted} in float64"
            )


def offsets_of(priors: Mapping[str, Tensor], crystals: Packed, references: Tensor) -> dict[str, Tensor]:
    """What is known of each crystal, by head, float32, shape `(ncrystals, outputs)`: eV/atom, or the log odds of a metal."""
    found = {}
    terms = classes = None
    for name, prior in priors.items():
        if HEADS[name].on_chgnet:
            terms = terms_of(crystals, references) if terms is None else terms
            found[name] = (terms[:, -1:] + terms @ prior.T).float()
        else:
            classes = charge_classes(crystals) if classes is None else classes
            found[name] = prior[:, classes].T.float().contiguous()
    return found


def chgnet_formation(crystals: Packed, references: Tensor) -> Tensor:
    """CHGNet's formation energies, eV/atom, shape `(ncrystals,)`; NaN where an element has no reference."""
    owners, sizes = _owners(crystals)
    total = torch.zeros(len(crystals)).index_add_(0, owners, references[crystals.numbers.long()])
    return crystals.energies - total / sizes


def terms_of(crystals: Packed, references: Tensor) -> Tensor:
    """Shares of the elements and CHGNet's formation energy, float64, shape `(ncrystals, 120)`."""
    owners, sizes = _owners(crystals)
    found = torch.zeros(len(crystals), TERMS, dtype=torch.float64)
    ones = torch.ones(len(owners), dtype=torch.float64)
    found.index_put_((owners, crystals.numbers.long()), ones, accumulate=True)
    found /= sizes[:, None]
    found[:, -1] = chgnet_formation(crystals, references).double()
    return found


def _changes(terms: Tensor, labels: Tensor, training: Tensor) -> Tensor:
    known = training[torch.isfinite(labels[training]) & torch.isfinite(terms[training, -1])]
    design = terms[known]
    normal = design.T @ design + RIDGE * torch.eye(TERMS, dtype=torch.float64)
    return torch.linalg.solve(normal, design.T @ (labels[known].double() - design[:, -1]))


def _log_odds(classes: Tensor, labels: Tensor) -> Tensor:
    """Of a label of 1, by class, float64, shape `(8,)`."""
    known = torch.isfinite(labels)
    classes, labels = classes[known], labels[known].double()
    if not len(labels):
        return torch.zeros(CHARGE_CLASSES, dtype=torch.float64)
    counts = torch.bincount(classes, minlength=CHARGE_CLASSES).double()
    metals = torch.bincount(classes, weights=labels, minlength=CHARGE_CLASSES)
    whole = (labels.sum() + 0.5) / (len(labels) + 1)
    share = (metals + PSEUDO_LABELS * whole) / (counts + PSEUDO_LABELS)
    return torch.log(share / (1 - share))


def charge_classes(crystals: Packed) -> Tensor:
    """Class of each crystal's formula, see `charge_class`, int64, shape `(ncrystals,)`."""
    numbers, starts = crystals.numbers.tolist(), crystals.atom_starts.tolist()
    found = []
    for first, end in itertools.pairwise(starts):
        counts = Counter(numbers[first:end])
        unit = math.gcd(*counts.values())
        found.append(charge_class(tuple(sorted((z, n // unit) for z, n in counts.items()))))
    return torch.tensor(found, dtype=torch.long)


@lru_cache(maxsize=100_000)
def charge_class(formula: tuple[tuple[int, int], ...]) -> int:
    """Least charge of a formula unit with common oxidation states, up to 3; and 4 more for an odd number of electrons.

    Args:
        formula: Atomic numbers and counts, reduced.
    """
    charges = {0}
    for z, n in formula:
        charges = {charge + n * state for charge in charges for state in _oxidation_states(z)}
    least = min(abs(charge) for charge in charges)
    odd = sum(z * n for z, n in formula) % 2
    return min(least, MOST_IMBALANCE) + (MOST_IMBALANCE + 1) * odd


@lru_cache(maxsize=ATOMIC_NUMBERS)
def _oxidation_states(number: int) -> tuple[int, ...]:
    """Common ones; 0 for an element that has none."""
    from pymatgen.core import Element

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tuple(int(state) for state in Element.from_Z(number).common_oxidation_states) or (0,)


def _owners(crystals: Packed) -> tuple[Tensor, Tensor]:
    """Crystal of each atom, and the number of atoms of each crystal."""
    sizes = crystals.atom_starts[1:] - crystals.atom_starts[:-1]
    return torch.repeat_interleave(torch.arange(len(crystals)), sizes), sizes
