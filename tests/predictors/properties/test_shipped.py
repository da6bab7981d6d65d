"""The shipped property model on materials that everybody knows."""

from importlib import resources

import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.predictors.properties.predictor import Properties
from pymatgen.core import Lattice, Structure

SINGLE_PRECISION = 2e-4
LARGEST_BYTES = 10_000_000

KNOWN = {
    # Materials Project, PBE: formation energy in eV/atom, band gap in eV; geometries are measured ones.
    "NaCl": (
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.64), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        -2.11,
        5.1,
    ),
    "SrTiO3": (
        Structure.from_spacegroup(
            "Pm-3m", Lattice.cubic(3.905), ["Sr", "Ti", "O"], [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0]]
        ),
        -3.56,
        1.8,
    ),
    "TiO2": (
        Structure.from_spacegroup(
            "P4_2/mnm", Lattice.tetragonal(4.594, 2.959), ["Ti", "O"], [[0, 0, 0], [0.305, 0.305, 0]]
        ),
        -3.45,
        1.8,
    ),
}
FORMATION_TOLERANCE = 0.05  # eV/atom; the cells are measured, not PBE's
GAP_TOLERANCE = 0.5  # eV


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(tmp_path_factory.mktemp("home")))
        yield Properties()


@pytest.fixture(scope="module")
def predicted(shipped):
    found = shipped.predict([Candidate(name, known[0]) for name, known in KNOWN.items()])
    return dict(zip(KNOWN, found, strict=True))


@pytest.mark.parametrize("name", KNOWN)
def test_known_materials_come_out_as_the_materials_project_has_them(predicted, name):
    _, formation, gap = KNOWN[name]
    found = predicted[name]
    assert found.value("formation_energy_per_atom") == pytest.approx(formation, abs=FORMATION_TOLERANCE)
    assert found.value("band_gap") == pytest.approx(gap, abs=GAP_TOLERANCE)
    assert found.value("total_magnetization") < 0.2, "mu_B; no moment in a closed shell"
    assert found.provenance[-1].details["in_domain"]


def test_intervals_hold_their_values(predicted):
    for candidate in predicted.values():
        for value in candidate.properties:
            assert value.interval[0] <= value.value <= value.interval[1]
            assert value.coverage == 0.9


def test_a_supercell_turned_and_shuffled_is_the_same_crystal(shipped, predicted):
    other = KNOWN["SrTiO3"][0].copy()
    other.make_supercell([[1, 1, 0], [0, 1, 0], [0, 0, 2]])
    order = np.random.default_rng(0).permutation(len(other))
    other = Structure.from_sites([other[i] for i in order])
    other.translate_sites(range(len(other)), [0.1, 0.23, 0.4])
    (found,) = shipped.predict([Candidate("other", other)])
    for name in ("formation_energy_per_atom", "band_gap"):
        assert found.value(name) == pytest.approx(predicted["SrTiO3"].value(name), abs=SINGLE_PRECISION)


def test_a_metal_has_no_gap(shipped):
    copper = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]])
    assert shipped.predict([Candidate("copper", copper)])[0].value("band_gap") == 0


def test_a_crystal_like_no_other_is_flagged(shipped):
    strange = Structure(Lattice.cubic(4), ["Pu", "Xe", "F"], [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.5]])
    (found,) = shipped.predict([Candidate("strange", strange)])
    assert not found.provenance[-1].details["in_domain"]
    assert all("outside its domain" in value.source for value in found.properties)


def test_the_weights_are_small_and_their_card_stands_beside():
    folder = resources.files("hysteron.data") / "models"
    with resources.as_file(folder / "properties.safetensors") as path:
        assert path.stat().st_size < LARGEST_BYTES
    card = (folder / "properties.md").read_text()
    for word in ("CC BY 4.0", "band_gap", "coverage", "Limits", "eV/atom"):
        assert word in card
