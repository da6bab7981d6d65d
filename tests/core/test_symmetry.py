"""The polar groups are those of the International Tables."""

from hysteron.core.symmetry import is_polar, polar_point_group
from pymatgen.symmetry.groups import SpaceGroup

TEN = {"1", "2", "m", "mm2", "4", "4mm", "3", "3m", "6", "6mm"}


def test_all_230_groups_agree_with_pymatgen():
    for number in range(1, 231):
        group = SpaceGroup.from_int_number(number).point_group
        assert is_polar(number) == (group in TEN), (number, group)
        assert polar_point_group(number) == (group if group in TEN else None)


def test_known_ferroelectrics_and_an_unknown_group():
    assert all(is_polar(n) for n in (99, 160, 161, 29, 186))
    assert not any(is_polar(n) for n in (221, 136, 14, 216, 225))
    assert not is_polar(None)
    assert polar_point_group(29) == "mm2"
