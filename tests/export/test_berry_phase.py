"""A known polarization comes back from outputs whose images are on branches of their own."""

from __future__ import annotations

import dataclasses
import gzip

import materials
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hysteron.benchmarks import ingest_berry_phase as outputs
from hysteron.core.errors import InputError, NotFoundError
from hysteron.core.polar_path import polar_path
from hysteron.core.polarization import polarization_quantum
from hysteron.export import outside_files
from hysteron.export.berry_phase import follow_branch, nonpolar_residual, polarization_along_path
from hysteron.export.berry_phase_image import BerryPhaseImage
from hysteron.export.branch import ambiguity, nearest_step, polarization, reduced_dipole
from pymatgen.analysis.ferroelectricity.polarization import Polarization
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

PRINTED = 0.02
"""uC/cm^2: five decimals of e A for VASP, seven of bohr and six of the axes for pw.x."""
EXACT = 1e-8

BORN = {"Ba": 2.7, "Ti": 7.2, "O": -3.3}
"""e; of the size of BaTiO3's (Ghosez, Michenaud and Gonze 1998, doi:10.1103/PhysRevB.58.6224), made neutral, one per element."""


def tetragonal_path(count: int = 9) -> list[Structure]:
    """Cubic to P4mm BaTiO3."""
    ends = materials.barium_titanate_cubic(), materials.barium_titanate_tetragonal()
    return [outputs.grouped(image) for image in polar_path(*ends, count)]


def charges(structure: Structure) -> np.ndarray:
    return np.array([BORN[site.specie.symbol] for site in structure])


def skewed_path(count: int = 9) -> list[Structure]:
    """P4mm BaTiO3 told in another, skewed cell of the same lattice, whose angles are far from 90 degrees."""
    turn = np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    return [
        Structure(
            Lattice(turn @ image.lattice.matrix),
            [site.specie for site in image],
            image.frac_coords @ np.linalg.inv(turn),
        )
        for image in tetragonal_path(count)
    ]


def as_images(path: list[Structure], dipoles: np.ndarray) -> list[BerryPhaseImage]:
    return [
        BerryPhaseImage(
            structure.lattice.matrix,
            structure.frac_coords,
            tuple(site.specie.symbol for site in structure),
            dipole,
            "PBE",
            "VASP",
            "6.3.2",
        )
        for structure, dipole in zip(path, dipoles, strict=True)
    ]


def cubic_dipoles(path: list[Structure]) -> np.ndarray:
    return outputs.known_dipoles(path, charges(path[0]), np.zeros(3))


WRITERS = {"vasp": outputs.write_vasp_path, "espresso": outputs.write_espresso_path}


@pytest.mark.parametrize("format", WRITERS)
@pytest.mark.parametrize("make", [tetragonal_path, skewed_path])
def test_the_known_polarization_comes_back(format, make, tmp_path):
    path = make()
    WRITERS[format](tmp_path, path, cubic_dipoles(path), np.random.default_rng(7))
    found = polarization_along_path(tmp_path, format)
    assert found.vector == pytest.approx(outputs.known_polarization(path, charges(path[0])), abs=PRINTED)
    assert found.polarization > 20  # uC/cm^2: the displacements and charges above
    assert found.smooth, found.doubts
    assert found.functional == "PBE"
    assert found.quantum == pytest.approx(polarization_quantum(path[-1].lattice.matrix), rel=1e-5)
    assert found.path.shape == (9, 3)
    assert np.all(np.diff(np.linalg.norm(found.path, axis=1)) > 0)
    parts = sum(
        p * v / np.linalg.norm(v) for p, v in zip(found.along_lattice, path[-1].lattice.matrix, strict=True)
    )
    assert parts == pytest.approx(found.vector, abs=PRINTED)


