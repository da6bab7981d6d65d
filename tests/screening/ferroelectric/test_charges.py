"""Polarization by effective charges: the physics that must hold whatever the coefficients."""

import json
from pathlib import Path

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import InputError, MissingDataError
from hysteron.core.oxidation import oxidation_states
from hysteron.core.polarization import E_PER_A2_IN_UC_PER_CM2
from hysteron.data import __file__ as data_folder
from hysteron.screening.ferroelectric.bond_dipoles import (
    CUTOFF_ANGSTROM,
    EMPTY_D_SHELL,
    HYDROGEN,
    LONE_PAIR,
    NONMETAL,
    OTHER,
    Bond,
    bond_dipoles,
    ion_class,
    ion_label,
)
from hysteron.screening.ferroelectric.charges import (
    METHOD,
    TABLE,
    load_model,
    polarization,
    read_model,
)
from hysteron.screening.ferroelectric.polarization import polarization_from_charges
from pymatgen.core import Element, Lattice, Structure, SymmOp

INVARIANCE = 1e-8
"""uC/cm^2; rounding of double precision."""
PEROVSKITE = np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]])
"""A, B, O along c, O, O; the order of the tetragonal crystals."""
CHARGES = (2.0, 4.0, -2.0, -2.0, -2.0)


def moved_from_cubic(structure: Structure) -> np.ndarray:
    steps = structure.frac_coords - PEROVSKITE
    return (steps - np.round(steps)) @ structure.lattice.matrix


def distorted(seed: int, size: float = 0.1) -> tuple[Structure, np.ndarray]:
    """Strontium titanate with every atom moved at random, and by how much."""
    cubic = Structure(Lattice.cubic(3.905), ["Sr", "Ti", "O", "O", "O"], PEROVSKITE)
    steps = size * np.random.default_rng(seed).standard_normal((5, 3))
    moved = Structure(cubic.lattice, cubic.species, cubic.cart_coords + steps, coords_are_cartesian=True)
    return moved, steps


def test_barium_titanate_with_published_dynamical_charges():
    """Charges of Ba, Ti, O along c and the others, LDA: Zhong, King-Smith, Vanderbilt, PRL 72, 3618 (1994), table I."""
    polar = materials.barium_titanate_tetragonal()
    steps = moved_from_cubic(polar)
    linear = polarization_from_charges(steps, (2.75, 7.16, -5.69, -2.11, -2.11), polar.volume)
    found = polarization(polar, steps, CHARGES)
    assert found.norm == pytest.approx(np.linalg.norm(linear), rel=0.1)
    assert found.nominal < 0.6 * found.norm
    assert found.interval[0] < found.norm < found.interval[1]
    assert found.method == METHOD


def test_large_displacements_add_less_than_linearly():
    """PbTiO3: 75 uC/cm^2 measured; by the charges of the cubic crystal (same table) 104."""
    polar = materials.lead_titanate()
    steps = moved_from_cubic(polar)
    linear = polarization_from_charges(steps, (3.89, 7.06, -5.83, -2.56, -2.56), polar.volume)
    assert 75 < polarization(polar, steps, CHARGES).norm < 0.9 * np.linalg.norm(linear)


def test_no_displacement_no_polarization():
    polar = materials.barium_titanate_tetragonal()
    for steps in (np.zeros((5, 3)), np.ones((5, 3))):
        found = polarization(polar, steps, CHARGES)
        assert found.vector == pytest.approx(np.zeros(3), abs=INVARIANCE)
        assert found.interval[0] == 0
        assert 0 < found.uncertainty < 0.5


