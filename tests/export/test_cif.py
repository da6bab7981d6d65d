"""A CIF holds the crystal, with its symmetry where that can be kept."""

from __future__ import annotations

import io
import warnings

import ase.io
import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import StructureError
from hysteron.export.cif import cif_text
from hysteron.export.crystal import detected_spacegroup
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.io.cif import CifParser

EIGHT_DECIMALS = 1e-6


def read(text: str) -> list[Structure]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CifParser.from_str(text).parse_structures(primitive=False)


def test_pymatgen_and_ase_read_back_the_same_crystal(shortlist):
    for candidate in shortlist:
        text = cif_text(candidate)
        found = read(text)[0]
        assert found.composition.reduced_composition == candidate.structure.composition.reduced_composition
        distances = StructureMatcher(scale=False).get_rms_dist(found, candidate.structure)
        assert distances is not None
        assert distances[1] < 1e-3
        assert detected_spacegroup(found) == detected_spacegroup(candidate.structure)
        atoms = ase.io.read(io.StringIO(text), format="cif")
        per_atom = candidate.structure.volume / len(candidate.structure)
        assert atoms.get_volume() / len(atoms) == pytest.approx(per_atom, rel=EIGHT_DECIMALS)


def test_symmetry_is_written_where_there_is_some(ferroelectric, known):
    assert "_symmetry_Int_Tables_number   99" in cif_text(ferroelectric)
    niobate = next(c for c in known if c.formula == "LiNbO3")
    assert "_symmetry_Int_Tables_number   161" in cif_text(niobate)


def test_a_crystal_without_symmetry_is_written_in_p1():
    shaken = materials.barium_titanate_tetragonal()
    shaken.perturb(0.1)
    text = cif_text(Candidate("shaken", shaken))
    assert "_symmetry_Int_Tables_number   1\n" in text
    assert np.allclose(read(text)[0].lattice.parameters, shaken.lattice.parameters, atol=EIGHT_DECIMALS)


def test_several_blocks_in_one_file_stay_apart(shortlist):
    assert len(read("".join(cif_text(c) for c in shortlist))) == len(shortlist)


def test_a_hostile_id_cannot_leave_its_line(ferroelectric):
    hostile = Candidate("x\n_cell_length_a 1\ndata_y", ferroelectric.structure)
    text = cif_text(hostile)
    assert text.count("data_") == 2  # the block's, and the one inside its name
    assert text.splitlines()[0] == "data_x__cell_length_a_1_data_y"
    assert read(text)[0].lattice.a == pytest.approx(3.9945)


def test_a_disordered_crystal_is_refused():
    with pytest.raises(StructureError, match="partially occupied"):
        cif_text(Candidate("CuAu", materials.disordered_alloy()))