def test_both_formats_agree(tmp_path):
    path = tetragonal_path()
    for format, write in WRITERS.items():
        write(tmp_path / format, path, cubic_dipoles(path), np.random.default_rng(1))
    vasp, espresso = (polarization_along_path(tmp_path / format, format) for format in WRITERS)
    assert vasp.vector == pytest.approx(espresso.vector, abs=PRINTED)
    assert (vasp.code, espresso.code) == ("VASP", "pw.x")
    assert vasp.version == "6.3.2"


def test_barium_titanate_as_vasp_computed_it(tmp_path):
    """PBE, VASP 5.3.5, Pm-3m to P4mm: the run of Smidt et al. that pymatgen's tests hold (MIT), by its dipoles and ends.

    pymatgen finds 46.2888 uC/cm^2 along z.
    """
    # fmt: off
    electronic = [  # p[elc], electrons Angst
        (4.03304, -4.03304, -3.60393), (4.02958, 4.02958, -3.77177), (4.02611, 4.02611, -3.93397),
        (4.02264, 4.02263, -4.08851), (4.01916, 4.01914, 3.99662), (4.01567, 4.01565, 3.90327),
        (4.01217, 4.01214, 3.81998), (4.00867, 4.00863, 3.74561), (4.00517, 4.00512, 3.67949),
        (0.00024, 0.00019, 3.61674),
    ]
    # fmt: on
    first, last = np.diag([4.033044] * 3), np.diag([4.001368, 4.001368, 4.215744])
    heights = np.array(
        [[0.0028, 0.5028, 0.5028, 0.5028, 1.0028], [0.020273, 0.538852, 0.492022, 0.492022, 0.970829]]
    )
    for i, p_elc in enumerate(electronic):
        x = i / 9
        coordinates = np.array([[0, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0], [0.5, 0, 0], [0.5, 0.5, 0]])
        coordinates[:, 2] = (1 - x) * heights[0] + x * heights[1]
        lattice = (1 - x) * first + x * last
        structure = Structure(Lattice(lattice), ["Ba", "Ti", "O", "O", "O"], coordinates)
        text = outputs.outcar(
            structure, -np.array(p_elc) @ np.linalg.inv(lattice), "electrons Angst", "5.3.5"
        )
        (tmp_path / f"{i:02d}").mkdir()
        (tmp_path / f"{i:02d}" / "OUTCAR").write_text(text)
    found = polarization_along_path(tmp_path, "vasp")
    assert found.vector == pytest.approx([0, 0, 46.2888], abs=PRINTED)
    assert found.quantum[2] == pytest.approx(100.068, abs=0.001)
    assert found.smooth, found.doubts
    assert found.largest_kink < 0.01
    assert found.nonpolar_residual < 0.001


def test_pymatgen_finds_the_same_in_an_orthogonal_cell():
    path = tetragonal_path()
    dipoles = cubic_dipoles(path) + np.random.default_rng(3).integers(-2, 3, (9, 3))
    ours = follow_branch(as_images(path, dipoles)).along_lattice
    # pymatgen wants e A along the lattice vectors, electrons counted positive.
    lengths = np.array([image.lattice.lengths for image in path])
    theirs = Polarization(-dipoles * lengths, 0 * dipoles, path, p_elecs_in_cartesian=False)
    assert theirs.get_polarization_change().ravel() == pytest.approx(ours, rel=1e-6)


whole = st.integers(-4, 4)
branches = st.lists(st.tuples(whole, whole, whole), min_size=9, max_size=9)


@given(jumps=branches, make=st.sampled_from([tetragonal_path, skewed_path]))
@settings(max_examples=20, deadline=None)
def test_whole_quanta_added_to_any_image_change_nothing(jumps, make):
    path = make()
    plain = follow_branch(as_images(path, cubic_dipoles(path)))
    jumped = follow_branch(as_images(path, cubic_dipoles(path) + np.array(jumps)))
    assert jumped.vector == pytest.approx(plain.vector, abs=EXACT)
    assert jumped.largest_step == pytest.approx(plain.largest_step)
    assert jumped.smooth


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_the_polarization_turns_with_the_crystal(seed):
    rotation = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    path = skewed_path()
    turned = [
        Structure(Lattice(s.lattice.matrix @ rotation.T), [x.specie for x in s], s.frac_coords) for s in path
    ]
    plain = follow_branch(as_images(path, cubic_dipoles(path)))
    found = follow_branch(as_images(turned, cubic_dipoles(path)))
    assert found.vector == pytest.approx(rotation @ plain.vector, abs=EXACT)
    assert found.polarization == pytest.approx(plain.polarization)


