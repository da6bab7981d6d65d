"""Distances from the convex hull: against pymatgen, against hand-made cases, and what is refused."""

import gzip
import json
import math
import random
from dataclasses import replace

import pytest
from hysteron.core.checks import check_hull
from hysteron.core.contracts import Hull
from hysteron.core.errors import HullError, MissingDataError
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.hull.export import _gzipped
from hysteron.predictors.hull.phase import HullCard, Phase
from hysteron.predictors.hull.table import (
    CARD,
    TABLE,
    ConvexHull,
    ConvexHullSettings,
    PhaseTable,
    card_file,
    table_name,
)
from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram
from pymatgen.core import Composition

LP = 1e-7  # eV/atom, tolerance of the linear program


def toy_card(excess=0.03, error=0.04):
    return HullCard("toy-2026-11", "toy", excess, error, {})


def toy_phases():
    return [
        Phase("na", "Na", -1.0, True),
        Phase("cl", "Cl2", -2.0, True),
        Phase("salt", "NaCl", -3.5, True),
        Phase("odd", "NaCl3", -2.9, False),
        Phase("high", "NaCl", -3.2, True),
    ]


def entry_of(phase):
    composition = Composition(phase.formula)
    return PDEntry(composition, phase.energy_per_atom * composition.num_atoms)


@pytest.fixture
def toy():
    return ConvexHull(PhaseTable(toy_phases(), toy_card()))


@pytest.fixture(scope="module")
def shipped():
    return ConvexHull()


def test_distances_by_hand(toy):
    assert isinstance(toy, Hull)
    assert (toy.name, toy.potential_name) == ("toy-2026-11", "toy")
    found = toy.distance(Composition("NaCl"), -3.2)
    assert found.energy_above_hull == pytest.approx(0.3)
    assert found.decomposition == (("salt", "NaCl", 1.0),)
    below = toy.distance(Composition("Na2Cl2"), -3.6)
    assert below.energy_above_hull == pytest.approx(-0.1)
    without = toy.distance(Composition("NaCl"), -3.5, leave_out=["salt", "high"])
    # NaCl3 and Na in atoms: 2/3 of NaCl3 holds 1/6 Na and 1/2 Cl, 1/3 of Na the rest
    assert without.energy_above_hull == pytest.approx(-3.5 - (2 / 3 * -2.9 + 1 / 3 * -1.0))
    assert [(i, round(x, 4)) for i, _, x in without.decomposition] == [("odd", 0.6667), ("na", 0.3333)]


def test_an_unrelaxed_competitor_widens_the_uncertainty(toy):
    relaxed = toy.distance(Composition("NaCl"), -3.4)
    unrelaxed = toy.distance(Composition("NaCl3"), -2.8)
    assert relaxed.uncertainty == pytest.approx(0.04)
    assert unrelaxed.uncertainty == pytest.approx(0.05)
    unmeasured = ConvexHull(PhaseTable(toy_phases(), toy_card(error=None)))
    assert unmeasured.distance(Composition("NaCl"), -3.4).uncertainty is None


def test_a_missing_element_is_refused_and_never_zero(toy):
    with pytest.raises(HullError, match="pure Br"):
        toy.distance(Composition("NaBr"), -3.0)
    with pytest.raises(HullError, match="pure Cl"):
        toy.distance(Composition("NaCl"), -3.0, leave_out=["cl"])
    with pytest.raises(HullError, match="nan"):
        toy.distance(Composition("NaCl"), float("nan"))


def test_an_element_has_formation_energy_zero(shipped):
    for element in ("Si", "O", "La", "Mg", "Ru", "Sr", "Fe"):
        reference = -shipped.distance(Composition(element), 0.0).energy_above_hull
        assert shipped.distance(Composition(element), reference).energy_above_hull == pytest.approx(0, abs=LP)


@pytest.mark.parametrize("chemsys", ["Ba-O-Ti", "Hf-O", "Ge-Te", "Li-Co-O", "Sr-Ca-Ti-O"])
def test_agrees_with_pymatgen(shipped, chemsys):
    system = shipped.table.subsystem(chemsys.split("-"))
    diagram = PhaseDiagram(entries := [entry_of(phase) for phase in system.phases])
    for entry in random.Random(0).sample(entries, min(15, len(entries))):
        ours = shipped.distance(entry.composition, entry.energy_per_atom)
        assert ours.energy_above_hull == pytest.approx(diagram.get_e_above_hull(entry), abs=1e-6)
        assert sum(share for _, _, share in ours.decomposition) == pytest.approx(1, abs=1e-5)


