"""The property table: names, units, ranked methods."""

import pytest
from hysteron.core.errors import InputError
from hysteron.core.properties import PROPERTIES, describe, method_matches, method_rank, method_slug


def test_an_unknown_name_proposes_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'band_gap'"):
        describe("bandgap")


@pytest.mark.parametrize(
    ("method", "slug"), [("HSE06", "hse06"), ("CHGNet 0.3.0", "chgnet_0_3_0"), ("PBE+U", "pbe_u")]
)
def test_slugs_can_be_written_in_a_filter(method, slug):
    assert method_slug(method) == slug


def test_a_slug_is_met_at_word_boundaries_only():
    assert method_matches("pbe_u", "pbe")
    assert not method_matches("pbesol", "pbe")


def test_measured_gaps_rank_before_hybrid_before_pbe():
    ranks = [method_rank("band_gap", m) for m in ("experiment", "HSE06", "PBE+U", "PBE", "a model of ours")]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_every_unit_is_plain_ascii():
    assert all(row.units and row.units.isascii() for row in PROPERTIES.values())
