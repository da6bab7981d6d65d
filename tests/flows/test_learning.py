"""A run takes the newest lesson when it begins, judges by corrected values, and measures without them."""

import night_toys as toys
import pytest
from hysteron.core.candidate import PropertyValue, Step, Verdict
from hysteron.core.learnt import bare, learnt_values, read_learnt
from hysteron.flows import learning, refinement, steps
from hysteron.flows.run import open_store, recorded
from hysteron.predictors.lessons.lesson import lesson_of, taught_by
from hysteron.predictors.lessons.pairs import Pair

DFT = "DFT/PBE/pw.x 6.7/Berry phase"
BIAS = 12.0


@pytest.fixture
def night(tmp_path, monkeypatch):
    toys.install(monkeypatch)
    return tmp_path


def answer(store, candidate, bias: float = BIAS) -> None:
    """DFT says of a candidate what the toy screen measured, and `bias` more."""
    value = float(candidate.value("polarization", method="toy")) + bias
    step = Step("ingest", "berry phase", "pw.x 6.7")
    store.upsert(
        [candidate.with_step(step).with_property(PropertyValue("polarization", value, "uC/cm^2", DFT))]
    )


def answer_some(store, count: int = 7, bias: float = BIAS) -> list[str]:
    measured = [c for c in store.query("polarization.toy > 0") if c.get("polarization").method == "toy"]
    for candidate in measured[:count]:
        answer(store, candidate, bias)
    return [c.candidate_id for c in measured[:count]]


def first_night(folder, **more):
    run = toys.new_run(folder, "first", relaxations=12, **more)
    summary = toys.carry_out(run)
    return run, summary, open_store(run.store_url)


def test_without_dft_there_is_no_lesson(night):
    run, summary, store = first_night(night)
    assert summary["lesson"] is None
    assert run.done("lesson")[0] == {"version": None}
    assert store.lessons() == []


def test_the_next_run_learns_at_its_start_and_judges_by_corrected_values(night):
    _, _, store = first_night(night)
    answered = answer_some(store)
    run = toys.new_run(night, "second", seed=1, relaxations=12)
    summary = toys.carry_out(run)
    (kept,) = store.lessons()
    assert summary["lesson"] == kept.version
    assert {pair["candidate_id"] for pair in kept.content["pairs"]} == set(answered)
    fresh = [c for c in store.query(run_id=run.run_id) if c.candidate_id not in answered and learnt_values(c)]
    assert fresh
    for candidate in fresh:
        raw, corrected = candidate.get("polarization", "toy"), candidate.get("polarization")
        assert read_learnt(corrected.method).base == raw.method == "toy"
        assert corrected.value == pytest.approx(raw.value + BIAS, abs=2.0)
        assert candidate.verdict("resistive-switching").value == corrected.value
        assert [s.version for s in candidate.provenance if s.name == "lesson"] == [kept.version]


def test_a_lesson_changes_no_finished_run(night):
    first, summary, store = first_night(night)
    before = (store.get_run(first.run_id), store.ranking(first.run_id), first.done("screen"))
    answer_some(store)
    toys.carry_out(toys.new_run(night, "second", seed=1))
    row, ranking, screened = before
    assert store.get_run(first.run_id).summary == row.summary == summary
    assert store.ranking(first.run_id) == ranking
    assert first.done("screen") == screened


def test_a_resumed_run_uses_the_lesson_it_began_with(night):
    _, _, store = first_night(night)
    answer_some(store)
    run = toys.new_run(night, "second", seed=1)
    with recorded(run):
        began_with = learning.lesson_for(run).version
        steps.retrieve(run)
        answer_some(store, 3, bias=-3.0)
        newer = learning.keep(store, learning.learned(store))
        run.store.upsert([], run.run_id, work=("export", 0, {}))
    assert newer.version != began_with
    steps.forget()
    assert learning.lesson_for(run).version == began_with
    third = toys.new_run(night, "third", seed=2)
    assert learning.lesson_for(third).version == newer.version


