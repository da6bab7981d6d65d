"""Insertion: what it costs to put an ion into a host, and where the ion comes to rest."""

import dataclasses
import json

import materials
import numpy as np
import pytest
from hysteron.core.contracts import Tools
from hysteron.core.supercells import supercell_for
from hysteron.screening.defects.interstitials import InterstitialConfig, insertion_of, with_ion
from insertion_toys import hull_of, pair_salt, pair_tools
from pymatgen.core import Structure

SMALL = InterstitialConfig(fit_min=0.3, apart_angstrom=5.5, atoms_max=16, sites_max=2)
PHASES = {"Na": -1.0, "Cl": -1.2, "Li": -0.9, "NaCl": -3.0}
RELAXED_EV = 0.02  # two runs of a relaxer to 0.02 eV/A


@pytest.fixture(scope="module")
def tools() -> Tools:
    return pair_tools(hull_of(**PHASES))


@pytest.fixture(scope="module")
def salt(tools) -> Structure:
    """Rock salt where the pair potential puts it."""
    return tools.relaxer.relax([pair_salt()])[0].structure


@pytest.fixture(scope="module")
def lithium_in_salt(salt, tools):
    return insertion_of(salt, "Li", tools, SMALL)


def test_the_energy_is_that_of_the_reaction(lithium_in_salt, tools, salt):
    site = lithium_in_salt.sites[0]
    with_lithium = tools.potential.calculate([site.structure])[0].energy
    alone = tools.potential.calculate([salt])[0].energy / len(salt) * (len(site.structure) - 1)
    assert lithium_in_salt.energy == pytest.approx(with_lithium - alone - PHASES["Li"], abs=RELAXED_EV)
    assert lithium_in_salt.lowest_total == pytest.approx(with_lithium, abs=1e-6)
    assert site.converged


def test_a_reference_that_lies_deeper_makes_insertion_dearer_by_as_much(lithium_in_salt, salt, tools):
    deeper = dataclasses.replace(tools, hull=hull_of(**PHASES | {"Li": -1.4}))
    assert insertion_of(salt, "Li", deeper, SMALL).energy == pytest.approx(
        lithium_in_salt.energy + 0.5, abs=1e-6
    )


def test_the_setting_does_not_matter(lithium_in_salt, salt, tools):
    skewed = salt * [[1, 0, 0], [1, 1, 0], [0, 0, 1]]
    other = insertion_of(skewed, "Li", tools, SMALL)
    assert other.energy == pytest.approx(lithium_in_salt.energy, abs=RELAXED_EV)
    assert len(other.sites) == len(lithium_in_salt.sites)
    assert len(other.whole) == len(lithium_in_salt.whole)


def test_the_host_and_its_own_ion(salt, tools):
    found = insertion_of(salt, "Na", tools, SMALL)
    assert found.ion == "Na"
    assert found.sites[0].structure.composition["Na"] == len(found.whole) / 2 + 1


def test_sites_are_told_lowest_first_and_symmetry_gives_their_equals(lithium_in_salt):
    energies = [site.energy for site in lithium_in_salt.sites]
    assert energies == sorted(energies)
    assert len(lithium_in_salt.sites[0].positions) % 2 == 0  # no site of Fm-3m but the atoms' own is single
    assert lithium_in_salt.voids >= len(energies)


def test_the_ion_is_put_where_it_is_wanted():
    supercell = supercell_for(materials.sodium_chloride(), 8.0)
    position = np.array([0.25, 0.25, 0.25])
    filled = with_ion(supercell.structure.copy(site_properties={}), supercell, position, "Li")
    place = supercell.primitive.lattice.get_cartesian_coords(position)
    assert filled[-1].specie.symbol == "Li"
    assert filled[-1].distance_from_point(place) == pytest.approx(0.0, abs=1e-9)
    nearest = min(filled.get_distance(len(filled) - 1, i) for i in range(len(filled) - 1))
    assert nearest == pytest.approx(np.sqrt(3) / 4 * 5.6402, abs=1e-3)


def test_the_record_is_json_and_has_no_structure(lithium_in_salt):
    record = lithium_in_salt.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["insertion_energy"] == lithium_in_salt.energy
    assert "neutral, one ion in" in record["method"]


def test_what_cannot_be_answered_is_a_sentence(salt, tools):
    assert "needs a hull" in insertion_of(salt, "Li", dataclasses.replace(tools, hull=None))
    assert "needs a relaxer" in insertion_of(salt, "Li", dataclasses.replace(tools, atoms_relaxer=None))
    assert "no void that Cs fits into" in insertion_of(
        salt, "Cs", pair_tools(hull_of(Cs=-1.0)), InterstitialConfig(fit_min=2.0)
    )
    assert "Ag" in insertion_of(salt, "Ag", tools, SMALL)  # the hull has no silver
    assert "partially occupied" in insertion_of(materials.disordered_alloy(), "Li", tools, SMALL)


def test_a_potential_that_refuses_is_a_sentence(salt):
    found = insertion_of(salt, "Au", pair_tools(hull_of(Au=-1.0)), SMALL)  # the pair potential knows no gold
    assert "gold" in found
