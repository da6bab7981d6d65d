"""The printed table of the synapse screen: whose each number is, the crystal's or an assumed device's."""

from __future__ import annotations

import dataclasses

import pytest
import synapse_samples as samples
from hysteron.cli import blocks
from hysteron.cli.synapse import print_synapse
from hysteron.core.candidate import Verdict


def printed(capsys, *candidates, inputs=()) -> str:
    print_synapse(candidates, inputs)
    return capsys.readouterr().out


def words(shown: str) -> str:
    return " ".join(shown.split())


@pytest.mark.parametrize("width", [80, 120])
def test_profiles_limits_and_accuracies_are_told(capsys, monkeypatch, width):
    monkeypatch.setattr(blocks, "WIDTH_WHEN_PIPED", width)
    shown = printed(capsys, samples.judged(samples.hafnia()), inputs=["here/HfO2.cif"])
    assert all(len(line) <= width for line in shown.splitlines())
    told = words(shown)
    for sentence in (
        "HfO2-14-0123456789 HfO2 here/HfO2.cif",
        "verdict passes, score 0.8",
        "Fits on-chip learning as an assumed device of class VCM",
        "profile fits assumed limiting; accuracy of assumed devices",
        "no crystal structure tells them",
    ):
        assert sentence in told
    for title in ("on-chip", "inference", "random-weight", "content-addressable", "event-driven"):
        assert title in told


def test_each_accuracy_names_the_class_of_the_assumed_device(capsys, monkeypatch):
    monkeypatch.setattr(blocks, "WIDTH_WHEN_PIPED", 300)
    told = words(printed(capsys, samples.judged(samples.hafnia())))
    assert (
        "accuracy, assumed, class VCM: backpropagation 0.80 (0.60 to 0.90), ideal 0.95; equilibrium" in told
    )
    assert told.count("accuracy, assumed, class VCM:") == 4  # the fifth profile has no workload


def test_what_an_assumed_device_limits_says_so(capsys, monkeypatch):
    monkeypatch.setattr(blocks, "WIDTH_WHEN_PIPED", 300)
    told = words(printed(capsys, samples.judged(samples.vanadia())))
    assert "fits class MIT assumed, class MIT: endurance: published devices have" in told
    assert "open - from the crystal: no class that serves here has passed; VCM could not be judged" in told


def test_who_has_no_verdicts_is_told_whom_to_ask(capsys):
    told = words(printed(capsys, samples.judged(samples.silicon())))
    assert "fails" in told
    assert "ask one of them before this one" in told


def test_who_was_not_judged_has_one_line(capsys):
    told = words(printed(capsys, samples.hafnia()))
    assert told == "HfO2-14-0123456789 HfO2 The synapse screen has not judged it."


def test_foreign_text_is_neither_markup_nor_control(capsys):
    judged = samples.judged(samples.hafnia())
    verdict = judged.verdict("synapse")
    details = verdict.details | {
        "notes": ["\x1b[31m[bold]red[/bold]"],
        "profiles": [{"title": "[red]x[/red]\x1b", "fits": True, "limiting": 7, "accuracy": 3}],
    }
    strange = dataclasses.replace(verdict, details=details)
    shown = printed(capsys, judged.with_verdict(strange))
    assert "\x1b" not in shown
    assert "[bold]red[/bold]" in shown
    assert "[red]x[/red]" in shown


@pytest.mark.parametrize("details", [None, [], {"profiles": 3}, {"profiles": [None, 1, {}]}])
def test_details_that_are_no_object_print_the_verdict_alone(capsys, details):
    judged = samples.hafnia().with_verdict(Verdict("synapse", False, None, None, None, "Why not.", {}))
    object.__setattr__(judged.verdict("synapse"), "details", details)
    told = words(printed(capsys, judged))
    assert "Why not." in told
    assert "profile" not in told