def test_a_nonpolar_crystal_has_no_bond_dipole():
    for structure in (
        materials.strontium_titanate(),
        materials.titania_rutile(),
        materials.hafnia_monoclinic(),
    ):
        dipoles = bond_dipoles(structure, oxidation_states(structure))
        assert dipoles
        assert sum(dipoles.values()) == pytest.approx(np.zeros(3), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 1000),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(0, 360),
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.permutations(range(5)),
)
def test_rotation_turns_it_shift_and_order_leave_it(seed, axis, angle, shift, order):
    crystal, steps = distorted(seed)
    rotation = SymmOp.from_axis_angle_and_translation(axis, angle).rotation_matrix
    coords = (crystal.frac_coords + np.array(shift)) % 1.0
    turned = Structure(crystal.lattice.matrix @ rotation.T, [crystal[i].specie for i in order], coords[order])
    before = polarization(crystal, steps, CHARGES)
    after = polarization(turned, (steps @ rotation.T)[order], np.array(CHARGES)[order])
    assert after.vector == pytest.approx(before.vector @ rotation.T, abs=INVARIANCE)
    assert after.uncertainty == pytest.approx(before.uncertainty, abs=INVARIANCE)
    assert after.charges == pytest.approx(before.charges[order], abs=INVARIANCE)


@pytest.mark.parametrize("scaling", [(2, 1, 1), (1, 2, 3)])
def test_a_supercell_has_the_same_polarization(scaling):
    crystal, steps = distorted(3)
    copies = int(np.prod(scaling))
    large = polarization(crystal * scaling, np.repeat(steps, copies, axis=0), np.repeat(CHARGES, copies))
    small = polarization(crystal, steps, CHARGES)
    assert large.vector == pytest.approx(small.vector, abs=INVARIANCE)
    assert large.uncertainty == pytest.approx(small.uncertainty, abs=INVARIANCE)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_it_reverses_with_the_displacements(seed):
    """From a centric parent."""
    crystal, steps = distorted(seed)
    back = Structure(
        crystal.lattice, crystal.species, crystal.cart_coords - 2 * steps, coords_are_cartesian=True
    )
    there, here = polarization(crystal, steps, CHARGES), polarization(back, -steps, CHARGES)
    assert here.vector == pytest.approx(-there.vector, abs=INVARIANCE)


def test_small_displacements_follow_the_charge_tensors():
    crystal, steps = distorted(5, size=1e-4)
    found = polarization(crystal, steps, CHARGES)
    tensors = load_model().charge_tensors(materials.strontium_titanate(), CHARGES)
    ordered = load_model().charge_tensors(Structure(crystal.lattice, crystal.species, PEROVSKITE), CHARGES)
    linear = np.einsum("iab,ib->a", ordered, steps) / crystal.volume * E_PER_A2_IN_UC_PER_CM2
    assert found.vector == pytest.approx(linear, rel=1e-3, abs=1e-6)
    assert tensors.sum(axis=0) == pytest.approx(np.zeros((3, 3)), abs=1e-12)


def test_the_tensors_are_the_derivative_of_the_dipole():
    crystal, _ = distorted(7)
    model, step = load_model(), 1e-5

    def dipole(site: int, axis: int, by: float) -> np.ndarray:
        coords = crystal.cart_coords.copy()
        coords[site, axis] += by
        at = Structure(crystal.lattice, crystal.species, coords, coords_are_cartesian=True)
        return sum(model.coefficient(bond) * one for bond, one in bond_dipoles(at, CHARGES).items())

    tensors = model.charge_tensors(crystal, CHARGES)
    for site in range(5):
        for axis in range(3):
            slope = (dipole(site, axis, step) - dipole(site, axis, -step)) / (2 * step)
            expected = slope + CHARGES[site] * np.eye(3)[axis]
            assert tensors[site, :, axis] == pytest.approx(expected, abs=1e-6)


def test_perovskites_have_the_dynamical_charges_of_perovskites():
    """Linear response, LDA: Sr 2.54, Ti 7.12, O -5.66 along its bonds to Ti, -2.00 across.

    Zhong, King-Smith, Vanderbilt, Phys. Rev. Lett. 72, 3618 (1994), table I. No charge tensor was in the fit.
    """
    tensors = load_model().charge_tensors(
        Structure(Lattice.cubic(3.87), ["Sr", "Ti", "O", "O", "O"], PEROVSKITE), CHARGES
    )
    found = [tensors[0, 0, 0], tensors[1, 0, 0], tensors[2, 2, 2], tensors[2, 0, 0]]
    assert found == pytest.approx([2.54, 7.12, -5.66, -2.00], abs=1.0)


