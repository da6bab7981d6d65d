"""What is the polarization of a crystal, given how its ions have moved from a nonpolar parent?

Formal charges times displacements, plus what the electrons of the bonds add (`bond_dipoles`), with coefficients
fitted by ridge regression to DFT polarizations (`charge_fitting`). A coefficient of zero is the formal charge, and toward
it they are shrunk: each is the sum of one for all bonds, one for the class of the cation (lone pairs have their own),
one for that class with the anion's element, and one for the ion with that element, each with its own prior. An ion
that was not in the fit so gets its class's coefficient, and is named.

The shipped table is `data/effective_charges.json`; its card is `data/effective_charges.md`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.errors import MissingDataError
from ...core.polarization import E_PER_A2_IN_UC_PER_CM2
from ...core.settings import data_file
from .bond_dipoles import Bond, bond_charges, bond_dipoles, ion_label
from .polarization import polarization_from_charges

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from pymatgen.core import Structure

TABLE = "effective_charges.json"
FORMAT = 1
METHOD = "effective charges (ridge 2026)"
ALL_BONDS = "all"
VANISHING_POLARIZATION = 1e-9
"""uC/cm^2; below, a polarization has no direction."""


@dataclass(frozen=True)
class PolarizationEstimate:
    """A polarization and how far it may be trusted.

    Attributes:
        vector: Cartesian, uC/cm^2, shape `(3,)`.
        norm: Its length, uC/cm^2.
        uncertainty: Of the norm, uC/cm^2: about 68% of cross-validated errors are smaller.
        interval: Where the DFT norm lies with a coverage of `coverage`, uC/cm^2.
        coverage: Of the interval.
        charges: Effective charge of each site in the polar crystal, e: a third of the trace of its tensor.
        nominal: Norm by formal charges alone, uC/cm^2.
        extrapolated: Ions, then bonds between known ions, that the fit has not seen: `As3+`, `Pb2+-S`.
        method: Of the property.
    """

    vector: np.ndarray
    norm: float
    uncertainty: float
    interval: tuple[float, float]
    coverage: float
    charges: np.ndarray
    nominal: float
    extrapolated: tuple[str, ...]
    method: str = METHOD


@dataclass(frozen=True)
class ErrorLaw:
    """How large errors are, apart from what the coefficients' own uncertainty explains; from cross-validation.

    Attributes:
        floor: uC/cm^2.
        relative: Of the norm.
        of_bonds: Of what the bonds add to the formal charges' polarization.
        scale: From the law to the quantile that 68.3% of the errors keep to.
        interval_factor: Half the interval's width over the uncertainty.
        coverage: Of that interval.
    """

    floor: float
    relative: float
    of_bonds: float
    scale: float
    interval_factor: float
    coverage: float

    def uncertainty(self, norm: float, added: float, coefficients: float) -> float:
        """Of a norm, uC/cm^2; `added` by the bonds, with `coefficients` the part that is theirs."""
        spread = self.floor + self.relative * norm + self.of_bonds * added
        return self.scale * float(np.hypot(spread, coefficients))

    def interval(self, norm: float, uncertainty: float) -> tuple[float, float]:
        """Around a norm, none of it negative, uC/cm^2."""
        half = self.interval_factor * uncertainty
        return max(0.0, norm - half), norm + half


@dataclass(frozen=True)
class EffectiveChargeModel:
    """Coefficients of bonds, with their covariance and the law of errors.

    Attributes:
        values: By name of term (`terms_of`).
        variances: Of the terms of single ions.
        shared: Names of the terms that several ions share.
        covariance: Of these, shape `(nshared, nshared)`. Terms of single ions are taken as independent of them,
            which makes uncertainties a little too large.
        prior_variances: Of the four levels of terms: what an unknown term could be.
        ions: All ions of the fit.
        errors: The law of errors.
    """

    values: Mapping[str, float]
    variances: Mapping[str, float]
    shared: tuple[str, ...]
    covariance: np.ndarray
    prior_variances: tuple[float, float, float, float]
    ions: frozenset[str]
    errors: ErrorLaw

    def coefficient(self, bond: Bond) -> float:
        """Charge that the bond's electrons carry over the cation's formal charge."""
        return sum(self.values.get(term, 0.0) for term in terms_of(bond))

    def polarization(
        self, polar: Structure, displacements: np.ndarray, charges: Sequence[float]
    ) -> PolarizationEstimate:
        """Polarization of a crystal relative to its nonpolar parent.

        Args:
            polar: The crystal, ordered.
            displacements: Polar minus parent in the polar cell, Cartesian, each to the nearest image, A, shape
                `(nsites, 3)`. A common shift changes nothing.
            charges: Formal, e, one per site, neutral in sum.

        Returns:
            The estimate. Its vector is zero without displacements, turns with the crystal and reverses with its
            inverted domain.

        Raises:
            InputError: another number of charges than of sites, or charges that do not add up to zero.
        """
        nominal = polarization_from_charges(displacements, charges, polar.volume)
        added = added_dipoles(polar, displacements, charges)
        from_bonds = sum((self.coefficient(bond) * one for bond, one in added.items()), np.zeros(3))
        vector = nominal + from_bonds
        norm = float(np.linalg.norm(vector))
        uncertainty = self.errors.uncertainty(
            norm, float(np.linalg.norm(from_bonds)), self.spread(added, vector)
        )
        return PolarizationEstimate(
            vector=vector,
            norm=norm,
            uncertainty=uncertainty,
            interval=self.errors.interval(norm, uncertainty),
            coverage=self.errors.coverage,
            charges=np.trace(self.charge_tensors(polar, charges), axis1=1, axis2=2) / 3,
            nominal=float(np.linalg.norm(nominal)),
            extrapolated=self.extrapolated(polar, charges, list(added)),
        )

    def charge_tensors(self, structure: Structure, charges: Sequence[float]) -> np.ndarray:
        """Dynamical (Born) charges by this model, e, row is the polarization's direction, shape `(nsites, 3, 3)`.

        They add up to the sum of `charges`, so to zero.
        """
        bonds = bond_dipoles(structure, charges)
        added = bond_charges(structure, charges, {bond: self.coefficient(bond) for bond in bonds})
        return np.asarray(charges, dtype=float)[:, None, None] * np.eye(3) + added

    def spread(self, added: Mapping[Bond, np.ndarray], vector: np.ndarray) -> float:
        """Standard deviation of the polarization along `vector` by that of the coefficients, uC/cm^2."""
        norm = np.linalg.norm(vector)
        axes = np.eye(3) if norm < VANISHING_POLARIZATION else (vector / norm)[None, :]
        along = {bond: axes @ one for bond, one in added.items()}
        return float(np.sqrt(np.mean(self._variance(along, len(axes)))))

    def _variance(self, along: Mapping[Bond, np.ndarray], naxes: int) -> np.ndarray:
        place = {name: i for i, name in enumerate(self.shared)}
        design = np.zeros((naxes, len(self.shared)))
        alone: dict[str, tuple[np.ndarray, float]] = {}
        for bond, component in along.items():
            for term, prior in zip(terms_of(bond), self.prior_variances, strict=True):
                if term in place:
                    design[:, place[term]] += component
                else:
                    before = alone.get(term, (np.zeros(naxes), 0.0))[0]
                    alone[term] = (before + component, self.variances.get(term, prior))
        shared = np.einsum("ai,ij,aj->a", design, self.covariance, design)
        return shared + sum((variance * total**2 for total, variance in alone.values()), np.zeros(naxes))

    def extrapolated(
        self, structure: Structure, charges: Sequence[float], bonds: Sequence[Bond]
    ) -> tuple[str, ...]:
        """Ions, then bonds between known ions, that the fit has not seen."""
        ions = {
            ion_label(s.specie.symbol, q): s.specie.symbol for s, q in zip(structure, charges, strict=True)
        }
        unknown = {label: symbol for label, symbol in ions.items() if label not in self.ions}
        strange = {
            bond.name
            for bond in bonds
            if bond.name not in self.values
            and bond.cation not in unknown
            and bond.anion not in unknown.values()
        }
        return (*sorted(unknown), *sorted(strange))


def terms_of(bond: Bond) -> tuple[str, str, str, str]:
    """Names of the terms that add up to a bond's coefficient, from the widest to the narrowest."""
    return ALL_BONDS, bond.kind, f"{bond.kind}-{bond.anion}", bond.name


