"""From noise to crystals: an oracle's crystal is found, what is given stays, the group is kept, wishes add up."""

import diffusion_toys as toys
import numpy as np
import pytest
import torch
from hysteron.generators.diffusion.adapters import SPACEGROUP, Adapter, AdapterConfig, group_features
from hysteron.generators.diffusion.crystals import structures_of, symmetric_crystals
from hysteron.generators.diffusion.network import HEAVIEST, Expected
from hysteron.generators.diffusion.process import (
    coordinate_width,
    lattice_asked,
    lattice_width,
    wrapped_score,
)
from hysteron.generators.diffusion.sampler import Style, Wish, plain_start, sample
from hysteron.generators.diffusion.table import MASK, Batch
from hysteron.generators.soundness import spacegroup_number

STEPS = 60
FOUND_PERIODS = 0.01
FOUND_UNITS = 0.02
NAMES = ("barium_titanate_tetragonal", "hafnia_polar", "lithium_niobate", "titania_rutile")


class Oracle:
    """Knows which crystals are wanted: the score, the lattice and the types of a single answer."""

    def __init__(self, answer: Batch) -> None:
        self.answer, self.calls = answer, 0

    def __call__(self, noisy, time, shown, adapters=()) -> Expected:
        self.calls += 1
        answer = self.answer
        width = coordinate_width(time)[:, None, None]
        score = width * wrapped_score(noisy.free - answer.free, width) * noisy.movable
        motions = (noisy.freedom @ score[..., None])[..., 0]
        types = torch.full((*answer.types.shape, HEAVIEST), -30.0)
        types.scatter_(-1, answer.types[..., None], 30.0)
        return Expected(motions, lattice_asked(answer, _Noisy(noisy, time)), types)


class _Noisy:
    def __init__(self, crystals: Batch, time: torch.Tensor) -> None:
        self.crystals, self.time = crystals, time


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("added_noise", [0.0, 0.5])
def test_what_an_oracle_knows_is_found(symmetric, added_noise):
    answer = toys.batch_of(symmetric, NAMES)
    start = answer.but(types=torch.where(answer.present, MASK, answer.types))
    oracle = Oracle(answer)
    found = sample(oracle, start, draws(), Style(STEPS, 0, added_noise))
    away = (found.free - answer.free) * answer.movable
    assert (away - away.round()).abs().max() < FOUND_PERIODS
    assert (found.lattice - answer.lattice).abs().max() < FOUND_UNITS
    assert torch.equal(found.types, answer.types)


@pytest.mark.parametrize("evaluations", [4, 21, 50])
def test_the_network_is_asked_as_often_as_it_is_said(evaluations):
    answer = toys.batch_of(True, NAMES)
    oracle = Oracle(answer)
    sample(oracle, answer, draws(), Style(evaluations, 0))
    assert evaluations - 1 <= oracle.calls <= evaluations


def test_with_symmetry_the_group_is_kept_whatever_the_network_says():
    names = (*NAMES, "germanium_telluride", "hafnia_monoclinic")
    skeletons = [toys.crystal(name) for name in names]
    batch = toys.batch_of(True, names)
    network = toys.awake(toys.small_network(), size=0.3)
    found = sample(network, batch, draws(1), Style(20, 0))
    assert (found.free - batch.free).abs().max() > 0.05
    made = symmetric_crystals(found, skeletons)
    for skeleton, crystal, structure in zip(skeletons, made, structures_of(found), strict=True):
        number = skeleton.spacegroup_number
        n = len(structure)
        away, strain = toys.misses(
            number,
            np.array(structure.atomic_numbers),
            structure.frac_coords[:n],
            structure.lattice.matrix,
        )
        assert away < 1e-4
        assert strain < 1e-4
        assert crystal is None or crystal.wyckoff == skeleton.wyckoff


def test_a_formula_that_is_given_stays():
    batch = toys.batch_of(False, NAMES)
    found = sample(toys.awake(toys.small_network()), batch, draws(), Style(10, 0))
    assert torch.equal(found.types, batch.types)
    assert torch.equal(found.present, batch.present)


