"""What a ferroelectric verdict tells is read in full, and what is malformed is left out."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
import switching_samples
from hysteron.core.candidate import Candidate
from hysteron.export.report import render_report
from hysteron.export.report_switching import JudgedCriterion, switching, text
from hysteron.export.run_summary import RunSummary

LARGE = 10**400
MALFORMED = (
    *(None, True, 7, LARGE, float("nan"), float("inf"), "", "text", "\x1b[31m\0 <b>", [], {}, [[]], [None]),
    *([{}], [[1, 2]], [1, float("nan"), 2], {"x": "y"}, [{"spacegroup_number": 999}], [{"name": 3}]),
    *([{"spacegroup_number": "221"}], {"fractions": [0, 1], "energies": ["a", "b"]}, {"reason": ["x"]}),
    *([float("nan")] * 5, [["a", 0, 0]] * 5, [[1e9, 0, 0]] * 5, {"polar": [], "parent": 3, "method": {}}),
)
KEYS = tuple(switching_samples.details())


def of(**changes):
    return switching(switching_samples.candidate(switching_samples.details() | changes))


def test_all_that_the_screen_writes_is_read():
    told = of()
    assert [(s.spacegroup_number, s.polar, s.symprec) for s in told.symmetry] == [
        (99, True, 0.01),
        (99, True, 0.05),
    ]
    assert [p.spacegroup_number for p in told.parents] == [221, 123, 65]
    assert told.parents[0].found_by == ("ladder", "pseudosymmetry")
    assert (told.path.kind, told.path.reversed, told.path.highest) == ("linear", False, 0)
    assert told.path.barrier_per_atom == switching_samples.WELL
    assert told.displacements.shape == (5, 3)
    assert told.parent_number == 221
    assert told.quantum == (100.4, 100.4, 101.4)
    assert dict(told.effective_charges)["Ti4+"] == 6.55
    assert told.mechanism.assessable is True
    assert [e.value for e in told.estimates] == [3.9, 402.0, None]
    assert sum(c.required for c in told.criteria) == 5


def test_it_is_the_same_after_json():
    plain = switching_samples.candidate()
    again = Candidate.from_record(orjson.loads(orjson.dumps(plain.to_record())))
    one, two = switching(plain), switching(again)
    assert np.array_equal(one.displacements, two.displacements)
    assert np.array_equal(one.path.energies, two.path.energies)
    assert (one.criteria, one.parents, one.estimates) == (two.criteria, two.parents, two.estimates)


def test_who_was_not_asked_has_told_nothing(known):
    assert switching(known[0]) is None


@pytest.mark.parametrize("key", KEYS)
def test_what_is_malformed_is_left_out_and_the_rest_stays(key, capsys):
    from hysteron.cli.ferroelectric import print_ferroelectric

    candidates = [switching_samples.candidate(switching_samples.details() | {key: bad}) for bad in MALFORMED]
    others = [other for other in ("path", "parents", "criteria") if other != key]
    for candidate in candidates:
        told = switching(candidate)
        assert all(getattr(told, other) for other in others)
    page = render_report(RunSummary("run-1"), candidates, [], [])
    assert "\x1b" not in page
    assert "nan" not in page.split("</style>")[1].split("<script")[0].lower()
    print_ferroelectric(candidates)
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert "nan" not in printed.replace("BaTiO3", "").split()


@pytest.mark.parametrize("bad", [None, [], "text", 3])
def test_details_that_are_no_object_tell_nothing(bad):
    candidate = switching_samples.candidate()
    object.__setattr__(candidate.verdicts[0], "details", bad)
    told = switching(candidate)
    assert told.path is None
    assert told.criteria == ()


@pytest.mark.parametrize(
    "change",
    [
        {"fractions": [0, 0.5]},
        {"fractions": [0, 0.5, 0.5, 1], "energies": [1, 2, 3, 0]},
        {"fractions": [0, 1, 2], "energies": [1, 2, 0]},
        {"energies": [1e9] * 9},
        {"energies": [float("inf")] * 9},
        {"energies": ["1"] * 9},
    ],
)
def test_a_path_that_is_none_is_not_drawn(change):
    assert of(path=switching_samples.details()["path"] | change).path is None


def test_a_barrier_that_is_not_told_is_that_of_the_images():
    path = switching_samples.details()["path"]
    del path["barrier_per_atom"], path["barrier"]
    told = of(path=path).path
    assert told.barrier_per_atom == pytest.approx(max(path["energies"]) - path["energies"][-1])
    assert told.barrier is None


def test_displacements_of_other_atoms_are_not_these():
    moves = switching_samples.details()["displacements"]
    assert of(displacements=moves[:4]).displacements is None
    assert of(displacements=[*moves, moves[0]]).displacements is None


def test_text_has_one_line_and_no_control_characters():
    assert text("a\x1b[31m\n\tb\u202e c\0") == "a [31m b c"
    assert text("x" * 500, 10) == "xxxxxxx..."
    assert text(b"bytes") == ""


@pytest.mark.parametrize(
    ("status", "value", "threshold", "bound"),
    [
        ("passed", 27.0, 1.0, ">= 1"),
        ("failed", 0.5, 1.0, ">= 1"),
        ("passed", 0.1, 2.0, "<= 2"),
        ("failed", 48.3, 40.0, "<= 40"),
        ("missing", None, 0.3, "0.3"),
        ("passed", 1.0, 1.0, "1"),
        ("passed", 1.0, None, ""),
    ],
)
def test_a_threshold_says_on_which_side_it_has_to_be_met(status, value, threshold, bound):
    assert JudgedCriterion("x", status, "", value, threshold, "1", True).bound == bound
