"""Plain words to a filter: what is understood, what is assumed and told, and what is refused."""

import materials
import pytest
from hysteron.core.filters import parse
from hysteron.retrieval.planner.planner import QuestionError, plan

POLAR = [1, *range(3, 10), *range(25, 47), *range(75, 81), *range(99, 111), *range(143, 147), *range(156, 162),
         *range(168, 174), *range(183, 187)]  # fmt: skip


def filter_of(question: str) -> str:
    made = plan(question)
    assert made.filter
    parse(made.filter)
    return made.filter


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("binary nitrides, wurtzite, gap 3 to 6 eV",
         'nelements = 2 AND elements HAS "N" AND structure_type = "wurtzite" AND band_gap >= 3 AND band_gap <= 6'),
        ("perovskites like BaTiO3 without alkali metals",
         'structure_type = "perovskite" AND NOT elements HAS ANY "Li","Na","K","Rb","Cs","Fr"'),
        ("oxides of Fe, Co or Ni", 'elements HAS "O" AND elements HAS ANY "Fe","Co","Ni"'),
        ("made only of Ti and O", 'elements HAS ONLY "Ti","O"'),
        ("Hf-Zr-O system", 'chemsys = "Hf-O-Zr"'),
        ("oxides, nitrides and sulfides within 30 meV of the hull",
         '(elements HAS "O" OR elements HAS "N" OR elements HAS "S") AND energy_above_hull <= 0.03'),
        ("ABO3 compounds in P4mm or R3m",
         'chemical_formula_anonymous = "ABC3" AND elements HAS "O" AND '
         "(spacegroup_number = 99 OR spacegroup_number = 160)"),
        ("HSE gap above 2 eV, at most 20 atoms", "band_gap.hse06 > 2 AND nsites <= 20"),
        ("polarization of at least 0.3 C/m^2", "polarization >= 30"),
        ("coercive field below 500 kV/cm", "coercive_field < 0.5"),
        ("Curie temperature above 100 degC", "transition_temperature > 373.15"),
        ("formation energy < -3eV", "formation_energy_per_atom < -3"),
        ("gap between one and two and a half eV", "band_gap >= 1 AND band_gap <= 2.5"),
        ("oxides with a gap above 2 eV or nitrides with a gap above 3 eV",
         'elements HAS "O" AND band_gap > 2 OR elements HAS "N" AND band_gap > 3'),
        ("oxides with a gap below 1 or above 3 eV", 'elements HAS "O" AND (band_gap < 1 OR band_gap > 3)'),
        ("mp-2998", 'material_id = "mp-2998"'),
        ("As-free sulfides in no space group 62", 'NOT elements HAS "As" AND elements HAS "S" AND NOT spacegroup_number = 62'),
    ],
)  # fmt: skip
def test_words_become_the_filter_that_was_meant(question, expected):
    assert parse(filter_of(question)) == parse(expected)


def test_the_example_of_the_readme_in_full():
    made = plan("lead-free polar oxides with a band gap above 2 eV near the hull")
    assert made.filter
    assert made.filter.startswith('NOT elements HAS "Pb" AND (spacegroup_number = 1 OR')
    assert made.filter.endswith('elements HAS "O" AND band_gap > 2 AND energy_above_hull <= 0.05')
    said = " ".join(made.assumptions)
    assert "near the hull: energy_above_hull <= 0.05 eV/atom" in said
    assert "underestimates" in said
    assert "polar: one of the 68 space groups" in said


@pytest.mark.parametrize(
    "word", ["polar", "nonpolar", "centrosymmetric", "noncentrosymmetric", "chiral", "cubic"]
)
def test_the_space_groups_of_a_symmetry_are_those_of_spglib(word):
    """Against symmetry operations, not against another list."""
    import numpy as np
    import spglib
    from hysteron.core.candidate import Candidate
    from hysteron.core.filters import matches

    tree = parse(filter_of(f"{word} oxides").replace(' AND elements HAS "O"', ""))
    crystal = materials.barium_titanate_cubic()
    hall = {spglib.get_spacegroup_type(h).number: h for h in range(530, 0, -1)}
    meant = set()
    for number, hall_number in hall.items():
        rotations = spglib.get_symmetry_from_database(hall_number)["rotations"]
        centric = any((r == -np.eye(3)).all() for r in rotations)
        proper = all(round(np.linalg.det(r)) == 1 for r in rotations)
        mean = np.mean(rotations, axis=0)
        polar = np.linalg.matrix_rank(mean, tol=1e-6) > 0
        is_meant = {"polar": polar, "nonpolar": not polar, "centrosymmetric": centric, "noncentrosymmetric": not centric,
                    "chiral": proper, "cubic": number >= 195}[word]  # fmt: skip
        meant |= {number} if is_meant else set()
    found = {n for n in range(1, 231) if matches(tree, Candidate("x", crystal, spacegroup_number=n)) is True}
    assert found == meant
    if word == "polar":
        assert sorted(found) == POLAR


