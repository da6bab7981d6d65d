"""Which phases compete: equal compositions, left-out phases, elements without reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import HullError
from hysteron.predictors.hull.phase import HullCard, Phase
from hysteron.predictors.hull.table import PhaseTable
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

FORMULAS = ["Na", "Cl2", "O2", "NaCl", "Na2O", "NaClO3", "ClO2", "NaClO", "Na3ClO", "NaCl3"]


def table_of(phases):
    return PhaseTable(phases, HullCard("toy-2026-11", "toy", 0.0, None, {}))


def mixture(table, formula, leave_out=()):
    return table.lowest_mixtures([(Composition(formula).get_el_amt_dict(), leave_out)])[0]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_toy_tables_agree_with_pymatgen(data):
    formulas = FORMULAS[:3] * 2 + data.draw(st.lists(st.sampled_from(FORMULAS), max_size=12))
    energies = data.draw(st.lists(st.integers(-40, 0), min_size=len(formulas), max_size=len(formulas)))
    phases = [Phase(str(i), f, e / 10, True) for i, (f, e) in enumerate(zip(formulas, energies, strict=True))]
    ids = data.draw(st.lists(st.sampled_from([p.material_id for p in phases[3:]]), max_size=4))
    target = data.draw(st.sampled_from([*FORMULAS, "Na4ClO2", "NaCl7O9"]))
    left = [p for p in phases if p.material_id not in ids]
    diagram = PhaseDiagram(
        [PDEntry(c := Composition(p.formula), p.energy_per_atom * c.num_atoms) for p in left]
    )
    table = table_of(phases)
    for _ in range(2):
        energy, shares = mixture(table, target, ids)
        assert energy == pytest.approx(diagram.get_hull_energy_per_atom(Composition(target)), abs=1e-6)
        assert sum(share for _, share in shares) == pytest.approx(1)
        assert not {p.material_id for p, _ in shares} & set(ids)
        assert sum(share * p.energy_per_atom for p, share in shares) == pytest.approx(energy, abs=1e-6)


def test_of_equal_compositions_the_lowest_left_competes():
    table = table_of(
        [
            Phase("na", "Na", 0.0, True),
            Phase("cl", "Cl2", 0.0, True),
            Phase("high", "Na2Cl2", -1.0, True),
            Phase("low", "NaCl", -2.0, True),
        ]
    )
    for ids, name, energy in (((), "low", -2.0), (("low",), "high", -1.0), (("other",), "low", -2.0)):
        found, shares = mixture(table, "NaCl", ids)
        assert (found, shares[0][0].material_id) == (pytest.approx(energy), name)
    assert mixture(table, "NaCl", ("low", "high"))[0] == pytest.approx(0.0)
    assert isinstance(mixture(table, "NaCl", ("na",)), HullError)
    assert isinstance(mixture(table, "NaBr"), HullError)


def test_an_element_alone_and_the_second_reference():
    table = table_of([Phase("a", "Na", -1.0, True), Phase("b", "Na", -0.9, True)])
    assert mixture(table, "Na2")[0] == -1.0
    energy, shares = mixture(table, "Na", ["a"])
    assert (energy, shares[0][0].material_id) == (-0.9, "b")
    assert isinstance(mixture(table, "Na", ["a", "b"]), HullError)


def test_more_elements_than_subsets_are_looked_up():
    symbols = ["H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al"]
    table = table_of([*(Phase(s, s, 0.0, True) for s in symbols), Phase("x", "LiF", -3.0, True)])
    system = table.subsystem(symbols)
    assert len(system.phases) == 14
    found = system.lowest_mixtures(np.full((1, 13), 1 / 13), [frozenset()])[0]
    assert found[0] == pytest.approx(-3.0 * 2 / 13)
