"""Which properties does the network know, in which units, and which kinds of calculation tell them apart?

A head has one output per fidelity: releases of the Materials Project differ in their correction scheme, and Castelli's
heats and gaps are another functional's. A head learns a *scale* of its property on which errors are alike: the
logarithm of a permittivity, the magnetization per atom.
"""

from __future__ import annotations

from dataclasses import dataclass

MP_RELEASES = (("mp20",), ("mpts52",), ("mp2018_crysxpp",), ("mp_benchtable",))
MP_ANY = (("mp20", "mp40", "mp_benchtable", "mpts52"),)
CRYSTAL_SYSTEMS = 7


@dataclass(frozen=True)
class Head:
    """One property of the network.

    Attributes:
        name: Of the head.
        label: Name of the label it learns, as the data sets call it.
        fidelities: For each output the fidelities it learns from; other labels of that name are not learned.
        kind: `l1` (value, by absolute error), `binary` (probability of `label` being zero) or `classes`.
        scale: `linear`, `log` (learned as the natural logarithm) or `per_atom` (learned per atom of the cell).
        units: Of the prediction.
        weight: Share in the loss.
        on_chgnet: Learned as a correction to CHGNet's formation energy; see `priors`.
        on_charges: Learned as a correction to what the formula's charges say of metals; see `priors`.
        positive_only: Labels of zero are left out: the gap of what has one.
        prints: Name in the property table, if it is printed and stored.
        method: What the prediction approximates, as it is written behind the model's name.
        least: Smallest value the property can have.
        only: Of which crystals it can be asked: `any`, `insulators` or `abo3`.
    """

    name: str
    label: str
    fidelities: tuple[tuple[str, ...], ...]
    kind: str = "l1"
    scale: str = "linear"
    units: str = "1"
    weight: float = 1.0
    on_chgnet: bool = False
    on_charges: bool = False
    positive_only: bool = False
    prints: str | None = None
    method: str = ""
    least: float | None = None
    only: str = "any"

    @property
    def outputs(self) -> int:
        """Width of the head."""
        return CRYSTAL_SYSTEMS if self.kind == "classes" else len(self.fidelities)


_ROWS = (
    Head(
        "formation_energy",
        "formation_energy_per_atom",
        MP_RELEASES,
        units="eV/atom",
        on_chgnet=True,
        prints="formation_energy_per_atom",
        method="MP PBE, corrected as mp20",
    ),
    Head("energy_above_hull", "energy_above_hull", MP_ANY, units="eV/atom", weight=0.3),
    Head("band_gap", "band_gap", MP_ANY, units="eV", prints="band_gap", method="MP PBE and PBE+U", least=0.0),
    Head("metal", "band_gap", MP_ANY, kind="binary", weight=0.3),
    Head("conditional_gap", "band_gap", MP_ANY, units="eV", weight=0.5, positive_only=True),
    Head(
        "magnetization",
        "total_magnetization",
        (("mp",),),
        scale="per_atom",
        units="mu_B",
        weight=0.3,
        prints="total_magnetization",
        method="MP PBE and PBE+U",
        least=0.0,
    ),
    Head(
        "castelli_heat", "heat_of_formation_castelli", (("castelli-rpbe",),), units="eV/atom", on_chgnet=True
    ),
    Head("castelli_direct_gap", "direct_gap", (("castelli-gllbsc",),), units="eV"),
    Head("castelli_metal", "direct_gap", (("castelli-gllbsc",),), kind="binary", weight=0.3, on_charges=True),
    Head(
        "castelli_conditional_gap",
        "direct_gap",
        (("castelli-gllbsc",),),
        units="eV",
        weight=0.5,
        positive_only=True,
    ),
    Head("crystal_system", "crystal_system", (("abx3-mp",),), kind="classes", weight=0.2),
    Head(
        "abx3_formation_energy", "formation_energy_per_atom", (("abx3-mp",),), units="eV/atom", on_chgnet=True
    ),
    Head("abx3_band_gap", "band_gap", (("abx3-mp",),), units="eV"),
    Head("abx3_metal", "band_gap", (("abx3-mp",),), kind="binary", weight=0.3, on_charges=True),
    Head("abx3_conditional_gap", "band_gap", (("abx3-mp",),), units="eV", weight=0.5, positive_only=True),
    Head(
        "dielectric_electronic",
        "dielectric_electronic",
        (("mp-dfpt",),),
        scale="log",
        weight=0.5,
        prints="dielectric_electronic",
        method="MP DFPT PBE",
        only="insulators",
    ),
    Head(
        "dielectric_ionic",
        "dielectric_ionic",
        (("mp-dfpt",),),
        scale="log",
        weight=0.5,
        prints="dielectric_ionic",
        method="MP DFPT PBE",
        only="insulators",
    ),
    Head(
        "dielectric_total",
        "dielectric_total",
        (("mp-dfpt",),),
        scale="log",
        weight=0.5,
        prints="dielectric_total",
        method="MP DFPT PBE",
        only="insulators",
    ),
    Head(
        "oxygen_vacancy",
        "vacancy_formation_energy",
        (("oqmd",),),
        units="eV",
        weight=0.5,
        prints="vacancy_formation_energy",
        method="OQMD PBE+U, neutral O, lowest site",
        only="abo3",
    ),
)
HEADS: dict[str, Head] = {row.name: row for row in _ROWS}
