"""Structure prediction in the generation benchmark: what is asked, what counts as found, and what chance finds."""

import json

import numpy as np
import pytest
import torch
from generation_toys import TOY, ToyWorld, crystal, record
from hysteron.benchmarks import generation
from hysteron.benchmarks.generation import run
from hysteron.benchmarks.generation_cells import (
    MeanCells,
    coefficients,
    in_mean_cell,
    random_in_mean_cell,
    random_in_skeleton,
)
from hysteron.benchmarks.generation_claims import claims
from hysteron.benchmarks.generation_figures import symmetry_of
from hysteron.benchmarks.generation_intervals import mean
from hysteron.benchmarks.generation_kept import Kept
from hysteron.benchmarks.generation_matching import MATCHED, STRICTLY, distances, matched
from hysteron.benchmarks.generation_prediction import WAYS, prediction_row, symmetric_start, typed_start
from hysteron.benchmarks.generation_reference import Reference
from hysteron.benchmarks.generation_targets import NO_ANION, TOO_HIGH, Target, targets
from hysteron.generators.diffusion.sampler import Style, sample
from hysteron.generators.wyckoff.crystal import Orbit, WyckoffCrystal
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.lattice import free_parameters
from hysteron.generators.wyckoff.positions import space_group
from pymatgen.core import Lattice, Structure
from pymatgen.core.operations import SymmOp

EXACT = 1e-6
SINGLE_PRECISION = 1e-5
NAMES = ("strontium_titanate", "hafnia_monoclinic", "lithium_niobate", "zinc_oxide", "sodium_chloride")
"""Cubic perovskite, and crystals with free coordinates of several systems."""


def said(name):
    return encode(crystal(name))


