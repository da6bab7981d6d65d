"""Halides and layered chalcogenides: soft anions whose vacancies hop, and how near the host is to falling apart."""

import json

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.contracts import Tools
from hysteron.core.oxidation import oxidation_states
from hysteron.screening.criteria import decide
from hysteron.screening.defects.barriers import MigrationConfig
from hysteron.screening.resistive_switching.halide import (
    MECHANISM,
    HalideConfig,
    cheap_halide,
    costly_halide,
    decomposition,
    judge_halide,
    soft_anions,
)
from insertion_toys import hull_of, pair_salt, pair_tools
from pymatgen.core import Lattice, Structure

PHASES = {"Cs": 0.0, "Pb": 0.0, "Br": 0.0, "CsBr": -1.9, "PbBr2": -0.9}


def caesium_lead_bromide() -> Structure:
    """Pm-3m; a = 5.874 A (Moller, Nature 182, 1436 (1958), above 130 C)."""
    sites = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(5.874), ["Cs", "Pb", "Br", "Br", "Br"], sites)


def molybdenite() -> Structure:
    """P6_3/mmc; a = 3.1604, c = 12.295 A, z(S) = 0.629 (Bronsema et al., Z. Anorg. Allg. Chem. 540, 15 (1986), rounded)."""
    return Structure.from_spacegroup(
        "P6_3/mmc",
        Lattice.hexagonal(3.1604, 12.295),
        ["Mo", "S"],
        [[1 / 3, 2 / 3, 0.25], [1 / 3, 2 / 3, 0.621]],
    )


def with_values(structure: Structure, gap: float = 1.8) -> Candidate:
    return Candidate("one", structure).with_property(
        PropertyValue("band_gap", gap, "eV", "PBE"),
        PropertyValue("energy_above_hull", 0.0, "eV/atom", "toy"),
        PropertyValue("energy_per_atom", -1.35, "eV/atom", "pairs"),
    )


def hops(barrier: float | None) -> dict:
    """As `Migration.record` gives it."""
    hop = {
        "name": "Br1-Br1 4.15",
        "method": "symmetric saddle",
        "height": barrier,
        "note": "blocked" if barrier is None else "",
    }
    return {
        "barrier": barrier,
        "uncertainty": 0.3,
        "potential": "toy",
        "governing_hop": "Br1-Br1 4.15" if barrier else None,
        "hops": [hop],
    }


def judged(one: Candidate, **findings):
    config = HalideConfig()
    told = {"charges": oxidation_states(one.structure)} | findings
    criteria = judge_halide(one, told, config, "resistive-switching")
    return {c.name: c for c in criteria}, decide(MECHANISM, criteria, config.required, "migration_barrier")


def measured(one: Candidate, barrier: float | None = 0.3):
    found = cheap_halide(one, Tools(hull=hull_of(**PHASES)))
    anion = found["anions"][0]
    return {MECHANISM: found | {"migration": {anion: hops(barrier)}}}


def test_a_halide_perovskite_with_a_low_barrier_passes():
    one = with_values(caesium_lead_bromide())
    criteria, verdict = judged(one, **measured(one))
    assert verdict.passed, verdict.reason
    assert verdict.value == 0.3
    assert "V_Br" in criteria["migration_barrier"].sentence
    assert criteria["migration_barrier"].uncertainty == 0.3
    json.dumps(verdict.details, allow_nan=False)


@pytest.mark.parametrize(
    ("barrier", "status"), [(0.05, "failed"), (0.2, "passed"), (0.6, "passed"), (0.8, "failed")]
)
def test_the_window_has_two_ends(barrier, status):
    one = with_values(caesium_lead_bromide())
    assert judged(one, **measured(one, barrier))[0]["migration_barrier"].status == status


def test_hops_that_another_mechanism_followed_count():
    one = with_values(caesium_lead_bromide())
    found = cheap_halide(one, Tools())
    criteria, verdict = judged(one, **{MECHANISM: found, "migration": {"Br": hops(0.4)}})
    assert verdict.passed
    assert criteria["migration_barrier"].value == 0.4
    assert costly_halide(one, Tools(), known={"Br": hops(0.4)}) == {"migration": {}}


