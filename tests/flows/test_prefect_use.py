"""What Prefect is told of a run, and that no run depends on it."""

import typing

import httpx
import pytest
from hysteron.core.errors import StageError, UnreachableError
from hysteron.flows import launch, order, reaper, steps, tether
from hysteron.flows.limits import make_limits
from hysteron.flows.run import Run
from hysteron.flows.schedule import Job, When
from hysteron.store.comparison import content, differences

RELAXATIONS, CHUNK = 8, 4


@pytest.fixture
def discovery(prefect_server):
    from hysteron.flows import discovery

    yield discovery
    tether.send_again()


@pytest.fixture
def client(prefect_server):
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def plain(made_toy_world, tmp_path_factory):
    """The store of the same run, its steps called plainly."""
    folder = tmp_path_factory.mktemp("plain")
    with made_toy_world.inside():
        run = launch.new_run(
            made_toy_world.settings(RELAXATIONS, CHUNK), str(folder / "one.db"), folder / "one"
        )
        order.carry_out(run)
        steps.forget()
    return content(folder / "one.db")


def new_run(world, folder, **flow):
    return launch.new_run(world.settings(RELAXATIONS, CHUNK, **flow), str(folder / "one.db"), folder / "one")


def test_a_run_on_prefect_is_the_plain_one_and_hands_no_crystal_on(
    discovery, toy_world, tmp_path, plain, monkeypatch
):
    from prefect import Task

    seen = []
    call = Task.__call__

    def spy(self, *arguments, **named):
        result = call(self, *arguments, **named)
        seen.append((self.name, arguments, named, result))
        return result

    monkeypatch.setattr(Task, "__call__", spy)
    run = new_run(toy_world, tmp_path)
    discovery.start(run)
    assert not differences(plain, content(run.store_url))
    assert {name for name, *_ in seen} >= {
        "retrieve",
        "generate",
        "select",
        "relax",
        "screen",
        "rank",
        "export",
    }
    for _, arguments, named, result in seen:
        assert not named
        assert isinstance(arguments[0], Run)
        assert all(type(one) in (int, str) for one in [*arguments[1:], result])
    assert all(type(value) is str for value in (run.run_id, run.store_url, run.out_dir))


def test_no_task_takes_or_gives_anything_but_a_run_numbers_and_words(discovery):
    for task in discovery.TASKS.values():
        hints = typing.get_type_hints(task.fn, vars(discovery))
        assert set(hints.values()) <= {Run, int, str}, task.name
        assert task.persist_result is False


def test_progress_funnel_shortlist_and_picture_are_on_the_server(
    discovery, client, toy_world, tmp_path, monkeypatch
):
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    held = []
    retrieve = order.STEPS["retrieve"]

    def look(run):
        held.extend(run.store.leases())
        return retrieve(run)

    monkeypatch.setitem(order.STEPS, "retrieve", look)
    run = new_run(toy_world, tmp_path)
    discovery.start(run)
    (flow_run,) = held[0].place["flow_runs"]
    found = client.read_artifacts(
        artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run]))
    )
    artifacts = {artifact.key: artifact for artifact in found}
    assert {(a.key, a.type) for a in found} >= {
        ("relax-progress", "progress"),
        ("screen-progress", "progress"),
        ("funnel", "markdown"),
        ("shortlist", "table"),
        ("funnel-picture", "image"),
    }
    assert artifacts["relax-progress"].data == 100.0
    assert f"Run {run.run_id}" in artifacts["funnel"].data
    assert run.done("export")[0]["shortlist"][0] in artifacts["shortlist"].data
    assert artifacts["funnel-picture"].data.startswith("data:image/svg+xml;base64,")


def test_a_run_is_none_the_worse_for_a_picture_that_cannot_be_drawn(
    discovery, toy_world, tmp_path, monkeypatch
):
    from hysteron.flows import artifacts

    def breaks(summary):
        raise ZeroDivisionError

    monkeypatch.setattr(artifacts, "picture", breaks)
    monkeypatch.setattr(artifacts.Artifacts, "_send", breaks)
    run = new_run(toy_world, tmp_path)
    discovery.start(run)
    assert run.store.get_run(run.run_id).status == "finished"


@pytest.mark.parametrize(("error", "calls"), [(UnreachableError, 3), (StageError, 1)])
def test_only_what_failed_elsewhere_is_tried_again(discovery, toy_world, tmp_path, monkeypatch, error, calls):
    tried = []
    retrieve = order.STEPS["retrieve"]

    def fails_twice(run):
        tried.append(run)
        if len(tried) < 3:
            raise error("No answer.")
        return retrieve(run)

    monkeypatch.setitem(order.STEPS, "retrieve", fails_twice)
    monkeypatch.setitem(
        discovery.TASKS, "retrieve", discovery.TASKS["retrieve"].with_options(retry_delay_seconds=0)
    )
    run = new_run(toy_world, tmp_path)
    if error is UnreachableError:
        discovery.start(run)
    else:
        with pytest.raises(error):
            discovery.start(run)
    assert len(tried) == calls


