"""Which mechanism, and can the method follow it: real crystals of each kind, in any cell and orientation."""

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.bonded_pieces import bonded_pieces, find_bonds
from hysteron.core.errors import InputError
from hysteron.core.oxidation import oxidation_states
from hysteron.screening.ferroelectric.mechanism import (
    DISPLACIVE,
    HYDROGEN_ORDER,
    METAL,
    MOLECULAR,
    PARTIAL_OCCUPANCY,
    RIGID_IONS,
    SLIDING_LAYERS,
    UNKNOWN_CHARGES,
    Mechanism,
    assess,
    is_polar_layer,
)
from hysteron.screening.ferroelectric.polarization import polarization_from_charges
from pymatgen.core import Lattice, Structure, SymmOp


def urea() -> Structure:
    """CO(NH2)2, P-42_1m; mp-23778, Materials Project (CC BY 4.0), coordinates rounded."""
    return Structure.from_spacegroup(
        "P-42_1m",
        Lattice.tetragonal(5.644488, 4.705844),
        ["C", "O", "N", "H", "H"],
        [
            [0, 0.5, 0.327352],
            [0, 0.5, 0.598723],
            [0.144614, 0.644614, 0.178053],
            [0.25681, 0.75681, 0.281796],
            [0.142757, 0.642757, -0.038465],
        ],
    )


def methylammonium_lead_iodide() -> Structure:
    """CH3NH3PbI3, Pm, polar; mp-977013, Materials Project (CC BY 4.0), coordinates rounded."""
    return Structure(
        Lattice.from_parameters(6.43839, 6.43672, 6.49207, 89.58054, 90, 90),
        ["H"] * 6 + ["Pb", "C", "I", "I", "I", "N"],
        [
            [0.861056, 0.159093, 0.068877],
            [0.0, 0.132363, 0.831772],
            [0.130429, 0.796003, 0.960985],
            [0.0, 0.821186, 0.179809],
            [0.869571, 0.796003, 0.960985],
            [0.138944, 0.159093, 0.068877],
            [0.5, 0.524761, 0.475779],
            [0.0, 0.095387, 0.996515],
            [0.5, 0.571761, 0.972436],
            [0.5, 0.038363, 0.448994],
            [0.0, 0.562853, 0.505784],
            [0.0, 0.865128, 0.024888],
        ],
    )


def ammonium_chloride() -> Structure:
    """NH4Cl, P-43m; mp-34337, Materials Project (CC BY 4.0), coordinates rounded."""
    h = 0.155153
    corners = [[h, h, -h], [h, -h, h], [-h, h, h], [-h, -h, -h]]
    return Structure(Lattice.cubic(3.877115), ["H"] * 4 + ["N", "Cl"], [*corners, [0, 0, 0], [0.5, 0.5, 0.5]])


def potassium_dihydrogen_phosphate() -> Structure:
    """KH2PO4, Fdd2, its ferroelectric phase; mp-23959, Materials Project (CC BY 4.0), coordinates rounded."""
    return Structure(
        Lattice.from_parameters(7.56384, 6.44059, 6.40536, 72.14487, 54.14328, 53.71184),
        ["K", "K", "P", "P", *["H"] * 4, *["O"] * 8],
        [
            [0.75457, 0.74543, 0.74543],
            [0.50457, 0.49543, 0.49543],
            [0.235035, 0.264965, 0.264965],
            [0.985035, 0.014965, 0.014965],
            [0.973804, 0.659116, 0.103103],
            [0.263977, 0.103103, 0.659116],
            [0.146897, 0.986023, 0.276196],
            [0.590884, 0.276196, 0.986023],
            [0.784196, 0.278616, 0.981604],
            [0.955583, 0.981604, 0.278616],
            [0.268396, 0.294417, 0.465804],
            [0.971384, 0.465804, 0.294417],
            [0.266059, 0.962382, 0.797885],
            [0.973675, 0.797885, 0.962382],
            [0.452115, 0.276325, 0.983941],
            [0.287618, 0.983941, 0.276325],
        ],
    )


def sodium_nitrite(
    sodium: float = 0.585699, nitrogen: float = 0.123764, oxygen: float = 0.000818
) -> Structure:
    """NaNO2, Imm2, its ferroelectric phase; mp-2964, Materials Project (CC BY 4.0), rounded. With heights 0.5, 0, 0: Immm."""
    return Structure.from_spacegroup(
        "Imm2",
        Lattice.orthorhombic(3.632408, 5.484496, 5.610682),
        ["Na", "N", "O"],
        [[0, 0, sodium], [0, 0, nitrogen], [0, 0.195083, oxygen]],
    )


