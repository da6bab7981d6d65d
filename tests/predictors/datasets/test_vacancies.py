"""One vacancy energy a compound, keyed by A and B in order; crystals only where they are certain."""

import os
from pathlib import Path

import numpy as np
import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.vacancies import emery_wolverton, jarvis_vacancies, near_hull

DATA = os.environ.get("HYSTERON_DATA_DIR")
HEADER = (
    "Chemical formula,A,B,Valence A,Valence B,Radius A [ang],Radius B [ang],Crystal Type,a [ang],b [ang],c [ang],"
    "alpha [deg],beta [deg],gamma [deg],Band gap [eV],Formation energy [eV/atom],Stability [eV/atom],"
    "Magnetic moment [mu_B],Volume per atom [A^3/atom],Vacancy energy [eV/O atom],reduced_formula,split\n"
)


def row(
    a="Sr", b="Ti", kind="cubic", cell="3.9,3.9,3.9,90,90,90", volume=59.319 / 5, vacancy="5.5", hull="0.05"
):
    return f"x,{a},{b},2,4,1.44,0.6,{kind},{cell},1.8,-3.5,{hull},,{volume},{vacancy},SrTiO3,train\n"


def folder(tmp_path, *rows):
    import gzip

    (tmp_path / "oxygen_vacancy").mkdir(exist_ok=True)
    text = HEADER + "".join(rows)
    (tmp_path / "oxygen_vacancy/emery_wolverton_abo3.csv.gz").write_bytes(gzip.compress(text.encode()))
    return tmp_path


def neighbours(cell, symbol, cutoff):
    """How many oxygens each atom of an element has within a cutoff."""
    from pymatgen.core import Lattice, Structure

    structure = Structure(Lattice(cell.lattice), cell.numbers, cell.positions, coords_are_cartesian=True)
    return {
        sum(near.specie.symbol == "O" for near in structure.get_neighbors(site, cutoff))
        for site in structure
        if site.specie.symbol == symbol
    }


def test_both_orders_have_keys_of_their_own_and_one_group(tmp_path):
    rows = list(emery_wolverton(folder(tmp_path, row(), row("Ti", "Sr", vacancy=""), row(vacancy="4.9"))))
    assert [each.key for each in rows] == ["emery:Sr-Ti", "emery:Ti-Sr", "emery:Sr-Ti:2"]
    assert {each.group for each in rows} == {"SrTiO3"}
    assert [each.label("vacancy_formation_energy", "oqmd") for each in rows] == [5.5, None, 4.9]
    assert rows[1].columns["atomic_number_a"] == 22
    assert rows[1].columns["atomic_number_b"] == 38


CELLS = {
    "cubic": ("3.9,3.9,3.9,90,90,90", 5),
    "tetragonal": ("3.9,3.9,4.1,90,90,90", 5),
    "rhombohedral": ("5.515,5.515,5.515,60,60,60", 10),
    "orthorhombic": ("5.515,5.515,7.8,90,90,90", 20),
}


@pytest.mark.parametrize("kind", CELLS)
def test_an_undistorted_crystal_has_octahedra_and_cuboctahedra(tmp_path, kind):
    cell, count = CELLS[kind]
    lengths = [float(x) for x in cell.split(",")]
    cosine = np.cos(np.radians(lengths[3]))
    volume = np.prod(lengths[:3]) * np.sqrt(1 - 3 * cosine**2 + 2 * cosine**3) / count
    data = folder(tmp_path, row(kind=kind, cell=cell, volume=volume))
    (plain,) = emery_wolverton(data)
    (built,) = emery_wolverton(data, aristotypes=True)
    assert (plain.cell is not None) == (kind == "cubic") == bool(plain.columns["sites_certain"])
    assert len(built.cell.numbers) == count
    assert neighbours(built.cell, "Ti", 2.2) == {6}
    assert neighbours(built.cell, "Sr", 3.0) == {12}


def test_a_cell_that_contradicts_its_volume_or_is_absent_gives_no_crystal(tmp_path):
    rows = emery_wolverton(
        folder(tmp_path, row(volume=12.5), row(cell=",,,,,", volume=""), row(kind="-")), aristotypes=True
    )
    assert [each.cell for each in rows] == [None, None, None]


def test_near_the_hull_needs_a_known_distance(tmp_path):
    rows = folder(tmp_path, row(hull="0.1"), row(hull="0.101"), row(hull=""), row(hull="-0.2"))
    assert [each.label("energy_above_hull") for each in near_hull(emery_wolverton(rows))] == [0.1, -0.2]


def test_an_unknown_element_is_refused(tmp_path):
    with pytest.raises(InputError, match="row 1: 'Xq' is no element"):
        list(emery_wolverton(folder(tmp_path, row(a="Xq", kind="-"))))


@pytest.mark.skipif(not DATA, reason="needs the vacancy tables: set HYSTERON_DATA_DIR")
def test_the_published_values():
    rows = {each.key: each for each in emery_wolverton(Path(DATA), aristotypes=True)}
    # Emery and Wolverton 2017, eV per O
    assert rows["emery:Sr-Ti"].label("vacancy_formation_energy") == pytest.approx(5.504)
    assert rows["emery:Ba-Ti"].label("vacancy_formation_energy") == pytest.approx(5.357)
    near = list(near_hull(rows.values()))
    assert (len(rows), len(near)) == (1_927, 368)
    assert sum(each.label("vacancy_formation_energy") is not None for each in near) == 352
    assert sum(each.cell is not None for each in rows.values()) == 1_925
    vacancies = list(jarvis_vacancies(Path(DATA)))
    assert len(vacancies) == 528
    assert len({each.group for each in vacancies}) == 279
