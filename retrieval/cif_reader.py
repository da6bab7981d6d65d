"""Which crystals does a CIF describe, and can its own words be believed?

pymatgen parses; what it would repair in silence is refused here: a formula that the sites do not make,
symmetry operations that are no group, do not fit the cell or make another space group than the one named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import StructureError
from .sanity import require_site_count

if TYPE_CHECKING:
    from pymatgen.core import Structure

METRIC_TOLERANCE = 0.01
"""Relative; a symmetry operation may change no entry of the metric tensor by more."""
TRANSLATION_TOLERANCE = 1e-3
"""Fractional; CIFs write 1/3 with three or four digits."""
MAX_OPERATIONS = 192
"""Of a conventional cell; the face-centred cubic groups have as many."""
MAX_GENERATED = 20_000
"""Listed atoms times operations: an upper bound of the sites that a parser must compare."""
_OPERATION_KEYS = (
    "_symmetry_equiv_pos_as_xyz",
    "_symmetry_equiv_pos_as_xyz_",
    "_space_group_symop_operation_xyz",
    "_space_group_symop_operation_xyz_",
)
_NUMBER_KEYS = ("_space_group_IT_number", "_symmetry_Int_Tables_number")
_SYMBOL_KEYS = ("_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt", "_space_group_name_Hall")
_OPERATION = re.compile(r"^[\sxyzXYZ0-9+\-*/.]+,[\sxyzXYZ0-9+\-*/.]+,[\sxyzXYZ0-9+\-*/.]+$")


def blocks(text: str) -> list[str]:
    """The data blocks of a CIF that list atoms, each a CIF of its own.

    Raises:
        StructureError: no block lists atoms.
    """
    parts = re.split(r"^\s*data_", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    found = [f"data_{part}" for part in parts if "_atom_site_fract_x" in part]
    if not found:
        raise StructureError("No data block lists atoms (_atom_site_fract_x).")
    return found


def read_block(text: str) -> Structure:
    """The crystal of one data block.

    Raises:
        StructureError: the block contradicts itself, or is too large.
        ValueError, KeyError: pymatgen cannot read it.
    """
    from pymatgen.io.cif import CifParser

    parser = CifParser.from_str(text, check_cif=False)
    data = next(iter(parser.as_dict().values()))
    require_site_count(len(data.get("_atom_site_fract_x", ())))
    _require_operations(data)
    try:
        structure = parser.parse_structures(primitive=False, on_error="raise")[0]
    except ValueError as error:
        raise error.__cause__ or error from None  # the cause says what; the error says where
    _require_consistent_symmetry(parser.symmetry_operations, structure, data)
    reason = parser.check(structure) or ""
    if reason.startswith(("Missing elements", "Incorrect stoichiometry")):
        stated = data.get("_chemical_formula_sum") or data.get("_chemical_formula_structural")
        raise StructureError(f"Its formula says {stated}, its sites make {structure.composition.formula}.")
    return structure


def _require_operations(data: dict[str, Any]) -> None:
    """Operations must be readable, and few enough to be carried out."""
    operations = list(_operations_as_written(data))
    for operation in operations:
        if not _OPERATION.match(operation):
            raise StructureError(f"{operation[:40]!r} is not a symmetry operation such as 'x, y, z'.")
    rows = len(data.get("_atom_site_fract_x", ()))
    if len(operations) > MAX_OPERATIONS or rows * len(operations) > MAX_GENERATED:
        raise StructureError(f"{rows} atoms and {len(operations)} symmetry operations are too many.")


def _operations_as_written(data: dict[str, Any]) -> Iterator[str]:
    for key in _OPERATION_KEYS:
        written = data.get(key)
        if written:
            yield from [written] if isinstance(written, str) else written


def _require_consistent_symmetry(operations: Any, structure: Structure, data: dict[str, Any]) -> None:
    rotations = np.array([op.rotation_matrix for op in operations])
    translations = np.array([op.translation_vector for op in operations])
    _require_integer_rotations(rotations)
    rotations = rotations.round().astype(int)
    _require_metric(rotations, structure.lattice.matrix)
    _require_group(rotations, translations)
    _require_named_group(rotations, translations, structure.lattice.matrix, data)


def _require_integer_rotations(rotations: np.ndarray) -> None:
    whole = np.abs(rotations - rotations.round()).max() < 1e-6
    if not whole or not np.allclose(np.abs(np.linalg.det(rotations)), 1):
        raise StructureError("One of its symmetry operations is neither a rotation nor a mirror.")


def _require_metric(rotations: np.ndarray, lattice: np.ndarray) -> None:
    """Every operation must leave lengths and angles of the cell as they are."""
    metric = lattice @ lattice.T
    turned = np.einsum("nji,jk,nkl->nil", rotations, metric, rotations)
    if np.abs(turned - metric).max() > METRIC_TOLERANCE * np.abs(metric).max():
        raise StructureError("Its symmetry operations do not fit its cell.")


def _require_group(rotations: np.ndarray, translations: np.ndarray) -> None:
    """Products of operations must be operations, up to lattice translations."""
    for rotation, translation in zip(rotations, translations, strict=True):
        product = rotation @ rotations
        moved = translations @ rotation.T + translation
        same = (product[:, None] == rotations[None]).all(axis=(2, 3))
        shift = moved[:, None] - translations[None]
        same &= (np.abs(shift - shift.round()) < TRANSLATION_TOLERANCE).all(axis=2)
        if not same.any(axis=1).all():
            raise StructureError("Its symmetry operations are no group: a product of two of them is missing.")


def _require_named_group(
    rotations: np.ndarray, translations: np.ndarray, lattice: np.ndarray, data: dict[str, Any]
) -> None:
    """The space group named in the file must be the one that the operations make."""
    import spglib

    named = _named_number(data)
    symbol = next((str(data[key]).strip() for key in _SYMBOL_KEYS if data.get(key)), "")
    only_identity = len(rotations) == 1
    if named is None and only_identity and re.sub(r"[\s_]", "", symbol) not in ("", "?", ".", "P1"):
        raise StructureError(f"It names the space group {symbol!r} and gives no operations that make it.")
    if named is None:
        return
    found = spglib.get_spacegroup_type_from_symmetry(rotations, translations, lattice)
    if found is not None and found.number != named:
        raise StructureError(
            f"It names space group number {named}; its symmetry operations make number {found.number}."
        )


def _named_number(data: dict[str, Any]) -> int | None:
    for key in _NUMBER_KEYS:
        written = str(data.get(key, "")).strip()
        if written.isdigit():
            return int(written)
    return None