def added_dipoles(
    polar: Structure, displacements: np.ndarray, charges: Sequence[float]
) -> dict[Bond, np.ndarray]:
    """Bond dipoles of the polar crystal less those of its parent in the same cell, uC/cm^2, shape `(3,)` each."""
    from pymatgen.core import Structure

    coords = polar.cart_coords - displacements
    parent = Structure(polar.lattice, polar.species, coords, coords_are_cartesian=True)
    after, before = bond_dipoles(polar, charges), bond_dipoles(parent, charges)
    unit = E_PER_A2_IN_UC_PER_CM2 / polar.volume
    return {
        bond: unit * (after.get(bond, np.zeros(3)) - before.get(bond, np.zeros(3)))
        for bond in sorted(after.keys() | before.keys())
    }


def polarization(
    polar: Structure, displacements: np.ndarray, charges: Sequence[float]
) -> PolarizationEstimate:
    """`EffectiveChargeModel.polarization` by the shipped table."""
    return load_model().polarization(polar, displacements, charges)


def halved(change: PolarizationEstimate, directions: np.ndarray) -> PolarizationEstimate:
    """The spontaneous polarization, from the change on the way from the reversed state to the crystal.

    Args:
        change: On the whole way.
        directions: Those along which the point group allows a polarization, orthonormal, in rows, shape `(n, 3)`. What
            lies across them is a fraction of a quantum that symmetry fixes, and no spontaneous polarization.
    """
    vector = change.vector @ directions.T @ directions / 2
    norm = float(np.linalg.norm(vector))
    half_width = (change.interval[1] - change.norm) / 2
    return replace(
        change,
        vector=vector,
        norm=norm,
        uncertainty=change.uncertainty / 2,
        interval=(max(0.0, norm - half_width), norm + half_width),
        nominal=change.nominal / 2,
    )


