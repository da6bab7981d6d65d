"""What the report shows of a synapse verdict: labelled, escaped, and nothing that is malformed."""

from __future__ import annotations

import copy
import re
from xml.etree import ElementTree

import orjson
import pytest
import synapse_samples as samples
from hysteron.core.candidate import Candidate
from hysteron.export.report_accuracy import LEFT, RIGHT, AccuracyRow, accuracy_chart
from hysteron.export.report_synapse import accuracy_rows, synapse, synapse_block

MALFORMED = (
    *(None, True, 7, 10**400, float("nan"), "", "text", "\x1b[31m\0 <b>", [], {}, [[]], [None], [{}]),
    *([{"title": 3}], [{"title": "x", "fits": "yes"}], {"x": "y"}),
)


@pytest.fixture(scope="module")
def hafnia() -> Candidate:
    return samples.judged(samples.hafnia())


def changed(candidate: Candidate, **details) -> Candidate:
    record = copy.deepcopy(candidate.to_record())
    record["verdicts"][-1]["details"] |= details
    return Candidate.from_record(record)


def first_profile(candidate: Candidate) -> dict:
    return copy.deepcopy(candidate.verdict("synapse").details["profiles"][0])


def test_all_that_the_screen_writes_is_read(hafnia):
    told = synapse(hafnia)
    details = hafnia.verdict("synapse").details
    assert told.assumed_class == "VCM"
    assert [one.title for one in told.profiles] == [one["title"] for one in details["profiles"]]
    for one, record in zip(told.profiles, details["profiles"], strict=True):
        assert len(one.requirements) == len(record["requirements"])
        assert len(one.accuracy) == len(record["accuracy"])
        assert one.limiting.label == record["limiting"]["label"]
    assert told.notes == tuple(details["notes"])


def test_it_is_the_same_after_json(hafnia):
    again = Candidate.from_record(orjson.loads(orjson.dumps(hafnia.to_record())))
    assert synapse(again) == synapse(hafnia)


def test_who_was_not_asked_shows_nothing():
    assert synapse(samples.hafnia()) is None
    assert synapse_block(samples.hafnia(), 1) is None
    assert synapse_block(samples.judged(samples.silicon()), 1) is None


def test_the_block_labels_what_is_assumed(hafnia):
    block = synapse_block(hafnia, 3)
    assert "None of it follows from the crystal" in block["caption"]
    for profile in block["profiles"]:
        assert profile["assumed"] == "assumed, class VCM"
        assert profile["device"]
        assert all(one["label"] == "assumed, class VCM" for one in profile["device"])
        assert all(one["sentence"] for one in profile["asked"])


def test_each_workload_and_class_is_drawn_once(hafnia):
    rows = accuracy_rows(synapse(hafnia))
    assert sorted(row.workload for row in rows) == sorted(
        ["backpropagation", "equilibrium propagation", "recall", "inference", "liquid"]
    )


def test_a_device_that_does_not_name_its_class_is_left_out(hafnia):
    profile = first_profile(hafnia)
    for one in profile["requirements"]:
        if one["kind"] == "assumed":
            one["label"] = "from the crystal"
    for one in profile["accuracy"].values():
        del one["assumed_class"]
    told = synapse(changed(hafnia, profiles=[profile])).profiles[0]
    assert not any(one.is_assumed for one in told.requirements)
    assert not any(one.share for one in told.requirements)
    assert told.accuracy == ()


@pytest.mark.parametrize("key", ["profiles", "notes", "assumed_class"])
@pytest.mark.parametrize("bad", MALFORMED, ids=repr)
def test_what_is_malformed_is_left_out(hafnia, key, bad):
    candidate = samples.judged(samples.hafnia())
    candidate.verdict("synapse").details[key] = bad
    block = synapse_block(candidate, 1)
    assert "\x1b" not in repr(synapse(candidate)).replace("\\x1b", "")
    if key != "profiles":
        assert len(block["profiles"]) == 5
    else:
        assert block is None


@pytest.mark.parametrize("key", ["limiting", "requirements", "accuracy"])
@pytest.mark.parametrize("bad", MALFORMED, ids=repr)
def test_a_malformed_part_of_a_profile_leaves_the_rest(hafnia, key, bad):
    candidate = samples.judged(samples.hafnia())
    candidate.verdict("synapse").details["profiles"][0][key] = bad
    block = synapse_block(candidate, 1)
    assert len(block["profiles"]) == 5
    assert block["profiles"][0]["title"]


@pytest.mark.parametrize(
    "change",
    [{"mean": 1.5}, {"low": -0.1}, {"low": 0.95}, {"ideal": float("inf")}, {"mean": True}, {"high": "0.9"}],
)
def test_an_accuracy_out_of_range_is_not_drawn(hafnia, change):
    candidate = samples.judged(samples.hafnia())
    profile = candidate.verdict("synapse").details["profiles"][0]
    for one in profile["accuracy"].values():
        one |= change
    assert synapse(candidate).profiles[0].accuracy == ()


def test_the_drawing_is_sound_and_puts_shares_where_they_belong():
    rows = [
        AccuracyRow("inference", "VCM", 0.8, 0.6, 0.9, 0.95, 0.1, 50),
        AccuracyRow("liquid", "PCM", 0.5, 0.0, 1.0, 1.0, None, None),
    ]
    tree = ElementTree.fromstring(accuracy_chart(rows, "accuracy-1"))
    kinds = [(one.tag, one.get("class")) for one in tree.iter()]
    assert kinds.count(("circle", "image")) == 2
    assert kinds.count(("path", "gauge")) == 2
    assert kinds.count(("path", "level")) == 1  # guessing is not told of the second
    means = [float(one.get("cx")) for one in tree.iter("circle")]
    assert means == pytest.approx([LEFT + 0.8 * (RIGHT - LEFT), LEFT + 0.5 * (RIGHT - LEFT)], abs=0.05)
    text = " ".join(tree.itertext())
    assert "assumed, class VCM" in text
    assert "0.80 (0.60 to 0.90, n = 50), ideal weights 0.95, guessing 0.10" in text


def test_foreign_words_are_escaped_in_the_drawing():
    row = AccuracyRow("<script>x</script>", '"&<b>', 0.8, 0.6, 0.9, 0.95, 0.1, 5)
    drawing = accuracy_chart([row], "accuracy-1")
    assert "<script" not in drawing
    assert "<b>" not in drawing
    assert ElementTree.fromstring(drawing) is not None


def test_the_block_is_escaped_where_a_template_sets_it(hafnia):
    from jinja2 import Environment

    profile = first_profile(hafnia) | {"title": "<img src=x onerror=alert(1)>"}
    block = synapse_block(changed(hafnia, profiles=[profile], notes=["<i>note</i>"]), 1)
    template = "{{ c.chart }}{% for p in c.profiles %}{{ p.title }}{{ p.limiting }}{% endfor %}{{ c.notes }}"
    page = Environment(autoescape=True).from_string(template).render(c=block)
    assert "<img" not in page
    assert "<i>" not in page
    assert re.search(r"<svg class=\"profile\"", page)