def test_a_bond_as_long_as_the_cutoff_is_none():
    """In a cubic perovskite of a = 4 A, oxygen lies 6 A beyond the next titanium."""
    assert CUTOFF_ANGSTROM == 6
    structure = Structure(Lattice.cubic(4.0), ["Ba", "Ti", "O", "O", "O"], PEROVSKITE)
    tensors = load_model().charge_tensors(structure, CHARGES)
    assert np.isfinite(tensors).all()
    nearby = Structure(Lattice.cubic(4.0001), ["Ba", "Ti", "O", "O", "O"], PEROVSKITE)
    assert tensors == pytest.approx(load_model().charge_tensors(nearby, CHARGES), abs=1e-3)


def test_a_parent_with_atoms_on_top_of_each_other_does_no_harm():
    crystal, _ = distorted(1)
    steps = np.zeros((5, 3))
    steps[1] = crystal.cart_coords[1] - crystal.cart_coords[2] - 1e-9
    found = polarization(crystal, steps, CHARGES)
    assert np.isfinite(found.vector).all()
    assert found.norm < 3 * found.nominal


def test_unknown_ions_are_named_and_widen_the_uncertainty():
    polar = materials.barium_titanate_tetragonal()
    known = polarization(polar, moved_from_cubic(polar), CHARGES)
    assert known.extrapolated == ()
    strange = polar.copy()
    strange.replace_species({"Ti": "Re"})
    found = polarization(strange, moved_from_cubic(polar), CHARGES)
    assert found.extrapolated == ("Re4+",)
    dipole = np.array([0.0, 0.0, 10.0])
    titanium, unknown = Bond("Ti4+", "O", EMPTY_D_SHELL), Bond("Rf4+", "O", EMPTY_D_SHELL)
    model = load_model()
    assert model.spread({unknown: dipole}, dipole) > model.spread({titanium: dipole}, dipole)
    assert abs(model.coefficient(unknown) - model.coefficient(titanium)) < 0.2
    sulfide = polar.copy()
    sulfide.replace_species({"O": "S"})
    assert polarization(sulfide, moved_from_cubic(polar), CHARGES).extrapolated == ("Ba2+-S", "Ti4+-S")


def test_charges_that_do_not_fit_are_refused():
    polar = materials.barium_titanate_tetragonal()
    with pytest.raises(InputError, match="add up to"):
        polarization(polar, np.zeros((5, 3)), [2, 4, -2, -2, -1])
    with pytest.raises(InputError, match="shape"):
        polarization(polar, np.zeros((4, 3)), CHARGES)


@pytest.mark.parametrize(
    ("symbol", "charge", "expected"),
    [
        ("H", 1, HYDROGEN),
        ("Pb", 2, LONE_PAIR),
        ("Bi", 3, LONE_PAIR),
        ("Tl", 1, LONE_PAIR),
        ("Te", 4, LONE_PAIR),
        ("Pb", 4, OTHER),
        ("Ti", 4, EMPTY_D_SHELL),
        ("W", 6, EMPTY_D_SHELL),
        ("U", 6, EMPTY_D_SHELL),
        ("Mn", 4, OTHER),
        ("Sc", 3, OTHER),
        ("C", 2, NONMETAL),
        ("S", 6, NONMETAL),
        ("Ba", 2, OTHER),
    ],
)
def test_classes_of_ions(symbol, charge, expected):
    assert ion_class(Element(symbol), charge) == expected


def test_labels_of_ions():
    assert [ion_label("Ti", 4.0), ion_label("N", -1 / 3), ion_label("Te", 0)] == ["Ti4+", "N0.33-", "Te0"]


def test_a_damaged_table_says_how_to_make_one(tmp_path):
    path = tmp_path / TABLE
    with pytest.raises(MissingDataError, match="data build charges"):
        read_model(path)
    path.write_text(json.dumps({"format": 0}))
    with pytest.raises(MissingDataError, match="layout 0"):
        read_model(path)


def test_the_shipped_table_is_whole():
    model = load_model()
    table = json.loads((Path(data_folder).parent / TABLE).read_text())
    assert table["pairs"] == 182
    assert np.linalg.eigvalsh(model.covariance).min() > 0
    assert set(model.shared) <= set(model.values)
    assert all(term["pairs"] >= term["formulas"] >= 1 for term in table["terms"].values())
