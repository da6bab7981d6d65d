"""Noise obeys the space group, and what is asked under it is what leads back."""

import contextlib
import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusion_toys import ALL_GROUPS, CRYSTALS, batch_of, crystal, misses, random_crystal
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.crystals import read_crystals
from hysteron.core.errors import StructureError
from hysteron.generators.diffusion.elements import ANIONS
from hysteron.generators.diffusion.entries import plain_entry, symmetric_entry
from hysteron.generators.diffusion.lattices import cells_of
from hysteron.generators.diffusion.network import HEAVIEST, Expected
from hysteron.generators.diffusion.process import (
    COORDINATE_WIDTHS,
    LATTICE_WIDTHS,
    Noisy,
    add_noise,
    by_orbit,
    coordinate_width,
    from_units,
    in_units,
    lattice_asked,
    lattice_expected,
    lattice_width,
    losses,
    project,
    without_drift,
    wrapped_score,
)
from hysteron.generators.diffusion.table import MASK, Batch, padded
from hysteron.generators.wyckoff.encode import encode
from hysteron.generators.wyckoff.positions import space_group

SINGLE_PRECISION = 1e-5
COUNTED = 3000
"""Crystals of a count; three standard errors of a share are below 0.03."""
seeds = st.integers(0, 2**31 - 1)
both = pytest.mark.parametrize("symmetric", [True, False])


def noise(batch: Batch, time: float | torch.Tensor, seed: int = 0, hide: bool = True):
    time = torch.full((len(batch),), time) if isinstance(time, float) else time
    generator = torch.Generator().manual_seed(seed)
    return add_noise(batch, time, torch.full((len(batch),), hide), generator)


def repeated(name: str, count: int, symmetric: bool = True) -> Batch:
    entry = symmetric_entry if symmetric else plain_entry
    return padded([entry(crystal(name))])[torch.zeros(count, dtype=torch.long)]


# Widths and scores


def test_widths_grow_geometrically_between_their_ends():
    time = torch.tensor([0.0, 0.5, 1.0])
    for width, (low, high) in ((coordinate_width, COORDINATE_WIDTHS), (lattice_width, LATTICE_WIDTHS)):
        assert width(time).tolist() == pytest.approx([low, math.sqrt(low * high), high], rel=1e-5)


def log_density(moved: torch.Tensor, width: float) -> torch.Tensor:
    images = torch.arange(-30, 31, dtype=torch.float64)
    return torch.logsumexp(-0.5 * ((moved[..., None] + images) / width) ** 2, dim=-1)