def perovskite(*off):
    """SrTiO3 whose titanium stands off, in shares of the cell."""
    sites = [[0, 0, 0], [0.5 + x for x in off or (0, 0, 0)], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    return Structure(Lattice.cubic(3.905), ["Sr", "Ti", "O", "O", "O"], sites)


class Asked(ToyWorld):
    """Salt and silicon, rutile and cubic titanates, some of the test split."""

    @property
    def reference(self):
        larger = crystal("sodium_chloride").copy()
        larger.scale_lattice(1.2 * larger.volume)
        doubled = crystal("hafnia_monoclinic") * (2, 1, 1)
        return Reference(
            [
                record(larger, "a larger salt", "test", 0.05),
                record(crystal("sodium_chloride"), "salt", "test", 0.0),
                record(crystal("silicon"), "no anion", "test"),
                record(crystal("zinc_oxide"), "too high", "test", 0.3),
                record(crystal("titania_rutile"), "height unknown", "test", None),
                record(crystal("magnesium_oxide"), "training", "train"),
                record(doubled, "too large", "test"),
                record(crystal("strontium_titanate"), "perovskite", "test"),
            ]
        )


@pytest.fixture
def world(tmp_path):
    return Asked(0, TOY, Kept(folder=tmp_path / "kept"))


def test_what_is_asked_and_what_lies_outside(world):
    found = targets(world)
    assert {one.key for one in found.chosen} == {"salt", "perovskite"}
    assert (found.formulas, found.small, found.unsaid) == (6, 5, 0)
    assert found.outside == {NO_ANION: 1, TOO_HIGH: 2}
    told = found.told()
    assert told["outside_the_domain"]["formulas"] + told["inside_the_domain"] == told["of_at_most_20_atoms"]
    assert told["five_atom_ABX3"] == 1


def test_as_many_as_the_plan_says_in_an_order_of_the_seed(world):
    plan = TOY.model_copy(update={"predicted": 1})
    first = {targets(Asked(seed, plan, world.kept)).chosen[0].key for seed in range(8)}
    assert first == {"salt", "perovskite"}
    assert len(targets(Asked(3, plan, world.kept)).chosen) == 1
    assert targets(Asked(3, plan, world.kept)) == targets(Asked(3, plan, world.kept))


def test_what_counts_as_a_perovskite():
    assert Target("", said("strontium_titanate")).is_abx3
    assert not Target("", said("titania_rutile")).is_abx3
    inverse = perovskite()
    inverse.replace_species({"O": "Ca", "Ti": "O", "Sr": "Sn"})
    assert not Target("", encode(inverse)).is_abx3


@pytest.mark.parametrize("name", NAMES)
def test_who_knows_the_truth_finds_it(name):
    truth = Target("", said(name)).structure
    same = truth.copy()
    same.translate_sites(range(len(same)), (0.3, 0.45, 0.62))
    same.apply_operation(SymmOp.from_axis_angle_and_translation((1, 2, 3), 40.0))
    same = Structure.from_sites(same.sites[::-1])
    same.scale_lattice(1.1 * same.volume)  # the matcher brings both to one volume
    for one in (truth, same):
        found = distances(one, truth)
        assert found[MATCHED] == pytest.approx(0, abs=EXACT)
        assert found[STRICTLY] == pytest.approx(0, abs=EXACT)


def test_rates_and_distances_of_a_perfect_prediction():
    some = [distances(Target("", said(name)).structure, Target("", said(name)).structure) for name in NAMES]
    found = matched(some, seed=0)
    for tolerance in (MATCHED, STRICTLY):
        assert (found[tolerance]["match_rate"]["share"], found[tolerance]["rmse"]["n"]) == (1.0, len(NAMES))
        assert found[tolerance]["rmse"]["mean"] == pytest.approx(0, abs=EXACT)


def test_a_crystal_that_is_off_is_told_by_how_much():
    """One of five atoms is off by 0.1 of the cell; about their mean that is 0.1 * sqrt(4)/5 each, over (V/N)^(1/3)."""
    found = distances(perovskite(0.1, 0, 0), perovskite())
    expected = 0.1 * 2 / 5 * 5 ** (1 / 3)
    assert found[MATCHED] == pytest.approx(expected)
    assert found[STRICTLY] == pytest.approx(expected)
    far = distances(perovskite(0.2, 0.2, 0.2), perovskite())
    assert far[MATCHED] == pytest.approx(0.2 * 3**0.5 * 2 / 5 * 5 ** (1 / 3))
    assert far[STRICTLY] is None


def test_what_is_not_sound_or_another_crystal_matches_nothing():
    salt = crystal("sodium_chloride")
    near = Structure(salt.lattice, ["Na", "Cl"], [[0, 0, 0], [0.05, 0, 0]])
    nothing = {MATCHED: None, STRICTLY: None}
    assert distances(near, salt) == nothing
    pairs = [Structure(Lattice.cubic(4), ["H", "F"], [[0, 0, 0], [x / 4, 0, 0]]) for x in (0.45, 0.55)]
    assert distances(pairs[0], pairs[1]) == nothing  # near enough to match, were its atoms apart
    assert distances(pairs[1], pairs[0])[STRICTLY] is not None
    assert distances(None, salt) == nothing
    assert distances(crystal("magnesium_oxide"), salt) == nothing
    assert distances(Structure(Lattice.cubic(3.4), ["Na", "Cl"], [[0, 0, 0], [0.5] * 3]), salt) == nothing
    found = matched([nothing, distances(salt, salt)], seed=0)
    assert found[MATCHED]["match_rate"]["share"] == 0.5
    assert matched([nothing], seed=0)[MATCHED]["rmse"]["mean"] is None


def test_a_mean_of_cells_of_one_crystal_is_its_cell():
    for name in NAMES:
        one = said(name)
        batch = in_mean_cell(one, MeanCells([one, one]))
        assert batch.lattice[0].numpy() == pytest.approx(coefficients(one), abs=SINGLE_PRECISION)


def test_the_mean_cell_lies_between():
    """Two rutiles, one with a cell of eight times the volume and of one shape: the mean has the geometric mean."""
    one = said("titania_rutile")
    other = WyckoffCrystal(one.spacegroup_number, one.orbits, tuple(2 * length for length in one.lattice))
    cells = MeanCells([one, other, said("sodium_chloride")])
    assert cells.whose(136) == 136
    volume = random_in_mean_cell(one, cells, np.random.default_rng(0)).volume
    assert volume == pytest.approx(8**0.5 * crystal("titania_rutile").volume, rel=1e-4)


@pytest.mark.parametrize(
    "number", [1, 2, 5, 8, 15, 36, 62, 71, 99, 123, 141, 148, 160, 167, 176, 194, 216, 221, 225, 230]
)
def test_the_mean_cell_obeys_the_group(number):
    """Also where it is the mean of other groups: rotations of the group leave its metric as it is."""
    group = space_group(number)
    letter = next(iter(group.positions))
    free = len(group.positions[letter].free)
    lattice = [{"a": 4.0, "b": 5.0, "c": 6.0}.get(name, 80.0) for name in free_parameters(number)]
    one = WyckoffCrystal(number, (Orbit("O", letter, (0.2,) * free),), tuple(lattice))
    for cells in (MeanCells([said(name) for name in NAMES]), MeanCells([one, said("hafnia_monoclinic")])):
        structure = random_in_mean_cell(one, cells, np.random.default_rng(0))
        vectors = group.to_primitive @ structure.lattice.matrix
        metric = vectors @ vectors.T
        turned = np.swapaxes(group.general.rotations, 1, 2) @ metric @ group.general.rotations
        assert np.abs(turned - metric).max() < 1e-4 * np.abs(metric).max()
        assert len(structure) == one.natoms


def test_where_a_group_has_no_crystals_its_system_or_all_stand_in():
    cells = MeanCells([said("strontium_titanate"), said("titania_rutile")])
    assert [cells.whose(number) for number in (221, 225, 136, 99, 62)] == [
        221,
        "cubic",
        136,
        "tetragonal",
        "every crystal",
    ]
    with pytest.raises(ValueError, match="no crystals"):
        MeanCells([]).of(1)


def test_chance_finds_what_leaves_no_choice():
    """Rock salt has no free coordinate, and the matcher no eye for its volume."""
    cells = MeanCells([said("magnesium_oxide")])
    salt = said("sodium_chloride")
    found = distances(random_in_skeleton(salt, cells, np.random.default_rng(0)), crystal("sodium_chloride"))
    assert found[STRICTLY] == pytest.approx(0, abs=SINGLE_PRECISION)
    hafnia = said("hafnia_monoclinic")
    cells = MeanCells([hafnia])
    some = [random_in_skeleton(hafnia, cells, np.random.default_rng(seed)) for seed in range(5)]
    assert len({tuple(one.frac_coords.ravel()) for one in some}) == 5
    assert {symmetry_of(one, 0.01)[0] for one in some} == {14}
    assert all(one.composition == crystal("hafnia_monoclinic").composition for one in some)
    assert all(distances(one, crystal("hafnia_monoclinic"))[STRICTLY] is None for one in some)


def test_five_atoms_at_random_often_match_but_far_off():
    """Why a match rate alone proves nothing."""
    one, rng = said("strontium_titanate"), np.random.default_rng(0)
    cells, truth = MeanCells([one]), crystal("strontium_titanate")
    found = matched([distances(random_in_mean_cell(one, cells, rng), truth) for _ in range(60)], seed=0)
    assert 0.08 < found[MATCHED]["match_rate"]["share"] < 0.4  # 0.22 of 200 with another seed
    assert found[STRICTLY]["match_rate"]["share"] < 0.05
    assert found[MATCHED]["rmse"]["mean"] > 0.2


def test_the_start_tells_no_more_than_it_may():
    """Of `plain` the atoms alone, of `skeleton` the positions alone: other coordinates and cells give the same sample."""
    cubic, tetragonal = said("barium_titanate_cubic"), said("barium_titanate_tetragonal")
    one, other = (typed_start([crystal]).batch for crystal in (cubic, tetragonal))
    assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in vars(one))
    assert one.types.tolist() == [[56, 22, 8, 8, 8]]
    shifted = WyckoffCrystal(
        tetragonal.spacegroup_number,
        tuple(Orbit(o.element, o.letter, tuple((x + 0.17) % 1 for x in o.free)) for o in tetragonal.orbits),
        tuple(1.3 * length for length in tetragonal.lattice),
    )
    from generation_toys import network

    found = [
        sample(network(), symmetric_start([crystal]).batch, torch.Generator().manual_seed(5), Style(4))
        for crystal in (tetragonal, shifted)
    ]
    assert torch.allclose(found[0].free, found[1].free, atol=SINGLE_PRECISION)
    assert torch.allclose(found[0].lattice, found[1].lattice, atol=SINGLE_PRECISION)


