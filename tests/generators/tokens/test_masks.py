"""A mask is read as it was meant, or refused with what the template has."""

import materials
import pytest
from hysteron.core.errors import InputError
from hysteron.generators.tokens.masks import marked, read_masks
from hysteron.generators.wyckoff.encode import encode


@pytest.mark.parametrize(
    ("texts", "sites", "names"),
    [
        (("Ti",), [(1,)], ["Ti"]),
        (("O",), [(2, 3, 4)], ["O"]),
        (("Ti,O",), [(1,), (2, 3, 4)], ["Ti", "O"]),
        (("Ti", "O"), [(1,), (2, 3, 4)], ["Ti", "O"]),
        (("Ba+Ti",), [(0, 1)], ["Ba+Ti"]),
        (("3",), [(3,)], ["O at 3"]),
        (("2+4",), [(2, 4)], ["O at 2+4"]),
        (("2,4",), [(2,), (4,)], ["O at 2", "O at 4"]),
        (("2+3+4",), [(2, 3, 4)], ["O"]),
        (("1 + 0",), [(0, 1)], ["Ba+Ti"]),
        (("Ba+3",), [(0, 3)], ["Ba+O at 0+3"]),
    ],
)
def test_masks_are_read(texts, sites, names):
    found = read_masks(texts, materials.barium_titanate_tetragonal())
    assert [mask.sites for mask in found] == sites
    assert [mask.name for mask in found] == names


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ((), "A mask is missing. A mask is a species"),
        (("",), "A mask is missing"),
        (("Ti,",), "A mask is missing"),
        (("Zr",), "There is no Zr in BaTiO3 to mask; its species are Ba, Ti, O"),
        (("ti",), "'ti' is neither a species of BaTiO3 .Ba, Ti, O. nor a site's number. A mask is"),
        (("1-3",), "'1-3' is neither"),
        (("-1",), "'-1' is neither"),
        (("Ti+",), "'' is neither"),
        (("5",), "no site 5 in BaTiO3: its cell has 5, counted from 0: 0 Ba, 1 Ti, 2 O, 3 O, 4 O"),
        (("O", "3"), "'O' and '3' both cover site 3 .O.. Name each site once"),
    ],
)
def test_what_is_no_mask_is_refused(texts, reason):
    with pytest.raises(InputError, match=reason):
        read_masks(texts, materials.barium_titanate_tetragonal())


def test_the_sites_of_a_large_cell_are_not_all_told():
    with pytest.raises(InputError, match="23 O and 16 more"):
        read_masks(("40",), materials.barium_titanate_cubic() * (2, 2, 2))


def test_marks_are_elements_that_the_template_does_not_hold():
    structure = materials.barium_titanate_tetragonal()
    found, marks = marked(structure, read_masks(("Ti,O",), structure))
    assert len(set(marks)) == 2
    assert not {"Ba", "Ti", "O"} & set(marks)
    assert [site.specie.symbol for site in found] == ["Ba", marks[0], *[marks[1]] * 3]
    assert [site.specie.symbol for site in structure] == ["Ba", "Ti", "O", "O", "O"]


def test_a_mask_of_a_part_of_an_orbit_lowers_the_symmetry():
    """One of two Ti of a doubled cubic cell: P4/mmm, and the cell stays doubled."""
    doubled = materials.barium_titanate_cubic() * (1, 1, 2)
    crystal = encode(marked(doubled, read_masks(("2",), doubled))[0])
    assert (crystal.spacegroup_number, crystal.natoms) == (123, 10)
    assert encode(marked(doubled, read_masks(("Ti",), doubled))[0]).natoms == 5
