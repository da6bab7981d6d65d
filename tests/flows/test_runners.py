"""Task runners: chosen by the settings, and the same store whoever does the work."""

from importlib.util import find_spec

import pytest
from hysteron.core.errors import MissingDataError, SettingsError
from hysteron.flows import launch, order, runners, steps
from hysteron.flows.run_settings import FlowTable, resolve
from hysteron.store.comparison import content, differences, told

RELAXATIONS, CHUNK = 16, 4


def settings_of(tmp_path, text):
    (tmp_path / "RUN.toml").write_text(text)
    return resolve(tmp_path / "RUN.toml")


def test_by_default_one_chunk_at_a_time_that_processes_share(tmp_path):
    settings = settings_of(tmp_path, "[flow]\nchunk = 3\n")
    assert (settings.flow.runner, settings.flow.at_once, settings.potential.workers) == ("local", 1, None)


def test_with_several_chunks_at_once_each_has_one_process(tmp_path):
    settings = settings_of(tmp_path, '[flow]\nrunner = "processes"\nworkers = 3\n')
    assert (settings.flow.at_once, settings.potential.workers) == (3, 1)
    asked = settings_of(tmp_path, '[potential]\nworkers = 2\n[flow]\nrunner = "processes"\n')
    assert asked.potential.workers == 2


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        ('runner = "slurm"', "runner"),
        ("workers = 2", "one chunk at a time"),
        ('runner = "processes"\naddress = "tcp://a:1"', "an address is that of a dask or ray cluster"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, flow, said):
    with pytest.raises(SettingsError, match=said):
        settings_of(tmp_path, f"[flow]\n{flow}\n")


@pytest.mark.parametrize(("runner", "package"), [("dask", "prefect_dask"), ("ray", "prefect_ray")])
def test_a_runner_whose_package_is_missing_says_how_to_get_it(runner, package):
    if find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    with pytest.raises(MissingDataError, match=rf'pip install "hysteron\[{runner}\]"'):
        runners.task_runner(FlowTable(runner=runner, workers=2))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("runner", "package"), [("processes", "prefect"), ("dask", "prefect_dask"), ("ray", "prefect_ray")]
)
def test_one_worker_and_two_make_the_same_store(prefect_server, toy_world, tmp_path, runner, package):
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    from hysteron.flows.discovery import start

    def store_of(name, carry_out, **flow):
        values = toy_world.settings(RELAXATIONS, CHUNK, **flow)
        run = launch.new_run(values, str(tmp_path / f"{name}.db"), tmp_path / name)
        carry_out(run)
        steps.forget()
        return content(tmp_path / f"{name}.db")

    plain = store_of("plain", order.carry_out)
    for workers in (1, 2):
        found = differences(plain, store_of(f"with-{workers}", start, runner=runner, workers=workers))
        assert not found, told(found)
