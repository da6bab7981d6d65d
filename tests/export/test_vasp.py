"""VASP inputs are read back by pymatgen and ASE and hold the same crystal."""

from __future__ import annotations

import dataclasses

import ase.io
import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import SettingsError, StructureError
from hysteron.core.settings import validate
from hysteron.export.vasp import VaspSettings, VaspWriter, dipole_centre
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure
from pymatgen.io.vasp.inputs import Incar, Kpoints, Poscar


def apart(a: Structure, b: Structure) -> float:
    """Largest distance between matching atoms over (V/N)^(1/3), cells compared unscaled."""
    found = StructureMatcher(scale=False).get_rms_dist(a, b)
    assert found is not None, "not the same crystal"
    return found[1]


def write(candidate, folder, **settings):
    folder.mkdir(exist_ok=True)
    written = VaspWriter(VaspSettings(**settings)).write(candidate, folder)
    return folder, written.notes


def test_every_input_is_read_back_and_holds_the_crystal(shortlist, tmp_path, monkeypatch):
    monkeypatch.delenv("PMG_VASP_PSP_DIR", raising=False)
    for candidate in shortlist:
        folder, _ = write(candidate, tmp_path / candidate.candidate_id)
        for run in ("relax", "static"):
            structure = Poscar.from_file(folder / run / "POSCAR").structure
            assert structure.composition == candidate.structure.composition
            assert apart(structure, candidate.structure) < 1e-6
            atoms = ase.io.read(folder / run / "POSCAR", format="vasp")
            assert sorted(atoms.get_chemical_symbols()) == sorted(
                s.specie.symbol for s in candidate.structure
            )
            assert atoms.get_volume() == pytest.approx(candidate.structure.volume)
            incar, kpoints = (
                Incar.from_file(folder / run / "INCAR"),
                Kpoints.from_file(folder / run / "KPOINTS"),
            )
            assert incar["ENCUT"] == 520
            assert len(np.atleast_1d(incar["MAGMOM"])) == len(structure)
            assert min(kpoints.kpts[0]) >= 1
            symbols = (folder / run / "POTCAR.spec").read_text().split()
            assert [s.split("_")[0] for s in symbols] == Poscar.from_file(
                folder / run / "POSCAR"
            ).site_symbols
            assert not (folder / run / "POTCAR").exists()
        assert Incar.from_file(folder / "relax" / "INCAR")["NSW"] == 99
        assert Incar.from_file(folder / "static" / "INCAR")["NSW"] == 0


def test_transition_metal_oxides_get_the_projects_hubbard_u(known, tmp_path):
    vanadia = next(c for c in known if c.formula == "VO2")
    folder, _ = write(vanadia, tmp_path / "VO2")
    incar = Incar.from_file(folder / "relax" / "INCAR")
    assert incar["LDAUU"] == [3.25, 0]  # V in oxides, Materials Project
    assert incar["MAGMOM"] == [5.0] * 2 + [0.6] * 4


def test_only_a_ferroelectric_gets_a_polarization_path(ferroelectric, known, tmp_path):
    with_path, _ = write(ferroelectric, tmp_path / "polar")
    without, _ = write(known[0], tmp_path / "nonpolar")
    assert (with_path / "polarization").is_dir()
    assert not (without / "polarization").exists()


def test_the_path_runs_from_the_parent_to_the_polar_crystal(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "polar", path_images=8)
    names = sorted(p.name for p in (folder / "polarization").iterdir())
    assert names == [f"{i:02d}" for i in range(8)]
    images = [Poscar.from_file(folder / "polarization" / name / "POSCAR").structure for name in names]
    assert apart(images[0], materials.barium_titanate_cubic()) < 1e-6
    assert apart(images[-1], ferroelectric.structure) < 1e-6
    assert len({tuple(s.specie.symbol for s in image) for image in images}) == 1
    titanium = [next(s for s in image if s.specie.symbol == "Ti").frac_coords[2] for image in images]
    assert np.allclose(np.diff(titanium), 0.0224 / 7)
    incars = [Incar.from_file(folder / "polarization" / name / "INCAR") for name in names]
    assert all(incar["LCALCPOL"] is True and incar["NSW"] == 0 for incar in incars)
    meshes = {(folder / "polarization" / name / "KPOINTS").read_bytes() for name in names}
    assert len(meshes) == 1


