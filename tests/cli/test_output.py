"""How a number and its uncertainty are shown in a table."""

import pytest
from hysteron.cli.output import _shown
from hysteron.core.candidate import PropertyValue


@pytest.mark.parametrize(
    ("value", "uncertainty", "shown"),
    [
        (0.0049, 0.0382, "0.005(38)"),
        (2.5659, 0.322, "2.57(32)"),
        (51.945, 2.912, "51.9(29)"),
        (-7.02, 17.1, "-7(17)"),
        (6.0, 1.2, "6.0(12)"),
        (450.0, 130.0, "450(130)"),
        (3.1159, None, "3.12"),
        (0.0, 0.0, "0.000"),
    ],
)
def test_two_digits_of_the_uncertainty_are_told(value, uncertainty, shown):
    assert _shown(PropertyValue("band_gap", value, "eV", "PBE", uncertainty)) == shown


def test_what_is_not_known_is_a_dash():
    assert _shown(None) == "-"
