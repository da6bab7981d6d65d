"""What may be said and what may not: answers seen before, the pieces that judge them, and what records may tell."""

import dataclasses
import json
from pathlib import Path

import pytest
from hysteron.benchmarks.grounding_script import CALLS
from hysteron.benchmarks.grounding_world import HOSTILE, HOSTILE_MATERIALS, MATERIALS, Library, Procedures
from hysteron.core.errors import FilterError, SettingsError
from hysteron.retrieval.answer import Found
from hysteron.retrieval.assistant import models, numerals, records
from hysteron.retrieval.assistant.agents import Desk, find_recipes, search_materials, supervisor
from hysteron.retrieval.assistant.conditions import conditions
from hysteron.retrieval.assistant.domains import DOMAINS
from hysteron.retrieval.assistant.grounding import Grounded, ground
from hysteron.retrieval.assistant.ledger import Ledger, Unresolved
from hysteron.retrieval.assistant.limits import Limits, Usage, price_is_known
from hysteron.retrieval.assistant.rendering import number
from hysteron.retrieval.assistant.text import plain
from hysteron.retrieval.assistant.tools import Bound, Search, plan_of
from hysteron.retrieval.assistant.words import known
from hysteron.retrieval.plan import Plan

SEEN = [json.loads(line) for line in Path(__file__).with_name("seen.jsonl").read_text().splitlines()]
QUESTION = "What is the band gap of BaTiO3?"


def desk_for(calls, question=QUESTION):
    limits = Limits()
    sources = {"library": Library(MATERIALS + HOSTILE_MATERIALS)}
    desk = Desk(question, sources, Procedures(), limits, limits.as_usage_limits(priced=False))
    for name in calls:
        _, tool, arguments = CALLS[name]
        if tool == "search":
            search_materials(desk, DOMAINS[1], Search(**arguments["arguments"]), "", ["library"])
        else:
            find_recipes(desk, arguments["formula"])
    return desk


@pytest.fixture(scope="module")
def ledger():
    return desk_for(["all"]).ledger


def test_no_later_rule_takes_amiss_or_lets_pass_what_was_seen_before():
    ledgers = {calls: desk_for(calls).ledger for calls in {tuple(seen["calls"]) for seen in SEEN}}
    wrong = []
    for seen in SEEN:
        result = ground(seen["answer"], ledgers[tuple(seen["calls"])], seen["question"])
        if isinstance(result, Grounded) != (seen["expect"] == "deliver"):
            wrong.append((seen["answer"], getattr(result, "problems", "delivered")))
    assert len(SEEN) > 250
    assert not wrong


def test_values_are_rendered_with_unit_method_material_and_source(ledger):
    result = ground("The gap of GaN is {{mp-804.band_gap}} eV.", ledger, QUESTION)
    assert isinstance(result, Grounded)
    assert result.text == "The gap of GaN is 1.727 eV (PBE, GaN) [1]."
    assert result.sources == (
        "[1] GaN mp-804 band_gap, PBE, Materials Project 2018-2022 2026.11.20, "
        "https://next-gen.materialsproject.org/materials/mp-804",
    )


def test_of_several_polymorphs_the_label_names_the_record(ledger):
    result = ground("Cubic BaTiO3 has a gap of {{mp-2998.band_gap}}.", ledger, QUESTION)
    assert "(PBE, BaTiO3 mp-2998)" in result.text


def test_a_property_that_the_sentence_does_not_name_stands_in_the_label(ledger):
    result = ground("GaN reaches {{mp-804.bulk_modulus}}.", ledger, QUESTION)
    assert "(bulk modulus, PBE, GaN)" in result.text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a &#51; b", "a 3 b"),
        ("\uff13 \u00b2", "3 2"),
        ("th\u200bree", "three"),
        ("caf\u00e9", "cafe"),
        ("**bold** `x`", "bold x"),
        ("1. one\n2. two\n4. four", "* one\n* two\n4. four"),
        ("a \u2014 b", "a, b"),
        ("gap \u2248 {{x.y}}", "gap about {{x.y}}"),
        ("e.g. this", "for example this"),
    ],
)
def test_disguises_come_off_before_anything_is_read(written, read):
    assert plain(written) == read


@pytest.mark.parametrize(
    "word",
    [
        "three",
        "Thirds",
        "dozen",
        "twice",
        "drei",
        "trois",
        "zwo",
        "sette",
        "vijf",
        "dvadtsat",
        "ichi",
        "tenfold",
        "unity",
    ],
)
def test_number_words_are_known_as_such(word):
    assert numerals.number_word(word)


@pytest.mark.parametrize("word", ["zweiunddreissig", "threepointtwo", "trentadue", "fiftyish"])
def test_numbers_written_in_one_piece_are_taken_apart(word):
    assert not known(word)


@pytest.mark.parametrize("word", ["due", "often", "weight", "ferroelectricity", "Hubbard", "underestimates"])
def test_plain_words_are_no_numbers(word):
    assert known(word)
    assert not numerals.number_word(word)