def test_no_ion_of_any_image_crosses_the_boundary_that_vasp_counts_from(ferroelectric, tmp_path):
    folder, _ = write(ferroelectric, tmp_path / "polar")
    places = sorted((folder / "polarization").iterdir())
    centres = [np.array(Incar.from_file(place / "INCAR")["DIPOL"]) for place in places]
    assert np.array_equal(centres, [centres[0]] * len(places))
    images = np.array([Poscar.from_file(place / "POSCAR").structure.frac_coords for place in places])
    from_centre = (images - centres[0] + 0.5) % 1.0 - 0.5
    assert np.abs(np.diff(from_centre, axis=0)).max() < 0.01
    # Half a cell is the boundary. In each direction all ions lie near 0 and 1/2, so 1/4 is the most they can keep away.
    assert np.abs(from_centre).max() < 0.5 - 0.2


def test_ions_that_fill_the_cell_still_leave_the_widest_gap():
    rows = [[0.05, 0.1, 0], [0.3, 0.35, 0], [0.8, 0.6, 0], [0.95, 0.97, 0]]
    image = Structure(Lattice.cubic(5), ["Li"] * 4, rows)
    # Gaps: 0.30 to 0.80, 0.60 to 0.97, and all of the cell; their middles, and half a cell on.
    assert dipole_centre([image]) == pytest.approx([0.05, 0.285, 0.0], abs=1e-5)


def test_fewer_than_eight_images_are_refused():
    with pytest.raises(SettingsError, match="path_images"):
        validate(VaspSettings, {"path_images": 7}, "[export]")
    assert VaspSettings().path_images == 9


def test_a_reference_that_does_not_match_is_told_and_the_rest_is_written(ferroelectric, tmp_path):
    other = {"reference": {"structure": materials.silicon().as_dict()}}
    odd = ferroelectric.with_verdict(dataclasses.replace(ferroelectric.verdicts[0], details=other))
    folder, notes = write(odd, tmp_path / "odd")
    assert (folder / "static" / "POSCAR").is_file()
    assert not (folder / "polarization").exists()
    assert "No polarization path was written" in notes[0]


def test_site_properties_of_a_potential_do_not_leak(ferroelectric, tmp_path):
    marked = ferroelectric.structure.copy()
    marked.add_site_property("magmom", [0.123] * 5)
    marked.add_oxidation_state_by_element({"Ba": 2, "Ti": 4, "O": -2})
    plain, _ = write(ferroelectric, tmp_path / "plain")
    loud, _ = write(ferroelectric.with_structure(marked), tmp_path / "loud")
    for path in sorted(p.relative_to(plain) for p in plain.rglob("*") if p.is_file()):
        assert (plain / path).read_bytes() == (loud / path).read_bytes()


def test_what_the_set_cannot_hold_is_refused_in_a_sentence(tmp_path):
    polonium = Candidate("Po", Structure(Lattice.cubic(3.359), ["Po"], [[0, 0, 0]]))
    with pytest.raises(StructureError, match="no POTCAR for Po"):
        VaspWriter().write(polonium, tmp_path)
    with pytest.raises(StructureError, match="partially occupied"):
        VaspWriter().write(Candidate("CuAu", materials.disordered_alloy()), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_low_spin_cobalt_is_told(known, tmp_path):
    cobaltate = next(c for c in known if c.formula == "LiCoO2")
    _, notes = write(cobaltate, tmp_path / "LiCoO2")
    assert any("low spin" in note for note in notes)
    assert any("Ferromagnetic start from the set's moments on Co" in note for note in notes)
