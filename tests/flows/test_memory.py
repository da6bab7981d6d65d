"""Several nights on one store: nothing is proposed, relaxed or measured twice, and a resumed run remembers the same."""

import sqlite3
from collections import Counter
from contextlib import closing

import night_toys as toys
import pytest
from equal_stores import assert_equal, content
from hysteron.core.candidate import Candidate, Step
from hysteron.core.contracts import Tools
from hysteron.flows import memory, results, steps
from hysteron.flows.costs import accounts
from hysteron.flows.run import Run
from hysteron.store.store import CandidateStore

NIGHTS = 3


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """Three nights, their summaries, and how often each thing was done in all."""
    folder = tmp_path_factory.mktemp("nights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(folder / "home"))
        toys.install(patch)
        runs = []
        for i in range(NIGHTS):
            runs.append(toys.new_run(folder, f"night-{i}", seed=i))
            toys.carry_out(runs[-1])
            copied(folder / "store.db", folder / f"after-{i}.db")
        counts = [
            Counter(counter) for counter in (toys.Relaxer.relaxed, toys.Screen.measured, toys.Predictor.asked)
        ]
        remembered = [memory.remembered(run) for run in runs]
    return folder, runs, counts, remembered


@pytest.fixture
def world(own_home, monkeypatch):
    """Toys that count from nothing."""
    toys.install(monkeypatch)
    yield monkeypatch
    steps.forget()


def ids(run: Run, stage: str) -> list[str]:
    return [i for payload in run.done(stage).values() for i in payload["ids"]]


def test_no_crystal_is_relaxed_or_measured_twice_and_none_proposed_twice(nights):
    _, runs, (relaxed, measured, _), _ = nights
    assert sum(relaxed.values()) == NIGHTS * 6
    assert set(relaxed.values()) == {1}
    assert set(measured.values()) == {1}
    proposed = [i for run in runs for i in ids(run, "generate")]
    assert len(proposed) == len(set(proposed)) == NIGHTS * 16


def test_a_proposal_is_triaged_once_and_predicted_once_more_when_it_is_at_rest(nights):
    _, runs, (_, _, asked), _ = nights
    relaxed = {i for run in runs for i in ids(run, "relax")}
    assert set(asked.values()) <= {1, 2}
    assert {i for i, count in asked.items() if count == 2} <= relaxed


def test_the_store_grows_and_the_shortlist_holds_the_best_of_all_nights(nights):
    _, runs, _, _ = nights
    found = accounts(runs[0].store, runs[0].store.runs())
    assert [account.relaxed for account in found] == [6] * NIGHTS
    last = runs[-1]
    best = last.done("export")[0]["shortlist"]
    scores = {
        c.candidate_id: c.value("rank_score")
        for c in last.store.get_many(sorted({i for run in runs for i in ids(run, "rank")}))
    }
    new = [i for i in scores if last.store.get(i).provenance[0].stage == "generate"]
    assert set(sorted(new, key=scores.__getitem__)[-3:]) <= set(best)


def test_what_was_left_over_competes_and_some_of_it_is_relaxed_later(nights):
    _, runs, _, remembered = nights
    assert remembered[0] == memory.Memory()
    first = runs[0]
    left = set(ids(first, "generate")) - set(ids(first, "relax"))
    assert set(remembered[1].backlog) == left
    assert set(remembered[1].backlog.values()) == {"salts"}
    assert remembered[1].left_over == len(left) == 10
    taken = {
        run.run_id: set(ids(run, "relax")) & set(known.backlog)
        for run, known in zip(runs, remembered, strict=True)
    }
    assert any(taken.values())
    for run in runs:
        assert set(run.store.run_members(run.run_id, role="left over")) == taken[run.run_id]


def test_of_much_that_is_left_over_the_most_stable_compete(world, tmp_path):
    """As many as are newly proposed, by what the first night expected of them; nothing is expected of them again."""
    one = toys.new_run(tmp_path, "one", proposals=24)
    toys.carry_out(one)
    expected = one.done("triage")[0]["expected"]
    left = sorted(set(ids(one, "generate")) - set(ids(one, "relax")), key=expected.__getitem__)
    two = toys.new_run(tmp_path, "two", seed=1, proposals=8)
    toys.carry_out(two)
    known = memory.remembered(two)
    assert known.left_over == len(left) > 8
    assert list(known.backlog) == left[:8]
    assert not set(two.done("triage")[0]["expected"]) & set(left)


def test_the_best_of_the_last_ranking_stands_and_costs_nothing(nights):
    _, runs, _, remembered = nights
    ranking = runs[0].done("rank")[0]["ids"]
    assert list(remembered[1].standing) == ranking[: 2 * 4]
    assert remembered[1].previous == runs[0].run_id
    assert set(ranking) <= set(ids(runs[1], "screen"))
    taken_over = runs[1].done("screen")
    assert sum(payload["reused"]["stability"] for payload in taken_over.values()) >= len(ranking)


def test_the_run_says_what_it_took_over(nights):
    _, runs, _, remembered = nights
    assert remembered[0].sentence == ""
    assert remembered[1].sentence.startswith(
        "1 earlier run of this question: 10 proposals left over, of which 10"
    )
    assert remembered[2].sentence.startswith("2 earlier runs of this question: ")
    assert "12 crystals were relaxed with this model before" in remembered[2].sentence
    assert "earlier runs: " in runs[2].done("export")[0]["generators"][-1]


def test_regions_are_listed_by_weight_and_then_by_how_much_was_looked_at(nights):
    looks = results.regions_looked_at(nights[1][1])
    order = [(-look.weight, -look.relaxed, -look.proposed) for look in looks]
    assert order == sorted(order)
    assert len({weight for weight, *_ in order}) < len(set(order)), "some weigh the same"


def test_what_was_found_weighs_on_seeds_and_on_the_choice(world, tmp_path):
    generate, by_promise, told = toys.Salts.generate, steps.selection.by_promise, []

    def generating(self, seeds, count, rng, tools):
        told.append(tools.interest)
        return generate(self, seeds, count, rng, tools)

    def choosing(*arguments):
        told.append(arguments[-1])
        return by_promise(*arguments)

    world.setattr(toys.Salts, "generate", generating)
    world.setattr(steps.selection, "by_promise", choosing)
    toys.carry_out(toys.new_run(tmp_path, "one"))
    assert set(told) == {None}, "without a history nothing is weighed"
    told.clear()
    run = toys.new_run(tmp_path, "two", seed=1)
    toys.carry_out(run)
    assert len(told) >= 2
    assert set(told) == {memory.remembered(run).where.interest}


STAGES = ["memory", "relax", "rank"]


@pytest.mark.parametrize("stage", STAGES)
def test_a_second_night_that_died_goes_on_to_the_same_store(nights, world, tmp_path, stage):
    folder, _, _, remembered = nights
    copied(folder / "after-0.db", tmp_path / "store.db")
    run = toys.new_run(tmp_path, "again", seed=1)
    die_in(run, stage, world)
    toys.carry_out(run)
    assert memory.remembered(run) == remembered[1]
    assert_equal(content(tmp_path / "store.db"), content(folder / "after-1.db"))
    assert set(toys.Relaxer.relaxed.values()) == {2 if stage == "relax" else 1} | {1}


def test_it_sees_nothing_of_a_run_that_came_and_went_meanwhile(nights, world, tmp_path):
    folder, runs, _, remembered = nights
    copied(folder / "after-0.db", tmp_path / "store.db")
    run = toys.new_run(tmp_path, "again", seed=1)
    die_in(run, "memory", world)
    toys.carry_out(toys.new_run(tmp_path, "meanwhile", seed=77))
    summary, undisturbed = toys.carry_out(run), runs[1].done("export")[0]
    assert memory.remembered(run) == remembered[1]
    for step in ("generate", "select", "relax", "screen", "rank"):
        assert ids(run, step) == ids(runs[1], step)
    assert summary["shortlist"] == undisturbed["shortlist"]
    who = [[change["candidate_id"] for change in told["since"]["new"]] for told in (summary, undisturbed)]
    assert who[0] == who[1]


def die_in(run: Run, stage: str, patch: pytest.MonkeyPatch) -> None:
    """Begin a run that dies after the work of a stage and before it is written, in its second chunk if it has chunks."""
    upsert = CandidateStore.upsert
    chunk = 1 if stage in ("generate", "relax", "screen") else 0

    def dying(self, candidates, *arguments, work=None, **more):
        if work and work[:2] == (stage, chunk):
            raise MemoryError("killed")
        upsert(self, candidates, *arguments, work=work, **more)

    with patch.context() as inner:
        inner.setattr(CandidateStore, "upsert", dying)
        with pytest.raises(MemoryError):
            toys.carry_out(run)


def copied(source, target) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_what_a_run_relaxed_and_never_judged_is_judged_by_the_next_one_at_no_cost(world, tmp_path):
    died = toys.new_run(tmp_path, "died")
    die_in(died, "rank", world)
    run = toys.new_run(tmp_path, "next", seed=1)
    toys.carry_out(run)
    paid, known = set(ids(died, "relax")), memory.remembered(run)
    assert known.where.average is None, "what nobody has judged tells nothing of a region"
    assert paid <= set(known.backlog)
    assert set(known.backlog.values()) == {"salts"}
    assert {i for payload in run.done("relax").values() for i in payload["reused"]} == paid
    assert paid <= set(ids(run, "screen"))
    assert set(toys.Relaxer.relaxed.values()) == {1}
    after = toys.new_run(tmp_path, "after", seed=2)
    assert not paid & set(memory.remembered(after).backlog)


def test_what_runs_side_by_side_have_ranked_stands_together(world, tmp_path):
    beside = toys.new_run(tmp_path, "beside", seed=3)
    last = toys.new_run(tmp_path, "last", seed=4)
    for run in (beside, last):
        toys.carry_out(run)
    known = memory.remembered(toys.new_run(tmp_path, "next", seed=5))
    assert known.previous == last.run_id
    rankings = [run.done("rank")[0]["ids"][: 2 * 4] for run in (last, beside)]
    assert known.standing[:2] == (rankings[0][0], rankings[1][0])
    assert set(known.standing) == {*rankings[0], *rankings[1]}


def test_a_finished_run_that_is_resumed_keeps_its_ranking_and_its_place(world, tmp_path):
    first = toys.new_run(tmp_path, "first")
    toys.carry_out(first)
    ranking = first.done("rank")
    run = toys.new_run(tmp_path, "next", seed=1)
    die_in(run, "rank", world)
    with world.context() as patch:
        patch.setattr(steps.twins, "with_novelty", lambda *_: pytest.fail("it has been ranked"))
        toys.carry_out(first)
    assert first.done("rank") == ranking
    assert toys.carry_out(run)["since"]["run_id"] == first.run_id


# Other questions, other models


def test_another_question_takes_relaxations_and_measurements_over(world, tmp_path):
    """Its own shortlist is empty, so it proposes the same crystals anew; what was relaxed is not relaxed again."""
    one = toys.new_run(tmp_path, "one")
    toys.carry_out(one)
    first, first_ids = Counter(toys.Relaxer.relaxed), set(ids(one, "relax"))
    measured = Counter(toys.Screen.measured)
    asking = toys.settings(preset="ferroelectric", relaxations=2)
    run = toys.new_run(tmp_path, "two", asking)
    summary = toys.carry_out(run)
    assert memory.remembered(run).earlier == 0
    reused = [i for payload in run.done("relax").values() for i in payload["reused"]]
    assert set(reused) == first_ids
    assert sum(toys.Relaxer.relaxed.values()) - sum(first.values()) == 2, (
        "what is taken over is no part of the budget"
    )
    assert set(toys.Relaxer.relaxed.values()) == set(toys.Screen.measured.values()) == {1}
    assert len(ids(run, "relax")) == 2 + len(reused)
    assert f"({len(reused)} of them by another run)" in summary["sentence"]
    account = accounts(run.store, run.store.runs(1))[0]
    assert (account.relaxed, account.reused) == (2, len(reused))
    assert account.measured_before >= sum(measured[("stability", i)] for i in reused)


def test_what_a_concurrent_run_relaxed_meanwhile_is_taken_over(world, tmp_path):
    one = toys.new_run(tmp_path, "one")
    die_in(one, "relax", world)
    two = toys.new_run(tmp_path, "two", preset="ferroelectric")
    toys.carry_out(two)
    toys.carry_out(one)
    second = one.done("relax")[1]
    at_rest = {c.candidate_id for c in one.store.get_many(second["ids"]) if memory.is_at_rest(c, RELAXER)}
    assert at_rest
    assert set(second["reused"]) == at_rest
    assert not at_rest & memory.past(one).paid, "it was not there when this run began"


def test_what_flew_apart_is_not_tried_again_with_the_same_model(world, tmp_path):
    run = toys.new_run(tmp_path, "one", relaxations=16)
    toys.carry_out(run)
    vain = {
        c.candidate_id for c in run.store.get_many(ids(run, "relax")) if toys.VAIN in c.structure.symbol_set
    }
    assert vain
    again = toys.new_run(tmp_path, "two", preset="ferroelectric", relaxations=16)
    toys.carry_out(again)
    reused = {i for payload in again.done("relax").values() for i in payload["reused"]}
    assert vain <= reused
    assert max(toys.Relaxer.relaxed.values()) == 1


def test_with_other_weights_all_is_done_anew_and_both_values_stand(world, tmp_path):
    one = toys.new_run(tmp_path, "one")
    toys.carry_out(one)
    toys.use_model(world, "bbbb")
    world.setattr(toys.Potential, "name", "Toy 2.0")
    two = toys.new_run(tmp_path, "two", relaxations=16)
    toys.carry_out(two)
    assert not any(payload["reused"] for payload in two.done("relax").values())
    twice = set(ids(one, "relax")) & set(ids(two, "relax"))
    assert twice, "what the old model has relaxed is left over for the new one"
    for candidate in two.store.get_many(sorted(twice)):
        if toys.VAIN not in candidate.structure.symbol_set:
            assert {p.method for p in candidate.all_of("energy_per_atom")} == {"Toy 1.0", "Toy 2.0"}
    assert not memory.remembered(two).standing


def test_what_other_weights_judged_is_not_judged_by_these(world, tmp_path):
    one = toys.new_run(tmp_path, "one")
    toys.carry_out(one)
    toys.use_model(world, "bbbb")
    two = toys.new_run(tmp_path, "two", seed=1, relaxations=16)
    die_in(two, "rank", world)
    assert set(ids(one, "relax")) & set(ids(two, "relax"))
    three = toys.new_run(tmp_path, "three", seed=2)
    assert set(memory.past(three).unjudged) == set(ids(two, "relax"))


def test_other_windows_are_judged_and_measured_anew(world, tmp_path):
    toys.carry_out(toys.new_run(tmp_path, "one"))
    before = Counter(toys.Screen.measured)
    screens = [
        {"name": "stability", "settings": {"limit": 0.9}},
        {"name": "resistive-switching", "settings": {}},
    ]
    run = toys.new_run(tmp_path, "two", toys.settings(screen=screens, seed=1))
    toys.carry_out(run)
    standing = memory.remembered(run).standing
    assert standing
    for identifier in standing:
        assert toys.Screen.measured["stability", identifier] == before["stability", identifier] + 1
        assert toys.Screen.measured["resistive-switching", identifier] == 1


def test_what_was_set_aside_is_judged_anew_when_a_window_is_widened(world, tmp_path):
    """As many a night as one night relaxes, the most stable first; with the same windows not again."""
    narrow = [
        {"name": "stability", "settings": {"limit": 0.1}},
        {"name": "resistive-switching", "settings": {}},
    ]
    one = toys.new_run(tmp_path, "one", toys.settings(screen=narrow, relaxations=14))
    toys.carry_out(one)
    ranked = set(ids(one, "rank"))
    nights = [toys.new_run(tmp_path, "two", seed=1)]
    set_aside = set(ids(one, "relax")) - ranked
    assert set_aside
    toys.carry_out(nights[0])
    assert memory.remembered(nights[0]).unjudged == len(set_aside)
    assert set(ids(nights[0], "select")[: len(set_aside)]) == set_aside
    assert set_aside <= set(ids(nights[0], "screen"))
    assert set_aside & set(ids(nights[0], "rank")), "some pass the wider window"
    assert set(toys.Relaxer.relaxed.values()) == {1}
    assert "relaxed ones not judged by these screens" in memory.remembered(nights[0]).sentence
    nights.append(toys.new_run(tmp_path, "three", seed=2))
    toys.carry_out(nights[1])
    assert memory.remembered(nights[1]).unjudged == 0
    assert not set_aside & set(ids(nights[1], "relax"))


def test_of_much_that_was_set_aside_as_much_is_judged_as_a_night_relaxes(world, tmp_path):
    narrow = [{"name": "stability", "settings": {"limit": 0.0}}]
    for i in range(2):
        toys.carry_out(toys.new_run(tmp_path, f"narrow-{i}", toys.settings(screen=narrow, seed=i)))
    run = toys.new_run(tmp_path, "wide", seed=2)
    known, set_aside = memory.remembered(run), set(memory.past(run).unjudged)
    assert known.unjudged == len(set_aside) == 12
    assert len(set_aside & set(known.backlog)) == 6


def test_what_a_run_relaxed_that_noted_no_model_is_settled_and_not_paid(world, tmp_path):
    old = toys.new_run(tmp_path, "old")
    toys.carry_out(old)
    for chunk, payload in old.done("relax").items():
        noted = {name: payload[name] for name in ("ids", "seconds", "converged")}
        old.store.upsert([], old.run_id, work=("relax", chunk, noted))
    before = memory.past(toys.new_run(tmp_path, "new", seed=1))
    assert before.settled == set(ids(old, "relax"))
    assert not before.paid
    assert not set(before.left_over) & before.settled


def test_generators_with_other_settings_leave_their_proposals_to_themselves(world, tmp_path):
    one = toys.new_run(tmp_path, "one")
    toys.carry_out(one)
    tables = [{"name": "salts", "share": 1.0, "settings": {"skip_known": False}}]
    two = toys.new_run(tmp_path, "two", toys.settings(generator=tables, seed=1))
    known = memory.remembered(two)
    assert (known.earlier, known.left_over) == (1, 0)
    assert known.standing


def test_a_scheduled_night_has_a_seed_of_its_own_however_the_last_one_ended(world, tmp_path):
    seeds = []
    for status in ("finished", "failed", "interrupted", "running"):
        values = toys.settings(seed=5)
        run = toys.launch.new_run(values, str(tmp_path / "s.db"), tmp_path / status, advance_seed=True)
        run.store.set_status(run.run_id, status)
        seeds.append(run.settings.run.seed)
        assert run.store.get_run(run.run_id).seed == seeds[-1]
    assert seeds == [5, 6, 7, 8]
    toys.launch.resume("last", str(tmp_path / "s.db"))
    assert run.settings.run.seed == 8
    assert len(run.store.runs()) == 4


# The rules by themselves


def step(stage: str, name: str = "", version: str = "", config: str = "") -> Step:
    return Step(stage, name, version, config)


RELAXER = toys.Relaxer()
OURS = step("relax", "Toy 1.0", memory.step_version(RELAXER))
THEIRS = step("relax", "Toy 1.0", memory.step_version(toys.Relaxer("bbbb")))


def candidate(*provenance: Step) -> Candidate:
    return Candidate("x", toys.salt("Mg", "O"), provenance=provenance)


@pytest.mark.parametrize(
    ("steps_", "paid", "settled", "at_rest"),
    [
        ([], False, False, False),
        ([], True, True, False),  # it flew apart: no step tells of it
        ([OURS], True, True, True),
        ([OURS], False, False, True),  # a concurrent run's, which the snapshot does not hold
        ([OURS, THEIRS], True, False, False),
        ([THEIRS, OURS], True, True, True),
        ([THEIRS], False, False, False),
        ([OURS, step("ingest", "VASP")], True, True, True),
    ],
)
def test_what_is_settled_and_what_is_at_rest(steps_, paid, settled, at_rest):
    one = candidate(*steps_)
    assert memory.is_settled(one, RELAXER, {"x"} if paid else set()) == settled
    assert memory.is_at_rest(one, RELAXER) == at_rest


def test_a_measurement_holds_for_its_settings_models_and_geometry():
    screen = toys.Stability()
    measured = screen.measure([candidate(OURS)], Tools())[0]
    assert not memory.is_measured(measured, screen, "m1")
    marked = memory.with_models(measured, "stability", "m1")
    assert memory.with_models(marked, "stability", "m1") == marked
    assert memory.is_measured(marked, screen, "m1")
    assert not memory.is_measured(marked, screen, "m2")
    assert not memory.is_measured(marked, toys.Stability(screen.config_model(limit=0.1)), "m1")
    assert not memory.is_measured(marked.with_step(step("ingest", "VASP")), screen, "m1")
    assert not memory.is_measured(marked, toys.Device(), "m1")


def test_a_prediction_holds_for_its_version_and_geometry():
    oracle = toys.Predictor()
    told = oracle.predict([candidate(OURS)])[0]
    assert memory.is_predicted(told, oracle)
    assert not memory.is_predicted(told.with_step(THEIRS), oracle)
    assert not memory.is_predicted(told.with_step(step("predict", "oracle", "oracle 0")), oracle)
    assert not memory.is_predicted(candidate(OURS), oracle)


def test_a_question_is_preset_words_and_sources():
    base = toys.settings()
    assert memory.question_of(toys.settings(seed=9, relaxations=99)) == memory.question_of(base)
    for other in (
        toys.settings(preset="ferroelectric"),
        toys.settings(question="perovskites"),
        base | {"source": [{"name": "catalog", "filter": "nsites < 9", "path": None}]},
    ):
        assert memory.question_of(other) != memory.question_of(base)


def test_shares_do_not_tell_generators_apart_but_settings_and_silence_do():
    tables = [{"name": "a", "share": 1, "settings": {"x": 1}}, {"name": "b", "share": 2, "settings": {}}]
    hashed = memory.generators_of({"generator": tables})
    assert memory.generators_of({"generator": [tables[1] | {"share": 1}, tables[0]]}) == hashed
    assert memory.generators_of({"generator": [tables[0], tables[1] | {"share": 0}]}) != hashed
    assert memory.generators_of({"generator": [tables[0] | {"settings": {"x": 2}}, tables[1]]}) != hashed
