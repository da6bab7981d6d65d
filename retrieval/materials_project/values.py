"""Which properties does a record hold, by which method, from which version?

A summary does not say by which functional its numbers were computed (PBE, PBE+U or r2SCAN), so neither do its
values: their method is `DFT (Materials Project)`, which a filter on `band_gap.pbe` does not meet. Where the
functional of a gap is known, see `functionals`, the gap names it. Energies name their scheme of correction where
the route `thermo` gives it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.candidate import PropertyValue
from ...core.energy_scales import MP2020
from ...core.properties import describe
from .documents import (
    Dielectric,
    Elasticity,
    ElectronicStructure,
    Magnetism,
    OxidationStates,
    Piezoelectric,
    Provenance,
    Summary,
    Thermo,
)

DFT = "DFT (Materials Project)"
IONS = "bond valence or composition (Materials Project)"
ON_RECORD = "experimental databases known to the Materials Project"
FUNCTIONALS = {
    "GGA": "PBE",
    "GGA+U": "PBE+U",
    "PBE": "PBE",
    "PBE+U": "PBE+U",
    "R2SCAN": "r2SCAN",
    "R2SCAN+U": "r2SCAN+U",
    "SCAN": "SCAN",
    "SCAN+U": "SCAN+U",
}
"""The Materials Project's names of its calculations' functionals, in capitals; its GGA is PBE."""
ORDERINGS = ("NM", "FM", "AFM", "FiM")


def source_of(version: str, material_id: str) -> str:
    """As written in `PropertyValue.source`."""
    return f"Materials Project {version}, {material_id}"


def functional(run_type: str | None) -> str | None:
    """Name of the functional of a calculation, or `None` if it is not known."""
    return FUNCTIONALS.get(run_type.upper()) if run_type else None


def of_summary(record: Summary, source: str, gap_method: str = DFT) -> list[PropertyValue]:
    """What a summary holds; the gap by the method given."""
    found = {
        "energy_per_atom": record.energy_per_atom,
        "formation_energy_per_atom": record.formation_energy_per_atom,
        "energy_above_hull": record.energy_above_hull,
        "density": record.density,
    }
    return [
        *_values(found, DFT, source),
        *of_electronic_structure(record, source, gap_method),
        *of_magnetism(record, source),
        *of_elasticity(record, source),
        *of_dielectric(record, source),
        *of_piezoelectric(record, source),
        *_ions(record.possible_species, IONS, source),
        *of_provenance(record, source),
    ]


def of_thermo(record: Thermo, source: str) -> list[PropertyValue]:
    """Energies by the scheme that the record names."""
    found = {
        "energy_per_atom": record.energy_per_atom,
        "formation_energy_per_atom": record.formation_energy_per_atom,
        "energy_above_hull": record.energy_above_hull,
    }
    return list(_values(found, thermo_method(record.thermo_type, record.energy_type), source))


def thermo_method(thermo_type: str, energy_type: str | None) -> str:
    """The functional of the energy, and the scheme that makes it comparable with others."""
    name = functional(energy_type)
    scheme = thermo_type.upper()
    if scheme == "GGA_GGA+U":
        return f"{name or 'DFT, PBE or PBE+U'}, {MP2020}"
    if scheme == "GGA_GGA+U_R2SCAN":
        return f"{name or 'DFT, PBE, PBE+U or r2SCAN'}, mixed by the Materials Project"
    if scheme == "R2SCAN":
        return "r2SCAN"
    return DFT


def of_electronic_structure(
    record: Summary | ElectronicStructure, source: str, method: str = DFT
) -> list[PropertyValue]:
    """Gap, and whether it is direct; a metal's is neither."""
    found: dict[str, Any] = {"band_gap": record.band_gap}
    metal = record.is_metal or record.band_gap == 0
    if record.is_gap_direct is not None and record.band_gap is not None and not metal:
        found["gap_type"] = "direct" if record.is_gap_direct else "indirect"
    return list(_values(found, method, source))


def of_dielectric(record: Summary | Dielectric, source: str) -> list[PropertyValue]:
    """Permittivities and the refractive index."""
    found = {
        "dielectric_total": record.e_total,
        "dielectric_ionic": record.e_ionic,
        "dielectric_electronic": record.e_electronic,
        "refractive_index": record.n,
    }
    return list(_values(found, DFT, source))


def of_piezoelectric(record: Summary | Piezoelectric, source: str) -> list[PropertyValue]:
    """The largest response."""
    return list(_values({"piezoelectric_modulus": record.e_ij_max}, DFT, source))


def of_elasticity(record: Summary | Elasticity, source: str) -> list[PropertyValue]:
    """Voigt-Reuss-Hill averages."""
    found = {
        "bulk_modulus": record.bulk_modulus.vrh if record.bulk_modulus else None,
        "shear_modulus": record.shear_modulus.vrh if record.shear_modulus else None,
        "poisson_ratio": record.homogeneous_poisson,
    }
    return list(_values(found, DFT, source))


def of_magnetism(record: Summary | Magnetism, source: str) -> list[PropertyValue]:
    """Magnetization, and the ordering where one was found."""
    ordering = record.ordering if record.ordering in ORDERINGS else None
    found = {"total_magnetization": record.total_magnetization, "magnetic_ordering": ordering}
    return list(_values(found, DFT, source))


def of_oxidation_states(record: OxidationStates, source: str) -> list[PropertyValue]:
    """Ions, by the method the record names."""
    method = f"{record.method} (Materials Project)" if record.method else IONS
    return list(_ions(record.possible_species, method, source))


def of_provenance(record: Summary | Provenance, source: str) -> list[PropertyValue]:
    """Whether an experimental record is known."""
    if record.theoretical is None:
        return []
    return list(_values({"theoretical": "yes" if record.theoretical else "no"}, ON_RECORD, source))


def _ions(species: list[str] | None, method: str, source: str) -> Iterator[PropertyValue]:
    shown = " ".join(sorted(species)) if species else None
    return _values({"possible_species": shown}, method, source)


def _values(found: dict[str, Any], method: str, source: str) -> Iterator[PropertyValue]:
    for name, value in found.items():
        if value is not None:
            yield PropertyValue(name, value, describe(name).units, method, None, source)
