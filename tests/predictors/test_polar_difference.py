"""The energy difference of polar and nonpolar ends: its symmetries, its interval and its refusals."""

import json

import numpy as np
import pytest
from hysteron.core.contracts import Calculation
from hysteron.core.errors import InputError
from hysteron.predictors import polar_difference
from hysteron.predictors.chgnet.potential import CHGNetPotential
from hysteron.predictors.polar_difference import (
    FORMAT,
    EnergyDifference,
    PolarDifference,
    read_fits,
    spread,
    width,
)
from materials import (
    barium_titanate_cubic,
    barium_titanate_rhombohedral,
    barium_titanate_tetragonal,
    disordered_alloy,
    germanium_telluride,
    hafnia_polar,
    silicon,
    strontium_titanate,
)
from pymatgen.core import Lattice, Structure

SAME_MEV = 0.02  # meV/atom; single precision of a total energy, taken twice


@pytest.fixture(scope="module")
def by_chgnet():
    return PolarDifference(CHGNetPotential())


@pytest.fixture(scope="module")
def barium_titanate(by_chgnet):
    return by_chgnet.differences([(barium_titanate_rhombohedral(), barium_titanate_cubic())])[0]


def written(tmp_path, **changes):
    """A table with one fit of one potential, changed."""
    fit = {
        "members": ["springs"],
        "weights": [1.0],
        "floor": 0.5,
        "growth": 0.1,
        "disagreement": 0.0,
        "sigma": 1.0,
        "half": 2.0,
        "coverage": 0.9,
    }
    path = tmp_path / "table.json"
    path.write_text(json.dumps({"format": FORMAT, "fits": [{**fit, **changes}]}))
    return path


class Springs:
    """1 eV per A^3 of cell volume: a potential whose differences are known."""

    name = "springs (package 1.2)"
    energy_scale = "none"
    model_hash = "0"

    def calculate(self, structures):
        return [Calculation(s.volume, np.zeros((len(s), 3)), np.zeros((3, 3))) for s in structures]


def test_polar_hafnia_lies_as_far_below_fluorite_as_dft_says(by_chgnet):
    """-60.2 meV/atom by PBE (Smidt et al. 2020, Pca2_1 and Fm-3m), both ends at its own geometry."""
    fluorite = Structure.from_spacegroup(  # a as DFT's, 130.7 A^3 per 12 atoms
        "Fm-3m", Lattice.cubic(5.075), ["Hf", "O"], [[0, 0, 0], [0.25, 0.25, 0.25]]
    )
    found = by_chgnet.differences([(hafnia_polar(), fluorite)])[0]
    assert found.interval[0] < -60.2 < found.interval[1] < 0
    assert 0 < found.uncertainty < found.interval[1] - found.value
    assert found.coverage == 0.9
    assert list(found.members) == ["CHGNet 0.3.0", "CHGNet 0.2.0"]
    assert "CHGNet 0.3.0" in by_chgnet.method


def test_exchanging_the_ends_turns_the_sign(barium_titanate, by_chgnet):
    back = by_chgnet.differences([(barium_titanate_cubic(), barium_titanate_rhombohedral())])[0]
    assert back.value == pytest.approx(-barium_titanate.value, abs=SAME_MEV)
    assert back.uncertainty == pytest.approx(barium_titanate.uncertainty, abs=SAME_MEV)
    assert back.interval[0] == pytest.approx(-barium_titanate.interval[1], abs=2 * SAME_MEV)


def test_equal_ends_differ_by_nothing(by_chgnet):
    found = by_chgnet.differences([(germanium_telluride(), germanium_telluride())])[0]
    assert found.value == pytest.approx(0, abs=SAME_MEV)
    assert found.interval[0] < 0 < found.interval[1]


def test_cell_order_direction_and_company_do_not_matter(barium_titanate, by_chgnet):
    polar, nonpolar = barium_titanate_rhombohedral(), barium_titanate_cubic()
    turned = polar.copy()
    turned.lattice = Lattice(polar.lattice.matrix @ [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    shuffled = Structure.from_sites([polar[i] for i in (4, 1, 0, 3, 2)])
    shifted = polar.copy()
    shifted.translate_sites(range(len(shifted)), [0.3, 0.1, 0.7])
    pairs = [(polar * (2, 1, 1), nonpolar), (turned, nonpolar), (shuffled, nonpolar), (shifted, nonpolar * 2)]
    for found in by_chgnet.differences(pairs):
        assert isinstance(found, EnergyDifference)
        assert found.value == pytest.approx(barium_titanate.value, abs=SAME_MEV)


def test_a_pair_that_is_refused_leaves_the_others(barium_titanate, by_chgnet):
    good = (barium_titanate_rhombohedral(), barium_titanate_cubic())
    alloy = disordered_alloy()
    other, bad, found = by_chgnet.differences(
        [(barium_titanate_tetragonal(), strontium_titanate()), (alloy, alloy), good]
    )
    assert isinstance(other, InputError)
    assert "BaTiO3" in str(other)
    assert "SrTiO3" in str(other)
    assert isinstance(bad, InputError)
    assert "partially occupied" in str(bad)
    assert found.value == pytest.approx(barium_titanate.value, abs=SAME_MEV)
    assert by_chgnet.differences([]) == []


def test_value_and_interval_are_those_of_the_table(tmp_path):
    larger = silicon().copy()
    larger.scale_lattice(larger.volume + 0.004)
    found = PolarDifference(Springs(), written(tmp_path)).differences([(larger, silicon())])[0]
    half = 2.0 * np.sqrt(0.5**2 + 0.1 * 2.0)
    assert found.value == pytest.approx(2.0)  # 0.004 eV over two atoms
    assert found.interval == pytest.approx((2.0 - half, 2.0 + half))
    assert found.uncertainty == pytest.approx(half / 2)
    assert found.members == {"springs": pytest.approx(2.0)}


def test_a_width_grows_with_difference_and_disagreement():
    values, spreads = np.array([0.0, 5.0, 5.0]), np.array([0.0, 0.0, 4.0])
    widths = width(values, spreads, 0.3, 0.2, 0.5)
    assert widths[0] == pytest.approx(0.3)
    assert widths[0] < widths[1] < widths[2]
    assert spread(np.array([[1.0, -3.0]]))[0] == 4.0


def test_a_potential_nobody_calibrated_is_refused_by_name():
    with pytest.raises(InputError, match=r"springs.*CHGNet 0\.3\.0"):
        PolarDifference(Springs())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "format"),
        ('{"format": "else"}', "wanted"),
        ("no json", "no table"),
        (json.dumps({"format": FORMAT, "fits": [{"members": ["a"], "weights": []}]}), "no table"),
    ],
)
def test_a_file_that_is_no_table_is_told(tmp_path, text, message):
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_fits(path)


def test_members_without_weights_are_told(tmp_path):
    with pytest.raises(InputError, match="1 members have 2 weights"):
        read_fits(written(tmp_path, weights=[1.0, 2.0]))
    with pytest.raises(InputError, match="else"):
        PolarDifference(Springs(), written(tmp_path, members=["springs", "else"], weights=[1.0, 2.0]))


def test_the_shipped_fits_are_sound():
    fits = read_fits()
    assert {fit.members[0] for fit in fits} >= {"CHGNet 0.3.0"}
    for fit in fits:
        assert min(fit.weights) >= 0
        assert 0.8 < sum(fit.weights) < 1.3  # a potential is not wrong by a third
        assert 0 < fit.sigma < fit.half
        assert fit.coverage == 0.9
    assert polar_difference.BEST == "sevennet-l3i5"
