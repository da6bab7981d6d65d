"""What the server is asked: never too narrow, never nothing; what it cannot be asked is refused or decided here."""

from __future__ import annotations

import random

import pytest
from hysteron.core.errors import FilterError
from hysteron.core.filters import (
    And,
    Comparison,
    Filter,
    Has,
    HasLength,
    Name,
    Not,
    Or,
    matches,
    parse,
    write,
)
from hysteron.core.properties import describe
from hysteron.retrieval.materials_project.criteria import METHODS, MOST_QUESTIONS, criteria_of
from pymatgen.core import Element
from servers.materials_project_query import answer

TRIES = 250


def asked(text: str) -> list[dict]:
    return criteria_of(parse(text))


@pytest.mark.parametrize(
    ("text", "questions"),
    [
        ('elements HAS ALL "Ti","O"', [{"elements": "O,Ti"}]),
        ('elements HAS "O" AND NOT elements HAS "Pb"', [{"elements": "O", "exclude_elements": "Pb"}]),
        ('elements HAS ANY "S","Se"', [{"elements": "S"}, {"elements": "Se"}]),
        ('elements HAS ONLY "Ti","O"', [{"chemsys": "O,O-Ti,Ti"}]),
        ('NOT elements HAS ANY "Pb","Cd"', [{"exclude_elements": "Cd,Pb"}]),
        ("elements LENGTH 3", [{"nelements_min": 3, "nelements_max": 3}]),
        ("band_gap > 2 AND band_gap <= 5.5", [{"band_gap_min": 2, "band_gap_max": 5.5}]),
        ("NOT band_gap > 2", [{"band_gap_max": 2}]),
        ("NOT (band_gap > 2 OR nsites >= 10)", [{"band_gap_max": 2, "nsites_max": 10}]),
        ("energy_above_hull < 0.05", [{"energy_above_hull_max": 0.05}]),
        ("bulk_modulus > 100", [{"k_vrh_min": 100}]),
        ("shear_modulus > 100", [{"g_vrh_min": 100}]),
        ("poisson_ratio < 0.2", [{"homogeneous_poisson_max": 0.2}]),
        ("dielectric_total > 20 AND refractive_index > 2", [{"e_total_min": 20, "n_min": 2}]),
        ("piezoelectric_modulus > 1", [{"e_ij_max_min": 1}]),
        ("nsites > 4.5 AND nsites < 9.5", [{"nsites_min": 5, "nsites_max": 9}]),
        ('formula = "TiO2" OR formula = "ZnO"', [{"formula": "TiO2,ZnO"}]),
        ('formula = "O2"', [{"chemsys": "O"}]),
        ('chemsys = "Ti-O"', [{"chemsys": "O-Ti"}]),
        ('material_id = "mp-2998"', [{"material_ids": "mp-2998"}]),
        ('chemical_formula_anonymous = "A3BC"', [{"formula": "ABC3"}]),
        ('chemical_formula_anonymous = "A"', [{"formula": "A"}]),
        ('chemical_formula_anonymous = "ABCDEFGH2"', [{"nelements_min": 8, "nelements_max": 8}]),
        ('chemical_formula_anonymous = "A2B3" AND formula = "Al2O3"', [{"formula": "Al2O3"}]),
        ('chemical_formula_anonymous = "ABC3" AND formula = "BaTiO3"', [{"formula": "BaTiO3"}]),
        ('chemical_formula_anonymous = "ABC3" AND chemical_formula_anonymous = "AB"', []),
        ('structure_type = "perovskite"', [{"formula": "ABC3"}]),
        ('structure_type = "Ruddlesden-Popper"', [{"formula": "AB2C4"}, {"formula": "A2B3C7"}]),
        ('structure_type = "wurtzite" OR formula = "TiO2"', [{"formula": "AB"}, {"formula": "TiO2"}]),
        ('gap_type = "direct" AND magnetic_ordering = "FM"', [{"is_gap_direct": True, "ordering": "FM"}]),
        ('theoretical = "no"', [{"theoretical": False}]),
        ("band_gap.pbe > 2", [{"band_gap_min": 2}]),
        ('formula = "TiO2" OR band_gap > 5', [{"band_gap_min": 5}, {"formula": "TiO2"}]),
        (
            '(formula = "TiO2" OR band_gap > 5) AND nsites < 9',
            [{"band_gap_min": 5, "nsites_max": 9}, {"formula": "TiO2", "nsites_max": 9}],
        ),
        ('formula = "TiO2" AND structure_type = "rutile"', [{"formula": "TiO2"}]),
        ('elements HAS "O" AND spacegroup_number = 99', [{"elements": "O"}]),
        ('elements HAS "O" AND nsites < 1e300', [{"elements": "O"}]),
        ("band_gap > 3 AND band_gap < 2", []),
        ('formula = "TiO2" AND formula = "ZnO"', []),
    ],
)
def test_what_the_server_is_asked(text, questions):
    found = asked(text)
    assert sorted(found, key=repr) == sorted(questions, key=repr)


