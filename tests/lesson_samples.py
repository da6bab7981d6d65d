"""Candidates with estimates and DFT answers, made of real crystals, for tests of what is learned from DFT."""

from __future__ import annotations

from hysteron.core.candidate import Candidate, PropertyValue, Step
from hysteron.core.properties import describe
from pymatgen.core import Lattice, Structure

PBE = "DFT/PBE/pw.x 6.7"
GNN = "GNN 2026-11"
OXIDES = ("TiO", "ZrO", "HfO", "VO", "NbO", "TaO", "ScO", "YO", "MnO", "FeO", "CoO", "NiO", "ZnO", "CdO")
FLUORIDES = ("NaF", "KF", "RbF", "CsF", "LiF")


def salt(formula: str) -> Structure:
    """A rock salt of two elements, of a made-up edge."""
    from pymatgen.core import Composition

    cation, anion = (element.symbol for element in Composition(formula).elements)
    half = 2.1 + 0.01 * len(formula)
    cell = Lattice([[0, half, half], [half, 0, half], [half, half, 0]])
    return Structure(cell, [cation, anion], [[0, 0, 0], [0.5] * 3])


def value(name: str, number: float, method: str, sigma: float | None = None, **more) -> PropertyValue:
    """A property in its unit."""
    return PropertyValue(name, number, describe(name).units, method, sigma, **more)


def predicted(
    structure: Structure, gap: float, sigma: float | None = 0.3, identifier: str = "", method: str = GNN
) -> Candidate:
    """A relaxed crystal with a predicted gap, as a run leaves it."""
    name = identifier or f"{structure.composition.reduced_formula}-test"
    steps = (
        Step("generate", "substitution"),
        Step("relax", "CHGNet 0.3.0", "bfgs"),
        Step("predict", "properties", f"{method}; weights 77"),
    )
    return Candidate(name, structure, (value("band_gap", gap, method, sigma),), steps)


def answered(candidate: Candidate, gap: float, method: str = PBE, kind: str = "static") -> Candidate:
    """With a DFT gap, as `hysteron ingest` adds it."""
    step = Step("ingest", kind, method, details={"calculation": kind})
    return candidate.with_step(step).with_property(value("band_gap", gap, method))


def many(count: int, bias: float = 0.5, sigma: float | None = 0.3) -> list[Candidate]:
    """Oxides whose predicted gaps are too low by `bias`, give or take what a fixed sequence says."""
    found = []
    for i in range(count):
        gap = 1.5 + 0.2 * i
        noise = 0.1 * ((i * 7) % 5 - 2)
        one = predicted(salt(OXIDES[i % len(OXIDES)]), gap, sigma, identifier=f"oxide-{i:03d}")
        found.append(answered(one, gap + bias + noise))
    return found
