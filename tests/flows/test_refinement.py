"""Which candidates are refined, in which order, and that a resumed run goes on with the same ones."""

from types import SimpleNamespace

import pytest
from hysteron.core.candidate import PropertyValue, Step, Verdict
from hysteron.core.contracts import Tools
from hysteron.flows import refinement
from hysteron.flows.run_settings import RunSettings
from screening_toys import candidate

NAMES = ("strontium_titanate", "titania_rutile", "barium_titanate_cubic")


class Refines:
    """Promises what it is told; refining adds a barrier."""

    name = "resistive-switching"

    def __init__(self, **promises: float) -> None:
        self.promises = promises
        self.seconds: list[float | None] = []

    def measure(self, candidates, tools):
        return list(candidates)

    def judge(self, one):
        passed = one.get("migration_barrier") is not None
        return Verdict(self.name, passed, float(passed), None, None, "Refined." if passed else "Not refined.")

    def promise(self, one):
        return self.promises.get(one.candidate_id, 0.0)

    def refine(self, one, tools, seconds=None):
        self.seconds.append(seconds)
        return one.with_property(PropertyValue("migration_barrier", 0.5, "eV", "toy"))


class Store:
    """What the refinement needs of a store."""

    def __init__(self, candidates) -> None:
        self.candidates = {c.candidate_id: c for c in candidates}
        self.work: dict[str, dict[int, dict]] = {}

    def get_many(self, ids):
        return [self.candidates[i] for i in ids]

    def newest_lesson(self):
        return None

    def answered_ids(self):
        return []

    def upsert(self, candidates, run_id=None, stage=None, work=None):
        self.candidates |= {c.candidate_id: c for c in candidates}
        kind, place, payload = work
        self.work.setdefault(kind, {})[place] = payload


class FakeRun:
    """A run whose every crystal is to be screened."""

    run_id = "toy"

    def __init__(self, candidates, **flow) -> None:
        self.store = Store(candidates)
        self.settings = RunSettings.model_validate({"run": {"relaxations": 500}, "flow": flow})

    def done(self, kind):
        return self.store.work.get(kind, {})


def judged(name: str, stable: bool = True):
    verdicts = [
        Verdict("stability", stable, 1.0 if stable else 0.0, None, None, "."),
        Verdict("resistive-switching", False, None, None, None, "Not judged."),
    ]
    one = candidate(name).with_step(Step("retrieve", "toy", "1"))
    for verdict in verdicts:
        one = one.with_verdict(verdict)
    return one


@pytest.fixture
def prepared(monkeypatch):
    def make(screen, members, **flow):
        run = FakeRun(members, **flow)
        monkeypatch.setattr(refinement.toolbox, "screens", lambda settings: [screen])
        monkeypatch.setattr(refinement.toolbox, "tools", lambda settings, seconds=None: Tools())
        monkeypatch.setattr(refinement, "to_screen", lambda run: [c.candidate_id for c in members])
        return run

    return make


def test_the_most_promising_come_first_and_no_more_than_asked(prepared):
    screen = Refines(strontium_titanate=0.2, titania_rutile=0.9, barium_titanate_cubic=0.5)
    run = prepared(screen, [judged(name) for name in NAMES], refine=2)
    done = [refinement.refine(run, place) for place in refinement.refine_places(run)]
    assert done == ["titania_rutile", "barium_titanate_cubic"]
    assert run.store.candidates["titania_rutile"].verdict("resistive-switching").passed
    assert screen.seconds == [None, None]  # a fixed amount of work: no clock decides


def test_a_resumed_run_goes_on_with_the_same_ones(prepared):
    screen = Refines(**dict.fromkeys(NAMES, 0.5))
    run = prepared(screen, [judged(name) for name in NAMES], refine=3)
    places = refinement.refine_places(run)
    first = refinement.refine(run, next(places))
    screen.promises[first] = 0.0
    left = list(refinement.refine_places(run))
    assert left == [1, 2]
    assert run.done("to-refine")[0]["ids"] == sorted(NAMES)


def test_what_promises_nothing_or_is_unstable_is_left_out(prepared):
    screen = Refines(strontium_titanate=0.5, titania_rutile=0.0, barium_titanate_cubic=0.5)
    members = [judged("strontium_titanate"), judged("titania_rutile"), judged("barium_titanate_cubic", False)]
    run = prepared(screen, members)
    list(refinement.refine_places(run))
    assert run.done("to-refine")[0]["ids"] == ["strontium_titanate"]


def test_nothing_is_refined_where_it_is_switched_off_or_no_screen_can(prepared):
    run = prepared(Refines(titania_rutile=1.0), [judged("titania_rutile")], refine=0)
    assert list(refinement.refine_places(run)) == []
    plain = SimpleNamespace(name="stability", measure=None, judge=None)
    run = prepared(plain, [judged("titania_rutile")])
    assert list(refinement.refine_places(run)) == []


def test_no_time_left_ends_it(prepared, monkeypatch):
    run = prepared(Refines(titania_rutile=1.0), [judged("titania_rutile")])
    monkeypatch.setattr(refinement, "seconds_left", lambda run, share: 3.0)
    assert list(refinement.refine_places(run)) == []
    monkeypatch.setattr(refinement, "seconds_left", lambda run, share: 100.0)
    assert list(refinement.refine_places(run)) == [0]


@pytest.mark.parametrize(
    ("tables", "count"),
    [
        ({"run": {"relaxations": 40}}, 0),
        ({"run": {"relaxations": 250}}, 2),
        ({"run": {"budget": "5m"}}, 12),
        ({"run": {"relaxations": 40}, "flow": {"refine": 3}}, 3),
        ({"run": {"budget": "5m"}, "flow": {"refine": 0}}, 0),
    ],
)
def test_how_many_are_refined(tables, count):
    assert RunSettings.model_validate(tables).refinements == count
