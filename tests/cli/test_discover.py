"""What `hysteron discover` says when a run has ended."""

import pytest
from hysteron.cli import discover
from hysteron.cli.main import main

SUMMARY = {"shortlist": [], "counts": {"shortlist": 0}, "sentence": "2 of 2 relaxed.", "report": "r.html"}
LINES = ["substitution: 48 proposed, 2 relaxed", "tokens: 16 proposed, 0 relaxed"]


@pytest.mark.parametrize("lines", [LINES, LINES[:1], None], ids=["two", "one", "begun before"])
def test_every_generator_has_its_line_before_the_report(lines, own_home, tmp_path, monkeypatch, capsys):
    summary = SUMMARY if lines is None else SUMMARY | {"generators": lines}
    monkeypatch.setattr(discover, "_carry_out", lambda run: summary)
    assert main(["discover", "--relaxations", "2", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == ["2 of 2 relaxed.", *(lines or []), "Report: r.html"]
