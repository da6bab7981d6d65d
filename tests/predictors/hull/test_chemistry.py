"""Classes of chemistry: which compound stands in which."""

import pytest
from hysteron.predictors.hull.chemistry import OPEN_SHELL_METALS, chemistry_class
from pymatgen.core import Composition


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("BaTiO3", "oxide"),
        ("Na2SO4", "oxide"),
        ("LiFePO4", "oxide with V-W"),
        ("BiOCl", "oxyhalide"),
        ("FeOF", "oxyhalide with V-W"),
        ("K2NaAlF6", "fluoride"),
        ("NaCl", "halide"),
        ("CsPbBr3", "halide"),
        ("FeS2", "chalcogenide with V-W"),
        ("GeTe", "chalcogenide"),
        ("GaN", "pnictide"),
        ("TiC", "H, B or C compound"),
        ("NaN", "pnictide"),
        ("Fe3Al", "intermetallic with V-W"),
        ("Mg2Si", "intermetallic"),
    ],
)
def test_classes(formula, expected):
    assert chemistry_class(Composition(formula)) == expected
    assert chemistry_class([str(e) for e in Composition(formula)]) == expected


def test_the_metals_are_those_with_a_hubbard_u_in_the_materials_project():
    from pymatgen.io.vasp.sets import MPRelaxSet

    values = MPRelaxSet.CONFIG["INCAR"]["LDAUU"]["O"]
    assert {metal for metal, u in values.items() if u} == OPEN_SHELL_METALS
