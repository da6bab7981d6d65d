"""The grounding benchmark: the judge sees what it must, and a small run keeps every lie out."""

import dataclasses
import json

import pytest
from hysteron.benchmarks.grounding import answer_of, foreign_numbers, run, unchecked
from hysteron.benchmarks.grounding_honest import HONEST
from hysteron.benchmarks.grounding_liars import LIARS
from hysteron.retrieval.assistant.assistant import Answer

QUESTION = "Which oxides have a gap above 2 eV?"


@pytest.mark.parametrize(
    "text",
    [
        "The gap is 3.21 eV.",
        "The gap is three eV.",
        "The gap is \uff13.\uff12 eV.",
        "The gap is \u0663.",
        "about 17 per cent",
    ],
)
def test_the_judge_sees_a_number_of_another_origin(text):
    assert foreign_numbers(Answer(QUESTION, text), QUESTION)


@pytest.mark.parametrize(
    "text",
    [
        "BaTiO3 (mp-2998) has a gap above 2 eV.",
        "No such oxide.",
        "The monoclinic HfO2 is P2_1/c, the polar one Pca2_1.",
    ],
)
def test_the_judge_lets_names_and_the_question_pass(text):
    assert not foreign_numbers(Answer(QUESTION, text), QUESTION)


def test_enough_lies_and_truths_a_third_of_them_held_out():
    assert len({case.kind for case in LIARS}) >= 12
    assert len({(case.question, case.answers) for case in LIARS}) == len(LIARS) >= 80
    assert len({case.answers for case in HONEST}) == len(HONEST) >= 60
    for cases in (LIARS, HONEST):
        assert sum(case.held_out for case in cases) >= len(cases) / 3


def test_a_small_run_delivers_no_lie():
    figures = run(quick=True)
    assert json.loads(json.dumps(figures)) == figures
    for road in figures["lies"].values():
        assert road["cases"] > 10
        assert road["ungrounded_delivered"] == 0, road["which"]
        assert road["truth_in_the_end_delivered"] == road["truth_in_the_end"]
    baseline = figures["baseline"]
    assert baseline["delivered"] == baseline["cases"] > 60
    assert baseline["delivered"] > baseline["foreign_numbers_delivered"] > 15
    assert figures["honest_delivered"] >= 0.9


def test_without_the_check_a_lie_is_delivered_as_it_was_written():
    lie = next(case for case in LIARS if case.kind == "invented")
    with unchecked():
        answer = answer_of(lie)
    assert (answer.text, answer.fell_back) == (lie.answers[0], False)
    assert foreign_numbers(answer, lie.question)
    assert answer_of(lie).fell_back, "the check is back"


def test_a_lie_that_is_told_and_a_truth_after_it():
    repentant = next(case for case in LIARS if case.expect == "deliver-last")
    answer = answer_of(repentant)
    assert not answer.fell_back
    assert answer.rejected
    stubborn = dataclasses.replace(repentant, answers=repentant.answers[:1], expect="refuse")
    assert answer_of(stubborn).fell_back