def test_leaving_phases_out_agrees_with_pymatgen(shipped):
    system = shipped.table.subsystem(["Ba", "Ti", "O"])
    own = [p for p in system.phases if p.formula == "BaTiO3"]
    others = [entry_of(phase) for phase in system.phases if phase not in own]
    lowest = min(p.energy_per_atom for p in own)
    found = shipped.distance(Composition("BaTiO3"), lowest, [p.material_id for p in own])
    entry = PDEntry(Composition("BaTiO3"), 5 * lowest)
    expected = PhaseDiagram(others).get_decomp_and_e_above_hull(entry, allow_negative=True)[1]
    assert found.energy_above_hull == pytest.approx(expected, abs=1e-6)
    assert found.energy_above_hull < 0


def drawn_items(shipped, count, seed=0):
    """Phases of the table with drawn energies, compositions between them, and leave-outs that matter."""
    rng = random.Random(seed)
    items = []
    for phase in rng.sample([p for p in shipped.table.phases if p.material_id.startswith("mp-")], count):
        composition = Composition(phase.formula)
        if rng.random() < 0.3:
            inside = shipped.table.subsystem(composition.get_el_amt_dict()).phases
            composition = composition + 2 * Composition(rng.choice(inside).formula)
        left = [phase.material_id] if rng.random() < 0.3 else []
        items.append((composition, phase.energy_per_atom + rng.uniform(-0.1, 0.2), left))
    return items


def by_pymatgen(shipped, composition, energy_per_atom, leave_out):
    phases = shipped.table.subsystem(composition.get_el_amt_dict()).phases
    diagram = PhaseDiagram([entry_of(p) for p in phases if p.material_id not in leave_out])
    return energy_per_atom - diagram.get_hull_energy_per_atom(composition)


def test_a_batch_agrees_with_pymatgen(shipped):
    items = drawn_items(shipped, 150)
    for item, found in zip(items, shipped.distances(items), strict=True):
        assert found.energy_above_hull == pytest.approx(by_pymatgen(shipped, *item), abs=1e-6)
        total = sum(
            (share * Composition(f).fractional_composition for _, f, share in found.decomposition),
            Composition(),
        )
        assert total.almost_equals(item[0].fractional_composition, rtol=0, atol=1e-4)
        assert not {i for i, _, _ in found.decomposition} & set(item[2])


def test_a_batch_keeps_the_promises_of_its_contract(shipped):
    items = drawn_items(shipped, 60, seed=1)
    bad = [(Composition("NaCl"), math.nan, ()), (Composition("CmO2"), -3.0, ()), (Composition(), 0.0, ())]
    found = check_hull(ConvexHull(shipped.table), [items[0], *bad, *items[1:]])
    assert all(isinstance(found[k], HullError) for k in (1, 2, 3))
    assert "pure Cm" in str(found[2])


def test_what_was_asked_before_changes_nothing(shipped):
    items = drawn_items(shipped, 40, seed=2)
    fresh = ConvexHull(PhaseTable(shipped.table.phases, shipped.table.card))
    forward = fresh.distances(items)
    backward = fresh.distances(items[::-1])[::-1]
    for a, b in zip(forward, backward, strict=True):
        assert a.energy_above_hull == pytest.approx(b.energy_above_hull, abs=LP)


def test_energies_of_another_potential_are_refused(toy):
    class Toy:
        name, energy_scale, model_hash = "toy", "toy", "new"

        def calculate(self, structures):
            return []

    assert ConvexHull(toy.table, potential=Toy()).potential_name == "toy"
    marked = PhaseTable(toy_phases(), replace(toy_card(), rest={"model_hash": "old"}))
    with pytest.raises(HullError, match="weights old"):
        ConvexHull(marked, potential=Toy())
    with pytest.raises(HullError, match="energies of toy; those of CHGNet"):
        ConvexHull(toy.table, potential=CHGNetPotential())


