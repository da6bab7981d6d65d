"""Numbers, units, formulas and symbols as the report prints them."""

from __future__ import annotations

import pytest
from hysteron.core.candidate import PropertyValue
from hysteron.export.report_words import (
    count,
    duration,
    formula,
    moment,
    number,
    spacegroup,
    units,
    value_text,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.000"),
        (-0.0001, "−1.0×10⁻⁴"),
        (-0.00099, "−0.001"),
        (12.345, "12.3"),
        (-12.345, "−12.3"),
        (3, "3"),
        (12345, "12\u2009345"),
        (2.5e7, "2.5×10⁷"),
        (1.2e-5, "1.2×10⁻⁵"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def _hull(value, uncertainty=None, **more) -> PropertyValue:
    return PropertyValue("energy_above_hull", value, "eV/atom", "m", uncertainty, **more)


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (0.0123, 0.034, "0.012 ± 0.034"),
        (133.01, 33.3, "133 ± 33"),
        (0.1, 0.0002, "0.10000 ± 0.00020"),
        (0, 0.034, "0.000 ± 0.034"),
        (-0.0001, 0.034, "0.000 ± 0.034"),
        (0.5, 0.0, "0.500 ± 0.000"),
    ],
)
def test_a_value_is_worth_two_digits_of_its_uncertainty(value, uncertainty, text):
    assert value_text(_hull(value, uncertainty)) == text


def test_an_interval_and_a_bare_value():
    assert value_text(_hull(0.05, interval=(0.01, 0.12), coverage=0.9)) == "0.050 [0.010, 0.120]"
    assert value_text(_hull(0.05)) == "0.050"


def test_formulas_and_symbols_are_escaped_and_set():
    assert formula("BaTiO3") == "BaTiO<sub>3</sub>"
    assert formula("Zr0.5Ti0.5O2") == "Zr<sub>0.5</sub>Ti<sub>0.5</sub>O<sub>2</sub>"
    assert formula("<b>2") == "&lt;b&gt;2"
    assert spacegroup(29) == '<span class="hm"><i>P</i><i>c</i><i>a</i>2<sub>1</sub></span>'
    assert spacegroup(14) == '<span class="hm"><i>P</i>2<sub>1</sub>/<i>c</i></span>'
    assert spacegroup(156) == '<span class="hm"><i>P</i>3<i>m</i>1</span>'
    assert '<span class="bar">3</span>' in spacegroup(221)
    assert "not computed" in spacegroup(None)


def test_units_times_and_counts():
    assert (units("uC/cm^2"), units("1"), units("eV/atom")) == ("µC/cm²", "", "eV/atom")
    assert (duration(None), duration(59.6), duration(288.4), duration(7300)) == (
        "",
        "1 min 0 s",
        "4 min 48 s",
        "2 h 1 min",
    )
    assert moment("2026-11-24T02:00:07+01:00") == "24 November 2026, 01:00 UTC"
    assert moment("<b>") == "<b>"
    assert (count(0, "crystal"), count(1, "crystal"), count(2, "crystal")) == (
        "no crystals",
        "1 crystal",
        "2 crystals",
    )
