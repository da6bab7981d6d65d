"""A crystal's hops put together: what is computed, what is left out and why, and what is told."""

from __future__ import annotations

import json

import materials
import numpy as np
import pytest
from hysteron.core.contracts import Tools
from hysteron.screening.defects.barriers import MigrationConfig, ion_name, migration_of
from hysteron.screening.defects.hops import HopConfig
from hysteron.screening.defects.migration import COLLAPSE_EV, SIGMA_EV
from pair_potential import PairPotential
from pymatgen.core import Structure

QUICK = MigrationConfig(apart_angstrom=7.0, max_force=0.02)
SAME_EV = 0.01
"""Two relaxations to 0.02 eV/A of the same hop."""


@pytest.fixture(scope="module")
def rock_salt():
    """Built once: the operations of Fm-3m take their time."""
    return materials.magnesium_oxide()


@pytest.fixture(scope="module")
def tools():
    return Tools(potential=PairPotential())


@pytest.fixture(scope="module")
def magnesia(tools, rock_salt):
    return migration_of(rock_salt, "O", tools, QUICK)


def test_rock_salt_has_one_barrier_in_all_directions(magnesia):
    assert magnesia.percolation.dimensions == 3
    assert magnesia.barrier == magnesia.percolation.three == magnesia.lowest_hop
    assert 0.5 < magnesia.barrier < 1.5
    assert magnesia.settled
    assert magnesia.governing.kind == "symmetric saddle"
    assert magnesia.governing.converged


def test_forth_and_back_cost_the_same_where_symmetry_exchanges_the_ends(magnesia):
    (hop,) = magnesia.hops
    assert hop.forward == hop.reverse == hop.height


def test_the_property_says_how_and_what_moves(magnesia):
    value = magnesia.as_property()
    assert (value.name, value.units) == ("migration_barrier", "eV")
    assert value.method == "pairs, symmetric saddle, V_O"
    assert value.value == pytest.approx(magnesia.barrier, abs=1e-4)
    assert value.uncertainty == SIGMA_EV
    assert value.source == "O1-O1 2.98"


def test_the_record_is_json_and_tells_every_hop(magnesia):
    record = json.loads(json.dumps(magnesia.record()))
    assert record["ion"] == "V_O"
    assert record["percolation"] == {
        "1D": record["barrier"],
        "2D": record["barrier"],
        "3D": record["barrier"],
    }
    assert [hop["kind"] for hop in record["hops"]] == ["symmetric saddle"]


@pytest.mark.parametrize("change", ["supercell", "order and origin"])
def test_the_same_crystal_written_otherwise(tools, rock_salt, magnesia, change):
    crystal = rock_salt
    if change == "supercell":
        crystal = crystal * [2, 1, 1]
    else:
        crystal = Structure(crystal.lattice, crystal.species[::-1], crystal.frac_coords[::-1] + 0.13)
    found = migration_of(crystal, "O", tools, QUICK)
    assert found.barrier == pytest.approx(magnesia.barrier, abs=SAME_EV)


def test_a_cation_moves_on_its_own_sites(tools, rock_salt):
    found = migration_of(rock_salt, "Mg", tools, QUICK)
    assert found.ion == "Mg2+"
    assert found.as_property().method == "pairs, symmetric saddle, Mg2+"


def test_ions_are_named_by_their_charge():
    assert ion_name(materials.lithium_cobaltate(), "Li") == "Li+"
    assert ion_name(materials.titania_rutile(), "O") == "V_O"
    assert ion_name(materials.iron_one_atom(), "Fe") == "V_Fe"


@pytest.mark.parametrize("room", [0.7, 5.0])
def test_a_blocked_hop_is_listed_with_the_reason(tools, rock_salt, room):
    """By 0.63 A the two magnesium ions beside the middle leave less room than is asked for here."""
    config = QUICK.model_copy(update={"bottleneck_min_angstrom": room})
    found = migration_of(rock_salt, "O", tools, config)
    (hop,) = found.hops
    assert (hop.kind, hop.height) == ("not computed", None)
    assert hop.note.startswith("Mg stands in the way: 0.63 A of room")
    assert found.barrier is None
    assert found.as_property() is None
    assert not found.settled