@lru_cache(maxsize=1)
def load_model() -> EffectiveChargeModel:
    """The table, the user's own before the shipped one.

    Raises:
        MissingDataError: it is not there, damaged, or of another layout.
    """
    return read_model(data_file(TABLE))


def read_model(path: Path | Traversable) -> EffectiveChargeModel:
    """A table as `charge_fitting` writes it.

    Raises:
        MissingDataError: it is not there, damaged, or of another layout.
    """
    try:
        return model_from(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MissingDataError(
            f"The effective charges {path} cannot be read ({error}). 'hysteron data build charges' makes them."
        ) from None


def model_from(table: Mapping[str, Any]) -> EffectiveChargeModel:
    """From the table's JSON.

    Raises:
        ValueError: it has another layout.
    """
    if table.get("format") != FORMAT:
        raise ValueError(f"layout {table.get('format')!r}, this program reads {FORMAT}")
    covariance, terms = table["covariance"], table["terms"]
    return EffectiveChargeModel(
        values={name: term["value"] for name, term in terms.items()},
        variances={name: term["deviation"] ** 2 for name, term in terms.items()},
        shared=tuple(covariance["terms"]),
        covariance=np.array(covariance["rows"], dtype=float),
        prior_variances=tuple(deviation**2 for deviation in table["prior_deviations"]),  # type: ignore[arg-type]
        ions=frozenset(table["ions"]),
        errors=ErrorLaw(**table["errors"]),
    )