def test_tasks_say_what_they_use_of_which_there_is_little(discovery, toy_world, tmp_path):
    values = toy_world.settings(RELAXATIONS)
    values["potential"]["device"] = "cuda"
    values["source"] = [{"name": "materials-project", "filter": None, "path": None}]
    run = launch.new_run(values, str(tmp_path / "one.db"), tmp_path / "one")
    assert discovery.tags(run) == {
        "retrieve": {"materials-project"},
        **{step: {"gpu"} for step in ("relax", "screen", "refine", "second-opinion")},
    }
    assert discovery.tags(new_run(toy_world, tmp_path / "plain")) == {}


def test_limits_are_made_once_and_a_chosen_number_stays(client, toy_world):
    from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

    values = toy_world.settings(RELAXATIONS)
    assert make_limits(values) == []
    values["potential"]["device"] = "cuda"
    assert make_limits(values) == ["gpu"]
    assert client.read_global_concurrency_limit_by_name("tag:gpu").limit == 1
    client.update_global_concurrency_limit("tag:gpu", GlobalConcurrencyLimitUpdate(limit=4))
    make_limits(values)
    assert client.read_global_concurrency_limit_by_name("tag:gpu").limit == 4
    client.delete_global_concurrency_limit_by_name("tag:gpu")


def test_a_run_goes_on_when_the_server_is_gone(discovery, toy_world, tmp_path, plain, monkeypatch):
    from prefect import task

    @task(name="relax")
    def unreachable(run: Run, chunk: int) -> int:
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setitem(discovery.TASKS, "relax", unreachable)
    monkeypatch.setattr(tether, "healthy", lambda url: False)
    run = new_run(toy_world, tmp_path)
    discovery.start(run)
    assert run.store.get_run(run.run_id).status == "finished"
    assert not differences(plain, content(run.store_url))


def test_the_same_error_is_one_while_the_server_answers(discovery, toy_world, tmp_path, monkeypatch):
    from prefect import task

    @task(name="relax")
    def unreachable(run: Run, chunk: int) -> int:
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setitem(discovery.TASKS, "relax", unreachable)
    run = new_run(toy_world, tmp_path)
    with pytest.raises(httpx.ConnectError):
        discovery.start(run)
    assert run.store.get_run(run.run_id).status == "failed"


@pytest.mark.parametrize(("overlap", "state"), [("skip", "Cancelled"), ("queue", "AwaitingConcurrencySlot")])
def test_a_run_that_is_due_meanwhile_gives_way_or_waits(client, toy_world, tmp_path, overlap, state):
    from prefect.states import Pending, Running

    job = Job(f"overlap-{overlap}", toy_world.settings(2), str(tmp_path / "one.db"), tmp_path)
    deployment = job.deployment(When(every_seconds=86400, overlap=overlap)).apply()
    first, second = (client.create_flow_run_from_deployment(deployment) for _ in range(2))
    assert client.set_flow_run_state(first.id, Pending()).status.value == "ACCEPT"
    client.set_flow_run_state(first.id, Running())
    client.set_flow_run_state(second.id, Pending())
    assert client.read_flow_run(second.id).state.name == state
    client.delete_deployment(deployment)


def test_what_was_left_behind_on_the_server_is_crashed_and_its_slot_is_free(client, toy_world, tmp_path):
    from prefect.states import Pending, Running

    url = str(tmp_path / "one.db")
    job = Job("left-behind", toy_world.settings(2), url, tmp_path / "out")
    deployment = job.deployment(When(every_seconds=86400)).apply()
    left = client.create_flow_run_from_deployment(deployment)
    client.set_flow_run_state(left.id, Pending())
    client.set_flow_run_state(left.id, Running())
    run = new_run(toy_world, tmp_path)
    run.store.take_lease(run.run_id, "alive", {"flow_runs": [str(left.id)]})
    assert reaper.crash_left_behind("left-behind", url) == 0
    run.store.end_lease(run.run_id, "alive", "interrupted")
    assert reaper.crash_left_behind("left-behind", url) == 1
    assert client.read_flow_run(left.id).state.is_crashed()
    again = client.create_flow_run_from_deployment(deployment)
    assert client.set_flow_run_state(again.id, Pending()).status.value == "ACCEPT"
    client.delete_deployment(deployment)


def test_no_password_is_in_a_deployment(prefect_server, toy_world, tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("HYSTERON_STORE", "")
    job = Job("secret", toy_world.settings(2), "postgresql://me:secret@host/candidates", tmp_path)
    deployment = job.deployment(When(cron="0 2 * * *", timezone="Europe/Zurich"))
    assert "secret@" not in deployment.model_dump_json()
    assert deployment.parameters["store_url"] == "postgresql+psycopg://me@host/candidates"
    assert deployment.schedules[0].schedule.timezone == "Europe/Zurich"
    assert deployment.entrypoint == "hysteron.flows.discovery.discover"
