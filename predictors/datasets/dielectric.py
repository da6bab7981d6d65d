"""What relative permittivity did density functional perturbation theory find, and which of it can be believed?

Averages over directions, of the Materials Project's DFPT: electronic, ionic, total; the refractive index is the root of
the electronic part. A crystal whose PBE gap nearly closes gives numbers without meaning (As3Ir: -31,279): an electronic part
of 1.0 or less polarises less than vacuum, one above 100 belongs to a metal in all but name. Such a label is dropped, and
counted where a counter is handed in; the row and its other labels stay.
Data: janosh/dielectrics (MIT); Petousis et al., Sci. Data 4, 160134 (2017), doi:10.1038/sdata.2016.134.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .materials_project import cell_of_record, crystals_by_id
from .records import Label, LabelledCrystal
from .tables import Row, columns_of, data_path, number, read_rows, text

DFPT = "mp-dfpt"
LARGEST_ELECTRONIC = 100.0
LARGEST_IONIC = 1000.0  # KTaO3 and its kind; above, a soft mode is about to become imaginary
COLUMNS = {"bandgap_pbe": "band_gap_pbe_ev", "volume": "volume_angstrom3", "spacegroup": "spacegroup_number"}


def dielectric(
    data: Path | None = None, dropped: Counter[str] | None = None, crystals: bool = True
) -> Iterator[LabelledCrystal]:
    """The table joined to the crystals of the Materials Project by id, formula and number of atoms.

    Labels: `dielectric_electronic`, `dielectric_ionic`, `dielectric_total`, `refractive_index`, all dimensionless. The
    total is the sum of the parts where the table gives only these.

    Args:
        data: The data folder; `HYSTERON_DATA_DIR` if none is given.
        dropped: Counts the labels left out, by name.
        crystals: Join the crystals; without them no row has a `cell`.

    Raises:
        MissingDataError: the folder lacks the table or the crystals.
        InputError: a row that cannot be read.
    """
    path = data_path("ferroelectrics/mp_dielectric_dfpt.csv.gz", data)
    needed = ("material_id", "reduced_formula", "split", "n_sites", *COLUMNS)
    values = ("diel_elec_target", "diel_ionic_target", "diel_total_target")
    rows = list(read_rows(path, (*needed, *values)))
    known = crystals_by_id({str(row["material_id"]) for _, row in rows}, data) if crystals else {}
    for where, row in rows:
        formula = text(row, "reduced_formula", where)
        record = known.get(row["material_id"])
        same = record and record.reduced_formula == formula and record.nsites == number(row, "n_sites", where)
        yield LabelledCrystal(
            key=text(row, "material_id", where),
            formula=formula,
            cell=cell_of_record(record) if record and same else None,
            labels=_labels(row, where, Counter() if dropped is None else dropped),
            split=text(row, "split", where),
            group=formula,
            columns=columns_of(row, COLUMNS, where),
        )


def _labels(row: Row, where: str, dropped: Counter[str]) -> tuple[Label, ...]:
    electronic, ionic, total = (
        number(row, f"diel_{part}_target", where) for part in ("elec", "ionic", "total")
    )
    if total is None and electronic is not None and ionic is not None:
        total = electronic + ionic
    believed_electronic = electronic is None or 1.0 < electronic <= LARGEST_ELECTRONIC
    believed_ionic = ionic is None or 0.0 <= ionic <= LARGEST_IONIC
    believed_total = total is None or 1.0 < total <= LARGEST_ELECTRONIC + LARGEST_IONIC
    found = (
        ("dielectric_electronic", electronic, believed_electronic),
        ("dielectric_ionic", ionic, believed_ionic),
        ("dielectric_total", total, believed_electronic and believed_ionic and believed_total),
        ("refractive_index", electronic, believed_electronic),
    )
    dropped.update(name for name, value, believed in found if value is not None and not believed)
    return tuple(
        Label(name, math.sqrt(value) if name == "refractive_index" else value, "1", DFPT)
        for name, value, believed in found
        if value is not None and believed
    )
