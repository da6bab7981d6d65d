"""The benchmark of consecutive nights: its figures, on toys; and the commands' own processes, marked slow."""

import night_toys as toys
import pytest
from hysteron.benchmarks import night, night_figures, night_processes
from hysteron.core.errors import StageError
from hysteron.flows import steps
from hysteron.flows.run_settings import resolve
from hysteron.store.store import CandidateStore


class ToyNights:
    """Nights of this process."""

    def __init__(self, folder) -> None:
        self.folder, self.count = folder, 0

    def begin(self, store, seed):
        self.count += 1
        return toys.launch.new_run(toys.settings(seed=seed), str(store), self.folder / f"out-{self.count}")

    def in_the_foreground(self, store, seed):
        toys.carry_out(self.begin(store, seed))

    def on_schedule(self, store, killed, after):
        for seed, call in enumerate(after):
            run = self.begin(store, seed)
            if seed == killed:
                die(run)
                found = night_figures.Killed(run.run_id, 3, len(after))
            toys.carry_out(run)
            call()
        return found


def die(run):
    """In its second chunk of relaxations, before that is written."""
    upsert = CandidateStore.upsert

    def dying(self, candidates, *arguments, work=None, **more):
        if work and work[:2] == ("relax", 1):
            raise MemoryError("killed")
        upsert(self, candidates, *arguments, work=work, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CandidateStore, "upsert", dying)
        with pytest.raises(MemoryError):
            toys.carry_out(run)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(folder / "home"))
        toys.install(patch)
        yield night.measured(ToyNights(folder), folder, seed=0)
        steps.forget()


def test_no_pair_is_relaxed_twice_and_the_store_grows(found):
    assert (found["pairs_relaxed"], found["pairs_relaxed_twice"]) == (18, 0)
    assert found["proposed_twice"] == 0
    assert found["store_grows"]
    sizes = [row["candidates_in_store"] for row in found["nights"]]
    assert sizes == sorted(set(sizes))


def test_the_killed_night_equals_the_undisturbed_one(found):
    assert found["differences"] == "equal"
    assert found["killed_and_resumed_equals_undisturbed"]


def test_each_night_has_its_row(found):
    assert [row["seed"] for row in found["nights"]] == [0, 1, 2]
    for row in found["nights"]:
        assert (row["status"], row["proposed"], row["relaxed"], row["reused"]) == ("finished", 16, 6, 0)
        assert row["yield"] == row["found"] / 6
    assert found["nights"][0]["new_on_shortlist"] is None
    assert found["nights"][2]["measurements_taken_over"] > 0


def test_without_memory_some_work_is_paid_for_again(found):
    """Of 110 salts three nights propose 48, each on its own: some of them more than once."""
    alone = found["without_memory"]
    assert (alone["proposed"], alone["relaxed"]) == (48, 18)
    assert 0 < alone["proposed_again"] < 48
    assert 0 <= alone["relaxed_again"] <= 18
    assert (alone["seconds_relaxing_again"] > 0) == (alone["relaxed_again"] > 0)


def noted(path, name, proposed, relaxed, reused=(), seconds=1.0):
    """A run that proposed and relaxed these, on a store."""
    with CandidateStore.open(path) as store:
        store.create_run(name, seed=0, config={})
        payload = {"ids": relaxed, "reused": list(reused), "relaxer": "r", "seconds": seconds, "converged": 2}
        store.upsert([], name, work=("relax", 0, payload))
        store.upsert([], name, work=("generate", 0, {"ids": proposed}))


def test_work_that_is_done_twice_is_found(own_home, tmp_path):
    path = tmp_path / "s.db"
    for name, reused in (("a", []), ("b", ["x"]), ("c", [])):
        noted(path, name, ["y", name] if name != "b" else [name], ["x", name], reused)
    assert night_figures.paid_twice(path) == {"pairs": 4, "twice": 1}
    assert night_figures.proposed_twice(path) == 1


def test_what_is_relaxed_again_on_another_store_has_its_price(own_home, tmp_path):
    noted(tmp_path / "one.db", "a", ["x"], ["x", "y"], seconds=10.0)
    noted(tmp_path / "two.db", "b", ["x"], ["x", "z"], seconds=4.0)
    told = night_figures.without_memory([tmp_path / "one.db", tmp_path / "two.db"])
    assert (told["relaxed"], told["relaxed_again"], told["proposed_again"]) == (4, 1, 1)
    assert told["seconds_relaxing_again"] == 2.0


def test_a_look_at_the_store_that_came_too_late_is_refused(own_home, tmp_path):
    path = tmp_path / "s.db"
    salt = next(toys.Source().search())
    with CandidateStore.open(path) as store:
        for name in ("first", "second"):
            store.create_run(name, seed=0, config={})
        store.upsert([salt], "second", role="seed")
        night_processes._see_that_nothing_was_added(store, 0)
        store.upsert([toys.Candidate("new", toys.salt("Li", "F"))], "second", role="proposed")
        with pytest.raises(StageError, match="faster than the look"):
            night_processes._see_that_nothing_was_added(store, 0)
        night_processes._see_that_nothing_was_added(store, 1)


def test_the_plan_is_a_run_file(tmp_path):
    for plan in (night.Plan(seed=3), night.QUICK):
        (tmp_path / "night.toml").write_text(plan.toml)
        settings = resolve(tmp_path / "night.toml")
        assert settings.run.seed == plan.seed
        assert settings.run.relaxations == plan.relaxations
        assert settings.source[0].filter == plan.filter
        assert settings.refinements == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_schedule_fires_and_one_night_is_killed_for_real():
    told = night.run(quick=True)
    assert (told["pairs_relaxed_twice"], told["proposed_twice"]) == (0, 0)
    assert told["scheduled"] == night.NIGHTS
    assert [row["seed"] for row in told["nights"]] == [0, 1, 2]
    assert 0 < told["relaxed_before_the_kill"] <= told["relaxations_per_night"]
    assert told["killed_and_resumed_equals_undisturbed"], told["differences"]
    assert told["store_grows"]
