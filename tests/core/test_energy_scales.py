"""Energies of different scales are never mixed without a word."""

import pytest
from hysteron.core.energy_scales import (
    MP2020,
    OMAT24,
    RAW_MATPES_PBE,
    RAW_MP,
    RAW_OMAT24,
    SCALES,
    corrected_scale,
    formation_energies_meet,
    require_one_scale,
)
from hysteron.core.errors import EnergyScaleError
from hysteron.predictors.chgnet.potential import CHGNetPotential


def test_the_default_potential_is_on_a_known_scale():
    assert CHGNetPotential.energy_scale in SCALES


def test_corrections_lead_to_known_scales_that_say_they_are_fitted():
    for scale in SCALES.values():
        assert scale.corrects_to is None or SCALES[scale.corrects_to].fitted
        assert corrected_scale(scale.name) in SCALES
    assert corrected_scale("a scale from outside") == "a scale from outside"


def test_one_scale_is_given_back():
    assert require_one_scale([RAW_MP, RAW_MP]) == RAW_MP


@pytest.mark.parametrize(
    ("scales", "advice"),
    [
        ([MP2020, RAW_MP], "Bring them all to MP2020-corrected first"),
        ([MP2020, RAW_OMAT24], "formation energies instead"),
        ([MP2020, RAW_MATPES_PBE], "Nothing joins them"),
        ([MP2020, "toy"], "Nothing joins them"),
        ([], "name no energy scale"),
    ],
)
def test_a_mixture_is_refused_with_advice(scales, advice):
    with pytest.raises(EnergyScaleError, match=advice):
        require_one_scale(scales)


def test_which_formation_energies_may_be_compared():
    assert formation_energies_meet([MP2020, OMAT24])
    assert formation_energies_meet(["toy", "toy"])
    assert not formation_energies_meet([RAW_MP, OMAT24])
    assert not formation_energies_meet([RAW_MP, RAW_OMAT24])
    assert not formation_energies_meet([MP2020, "toy"])
