"""Hops between voids: which there are, which cross the crystal, and what they cost."""

import dataclasses
import json

import numpy as np
import pytest
from hysteron.core.contracts import Tools
from hysteron.screening.defects import interstitial_hops
from hysteron.screening.defects.interstitial_hops import Followed, Leap, leaps_of, mobility_of, narrowest_way
from hysteron.screening.defects.interstitials import InterstitialConfig, insertion_of
from hysteron.screening.defects.percolation import percolation
from insertion_toys import hull_of, pair_salt, pair_tools

SMALL = InterstitialConfig(fit_min=0.3, apart_angstrom=5.5, atoms_max=16, sites_max=1)
SYMMETRIC_EV = 0.03  # both ends relaxed apart


@pytest.fixture(scope="module")
def tools() -> Tools:
    return pair_tools(hull_of(Na=-1.0, Cl=-1.2, Li=-0.9, NaCl=-3.0))


@pytest.fixture(scope="module")
def insertion(tools):
    """Lithium in rock salt, put back to the middle of its cube: 2 sites a cell, at (1/4, 1/4, 1/4) and the opposite."""
    salt = tools.relaxer.relax([pair_salt()])[0].structure
    found = insertion_of(salt, "Li", tools, SMALL)
    middle = dataclasses.replace(found.sites[0], positions=found.sites[0].void.positions)
    return dataclasses.replace(found, sites=(middle,))


@pytest.fixture(scope="module")
def mobility(insertion, tools):
    return mobility_of(insertion, tools, SMALL)


def leap(*members, room: float = 1.0) -> Leap:
    return Leap(tuple(members), 2.0, room, "toy")


def test_the_voids_of_rock_salt_are_a_simple_cubic_net(insertion):
    (only,) = leaps_of(insertion, 1.0)
    side = np.linalg.norm(insertion.supercell.primitive.lattice.matrix[0]) / np.sqrt(2)
    assert only.length_angstrom == pytest.approx(side, abs=1e-3)
    assert len(only.members) == 6  # 2 sites of 6 neighbours, each pair once
    assert percolation(only.edges(0.0)).dimensions == 3
    assert only.name.startswith("Li1-Li1")


def test_a_hop_between_equal_sites_costs_the_same_both_ways(mobility):
    (hop,) = mobility.hops
    assert hop.barrier == pytest.approx(hop.reverse_barrier, abs=SYMMETRIC_EV)
    assert mobility.barrier == pytest.approx(hop.barrier, abs=2 * SYMMETRIC_EV)
    assert mobility.connected.dimensions == 3


def test_the_record_is_json_in_the_form_of_vacancies(mobility):
    record = mobility.record()
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["barrier"] == mobility.barrier
    assert set(record["percolation"]) == {"1D", "2D", "3D"}
    assert {"name", "height", "kind", "note", "length_angstrom"} <= set(record["hops"][0])
    assert "interstitial Li" in record["method"]


def test_the_roomiest_kinds_that_cross_are_taken_and_those_that_lead_nowhere_left_out():
    pair = leap((0, 1, (0, 0, 0)))  # from site to site inside one cell
    blind = leap((0, 2, (0, 0, 0)))
    through = leap((1, 0, (1, 0, 0)))
    detour = leap((0, 0, (0, 1, 0)))
    assert narrowest_way([pair, blind, through, detour]) == [pair, through]
    assert narrowest_way([detour, pair]) == [detour]
    assert narrowest_way([pair, blind]) == []
    assert narrowest_way([]) == []


def test_what_cannot_be_answered_is_a_sentence(insertion, tools):
    assert "none was given" in mobility_of(insertion, dataclasses.replace(tools, potential=None))
    late = SMALL.model_copy(update={"seconds": 1e-9})
    assert "of 'seconds' are spent" in mobility_of(insertion, tools, late)


def test_the_widest_way_is_not_taken_for_the_lowest(insertion, tools, monkeypatch):
    """Three straight ways: the second one is lower, the third is refused; what runs out is said."""
    wide, low, refused = (
        leap((0, 0, cell), room=room) for cell, room in (((1, 0, 0), 3.0), ((0, 1, 0), 2.0), ((0, 0, 1), 1.0))
    )
    heights = {wide: 0.9, low: 0.4}

    def follow(kind, *_):
        if kind is refused:
            return "it exploded."
        return Followed(kind, 0.0, 0.0, heights[kind], heights[kind], "toy NEB", True), []

    monkeypatch.setattr(interstitial_hops, "leaps_of", lambda *_: [wide, low, refused])
    monkeypatch.setattr(interstitial_hops, "_follow", follow)
    found = mobility_of(insertion, tools, SMALL)
    assert found.barrier == 0.4
    assert len(found.hops) == 2
    assert found.connected.dimensions == 2
    assert any("given up: it exploded" in note for note in found.notes)
    one = mobility_of(insertion, tools, SMALL.model_copy(update={"hops_max": 1}))
    assert one.barrier == 0.9
    assert "1 of 3 kinds of hops were followed; the 1 of 'hops_max' are spent." in one.notes


def test_high_sites_take_no_part(insertion):
    high = dataclasses.replace(
        insertion.sites[0], energy=insertion.energy + 5.0, positions=np.array([[0.5, 0.4, 0.3]])
    )
    assert len(leaps_of(dataclasses.replace(insertion, sites=(*insertion.sites, high)), 1.0)) == 1


def test_an_end_that_does_not_find_its_site_tells_no_barrier(insertion, tools):
    """The sites are said to lie 1 eV deeper than the ion comes to rest."""
    deep = dataclasses.replace(insertion.sites[0], energy=insertion.energy - 1.0)
    found = mobility_of(dataclasses.replace(insertion, sites=(deep,)), tools, SMALL)
    assert isinstance(found, str)
    assert "1.00 eV above its site" in found