@pytest.mark.parametrize(
    ("question", "sort", "limit", "asks"),
    [
        ("the ten oxides with the largest band gap", "-band_gap", 10, ()),
        ("the densest oxide", "-density", 1, ()),
        ("most stable nitrides", "energy_above_hull", None, ()),
        ("What is the band gap of BaTiO3?", None, None, ("band_gap",)),
        ("stable hafnates by dielectric constant, highest first", "-dielectric_total", None, ()),
        ("What's the bulk modulus of silicon?", None, None, ("bulk_modulus",)),
    ],
)
def test_orders_limits_and_what_is_asked(question, sort, limit, asks):
    made = plan(question)
    assert (made.sort, made.limit, made.asks) == (sort, limit, asks)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("oxides that smell nice", "'smell', 'nice'"),
        ("lead-free cheap oxides", "'cheap'"),
        ("ferroelectrics with a small switching barrier", "How small"),
        ("the best perovskites", "by what"),
        ("batio3", "BaTiO3"),
        ("perovskytes", "'perovskite'"),
        ("oxides with a band gap above 2 kelvin", "cannot be a band_gap"),
        ("oxides with a gap above two and below one eV", "Nothing can meet that"),
        ("oxides without oxygen", "in it and excluded"),
        ("cubic polar oxides", "no space group is all of that"),
        ("binary oxides of barium and titanium", "at most 2"),
        ("oxides with a coercive field under 40 atoms", "40 atoms"),
        ("above 2", "'2'"),
        ("", "empty"),
        ("?!", "empty"),
        ("what is the band gap", "of what"),
        ("ferroelectrics stable up to 500 K", "500"),
        ("oxides with a polarization similar to BaTiO3", "similar"),
        ("space group 231", "1 to 230"),
        ("x" * 3000, "3000 characters"),
    ],
)
def test_what_is_not_understood_is_refused(question, says):
    with pytest.raises(QuestionError) as caught:
        plan(question)
    assert says in str(caught.value)


def test_every_question_cut_anywhere_is_read_or_refused():
    """No part of a sentence brings the reader down."""
    text = (
        "Please list the ten lead-free A2BO4 oxides (not of Ti, Zr or Hf) like K2NiF4, space group 139 or I4/mmm, with an "
        "HSE gap of 1.5-3 eV or a polarization of at least 20 uC/cm^2, made only of Sr and Ru, by density, highest first"
    )
    sentence = text.split()
    for i in range(len(sentence)):
        for part in (sentence[:i], sentence[i:]):
            try:
                made = plan(" ".join(part))
            except QuestionError:
                continue
            parse(made.filter or "nsites > 0")


def test_synthesis_names_its_target():
    made = plan("How do I make LiFePO4?")
    assert (made.kind, made.targets, made.filter) == ("synthesis", ("LiFePO4",), 'formula = "LiFePO4"')
    assert plan("how many stable nitrides are there").kind == "count"


def test_unicode_is_read_as_plain_text():
    assert filter_of("BaTiO₃") == 'formula = "BaTiO3"'
    assert filter_of("polarization ≥ 20 µC/cm²") == "polarization >= 20"


def test_a_group_less_some_of_its_elements():
    text = filter_of("oxides without transition metals other than Ti")
    assert '"Sc","V"' in text
    assert '"Ti"' not in text


def test_the_meaning_of_every_phrase_can_be_read():
    """Each entry of the vocabulary makes a filter, and no phrase of a condition means two."""
    from hysteron.core.filters import write
    from hysteron.retrieval.planner.trees import of_entry
    from hysteron.retrieval.planner.vocabulary import vocabulary
    from hysteron.retrieval.planner.words import tokenise

    checked = 0
    for phrase in vocabulary().phrases_with("") or vocabulary()._phrases:
        for role in ("compound", "symmetry", "word", "known"):
            found = vocabulary().match(role, tokenise(phrase), 0)
            if found:
                parse(write(of_entry(found[1])))
                checked += 1
    assert checked > 300


@pytest.mark.parametrize(
    ("question", "unread"),
    [
        (
            "Marta here from thin-film integration. Could you pull up every hafnate, please?",
            "thin-film integration",
        ),
        ("Hi! I'm a master's student and I'm looking for hafnates.", "student"),
        ("Dear colleagues, hafnates. Kind regards, Grace", "Grace"),
    ],
)
def test_small_talk_is_left_unread_and_that_is_told(question, unread):
    made = plan(question)
    assert made.filter == 'elements HAS ALL "Hf","O"'
    assert any(sentence.startswith("left unread: ") and unread in sentence for sentence in made.assumptions)


@pytest.mark.parametrize(
    "question", ["Hello cheap lead, hafnates", "Dear lead-free, hafnates", "hafnates. Thanks, cheap ones"]
)
def test_a_condition_is_no_small_talk(question):
    try:
        made = plan(question)
    except QuestionError:
        return
    assert "Pb" in (made.filter or "")
