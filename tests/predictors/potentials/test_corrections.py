"""MP2020 and OMat24 corrections, against the constants as published and entries of both databases."""

import json
import os
from pathlib import Path

import pytest
from hysteron.core.energy_scales import MP2020, OMAT24, RAW_MP, RAW_OMAT24
from hysteron.core.errors import EnergyScaleError, InputError, MissingDataError, StructureError
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.potentials import omat24
from hysteron.predictors.potentials.corrections import hubbard_u
from hysteron.predictors.potentials.mp2020 import mp2020_corrected, mp2020_correction, mp2020_uncorrected
from hysteron.predictors.potentials.omat24 import omat24_correction
from hysteron.predictors.potentials.references import on_scale
from materials import (
    barium_titanate_tetragonal,
    disordered_alloy,
    magnesium_oxide,
    silicon,
    sodium_chloride,
    titania_rutile,
)
from pymatgen.core import Composition, Lattice, Structure

# Wang et al., Sci. Rep. 11, 15496 (2021), table 2; eV per atom of the element
OXIDE, PEROXIDE, SUPEROXIDE, SULFIDE, FLUORIDE, CHLORIDE = -0.687, -0.465, -0.161, -0.503, -0.462, -0.614
IRON = -2.256
CHGNET_ERROR = 0.07  # eV/atom, twice its published mean error, on crystals at their published geometry


def hematite():
    """R-3c; a = 5.038, c = 13.772 A (Blake et al., Am. Mineral. 51, 123 (1966))."""
    lattice = Lattice.hexagonal(5.038, 13.772)
    return Structure.from_spacegroup("R-3c", lattice, ["Fe", "O"], [[0, 0, 0.3553], [0.3059, 0, 0.25]])


def iron_fluoride():
    """Rutile; a = 4.697, c = 3.309 A, u = 0.300 (Stout and Reed, JACS 76, 5279 (1954))."""
    lattice = Lattice.tetragonal(4.697, 3.309)
    return Structure.from_spacegroup("P4_2/mnm", lattice, ["Fe", "F"], [[0, 0, 0], [0.3, 0.3, 0]])


def iron_sulfide():
    """NiAs type; a = 3.45, c = 5.88 A (Wyckoff 1963): a metal with U in oxides, without it here."""
    lattice = Lattice.hexagonal(3.45, 5.88)
    return Structure.from_spacegroup("P6_3/mmc", lattice, ["Fe", "S"], [[0, 0, 0], [1 / 3, 2 / 3, 0.25]])


def lithium_peroxide():
    """P6_3/mmc; a = 3.1830, c = 7.7258 A, O-O 1.56 A (Cota and de la Mora, Acta Cryst. B 61, 133 (2005))."""
    sites = [[0, 0, 0], [1 / 3, 2 / 3, 0.75], [1 / 3, 2 / 3, 0.1490]]
    return Structure.from_spacegroup("P6_3/mmc", Lattice.hexagonal(3.1830, 7.7258), ["Li", "Li", "O"], sites)


def potassium_superoxide():
    """I4/mmm; a = 4.034, c = 6.699 A, O-O 1.28 A (Abrahams and Kalnajs, Acta Cryst. 8, 503 (1955))."""
    lattice = Lattice.tetragonal(4.034, 6.699)
    return Structure.from_spacegroup("I4/mmm", lattice, ["K", "O"], [[0, 0, 0], [0, 0, 0.4045]])


def magnesium_sulfide():
    """Rock salt; a = 5.2033 A (Wyckoff 1963)."""
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.2033), ["Mg", "S"], [[0] * 3, [0.5] * 3])


@pytest.mark.parametrize(
    ("structure", "per_atom"),
    [
        (magnesium_oxide(), OXIDE / 2),
        (titania_rutile(), OXIDE * 2 / 3),
        (barium_titanate_tetragonal(), OXIDE * 3 / 5),
        (sodium_chloride(), CHLORIDE / 2),
        (magnesium_sulfide(), SULFIDE / 2),
        (lithium_peroxide(), PEROXIDE / 2),
        (potassium_superoxide(), SUPEROXIDE * 2 / 3),
        (hematite(), (2 * IRON + 3 * OXIDE) / 5),
        (iron_fluoride(), (IRON + 2 * FLUORIDE) / 3),
        (iron_sulfide(), SULFIDE / 2),
        (silicon(), 0.0),
    ],
    ids=lambda value: value.composition.reduced_formula if isinstance(value, Structure) else "",
)
def test_corrections_are_the_published_ones(structure, per_atom):
    correction = mp2020_correction(structure)
    assert correction.per_atom == pytest.approx(per_atom, abs=1e-9)
    assert sum(value for _, value in correction.parts) / len(structure) == pytest.approx(per_atom, abs=1e-9)
    assert (correction.uncertainty_per_atom > 0) == (len(structure.composition) > 1)


