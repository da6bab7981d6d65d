"""By which mechanism could this crystal switch, and can ions on a straight path to a nonpolar parent assess it?

The method takes a crystal as ions, each with one effective charge, that move from a nonpolar parent. That
holds where ions shift a little against each other. It fails where the charge moves and the ions hardly do
(layers that slide), where a charge per atom means little (inside a molecule), where a group of atoms turns
instead of shifting (the path crosses itself), and where nothing holds a polarization (metals).

Nothing here depends on the cell, the origin, the orientation or the order of sites.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.bonded_pieces import Bonds, Piece, bonded_pieces, find_bonds
from ...core.errors import InputError, StructureError
from ...core.identity import require_ordered
from ...core.symmetry import dataset_at
from ..gap import NONMETALS
from .symmetry import POLAR_POINT_GROUPS

if TYPE_CHECKING:
    from pymatgen.core import Structure

DISPLACIVE = "displacive"
HYDROGEN_ORDER = "hydrogen order"
RIGID_IONS = "order-disorder of rigid ions"
SLIDING_LAYERS = "electronic (sliding layers)"
MOLECULAR = "molecular"
METAL = "metal"
UNKNOWN_CHARGES = "unknown charges"
PARTIAL_OCCUPANCY = "partial occupancy"

PROTON_ACCEPTORS = frozenset(["O", "F", "Cl", "Br", "I"])
"""Hydrogen on these is treated as a proton; on another nonmetal (C-H, N-H, B-H) as part of a molecule."""
REAL_XH_ANGSTROM = {
    "O": (0.85, 1.30),
    "F": (0.85, 1.30),
    "Cl": (1.15, 1.60),
    "Br": (1.30, 1.75),
    "I": (1.50, 1.95),
}
"""O-H and F-H bonds, from free hydroxide as X-rays see it to the symmetric hydrogen bond of 2.4 to 2.6 A; hydrogen halides (free
molecules: 1.27, 1.41 and 1.61 A) with as much room. Outside, the hydrogen was put there, not found."""
KEPT_BOND = (0.9, 1.25)
"""Bonds of an ion that shifts or turns a little keep this share of their length on a straight path: so in 56 of 62 DFT
pairs with such ions (preferred runs of Smidt et al., Sci. Data 7, 72 (2020)). Nitrite that flattens in NaNO2 has 0.84: there
formal charges give 73 uC/cm^2, ten times what is measured (Sawada et al., Phys. Rev. Lett. 1, 320 (1958))."""
SWUNG_HYDROGEN_ANGSTROM = 0.5
"""A proton that hops in a hydrogen bond of 2.4 to 2.7 A moves by 0 to 0.4 A from the middle; more is a turning group."""
NEUTRAL_LAYER = 0.25
"""Charge per formula unit of a layer, e, below which nothing but van der Waals forces hold the layers together."""
LAYER_SYMPREC_ANGSTROM = 0.03
"""A layer that is not polar by itself at this tolerance owes the polarity of its crystal to the stacking."""
RIGID_LAYER_ANGSTROM = 0.05
"""Layers whose atoms move by less than this against their layer's mean slide as a whole."""
VACUUM_ANGSTROM = 15.0
ZERO_GAP = 1e-3
"""eV; a gap below is none."""


@dataclass(frozen=True)
class Mechanism:
    """How the crystal could switch, and whether this method can follow.

    Attributes:
        kind: One of the names above, such as `displacive`.
        assessable: Whether the polarization from effective charges and a parent means something.
        reason: One sentence.
    """

    kind: str
    assessable: bool
    reason: str

    def record(self) -> dict[str, Any]:
        """As JSON."""
        return {"kind": self.kind, "assessable": self.assessable, "reason": self.reason}


def assess(
    structure: Structure,
    charges: Sequence[float] | None,
    displacements: np.ndarray | None = None,
    band_gap: float | None = None,
) -> Mechanism:
    """The mechanism, by the first rule that speaks.

    Args:
        structure: The polar crystal, any cell; a disordered one is named as such.
        charges: Formal or effective, e, one per site; `None` if there are none.
        displacements: Polar minus parent, Cartesian, A, shape `(nsites, 3)`; `None` if no parent is known.
            A common shift of all atoms changes nothing.
        band_gap: eV, by the best method at hand (PBE closes some gaps); `None` if not known.

    Raises:
        InputError: charges or displacements of another number of sites.
    """
    try:
        require_ordered(structure)
    except StructureError as error:
        return Mechanism(PARTIAL_OCCUPANCY, False, f"Not assessable by this method: {error}")
    crystal = _Crystal(structure, charges, displacements, band_gap)
    return next(found for rule in RULES if (found := rule(crystal)) is not None)


