"""A folder of five crystals as the Materials Project's stand in the data folder: Mg, O, MgO, Si and salt."""

from __future__ import annotations

import gzip
import json

from materials import magnesium_oxide, silicon, sodium_chloride
from pymatgen.core import Lattice, Structure


def line_of(material_id, structure, **labels):
    return {
        "material_id": material_id,
        "reduced_formula": structure.composition.reduced_formula,
        "split": "train",
        "lattice": structure.lattice.matrix.tolist(),
        "species": [str(s.specie) for s in structure],
        "frac_coords": structure.frac_coords.tolist(),
    } | labels


def crystals_in(tmp_path):
    """Mg, O and MgO, a little Si and salt, as a crystals folder."""
    # hcp Mg: a 3.21, c 5.21 A (Kittel); O2 as molecules of 1.22 A in a cube, a stand-in for the solid
    mg = Structure(Lattice.hexagonal(3.21, 5.21), ["Mg"] * 2, [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]])
    o2 = Structure(Lattice.cubic(4), ["O", "O"], [[0, 0, 0], [1.22, 0, 0]], coords_are_cartesian=True)
    squeezed = magnesium_oxide()
    squeezed.scale_lattice(squeezed.volume * 0.9)
    lines = [
        line_of("mp-1", mg, formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-2", o2, formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-3", squeezed, formation_energy_per_atom=-3.05, e_above_hull=0.0),
        line_of("mp-4", silicon(), formation_energy_per_atom=0.0, e_above_hull=0.0),
        line_of("mp-5", sodium_chloride(), formation_energy_per_atom=-2.1, e_above_hull=0.0),
    ]
    folder = tmp_path / "crystals"
    folder.mkdir()
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "mp_structures_train_00.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder
