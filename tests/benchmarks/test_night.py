"""The benchmark of consecutive nights: its figures, on toys; and the command's own processes, marked slow."""

import night_toys as toys
import pytest
from hysteron.benchmarks import night, night_figures
from hysteron.core.candidate import PropertyValue, Step
from hysteron.flows import steps
from hysteron.store.store import CandidateStore


class ToyNights:
    """Nights of this process."""

    def __init__(self, folder) -> None:
        self.folder, self.count = folder, 0

    def begin(self, store, seed):
        self.count += 1
        return toys.launch.new_run(toys.settings(seed=seed), str(store), self.folder / f"out-{self.count}")

    def carry_out(self, store, seed):
        toys.carry_out(self.begin(store, seed))

    def kill_and_resume(self, store, seed):
        """It dies in its second chunk of relaxations, before that is written."""
        run, upsert = self.begin(store, seed), CandidateStore.upsert

        def dying(self, candidates, *arguments, work=None, **more):
            if work and work[:2] == ("relax", 1):
                raise MemoryError("killed")
            upsert(self, candidates, *arguments, work=work, **more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(CandidateStore, "upsert", dying)
            with pytest.raises(MemoryError):
                toys.carry_out(run)
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
    assert found["store_grows"]
    sizes = [row["candidates_in_store"] for row in found["nights"]]
    assert sizes == sorted(set(sizes))


def test_the_killed_night_equals_the_undisturbed_one(found):
    assert found["differences"] == []
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


def test_work_that_is_done_twice_is_found(own_home, tmp_path):
    with CandidateStore.open(tmp_path / "s.db") as store:
        for name, reused in (("a", []), ("b", ["x"]), ("c", [])):
            store.create_run(name, seed=0, config={})
            payload = {"ids": ["x", name], "reused": reused, "relaxer": "r", "seconds": 1.0, "converged": 2}
            store.upsert([], name, work=("relax", 0, payload))
    assert night_figures.paid_twice(tmp_path / "s.db") == {"pairs": 4, "twice": 1}


def test_stores_that_differ_are_told_apart(own_home, tmp_path):
    salt = next(toys.Source().search())

    def store_of(name, candidate):
        with CandidateStore.open(tmp_path / name) as store:
            store.create_run("r", seed=0, config={})
            store.upsert([candidate], "r")
        return tmp_path / name

    one = store_of("one.db", salt)
    close, far = (
        salt.with_property(PropertyValue("energy_per_atom", -4.9 + shift, "eV/atom", "Toy 1.0"))
        for shift in (5e-5, 5e-4)
    )
    assert night_figures.differences(one, store_of("close.db", close)) == []
    assert (
        "energy_per_atom by Toy 1.0 differs by 0.0005"
        in night_figures.differences(one, store_of("far.db", far))[0]
    )
    step = salt.with_step(Step("screen", "stability"))
    assert night_figures.differences(one, store_of("step.db", step))[0].endswith("lineage differ")


def test_the_plan_is_a_run_file(tmp_path):
    from hysteron.flows.run_settings import resolve

    for plan in (night.Plan(), night.QUICK):
        (tmp_path / "night.toml").write_text(plan.toml)
        settings = resolve(tmp_path / "night.toml", {"seed": 3})
        assert settings.run.relaxations == plan.relaxations
        assert settings.source[0].filter == plan.filter
        assert settings.refinements == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_command_is_killed_and_resumed_for_real(own_home):
    told = night.run(quick=True)
    assert told["pairs_relaxed_twice"] == 0
    assert told["killed_and_resumed_equals_undisturbed"], told["differences"]
    assert told["store_grows"]