@dataclass(frozen=True)
class _Crystal:
    structure: Structure
    charges: Sequence[float] | None
    displacements: np.ndarray | None
    band_gap: float | None

    def __post_init__(self) -> None:
        nsites = len(self.structure)
        if self.charges is not None and len(self.charges) != nsites:
            raise InputError(f"charges has {len(self.charges)} values, expected {nsites}, one per site.")
        if self.displacements is not None and self.displacements.shape != (nsites, 3):
            raise InputError(f"displacements has shape {self.displacements.shape}, expected ({nsites}, 3).")

    @cached_property
    def symbols(self) -> list[str]:
        return [site.specie.symbol for site in self.structure]

    @cached_property
    def bonds(self) -> Bonds:
        return find_bonds(self.structure)

    def pieces(self, elements: frozenset[str] | None = None) -> list[Piece]:
        """Bonded pieces; of these elements and the bonds between them alone, if named."""
        kept = [i for i, symbol in enumerate(self.symbols) if elements is None or symbol in elements]
        return bonded_pieces(kept, self.bonds)

    @cached_property
    def partners_of_hydrogen(self) -> dict[int, tuple[str, float]]:
        """Of each hydrogen that is bonded to a nonmetal, the nearest: its symbol and distance, A."""
        starts, ends, _, lengths = self.bonds
        found: dict[int, tuple[str, float]] = {}
        for i, j, length in zip(starts, ends, lengths, strict=True):
            closer = i not in found or length < found[i][1]
            if self.symbols[i] == "H" and self.symbols[j] in NONMETALS and closer:
                found[int(i)] = self.symbols[j], float(length)
        return found


def _metal(crystal: _Crystal) -> Mechanism | None:
    if crystal.band_gap is None or crystal.band_gap >= ZERO_GAP:
        return None
    return Mechanism(
        METAL,
        False,
        "Not assessable by this method: the band gap given is zero, so free carriers screen any polarization.",
    )


def _molecular(crystal: _Crystal) -> Mechanism | None:
    hosts = {host for host, _ in crystal.partners_of_hydrogen.values()} - PROTON_ACCEPTORS
    if hosts:
        bonds = ", ".join(f"{host}-H" for host in sorted(hosts))
        return _not_of_ions(f"it holds molecules or molecular ions ({bonds} bonds)")
    no_protons = "H" not in crystal.symbols
    if (
        no_protons
        and NONMETALS.issuperset(crystal.symbols)
        and all(p.dimension == 0 for p in crystal.pieces())
    ):
        return _not_of_ions("it consists of separate molecules")
    return None


def _not_of_ions(why: str) -> Mechanism:
    return Mechanism(
        MOLECULAR,
        False,
        f"Not assessable by this method: {why}, in which a charge per atom means little; "
        "they turn as a whole when the crystal switches.",
    )


def _unknown_charges(crystal: _Crystal) -> Mechanism | None:
    if crystal.charges is not None and np.any(crystal.charges):
        return None
    return Mechanism(
        UNKNOWN_CHARGES,
        False,
        "Not assessable by this method: no neutral set of ionic charges explains the crystal, which may be a metal.",
    )


def _sliding_layers(crystal: _Crystal) -> Mechanism | None:
    layers = crystal.pieces()
    if any(layer.dimension != 2 for layer in layers) or not _neutral(layers, crystal):
        return None
    if not any(is_polar_layer(crystal.structure, layer) for layer in layers):
        why = "its layers are not polar by themselves, only their stacking is"
    elif crystal.displacements is not None and _slide(layers, crystal.displacements):
        why = "its layers move as a whole against each other"
    else:
        return None
    return Mechanism(
        SLIDING_LAYERS,
        False,
        f"Not assessable by this method: {why}, so the polarization is charge that flows between layers that "
        "slide (Wu and Li, PNAS 118, e2115703118 (2021)).",
    )


def _neutral(layers: Sequence[Piece], crystal: _Crystal) -> bool:
    assert crystal.charges is not None  # a rule before
    units = crystal.structure.composition.get_reduced_composition_and_factor()[1]
    per_layer = [abs(sum(crystal.charges[i] for i in layer.sites)) for layer in layers]
    return max(per_layer) * len(layers) / units < NEUTRAL_LAYER


def _slide(layers: Sequence[Piece], displacements: np.ndarray) -> bool:
    """Whether the layers shift against each other and stay as they are."""
    centred = displacements - displacements.mean(axis=0)
    means = np.array([centred[list(layer.sites)].mean(axis=0) for layer in layers])
    within = max(_residual(centred, layer) for layer in layers)
    return within < RIGID_LAYER_ANGSTROM < np.linalg.norm(means, axis=1).max()


def _residual(displacements: np.ndarray, piece: Piece) -> float:
    """Largest displacement of an atom of a piece against the piece's mean, A."""
    own = displacements[list(piece.sites)]
    return float(np.linalg.norm(own - own.mean(axis=0), axis=1).max())


