"""Which estimates of ours stand beside DFT values of the shared data, none of which taught the estimate?

- *gaps*: the shipped property network on the Materials Project's validation and test formulas, which it was not trained
  on, against PBE (what carries a Hubbard U is left out), with its own intervals; and the network's distance from the hull.
- *gaps of another functional*: the same network, which learned PBE gaps, on Castelli's cubic perovskites against
  GLLB-SC: gaps of a method that it never saw, larger by design.
- *polarizations*: effective charges fitted without the chemistry of the pair, against Berry phases of Smidt et al. (2020).
- *polar energy differences*: CHGNet 0.3.0 as it is, without an uncertainty, at DFT's ends, against the same.

What a network says costs minutes, so it is kept under `HYSTERON_HOME/cache/learning`, by the hash of the weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate
from ..core.chemistry_families import chemistry_family
from ..core.crystals import CrystalRecord, crystals_folder, read_crystals
from ..core.settings import data_dir, home
from ..predictors.lessons.pairs import Pair

if TYPE_CHECKING:
    from pymatgen.core import Structure

MOST_ATOMS = 20
CRYSTALS, QUICK_CRYSTALS = 1000, 150
PBE, GLLB_SC = "DFT/PBE/VASP", "DFT/GLLB-SC/GPAW"
BERRY = "DFT/PBE/VASP/Berry phase"
WITH_U = frozenset({"Co", "Cr", "Fe", "Mn", "Mo", "Ni", "V", "W"})
"""Metals whose oxides and fluorides the Materials Project computes with a Hubbard U."""


def materials_project(split: str, quick: bool = False) -> dict[str, list[Pair]]:
    """`band_gap` and `energy_above_hull` by the network against PBE, of a seeded sample of a split."""
    records = [r for r in read_crystals(crystals_folder(), (split,)) if _usable(r)]
    order = np.random.default_rng(0).permutation(len(records))
    some = [records[i] for i in order[: QUICK_CRYSTALS if quick else CRYSTALS]]
    said = _network(
        f"mp-{split}-{len(some)}", [r.material_id for r in some], lambda: [r.structure() for r in some]
    )
    labels = {"band_gap": "band_gap", "energy_above_hull": "e_above_hull"}
    return {
        name: [
            _pair(
                r.material_id, chemistry_family(_composition(r)), name, one[name], float(r.labels[label]), PBE
            )
            for r, one in zip(some, said, strict=True)
            if one is not None
        ]
        for name, label in labels.items()
    }


def castelli(split: str, quick: bool = False) -> list[Pair]:
    """Gaps by the network against GLLB-SC; insulators of one half of the formulas, `val` or `test`."""
    from pymatgen.core import Structure

    from ..predictors.datasets.perovskites import perov5

    rows = []
    for crystal in perov5():
        gap = crystal.label("band_gap")
        if gap and crystal.cell is not None and _half(crystal.formula) == split:
            rows.append((crystal.key, crystal.cell, gap))
    rows = rows[: QUICK_CRYSTALS if quick else CRYSTALS]
    structures = [
        Structure(cell.lattice, cell.numbers, cell.positions, coords_are_cartesian=True)
        for _, cell, _ in rows
    ]
    names = [name for name, _, _ in rows]
    said = _network(f"castelli-{split}-{len(rows)}", names, lambda: structures)
    return [
        _pair(name, chemistry_family(s.composition), "band_gap", one["band_gap"], gap, GLLB_SC)
        for s, one, (name, _, gap) in zip(structures, said, rows, strict=True)
        if one is not None
    ]


def ferroelectrics(split: str | None = None) -> dict[str, list[Pair]]:
    """`polarization` by charges fitted to other chemistries, and `polar_nonpolar_energy_difference` by CHGNet 0.3.0.

    Args:
        split: `val` or `test`, halves by formula; `None`: all.
    """
    from ..core.polar_pairs import read_preferred
    from ..screening.ferroelectric.charge_fitting.check import held_out
    from ..screening.ferroelectric.charge_fitting.labels import read_labelled

    pairs = read_labelled(data_dir())
    families = [pair.family for pair in pairs]
    found: dict[str, list[Pair]] = {"polarization": []}
    for pair, one in zip(pairs, held_out(pairs, families, 0), strict=True):
        sigma = float(np.hypot(one.coefficients, 0.25 * one.added))
        said = {
            "value": one.norm,
            "sigma": sigma,
            "low": None,
            "high": None,
            "method": "effective charges, held out",
        }
        dft = float(np.linalg.norm(pair.polarization))
        found["polarization"].append(
            _pair(_key(pair.formula, pair.spacegroups), pair.family, "polarization", said, dft, BERRY)
        )
    preferred = [p for p in read_preferred(data_dir()) if p.energy_difference is not None]
    differences = _cached(
        "polar-differences-chgnet-0.3.0", lambda: _differences([(p.polar, p.nonpolar) for p in preferred])
    )
    found["polar_nonpolar_energy_difference"] = [
        _pair(
            _key(p.formula, (p.nonpolar_spacegroup, p.spacegroup)),
            chemistry_family(p.polar.composition),
            "polar_nonpolar_energy_difference",
            {"value": difference, "sigma": None, "low": None, "high": None, "method": "CHGNet 0.3.0"},
            float(p.energy_difference or 0.0),
            PBE,
        )
        for p, difference in zip(preferred, differences, strict=True)
    ]
    return {
        name: [p for p in rows if split is None or _half(p.candidate_id.split("-")[0]) == split]
        for name, rows in found.items()
    }


def _half(formula: str) -> str:
    """`val` or `test`."""
    from ..predictors.datasets.splits import share_of

    return "val" if share_of(formula) < 0.5 else "test"


def _key(formula: str, groups: tuple[int, int]) -> str:
    return f"{formula}-{groups[0]}-{groups[1]}"


def _usable(record: CrystalRecord) -> bool:
    """Small, with both labels, and computed without a U."""
    labels = record.labels
    known = labels.get("band_gap") is not None and labels.get("e_above_hull") is not None
    symbols = set(record.species)
    return known and record.nsites <= MOST_ATOMS and not (symbols & WITH_U and symbols & {"O", "F"})


def _composition(record: CrystalRecord):
    from pymatgen.core import Composition

    return Composition({symbol: record.species.count(symbol) for symbol in set(record.species)})


def _pair(identifier: str, family: str, name: str, said: dict[str, Any], dft: float, teacher: str) -> Pair:
    interval = None if said["low"] is None else (said["low"], said["high"])
    coverage = None if interval is None else 0.9
    return Pair(
        identifier,
        family,
        name,
        said["method"],
        teacher,
        said["value"],
        dft,
        said["sigma"],
        interval,
        coverage,
    )


def _network(
    name: str, identifiers: Sequence[str], structures: Callable[[], Sequence[Structure]]
) -> list[dict[str, Any] | None]:
    """What the shipped network says of each crystal; `None` of one it cannot treat."""
    from ..predictors.properties.predictor import Properties

    predictor = Properties()

    def ask() -> list[dict[str, Any] | None]:
        rows = [Candidate(i, s) for i, s in zip(identifiers, structures(), strict=True)]
        heights = _heights(predictor, rows)
        told = []
        for candidate, height in zip(predictor.predict(rows), heights, strict=True):
            gap = candidate.get("band_gap")
            if gap is None or height is None or gap.interval is None:
                told.append(None)
                continue
            low, high = gap.interval
            # The network's own sigma is of a narrow middle; its 90% interval is what it was calibrated by.
            one = {
                "value": gap.value,
                "sigma": gap.uncertainty,
                "low": low,
                "high": high,
                "method": gap.method,
            }
            told.append({"band_gap": one, "energy_above_hull": height})
        return told

    return _cached(f"{name}-{predictor.model_hash}", ask)


def _heights(predictor: Any, candidates: Sequence[Candidate]) -> list[dict[str, Any] | None]:
    """Distance from the hull by the head that is trained on it; runs use the hull itself, so it is not printed."""
    from ..predictors.chgnet.potential import checked_cell
    from ..predictors.gnn.prepare import pack
    from ..predictors.hull.chemistry import chemistry_class

    found: list[dict[str, Any] | None] = []
    for start in range(0, len(candidates), 256):
        some = candidates[start : start + 256]
        evaluation = predictor.model.evaluate(pack([checked_cell(c.structure) for c in some]))
        value, spread = (
            evaluation.means("energy_above_hull")[:, 0],
            evaluation.spreads("energy_above_hull")[:, 0],
        )
        classes = [chemistry_class(c.structure.composition) for c in some]
        intervals = predictor.model.intervals["energy_above_hull"][0]
        half, sigma = intervals.half(spread, evaluation.distances, classes)
        for middle, deviation, width in zip(value, sigma, half, strict=True):
            number = max(0.0, float(middle))
            ends = {"low": max(0.0, number - float(width)), "high": number + float(width)}
            found.append({"value": number, "sigma": float(deviation), **ends, "method": predictor.method})
    return found


def _differences(ends: Sequence[tuple[Structure, Structure]]) -> list[float]:
    """Polar minus nonpolar, meV/atom, by CHGNet 0.3.0."""
    from ..predictors.chgnet.potential import CHGNetPotential

    potential = CHGNetPotential()
    energies = potential.calculate([structure for pair in ends for structure in pair])
    per_atom = [
        one.energy / len(structure)
        for one, structure in zip(energies, (s for pair in ends for s in pair), strict=True)
    ]
    return [1000 * (polar - nonpolar) for polar, nonpolar in zip(per_atom[::2], per_atom[1::2], strict=True)]


def _cached(name: str, make: Callable[[], list[Any]]) -> list[Any]:
    folder = home() / "cache" / "learning"
    path = folder / f"{name}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))
    found = make()
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(path)
    return found
