"""A gap is judged by the window of its own method, or else by the rule of the ions."""

import materials
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.oxidation import oxidation_states
from hysteron.screening.gap import GapWindow, has_open_shell, judge_insulator
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from screening_toys import candidate

WINDOWS = {
    "pbe": GapWindow(low=0.5, high=5.0),
    "hse06": GapWindow(low=2.0, high=6.0),
    "pbe_u": GapWindow(low=1.0),
}


def with_gap(value: float, method: str) -> Candidate:
    return candidate("strontium_titanate").with_property(PropertyValue("band_gap", value, "eV", method))


@pytest.mark.parametrize(
    ("value", "method", "status"),
    [
        (1.8, "PBE", "passed"),  # strontium titanate by PBE, measured 3.2 eV
        (0.3, "PBE", "failed"),
        (5.5, "PBE", "failed"),
        (1.8, "HSE06", "failed"),
        (0.8, "PBE+U 4.0", "failed"),  # the more special window wins
        (0.0, "PBE", "failed"),
    ],
)
def test_a_window_belongs_to_one_method(value, method, status):
    criterion = judge_insulator(with_gap(value, method), WINDOWS, (2, 4, -2, -2, -2))
    assert criterion.status == status
    assert criterion.value == value
    assert method in criterion.sentence
    assert not criterion.flagged


def test_a_gap_of_another_method_decides_nothing():
    criterion = judge_insulator(with_gap(0.0, "GNN 0.1"), WINDOWS, (2, 4, -2, -2, -2))
    assert criterion.passed
    assert criterion.flagged
    assert criterion.value is None
    assert "GNN 0.1 gap of 0.00 eV has no window" in criterion.sentence


def ruled(structure: Structure):
    return judge_insulator(Candidate("c", structure), WINDOWS, oxidation_states(structure))


@pytest.mark.parametrize(
    "name", ["barium_titanate_tetragonal", "zinc_oxide", "sodium_chloride", "hafnia_polar"]
)
def test_closed_shells_pass_flagged(name):
    criterion = ruled(getattr(materials, name)())
    assert criterion.passed
    assert criterion.flagged
    assert "gap unknown" in criterion.sentence


@pytest.mark.parametrize("name", ["iron_one_atom", "silicon", "vanadia_rutile"])
def test_metals_elements_and_open_early_shells_do_not_pass(name):
    assert ruled(getattr(materials, name)()).status == "missing"


def test_an_open_late_shell_passes_with_oxygen_at_a_lower_score():
    nickel_oxide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(4.18), ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    criterion = ruled(nickel_oxide)
    assert criterion.passed
    assert criterion.score < ruled(materials.zinc_oxide()).score
    nickel_sulfide = judge_insulator(Candidate("c", nickel_oxide.copy()), WINDOWS, None)
    assert nickel_sulfide.status == "missing"


def test_an_open_late_shell_does_not_pass_with_sulfur():
    nickel_sulfide = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(5.0), ["Ni", "S"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    )
    criterion = judge_insulator(Candidate("c", nickel_sulfide), WINDOWS, (2, 2, 2, 2, -2, -2, -2, -2))
    assert criterion.status == "missing"
    assert "Ni2+" in criterion.sentence


@pytest.mark.parametrize(
    ("symbol", "charge", "is_open"),
    [
        ("Ti", 4, False),
        ("Ti", 3, True),
        ("Zn", 2, False),
        ("Cu", 1, False),
        ("Cu", 2, True),
        ("Pb", 2, False),
        ("Pb", 3, True),
        ("Bi", 3, False),
        ("Gd", 3, False),
        ("U", 4, True),
        ("U", 6, False),
        ("Ba", 2, False),
        ("Fe", 2.5, True),
        ("S", 5, False),
    ],
)
def test_shells(symbol, charge, is_open):
    assert has_open_shell(symbol, charge) is is_open


def test_a_window_that_is_upside_down_is_refused():
    with pytest.raises(ValidationError, match="must lie above"):
        GapWindow(low=2.0, high=1.0)


