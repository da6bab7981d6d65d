"""The classifier of conduction is asked of compounds whose family it has not learnt from."""

import os

import pytest
from hysteron.benchmarks.conduction_held_out import FOLDS, HeldOutConduction
from hysteron.core.contracts import Conduction, ConductionClasses
from hysteron.predictors.conduction.families import family
from materials import silicon, sodium_chloride, strontium_titanate, titania_rutile, vanadia_rutile
from pymatgen.core import Composition

pytestmark = pytest.mark.skipif(
    "HYSTERON_DATA_DIR" not in os.environ, reason="HYSTERON_DATA_DIR names no data folder"
)


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """With seed 0, its tables in a folder of the test's own."""
    return HeldOutConduction(0, tmp_path_factory.mktemp("folds"))


def test_it_serves_as_a_classifier(classifier):
    assert isinstance(classifier, ConductionClasses)
    (found,) = classifier.classes([titania_rutile()])
    assert isinstance(found, Conduction)
    assert found.metal + found.insulator + found.transition == pytest.approx(1)


def test_no_fit_has_seen_the_family_it_is_asked_of(classifier):
    for structure in (vanadia_rutile(), titania_rutile(), strontium_titanate()):
        asked = classifier.classifier_for(structure)
        name = family(structure.composition)
        learnt = len(asked.learnt.fitted.labels)
        assert name in set(classifier.labelled.families.tolist())
        assert learnt == len(classifier.labelled) - (classifier.folds == classifier.fold_of[name]).sum()


def test_a_fold_holds_whole_families(classifier):
    for name in set(classifier.labelled.families.tolist()):
        folds = set(classifier.folds[classifier.labelled.families == name].tolist())
        assert len(folds) == 1, name
    assert set(classifier.folds.tolist()) == set(range(FOLDS))


def test_a_family_nobody_has_seen_is_asked_of_the_shipped_one(classifier):
    assert family(Composition("NaCl")) not in set(classifier.labelled.families.tolist())
    assert classifier.classifier_for(sodium_chloride()) is classifier.shipped


def test_what_has_no_anion_has_an_error_and_not_an_answer(classifier):
    assert isinstance(classifier.classes([silicon()])[0], Exception)


def test_alone_or_with_others_the_same(classifier):
    several = [vanadia_rutile(), strontium_titanate()]
    assert classifier.classes(several) == [classifier.classes([one])[0] for one in several]
