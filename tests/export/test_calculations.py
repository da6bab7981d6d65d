"""What the manifest lists is what stands in the files, in every format, and nothing licensed is among them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import orjson
import pytest
from hysteron.core.vacancy_sites import distinct_sites
from hysteron.export.calculation import (
    BERRY_PHASE,
    PRISTINE,
    RELAXATION,
    STATIC,
    VACANCY,
    Calculation,
    calculation_from,
)
from hysteron.export.gpaw_settings import given_settings
from pymatgen.core import Structure
from pymatgen.io.vasp.inputs import Poscar

TEN_DECIMALS = 1e-9
"""ASE writes fractional coordinates for pw.x with ten decimals; the other files hold all digits."""
CALCULATING = ("vasp", "espresso", "gpaw", "atomate2")


def from_vasp(folder: Path, calculation: Calculation) -> Structure:
    return Poscar.from_file(folder / "POSCAR").structure


def from_espresso(folder: Path, calculation: Calculation) -> Structure:
    name = "scf.in" if calculation.kind == BERRY_PHASE else "pw.in"
    atoms: Any = ase.io.read(folder / name, format="espresso-in")
    symbols, positions = atoms.get_chemical_symbols(), atoms.get_scaled_positions(wrap=False)
    return Structure(atoms.cell.array, symbols, positions)


def literals(path: Path) -> dict[str, Any]:
    """Constants of a script, which is not run."""
    body = ast.parse(path.read_text()).body
    named = [node for node in body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in named}


def from_gpaw(folder: Path, calculation: Calculation) -> Structure:
    (path,) = folder.glob("*.py")
    found = literals(path)
    assert found["KIND"] == calculation.kind
    given = given_settings(found["GPAW_SETTINGS"])
    assert (given.functional, given.hubbard) == (calculation.functional, calculation.hubbard)
    return Structure(found["LATTICE"], found["SPECIES"], found["POSITIONS"])


def from_atomate2(folder: Path, calculation: Calculation) -> Structure:
    """The crystal that the first job of a flow starts from; of the polar path that of either end."""
    flow = orjson.loads((folder / "flow.json").read_bytes())
    flow = flow["jobs"][2 if calculation.image == 0 else 0]
    start = flow["jobs"][0] if flow["@class"] == "Flow" else flow
    return Structure.from_dict(start["function_args"][0])


READERS: dict[str, Callable[[Path, Calculation], Structure]] = {
    "vasp": from_vasp,
    "espresso": from_espresso,
    "gpaw": from_gpaw,
    "atomate2": from_atomate2,
}


def listed(root: Path) -> dict[str, list[Calculation]]:
    """Calculations by candidate, as whoever reads results back finds them."""
    record = orjson.loads((root / "manifest.json").read_bytes())
    assert record["failed"] == []
    return {e["id"]: [calculation_from(one) for one in e["calculations"]] for e in record["candidates"]}


@pytest.mark.parametrize("name", CALCULATING)
def test_the_listed_crystals_are_those_of_the_files_atom_by_atom(name, exports):
    everything = [one for found in listed(exports[name]).values() for one in found]
    assert len(everything) >= 12
    for calculation in everything:
        found = READERS[name](exports[name] / calculation.folder, calculation)
        assert tuple(site.specie.symbol for site in found) == calculation.species
        assert np.allclose(found.lattice.matrix, calculation.lattice, atol=TEN_DECIMALS, rtol=0)
        assert np.allclose(found.frac_coords, calculation.positions, atol=TEN_DECIMALS, rtol=0)


@pytest.mark.parametrize("name", ["vasp", "espresso", "gpaw"])
def test_the_folders_are_the_same_in_every_code(name, exports):
    found = listed(exports[name])
    polar = found["BaTiO3-99-0123456789"]
    assert [c.folder.split("/", 1)[1] for c in polar] == [
        "relax",
        "static",
        *(f"polarization/{i:02d}" for i in range(9)),
    ]
    assert [c.kind for c in polar] == [RELAXATION, STATIC, *[BERRY_PHASE] * 9]
    assert [c.image for c in polar[2:]] == list(range(9))
    hafnia = found["HfO2-14-eeeeeeeeee"]
    assert [c.folder.split("/", 1)[1] for c in hafnia[2:]] == [
        "vacancy/pristine", "vacancy/V_O2_4e", "vacancy/V_O1_4e",
    ]  # fmt: skip
    assert [c.kind for c in hafnia] == [RELAXATION, STATIC, PRISTINE, VACANCY, VACANCY]
    for calculations in found.values():
        folders = [exports[name] / c.folder for c in calculations]
        assert len(set(folders)) == len(folders)
        assert all(any(folder.iterdir()) for folder in folders)


@pytest.mark.parametrize("name", CALCULATING)
def test_a_vacancy_is_the_pristine_supercell_without_one_atom_of_the_named_kind(name, exports, hosts):
    found = listed(exports[name])
    for host in hosts:
        (pristine,) = [c for c in found[host.candidate_id] if c.kind == PRISTINE]
        for vacant in [c for c in found[host.candidate_id] if c.kind == VACANCY]:
            assert vacant.lattice == pristine.lattice
            assert len(vacant.species) == len(pristine.species) - 1
            assert vacant.charge == 0
            assert vacant.missing is not None
            assert vacant.missing["element"] == "O"
            whole = pristine.structure
            matrix = whole.lattice.get_all_distances(whole.frac_coords, [vacant.missing["position"]])[:, 0]
            assert pristine.species[int(matrix.argmin())] == "O"
            assert matrix.min() < 0.06  # moved from its place by 0.05 A at most
            left = vacant.structure.lattice.get_all_distances(vacant.positions, [vacant.missing["position"]])
            assert left.min() > 1.5
            assert np.linalg.norm(vacant.lattice, axis=1).min() >= 10.0


def test_the_missing_atom_has_the_surroundings_of_the_site_that_the_verdict_names(exports, hosts):
    """In HfO2 one kind of oxygen has three hafnium neighbours and the other four."""
    host = hosts[2].structure
    metals = [site.frac_coords for site in host if site.specie.symbol == "Hf"]
    neighbours = {
        site.label: int((host.lattice.get_all_distances([host[site.index].frac_coords], metals) < 2.4).sum())
        for site in distinct_sites(host, "O")
    }
    assert sorted(neighbours.values()) == [3, 4]
    for vacant in listed(exports["vasp"])["HfO2-14-eeeeeeeeee"][3:]:
        around = [p for s, p in zip(vacant.species, vacant.positions, strict=True) if s == "Hf"]
        distances = vacant.structure.lattice.get_all_distances([vacant.missing["position"]], around)
        assert int((distances < 2.4 + 0.06).sum()) == neighbours[vacant.missing["label"]]


def test_functional_and_hubbard_u_are_named(exports):
    for name, expected in (("vasp", 6.2), ("gpaw", 6.2), ("atomate2", 6.2), ("espresso", None)):
        for calculation in listed(exports[name])["NiO-225-ffffffffff"]:
            assert calculation.hubbard == ({"Ni": expected} if expected else {})
            assert calculation.functional == ("PBE+U" if expected else "PBE")
        assert {c.functional for c in listed(exports[name])["SrTiO3-221-aaaaaaaaaa"]} == {"PBE"}


def test_a_format_that_only_holds_the_crystal_asks_for_nothing(exports):
    record = orjson.loads((exports["cif"] / "manifest.json").read_bytes())
    assert [(e["calculations"], e["question"]) for e in record["candidates"]] == [([], "")] * 5


def test_no_export_holds_a_potcar(exports):
    for root in exports.values():
        for path in root.rglob("*"):
            assert path.name != "POTCAR"
            if path.is_file():
                text = path.read_text(errors="replace")
                assert "TITEL" not in text
                assert "PAW_PBE" not in text


def test_the_manifest_is_of_the_second_version_and_asks_a_question(exports):
    record = orjson.loads((exports["vasp"] / "manifest.json").read_bytes())
    assert record["manifest_version"] == 2
    assert all(entry["question"].endswith(".") for entry in record["candidates"])
