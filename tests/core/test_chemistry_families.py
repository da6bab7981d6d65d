"""Families of chemistry: like compounds stand together."""

import pytest
from hysteron.core.chemistry_families import chemistry_family
from pymatgen.core import Composition


@pytest.mark.parametrize(
    ("formula", "family"),
    [
        ("BaTiO3", "O|d"),
        ("KNbO3", "O|d"),
        ("Bi4Ti3O12", "O|p"),
        ("Na4CO4", "O|C,N"),
        ("Sr(OH)2", "O|H"),
        ("SiO2", "O|group 14"),
        ("RbCrCl3", "halogen|d"),
        ("CsPbF3", "F|p"),
        ("Li6PS5I", "halogen|group 16"),
        ("K3SbS4", "chalcogen|group 15"),
        ("GeTe", "chalcogen|group 14"),
        ("MgH2", "H|s"),
        ("Te", "chalcogen|group 16"),
    ],
)
def test_families(formula, family):
    assert chemistry_family(Composition(formula)) == family


def test_it_asks_for_elements_alone():
    assert chemistry_family(Composition({"Ba2+": 1, "Ti4+": 1, "O2-": 3})) == "O|d"