def is_polar_layer(structure: Structure, layer: Piece) -> bool:
    """Whether a layer, alone in vacuum, has a polar point group at `LAYER_SYMPREC_ANGSTROM`."""
    from pymatgen.core import Lattice, Structure

    matrix = structure.lattice.matrix
    first, second = layer.basis @ matrix
    normal = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    coords = (structure.frac_coords[list(layer.sites)] + layer.cells) @ matrix
    height = np.ptp(coords @ normal) + VACUUM_ANGSTROM
    species = [structure[i].specie for i in layer.sites]
    alone = Structure(Lattice([first, second, height * normal]), species, coords, coords_are_cartesian=True)
    dataset = dataset_at(alone, LAYER_SYMPREC_ANGSTROM)
    return dataset is not None and dataset.pointgroup in POLAR_POINT_GROUPS


def _rigid_ions(crystal: _Crystal) -> Mechanism | None:
    """Speaks when a bond inside a finite ion does not keep its length on the path, as when a nitrite turns around."""
    if crystal.displacements is None:
        return None
    ions = [p for p in crystal.pieces(NONMETALS - {"H"}) if p.dimension == 0 and len(p.sites) > 1]
    for ion in ions:
        shortest, longest = _stretch(crystal, ion)
        if shortest < KEPT_BOND[0] or longest > KEPT_BOND[1]:
            worst = shortest if shortest < KEPT_BOND[0] else longest
            return Mechanism(
                RIGID_IONS,
                False,
                f"Not assessable by this method: on the straight path from the parent a bond inside {_formula(crystal, ion)} "
                f"changes to {worst:.2f} of its length; such an ion turns as a whole, and charges of its atoms do not tell "
                "its dipole.",
            )
    return None


def _stretch(crystal: _Crystal, ion: Piece) -> tuple[float, float]:
    """Least and greatest length of a bond of the ion, halfway and at the parent, over that in the crystal."""
    starts, ends, cells, lengths = crystal.bonds
    inside = np.isin(starts, ion.sites) & np.isin(ends, ion.sites)
    i, j = starts[inside], ends[inside]
    coords, matrix = crystal.structure.cart_coords, crystal.structure.lattice.matrix
    vectors = coords[j] + cells[inside] @ matrix - coords[i]
    steps = crystal.displacements[j] - crystal.displacements[i]  # type: ignore[index]
    ratios = [np.linalg.norm(vectors - part * steps, axis=1) / lengths[inside] for part in (0.5, 1.0)]
    return float(np.min(ratios)), float(np.max(ratios))


def _formula(crystal: _Crystal, ion: Piece) -> str:
    from pymatgen.core import Element

    counts = Counter(crystal.symbols[i] for i in ion.sites)
    ordered = sorted(counts, key=lambda symbol: Element(symbol).X)
    return "".join(f"{symbol}{counts[symbol] if counts[symbol] > 1 else ''}" for symbol in ordered)


def _hydrogen_order(crystal: _Crystal) -> Mechanism | None:
    partners = crystal.partners_of_hydrogen
    if not partners:
        return None
    for host, length in partners.values():
        low, high = REAL_XH_ANGSTROM[host]
        if not low <= length <= high:
            return Mechanism(
                HYDROGEN_ORDER,
                False,
                f"Not assessable by this method: a hydrogen stands {length:.2f} A from its {host}, outside "
                f"{low:g} to {high:g} A, so its position was put there, not found.",
            )
    if crystal.displacements is None:
        return Mechanism(
            HYDROGEN_ORDER,
            True,
            "Protons order in hydrogen bonds; their hops are displacements, assessable once a nonpolar parent is found.",
        )
    centred = crystal.displacements - crystal.displacements.mean(axis=0)
    farthest = float(np.linalg.norm(centred[list(partners)], axis=1).max())
    if farthest > SWUNG_HYDROGEN_ANGSTROM:
        return Mechanism(
            HYDROGEN_ORDER,
            True,
            f"A hydrogen moves by {farthest:.2f} A from the parent, more than a proton that hops in its hydrogen bond: its group "
            "turns. Assessable with reserve: hydrogen positions in databases are uncertain, and what turns takes no straight "
            "path.",
        )
    return Mechanism(
        HYDROGEN_ORDER,
        True,
        f"Protons shift by up to {farthest:.2f} A from the parent, as in hydrogen bonds; assessable with reserve: "
        "hydrogen positions in databases are uncertain, and protons tunnel.",
    )


def _displacive(crystal: _Crystal) -> Mechanism:
    layered = all(piece.dimension == 2 for piece in crystal.pieces())
    where = "inside its layers" if layered else "against each other"
    return Mechanism(
        DISPLACIVE, True, f"Ions shift {where}; effective charges on the path from the parent apply."
    )


RULES: tuple[Callable[[_Crystal], Mechanism | None], ...] = (
    _metal,
    _molecular,
    _unknown_charges,
    _sliding_layers,
    _rigid_ions,
    _hydrogen_order,
    _displacive,
)
"""Asked in this order; the last always answers."""