def test_every_way(world):
    found = prediction_row(world)
    json.dumps(found, allow_nan=False)
    assert set(found["ways"]) == set(WAYS)
    for figures in found["ways"].values():
        assert (figures["n"], figures["five_atom_ABX3"]["n"]) == (2, 1)
    chance = found["ways"]["random_in_skeleton"][STRICTLY]
    assert (chance["match_rate"]["share"], chance["rmse"]["mean"] < EXACT) == (
        1.0,
        True,
    )  # salt and a cubic perovskite
    assert found["ways"]["skeleton"][STRICTLY]["match_rate"]["share"] == 1.0
    assert (
        found["ways"]["tokens"]["not_made"] == found["ways"]["from_tokens"]["not_made"] == 1
    )  # the toy writes three atoms
    assert found["mean_cells"] == {"of_the_group": 1, "of_the_crystal_system_or_of_all": 1}
    lines = {line["figure"]: line for line in claims({"structure_prediction": found})}
    line = lines["structure prediction, plain: matched at stol 0.5"]
    assert (line["target"], line["random_in_skeleton"]) == (">= 0.55", 1.0)
    line = lines["structure prediction, plain: mean distance of the matched at stol 0.5, (V/N)^(1/3)"]
    assert line["target"] == "<= 0.08"
    assert lines["structure prediction, skeleton: matched at stol 0.5"]["target"] is None
    inside = "structure prediction: test formulas of at most 20 atoms that lie inside the model's domain"
    assert lines[inside]["measured"] == pytest.approx(2 / 5)


def test_predictions_are_kept_and_follow_from_the_seed(tmp_path, monkeypatch):
    monkeypatch.setenv("HYSTERON_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(generation, "World", Asked)
    folder = tmp_path / "kept"
    first = run(only="structure_prediction", plan=TOY, folder=folder)
    again = run(only="structure_prediction", plan=TOY, folder=folder, resume=True)
    anew = run(only="structure_prediction", plan=TOY, folder=tmp_path / "anew")
    assert first["rows"] == again["rows"] == anew["rows"]
    assert len(again["sets_of_an_earlier_run"]) == len(WAYS)
    assert anew["sets_of_an_earlier_run"] == []
    assert again["diffusion_model"]["method"] == "untrained"


def test_a_mean_and_its_interval():
    found = mean([1.0, 2.0, 3.0, 6.0], seed=0)
    low, high = found["interval_95"]
    assert (found["mean"], found["n"]) == (3.0, 4)
    assert 1 <= low < 3 < high <= 6
    assert mean([], seed=0) == {"mean": None, "interval_95": None, "n": 0}
