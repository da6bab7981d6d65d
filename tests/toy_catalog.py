"""What the catalogue's tests share: a small data folder of real crystals, and a toy relaxer."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import materials
from hysteron.core.contracts import Relaxation
from hysteron.core.crystals import CrystalRecord
from pymatgen.core import Structure

TOY_SHRINKAGE = 0.99
"""Linear; what the toy relaxer does to a cell."""


class ToyPotential:
    name = "Toy 1.0"
    energy_scale = "toy"
    model_hash = "0123456789abcdef"

    def calculate(self, structures):
        raise AssertionError("The toy relaxer needs no potential.")


class ToyRelaxer:
    """Shrinks every cell by one per cent; -1 eV per oxygen; gives up on GeTe, does not converge NaCl."""

    potential = ToyPotential()

    def __init__(self, version: str = "toy fmax=0.05", stop_after: int | None = None) -> None:
        self.version = version
        self.stop_after = stop_after
        self.relaxed: list[str] = []

    def relax(
        self, structures: Sequence[Structure], on_done: Callable[[int, Relaxation], None] | None = None
    ) -> list[Relaxation]:
        results = []
        for i, structure in enumerate(structures):
            if self.stop_after is not None and len(self.relaxed) >= self.stop_after:
                raise KeyboardInterrupt
            self.relaxed.append(structure.composition.reduced_formula)
            results.append(self._one(structure))
            if on_done:
                on_done(i, results[-1])
        return results

    def _one(self, structure: Structure) -> Relaxation:
        formula = structure.composition.reduced_formula
        if formula == "GeTe":
            return Relaxation(None, None, None, 3, False, "TeGe: the cell is flat; given up at step 3.")
        energy = -structure.composition["O"] / len(structure) - 0.01 * len(structure)
        smaller = structure.copy()
        smaller.scale_lattice(structure.volume * TOY_SHRINKAGE**3)
        return Relaxation(smaller, energy, 0.4 if formula == "NaCl" else 0.01, 7, formula != "NaCl")


def record(
    material_id: str, structure: Structure, energy_above_hull: float = 0.0, band_gap: float | None = 2.0
) -> CrystalRecord:
    labels = {"e_above_hull": energy_above_hull, "band_gap": band_gap, "split": "train"}
    return CrystalRecord(
        material_id=material_id,
        reduced_formula=structure.composition.reduced_formula,
        lattice=structure.lattice.matrix.tolist(),
        species=[site.specie.symbol for site in structure],
        frac_coords=structure.frac_coords.tolist(),
        labels={key: value for key, value in labels.items() if value is not None},
    )


@lru_cache(maxsize=1)
def shelf() -> tuple[CrystalRecord, ...]:
    """Real crystals with invented ids, hull distances and gaps; made once, since that takes seconds."""
    same_as_rutile = materials.titania_rutile()
    same_as_rutile.translate_sites(range(len(same_as_rutile)), [0, 0, 0.5])
    return (
        record("mp-1", materials.barium_titanate_tetragonal(), 0.003, 1.75),
        record("mp-2", materials.barium_titanate_cubic(), 0.015, 1.72),
        record("mp-3", materials.lithium_niobate(), 0.0, 3.4),
        record("mp-4", materials.hafnia_polar(), 0.029, 4.3),
        record("mp-5", materials.hafnia_monoclinic(), 0.0, 4.0),
        record("mp-6", materials.titania_rutile(), 0.037, 1.78),
        record("mp-7", same_as_rutile, 0.037, 1.78),
        record("mp-8", materials.vanadia_rutile(), 0.0, 0.0),
        record("mp-9", materials.germanium_telluride(), 0.0, 0.6),
        record("mp-10", materials.sodium_chloride(), 0.0, None),
        record("mp-11", materials.zinc_oxide(), 0.0, 0.73),
        record("mp-12", materials.silicon(), 0.0, 0.61),
        record("mp-13", materials.lead_titanate(), 0.4, 1.9),
        record("mp-14", materials.lithium_cobaltate(), 0.0, 0.66),
    )


def data_folder(folder: Path) -> Path:
    """A data folder as `HYSTERON_DATA_DIR` names one, with the crystals of `shelf`."""
    (folder / "crystals").mkdir(parents=True)
    (folder / "ferroelectrics").mkdir()
    with gzip.open(folder / "crystals" / "mp_structures_train_00.jsonl.gz", "wt") as out:
        for each in shelf():
            fields = {
                "material_id": each.material_id,
                "reduced_formula": each.reduced_formula,
                "lattice": each.lattice,
                "species": each.species,
                "frac_coords": each.frac_coords,
            }
            out.write(json.dumps(fields | each.labels) + "\n")
    table = folder / "ferroelectrics" / "smidt2020_ferroelectric_candidates.csv.gz"
    with gzip.open(table, "wt", newline="") as out:
        rows = csv.DictWriter(out, ["polar_id", "nonpolar_id"])
        rows.writeheader()
        rows.writerow({"polar_id": "mp-1", "nonpolar_id": "mp-2"})
    return folder