def tungsten_telluride() -> Structure:
    """WTe2, Td, Pmn2_1; mp-22693, Materials Project (CC BY 4.0), coordinates rounded. Its PBE gap is zero."""
    telluriums = [
        [0.5, 0.7958, 0.91024],
        [0, 0.2042, 0.41024],
        [0.5, 0.69727, 0.369248],
        [0, 0.30273, 0.869248],
        [0, 0.85774, 0.645893],
        [0.5, 0.14226, 0.145893],
        [0, 0.647972, 0.104828],
        [0.5, 0.352028, 0.604828],
    ]
    tungstens = [
        [0.5, 0.955996, 0.514733],
        [0, 0.044004, 0.014733],
        [0.5, 0.399625, 0.000348],
        [0, 0.600376, 0.500348],
    ]
    lattice = Lattice.orthorhombic(3.5186, 6.30234, 15.00578)
    return Structure(lattice, ["Te"] * 8 + ["W"] * 4, telluriums + tungstens)


def indium_selenide() -> Structure:
    """Gamma-InSe, R3m, one layer in a sharp rhombohedral cell; mp-22691, Materials Project (CC BY 4.0), rounded."""
    return Structure(
        Lattice.rhombohedral(9.2698, 25.52074),
        ["In", "In", "Se", "Se"],
        [[x] * 3 for x in (0.108722, 0.003436, 0.622974, 0.822568)],
    )


def boron_nitride() -> Structure:
    """Rhombohedral BN, R3m; mp-13150, Materials Project (CC BY 4.0), coordinates rounded."""
    return Structure(Lattice.rhombohedral(3.93787, 37.19449), ["B", "N"], [[0.999586] * 3, [0.332847] * 3])


def molybdenite_3r() -> Structure:
    """3R-MoS2, R3m; mp-1434, Materials Project (CC BY 4.0), coordinates rounded."""
    return Structure(
        Lattice.rhombohedral(7.34095, 25.10312),
        ["Mo", "S", "S"],
        [[x] * 3 for x in (0.999777, 0.406535, 0.259688)],
    )


def bismuth_telluride_iodide() -> Structure:
    """BiTeI, P3m1; mp-22965, Materials Project (CC BY 4.0), coordinates rounded. Its layers are polar by themselves."""
    return Structure(
        Lattice.hexagonal(4.39569, 7.22272),
        ["Bi", "Te", "I"],
        [[0, 0, 0.921335], [2 / 3, 1 / 3, 0.686879], [1 / 3, 2 / 3, 0.211086]],
    )


def indium_selenide_alpha() -> Structure:
    """A model of alpha-In2Se3, no refinement: the layer of Ding et al., Nat. Commun. 8, 14956 (2017), Se-In-Se-In-Se with one
    In in an octahedron and one in a tetrahedron, a = 4.03 A, bonds of 2.5 to 2.8 A, one layer per 9.58 A."""
    places = [(0, 0, 0.0), (1 / 3, 2 / 3, 1.40), (2 / 3, 1 / 3, 2.95), (2 / 3, 1 / 3, 5.50), (0, 0, 6.66)]
    lattice = Lattice.hexagonal(4.03, 9.58)
    return Structure(
        lattice, ["Se", "In", "Se", "In", "Se"], [[x, y, height / 9.58] for x, y, height in places]
    )


def with_hydrogens_at(length: float) -> Structure:
    """KH2PO4 with every hydrogen at this distance from its oxygen, A, as when X-rays or a rule had placed it."""
    structure = potassium_dihydrogen_phosphate()
    for i in (i for i, site in enumerate(structure) if site.specie.symbol == "H"):
        oxygen = min(structure.get_neighbors(structure[i], 1.3), key=lambda neighbour: neighbour.nn_distance)
        bond = structure[i].coords - oxygen.coords
        structure.translate_sites([i], (length / oxygen.nn_distance - 1) * bond, frac_coords=False)
    return structure


def found(structure: Structure, displacements=None, band_gap=None) -> Mechanism:
    return assess(structure, oxidation_states(structure), displacements, band_gap)


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (materials.barium_titanate_tetragonal, DISPLACIVE),
        (materials.lead_titanate, DISPLACIVE),
        (materials.lithium_niobate, DISPLACIVE),
        (materials.hafnia_polar, DISPLACIVE),
        (materials.zinc_oxide, DISPLACIVE),
        (materials.germanium_telluride, DISPLACIVE),
        (sodium_nitrite, DISPLACIVE),  # until a parent shows that nitrite turns
        (bismuth_telluride_iodide, DISPLACIVE),
        (indium_selenide_alpha, DISPLACIVE),
        (potassium_dihydrogen_phosphate, HYDROGEN_ORDER),
        (urea, MOLECULAR),
        (ammonium_chloride, MOLECULAR),
        (methylammonium_lead_iodide, MOLECULAR),
        (tungsten_telluride, SLIDING_LAYERS),
        (indium_selenide, SLIDING_LAYERS),
        (boron_nitride, SLIDING_LAYERS),
        (molybdenite_3r, SLIDING_LAYERS),
    ],
)
def test_the_crystal_alone(make, kind):
    mechanism = found(make())
    assert mechanism.kind == kind
    assert mechanism.assessable is (kind in (DISPLACIVE, HYDROGEN_ORDER))
    assert mechanism.reason.endswith(".")
    assert mechanism.record() == {
        "kind": kind,
        "assessable": mechanism.assessable,
        "reason": mechanism.reason,
    }


