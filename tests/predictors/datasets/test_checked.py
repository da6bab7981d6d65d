"""Numbers of a frame that do not fit together are refused, each in a sentence that names it."""

import numpy as np
import pytest
from hysteron.core.errors import InputError
from hysteron.predictors.datasets.checked import checked_frame

SOUND = {"numbers": [8, 12], "positions": np.eye(3)[:2], "lattice": np.eye(3) * 4}


def frame(**changes):
    return checked_frame("k", "f", **(SOUND | changes))


def test_single_precision_is_widened_without_change():
    positions = np.random.default_rng(0).random((2, 3)).astype(np.float32)
    found = frame(positions=positions, numbers=np.array([8.0, 12.0], np.float32), fixed=np.array([1.0, 0.0]))
    assert found.cell.positions.dtype == np.float64
    assert (found.cell.positions.astype(np.float32) == positions).all()
    assert found.cell.numbers.tolist() == [8, 12]
    assert found.fixed.tolist() == [True, False]


def test_six_numbers_of_stress_are_in_the_order_of_ase():
    from ase.stress import voigt_6_to_full_3x3_stress

    six = np.arange(1.0, 7.0)
    assert (frame(stress=six).stress == voigt_6_to_full_3x3_stress(six)).all()
    nine = np.arange(9.0)
    assert (frame(stress=nine).stress == frame(stress=nine.reshape(3, 3)).stress).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"numbers": []}, "0 atoms"),
        ({"numbers": [8, 0]}, "atomic number 0"),
        ({"numbers": [8, 119]}, "atomic number 119"),
        ({"numbers": [8.5, 12]}, "not whole"),
        ({"numbers": ["O", "Mg"]}, "not numbers"),
        ({"positions": np.eye(3)}, r"positions have shape \(3, 3\)"),
        ({"positions": np.full((2, 3), np.nan)}, "not finite"),
        ({"lattice": np.zeros((3, 3))}, "flat"),
        ({"lattice": np.eye(2)}, "cell have shape"),
        ({"energy": float("inf")}, "energy is inf"),
        ({"energy": True}, "not a number"),
        ({"energy": np.zeros(2)}, "not a number"),
        ({"forces": np.zeros((2, 2))}, "forces have shape"),
        ({"forces": [[1, 2, 3], [1, 2]]}, "differ in length"),
        ({"stress": np.zeros(5)}, "6 or 9"),
        ({"tags": [0]}, "tags have shape"),
        ({"fixed": [0, 2]}, "true or false"),
        ({"periodic": [True]}, "pbc"),
        ({"relaxed_positions": np.zeros((1, 3))}, "relaxed positions"),
        ({"relaxed_energy": float("nan")}, "relaxed energy"),
    ],
)
def test_what_does_not_fit_is_named(changes, said):
    with pytest.raises(InputError, match=said):
        frame(**changes)


def test_a_molecule_needs_no_cell():
    assert frame(lattice=np.zeros((3, 3)), periodic=[False] * 3).cell.volume == 0