@pytest.mark.parametrize("width", [0.003, 0.05, 0.2, 0.5])
def test_the_score_is_the_slope_of_the_logarithm_of_the_density(width):
    moved = torch.linspace(-0.97, 0.97, 41, dtype=torch.float64)
    step = 1e-6
    wanted = (log_density(moved + step, width) - log_density(moved - step, width)) / (2 * step)
    found = wrapped_score(moved, torch.full_like(moved, width))
    torch.testing.assert_close(found * width, wanted * width, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("width", [0.01, 0.1, 0.5])
def test_the_score_has_the_period_of_the_crystal_and_turns_with_the_motion(width):
    moved = torch.linspace(-0.49, 0.49, 50, dtype=torch.float64)
    widths = torch.full_like(moved, width)
    for whole in (-2, 1, 5):
        torch.testing.assert_close(wrapped_score(moved + whole, widths), wrapped_score(moved, widths))
    torch.testing.assert_close(wrapped_score(-moved, widths), -wrapped_score(moved, widths))


def test_of_wide_noise_nothing_can_be_told():
    """Narrow: the score of a normal density. Wide: a flat one."""
    moved = torch.tensor([-0.4, -0.1, 0.0, 0.2, 0.45], dtype=torch.float64)
    narrow = torch.full_like(moved, 0.01)
    torch.testing.assert_close(wrapped_score(moved * 0.05, narrow), -moved * 0.05 / narrow**2)
    assert wrapped_score(moved, torch.full_like(moved, 0.7)).abs().max() < 1e-3
    assert wrapped_score(moved, torch.full_like(moved, 0.5)).abs().max() < 0.1


# Noise


@settings(deadline=None, max_examples=5)
@given(seeds, st.sampled_from([0.05, 0.5, 1.0]))
def test_noise_keeps_the_group_exactly(seed, time):
    batch = batch_of(True)
    crystals = noise(batch, time, seed)[0].crystals
    cells = cells_of(crystals.lattice.double(), crystals.frames.double(), crystals.natoms.double())
    for i, name in enumerate(CRYSTALS):
        natoms = int(crystals.natoms[i])
        types, sites = crystals.types[i, :natoms].numpy(), crystals.sites[i, :natoms].double().numpy()
        off, strain = misses(crystal(name).spacegroup_number, types, sites, cells[i].numpy())
        assert off < SINGLE_PRECISION, name
        assert strain < SINGLE_PRECISION, name


@both
def test_atoms_of_an_orbit_move_and_hide_together(symmetric):
    batch = batch_of(symmetric)
    crystals = noise(batch, 0.6)[0].crystals
    torch.testing.assert_close(by_orbit(crystals, crystals.free) * crystals.present[..., None], crystals.free)
    assert torch.equal(
        crystals.types.gather(1, crystals.orbits)[crystals.present], crystals.types[crystals.present]
    )
    moved = crystals.free - batch.free
    assert (moved[~batch.movable] == 0).all(), "what symmetry dictates stays"
    assert (moved[batch.movable] != 0).all()


def test_types_hide_as_often_as_the_time_says_and_orbits_one_by_one():
    batch = repeated("hafnia_polar", COUNTED)
    hidden = noise(batch, 0.3)[0].crystals.types == MASK
    orbits = hidden[:, [0, 4, 8]].float()
    assert orbits.mean(0).tolist() == pytest.approx([0.3] * 3, abs=0.03)
    together = (orbits[:, 0] * orbits[:, 1]).mean().item()
    assert together == pytest.approx(0.09, abs=0.03), "one orbit does not know of another"
    assert not (noise(batch, 0.9, hide=False)[0].crystals.types == MASK).any()
    assert (noise(batch, 1.0)[0].crystals.types == MASK).all()
    assert not (noise(batch, 0.0)[0].crystals.types == MASK).any()


def test_padding_is_not_hidden_nor_asked_for():
    batch = padded([symmetric_entry(crystal("hafnia_polar")), symmetric_entry(crystal("zinc_oxide"))])
    noisy, asked = noise(batch, 1.0)
    assert (asked[~batch.present] == 0).all()
    assert torch.equal(noisy.crystals.present, batch.present)
    assert torch.equal(noisy.crystals.free[~batch.present], batch.free[~batch.present])


def test_noise_has_its_width():
    """Of coordinates in periods, of the lattice in units of its spread."""
    batch = repeated("hafnia_polar", COUNTED, symmetric=False)
    time = 0.4
    crystals = noise(batch, time)[0].crystals
    moved = crystals.free - batch.free
    moved = moved - moved.round()
    assert moved.std().item() == pytest.approx(float(coordinate_width(torch.tensor(time))), rel=0.02)
    spread = (in_units(crystals) - in_units(batch)).std(0)
    assert spread.tolist() == pytest.approx([float(lattice_width(torch.tensor(time)))] * 6, rel=0.06)


def test_the_same_generator_gives_the_same_noise():
    batch = batch_of(True)
    one, other, another = (noise(batch, 0.5, seed)[0].crystals for seed in (1, 1, 2))
    assert torch.equal(one.free, other.free)
    assert torch.equal(one.lattice, other.lattice)
    assert not torch.equal(one.free, another.free)


# What is asked of coordinates


@both
def test_motions_lead_back_to_the_crystal(symmetric):
    """At little noise the asked score times the width is the way back, the drift along polar axes aside."""
    batch, time = batch_of(symmetric), 0.1
    noisy, asked = noise(batch, time)
    width = coordinate_width(noisy.time)[:, None, None]
    moved = noisy.crystals.free - batch.free
    back = -without_drift(batch, moved - moved.round()) / width
    torch.testing.assert_close(noisy.crystals.to_orbits(asked), back, rtol=0, atol=2e-3)


@settings(deadline=None, max_examples=5)
@given(seeds)
def test_the_drift_is_taken_out_along_polar_axes_and_nowhere_else(seed):
    """In every group: a shift that leaves it as it is disappears, and what is left has no mean along those axes."""
    entries = []
    rng = np.random.default_rng(seed)
    for number in ALL_GROUPS:
        letters = rng.permutation(list(space_group(number).positions))[:2]
        entries.append(symmetric_entry(random_crystal(number, rng, "".join(letters))))
    batch = padded(entries)
    values = torch.tensor(rng.normal(size=batch.free.shape), dtype=torch.float32)
    motions = by_orbit(batch, values) * batch.movable
    found = without_drift(batch, motions)
    means = found.sum(1) / batch.natoms[:, None]
    torch.testing.assert_close(means * batch.polar, torch.zeros_like(means), rtol=0, atol=SINGLE_PRECISION)
    fixed = (batch.polar == 0)[:, None].expand_as(found)
    assert torch.equal(found[fixed], motions[fixed])
    shift = batch.polar[:, None] * batch.movable
    torch.testing.assert_close(
        without_drift(batch, motions + 0.7 * shift), found, rtol=0, atol=SINGLE_PRECISION
    )


def test_a_shift_along_polar_axes_moves_every_atom_alike():
    """So it is a shift of the crystal: 0.1 of each polar axis of the conventional cell."""
    for number in ALL_GROUPS:
        group = space_group(number)
        batch = padded([symmetric_entry(random_crystal(number, np.random.default_rng(number)))])
        wanted = 0.1 * batch.polar[0].numpy() @ group.to_primitive
        moved = batch.but(free=batch.free + 0.1 * batch.polar[:, None] * batch.movable).sites - batch.sites
        away = (moved[0].numpy() - wanted + 0.5) % 1 - 0.5
        assert np.abs(away).max() < SINGLE_PRECISION, number


# What is asked of the lattice


@both
def test_units_and_back(symmetric):
    batch = batch_of(symmetric)
    torch.testing.assert_close(
        from_units(batch, in_units(batch)), batch.lattice, rtol=0, atol=SINGLE_PRECISION
    )
    if not symmetric:
        units = torch.randn(len(batch), 6, generator=torch.Generator().manual_seed(0))
        back = in_units(batch.but(lattice=from_units(batch, units)))
        torch.testing.assert_close(back, units, rtol=0, atol=SINGLE_PRECISION)


def test_changes_of_the_lattice_are_projected_onto_what_the_group_leaves_free():
    batch = batch_of(True)
    units = torch.randn(len(batch), 6, generator=torch.Generator().manual_seed(0))
    once = project(batch, units)
    torch.testing.assert_close(project(batch, once), once, rtol=0, atol=SINGLE_PRECISION)
    cubic = CRYSTALS.index("silicon")
    assert once[cubic, 0] == pytest.approx(units[cubic, 0].item(), abs=SINGLE_PRECISION)
    assert once[cubic, 1:].abs().max() < SINGLE_PRECISION


@both
@settings(deadline=None, max_examples=10)
@given(seeds)
def test_the_asked_lattice_leads_back_to_the_crystal(symmetric, seed):
    batch = batch_of(symmetric)
    time = torch.rand(len(batch), generator=torch.Generator().manual_seed(seed))
    noisy, asked = noise(batch, time, seed)
    nothing = torch.zeros(len(batch), batch.types.shape[1], HEAVIEST)
    expected = Expected(asked, lattice_asked(batch, noisy), nothing)
    back = from_units(noisy.crystals, lattice_expected(noisy, expected))
    torch.testing.assert_close(back, batch.lattice, rtol=0, atol=SINGLE_PRECISION)


@both
def test_the_cell_for_measuring_goes_from_the_one_at_hand_to_the_usual_one(symmetric):
    batch = batch_of(symmetric)
    near, far = noise(batch, 0.0)[0], noise(batch, 1.0)[0]
    torch.testing.assert_close(near.shown, near.crystals.lattice, rtol=0, atol=1e-3)
    usual = from_units(batch, torch.zeros(len(batch), 6))
    assert (far.shown - usual).abs().max() < 0.5
    assert (far.shown - usual).abs().max() < 0.1 * (far.crystals.lattice - usual).abs().max()


@pytest.fixture(scope="module")
def real_lattices() -> dict[bool, Batch]:
    """Some of what the model learns: compounds of anions near the hull, of up to twelve atoms."""
    if "HYSTERON_DATA_DIR" not in os.environ:
        pytest.skip("HYSTERON_DATA_DIR names no data folder")
    found = []
    for record in read_crystals(Path(os.environ["HYSTERON_DATA_DIR"]) / "crystals", ("val",)):
        height = record.labels.get("e_above_hull")
        if record.nsites <= 12 and height is not None and height <= 0.1 and set(record.species) & set(ANIONS):
            with contextlib.suppress(StructureError):
                found.append(encode(record.structure()))
        if len(found) == 120:
            break
    return {
        True: padded([symmetric_entry(one) for one in found]),
        False: padded([plain_entry(one) for one in found]),
    }


@both
@pytest.mark.parametrize(("time", "off"), [(0.1, 0.15), (0.3, 0.15), (0.5, 0.15), (0.7, 0.2), (1.0, 0.35)])
def test_what_is_asked_of_real_lattices_has_unit_variance(real_lattices, symmetric, time, off):
    """A free coefficient's; at much noise the spread of these 120 crystals beside that of all of them shows."""
    batch = real_lattices[symmetric]
    batch = batch[torch.arange(len(batch)).repeat(5)]
    asked = lattice_asked(batch, noise(batch, time)[0])
    free = batch.allowed.diagonal(dim1=-2, dim2=-1).sum()
    assert float(asked.square().sum() / free) == pytest.approx(1.0, abs=off)


# Losses


def perfect(batch: Batch, noisy: Noisy, asked: torch.Tensor) -> Expected:
    types = 50.0 * torch.nn.functional.one_hot(batch.types, HEAVIEST).float()
    return Expected(asked, lattice_asked(batch, noisy), types)


@both
def test_the_perfect_answer_costs_nothing(symmetric):
    batch = batch_of(symmetric)
    noisy, asked = noise(batch, 0.5)
    found = losses(batch, noisy, asked, perfect(batch, noisy, asked))
    assert found.motions == 0
    assert found.lattice == pytest.approx(0, abs=1e-9)
    assert found.types == pytest.approx(0, abs=1e-6)
    assert found.total() == pytest.approx(0, abs=1e-6)


@both
def test_each_error_costs_where_it_is_made(symmetric):
    batch = batch_of(symmetric)
    noisy, asked = noise(batch, 0.5)
    right = perfect(batch, noisy, asked)
    for name in ("motions", "lattice", "types"):
        wrong = Expected(right.motions, right.lattice, right.types)
        setattr(wrong, name, -getattr(right, name))
        found = losses(batch, noisy, asked, wrong)
        for other in ("motions", "lattice", "types"):
            assert (float(getattr(found, other)) > 0.1) == (other == name), (name, other)


def test_no_opinion_costs_about_one_of_motions_and_lattice():
    """Each is asked for in units of its own spread; of types the logarithm of how many there are."""
    batch = repeated("hafnia_polar", 400, symmetric=False)
    noisy, asked = noise(batch, 0.4)
    nothing = Expected(torch.zeros_like(asked), torch.zeros(400, 6), torch.zeros(400, 12, HEAVIEST))
    found = losses(batch, noisy, asked, nothing)
    assert float(found.motions) == pytest.approx(1.0, abs=0.15)
    assert float(found.types) == pytest.approx(math.log(HEAVIEST - 1), rel=1e-4)


def test_what_cannot_move_or_is_not_there_costs_nothing():
    batch = padded([symmetric_entry(crystal(name)) for name in ("strontium_titanate", "hafnia_polar")])
    noisy, asked = noise(batch, 0.5, hide=False)
    right = perfect(batch, noisy, asked)
    noisier = right.motions + 9.0 * ~batch.movable.any(-1, keepdim=True)
    found = losses(batch, noisy, asked, Expected(noisier, right.lattice, -right.types))
    assert found.motions == 0
    assert found.types == 0, "no type is hidden"
