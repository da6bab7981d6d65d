"""JSON from elsewhere cannot make us import what it names."""

import materials
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.errors import InputError
from hysteron.core.foreign import structure_from_dict

EVIL = {"@module": "subprocess", "@class": "Popen", "args": ["true"]}


def test_a_crystal_comes_back_equal():
    crystal = materials.lithium_niobate()
    assert structure_from_dict(crystal.as_dict()) == crystal


@pytest.mark.parametrize("nest", [lambda x: x, lambda x: [x], lambda x: {"deep": [x]}])
def test_a_class_in_the_properties_of_a_site_is_refused(nest):
    record = materials.silicon().as_dict()
    record["sites"][0]["properties"] = {"label": nest(EVIL)}
    with pytest.raises(InputError, match="name a Python class"):
        structure_from_dict(record)
    with pytest.raises(InputError, match="name a Python class"):
        Candidate.from_record(Candidate("Si", materials.silicon()).to_record() | {"structure": record})


@pytest.mark.parametrize("record", [None, [], "Si", {}, {"sites": 3, "lattice": {}}])
def test_what_is_no_crystal_is_a_sentence(record):
    with pytest.raises(InputError, match="cannot be read"):
        structure_from_dict(record)
