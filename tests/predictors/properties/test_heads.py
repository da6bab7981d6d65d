"""The table of heads agrees with the property table and with what the data sets offer."""

import pytest
from hysteron.core.errors import InputError
from hysteron.core.properties import describe
from hysteron.predictors.properties.heads import CRYSTAL_SYSTEMS, HEADS


@pytest.mark.parametrize("head", HEADS.values(), ids=str)
def test_a_row_is_of_a_known_kind(head):
    assert head.kind in ("l1", "binary", "classes")
    assert head.scale in ("linear", "log", "per_atom")
    assert head.only in ("any", "insulators", "abo3")
    assert head.weight > 0
    assert head.fidelities
    assert all(head.fidelities)


@pytest.mark.parametrize("head", [h for h in HEADS.values() if h.prints], ids=str)
def test_what_is_printed_stands_in_the_property_table_with_its_unit(head):
    assert head.kind == "l1"
    assert head.method
    assert describe(head.prints).units == head.units


def test_each_property_is_printed_by_one_head():
    printed = [head.prints for head in HEADS.values() if head.prints]
    assert len(printed) == len(set(printed))


def test_the_first_output_of_the_formation_energy_is_the_release_it_names():
    head = HEADS["formation_energy"]
    assert head.fidelities[0] == ("mp20",)
    assert "mp20" in head.method
    assert head.outputs == len(head.fidelities)


def test_classes_have_an_output_each():
    assert HEADS["crystal_system"].outputs == CRYSTAL_SYSTEMS


def test_a_property_that_is_not_in_the_table_would_be_noticed():
    with pytest.raises(InputError):
        describe("heat_of_formation_castelli")