def test_another_cell_of_the_lattice_changes_nothing():
    vectors = [
        follow_branch(as_images(p, cubic_dipoles(p))).vector for p in (tetragonal_path(), skewed_path())
    ]
    assert vectors[0] == pytest.approx(vectors[1], abs=EXACT)


@pytest.mark.parametrize("format", WRITERS)
def test_a_path_run_backwards_gives_the_opposite(format, tmp_path):
    path = tetragonal_path()
    backwards = path[::-1]
    start = cubic_dipoles(path)[-1]
    WRITERS[format](
        tmp_path,
        backwards,
        outputs.known_dipoles(backwards, charges(path[0]), start),
        np.random.default_rng(5),
    )
    found = polarization_along_path(tmp_path, format)
    forwards = follow_branch(as_images(path, cubic_dipoles(path)))
    # In the cell of its own last image: by e a/V the two differ as far as the cells do.
    assert found.along_lattice[2] / found.quantum[2] == pytest.approx(
        -forwards.along_lattice[2] / forwards.quantum[2], abs=1e-4
    )
    assert not found.smooth
    assert "not the nonpolar end" in found.doubts[0]


def test_an_odd_ion_at_the_boundary_does_not_shift_the_branch(tmp_path):
    """VASP drops it there: half a quantum, which p[ion] as printed would carry into one image."""
    cell = Lattice.orthorhombic(4.0, 4.2, 5.0)
    path = [Structure(cell, ["Li", "O"], [[0, 0, 0.5 + 0.01 * i], [0, 0, -0.002 * i]]) for i in range(9)]
    effective = np.array([1.0, -1.0])
    dipoles = outputs.known_dipoles(path, effective, np.array([0, 0, 0.5]))
    outputs.write_vasp_path(tmp_path, path, dipoles, np.random.default_rng(2))
    found = polarization_along_path(tmp_path, "vasp")
    assert found.vector == pytest.approx(outputs.known_polarization(path, effective), abs=PRINTED)
    assert found.smooth, found.doubts
    printed = [outputs._ionic_as_vasp_counts(image)[2] - outputs.ionic(image)[2] for image in path]
    assert abs(printed[1] - printed[0]) % 1 == pytest.approx(0.5)


# What makes a branch uncertain


def test_steps_too_long_to_tell_are_told():
    path = tetragonal_path(9)
    dipoles = np.outer(np.arange(9), [0, 0, 0.3])
    found = follow_branch(as_images(path, dipoles))
    assert found.verdict == "branch not certain"
    assert "run more images" in " ".join(found.doubts)
    assert found.largest_step == pytest.approx(0.3 / 0.7, rel=1e-6)
    finer = follow_branch(as_images(tetragonal_path(17), np.outer(np.arange(17), [0, 0, 0.15])))
    assert finer.smooth
    assert finer.along_lattice[2] == pytest.approx(2.4 * finer.quantum[2])


def test_an_image_that_went_wrong_is_told():
    path = tetragonal_path()
    dipoles = cubic_dipoles(path)
    dipoles[4] += [0, 0, 0.21]
    found = follow_branch(as_images(path, dipoles))
    assert not found.smooth
    assert "metallic" in " ".join(found.doubts)


def test_fewer_than_eight_images_are_told():
    path = tetragonal_path(7)
    found = follow_branch(as_images(path, cubic_dipoles(path)))
    assert found.doubts == ("Only 7 images (at least 8).",)


