"""The benchmark's judges: they find nothing wrong where nothing is, and notice what is."""

from __future__ import annotations

import pytest
from hysteron.benchmarks import materials_project as benchmark
from hysteron.benchmarks.materials_project import (
    KEY,
    Raw,
    fault_rows,
    files_with_key,
    question_figures,
    run,
    server_modules,
)
from hysteron.core.errors import MissingDataError
from servers.materials_project import MaterialsProjectServer
from servers.materials_project_documents import from_catalog


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("MP_API_KEY", KEY)
    with MaterialsProjectServer(from_catalog(40), KEY) as running:
        yield running


def test_right_answers_are_found_right(server, tmp_path):
    figures = question_figures(server, tmp_path, count=4, seed=0)
    assert {name: row["wrong"] for name, row in figures.items()} == dict.fromkeys(figures, 0)
    assert all(row["asked"] and row["values"] for row in figures.values())
    assert files_with_key(tmp_path) == 0


def test_a_wrong_number_is_noticed(server, tmp_path, monkeypatch):
    """Of a client that reads a record as it was before it changed."""
    read = Raw._read

    def another(self, route):
        for record in read(self, route):
            if "total_magnetization" in record:
                record["total_magnetization"] += 0.001
            yield record

    monkeypatch.setattr(Raw, "_read", another)
    figures = question_figures(server, tmp_path, count=4, seed=0)
    assert figures["magnetism"]["wrong"] == figures["magnetism"]["asked"] == 4
    assert figures["multi-element systems"]["wrong"] == 4
    assert figures["band gaps"]["wrong"] == 0


def test_a_key_in_a_file_is_noticed(tmp_path):
    (tmp_path / "log").write_text(f"x-api-key: {KEY}")
    assert files_with_key(tmp_path) == 1


def test_faults_are_struck_and_change_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(benchmark, "RESPONSE_SECONDS", 1.0)
    rows = fault_rows(server_modules(), server, tmp_path, records=20)
    assert all(row["same_result"] and row["struck"] and not row["refetched_pages"] for row in rows)
    assert {row["fault"]: row["retries"] for row in rows}["429 storm"] >= 40


def test_without_data_it_says_what_to_set(monkeypatch):
    monkeypatch.delenv("HYSTERON_DATA_DIR", raising=False)
    with pytest.raises(MissingDataError, match="HYSTERON_DATA_DIR"):
        run(quick=True)
