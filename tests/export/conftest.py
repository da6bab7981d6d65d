"""Candidates that the tests of this folder share: real crystals, with numbers made up for the test.

Built once; nobody changes a structure in place.
"""

from __future__ import annotations

import materials
import orjson
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict


def _hull(value: float) -> PropertyValue:
    return PropertyValue(
        "energy_above_hull", value, "eV/atom", "CHGNet 0.3.0", 0.034, "a hull made up for this test"
    )


@pytest.fixture(scope="session")
def ferroelectric() -> Candidate:
    """P4mm BaTiO3 with its cubic parent, proposed by exchange in SrTiO3."""
    # Through JSON, as it would come out of the store.
    parent = orjson.loads(orjson.dumps(materials.barium_titanate_cubic().as_dict()))
    verdict = Verdict(
        "ferroelectric",
        True,
        0.8,
        26.0,
        5.0,
        "Polar, with a nonpolar parent.",
        {"reference": {"structure": parent, "spacegroup_number": 221}},
    )
    return Candidate(
        "BaTiO3-99-0123456789",
        materials.barium_titanate_tetragonal(),
        properties=(
            _hull(0.004),
            PropertyValue("polarization", 26.0, "uC/cm^2", "oxidation state charges", 6.5),
            PropertyValue("polarization_vector", (0.0, 0.0, 26.0), "uC/cm^2", "oxidation state charges"),
            PropertyValue("polar_nonpolar_energy_difference", -12.25, "meV/atom", "CHGNet 0.3.0"),
        ),
        provenance=(
            Step(
                "generate",
                "substitution",
                "1",
                seed=0,
                parents=("SrTiO3-221-aaaaaaaaaa",),
                details={"Sr": "Ba"},
            ),
        ),
        verdicts=(verdict,),
        spacegroup_number=99,
    )


@pytest.fixture(scope="session")
def known() -> list[Candidate]:
    """Known crystals of several systems; one metal, one that carries a moment, one hexagonal."""
    makers = {
        "SrTiO3-221-aaaaaaaaaa": materials.strontium_titanate,
        "VO2-136-bbbbbbbbbb": materials.vanadia_rutile,
        "LiCoO2-166-cccccccccc": materials.lithium_cobaltate,
        "LiNbO3-161-dddddddddd": materials.lithium_niobate,
        "HfO2-14-eeeeeeeeee": materials.hafnia_monoclinic,
        "Fe-229-ffffffffff": materials.iron_one_atom,
        "Si-227-0000000000": materials.skewed_silicon,
    }
    step = Step("retrieve", "catalog", "1")
    return [Candidate(i, make(), (_hull(0.01 * n),), (step,)) for n, (i, make) in enumerate(makers.items())]


@pytest.fixture(scope="session")
def shortlist(ferroelectric, known) -> list[Candidate]:
    """The ferroelectric, then the known ones."""
    return [ferroelectric, *known]
