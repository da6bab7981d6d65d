"""The log of a training, and its picture."""

import json

from hysteron.predictors.gnn.curves import append_to_log, draw_curves, read_log
from hysteron.predictors.gnn.training import Progress


def test_a_log_is_drawn(tmp_path):
    log, picture = tmp_path / "log.jsonl", tmp_path / "log.png"
    for epoch in (1, 2, 3):
        errors = {"force_mae": 1 / epoch, "share": 0.0} if epoch > 1 else {}
        append_to_log(log, Progress(epoch, 3, 2.0 / epoch, errors, 1.0))
    draw_curves(log, picture, "toy")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["log.jsonl", "log.png"]


def test_an_epoch_that_was_run_twice_counts_once_and_a_broken_line_is_left_out(tmp_path):
    log = tmp_path / "log.jsonl"
    rows = [{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.0}, {"epoch": 2, "loss": 1.0}]
    log.write_text("\n".join(map(json.dumps, rows)) + '\n{"epoch": 3, "lo')
    assert [row["loss"] for row in read_log(log)] == [3.0, 1.0]


def test_nothing_is_drawn_of_nothing(tmp_path):
    draw_curves(tmp_path / "none.jsonl", tmp_path / "none.png")
    assert not list(tmp_path.iterdir())