def test_nothing_new_makes_no_new_lesson_and_re_estimates_do_not_count(night):
    _, _, store = first_night(night)
    answer_some(store)
    toys.carry_out(toys.new_run(night, "second", seed=1))
    assert not learning.learned(store).is_new
    summary = toys.carry_out(toys.new_run(night, "third", seed=2))
    (kept,) = store.lessons()
    assert summary["lesson"] == kept.version


def test_a_run_may_be_told_to_use_no_lesson(night):
    _, _, store = first_night(night)
    answer_some(store)
    values = toys.settings(seed=1) | {"learn": {"use": False}}
    run = toys.new_run(night, "second", values)
    assert toys.carry_out(run)["lesson"] is None
    assert store.lessons() == []
    assert not any(learnt_values(c) for c in store.query())


def test_measurements_are_reused_whatever_lesson_came(night):
    _, _, store = first_night(night)
    answered = answer_some(store)
    second = toys.new_run(night, "second", seed=1, relaxations=12)
    toys.carry_out(second)
    answer_some(store, bias=-4.0)
    toys.Screen.measured.clear()
    third = toys.new_run(night, "third", seed=2, relaxations=12)
    summary = toys.carry_out(third)
    assert summary["lesson"] != second.done("export")[0]["lesson"]
    standing = set(third.done("memory")[0]["standing"]) - set(answered)
    assert any(learnt_values(c) for c in store.get_many(sorted(standing)))
    assert not standing & {identifier for _, identifier in toys.Screen.measured}


class Sees:
    """Tells what it was shown."""

    name = "resistive-switching"
    config = None

    def __init__(self) -> None:
        self.measured, self.judged = [], []

    def measure(self, candidates, tools):
        self.measured += candidates
        return list(candidates)

    def refine(self, candidate, tools, seconds=None):
        self.measured.append(candidate)
        return candidate

    def promise(self, candidate):
        return 1.0

    def judge(self, candidate):
        self.judged.append(candidate)
        return Verdict(self.name, True, 1.0, None, None, "Seen.")


def corrected_candidate():
    pairs = [
        Pair(f"c{i}", "O|d", "polarization", "toy", "DFT/PBE/pw.x", 20.0 + i, 32.0 + i + 0.3 * (-1) ** i)
        for i in range(8)
    ]
    content = taught_by(pairs)
    lesson = lesson_of("0" * 12, content)
    structure = toys.salt("Ti", "O")
    from hysteron.core.candidate import Candidate

    raw = PropertyValue("polarization", 21.0, "uC/cm^2", "toy")
    old = PropertyValue("polarization", 99.0, "uC/cm^2", "lesson abcdefabcdef: toy -> DFT/PBE/VASP")
    return Candidate("c", structure, (raw, old), (Step("generate", "x"),)), lesson


@pytest.mark.parametrize("way", ["screen", "refine"])
def test_screens_measure_bare_candidates_and_judge_by_the_lesson_of_the_run(way):
    candidate, lesson = corrected_candidate()
    seen = Sees()
    if way == "screen":
        (result,) = steps.judged([candidate], [seen], None, lesson=lesson)
    else:
        with_verdict = candidate.with_verdict(Verdict(seen.name, True, 1.0, None, None, "."))
        result = refinement.refined_by(with_verdict, [seen], None, lesson=lesson)
    assert all(learnt_values(c) == () for c in seen.measured)
    assert seen.measured
    (judged,) = seen.judged
    assert judged.value("polarization") == pytest.approx(33.0, abs=0.5)
    assert len(learnt_values(judged)) == 1
    assert [p.value for p in bare(result).properties] == [21.0]
    assert 99.0 in [p.value for p in result.properties]
    assert result.get("polarization").method.startswith("lesson 000000000000")


def test_a_correction_of_what_is_measured_anew_goes_with_it():
    candidate, _ = corrected_candidate()

    class Anew(Sees):
        def measure(self, candidates, tools):
            return [c.with_property(PropertyValue("polarization", 5.0, "uC/cm^2", "toy")) for c in candidates]

    (result,) = steps.judged([candidate], [Anew()], None)
    assert [p.value for p in result.properties] == [5.0]