def test_the_same_for_a_supercell_and_with_oxidation_states_written():
    once = mp2020_correction(hematite())
    large = hematite() * (2, 1, 1)
    large.add_oxidation_state_by_element({"Fe": 3, "O": -2})
    before = large.copy()
    assert mp2020_correction(large).per_atom == pytest.approx(once.per_atom, abs=1e-9)
    assert large == before


def test_magnesium_oxide_lands_on_chgnets_scale():
    """Raw PBE gives MgO -5.97 eV/atom; with the correction it is where CHGNet has it."""
    oxide = magnesium_oxide()
    expected = CHGNetPotential().calculate([oxide])[0].energy / len(oxide)
    assert mp2020_corrected(-5.97, oxide) == pytest.approx(expected, abs=0.01)
    assert mp2020_uncorrected(mp2020_corrected(-5.97, oxide), oxide) == pytest.approx(-5.97)


def test_which_compounds_are_calculated_with_u():
    assert hubbard_u(Composition("Fe2O3")) == {"Fe": 5.3, "O": 0.0}
    assert hubbard_u(Composition("LaMnO3")) == {"La": 0.0, "Mn": 3.9, "O": 0.0}
    assert hubbard_u(Composition("FeF2"))["Fe"] == 5.3
    assert (
        hubbard_u(Composition("FeS")) == hubbard_u(Composition("TiO2")) == hubbard_u(Composition("Fe")) == {}
    )


def test_what_cannot_be_corrected_is_refused_in_words():
    with pytest.raises(StructureError, match="fully occupied"):
        mp2020_correction(disordered_alloy())
    polonium = Structure(Lattice.cubic(5.0), ["Po", "O"], [[0] * 3, [0.5] * 3])
    with pytest.raises(InputError, match="no pseudopotential for Po"):
        mp2020_correction(polonium)


def compounds(name):
    folder = os.environ.get("HYSTERON_DATA_DIR")
    path = Path(folder or "") / "ml_potentials" / name
    if not folder or not path.is_file():
        pytest.skip("needs ml_potentials/ under HYSTERON_DATA_DIR")
    return json.loads(path.read_text())


@pytest.mark.parametrize("formula", ["MnO", "Li2CO3", "MgBr2", "FeCO3"])
def test_entries_of_the_materials_project(formula):
    """The file's `energy` is the corrected one (CHGNet says so), its raw energy is less `correction`."""
    entry = compounds("fairchem_mp_calc_compounds.json")[formula]
    structure = Structure.from_dict(entry["structure"])
    raw = (entry["energy"] - entry["correction"]) / len(structure)
    corrected = mp2020_corrected(raw, structure)
    assert corrected == pytest.approx(entry["energy"] / len(structure), abs=1e-6)
    chgnet = CHGNetPotential().calculate([structure])[0].energy / len(structure)
    assert corrected == pytest.approx(chgnet, abs=CHGNET_ERROR)


@pytest.mark.parametrize("formula", ["MnO", "Li2CO3", "MgBr2", "FeCO3"])
def test_entries_of_omat24(formula):
    entry = compounds("fairchem_omat_calc_compounds.json")[formula]
    structure = Structure.from_dict(entry["structure"])
    try:
        correction = omat24_correction(structure)
    except MissingDataError:
        pytest.skip("fairchem-data-omat is not installed: pip install fairchem-data-omat")
    assert correction.per_atom * len(structure) == pytest.approx(entry["correction"], abs=1e-6)


def test_omat24_without_its_constants_says_what_to_install(monkeypatch):
    monkeypatch.setattr(omat24, "PACKAGE", "no-such-package-of-constants")
    omat24._scheme.cache_clear()
    with pytest.raises(MissingDataError, match="pip install no-such-package-of-constants"):
        omat24_correction(magnesium_oxide())


def test_an_energy_moves_only_where_a_correction_leads():
    oxide = magnesium_oxide()
    assert on_scale(-6.0, oxide, RAW_MP, MP2020) == pytest.approx(-6.0 + OXIDE / 2)
    assert on_scale(-6.0, oxide, "toy", "toy") == -6.0
    with pytest.raises(EnergyScaleError, match="formation energies instead"):
        on_scale(-6.0, oxide, RAW_OMAT24, MP2020)
    with pytest.raises(EnergyScaleError, match="Nothing joins them"):
        on_scale(-6.0, oxide, "toy", OMAT24)
