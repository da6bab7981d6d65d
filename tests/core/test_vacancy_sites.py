"""Sites that a vacancy can stand on: kinds by symmetry, and the start of a relaxation around one."""

import materials
import numpy as np
import pytest
from hysteron.core.supercells import supercell_for
from hysteron.core.vacancy_sites import SEED_ANGSTROM, distinct_sites, seeded
from pymatgen.core import Structure


@pytest.mark.parametrize(
    ("name", "element", "multiplicities"),
    [
        ("strontium_titanate", "O", [3]),
        ("titania_rutile", "O", [4]),
        ("hafnia_monoclinic", "O", [4, 4]),
        ("hafnia_polar", "O", [4, 4]),
        ("barium_titanate_tetragonal", "O", [2, 1]),
        ("sodium_chloride", "Cl", [1]),
        ("germanium_telluride", "Te", [1]),
    ],
)
def test_sites_that_differ_by_symmetry(name, element, multiplicities):
    primitive = supercell_for(getattr(materials, name)()).primitive
    sites = distinct_sites(primitive, element)
    assert [site.multiplicity for site in sites] == multiplicities
    assert [site.number for site in sites] == list(range(1, len(sites) + 1))
    assert len({site.label for site in sites}) == len(sites)


def test_displacements_are_small_break_symmetry_and_repeat():
    whole = supercell_for(materials.strontium_titanate()).structure
    moved = seeded(whole, whole.frac_coords[0])
    steps = np.linalg.norm(moved.cart_coords - whole.cart_coords, axis=1)
    assert 0 < steps.max() <= SEED_ANGSTROM
    assert moved.get_space_group_info(symprec=1e-3)[1] == 1
    assert np.array_equal(moved.frac_coords, seeded(whole, whole.frac_coords[0]).frac_coords)
    order = list(reversed(range(len(whole))))
    other = seeded(Structure.from_sites([whole[i] for i in order]), whole.frac_coords[0])
    assert np.allclose(other.frac_coords, moved.frac_coords[order])