def test_which_anions_are_soft():
    assert soft_anions(caesium_lead_bromide()) == ["Br"]
    assert soft_anions(molybdenite()) == ["S"]
    assert soft_anions(molybdenite() * (1, 2, 1)) == ["S"]
    assert soft_anions(materials.zinc_oxide()) == []
    assert soft_anions(materials.silicon()) == []
    assert soft_anions(materials.sodium_chloride()) == ["Cl"]


def test_layers_are_told():
    found = cheap_halide(Candidate("one", molybdenite()), Tools())
    assert found == {"anions": ["S"], "dimensionality": 2}
    criteria, _ = judged(with_values(molybdenite()), **{MECHANISM: found})
    assert "bonded to layers" in criteria["soft_anion"].sentence
    assert criteria["migration_barrier"].status == "not computed"


def test_an_oxide_is_not_of_this_class():
    one = with_values(materials.titania_rutile())
    criteria, verdict = judged(one, **{MECHANISM: cheap_halide(one, Tools())})
    assert criteria["soft_anion"].status == "failed"
    assert "a framework" in criteria["soft_anion"].sentence
    assert verdict.score == 0.0


def test_decomposition_products_and_the_margin():
    # 2 CsBr + 3 PbBr2 atoms a formula of 5: (2 * -1.9 + 3 * -0.9) / 5 = -1.30 eV/atom
    crystal = caesium_lead_bromide()
    found = decomposition(crystal, -1.35, hull_of(**PHASES))
    assert found["margin"] == pytest.approx(0.05)
    assert sorted(found["products"]) == ["CsBr", "PbBr2"]
    listed = hull_of(**PHASES, CsPbBr3=-1.36)
    assert decomposition(crystal, -1.35, listed)["products"] == found["products"]
    assert decomposition(crystal * (2, 1, 1), -1.35, listed)["margin"] == pytest.approx(0.05)
    assert "failure" in decomposition(crystal, -1.35, hull_of(Cs=0.0))


@pytest.mark.parametrize(
    ("energy", "status", "flagged"),
    [(-1.35, "passed", False), (-1.31, "passed", True), (-1.2, "failed", True)],
)
def test_a_small_margin_is_flagged_and_not_required(energy, status, flagged):
    one = with_values(caesium_lead_bromide())
    found = measured(one)
    found[MECHANISM]["decomposition"] = decomposition(one.structure, energy, hull_of(**PHASES))
    criteria, verdict = judged(one, **found)
    assert criteria["decomposition"].status == status
    assert criteria["decomposition"].flagged == flagged
    assert verdict.passed
    assert "CsBr" in verdict.reason


def test_what_was_not_measured_is_no_pass():
    criteria, verdict = judged(with_values(caesium_lead_bromide()))
    assert not verdict.passed
    assert criteria["soft_anion"].status == "missing"
    assert criteria["decomposition"].status == "not computed"
    one = with_values(caesium_lead_bromide())
    blocked = judged(one, **measured(one, None))[0]["migration_barrier"]
    assert blocked.status == "missing"
    assert "blocked" in blocked.sentence


def test_hops_are_followed_once_for_each_anion():
    one = Candidate("one", pair_salt())
    config = HalideConfig(vacancy_hops=MigrationConfig(apart_angstrom=5.5, atoms_max=16))
    found = costly_halide(one, pair_tools(), config)
    assert set(found["migration"]) == {"Cl"}
    assert found["migration"]["Cl"]["barrier"] >= 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_tools_or_time_it_says_so():
    one = Candidate("one", materials.sodium_chloride())
    assert "need a relaxer" in costly_halide(one, Tools())["migration"]["Cl"]
    late = costly_halide(one, pair_tools(), host=materials.sodium_chloride(), stop_at=0.0)
    assert "no time was left" in late["migration"]["Cl"]


def test_a_disordered_crystal_has_no_anions():
    assert cheap_halide(Candidate("one", materials.disordered_alloy()), Tools())["anions"] == []
