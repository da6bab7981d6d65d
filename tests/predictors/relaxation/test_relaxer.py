"""Relaxation of many crystals: against the chgnet package's optimiser, and what must not matter."""

import numpy as np
import pytest
from hysteron.core.contracts import Calculation, Relaxer
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.relaxation import relaxer as relaxation
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from materials import (
    barium_titanate_tetragonal,
    disordered_alloy,
    magnesium_oxide,
    silicon,
    sodium_chloride,
    strontium_titanate,
    titania_rutile,
)
from pair_potential import PairPotential
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

SAME_MINIMUM = 2e-3  # eV/atom: both stop at finite forces
SAME_CELL = 0.01  # relative
SAME_RESULT = 1e-4  # eV/atom, whatever else is in the batch
KNOWN = [silicon, magnesium_oxide, strontium_titanate, barium_titanate_tetragonal, sodium_chloride]


@pytest.fixture(scope="module")
def relaxer():
    return BatchedRelaxer(CHGNetPotential(), RelaxerSettings(workers=1))


def rattled(structure, angstrom=0.1, strain=0.04):
    """A compressed copy with displaced atoms, always the same one."""
    moves = np.random.default_rng(1).normal(size=(len(structure), 3)) * angstrom / np.sqrt(3)
    moved = structure.copy()
    for i, move in enumerate(moves):
        moved.translate_sites([i], move, frac_coords=False)
    moved.scale_lattice(structure.volume * (1 - strain) ** 3)
    return moved


def test_it_is_a_relaxer(relaxer):
    assert isinstance(relaxer, Relaxer)
    assert "fmax=0.05" in relaxer.version
    with pytest.raises(ValidationError):
        RelaxerSettings(fmx=0.1)
    assert relaxer.relax([]) == []


@pytest.mark.slow
def test_agrees_with_the_chgnet_packages_optimiser(relaxer):
    from chgnet.model import CHGNet, StructOptimizer

    optimiser = StructOptimizer(CHGNet.load(use_device="cpu", verbose=False), use_device="cpu")
    for make, ours in zip(KNOWN, relaxer.relax([make() for make in KNOWN]), strict=True):
        theirs = optimiser.relax(make(), fmax=0.05, verbose=False)
        energy = theirs["trajectory"].energies[-1] / len(make())
        cell = theirs["final_structure"].lattice
        assert ours.converged
        assert ours.energy_per_atom == pytest.approx(energy, abs=SAME_MINIMUM)
        assert ours.structure.lattice.abc == pytest.approx(cell.abc, rel=SAME_CELL)


def test_relaxed_cells_are_the_measured_ones(relaxer):
    # a of Si 5.431 and MgO 4.212 A at room temperature (Wyckoff, Crystal Structures, vol. 1); PBE is 1% wide
    for make, a, atoms_per_cube in ((silicon, 5.431, 8), (magnesium_oxide, 4.212, 8)):
        (found,) = relaxer.relax([make()])
        edge = (found.structure.volume * atoms_per_cube / len(found.structure)) ** (1 / 3)
        assert found.converged
        assert edge == pytest.approx(a, rel=0.015)


def test_a_rattled_and_compressed_cell_comes_back():
    tight = BatchedRelaxer(CHGNetPotential(), RelaxerSettings(workers=1, fmax=0.01))
    structures = [magnesium_oxide(), strontium_titanate()]
    still = tight.relax(structures)
    back = tight.relax([rattled(s) for s in structures])
    for a, b in zip(still, back, strict=True):
        assert b.converged
        assert b.steps > a.steps
        assert b.energy_per_atom == pytest.approx(a.energy_per_atom, abs=1e-3)
        assert b.structure.volume == pytest.approx(a.structure.volume, rel=0.01)


def test_a_cubic_crystal_remains_cubic(relaxer):
    squeezed = strontium_titanate()
    squeezed.scale_lattice(squeezed.volume * 0.9)
    (found,) = relaxer.relax([squeezed])
    assert found.steps > 0
    assert SpacegroupAnalyzer(found.structure, symprec=1e-3).get_space_group_number() == 221


def test_a_supercell_has_the_same_energy_per_atom(relaxer):
    single = rattled(magnesium_oxide(), angstrom=0)
    double = single.copy().make_supercell([2, 1, 1], in_place=False)
    one, two = relaxer.relax([single, double])
    assert two.energy_per_atom == pytest.approx(one.energy_per_atom, abs=1e-3)


def absurd_structures():
    return {
        "0.01 A apart": Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0.0025, 0, 0]]),
        "flat": Structure(Lattice([[20, 0, 0], [0, 20, 0], [0, 0, 0.1]]), ["Na"], [[0, 0, 0]]),
        "empty": Structure(Lattice.cubic(30), ["Na", "Cl"], [[0, 0, 0], [0.1, 0, 0]]),
        "hydrogen to plutonium": Structure(Lattice.cubic(4), ["Am"], [[0, 0, 0]]),
        "partially occupied": disordered_alloy(),
        "no atoms": Structure(Lattice.cubic(4), [], []),
    }


def test_absurd_structures_fail_alone_and_say_why(relaxer):
    absurd = absurd_structures()
    found = relaxer.relax([*absurd.values(), silicon()])
    for words, result in zip(absurd, found, strict=False):
        assert not result.converged
        assert result.structure is None
        assert words in result.failure
    assert found[-1].converged
    assert found[-1].failure is None


class Repulsion:
    """A toy whose atoms and cell are driven apart for ever."""

    name, energy_scale, model_hash = "repulsion", "none", "0"

    def calculate(self, structures):
        return [Calculation(-s.volume, np.zeros((len(s), 3)), -np.eye(3)) for s in structures]


