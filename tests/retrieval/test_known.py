"""Is a crystal known, whatever its setting?"""

from __future__ import annotations

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Known
from hysteron.core.errors import StructureError
from hysteron.retrieval import known as module
from hysteron.retrieval.known import KnownCrystals
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp


@pytest.fixture(scope="module")
def known() -> KnownCrystals:
    return KnownCrystals(
        [
            ("tetragonal", materials.barium_titanate_tetragonal()),
            ("rutile", materials.titania_rutile()),
            ("silicon", materials.silicon()),
        ]
    )


def proposal(structure: Structure) -> Candidate:
    return Candidate("a-name-of-its-own", structure)


def test_it_keeps_the_contract(known):
    assert isinstance(known, Known)
    assert len(known) == 3


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (materials.barium_titanate_tetragonal, "tetragonal"),
        (materials.titania_rutile, "rutile"),
        (materials.skewed_silicon, "silicon"),
        (materials.barium_titanate_cubic, None),
        (materials.vanadia_rutile, None),
        (materials.sodium_chloride, None),
    ],
)
def test_what_is_known(known, make, expected):
    assert known.find(proposal(make())) == expected


def test_rotation_origin_order_and_supercell_change_nothing(known):
    structure = materials.titania_rutile() * [2, 1, 1]
    structure.apply_operation(SymmOp.from_axis_angle_and_translation([1, 2, 3], 40))
    structure.translate_sites(range(len(structure)), [0.1, 0.27, 0.5])
    order = np.random.default_rng(3).permutation(len(structure))
    assert known.find(proposal(Structure.from_sites([structure[i] for i in order]))) == "rutile"


def test_a_cell_two_per_cent_smaller_is_the_same_crystal(known):
    structure = materials.titania_rutile()
    structure.scale_lattice(structure.volume * 0.98**3)
    assert known.find(proposal(structure)) == "rutile"


def test_crystals_can_be_added_after_a_search():
    known = KnownCrystals([("rutile", materials.titania_rutile())])
    assert known.find(proposal(materials.zinc_oxide())) is None
    known.add_all([("wurtzite", materials.zinc_oxide())])
    assert known.find(proposal(materials.zinc_oxide())) == "wurtzite"
    known.add_all([("again", materials.zinc_oxide())])
    assert known.find(proposal(materials.zinc_oxide())) == "again", "the smallest id of equals"


def test_symmetry_is_computed_only_for_formulas_asked_for(monkeypatch):
    from hysteron.core import identity

    asked = []
    bucket_of = identity.bucket_of

    def counting(structure):
        asked.append(structure.composition.reduced_formula)
        return bucket_of(structure)

    monkeypatch.setattr(identity, "bucket_of", counting)
    known = module.KnownCrystals(
        [
            ("rutile", materials.titania_rutile()),
            ("wurtzite", materials.zinc_oxide()),
            ("si", materials.silicon()),
        ]
    )
    assert asked == []
    known.find(proposal(materials.titania_rutile()))
    known.find(proposal(materials.sodium_chloride()))
    assert asked == ["TiO2", "TiO2"]


def test_a_disordered_crystal_is_refused():
    layered = Structure(Lattice.tetragonal(2.8, 3.67), ["Cu", "Au"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    known = KnownCrystals([("ordered", layered)])
    with pytest.raises(StructureError, match="partially occupied"):
        known.find(proposal(materials.disordered_alloy()))


def test_further_crystals_are_asked_for_once_a_formula_and_only_when_it_matters():
    asked = []

    def also(formula: str):
        asked.append(formula)
        return [("cubic", materials.barium_titanate_cubic())] if formula == "BaTiO3" else []

    lazy = KnownCrystals([("tetragonal", materials.barium_titanate_tetragonal())], also)
    assert asked == []
    assert lazy.find(proposal(materials.sodium_chloride())) is None
    for _ in range(2):
        assert lazy.find(proposal(materials.barium_titanate_cubic())) == "cubic"
        assert lazy.find(proposal(materials.barium_titanate_tetragonal())) == "tetragonal"
    assert asked == ["NaCl", "BaTiO3"]
    assert len(lazy) == 2
