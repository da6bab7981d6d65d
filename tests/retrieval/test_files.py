"""Whatever lies in a folder: crystals come out, or sentences; never a crash."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step
from hysteron.core.contracts import Source
from hysteron.core.errors import InputError, NotFoundError
from hysteron.core.filters import parse
from hysteron.core.identity import same_crystal
from hysteron.core.registry import load
from hysteron.retrieval import SOURCES, file_formats
from hysteron.retrieval.files import CifFolder, FileEntry, read_paths
from hysteron.retrieval.sanity import usable
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from pymatgen.io.vasp import Poscar

SALT = materials.sodium_chloride().get_primitive_structure()


def only(paths) -> FileEntry:
    (entry,) = read_paths(paths)
    return entry


def reason(path) -> str:
    entry = only([path])
    assert entry.candidate is None
    assert entry.failure is not None
    assert entry.failure.stage == "retrieve"
    assert "Traceback" not in entry.failure.reason
    return entry.failure.reason


def put(folder, name: str, text: str):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def cif(structure: Structure) -> str:
    return str(CifWriter(structure))


def poscar(structure: Structure) -> str:
    return Poscar(structure).get_str()


def extxyz(*structures: Structure, extra: str = 'pbc="T T T"') -> str:
    frames = []
    for structure in structures:
        cell = " ".join(f"{x:.10f}" for x in structure.lattice.matrix.ravel())
        head = f'{len(structure)}\nLattice="{cell}" Properties=species:S:1:pos:R:3 {extra}\n'
        rows = [f"{site.specie.symbol} " + " ".join(f"{x:.10f}" for x in site.coords) for site in structure]
        frames.append(head + "\n".join(rows) + "\n")
    return "".join(frames)


def record(structure: Structure, candidate_id: str = "BaTiO3-99-0123456789") -> dict:
    step = Step("generate", "substitution", "1", seed=3, parents=("SrTiO3-221-0000000000",))
    gap = PropertyValue("band_gap", 1.8, "eV", "PBE")
    return Candidate(candidate_id, structure, (gap,), (step,)).to_record()


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.cif", cif),
        ("A.CIF", cif),
        ("POSCAR", poscar),
        ("CONTCAR", poscar),
        ("POSCAR_rutile", poscar),
        ("poscar.relaxed", poscar),
        ("a.vasp", poscar),
        ("a.poscar", poscar),
        ("a.extxyz", extxyz),
        ("a.xyz", extxyz),
    ],
)
def test_every_format_by_its_name(tmp_path, name, write):
    path = put(tmp_path, name, write(materials.titania_rutile()))
    entry = only([path])
    assert entry.failure is None
    assert entry.input == str(path)
    assert entry.candidate is not None
    assert same_crystal(entry.candidate.structure, materials.titania_rutile())
    assert entry.candidate.spacegroup_number == 136
    assert entry.candidate.candidate_id.startswith("TiO2-136-")
    (step,) = entry.candidate.provenance
    assert (step.stage, step.name) == ("retrieve", f"cif:{tmp_path.as_posix()}")
    assert step.details["file"] == name
    assert len(step.version) == 12


def test_the_same_crystal_in_two_formats_has_one_id(tmp_path):
    put(tmp_path, "a.cif", cif(materials.lithium_niobate()))
    put(tmp_path, "b/c/POSCAR", poscar(materials.lithium_niobate() * [2, 1, 1]))
    first, second = read_paths([tmp_path])
    assert first.candidate.candidate_id == second.candidate.candidate_id
    assert second.candidate.provenance[0].details["file"] == "b/c/POSCAR"


def test_a_folder_is_walked_in_order_and_other_files_are_passed_over(tmp_path):
    for name in ("b.cif", "a.cif", "sub/z.cif", ".hidden/x.cif", ".y.cif", "notes.txt", "OUTCAR"):
        put(tmp_path, name, cif(SALT))
    found = [entry.input for entry in read_paths([tmp_path])]
    assert found == [str(tmp_path / name) for name in ("a.cif", "b.cif", "sub/z.cif")]


def test_several_structures_in_one_file(tmp_path):
    two = put(tmp_path, "two.cif", cif(SALT) + "\n" + cif(materials.zinc_oxide()))
    frames = put(tmp_path, "path.extxyz", extxyz(SALT, materials.zinc_oxide(), materials.silicon()))
    assert [(e.input, e.candidate.formula) for e in read_paths([two])] == [
        (f"{two}#0", "NaCl"),
        (f"{two}#1", "ZnO"),
    ]
    assert [(e.input, e.candidate.formula) for e in read_paths([frames])] == [
        (f"{frames}#0", "NaCl"),
        (f"{frames}#1", "ZnO"),
        (f"{frames}#2", "Si"),
    ]


def test_one_bad_part_does_not_spoil_the_others(tmp_path):
    bad_block = cif(materials.zinc_oxide()).replace("_cell_length_a", "_cell_longitude_a")
    path = put(tmp_path, "mixed.cif", "\n".join([cif(SALT), bad_block, cif(materials.titania_rutile())]))
    assert [e.candidate is not None for e in read_paths([path])] == [True, False, True]
    frame = extxyz(SALT).replace("Cl ", "Qq ")
    path = put(tmp_path, "mixed.extxyz", extxyz(SALT) + frame + extxyz(materials.silicon()))
    assert [e.candidate is not None for e in read_paths([path])] == [True, False, True]


def test_oxidation_states_are_stripped_and_told(tmp_path):
    decorated = SALT.copy()
    decorated.add_oxidation_state_by_element({"Na": 1, "Cl": -1})
    entry = only([put(tmp_path, "a.cif", cif(decorated))])
    assert sorted(site.species_string for site in entry.candidate.structure) == ["Cl", "Na"]
    assert entry.candidate.provenance[0].details["oxidation_states_removed"] is True
    assert (
        "oxidation_states_removed"
        not in only([put(tmp_path, "b.cif", cif(SALT))]).candidate.provenance[0].details
    )


def test_two_charges_of_one_element_on_a_site_are_no_disorder():
    mixed = Structure(Lattice.cubic(4.2), [{"Fe2+": 0.5, "Fe3+": 0.5}, "O2-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    plain, notes = usable(mixed)
    assert plain.is_ordered
    assert notes == {"oxidation_states_removed": True}


def test_remarks_of_a_parser_are_kept_and_not_shown(tmp_path, capsys):
    text = str(CifWriter(materials.zinc_oxide(), symprec=0.01))
    symbol_only = re.sub(r"loop_\n _symmetry_equiv.*?(?=loop_)", "", text, flags=re.DOTALL)
    path = put(tmp_path, "a.cif", symbol_only)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        entry = only([path])
    assert entry.candidate is not None
    assert "Spacegroup from" in entry.candidate.provenance[0].details["remarks"][0]
    assert entry.candidate.spacegroup_number == 186
    assert capsys.readouterr() == ("", "")


def disordered() -> str:
    return cif(materials.disordered_alloy())


def with_isotope() -> str:
    hydride = Structure(Lattice.cubic(4), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return cif(hydride).replace("  H  H1", "  D  D1")


def without_symbols() -> str:
    """VASP 4: no line of symbols, none behind the coordinates."""
    lines = [re.sub(r" (Na|Cl)$", "", line) for line in poscar(SALT).splitlines()]
    return "\n".join(lines[:5] + lines[6:])


ABSURD = {
    "empty.cif": ("", "is empty"),
    "blank.vasp": ("\n\n", "is empty"),
    "words.cif": ("once upon a time", "No data block lists atoms"),
    "truncated.cif": (cif(SALT)[:300], "No data block lists atoms"),
    "partial.cif": (disordered(), "partially occupied sites"),
    "isotope.cif": (with_isotope(), "D is an isotope"),
    "placeholder.xyz": (extxyz(SALT).replace("Na ", "X "), "placeholder"),
    "unknown.xyz": (extxyz(SALT).replace("Na ", "Qq "), "cannot be read as extxyz"),
    "close.vasp": (
        poscar(Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.1]])),
        "0.400 A apart",
    ),
    "same.vasp": (poscar(Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0]])), "0.000 A apart"),
    "tiny.vasp": (poscar(Structure(Lattice.cubic(1e-3), ["Na"], [[0, 0, 0]])), "edges are 0.001"),
    "huge.vasp": (poscar(Structure(Lattice.cubic(1e6), ["Na"], [[0, 0, 0]])), "edges are 1e\\+06"),
    "dense.vasp": (poscar(Structure(Lattice.cubic(1.2) , ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])), "A\\^3 per atom"),
    "thin.vasp": (poscar(Structure(Lattice.cubic(40), ["Na"], [[0, 0, 0]])), "A\\^3 per atom"),
    "flat.vasp": (poscar(SALT).replace(poscar(SALT).splitlines()[3], poscar(SALT).splitlines()[2]), "A\\^3 per atom"),
    "nan.vasp": (poscar(SALT).replace("0.5000000000000000", "nan"), "not finite"),
    "inf.xyz": (extxyz(SALT).replace("Na 0.0000000000", "Na inf"), "not finite"),
    "far.vasp": (poscar(SALT).replace("0.5000000000000000", "1e9"), "cells away"),
    "vasp4.vasp": (without_symbols(), "does not name its elements"),
    "many.vasp": (poscar(SALT).replace("1 1\n", "99999999999 1\n"), "at most 500"),
    "plus.vasp": (poscar(SALT).replace("1 1\n", "+99999999999 1 # two\n"), "at most 500"),
    "none.vasp": (poscar(SALT).replace("1 1\n", "1 -1\n"), "-1 atoms"),
    "short.vasp": ("\n".join(poscar(SALT).splitlines()[:8]), "cannot be read as POSCAR"),
    "molecule.xyz": ("3\nwater\nO 0 0 0\nH 0.76 0.59 0\nH -0.76 0.59 0\n", "periodic in 0 directions"),
    "slab.extxyz": (extxyz(SALT, extra='pbc="T T F"'), "periodic in 2 directions"),
    "cut.xyz": (extxyz(SALT).rpartition("Na")[0], "2 atoms are announced and 1 follow"),
    "crowd.xyz": ("100000\n\n" + "H 0 0 0\n" * 9, "at most 500"),
    "word.xyz": ("many\nLattice\n", "where the number of atoms was expected"),
    "empty.xyz": ("", "is empty"),
    "empty.jsonl": ("", "is empty"),
    "array.jsonl": ("[1, 2]\n", "is a JSON object"),
    "broken.jsonl": ('{"candidate_id": \n', "cannot be read as JSONL"),
    "null.jsonl": (json.dumps(record(SALT) | {"structure": None}) + "\n", "has no structure"),
    "version.jsonl": (json.dumps(record(SALT) | {"schema_version": 99}) + "\n", "schema version 99"),
    "name.jsonl": (json.dumps(record(SALT, "../../etc/passwd")) + "\n", "no candidate_id"),
    "property.jsonl": (json.dumps(record(SALT) | {"properties": [{"name": "luck"}]}) + "\n", "cannot be read as JSONL"),
    "mess.jsonl": (json.dumps(record(materials.disordered_alloy())) + "\n", "partially occupied"),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSURD)
def test_broken_and_absurd_files_become_sentences(tmp_path, name):
    text, expected = ABSURD[name]
    said = reason(put(tmp_path, name, text))
    assert re.search(expected, said), said
    assert said.endswith(".")


def test_what_is_no_text_is_said(tmp_path):
    path = tmp_path / "latin.cif"
    path.write_bytes(cif(SALT).replace("data_", "# Müller\ndata_").encode("latin-1"))
    assert "not text in UTF-8" in reason(path)
    path = tmp_path / "zeros.xyz"
    path.write_bytes(os.urandom(2000))
    assert reason(path)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "bom.cif"
    path.write_bytes(b"\xef\xbb\xbf" + cif(SALT).encode())
    assert only([path]).candidate is not None


def test_gigantic_files_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(file_formats, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(file_formats, "MAX_LINE_CHARACTERS", 1000)
    assert "at most" in reason(put(tmp_path, "a.cif", "x" * 2000))
    assert "A line is longer" in reason(put(tmp_path, "a.jsonl", "x" * 2000))


def test_paths_that_are_no_files(tmp_path):
    assert "no such file" in reason(tmp_path / "nowhere.cif")
    assert "tells no format" in reason(put(tmp_path, "a.txt", "x"))
    (tmp_path / "empty").mkdir()
    assert "no structure files" in reason(tmp_path / "empty")
    os.mkfifo(tmp_path / "pipe.cif")
    assert "not a regular file" in reason(tmp_path / "pipe.cif")


def test_links_that_lead_in_circles(tmp_path):
    folder = tmp_path / "folder"
    put(folder, "a.cif", cif(SALT))
    (folder / "again").symlink_to(folder)
    (folder / "self.cif").symlink_to(folder / "self.cif")
    entries = list(read_paths([folder]))
    assert [entry.candidate is not None for entry in entries] == [True, False, False]
    assert all("not followed" in entry.failure.reason for entry in entries[1:])
    assert "no such file" in reason(folder / "self.cif")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path):
    path = put(tmp_path, "a.cif", cif(SALT))
    path.chmod(0)
    assert "cannot be read" in reason(path)


def test_no_path_at_all_is_refused():
    with pytest.raises(InputError, match="at least one file"):
        read_paths([])


def test_own_records_come_back_whole(tmp_path):
    lines = [record(materials.barium_titanate_tetragonal()), record(SALT, "NaCl-225-0123456789")]
    path = put(tmp_path, "run.jsonl", json.dumps(lines[0]) + "\n\nnonsense\n" + json.dumps(lines[1]) + "\n")
    entries = list(read_paths([path]))
    assert [entry.input for entry in entries] == [f"{path}#1", f"{path}#3", f"{path}#4"]
    assert entries[0].candidate == Candidate.from_record(lines[0])
    assert entries[1].failure is not None
    assert entries[2].candidate.provenance[0].name == "substitution"


def test_a_crystal_of_a_record_lends_its_id_to_the_same_crystal_in_a_cif(tmp_path):
    put(tmp_path, "a.jsonl", json.dumps(record(SALT, "NaCl-225-0123456789")) + "\n")
    put(tmp_path, "b.cif", cif(SALT))
    assert [entry.candidate.candidate_id for entry in read_paths([tmp_path])] == ["NaCl-225-0123456789"] * 2


@pytest.mark.parametrize("where", ["site", "structure", "deep"])
def test_a_record_that_names_a_python_class_is_refused(tmp_path, where):
    bad = record(SALT)
    bomb = {"@module": "subprocess", "@class": "Popen", "args": "touch /tmp/bomb"}
    if where == "structure":
        bad["structure"]["properties"] = {"x": bomb}
    else:
        bad["structure"]["sites"][0]["properties"] = {"x": bomb if where == "site" else [[{"y": bomb}]]}
    assert "Python class" in reason(put(tmp_path, "a.jsonl", json.dumps(bad) + "\n"))


def test_the_source(tmp_path):
    put(tmp_path, "a.cif", cif(SALT))
    put(tmp_path, "b.cif", cif(materials.zinc_oxide()))
    put(tmp_path, "c.cif", "nonsense")
    source = CifFolder(tmp_path)
    assert isinstance(source, Source)
    assert load("cif", SOURCES, "hysteron.sources") is CifFolder
    assert [c.formula for c in source.search(parse('elements HAS "O"'))] == ["ZnO"]
    assert [entry.input for entry in source.failures] == [str(tmp_path / "c.cif")]
    assert len(list(source.search())) == 2
    assert len(source.failures) == 1, "each search counts anew"


def test_the_version_of_a_source_follows_the_content(tmp_path):
    put(tmp_path, "a.cif", cif(SALT))
    before = CifFolder(tmp_path).version
    assert CifFolder(tmp_path).version == before
    put(tmp_path, "a.cif", cif(materials.zinc_oxide()))
    assert CifFolder(tmp_path).version != before


def test_a_source_needs_a_place(tmp_path):
    with pytest.raises(InputError, match="needs a path"):
        CifFolder("")
    with pytest.raises(NotFoundError, match="There is no file or folder"):
        CifFolder(tmp_path / "nowhere")


def test_coordinates_are_wrapped_and_site_properties_left_behind(tmp_path):
    shifted = SALT.copy()
    shifted.translate_sites([0], [3, 0, 0], to_unit_cell=False)
    shifted.add_site_property("magmom", [1.0, 2.0])
    plain, _ = usable(shifted)
    assert (plain.frac_coords < 1).all()
    assert np.allclose(plain.distance_matrix, SALT.distance_matrix)
    assert plain.site_properties == {}


def test_the_module_loads_nothing_heavy():
    code = "import sys, hysteron.retrieval.files, hysteron.retrieval.catalog.source; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pymatgen", "spglib", "ase", "torch"} & set(done.stdout.split())