def test_an_exploding_cell_is_given_up_with_its_last_good_geometry():
    (found,) = BatchedRelaxer(Repulsion(), RelaxerSettings(workers=1)).relax([silicon()])
    assert not found.converged
    assert "volume changed" in found.failure
    assert found.structure.volume < 3 * silicon().volume


def test_the_step_limit_ends_a_run():
    one = BatchedRelaxer(CHGNetPotential(), RelaxerSettings(workers=1, steps=1, fmax=0.001))
    (found,) = one.relax([rattled(magnesium_oxide())])
    assert (found.steps, found.converged, found.failure) == (1, False, None)
    assert "step limit" in found.note
    assert found.structure is not None


def test_the_time_limit_gives_back_what_there_is(monkeypatch):
    monkeypatch.setattr(relaxation, "ATOMS_IN_FLIGHT", 12)
    crowd = [rattled(make()) for make in (silicon, magnesium_oxide, titania_rutile)] * 30
    limited = BatchedRelaxer(PairPotential(), RelaxerSettings(workers=1, fmax=1e-9, seconds=1))
    found = limited.relax(crowd)
    begun = [r for r in found if r.structure is not None]
    waiting = [r for r in found if r.structure is None]
    assert begun
    assert waiting
    cut_short = [r for r in begun if "time limit" in (r.note or "")]
    assert cut_short
    assert not any(r.converged or r.failure for r in cut_short)
    assert all("not begun" in r.failure for r in waiting)


def test_a_structure_that_the_potential_refuses_fails_alone():
    gold = Structure(Lattice.cubic(4), ["Au"], [[0, 0, 0]])
    found = BatchedRelaxer(PairPotential(), RelaxerSettings(workers=1)).relax(
        [silicon(), gold, magnesium_oxide()]
    )
    assert [r.failure is None for r in found] == [True, False, True]
    assert "does not know gold" in found[1].failure


class Broken(PairPotential):
    """The stress of magnesium oxide is not a number after the first step."""

    def calculate_cells(self, cells):
        found = super().calculate_cells(cells)
        spoilt = Calculation(found[0].energy, found[0].forces, np.full((3, 3), np.nan))
        return [
            spoilt if 12 in c.numbers and self.evaluations > 5 else f
            for c, f in zip(cells, found, strict=True)
        ]


def test_what_is_not_finite_fails_alone_with_the_last_good_geometry():
    crowd = [rattled(magnesium_oxide()), rattled(titania_rutile())]
    found = BatchedRelaxer(Broken(), RelaxerSettings(workers=1, fmax=0.001)).relax(crowd)
    assert "not finite" in found[0].failure
    assert found[0].structure is not None
    assert found[1].converged


@pytest.mark.parametrize("method", ["bfgs", "fire"])
@pytest.mark.parametrize("symmetry", [False, True])
def test_neighbours_do_not_matter_at_all_to_an_exact_potential(method, symmetry, monkeypatch):
    settings = RelaxerSettings(workers=1, method=method, symmetry=symmetry, steps=25)
    exact = BatchedRelaxer(PairPotential(), settings)
    crowd = [rattled(make()) for make in KNOWN]
    together = exact.relax(crowd)
    monkeypatch.setattr(relaxation, "ATOMS_IN_FLIGHT", 7)
    monkeypatch.setattr(relaxation, "ATOMS_PER_SHARE", 12)
    for a, b in zip(together, exact.relax(crowd), strict=True):
        assert (a.energy_per_atom, a.steps, a.max_force) == (b.energy_per_atom, b.steps, b.max_force)
        assert (a.structure.lattice.matrix == b.structure.lattice.matrix).all()


def test_the_version_names_what_decides_the_result():
    def version(**settings):
        return BatchedRelaxer(PairPotential(), RelaxerSettings(**settings)).version

    assert version() == "bfgs-springs fmax=0.05 steps=300"
    assert version(workers=2, seconds=5) == version()
    said = version(method="fire", cell="volume", pressure_gpa=-2.5, symmetry=True)
    assert said == "fire fmax=0.05 steps=300 cell=volume pressure=-2.5GPa symmetry=0.01"
    with pytest.raises(ValidationError):
        RelaxerSettings(method="newton")


def test_neighbours_in_the_batch_and_processes_do_not_matter(relaxer, monkeypatch):
    monkeypatch.setattr(relaxation, "ATOMS_PER_SHARE", 12)
    crowd = [rattled(make()) for make in KNOWN] + [make() for make in KNOWN]
    seen = []
    together = relaxer.relax(crowd, on_done=lambda i, result: seen.append(i))
    assert sorted(seen) == list(range(len(crowd)))
    for i in (0, 3):
        (alone,) = relaxer.relax([crowd[i]])
        assert alone.energy_per_atom == pytest.approx(together[i].energy_per_atom, abs=SAME_RESULT)
    seen.clear()
    two = BatchedRelaxer(CHGNetPotential(), RelaxerSettings(workers=2))
    spread = two.relax(crowd, on_done=lambda i, result: seen.append(i))
    assert sorted(seen) == list(range(len(crowd)))
    assert [r.energy_per_atom for r in spread] == [r.energy_per_atom for r in together]
    assert [r.steps for r in spread] == [r.steps for r in together]


def test_site_properties_and_species_survive(relaxer):
    crystal = magnesium_oxide()
    crystal.add_oxidation_state_by_element({"Mg": 2, "O": -2})
    crystal.add_site_property("label_of_mine", list(range(len(crystal))))
    (found,) = relaxer.relax([crystal])
    assert found.structure.species == crystal.species
    assert found.structure.site_properties["label_of_mine"] == list(range(len(crystal)))
