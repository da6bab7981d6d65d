"""Which new crystals turn out to be another one when they come to rest: a known one, one of this run, or an earlier run's."""

import night_toys as toys
import pytest
from hysteron.core.candidate import Candidate, Step
from hysteron.flows import memory, twins

SALT = toys.salt("Mg", "O")
OTHER = toys.salt("Mg", "O", "zincblende")


class Store:
    def __init__(self) -> None:
        self.pairs = []

    def add_same_as(self, pairs) -> None:
        self.pairs += list(pairs)


class FakeRun:
    def __init__(self) -> None:
        self.store = Store()


def new(name: str, structure=SALT) -> Candidate:
    return Candidate(name, structure, provenance=(Step("generate", "salts"),))


def known(name: str, structure=SALT) -> Candidate:
    return Candidate(name, structure, provenance=(Step("retrieve", "toys"),))


@pytest.fixture
def judged(monkeypatch):
    """The crystal that each member turned out to be, by id, and the pairs that were noted."""

    def judge(members, seeds=(), standing=(), earlier=()):
        monkeypatch.setattr(memory, "remembered", lambda run: memory.Memory(standing=tuple(standing)))
        monkeypatch.setattr(memory, "at_rest_before", lambda run, formulas: list(earlier))
        run = FakeRun()
        told = {c.candidate_id: c.verdict("novelty") for c in twins.with_novelty(run, members, seeds)}
        for verdict in filter(None, told.values()):
            assert verdict.passed == ("same_as" not in verdict.details)
        return {i: v.details.get("same_as") if v else "not asked" for i, v in told.items()}, run.store.pairs

    return judge


def test_the_first_of_two_that_fall_together_keeps_its_place(judged):
    assert judged([new("b"), new("a"), new("c", OTHER)]) == ({"a": None, "b": "a", "c": None}, [("b", "a")])


def test_what_falls_into_a_known_material_is_no_news_and_known_ones_are_not_asked(judged):
    told, pairs = judged([new("a"), known("k", OTHER)], seeds=[known("seed")])
    assert told == {"a": "seed", "k": "not asked"}
    assert pairs == [("a", "seed")]


def test_what_stands_keeps_its_name_whatever_the_other_is_called(judged):
    assert judged([new("a"), new("z")], standing=["z"])[0] == {"a": "z", "z": None}


def test_what_falls_into_an_earlier_runs_crystal_is_that_one(judged):
    assert judged([new("a"), new("c", OTHER)], earlier=[new("before")])[0] == {"a": "before", "c": None}


def test_what_is_itself_among_the_earlier_ones_is_not_its_own_twin(judged):
    assert judged([new("a")], earlier=[new("a")])[0] == {"a": None}


def test_what_stands_may_have_become_known(judged):
    assert judged([new("z")], seeds=[known("seed")], standing=["z"])[0] == {"z": "seed"}