def test_hidden_types_all_become_elements_of_those_allowed():
    may = torch.zeros(HEAVIEST, dtype=torch.bool)
    may[[8, 22, 56]] = True
    start = plain_start([3, 5, 8])
    found = sample(toys.awake(toys.small_network()), start, draws(), Style(12, 0), elements=may.expand(3, -1))
    assert set(found.types[found.present].tolist()) <= {8, 22, 56}
    assert (found.types[~found.present] == MASK).all()


def test_equal_seeds_give_equal_crystals_and_others_others():
    network, start = toys.awake(toys.small_network()), plain_start([4, 6])
    one, same, other = (sample(network, start, draws(seed), Style(10, 0)) for seed in (1, 1, 2))
    assert torch.equal(one.free, same.free)
    assert torch.equal(one.lattice, same.lattice)
    assert not torch.equal(one.lattice, other.lattice)


def test_a_fresh_adapter_and_a_guidance_of_zero_change_nothing():
    network, start = toys.awake(toys.small_network()), plain_start([4, 6])
    told = group_features([(224, 6, 4, 31)])[0]
    fresh = Wish(Adapter(AdapterConfig(SPACEGROUP, 16, 2, 4)).eval(), told)
    trained = Wish(toys.awake(Adapter(AdapterConfig(SPACEGROUP, 16, 2, 4))), told)
    plain = sample(network, start, draws(), Style(10, 2))
    for style, wish in ((Style(10, 2), fresh), (Style(10, 0), trained)):
        assert torch.equal(sample(network, start, draws(), style, [wish]).lattice, plain.lattice)
    heard = sample(network, start, draws(), Style(10, 1), [trained])
    assert (heard.lattice - plain.lattice).abs().max() > 1e-3


def test_a_fact_holds_at_any_guidance_and_is_told_of_each_crystal():
    network, start = toys.awake(toys.small_network()), plain_start([4, 6])
    adapter = toys.awake(Adapter(AdapterConfig(SPACEGROUP, 16, 2, 4)))
    told = group_features([(224, 6, 4, 31), (98, 3, 0, 12)])
    fact = [Wish(adapter, told)]
    plain, known, loud = (
        sample(network, start, draws(), Style(10, guidance), facts=facts).lattice
        for guidance, facts in ((1, []), (0, fact), (4, fact))
    )
    assert torch.equal(known, loud)
    assert (known - plain).abs().amax(1).min() > 1e-3
    same = sample(network, start, draws(), Style(10), facts=[Wish(adapter, told[:1].expand(2, -1))]).lattice
    assert torch.equal(same[0], known[0])
    assert not torch.equal(same[1], known[1])


def test_a_chooser_decides_which_crystals_go_on():
    answer = toys.batch_of(True, NAMES)
    asked = []

    def choose(clean: Batch, time: float) -> torch.Tensor:
        asked.append(time)
        first = len(asked) == 1
        assert torch.equal(clean.types, answer.types if first else answer.types[[0, 0, 2, 2]])
        return torch.tensor([0, 0, 2, 2] if first else [0, 1, 2, 3])

    class Follows(Oracle):
        """Answers for the rows that are left."""

        def __call__(self, noisy, time, shown, adapters=()):
            rows = [
                next(
                    i
                    for i in range(4)
                    if torch.equal(noisy.orbits[j], answer.orbits[i])
                    and torch.equal(noisy.types[j], answer.types[i])
                )
                for j in range(4)
            ]
            return Oracle(answer[torch.tensor(rows)])(noisy, time, shown)

    found = sample(Follows(answer), answer, draws(), Style(40, 0), choose=choose)
    assert asked == pytest.approx([0.15, 0.1, 0.05, 0.0])
    assert torch.equal(found.types, answer.types[torch.tensor([0, 0, 2, 2])])


def test_what_is_made_with_symmetry_is_found_in_its_group_by_spglib():
    """The oracle's hafnia, to be sure that structures are in the frame that spglib sees."""
    answer = toys.batch_of(True, NAMES)
    found = sample(Oracle(answer), answer, draws(), Style(STEPS, 0))
    numbers = [spacegroup_number(s) for s in structures_of(found)]
    assert numbers == [toys.crystal(name).spacegroup_number for name in NAMES]
    assert (lattice_width(torch.zeros(1)) > 0).all()
