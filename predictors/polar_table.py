"""How is the table of polar-nonpolar energy differences made?

From the preferred pairs of Smidt et al. (2020), at the geometries DFT left them in: two weights for CHGNet 0.3.0 and 0.2.0,
none for other potentials, and for each fit the width of its errors on families of chemistry left out (`polar_fit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.chemistry_families import chemistry_family
from ..core.contracts import Potential
from ..core.errors import MissingDataError
from ..core.polar_pairs import SOURCE, Pair, read_preferred
from .chgnet.earlier import EarlierCHGNet
from .chgnet.potential import CHGNetPotential
from .polar_difference import FORMAT, MEV_PER_EV, Combination, Energies, as_energies, bare_name
from .polar_fit import fit_combination

if TYPE_CHECKING:
    from pymatgen.core import Structure


def build_table(data_folder: Path, others: Sequence[Potential] = ()) -> dict[str, Any]:
    """The table as JSON; minutes.

    Args:
        data_folder: Holds `ferroelectrics`.
        others: Potentials that get a fit of their own, beside CHGNet.

    Raises:
        MissingDataError: the pairs are not there, or one has no energy.
    """
    pairs = read_preferred(data_folder)
    ends = [(pair.polar, pair.nonpolar) for pair in pairs]
    members: list[Energies] = [CHGNetPotential(), EarlierCHGNet()]
    columns = np.stack([differences(ends, member.energies) for member in members], axis=1)
    beside = {bare_name(o.name): differences(ends, as_energies(o).energies) for o in others}
    dft = np.array([_dft(pair) for pair in pairs])
    return table([pair.formula for pair in pairs], dft, [m.name for m in members], columns, beside)


def _dft(pair: Pair) -> float:
    if pair.energy_difference is None:
        raise MissingDataError(
            f"The preferred pair {pair.polar_id}, {pair.nonpolar_id} has no energy in the table."
        )
    return pair.energy_difference


def table(
    formulas: Sequence[str],
    dft: np.ndarray,
    names: Sequence[str],
    members: np.ndarray,
    others: Mapping[str, np.ndarray],
) -> dict[str, Any]:
    """Fits to pairs, as `polar_difference` reads them.

    Args:
        formulas: Reduced, one a pair.
        dft: Polar minus nonpolar, meV/atom, shape `(n,)`.
        names: Of the potentials that are fitted together.
        members: What they give, meV/atom, shape `(n, nmembers)`.
        others: What further potentials give, by name, shape `(n,)` each.
    """
    families = [family_of(formula) for formula in formulas]
    return {
        "format": FORMAT,
        "source": f"{SOURCE}, preferred pairs, DFT ends",
        "licence": "MIT (data), fitted by this project",
        "n": len(dft),
        "n_formulas": len(set(formulas)),
        "units": "meV/atom",
        "fits": [
            *(
                as_json(fit_combination([name], column[:, None], dft, families))
                for name, column in others.items()
            ),
            as_json(fit_combination(names, members, dft, families)),
        ],
    }


def family_of(formula: str) -> str:
    """Family of chemistry of a formula."""
    from pymatgen.core import Composition

    return chemistry_family(Composition(formula))


def differences(
    pairs: Sequence[tuple[Structure, Structure]], energies: Callable[[Sequence[Structure]], np.ndarray]
) -> np.ndarray:
    """First minus second of each pair, meV/atom, shape `(npairs,)`.

    Args:
        pairs: Ends.
        energies: Total energies of structures, eV.
    """
    structures = [end for pair in pairs for end in pair]
    sizes = np.array([len(structure) for structure in structures])
    per_atom = (energies(structures) / sizes).reshape(-1, 2)
    return MEV_PER_EV * (per_atom[:, 0] - per_atom[:, 1])


def as_json(fit: Combination) -> dict[str, Any]:
    """A fit as a JSON object."""
    return {**asdict(fit), "members": list(fit.members), "weights": list(fit.weights)}