def test_each_potential_has_a_table_of_its_own(tmp_path, monkeypatch):
    assert (table_name(), table_name("sevennet-0")) == ("hull.csv.gz", "hull-sevennet-0.csv.gz")
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    with pytest.raises(MissingDataError, match="data build hull --potential sevennet-0"):
        ConvexHull(settings=ConvexHullSettings(potential="sevennet-0"))
    own = tmp_path / "data" / table_name("sevennet-0")
    own.parent.mkdir()
    own.write_bytes(_gzipped(toy_phases()))
    card = {"name": "seven-2026-11", "potential": "7", "single_point_excess": 0.01, "model_error": None}
    card_file(own).write_text(json.dumps(card))
    assert ConvexHull(settings=ConvexHullSettings(potential="sevennet-0")).name == "seven-2026-11"
    assert table_name("mace:/models/../a b.model") == "hull-mace-models-..-a-b.model.csv.gz"
    with pytest.raises(ValueError, match="potential"):
        ConvexHullSettings(potential="")


def test_a_table_without_a_column_is_refused(tmp_path):
    path = tmp_path / TABLE
    path.write_bytes(gzip.compress(b"material_id,formula\nmp-1,Na\n"))
    card = {"name": "x-2026-11", "potential": "toy", "single_point_excess": 0.01}
    (tmp_path / CARD).write_text(json.dumps(card))
    with pytest.raises(MissingDataError, match="no field model_error"):
        PhaseTable.load(path)
    (tmp_path / CARD).write_text(json.dumps(card | {"model_error": None}))
    with pytest.raises(MissingDataError, match="energy_per_atom, relaxed"):
        PhaseTable.load(path)


def test_the_shipped_hull_knows_itself(shipped):
    card = shipped.table.card
    assert card.name.startswith("mp-chgnet-")
    assert card.potential == CHGNetPotential.name
    assert card.rest["model_hash"] == CHGNetPotential().model_hash
    assert card.rest["phases"] == len(shipped.table.phases)
    assert card.rest["relaxed"] == sum(p.relaxed for p in shipped.table.phases)
    assert 0 < card.single_point_excess < 0.1
    assert 0 < card.model_error < 0.1
    ids = [p.material_id for p in shipped.table.phases]
    assert len(set(ids)) == len(ids)


def test_well_known_compounds_are_stable_and_energies_sensible(shipped):
    # formation energies of the Materials Project, eV/atom (mp-1265, mp-22862, mp-4651, mp-352)
    published = {"MgO": -3.053, "NaCl": -2.11, "SrTiO3": -3.57, "HfO2": -4.03}
    for formula, expected in published.items():
        composition = Composition(formula)
        lowest = -shipped.distance(composition, 0.0).energy_above_hull
        elements = sum(
            share * -shipped.distance(Composition(str(el)), 0.0).energy_above_hull
            for el, share in composition.fractional_composition.items()
        )
        assert shipped.distance(composition, lowest).decomposition[0][2] == pytest.approx(1)
        assert lowest - elements == pytest.approx(expected, abs=0.06)


def test_the_formula_nan_survives_a_table(tmp_path):
    phases = [Phase("a", "Na", -1.3, True), Phase("b", "N2", -8.3, True), Phase("mp-1", "NaN", -4.0, False)]
    (tmp_path / TABLE).write_bytes(_gzipped(phases))
    card = {"name": "x-2026-11", "potential": "toy", "single_point_excess": 0.01, "model_error": None}
    (tmp_path / CARD).write_text(json.dumps(card))
    table = PhaseTable.load(tmp_path / TABLE)
    assert table.phases == phases
    assert set(table.subsystem(["Na", "N"]).phases) == set(phases)


def test_the_users_own_table_comes_first(tmp_path, monkeypatch):
    own = tmp_path / "data"
    own.mkdir()
    (own / TABLE).write_bytes(_gzipped(toy_phases()))
    card = {"name": "mine-2026-11", "potential": "toy", "single_point_excess": 0.01, "model_error": None}
    monkeypatch.setenv("HYSTERON_HOME", str(tmp_path))
    with pytest.raises(MissingDataError, match=CARD):
        ConvexHull()
    (own / CARD).write_text(json.dumps(card))
    assert ConvexHull().name == "mine-2026-11"
    with pytest.raises(MissingDataError, match="nowhere"):
        PhaseTable.load(tmp_path / "nowhere.csv.gz")
