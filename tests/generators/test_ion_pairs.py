"""The pair model is pymatgen's, read into an array."""

import numpy as np
import pytest
from hysteron.generators.ion_pairs import BORROWED, Ion, ion_pairs


def test_an_ion_is_written_and_read():
    for text in ("Ti4+", "O2-", "Na+", "Cl-", "Nb5+"):
        assert str(Ion.read(text)) == text
    assert Ion.read("Na+") == Ion("Na", 1)
    with pytest.raises(ValueError, match="is not an ion"):
        Ion.read("Ti")


def test_probabilities_equal_those_of_pymatgen():
    from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionProbability
    from pymatgen.core import Species

    theirs = SubstitutionProbability()
    for old, new in (("Ba2+", "Sr2+"), ("Ti4+", "Zr4+"), ("O2-", "F-"), ("Ti4+", "Ti4+"), ("Nb5+", "Cl-")):
        expected = theirs.cond_prob(Species.from_str(new), Species.from_str(old))
        ours = np.exp(ion_pairs().log_probability(Ion.read(old), Ion.read(new)))
        assert ours == pytest.approx(expected, rel=1e-9), (old, new)


def test_rows_add_up_to_one_over_the_mined_ions():
    pairs = ion_pairs()
    mined = [i for i, ion in enumerate(pairs.ions) if ion not in BORROWED]
    assert np.exp(pairs.log_conditional[np.ix_(mined, mined)]).sum(axis=1) == pytest.approx(1.0)


def test_telluride_borrows_from_selenide():
    pairs, te, se, s = ion_pairs(), Ion("Te", -2), Ion("Se", -2), Ion("S", -2)
    assert te in pairs
    assert pairs.log_probability(te, se) == pytest.approx(pairs.log_probability(se, s))
    assert pairs.log_probability(te, Ion("O", -2)) == pytest.approx(pairs.log_probability(se, Ion("O", -2)))


def test_an_ion_without_data_stays():
    pairs, azide = ion_pairs(), Ion("N", -1)
    assert azide not in pairs
    assert pairs.log_probability(azide, azide) == 0.0
    assert pairs.log_probability(azide, Ion("F", -1)) == -5.0
