"""Tokens: what is kept whole, and what is split."""

import pytest
from hysteron.retrieval.planner.chemistry import anonymous_pattern, group_number, special
from hysteron.retrieval.planner.words import tokenise


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("2eV", ["2", "eV"]),
        ("3-6 eV", ["3", "-", "6", "eV"]),
        ("-1.5 eV/atom", ["-1.5", "eV/atom"]),
        ("lead-free", ["lead", "free"]),
        ("Ba(Zr0.2Ti0.8)O3,", ["Ba(Zr0.2Ti0.8)O3", ","]),
        ("(HSE06)", ["(", "HSE06", ")"]),
        ("w/o Pb", ["without", "Pb"]),
        ("doesn't", ["does", "not"]),
        ("1,000 atoms", ["1000", "atoms"]),
        ("P6_3/mmc.", ["P6_3/mmc", "."]),
        ("Hf/Zr", ["Hf", "/", "Zr"]),
    ],
)
def test_tokens(text, tokens):
    assert [token.text for token in tokenise(text)] == tokens


@pytest.mark.parametrize(
    ("chunk", "kind"),
    [("BaTiO3", "formula"), ("Ba-Ti-O", "system"), ("P4mm", "group"), ("ABO3", "anonymous"), ("mp-149", "id"),
     ("Ti4+", "ion"), ("In", None), ("oxide", None), ("Ti", None), ("NaCl", "formula"), ("XYZ", None)],
)  # fmt: skip
def test_what_only_chemistry_writes(chunk, kind):
    assert special(chunk) == kind


@pytest.mark.parametrize(
    ("symbol", "number"),
    [
        ("Fm-3m", 225),
        ("Fm3m", 225),
        ("Pbnm", 62),
        ("P2_1/n", 14),
        ("P21/n", 14),
        ("Pca2_1", 29),
        ("R3c", 161),
        ("Pm", None),
    ],
)
def test_space_groups_in_any_setting(symbol, number):
    assert group_number(symbol) == number


def test_placeholders_of_a_formula():
    assert anonymous_pattern("A2BX6") == ("AB2C6", ())
    assert anonymous_pattern("RNiO3") == ("ABC3", ("Ni", "O"))
    assert anonymous_pattern("BaTiO3") is None
