"""Which nonpolar crystal a path starts from."""

from __future__ import annotations

import dataclasses

import pytest
from hysteron.core.errors import StructureError
from hysteron.export.path import nonpolar_reference


def test_the_reference_comes_from_the_verdict(ferroelectric, known):
    reference = nonpolar_reference(ferroelectric)
    assert reference is not None
    assert reference.composition.reduced_formula == "BaTiO3"
    assert nonpolar_reference(known[0]) is None


@pytest.mark.parametrize(
    "record",
    ["text", {"@module": "os", "@class": "system"}, {"lattice": {"matrix": [[1]]}, "sites": []}, [], 3],
)
def test_a_reference_that_is_no_crystal_is_refused_by_name(ferroelectric, record):
    broken = dataclasses.replace(ferroelectric.verdicts[0], details={"reference": {"structure": record}})
    with pytest.raises(StructureError, match=r"BaTiO3-99|no sites"):
        nonpolar_reference(ferroelectric.with_verdict(broken))


@pytest.mark.parametrize("details", [{}, {"reference": None}, {"reference": "BaTiO3"}, {"reference": {}}])
def test_a_verdict_without_a_reference_means_no_path(ferroelectric, details):
    bare = dataclasses.replace(ferroelectric.verdicts[0], details=details)
    assert nonpolar_reference(ferroelectric.with_verdict(bare)) is None
