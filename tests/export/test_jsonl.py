"""JSON lines come back as the same candidates."""

from __future__ import annotations

import orjson
import pytest
from hysteron.core.candidate import Candidate, Failure
from hysteron.core.errors import OutputError
from hysteron.export.jsonl import records, unreadable_line, write_jsonl


def test_a_line_comes_back_as_the_candidate(shortlist, tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", shortlist)
    lines = path.read_bytes().splitlines()
    assert [Candidate.from_record(orjson.loads(line)) for line in lines] == shortlist


def test_inputs_are_named_beside_the_record(shortlist):
    lines = [orjson.loads(line) for line in records(shortlist[:2], ["a.cif", "b.cif"])]
    assert [line["input"] for line in lines] == ["a.cif", "b.cif"]
    with pytest.raises(ValueError, match="shorter"):
        list(records(shortlist[:2], ["a.cif"]))


def test_an_unreadable_input_is_a_line_too(ferroelectric):
    line = orjson.loads(unreadable_line("broken.cif", Failure("retrieve", "cif", "No atoms.")))
    assert line["candidate_id"] is None
    assert line["structure"] is None
    assert line["failures"] == [{"stage": "retrieve", "name": "cif", "reason": "No atoms."}]
    assert set(line) == {*orjson.loads(next(records([ferroelectric]))), "input"}


def test_a_place_that_cannot_be_written_is_a_sentence(shortlist, tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write_jsonl(tmp_path / "missing" / "a.jsonl", shortlist)
