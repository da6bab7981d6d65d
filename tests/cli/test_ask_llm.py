"""`hysteron ask --llm`, with a scripted model behind a real HTTP endpoint on this machine."""

import json

import pytest
from hysteron.benchmarks.grounding_script import CALLS, Case, endpoint
from hysteron.benchmarks.grounding_world import Library
from hysteron.cli.main import main
from hysteron.retrieval.optimade.source import ProviderReport

pytest.importorskip("pydantic_ai")
QUESTION = "What is the band gap of BaTiO3?"
CALLS_OF_TESTS = {
    "gap": ("ask_electronic", "search", {"arguments": {"formulas": ["BaTiO3"], "tell": ["band_gap"]}})
}


@pytest.fixture
def answer(monkeypatch, capsys):
    """Ask the scripted model through the command line: (exit code, standard output, standard error)."""
    monkeypatch.setitem(CALLS, "gap", CALLS_OF_TESTS["gap"])

    def ask(*texts: str, options=("--format", "table")):
        with endpoint() as (url, scripts):
            scripts["toy"] = Case("test", QUESTION, texts, ("gap",))
            code = main(["ask", QUESTION, "--llm", f"{url}#toy", *options])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_a_grounded_answer_comes_with_value_method_and_source(answer):
    code, out, err = answer("The band gap of BaTiO3 (mp-5986) is {{mp-5986.band_gap}}.")
    assert code == 0
    assert "1.83 eV (PBE" in out
    assert "https://next-gen.materialsproject.org/materials/mp-5986" in out
    assert 'Filter: formula = "BaTiO3"' in out
    assert "tokens" in out
    assert "nothing leaves" in err, "who receives what is said before the first call"


@pytest.mark.parametrize(
    "lie", ["The band gap of BaTiO3 is 3.2 eV.", "BaTiO3 has a gap of three electronvolts."]
)
def test_an_invented_number_does_not_come_through(answer, lie):
    code, out, _ = answer(lie)
    assert code == 0
    assert lie not in out
    assert "3.2" not in out
    assert "three electronvolts" not in out
    assert "1.83 eV" in out, "the table stands alone"


def test_programs_get_the_records(answer):
    code, out, err = answer("The gap is {{mp-5986.band_gap}}.", options=("--format", "jsonl"))
    assert code == 0
    assert {json.loads(line)["formula"] for line in out.splitlines()} == {"BaTiO3"}
    assert "1.83 eV" in err


def test_what_the_source_has_to_say_is_told_and_a_failed_part_ends_with_1(answer, monkeypatch):
    library = Library()
    monkeypatch.setattr("hysteron.cli.ask.source_named", lambda name, store: library)
    text = "The band gap of BaTiO3 (mp-5986) is {{mp-5986.band_gap}}."
    library.notes = ("Only the first 10 records were taken.",)
    code, _, err = answer(text)
    assert code == 0
    assert "Only the first 10 records were taken." in err
    library.reports = (ProviderReport("far", "https://far.example", "CC BY 4.0", error="It did not answer."),)
    code, out, err = answer(text)
    assert code == 1
    assert "It did not answer." in err
    assert "3.214 eV (HSE06" in out, "what was found is told all the same"


def test_an_endpoint_that_is_not_there_leaves_the_planners_answer(capsys):
    code = main(["ask", QUESTION, "--llm", "http://127.0.0.1:9/v1#toy", "--format", "table"])
    said = capsys.readouterr()
    assert code == 0
    assert "1.83" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_key_is_never_shown(answer, monkeypatch):
    monkeypatch.setenv("HYSTERON_LLM_KEY", "sk-secret-0123456789")
    _, out, err = answer("The band gap is 3.2 eV.")
    assert "sk-secret" not in out + err


def test_a_model_that_is_none_is_refused(capsys):
    assert main(["ask", QUESTION, "--llm", "parrot"]) == 2
    assert "openai:" in capsys.readouterr().err