def test_what_holds_no_polarization():
    assert found(tungsten_telluride(), band_gap=0.0).kind == METAL
    assert found(materials.barium_titanate_tetragonal(), band_gap=1.83).kind == DISPLACIVE  # PBE
    assert assess(materials.barium_titanate_tetragonal(), None).kind == UNKNOWN_CHARGES
    assert found(materials.iron_one_atom()).kind == UNKNOWN_CHARGES
    mixed = assess(materials.disordered_alloy(), None)
    assert mixed.kind == PARTIAL_OCCUPANCY
    assert "partially occupied" in mixed.reason
    assert not mixed.assessable


def displacements_between(polar: Structure, parent: Structure) -> np.ndarray:
    """Polar minus parent in the polar cell, sites in the same order, nearest images, A."""
    steps = polar.frac_coords - parent.frac_coords
    return (steps - np.round(steps)) @ polar.lattice.matrix


def test_a_nitrite_that_turns_is_no_set_of_ions():
    """Formal charges give 73 uC/cm^2 against Immm; some 8 to 10 are measured (Sawada et al., PRL 1, 320 (1958))."""
    structure = sodium_nitrite()
    displacements = displacements_between(structure, sodium_nitrite(0.5, 0, 0))
    mechanism = found(structure, displacements)
    assert mechanism.kind == RIGID_IONS
    assert not mechanism.assessable
    assert "NO2" in mechanism.reason
    vector = polarization_from_charges(displacements, oxidation_states(structure), structure.volume)
    assert np.linalg.norm(vector) == pytest.approx(73, abs=1)


def test_an_ion_that_shifts_as_a_whole_may_be_taken_as_ions():
    structure = sodium_nitrite()
    shifted = np.array([[0, 0, -0.3 if site.specie.symbol == "Na" else 0.1] for site in structure])
    assert found(structure, shifted).kind == DISPLACIVE


def hops(structure: Structure) -> np.ndarray:
    """Of each hydrogen from the middle of its two oxygens, where I-42d has it on average; of the others none. A."""
    steps = np.zeros((len(structure), 3))
    for i, site in enumerate(structure):
        if site.specie.symbol == "H":
            oxygens = sorted(structure.get_neighbors(site, 2.0), key=lambda neighbour: neighbour.nn_distance)[
                :2
            ]
            steps[i] = site.coords - (oxygens[0].coords + oxygens[1].coords) / 2
    return steps


def test_protons_that_hop_are_followed_and_groups_that_turn_with_reserve():
    """Off the middle by 0.2 A, in a hydrogen bond of 2.5 A."""
    structure = potassium_dihydrogen_phosphate()
    mechanism = found(structure, hops(structure))
    assert np.linalg.norm(hops(structure)[4]) == pytest.approx(0.2, abs=0.05)
    assert (mechanism.kind, mechanism.assessable) == (HYDROGEN_ORDER, True)
    turned = hops(structure)
    turned[4] += [0, 0, 0.9]
    assert found(structure, turned).kind == HYDROGEN_ORDER
    assert "its group turns" in found(structure, turned).reason


@pytest.mark.parametrize(("length", "assessable"), [(0.70, False), (0.97, True)])
def test_a_hydrogen_that_was_put_there_is_told(length, assessable):
    mechanism = found(with_hydrogens_at(length))
    assert (mechanism.kind, mechanism.assessable) == (HYDROGEN_ORDER, assessable)


@pytest.mark.parametrize(
    "name", ["barium_titanate_tetragonal", "barium_titanate_rhombohedral", "lead_titanate"]
)
def test_displacive_ones_stay_so_with_their_parent(name):
    structure = getattr(materials, name)()
    ideal = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    parent = Structure(structure.lattice, structure.species, ideal)
    assert found(structure, displacements_between(structure, parent)).kind == DISPLACIVE


def test_tungsten_telluride_slides_with_a_parent_too():
    structure = tungsten_telluride()
    upper = structure.frac_coords[:, 2] > 0.5
    assert found(structure, np.where(upper[:, None], [0, 0.2, 0], [0, -0.2, 0])).kind == SLIDING_LAYERS