def predicted(value: float, low: float, high: float, method: str = "GNN 2026-11") -> Candidate:
    gap = PropertyValue("band_gap", value, "eV", method, 0.3, "MP PBE; in domain", (low, high), 0.9)
    return candidate("strontium_titanate").with_property(gap)


GNN = {"gnn": GapWindow(low=0.5, high=5.0)}


def test_a_predicted_gap_is_flagged_and_says_its_interval():
    criterion = judge_insulator(predicted(1.8, 1.2, 2.4), GNN, None)
    assert criterion.passed
    assert criterion.flagged
    assert criterion.value == 1.8
    assert criterion.method == "GNN 2026-11"
    assert criterion.sentence == (
        "band gap 1.80 eV (predicted, 90% interval 1.20 to 2.40 eV, GNN 2026-11) lies in the GNN 2026-11 window "
        "of 0.5 to 5 eV"
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "status"),
    [
        (1.8, 1.2, 2.4, "passed"),
        (0.7, 0.0, 1.4, "passed"),
        (0.3, 0.0, 0.9, "failed"),
        (0.0, 0.0, 0.6, "failed"),
        (5.4, 4.5, 6.3, "failed"),
    ],
)
def test_the_predicted_value_decides(value, low, high, status):
    criterion = judge_insulator(predicted(value, low, high), GNN, (2, 4, -2, -2, -2))
    assert criterion.status == status
    assert criterion.flagged


def test_an_interval_that_leaves_the_window_weighs_less():
    known = judge_insulator(with_gap(1.8, "PBE"), WINDOWS, None).score
    sure = judge_insulator(predicted(1.8, 1.2, 2.4), GNN, None).score
    unsure_below = judge_insulator(predicted(1.8, 0.4, 3.2), GNN, None).score
    unsure_above = judge_insulator(predicted(4.8, 3.8, 5.8), GNN, None).score
    assert known > sure > unsure_below == unsure_above > 0


def test_a_predicted_gap_speaks_before_the_rule_of_ions():
    """Zinc oxide is an insulator by rule; a prediction of a metal wins over it, unless it has no window."""
    zincite = candidate("zinc_oxide").with_property(
        PropertyValue("band_gap", 0.0, "eV", "GNN 2026-11", 0.3, "", (0.0, 0.2), 0.9)
    )
    charges = oxidation_states(zincite.structure)
    assert judge_insulator(zincite, GNN, charges).status == "failed"
    assert judge_insulator(zincite, WINDOWS, charges).passed


def test_a_computed_gap_speaks_before_a_predicted_one():
    both = predicted(0.0, 0.0, 0.3).with_property(PropertyValue("band_gap", 1.8, "eV", "PBE"))
    criterion = judge_insulator(both, WINDOWS | GNN, None)
    assert criterion.passed
    assert criterion.method == "PBE"
    assert not criterion.flagged


def test_the_screens_have_a_window_for_the_networks_gaps():
    from hysteron.screening.ferroelectric.verdict import FerroelectricConfig
    from hysteron.screening.resistive_switching.valence_change import ValenceChangeConfig

    for windows in (FerroelectricConfig().gap_windows, ValenceChangeConfig().gap_windows):
        assert judge_insulator(predicted(1.8, 1.2, 2.4), windows, None).value == 1.8


def test_a_gap_that_dft_corrected_is_judged_by_the_window_of_that_functional():
    def judged(method: str):
        gap = PropertyValue("band_gap", 0.4, "eV", method, 0.1, "", (0.2, 0.6), 0.9)
        windows = {"pbe": GapWindow(low=0.3), "hse06": GapWindow(low=0.5), "gnn": GapWindow(low=0.1)}
        return judge_insulator(candidate("silicon").with_property(gap), windows, None)

    assert judged("lesson 0123456789ab: GNN -> DFT/PBE/pw.x").threshold == 0.3
    assert not judged("lesson 0123456789ab: GNN -> DFT/HSE06/VASP").passed
    assert judged("DFT/PBE+U/VASP 6.4").threshold == 0.3
    assert judged("lesson 0123456789ab: GNN -> DFT/LDA/pw.x").threshold == 0.3
    assert judged("lesson 0123456789ab: GNN -> DFT/R2SCAN/VASP").status == "missing"