def test_conditions_of_a_question():
    found = conditions(
        "gap above 2 eV, bulk modulus at most 150 GPa, between 3 and 6 K, more than three elements"
    )
    said = {(c.sign, c.numbers, c.units) for c in found}
    assert said == {
        (">", ("2",), "eV"),
        ("<=", ("150",), "GPa"),
        ("between", ("3", "6"), "K"),
        (">", ("three",), "elements"),
    }


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.8312, "1.831"), (0.0, "0"), (16.0, "16"), (12345.678, "12346"), (0.00012347, "0.0001235")],
)
def test_numbers_are_written_without_exponents(value, shown):
    assert number(value) == shown


def test_free_text_of_records_is_not_admitted():
    ledger = desk_for(["all", "hostile"]).ledger
    assert not any(HOSTILE in str(value) for entry in ledger for value in dataclasses.astuple(entry))
    assert records.method(HOSTILE) == records.UNNAMED
    assert records.formula(HOSTILE) is None
    assert records.material_id(HOSTILE) is None
    assert records.doi(HOSTILE) == ""
    assert records.number(float("nan")) is None


def test_a_placeholder_that_names_nothing_says_what_there_is(ledger):
    with pytest.raises(Unresolved, match="band_gap"):
        ledger.resolve("mp-804.band_gab")
    with pytest.raises(Unresolved, match="mp-804"):
        ledger.resolve("mp-805.band_gap")


def test_ids_that_two_materials_share_do_not_mix_their_values():
    other = dataclasses.replace(MATERIALS[3], provenance=MATERIALS[4].provenance)
    ledger = Ledger()
    ledger.add_found(Found(Plan("q", None), (MATERIALS[4], other), 2, "library", "1"))
    assert {entry.formula for entry in ledger.of("mp-149")} == {"Si"}


def test_typed_arguments_become_the_filter_that_the_planner_would_make():
    search = Search(
        elements_all=["Ti", "O"],
        exclude=["Pb"],
        bounds=[Bound(property="band_gap.pbe", at_least=2)],
        near_hull=True,
        ids=["mp-5986"],
        sort_by="band_gap",
        descending=True,
        tell=["band_gap"],
    )
    plan = plan_of(search, QUESTION)
    assert plan.filter == (
        'elements HAS ALL "Ti", "O" AND NOT elements HAS ANY "Pb" AND material_id = "mp-5986" '
        "AND energy_above_hull <= 0.05 AND band_gap.pbe >= 2"
    )
    assert (plan.sort, plan.asks) == ("-band_gap", ("band_gap",))
    assert "near the hull: energy_above_hull <= 0.05 eV/atom" in plan.assumptions


@pytest.mark.parametrize(
    "search",
    [
        Search(elements_all=["Xx"]),
        Search(formulas=['Fe" OR nsites > 0']),
        Search(bounds=[Bound(property="bandgap")]),
        Search(bounds=[Bound(property="band_gap", at_least=float("inf"))]),
        Search(ids=["ignore all"]),
    ],
)
def test_arguments_that_do_not_exist_are_refused(search):
    with pytest.raises(FilterError):
        plan_of(search, QUESTION)


def test_the_store_has_an_assistant_only_if_there_is_a_store():
    from pydantic_ai.models.test import TestModel

    def tools(sources):
        limits = Limits()
        desk = Desk(QUESTION, sources, None, limits, limits.as_usage_limits(priced=False))
        return set(supervisor(TestModel(), desk)._function_toolset.tools)

    assert "ask_store" not in tools({"library": Library()})
    assert "ask_store" in tools({"library": Library(), "store": Library()})
    assert "ask_synthesis" not in tools({"library": Library()})


def test_a_key_goes_to_its_own_host_and_never_in_the_clear(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-openai")
    monkeypatch.delenv("HYSTERON_LLM_KEY", raising=False)
    endpoint = models.open_endpoint("https://elsewhere.example/v1#some-model")
    assert endpoint.model.client.api_key != "sk-openai"
    monkeypatch.setenv("HYSTERON_LLM_KEY", "sk-hysteron")
    with pytest.raises(SettingsError, match="unencrypted"):
        models.open_endpoint("http://elsewhere.example/v1#some-model")


@pytest.mark.parametrize(
    "name", ["openai:", "http://user:sk-secret@host/v1#m", "https://host/v1", "https:///v1#m"]
)
def test_names_of_models_that_do_not_fit_are_refused_without_telling_a_secret(name):
    with pytest.raises(SettingsError) as refused:
        models.address_of(name)
    assert "sk-secret" not in str(refused.value)


def test_usage_is_said_and_prices_are_only_known_of_hosted_models():
    assert "cost unknown" in Usage(1, 2, 3, 0.5).sentence()
    assert "0.0123 US dollars" in Usage(1, 2, 3, 0.5, 0.0123).sentence()
    assert price_is_known("gpt-4o", "openai")
    assert not price_is_known("gpt-4o", "compatible")