def test_where_the_displacement_lies_decides_for_polar_layers():
    """BiTeI, two layers: they slide as a whole, or Bi moves inside them."""
    structure = bismuth_telluride_iodide() * [1, 1, 2]
    layers = bonded_pieces(range(6), find_bonds(structure))
    assert [layer.dimension for layer in layers] == [2, 2]
    sliding = np.zeros((6, 3))
    sliding[list(layers[0].sites)] += [0.3, 0, 0]
    inside = np.zeros((6, 3))
    inside[[i for i, site in enumerate(structure) if site.specie.symbol == "Bi"]] = [0, 0, 0.4]
    assert found(structure, sliding).kind == SLIDING_LAYERS
    assert found(structure, inside).kind == DISPLACIVE
    assert "inside its layers" in found(structure, inside).reason


def test_charged_layers_are_no_van_der_waals_layers():
    """Layers of -1 and +1 e are held by their charge; BN with one charge on each layer stands for them."""
    structure = boron_nitride() * [[1, -1, 0], [0, 1, -1], [2, 1, 1]]
    layers = bonded_pieces(range(len(structure)), find_bonds(structure))
    charges = np.array(oxidation_states(structure))
    charges[list(layers[0].sites)] += 1
    charges[list(layers[1].sites)] -= 1
    assert found(structure).kind == SLIDING_LAYERS
    assert assess(structure, charges).kind == DISPLACIVE


@pytest.mark.parametrize(
    ("make", "polar"),
    [
        (tungsten_telluride, False),
        (indium_selenide, False),
        (indium_selenide_alpha, True),
        (bismuth_telluride_iodide, True),
    ],
)
def test_a_layer_alone(make, polar):
    structure = make()
    for layer in bonded_pieces(range(len(structure)), find_bonds(structure)):
        assert is_polar_layer(structure, layer) is polar


CELLS = (
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[2, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[1, 1, 0], [0, 1, 0], [0, 0, 2]],
    [[1, 0, 0], [2, 1, 0], [1, -3, 1]],
)
MAKERS = (
    tungsten_telluride,
    indium_selenide,
    indium_selenide_alpha,
    bismuth_telluride_iodide,
    urea,
    potassium_dihydrogen_phosphate,
    sodium_nitrite,
    materials.lithium_niobate,
)


def disguised(structure: Structure, displacements: np.ndarray, axis, angle, shift, random):
    """Rotated, shifted, wrapped into the cell and in another order; the displacements alike."""
    rotation = SymmOp.from_axis_angle_and_translation(axis, angle).rotation_matrix
    order = list(range(len(structure)))
    random.shuffle(order)
    coords = ((structure.frac_coords + shift) % 1.0)[order]
    moved = Structure(structure.lattice.matrix @ rotation.T, [structure[i].specie for i in order], coords)
    return moved, (displacements @ rotation.T)[order]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(MAKERS),
    st.sampled_from(CELLS),
    st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1),
    st.floats(0, 360),
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_cell_origin_orientation_and_order_change_nothing(
    make, cell, axis, angle, shift, with_displacements, random
):
    structure = make()
    structure.add_site_property("moves", [[0.0, 0.0, 0.3 * (i % 3 - 1)] for i in range(len(structure))])
    moves = np.array(structure.site_properties["moves"])
    expected = found(structure, moves if with_displacements else None)
    larger = structure * cell
    moved, steps = disguised(larger, np.array(larger.site_properties["moves"]), axis, angle, shift, random)
    assert found(moved, steps if with_displacements else None).kind == expected.kind
    assert dimensions(moved) == dimensions(structure)


def dimensions(structure: Structure) -> set[int]:
    return {piece.dimension for piece in bonded_pieces(range(len(structure)), find_bonds(structure))}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (tungsten_telluride, {2}),
        (indium_selenide, {2}),
        (urea, {0}),
        (materials.lithium_niobate, {3}),
        (materials.barium_titanate_tetragonal, {3}),
        (methylammonium_lead_iodide, {0, 2}),  # long Pb-I bonds along c leave sheets
    ],
)
def test_in_how_many_directions_the_bonds_run(make, expected):
    assert dimensions(make()) == expected


def test_a_common_shift_of_all_atoms_changes_nothing():
    structure = potassium_dihydrogen_phosphate()
    assert found(structure, hops(structure) + 5.0) == found(structure, hops(structure))


def test_numbers_that_do_not_fit_the_crystal_are_refused():
    structure = materials.barium_titanate_tetragonal()
    with pytest.raises(InputError, match="charges has 2 values, expected 5"):
        assess(structure, [1, -1])
    with pytest.raises(InputError, match=r"expected \(5, 3\)"):
        assess(structure, [2, 4, -2, -2, -2], np.zeros((4, 3)))
