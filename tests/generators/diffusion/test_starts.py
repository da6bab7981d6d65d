"""What is given before noise becomes a crystal: sizes, formulas, elements, skeletons, and what is refused."""

from itertools import islice

import diffusion_toys as toys
import numpy as np
import pytest
from hysteron.core.errors import InputError, OutsideDomainError
from hysteron.core.symmetry import is_polar
from hysteron.generators.diffusion.generator_config import DiffusionGeneratorConfig
from hysteron.generators.diffusion.settings import DataTable
from hysteron.generators.diffusion.starts import Starts, element_mask, request_of, sizes_of, usual_sizes
from hysteron.generators.diffusion.table import MASK
from hysteron.generators.diffusion.weights import Trained
from hysteron.generators.tokens.generator import trained_model as trained_tokens
from hysteron.generators.tokens.request import Request
from pymatgen.core import Element

SIZES = ((2, 2, 60), (5, 5, 30), (5, 10, 10), (3, 6, 20))


def starts(anions: bool = True, **wishes) -> Starts:
    config = DiffusionGeneratorConfig(**wishes)
    trained = Trained(toys.small_network(), DataTable(anions=anions), SIZES)
    return Starts(config, trained, trained_tokens() if config.is_symmetric else None)


def first(some: Starts, size: int = 200, seed: int = 0):
    return next(some.batches(size, np.random.default_rng(seed)))


def test_sizes_are_as_usual_as_in_the_training_crystals():
    batch = first(starts(), 4000).batch
    counts = np.bincount(batch.natoms.numpy(), minlength=21) / 4000
    assert counts[2] == pytest.approx(60 / 120, abs=0.03)
    assert counts[6] == pytest.approx(20 / 120, abs=0.03)
    assert counts[[1, 3, 4, 7, 20]].sum() == 0
    assert (batch.types == MASK).all()
    assert sizes_of([toys.crystal("barium_titanate_tetragonal"), toys.crystal("hafnia_polar")]) == (
        (3, 12, 1),
        (5, 5, 1),
    )


def test_a_formula_comes_in_whole_units_as_often_as_its_like():
    batch = first(starts(formula="BaTiO3"), 1000).batch
    natoms = batch.natoms.numpy()
    assert set(natoms) == {5, 10}
    assert np.mean(natoms == 5) == pytest.approx(0.75, abs=0.05)
    row = batch.types[natoms.argmax()]
    counts = {int(z): int((row == z).sum()) for z in row.unique() if z != MASK}
    assert counts == {56: 2, 22: 2, 8: 6}


def test_a_formula_of_a_size_never_seen_is_made_all_the_same():
    batch = first(starts(formula="Na3AlF6"), 50).batch
    assert set(batch.natoms.tolist()) <= {10, 20}


def test_the_range_of_atoms_is_kept():
    assert set(first(starts(natoms=(5, 10))).batch.natoms.tolist()) == {5, 6, 10}
    with pytest.raises(InputError, match="No cell of 6 to 9 atoms"):
        first(starts(formula="BaTiO3", natoms=(6, 9)))


def test_elements_that_are_not_let_in_are_masked():
    may = element_mask(Request(chemsys="Ba-O-Ti"))
    assert [Element.from_Z(z).symbol for z in np.flatnonzero(may.numpy())] == ["O", "Ti", "Ba"]
    may = element_mask(request_of(DiffusionGeneratorConfig()))
    assert not may[MASK]
    assert not may[Element("Xe").Z]
    assert may[Element("O").Z]


@pytest.mark.parametrize(
    "wishes", [{"formula": "NiAl"}, {"chemsys": "Fe-Ni"}, {"elements": ("Fe", "Ni", "Al")}]
)
def test_what_the_model_never_learnt_is_refused(wishes):
    with pytest.raises(OutsideDomainError, match=r"none of the anions .* Ask 'tokens'"):
        starts(**wishes)
    starts(anions=False, **wishes)


def test_skeletons_come_from_the_token_model_and_obey():
    some = first(starts(spacegroup_number=99, elements=("Ba", "Ti", "O", "Zr")), 12)
    assert some.skeletons is not None
    assert {crystal.spacegroup_number for crystal in some.skeletons} == {99}
    assert {e for crystal in some.skeletons for e in crystal.amounts} <= {"Ba", "Ti", "O", "Zr"}
    assert some.batch.symmetric.all()
    assert some.batch.natoms.tolist() == [crystal.natoms for crystal in some.skeletons]
    some = first(starts(polar_only=True), 12)
    assert all(is_polar(crystal.spacegroup_number) for crystal in some.skeletons)
    some = first(starts(from_tokens=True, formula="SrTiO3"), 12)
    assert {crystal.formula for crystal in some.skeletons} == {"SrTiO3"}


def test_equal_seeds_give_equal_starts():
    some = starts(from_tokens=True)
    one, same = (first(some, 8, seed).skeletons for seed in (3, 3))
    assert one == same
    plain = [s.batch.natoms.tolist() for s in islice(starts().batches(8, np.random.default_rng(1)), 2)]
    assert plain[0] != plain[1]


def test_of_all_or_of_one_kind_of_formula():
    assert usual_sizes(SIZES, None) == {2: 60, 5: 30, 10: 10, 6: 20}
    assert usual_sizes(SIZES, 5) == {5: 30, 10: 10}
