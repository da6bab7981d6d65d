"""The ABX3 tables: crystals where the join is certain, and inputs kept apart by where they come from."""

import gzip
import os
from pathlib import Path

import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.abx3 import (
    CRYSTAL_SYSTEMS,
    ENERGIES,
    GEOMETRY,
    abx3_materials_project,
    abx3_oqmd,
    lcmgm,
)
from toy_crystals import crystals_in

DATA = os.environ.get("HYSTERON_DATA_DIR")
COLUMNS = (
    "mp_id,formula,sites,a_edge (angstrom),b_edge (angstrom),c_edge (angstrom),alpha_ang (deg),beta_ang (deg),"
    "gamma_ang (deg),crystal_system,total_magnetisation (bohr),energy_per_atom (eV/atom),formation_energy (eV/atom),"
    "energy_above_hull (eV/atom),density (g/cc),band_gap (eV),volume (cubic-angstrom),reduced_formula,split\n"
)


def table(tmp_path, *rows):
    (tmp_path / "perovskites").mkdir()
    text = COLUMNS + "".join(rows)
    (tmp_path / "perovskites/abx3_materials_project.csv.gz").write_bytes(gzip.compress(text.encode()))


def row(key, formula, sites, volume, system="cubic", energy="-3.0"):
    return f"{key},x,{sites},4,4,4,90,90,90,{system},0,-6,{energy},0,3,4.5,{volume},{formula},train\n"


def test_a_crystal_is_joined_only_where_id_formula_sites_and_volume_agree(tmp_path):
    crystals_in(tmp_path)
    from hysteron.predictors.datasets.materials_project import materials_project

    (tmp_path / "crystals/mp_labels.csv.gz").write_bytes(
        gzip.compress(b"material_id,src_formation_energy_per_atom,src_e_above_hull,src_band_gap\n")
    )
    known = {each.key: each for each in materials_project(tmp_path)}["mp-3"]
    sites, volume = len(known.cell.numbers), known.cell.volume
    table(
        tmp_path,
        row("mp-3", "MgO", sites, volume * 1.04),
        row("mp-3", "MgO", sites, volume * 1.06),
        row("mp-3", "MgO", sites + 1, volume),
        row("mp-3", "CaO", sites, volume),
        row("mp-9", "MgO", sites, volume, energy=""),
    )
    rows = list(abx3_materials_project(tmp_path))
    assert [each.cell is not None for each in rows] == [True, False, False, False, False]
    assert rows[4].label("formation_energy_per_atom") is None
    assert rows[0].label("crystal_system") == CRYSTAL_SYSTEMS.index("cubic") == 6
    assert set(rows[0].columns) == {*GEOMETRY.values(), *ENERGIES.values()}
    assert all(each.cell is None for each in abx3_materials_project(tmp_path, crystals=False))


def test_the_table_as_downloaded_gets_formula_and_split_here(tmp_path):
    (tmp_path / "abx3").mkdir()
    header = COLUMNS.replace(",reduced_formula,split", "")
    lines = "mp-1,PbTiO3,5,4,4,4,90,90,90,tet,0,-6,-3.0,0,8,1.8,63\nmp-2,TiPbO3,5,4,4,4,90,90,90,cubic,0,-6,-3.0,0,8,1.8,63\n"
    (tmp_path / "abx3/abc3_data.csv").write_text(header + lines)
    rows = list(abx3_materials_project(tmp_path, crystals=False))
    assert [each.formula for each in rows] == ["TiPbO3", "TiPbO3"]
    assert rows[0].split == rows[1].split != ""


def test_an_unknown_crystal_system_is_refused(tmp_path):
    table(tmp_path, row("mp-1", "MgO", 2, 18, system="round"))
    with pytest.raises(InputError, match="row 1: crystal_system is 'round'"):
        list(abx3_materials_project(tmp_path, crystals=False))


def test_the_published_table_gives_its_own_inputs(tmp_path):
    path = tmp_path / "oqmd_data.csv"
    path.write_text(
        "name,entry_id,icsd_id,sg,cs,cs1,Ef,Eg,rA,stability\nSrTiO3,12,,Pm-3m,cubic,0,-3.5,1.8,1.44,0.0\n"
        "TiSrO3,13,,R-3c,trigonal,1,-1.5,0.0,0.86,\n"
    )
    rows = list(abx3_oqmd(path))
    assert rows[0].columns == {"rA": 1.44, "stability": 0.0}
    assert rows[1].columns == {"rA": 0.86}
    assert [each.label("crystal_system") for each in rows] == [6, 4]
    assert rows[0].group == rows[1].group
    assert rows[0].split == rows[1].split
    path.write_text("name,entry_id\nSrTiO3,12\n")
    with pytest.raises(InputError, match="lacks the columns icsd_id, sg"):
        list(abx3_oqmd(path))


@pytest.mark.skipif(not DATA, reason="needs the ABX3 tables: set HYSTERON_DATA_DIR")
def test_the_tables_have_their_rows_and_certain_crystals():
    rows = list(abx3_materials_project(Path(DATA)))
    assert (len(rows), sum(each.cell is not None for each in rows)) == (4_014, 2_340)
    assert sum(each.label("formation_energy_per_atom") is not None for each in rows) == 4_012
    for each in rows:
        assert each.cell is None or len(each.cell.numbers) == each.columns["nsites"]
    assert len(list(lcmgm(Path(DATA)))) == 5_884
