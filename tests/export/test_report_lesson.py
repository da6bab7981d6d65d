"""The report's card of a lesson: figures, parity plots, who is asked next, and nothing that runs."""

import xml.etree.ElementTree as ElementTree

import lesson_samples as samples
from hysteron.core.settings import config_hash
from hysteron.export.report import render_report
from hysteron.export.report_lesson import lesson_block
from hysteron.export.run_summary import RunSummary
from hysteron.flows.learning import told
from hysteron.predictors.lessons.lesson import learn, lesson_of

HOSTILE = "<script>alert(1)</script>"


def summary(method: str = samples.GNN) -> RunSummary:
    candidates = [
        samples.answered(
            samples.predicted(samples.salt("TiO"), 1.0 + 0.2 * i, 0.3, f"c{i}", method), 1.6 + 0.2 * i
        )
        for i in range(8)
    ]
    content = learn(candidates)
    lesson = told(lesson_of(config_hash(content), content))
    return RunSummary("run-1", lesson=lesson, asked_of_dft=(("c9", "TiO", f"adds 0.1 {HOSTILE}"),))


def test_the_plot_has_a_ring_for_each_estimate_and_a_dot_for_each_correction():
    block = lesson_block(summary())
    (plot,) = block["plots"]
    drawing = ElementTree.fromstring(str(plot))
    kinds = [e.get("class") for e in drawing.iter() if e.tag.endswith("circle")]
    assert kinds.count("image") == 8
    assert kinds.count("image top") == 8
    assert drawing.find("title").text.endswith("against DFT/PBE/pw.x")
    (row,) = block["rows"]
    assert row["kind"] == "offset"
    assert float(row["corrected_mae"]) < 0.1


def test_points_lie_where_their_numbers_say():
    plot = lesson_block(summary())["plots"][0]
    circles = [e for e in ElementTree.fromstring(str(plot)).iter() if e.tag.endswith("circle")]
    ring = next(e for e in circles if e.get("class") == "image")
    dot = next(e for e in circles if e.get("class") == "image top")
    assert ring.get("cx") == dot.get("cx")
    assert float(ring.get("cy")) > float(dot.get("cy"))  # the estimate is too low, and y runs down


def test_the_report_tells_of_the_lesson_and_escapes_what_comes_from_outside():
    page = render_report(summary(f"GNN {HOSTILE}"), [], [], [])
    assert "Learned from DFT" in page
    assert "Next for DFT" in page
    assert HOSTILE not in page
    assert "&lt;script&gt;alert(1)" in page


def test_without_a_lesson_there_is_no_card():
    page = render_report(RunSummary("run-1"), [], [], [])
    assert "Learned from DFT" not in page
    assert "Next for DFT" not in page
