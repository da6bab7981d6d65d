"""Whose run it is: what is a candidate's own, and what is not."""

from __future__ import annotations

import dataclasses

import materials
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hysteron.core.errors import InputError
from hysteron.core.polar_path import polar_path
from hysteron.export.belonging import differences, geometry_of, require_own, require_own_image, same_geometry
from hysteron.export.berry_phase_image import BerryPhaseImage
from hysteron.export.calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from hysteron.export.finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry
from pymatgen.core import Structure

POLAR, CUBIC = materials.barium_titanate_tetragonal(), materials.barium_titanate_cubic()
STILL = Calculation.of(POLAR, STATIC, "a/static", "PBE")
RELAX = Calculation.of(POLAR, RELAXATION, "a/relax", "PBE")
PARENT = Calculation.of(CUBIC, STATIC, "b/static", "PBE")


def geometry(structure: Structure) -> Geometry:
    return Geometry(structure.lattice.matrix, structure.frac_coords)


def run(last: Structure = POLAR, first: Structure | None = None, moved: str = NOTHING, **more) -> FinishedRun:
    species = tuple(site.specie.symbol for site in last)
    begun = last if first is None else first
    facts = {"functional": "PBE", "charge": 0.0, "hubbard": {}} | more
    return FinishedRun(
        code="VASP",
        version="6.3",
        moved=moved,
        species=species,
        first=geometry(begun),
        last=geometry(last),
        energy=-40.0,
        **facts,
    )


def strained(by: float) -> Structure:
    return POLAR.copy().apply_strain(by)


def test_the_asked_run_is_its_own_without_a_remark():
    assert require_own(run(), STILL, [PARENT]) == []
    assert require_own(run(strained(0.02), POLAR, CELL), RELAX, [PARENT]) == []


@given(st.lists(st.integers(-2, 2), min_size=15, max_size=15), st.floats(-1e-5, 1e-5))
@settings(max_examples=25, deadline=None)
def test_cells_away_and_rounding_are_no_difference(shifts, noise):
    moved = Structure(
        POLAR.lattice, POLAR.species, POLAR.frac_coords + np.array(shifts).reshape(5, 3) + noise
    )
    assert require_own(run(moved), STILL, []) == []


@pytest.mark.parametrize(
    ("found", "asked", "says"),
    [
        (run(materials.strontium_titanate()), STILL, "another crystal"),
        (run(POLAR * (1, 1, 2)), STILL, "another crystal"),
        (run(Structure.from_sites([POLAR[i] for i in (1, 0, 2, 3, 4)])), STILL, "another order"),
        (run(functional="PBEsol"), STILL, "was run with PBEsol"),
        (run(functional="PBE+U", hubbard={"Ti": 3.0}), STILL, r"PBE\+U"),
        (run(charge=1.0), STILL, r"charge \+1.00"),
        (run(moved=CELL), STILL, "another kind of run"),
        (run(), RELAX, "another kind of run"),
        (run(moved=POSITIONS), RELAX, "cell that was held"),
        (run(strained(0.003)), STILL, "another geometry"),
        (run(strained(0.2), POLAR, CELL), RELAX, "ended in another crystal"),
        (run(strained(0.01), POLAR, POSITIONS), dataclasses.replace(RELAX, kind=VACANCY), "in another cell"),
        (run(CUBIC), STILL, "It is the geometry of b/static"),
        (run(CUBIC, CUBIC, CELL), RELAX, "It is the geometry of b/static"),
    ],
)
def test_what_is_not_its_own_is_refused_with_the_reason(found, asked, says):
    with pytest.raises(InputError, match=says):
        require_own(found, asked, [STILL, RELAX, PARENT])


def test_u_is_compared_by_element():
    asked = dataclasses.replace(STILL, functional="PBE+U", hubbard={"Ti": 3.0})
    assert require_own(run(functional="PBE+U", hubbard={"Ti": 3.0}), asked, []) == []
    assert require_own(run(functional="PBE+U", hubbard=None), asked, []) == []  # the output does not tell
    for other in ({"Ti": 4.0}, {"Ba": 3.0}, {}):
        with pytest.raises(InputError, match="was run with U of"):
            require_own(run(functional="PBE+U", hubbard=other), asked, [])


def test_a_static_run_may_stand_where_the_relaxation_ended():
    relaxed = strained(0.02)
    told = require_own(run(relaxed), STILL, [], geometry(relaxed))
    assert "the candidate's relaxation ended in" in told[0]
    with pytest.raises(InputError, match="another geometry"):
        require_own(run(strained(0.03)), STILL, [], geometry(relaxed))


def test_a_relaxation_that_was_continued_is_taken_and_told():
    told = require_own(run(strained(0.02), strained(0.01), CELL), RELAX, [PARENT])
    assert "continued" in told[0]
    assert require_own(dataclasses.replace(run(strained(0.02), POLAR, CELL), first=None), RELAX, []) == []


def test_a_pristine_supercell_may_stand_or_relax():
    asked = dataclasses.replace(STILL, kind=PRISTINE)
    assert require_own(run(), asked, []) == []
    assert require_own(run(moved=POSITIONS), asked, []) == []


@pytest.mark.parametrize("parent", [CUBIC, Structure(POLAR.lattice, CUBIC.species, CUBIC.frac_coords)])
def test_neighbouring_images_are_told_apart(parent):
    """By cell and atoms, and by the atoms alone."""
    images = polar_path(parent, POLAR)
    asked = [Calculation.of(im, BERRY_PHASE, f"a/{i:02d}", "PBE", image=i) for i, im in enumerate(images)]
    for i, image in enumerate(images):
        same = [same_geometry(geometry(image), geometry_of(other)) for other in asked]
        assert same == [j == i for j in range(len(images))]


def image_of(structure: Structure, labels: tuple[str, ...], functional: str = "PBE") -> BerryPhaseImage:
    return BerryPhaseImage(
        structure.lattice.matrix,
        structure.frac_coords,
        labels,
        np.zeros(3),
        functional,
        "VASP",
        "6.3",
        charge=0.0,
    )


def test_images_belong_by_symbols_or_by_their_pattern():
    asked = dataclasses.replace(STILL, kind=BERRY_PHASE, image=0)
    for labels in (("Ba", "Ti", "O", "O", "O"), ("0", "1", "2", "2", "2")):
        require_own_image(image_of(POLAR, labels), asked, [])
    for labels in (("Sr", "Ti", "O", "O", "O"), ("0", "1", "1", "2", "2")):
        with pytest.raises(InputError, match=r"another (crystal|composition)"):
            require_own_image(image_of(POLAR, labels), asked, [])
    with pytest.raises(InputError, match="PBEsol"):
        require_own_image(image_of(POLAR, ("0", "1", "2", "2", "2"), "PBEsol"), asked, [])


def test_differences_are_those_that_were_made():
    moved = POLAR.copy()
    moved.translate_sites([1], [0, 0, 0.1], frac_coords=False)
    strain, move = differences(geometry(moved), geometry(POLAR))
    assert (strain, move) == (pytest.approx(0, abs=1e-12), pytest.approx(0.1))
    shifted = Structure(POLAR.lattice, POLAR.species, POLAR.frac_coords + np.array([0.4, 0.3, 0.2]))
    assert differences(geometry(shifted), geometry(POLAR))[1] > 1
    assert differences(geometry(shifted), geometry(POLAR), drift=True)[1] == pytest.approx(0, abs=1e-9)
    assert differences(geometry(strained(0.02)), geometry(POLAR))[0] == pytest.approx(0.02)
