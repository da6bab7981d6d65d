"""Which assistants are there, and what does each know about?"""

from __future__ import annotations

from dataclasses import dataclass

STORE = "store"


@dataclass(frozen=True)
class Domain:
    """One assistant.

    Attributes:
        name: As the supervisor calls it: `ask_thermo` for `thermo`.
        about: What it is asked for, in one sentence.
        properties: Told if the question names none.
        recipes: Whether it looks up procedures instead of materials.
        own_store: Whether it looks into the user's own store, and nowhere else.
    """

    name: str
    about: str
    properties: tuple[str, ...] = ()
    recipes: bool = False
    own_store: bool = False


DOMAINS = (
    Domain(
        "thermo",
        "Stability and energies: formation energy, energy above hull, density, which materials are known.",
        (
            "formation_energy_per_atom",
            "energy_above_hull",
            "energy_per_atom",
            "density",
            "volume_per_atom",
            "theoretical",
        ),
    ),
    Domain(
        "electronic",
        "Electrons and fields: band gap, dielectric constant, refractive index, piezoelectricity, magnetism, "
        "polarization; elastic moduli as well.",
        (
            "band_gap",
            "gap_type",
            "dielectric_total",
            "dielectric_electronic",
            "dielectric_ionic",
            "refractive_index",
            "piezoelectric_modulus",
            "total_magnetization",
            "magnetic_ordering",
            "polarization",
            "bulk_modulus",
            "shear_modulus",
            "poisson_ratio",
        ),
    ),
    Domain(
        "structure",
        "Crystal structure: space group, crystal system, structure type, number of sites, oxidation states.",
        ("structure_type", "possible_species", "volume_per_atom", "density"),
    ),
    Domain("synthesis", "Published procedures: precursors, steps, temperatures, times.", recipes=True),
    Domain("store", "The user's own store: generated and screened candidates.", own_store=True),
)
