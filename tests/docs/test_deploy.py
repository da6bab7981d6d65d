"""The files of docs/deploy are what Prefect, systemd and Kubernetes read, and hold no secrets."""

import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[2] / "docs/deploy"
UNITS = sorted(FOLDER.glob("*.service"))
PASSWORD = re.compile(r"//[^/\s:@]+:[^@\s]+@|API_KEY=\w|AUTH_STRING=\w")


def test_prefect_reads_the_deployments():
    import hysteron.flows  # noqa: F401
    from prefect.cli.deploy._models import PrefectYamlModel
    from prefect.flows import load_flow_from_entrypoint

    model = PrefectYamlModel.model_validate(yaml.safe_load((FOLDER / "prefect.yaml").read_text()))
    assert [one.name for one in model.deployments] == ["nightly", "resume"]
    for one in model.deployments:
        flow = load_flow_from_entrypoint(one.entrypoint)
        assert flow.name == "scheduled-discover"
        assert set(one.parameters) == set(inspect.signature(flow.fn).parameters)


def test_the_schedules_of_the_file_are_those_of_the_command():
    from hysteron.flows.schedule import COLLISIONS, When

    nightly, resume = yaml.safe_load((FOLDER / "prefect.yaml").read_text())["deployments"]
    (schedule,) = nightly["schedules"]
    assert When(cron=schedule["cron"], timezone=schedule["timezone"]).schedule().cron == schedule["cron"]
    strategies = [one["concurrency_limit"]["collision_strategy"] for one in (nightly, resume)]
    assert strategies == [COLLISIONS["skip"], COLLISIONS["queue"]]
    assert "schedules" not in resume


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong_with_a_unit(unit, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here.")
    # The program that it starts is not installed there on this machine.
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert not said
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_there_is(unit, capsys):
    from hysteron.cli.main import main

    (line,) = re.findall(r"^ExecStart=\S+/(\S+) (\S+) (.*)$", unit.read_text(), flags=re.MULTILINE)
    program, command, rest = line
    assert "Restart=on-failure" in unit.read_text()
    if program == "hysteron":
        main([command, "--help"])
        said = capsys.readouterr().out
        assert all(option in said for option in re.findall(r"--[a-z-]+", rest))
    else:
        assert (program, command) == ("prefect", "worker")


def test_the_manifest_holds_what_the_text_above_it_says():
    text = (FOLDER / "kubernetes.yaml").read_text()
    kinds = [document["kind"] for document in yaml.safe_load_all(text)]
    assert kinds == [
        "Namespace",
        "ConfigMap",
        "PersistentVolumeClaim",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Deployment",
    ]
    assert "kind: Secret" not in text


def test_the_settings_in_the_manifest_are_accepted(tmp_path):
    from hysteron.flows.run_settings import resolve

    documents = list(yaml.safe_load_all((FOLDER / "kubernetes.yaml").read_text()))
    (settings,) = (d["data"]["RUN.toml"] for d in documents if d["kind"] == "ConfigMap")
    (tmp_path / "RUN.toml").write_text(settings)
    assert resolve(tmp_path / "RUN.toml").flow.runner == "processes"


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_no_secret_is_written_down(path):
    assert not PASSWORD.search(path.read_text())
