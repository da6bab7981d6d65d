"""What is known before the network speaks: CHGNet's energy, shifted by element, and what charges say of metals."""

import math

import pytest
import torch
from hysteron.predictors.gnn.training import Targets
from hysteron.predictors.properties.priors import (
    CHARGE_CLASSES,
    TERMS,
    charge_class,
    charge_classes,
    chgnet_formation,
    fitted_priors,
    offsets_of,
    terms_of,
)
from property_toys import gathered_by_element, packed, perovskite, references, rock_salt
from pymatgen.core import Composition

SINGLE_PRECISION = 2e-5  # eV/atom
RIDGE_TOLERANCE = 2e-3  # eV/atom; the penalty draws coefficients towards zero


@pytest.fixture(scope="module")
def terms():
    return terms_of(gathered_by_element().crystals, references())


def targets(values: torch.Tensor, head: str = "castelli_heat") -> Targets:
    return Targets({head: values}, {head: "l1"})


def fitted(values: torch.Tensor, training: torch.Tensor, head: str = "castelli_heat", **more):
    return fitted_priors(
        targets(values, head), gathered_by_element().crystals, references(), training, **more
    )


def offsets(priors, known: torch.Tensor | None = None):
    return offsets_of(priors, gathered_by_element().crystals, references() if known is None else known)


def everything(terms: torch.Tensor) -> torch.Tensor:
    return torch.arange(len(terms))


def test_terms_are_shares_and_chgnets_formation_energy(terms):
    assert terms.shape == (len(gathered_by_element().rows), TERMS)
    assert terms[:, :-1].sum(1) == pytest.approx(torch.ones(len(terms)).numpy())
    own = chgnet_formation(gathered_by_element().crystals, references())
    assert terms[:, -1].numpy() == pytest.approx(own.numpy())


def test_an_energy_of_chgnets_scale_is_left_alone(terms):
    found = fitted(terms[:, -1:].float(), everything(terms))
    assert found["castelli_heat"].abs().max() < SINGLE_PRECISION
    assert offsets(found)["castelli_heat"].numpy() == pytest.approx(
        terms[:, -1:].numpy(), abs=SINGLE_PRECISION
    )


def test_a_shift_of_an_element_and_a_stretch_are_found(terms):
    wanted = (0.9 * terms[:, -1] + 0.3 * terms[:, 8] - 0.2 * terms[:, 22])[:, None].float()
    found = offsets(fitted(wanted, everything(terms)))
    assert found["castelli_heat"].numpy() == pytest.approx(wanted.numpy(), abs=RIDGE_TOLERANCE)


def test_only_training_labels_are_seen(terms):
    training = gathered_by_element().indices("train")
    wanted = terms[:, -1:].float().clone()
    others = torch.ones(len(wanted), dtype=torch.bool)
    others[training] = False
    wanted[others] += 50.0
    assert fitted(wanted, training)["castelli_heat"].abs().max() < SINGLE_PRECISION


def test_an_output_without_labels_and_an_element_without_one_stay_with_chgnet(terms):
    wanted = torch.full((len(terms), 4), float("nan"))
    training = torch.nonzero(terms[:, 22] == 0)[:, 0]  # no titanium
    wanted[training, 0] = terms[training, -1].float() + 0.1
    found = fitted(wanted, training, "formation_energy")["formation_energy"]
    assert found.shape == (4, TERMS)
    assert found[1:].abs().max() == 0
    assert found[0, 22] == 0
    assert found[0].abs().max() > 0


def test_heads_of_other_quantities_have_none(terms):
    assert fitted(terms[:, -1:].float(), everything(terms), "band_gap") == {}


def test_an_element_without_reference_has_no_offset(terms):
    changed = references()
    changed[22] = float("nan")
    found = offsets(fitted(torch.zeros(len(terms), 1), everything(terms)), changed)
    assert torch.equal(found["castelli_heat"][:, 0].isnan(), terms[:, 22] > 0)


def test_without_chgnet_no_energy_is_known(terms):
    assert fitted(terms[:, -1:].float(), everything(terms), with_chgnet=False) == {}


# Charges


def class_of(formula: str) -> int:
    amounts = Composition(formula).reduced_composition.items()
    return charge_class(tuple(sorted((element.Z, int(amount)) for element, amount in amounts)))


@pytest.mark.parametrize(
    ("formula", "imbalance", "odd"),
    [
        ("NaCl", 0, False),
        ("BaTiO3", 0, False),
        ("KNbO3", 0, False),
        ("LiNbO3", 0, False),
        ("MgN", 1, True),  # 19 electrons
        ("Fe", 2, False),
        ("SrTiN3", 3, True),  # lacks three electrons; 81 of them
    ],
)
def test_charges_of_known_compounds(formula, imbalance, odd):
    assert class_of(formula) == imbalance + 4 * odd


def test_a_cell_of_several_formula_units_is_of_the_same_class():
    one = perovskite("Sr")
    two = one.copy()
    two.make_supercell([2, 1, 1])
    found = charge_classes(packed(one, two, rock_salt("Mg"), rock_salt("Mg", anion="N")))
    assert found.tolist() == [0, 0, 0, class_of("MgN")]


def test_thirty_elements_take_no_time():
    assert 0 <= charge_class(tuple((z, 1 + z % 3) for z in range(20, 50))) < CHARGE_CLASSES


def test_log_odds_are_those_of_the_training_labels_of_a_class():
    crystals = gathered_by_element().crystals
    classes = charge_classes(crystals)
    metal = torch.tensor([[1.0 if k else 0.0] for k in classes])
    training = torch.arange(len(classes))
    found = fitted(metal, training, "castelli_metal")["castelli_metal"]
    assert found.shape == (1, CHARGE_CLASSES)
    known = set(classes.tolist())
    assert len(known) > 1
    for k in known:
        assert float(found[0, k]) > 0 if k else float(found[0, k]) < -2
    whole = (float(metal.sum()) + 0.5) / (len(metal) + 1)
    never = next(k for k in range(CHARGE_CLASSES) if k not in known)
    assert float(found[0, never]) == pytest.approx(math.log(whole / (1 - whole)))
    told = offsets({"castelli_metal": found})["castelli_metal"]
    assert told.shape == (len(classes), 1)
    assert torch.equal(told[:, 0], found[0].float()[classes])


def test_log_odds_without_labels_say_nothing():
    nothing = torch.full((len(gathered_by_element().rows), 1), float("nan"))
    found = fitted(nothing, torch.arange(len(nothing)), "castelli_metal", with_chgnet=False)
    assert found["castelli_metal"].tolist() == [[0.0] * CHARGE_CLASSES]