@pytest.mark.parametrize(
    ("start", "fits"), [([0, 0, 0], 0), ([0.5, 0.5, 0.5], 0), ([0, 0, 0.5], 0.5), ([0, 0, 0.2], 0.4)]
)
def test_the_nonpolar_end_has_what_its_symmetry_allows(start, fits):
    """In Pm-3m 0 or half a quantum, and the same along all three."""
    image = as_images(tetragonal_path()[:1], np.array([start], dtype=float))[0]
    assert nonpolar_residual(image) == pytest.approx(fits, abs=1e-6)


def test_a_quarter_is_allowed_without_inversion():
    """Zincblende: (1/4, 1/4, 1/4) e of the primitive vectors maps onto itself modulo whole quanta under T_d."""
    structure = Structure.from_spacegroup(
        "F-43m", Lattice.cubic(5.41), ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )
    primitive = structure.get_primitive_structure()
    image = as_images([primitive], np.array([[0.25, 0.25, 0.25]]))[0]
    assert nonpolar_residual(image) < 1e-6
    assert nonpolar_residual(dataclasses.replace(image, dipole=np.array([0.25, 0.25, 0.0]))) > 0.1


def test_half_a_quantum_at_the_nonpolar_end_is_taken_off():
    path = tetragonal_path()
    halves = outputs.known_dipoles(path, charges(path[0]), np.array([0.5, 0.5, 0.5]))
    found = follow_branch(as_images(path, halves))
    assert found.vector == pytest.approx(outputs.known_polarization(path, charges(path[0])), abs=EXACT)
    assert found.smooth


# The branch alone


@given(
    step=st.tuples(*[st.floats(-3, 3)] * 3),
    cell=st.sampled_from([np.diag([4.0, 5.0, 9.0]), np.array([[4, 0, 0], [3.8, 1.5, 0], [-9.1, 2, 3.0]])]),
)
@settings(max_examples=60, deadline=None)
def test_no_other_branch_is_nearer(step, cell):
    found = nearest_step(np.array(step), cell)
    assert np.allclose(found - step, np.rint(found - step))
    far = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3), -1).reshape(-1, 3)
    lengths = np.linalg.norm((found + far) @ cell, axis=1)
    assert np.linalg.norm(found @ cell) <= lengths.min() + 1e-9
    assert ambiguity(found, cell) <= 1 + 1e-9


def test_a_reduced_dipole_is_the_inverse_of_a_polarization():
    cell = np.array([[4.0, 0, 0], [1.0, 5, 0], [0.5, 0.3, 6]])
    dipole = np.array([0.1, -0.7, 2.3])
    assert reduced_dipole(polarization(dipole, cell), cell) == pytest.approx(dipole)


# Files that are not what they should be


@pytest.fixture
def finished(tmp_path):
    def make(format):
        path = tetragonal_path()
        WRITERS[format](tmp_path, path, cubic_dipoles(path), np.random.default_rng(0))
        return tmp_path

    return make


OUTPUT = {"vasp": "OUTCAR", "espresso": "berry2.out"}


@pytest.mark.parametrize("format", WRITERS)
def test_a_missing_image_is_a_sentence(format, finished):
    folder = finished(format)
    (folder / "03" / OUTPUT[format]).unlink()
    with pytest.raises(NotFoundError, match=r"03.*has not been run yet"):
        polarization_along_path(folder, format)
    for file in (folder / "03").iterdir():
        file.unlink()
    (folder / "03").rmdir()
    with pytest.raises(NotFoundError, match="lacks the images 03 of a path of 9"):
        polarization_along_path(folder, format)


def test_a_missing_last_image_is_noticed_where_the_number_is_known(finished):
    folder = finished("vasp")
    with pytest.raises(NotFoundError, match="lacks the images 09, 10"):
        polarization_along_path(folder, "vasp", images=11)


