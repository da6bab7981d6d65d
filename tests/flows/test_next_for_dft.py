"""Who is asked of DFT: by the ranking or by what an answer may add, and nobody twice."""

import night_toys as toys
import pytest
from hysteron.core.candidate import PropertyValue, Step
from hysteron.flows import steps
from hysteron.flows.next_for_dft import is_answered, next_for_dft
from hysteron.flows.run import open_store

DFT = "DFT/PBE/pw.x 6.7/Berry phase"


@pytest.fixture
def night(tmp_path, monkeypatch):
    toys.install(monkeypatch)
    return tmp_path


def finished(folder, choose: str, top: int = 3):
    values = toys.settings(relaxations=24, proposals=40)
    values["screen"] = [
        {"name": "stability", "settings": {"limit": 1.1}},
        {"name": "resistive-switching", "settings": {}},
    ]
    values["export"] = {"formats": [], "top": top, "choose": choose}
    run = toys.new_run(folder, choose, values)
    toys.carry_out(run)
    steps.forget()
    ranking = run.done("rank")[0]["ids"]
    assert len(ranking) > 5
    return run, ranking, open_store(run.store_url)


def answer(store, identifier: str, value: float, method: str = DFT) -> None:
    candidate = store.get(identifier).with_step(Step("ingest", "berry phase"))
    store.upsert([candidate.with_property(PropertyValue("polarization", value, "uC/cm^2", method))])


def test_by_rank_the_head_of_the_ranking_is_asked(night):
    run, ranking, _ = finished(night, "rank")
    asked = next_for_dft(run, ranking)
    assert [one.candidate.candidate_id for one in asked] == ranking[:3]
    assert asked[0].why == "place 1 of the ranking"


@pytest.mark.parametrize("choose", ["rank", "improvement", "bound"])
def test_nobody_is_asked_twice(night, choose):
    run, ranking, store = finished(night, choose)
    answer(store, ranking[0], 30.0)
    chosen = [one.candidate.candidate_id for one in next_for_dft(run, ranking)]
    assert len(chosen) == 3
    assert ranking[0] not in chosen


def test_an_answer_by_another_functional_does_not_count(night):
    _, ranking, store = finished(night, "rank")
    answer(store, ranking[0], 30.0, "DFT/HSE06/VASP 6.4")
    answer(store, ranking[1], 30.0, "DFT/PBE+U/VASP 6.4")
    assert not is_answered(store.get(ranking[0]))
    assert is_answered(store.get(ranking[1]))


@pytest.mark.parametrize("choose", ["improvement", "bound"])
def test_by_gain_the_reason_tells_the_gain_the_goals_and_what_is_not_stated(night, choose):
    run, ranking, store = finished(night, choose)
    answer(store, ranking[-1], 12.0)
    first, *_ = next_for_dft(run, ranking)
    verb = "is expected to add" if choose == "improvement" else "may add"
    assert first.why.startswith(verb)
    assert "the 1 that DFT has answered" in first.why
    assert "stability" in first.why
    assert "no uncertainty is stated of energy above hull, polarization" in first.why


def test_a_far_better_certain_answer_leaves_nothing_to_the_worse(night):
    run, ranking, store = finished(night, "improvement", top=1)
    for identifier in ranking[1:]:
        answer(store, identifier, 11.0)
    (only,) = next_for_dft(run, ranking)
    assert only.candidate.candidate_id == ranking[0]