@pytest.mark.parametrize(
    "text",
    [
        "spacegroup_number = 99",
        'structure_type = "nothing known"',
        "volume_per_atom < 12",
        "band_gap IS KNOWN",
        'formula != "TiO2"',
        'formula STARTS WITH "Ti"',
        "band_gap > 2 OR spacegroup_number = 99",
        'elements HAS ONLY "H","C","N","O","F","S"',
        "band_gap > 1e300",
    ],
)
def test_what_would_read_the_whole_database_is_refused(text):
    with pytest.raises(FilterError, match="Nothing in this filter narrows down"):
        asked(text)


def test_no_filter_is_refused():
    with pytest.raises(FilterError, match="needs a filter, such as"):
        criteria_of(None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('elements HAS "O" AND run_id = "x"', "belongs to a store"),
        ('elements HAS "O" AND NOT passes HAS "ferroelectric"', "belongs to a store"),
        ('elements HAS "O" AND polarization > 1', "does not hold polarization; it holds"),
        ('elements HAS "O" OR migration_barrier < 1', "does not hold migration_barrier"),
        ('elements HAS "O" AND band_gap.hse06 > 2', "no band_gap.hse06; its band_gap is by one of: PBE, "),
        ('elements HAS "O" AND energy_above_hull.pbe < 0.1', "no energy_above_hull.pbe"),
    ],
)
def test_what_the_source_cannot_know_is_refused(text, sentence):
    with pytest.raises(FilterError, match=sentence):
        asked(text)


def test_too_many_questions_are_refused():
    elements = [Element.from_Z(number).symbol for number in range(1, MOST_QUESTIONS + 2)]
    assert len(elements) > MOST_QUESTIONS
    with pytest.raises(FilterError, match=f"at most {MOST_QUESTIONS} are asked"):
        asked(" OR ".join(f'elements HAS "{element}"' for element in elements))


def test_every_property_that_a_search_gives_can_be_asked_for():
    for name, methods in METHODS.items():
        comparison = f'{name} = "some"' if describe(name).text else f"{name} > 1"
        assert asked(f'elements HAS "O" AND {comparison}')
        assert methods


def random_filter(draw: random.Random, depth: int = 3) -> Filter:
    """A filter of everything that a search knows."""
    kind = draw.choice(["and", "or", "not", "leaf", "leaf"]) if depth else "leaf"
    if kind in ("and", "or"):
        terms = tuple(random_filter(draw, depth - 1) for _ in range(draw.randint(2, 3)))
        return And(terms) if kind == "and" else Or(terms)
    if kind == "not":
        return Not(random_filter(draw, depth - 1))
    elements = tuple(draw.sample(["O", "Ti", "Ba", "S", "Fe", "Li", "Si"], draw.randint(1, 2)))
    number, sign = draw.choice(["<", "<=", ">", ">=", "=", "!="]), draw.choice(["=", "!="])
    return draw.choice(
        [
            Has(Name("elements"), draw.choice(["all", "any", "only"]), elements),
            HasLength(Name("elements"), number, draw.randint(1, 4)),
            Comparison(Name("nelements"), number, draw.choice([2, 3, 2.5])),
            Comparison(Name("nsites"), number, draw.randint(2, 20)),
            Comparison(Name("band_gap"), number, draw.choice([0, 1.5, 3])),
            Comparison(Name("energy_above_hull"), number, draw.choice([0.0, 0.05])),
            Comparison(Name("bulk_modulus"), number, 120),
            Comparison(Name("dielectric_total"), number, 20.0),
            Comparison(Name("total_magnetization"), number, 0.0),
            Comparison(Name("density"), number, 5.0),
            Comparison(Name("volume_per_atom"), number, 15.0),
            Comparison(Name("spacegroup_number"), number, draw.choice([225, 14, 62])),
            Comparison(Name("gap_type"), sign, draw.choice(["direct", "indirect"])),
            Comparison(Name("magnetic_ordering"), sign, draw.choice(["FM", "NM"])),
            Comparison(Name("theoretical"), sign, draw.choice(["yes", "no"])),
            Comparison(Name("formula"), sign, draw.choice(["TiO2", "SiO2", "BaTiO3"])),
            Comparison(Name("chemical_formula_anonymous"), sign, draw.choice(["AB", "ABC3", "AB2"])),
            Comparison(Name("structure_type"), sign, draw.choice(["rock salt", "perovskite"])),
            Comparison(Name("possible_species"), "contains", "O2-"),
        ]
    )


def test_what_the_server_sends_holds_all_that_matches(served_documents, everything):
    """The truth is every record held against the whole filter here."""
    draw, answered, refused, kept = random.Random(0), 0, 0, 0
    raws = served_documents.of("summary")
    for _ in range(TRIES):
        query = random_filter(draw)
        wanted = {name for name, candidate in everything.items() if matches(query, candidate)}
        try:
            questions = criteria_of(query)
        except FilterError:
            refused += 1
            continue
        sent = set()
        for question in questions:
            given = {name: str(value) for name, value in question.items()}
            page, total = answer("summary", list(raws), given | {"_limit": "1000", "_fields": "material_id"})
            assert total == len(page)
            sent |= {record["material_id"] for record in page}
        assert wanted <= sent, write(query)
        answered += 1
        kept += len(wanted) > 0
    assert answered > TRIES / 4, f"{refused} of {TRIES} were refused"
    assert kept > TRIES / 8
