"""A CIF is believed only if it agrees with itself."""

from __future__ import annotations

import re

import materials
import pytest
from hysteron.core.errors import StructureError
from hysteron.core.identity import same_crystal
from hysteron.retrieval.cif_reader import blocks, read_block
from pymatgen.io.cif import CifWriter

CASES = [
    materials.strontium_titanate,
    materials.lithium_niobate,
    materials.hafnia_polar,
    materials.hafnia_monoclinic,
    materials.zinc_oxide,
    materials.titania_rutile,
    materials.lithium_cobaltate,
    materials.silicon,
]


def cif(structure, symprec: float | None = None) -> str:
    return str(CifWriter(structure, symprec=symprec))


RUTILE = """data_rutile
_cell_length_a 4.5937
_cell_length_b 4.5937
_cell_length_c 2.9587
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 42/m n m'
_symmetry_Int_Tables_number 136
_chemical_formula_sum 'Ti O2'
loop_
_symmetry_equiv_pos_as_xyz
'x,y,z'
'-x,-y,z'
'-y+1/2,x+1/2,z+1/2'
'y+1/2,-x+1/2,z+1/2'
'-x+1/2,y+1/2,-z+1/2'
'x+1/2,-y+1/2,-z+1/2'
'y,x,-z'
'-y,-x,-z'
'-x,-y,-z'
'x,y,-z'
'y+1/2,-x+1/2,-z+1/2'
'-y+1/2,x+1/2,-z+1/2'
'x+1/2,-y+1/2,z+1/2'
'-x+1/2,y+1/2,z+1/2'
'-y,-x,z'
'y,x,z'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Ti1 Ti 0 0 0
O1 O 0.3048 0.3048 0
"""


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize("symprec", [None, 0.01])
def test_what_pymatgen_writes_is_read(make, symprec):
    assert same_crystal(read_block(cif(make(), symprec)), make())


def test_a_cif_with_the_operations_of_its_group():
    assert same_crystal(read_block(RUTILE), materials.titania_rutile())


@pytest.mark.filterwarnings("ignore:No _symmetry_equiv_pos_as_xyz")
def test_a_space_group_symbol_alone_is_enough():
    without = re.sub(r"loop_\n_symmetry_equiv.*?(?=loop_)", "", RUTILE, flags=re.DOTALL)
    assert same_crystal(read_block(without), materials.titania_rutile())


def test_blocks_without_atoms_are_passed_over():
    text = f"data_global\n_journal_year 1987\n{RUTILE}\n{RUTILE.replace('data_rutile', 'data_second')}"
    assert len(blocks(text)) == 2
    with pytest.raises(StructureError, match="No data block lists atoms"):
        blocks("data_global\n_journal_year 1987\n")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "_symmetry_Int_Tables_number 136",
            "_symmetry_Int_Tables_number 221",
            "number 221; its symmetry operations make number 136",
        ),
        ("'y,x,z'\n", "", "no group"),
        ("'y,x,z'\n", "'y,x,y'\n", "neither a rotation nor a mirror"),
        ("'y,x,z'\n", "'y;x;z'\n", "is not a symmetry operation"),
        ("'y,x,z'\n", "'y,x,__import__'\n", "is not a symmetry operation"),
        ("_cell_length_b 4.5937", "_cell_length_b 5.5", "do not fit its cell"),
        ("'Ti O2'", "'Ti2 O3'", "Its formula says"),
        ("'Ti O2'", "'Ti H O2'", "Its formula says"),
    ],
)
def test_a_cif_that_contradicts_itself_is_refused(old, new, sentence):
    assert old in RUTILE
    with pytest.raises(StructureError, match=sentence):
        read_block(RUTILE.replace(old, new))


@pytest.mark.filterwarnings("ignore:No _symmetry_equiv_pos_as_xyz")
def test_a_group_named_but_not_given_is_refused():
    without = re.sub(r"loop_\n_symmetry_equiv.*?(?=loop_)", "", RUTILE, flags=re.DOTALL)
    unknown = without.replace("P 42/m n m", "Q 7").replace("_symmetry_Int_Tables_number 136\n", "")
    with pytest.raises(StructureError, match="names the space group 'Q 7'"):
        read_block(unknown)


def test_too_many_atoms_and_operations_are_refused_before_they_are_multiplied():
    atoms = "".join(f"O{i} O {i / 1000:.4f} 0.1 0.2\n" for i in range(600))
    with pytest.raises(StructureError, match="at most 500"):
        read_block(RUTILE + atoms)
    operations = RUTILE.replace("'x,y,z'\n", "'x,y,z'\n" * 300)
    with pytest.raises(StructureError, match="too many"):
        read_block(operations)
