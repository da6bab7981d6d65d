"""The benchmark's figures on data made for the test, and that the real data are read."""

import gzip
import json

import materials
import pytest
from hysteron.benchmarks import BENCHMARKS
from hysteron.benchmarks.ferroelectric_parents import read_pairs, run
from hysteron.core.errors import MissingDataError
from hysteron.core.registry import load
from hysteron.screening.ferroelectric.parents import find_parents, tolerance_ladder
from screening_toys import ToyPotential

HEADER = "wfid,reduced_formula,preferred,nonpolar_spacegroup,polarization_change_norm_uC_cm2,"
HEADER += "energy_diff_polar_minus_nonpolar_meV_atom\n"
ROWS = {
    "barium_titanate_tetragonal": "{},BaTiO3,True,221,46.0,-5.0\n",
    "lead_titanate": "{},TiPbO3,True,221,90.0,-30.0\n",
    "hafnia_polar": "{},HfO2,True,225,53.4,-40.0\n",
    "lithium_niobate": "{},LiNbO3,False,167,84.5,-31.0\n",
}


def record(structure) -> dict:
    return {
        "lattice": structure.lattice.matrix.tolist(),
        "species": [site.specie.symbol for site in structure],
        "frac_coords": structure.frac_coords.tolist(),
    }


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "ferroelectrics"
    folder.mkdir()
    with gzip.open(folder / "smidt2020_ferroelectric_candidates.csv.gz", "wt") as table:
        table.write(HEADER + "".join(row.format(name) for name, row in ROWS.items()))
    with gzip.open(folder / "smidt2020_structures.jsonl.gz", "wt") as lines:
        for name in ROWS:
            polar = getattr(materials, name)()
            nonpolar = find_parents(polar, tolerance_ladder(), limit=1)[0].structure
            lines.write(
                json.dumps({"wfid": name, "polar": record(polar), "nonpolar": record(nonpolar)}) + "\n"
            )
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    return tmp_path


def test_only_preferred_pairs_are_read(data):
    pairs = read_pairs(data)
    assert [pair.formula for pair in pairs] == ["BaTiO3", "TiPbO3", "HfO2"]
    assert pairs[0].polarization == 46.0


def test_the_figures_of_three_known_ferroelectrics(data):
    result = run(seed=3, potential=ToyPotential())
    json.dumps(result, allow_nan=False)
    assert (result["n"], result["seed"]) == (3, 3)
    assert result["parents"]["share_right_first"] == 1.0
    assert result["parents"]["baseline_share_right"] == 0.0
    own, given = result["polarization"]["own_parent"], result["polarization"]["dft_parent"]
    assert own["n"] == given["n"] == 3
    assert own["mae"] == pytest.approx(given["mae"], abs=1e-3)
    assert run(seed=3, potential=ToyPotential())["parents"] == result["parents"]


def test_it_is_in_the_table_and_says_what_it_lacks(tmp_path, monkeypatch):
    assert load("ferroelectric-parents", BENCHMARKS, "hysteron.benchmarks") is run
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        run(potential=ToyPotential())
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    with pytest.raises(MissingDataError, match="data fetch"):
        run(potential=ToyPotential())