def test_a_folder_without_images_and_an_unknown_format_are_sentences(tmp_path):
    with pytest.raises(NotFoundError, match="holds no images"):
        polarization_along_path(tmp_path / "absent", "vasp")
    with pytest.raises(NotFoundError, match="Did you mean 'vasp'"):
        polarization_along_path(tmp_path, "vapsp")


@pytest.mark.parametrize(
    ("format", "old", "new", "says"),
    [
        ("vasp", "General timing and accounting", "", "unfinished"),
        ("vasp", "EDIFF is reached", "EDIFF was not reached", "did not converge"),
        ("vasp", "LCALCPOL   =     T", "LCALCPOL   =     F", "no Berry-phase run"),
        ("vasp", "NSW    =      0", "NSW    =     99", "moved its atoms"),
        ("vasp", "p[elc]", "p[xyz]", "may be a metal"),
        ("vasp", "direct lattice vectors", "vectors", "no lattice vectors"),
        ("vasp", "position of ions in fractional", "positions", "positions of its 5 ions"),
        ("vasp", "Ionic Valenz", "", "valence charges"),
        ("vasp", "LHFCALC =     F", "LHFCALC =     T", "different functional"),
        ("espresso", "JOB DONE", "", "unfinished"),
        ("espresso", "(e/Omega).bohr", "", "no Berry-phase run"),
        ("espresso", "direction of vector 2", "direction of vector 3", "runs along reciprocal vector 3"),
        ("espresso", "celldm(1)=", "celldm(1)", "names no cell"),
        ("espresso", "a(1) = (   1.0", "a(1) = (   1.1", "different cells"),
    ],
)
def test_a_run_that_cannot_be_used_is_a_sentence(format, old, new, says, finished):
    file = finished(format) / "04" / OUTPUT[format]
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(InputError, match=says):
        polarization_along_path(file.parent.parent, format)


@given(cut=st.floats(0, 0.99), format=st.sampled_from(sorted(WRITERS)))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_output_cut_anywhere_is_a_sentence(cut, format, finished):
    file = finished(format) / "02" / OUTPUT[format]
    text = file.read_text()
    file.write_text(text[: int(cut * text.index("General timing" if format == "vasp" else "JOB DONE"))])
    with pytest.raises(InputError):
        polarization_along_path(file.parent.parent, format)


def test_gzipped_outputs_are_read_and_large_ones_are_not(finished, monkeypatch):
    folder = finished("vasp")
    expected = polarization_along_path(folder, "vasp").vector
    file = folder / "05" / "OUTCAR"
    (folder / "05" / "OUTCAR.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert polarization_along_path(folder, "vasp").vector == pytest.approx(expected)
    monkeypatch.setattr(outside_files, "LARGEST_OUTPUT_BYTES", 1000)
    with pytest.raises(InputError, match="larger than"):
        polarization_along_path(folder, "vasp")


def test_images_of_different_crystals_are_refused():
    path = tetragonal_path()
    images = as_images(path, cubic_dipoles(path))
    images[3] = dataclasses.replace(images[3], species=("Pb", "Ti", "O", "O", "O"))
    with pytest.raises(InputError, match="not one path"):
        follow_branch(images)
    with pytest.raises(InputError, match="at least its 2 ends"):
        follow_branch(images[:1])


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("GGA     =    --", "GGA     =    PS", "PBEsol"),
        ("METAGGA=      F", "METAGGA=      R2SCAN", "R2SCAN"),
        ("LHFCALC =     F", "LHFCALC =     T", "hybrid"),
        ("  Ionic Valenz", " LDA+U is selected, type is set to LDAUTYPE =  2\n  Ionic Valenz", "PBE+U"),
    ],
)
def test_the_functional_is_named(old, new, name, finished):
    folder = finished("vasp")
    for file in folder.glob("*/OUTCAR"):
        file.write_text(file.read_text().replace(old, new))
    assert polarization_along_path(folder, "vasp").functional == name
