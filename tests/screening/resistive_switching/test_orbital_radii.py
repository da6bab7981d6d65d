"""Orbital radii and the coordinates of bonds: what the table says, and its symmetries."""

import pytest
from hysteron.screening.resistive_switching.orbital_radii import RADII, bond_coordinates


def test_radii_grow_down_a_group_and_shrink_along_a_row():
    for group in (("C", "Si", "Ge", "Sn", "Pb"), ("N", "P", "As", "Sb", "Bi"), ("O", "S", "Se", "Te")):
        sums = [sum(RADII[symbol]) for symbol in group]
        assert sums == sorted(sums)
    row = [sum(RADII[symbol]) for symbol in ("In", "Sn", "Sb", "Te", "I")]
    assert row == sorted(row, reverse=True)


def test_known_values():
    """Sums and differences of the radii of Zunger (1980), by hand: Ge 0.72 and 0.84, Te 0.79 and 0.88 a.u."""
    bond = bond_coordinates({"Ge": 1}, {"Te": 1})
    assert bond.ionicity == pytest.approx(0.11)
    assert bond.hybridisation == pytest.approx(1 / 0.21)


def test_like_atoms_have_no_ionicity():
    assert bond_coordinates({"Sb": 1}, {"Sb": 1}).ionicity == 0


def test_amounts_weigh_and_their_unit_does_not():
    mixed = bond_coordinates({"Ge": 1, "Sb": 2}, {"Te": 4})
    assert mixed == pytest.approx(bond_coordinates({"Ge": 10, "Sb": 20}, {"Te": 40}))
    ends = [bond_coordinates({symbol: 1}, {"Te": 1}) for symbol in ("Ge", "Sb")]
    low, high = sorted(end.hybridisation for end in ends)
    assert low < mixed.hybridisation < high


def test_either_group_may_come_first():
    assert bond_coordinates({"Pb": 1}, {"S": 1}) == pytest.approx(bond_coordinates({"S": 1}, {"Pb": 1}))


def test_sulphides_mix_s_and_p_more_than_tellurides():
    """Why GeS is covalent and GeTe is not (Littlewood 1980)."""
    row = [bond_coordinates({"Ge": 1}, {x: 1}).hybridisation for x in ("S", "Se", "Te")]
    assert row == sorted(row, reverse=True)
