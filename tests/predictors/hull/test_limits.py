"""Chemical potentials at which a phase stands against its neighbours: by hand and against pymatgen."""

import pytest
from hysteron.core.errors import HullError
from hysteron.predictors.hull.phase import HullCard, Phase
from hysteron.predictors.hull.table import ON_HULL, ConvexHull, PhaseTable
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition, Element

LP = 1e-6  # eV, tolerance of two linear programmes


def toy_hull():
    phases = [
        Phase("na", "Na", -1.0, True),
        Phase("cl", "Cl2", -2.0, True),
        Phase("salt", "NaCl", -3.5, True),
        Phase("odd", "NaCl3", -2.9, True),
        Phase("high", "NaCl", -3.2, True),
    ]
    return ConvexHull(PhaseTable(phases, HullCard("toy-2026-11", "toy", 0.03, 0.04, {})))


@pytest.fixture(scope="module")
def shipped():
    return ConvexHull()


def test_limits_by_hand():
    found = toy_hull().chemical_potentials(Composition("NaCl"), -3.5, "Cl")
    # with Na at its own reference mu_Cl = 2 * -3.5 + 1; with NaCl3 mu_Na + 3 mu_Cl = 4 * -2.9
    assert found.reference == pytest.approx(-2.0)
    assert found.poor == pytest.approx(-6.0)
    assert found.rich == pytest.approx((4 * -2.9 - 2 * -3.5) / 2)
    assert found.stable


def test_a_phase_above_the_hull_has_the_limits_of_what_it_decomposes_to():
    hull = toy_hull()
    stable, above = (hull.chemical_potentials(Composition("NaCl"), energy, "Na") for energy in (-3.5, -3.2))
    assert (above.rich, above.poor) == pytest.approx((stable.rich, stable.poor))
    assert not above.stable
    within = hull.chemical_potentials(Composition("NaCl"), -3.5 + ON_HULL / 2, "Na")
    assert within.stable
    mixture = hull.chemical_potentials(Composition("NaCl2"), 0.0, "Cl")
    # between NaCl and NaCl3 both elements' potentials are fixed
    assert mixture.rich == pytest.approx(mixture.poor, abs=LP)
    assert not mixture.stable


def test_a_phase_below_the_hull_stands_in_a_wider_range():
    hull = toy_hull()
    known = hull.chemical_potentials(Composition("NaCl"), -3.5, "Cl")
    lower = hull.chemical_potentials(Composition("NaCl"), -3.6, "Cl")
    assert lower.poor < known.poor
    assert lower.rich > known.rich
    assert lower.rich <= lower.reference


def test_an_element_is_its_own_reference():
    found = toy_hull().chemical_potentials(Composition("Cl"), -2.0, "Cl")
    assert (found.reference, found.rich, found.poor) == pytest.approx((-2.0,) * 3, abs=LP)


def test_what_has_no_limits_is_refused():
    hull = toy_hull()
    with pytest.raises(HullError, match="holds no Br"):
        hull.chemical_potentials(Composition("NaCl"), -3.5, "Br")
    with pytest.raises(HullError, match="pure Br"):
        hull.chemical_potentials(Composition("NaBr"), -3.0, "Na")
    with pytest.raises(HullError, match="nan"):
        hull.chemical_potentials(Composition("NaCl"), float("nan"), "Na")
    with pytest.raises(HullError, match="pure Br"):
        hull.lowest_energy(Composition("NaBr"))


@pytest.mark.parametrize(
    ("formula", "element"),
    [("SrTiO3", "O"), ("SrTiO3", "Sr"), ("TiO2", "O"), ("HfO2", "O"), ("HfO2", "Hf"), ("BaCl2", "Cl")],
)
def test_agrees_with_pymatgen(shipped, formula, element):
    composition = Composition(formula)
    system = shipped.table.subsystem([symbol.symbol for symbol in composition])
    entries = [
        PDEntry(Composition(phase.formula), phase.energy_per_atom * Composition(phase.formula).num_atoms)
        for phase in system.phases
    ]
    energy = shipped.lowest_energy(composition)
    diagram = PhaseDiagram(entries)
    assert energy == pytest.approx(diagram.get_hull_energy_per_atom(composition), abs=1e-6)
    ranges = diagram.get_chempot_range_stability_phase(composition, Element(element))
    poor, rich = sorted(ranges[Element(element)])
    found = shipped.chemical_potentials(composition, energy, element)
    assert found.stable
    assert (found.poor, found.rich) == pytest.approx((poor, rich), abs=1e-5)
    assert found.rich <= found.reference


def test_the_oxygen_reference_is_the_hulls_own(shipped):
    """mp-12957, a solid of O2 molecules, by CHGNet 0.3.0 (ours, November 2026)."""
    found = shipped.chemical_potentials(
        Composition("SrTiO3"), shipped.lowest_energy(Composition("SrTiO3")), "O"
    )
    assert found.reference == pytest.approx(-4.935, abs=0.001)