def test_the_roomiest_hops_are_followed_first(tools, rock_salt):
    """The second shell leads straight through magnesium."""
    config = MigrationConfig(
        hops=HopConfig(reach=1.45), apart_angstrom=7.0, bottleneck_min_angstrom=-2.0, hops_max=1
    )
    first, second = migration_of(rock_salt, "O", tools, config).hops
    assert first.height is not None
    assert (second.kind, second.note) == ("not computed", "1 other hops have more room on the way.")


def test_what_the_time_does_not_reach_is_listed(tools, rock_salt):
    """A second shell of hops, none of which is a saddle at once; the bands come after the time is over."""
    config = MigrationConfig(
        hops=HopConfig(reach=1.45),
        apart_angstrom=7.0,
        bottleneck_min_angstrom=-2.0,
        seconds=1e-3,
        exhaustive=True,
    )
    found = migration_of(rock_salt, "O", tools, config)
    assert len(found.hops) == 2
    late = [hop for hop in found.hops if hop.note == "No time was left of 0.001 s."]
    assert late
    assert all(hop.kind == "not computed" for hop in late)


def test_a_hop_too_high_to_matter_is_spared_its_band(tools, rock_salt):
    """Straight through magnesium, once the first shell connects in three dimensions."""
    config = MigrationConfig(hops=HopConfig(reach=1.45), apart_angstrom=7.0, bottleneck_min_angstrom=-2.0)
    found = migration_of(rock_salt, "O", tools, config)
    first, second = found.hops
    assert first.kind == "symmetric saddle"
    if second.kind == "not needed":
        assert second.at_least >= first.height
    assert found.barrier == first.height


def test_a_crystal_that_falls_apart_gets_no_barrier(tools):
    """Morse bonds do not hold the rutile structure: what is climbed there is no barrier of a vacancy."""
    config = MigrationConfig(apart_angstrom=6.0, seconds_per_hop=2.0, seconds=10.0)
    found = migration_of(materials.titania_rutile(), "O", tools, config)
    assert found.fell_ev > COLLAPSE_EV
    assert found.as_property() is None
    assert any("less than with the symmetry of its site" in note for note in found.notes)


def test_a_small_supercell_is_told(tools, rock_salt):
    config = QUICK.model_copy(update={"atoms_max": 16})
    found = migration_of(rock_salt, "O", tools, config)
    assert not isinstance(found, str)
    assert any("16 atoms do not suffice" in note for note in found.notes)


def test_what_cannot_be_asked_is_a_sentence(tools, rock_salt):
    assert migration_of(rock_salt, "O", Tools()).startswith("Barriers need a potential")
    assert migration_of(rock_salt, "F", tools) == "MgO has no F."
    golden = rock_salt.copy()
    golden.replace_species({"Mg": "Au"})
    refused = migration_of(golden, "O", tools, QUICK)
    assert not isinstance(refused, str)
    assert refused.hops[0].note == "pairs: The toy does not know gold."
    assert refused.barrier is None


def test_progress_is_told(tools, rock_salt):
    told = []
    migration_of(rock_salt, "O", tools, QUICK, told.append)
    assert told == ["1 hops in 32 atoms"]


@pytest.mark.slow
def test_strontium_titanate_by_chgnet_converges_with_the_supercell():
    """A band in the supercell of the symmetric saddle finds the same height; a larger supercell changes it little."""
    from hysteron.flows.run_settings import PotentialTable
    from hysteron.flows.toolbox import potential, relaxer

    host = (
        relaxer(PotentialTable(symmetry=True, workers=1)).relax([materials.strontium_titanate()])[0].structure
    )
    tools = Tools(potential=potential("chgnet"))
    sizes = [
        migration_of(host, "O", tools, MigrationConfig(apart_angstrom=a, atoms_max=140))
        for a in (7.0, 8.0, 11.5)
    ]
    barriers = [found.barrier for found in sizes]
    steps = np.abs(np.diff(barriers))
    assert steps[1] < 0.05 < steps[0]
    assert all(found.governing.kind == "symmetric saddle" for found in sizes)
