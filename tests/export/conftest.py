"""Candidates that the tests of this folder share: real crystals, with numbers made up for the test.

Built once; nobody changes a structure in place.
"""

from __future__ import annotations

from pathlib import Path

import materials
import orjson
import pytest
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.export import FORMATS
from hysteron.export.bundle import export_candidates
from pymatgen.core import Structure


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


def resistive(candidate_id: str, structure: Structure, *sites: tuple[str, float]) -> Candidate:
    """A crystal whose resistive-switching verdict has energies of its oxygen vacancies, made up for the test."""
    records = [{"label": label, "energy": energy} for label, energy in sites]
    details = {"mechanism": "VCM", "vacancies": {"O": {"element": "O", "sites": records}}}
    lowest = min((energy for _, energy in sites), default=None)
    energies = (
        (PropertyValue("vacancy_formation_energy", lowest, "eV", "CHGNet 0.3.0, neutral, O-rich", 0.6),)
        if lowest is not None
        else ()
    )
    verdict = Verdict("resistive-switching", True, 0.5, None, None, "It may.", details)
    return Candidate(candidate_id, structure, energies, verdicts=(verdict,))


@pytest.fixture(scope="session")
def hosts() -> list[Candidate]:
    """Crystals with a vacancy verdict: one kind of oxygen, and HfO2 with two, the dearer one named first."""
    return [
        resistive("SrTiO3-221-aaaaaaaaaa", materials.strontium_titanate(), ("V_O1(3c)", 5.05)),
        resistive("TiO2-136-bbbbbbbbbb", materials.titania_rutile(), ("V_O1(4f)", 5.4)),
        resistive("HfO2-14-eeeeeeeeee", materials.hafnia_monoclinic(), ("V_O1(4e)", 6.6), ("V_O2(4e)", 6.5)),
    ]


@pytest.fixture(scope="session")
def magnetic() -> Candidate:
    """NiO, whose d shell is open and which the Materials Project computes with a U."""
    return Candidate("NiO-225-ffffffffff", materials.nickel_oxide())


@pytest.fixture(scope="session")
def exports(ferroelectric, hosts, magnetic, tmp_path_factory) -> dict[str, Path]:
    """The same crystals in every format, by its name: BaTiO3 with a path, three hosts with vacancies, NiO."""
    folders = {}
    for name in FORMATS:
        folders[name] = tmp_path_factory.mktemp(name)
        export_candidates([ferroelectric, *hosts, magnetic], name, folders[name])
    return folders
