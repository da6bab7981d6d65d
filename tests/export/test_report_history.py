"""The report's head: what is new since the run before; and where the run was sent to look."""

from __future__ import annotations

import dataclasses

import pytest
from hysteron.export.report import render_report
from hysteron.export.report_history import MOVES_SHOWN, SHOWN, changes, regions
from hysteron.export.run_summary import Change, Look, RunSummary, Since
from hysteron.export.table import PLACE_BEFORE, shortlist_csv

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
RUN = RunSummary("run-2", preset="ferroelectric")


def since(shortlist) -> Since:
    first, second, third = shortlist[:3]
    return Since(
        "run-1",
        "2026-01-02T03:04:05Z",
        new=(Change(first.candidate_id, first.formula, None, 1, "proposed and relaxed in this run"),),
        fell_off=(Change("ZnO-186-0123456789", "ZnO", 2, None, f"outranked {HOSTILE}"),),
        moved=(Change(second.candidate_id, second.formula, 1, 2), Change("x", "", 9, 8)),
        stayed=(Change(third.candidate_id, third.formula, 3, 3),),
    )


def look(i: int = 0, **more) -> Look:
    base = Look(f"region {i}", 40, 12, 0.37, 0.5, 20, 6, 2, "2.0 times as often as the average")
    return dataclasses.replace(base, **more)


def test_the_changes_come_before_the_shortlist_and_are_escaped(shortlist):
    page = render_report(dataclasses.replace(RUN, since=since(shortlist)), shortlist, [], shortlist)
    assert 0 < page.index('id="since"') < page.index('id="shortlist"')
    assert HOSTILE not in page
    assert "outranked &lt;script&gt;" in page
    assert "1 crystal new on the shortlist, 1 fell off, 2 moved, one stayed." in page
    assert '<a href="#crystal-2" data-select="2">' in page
    assert "2 January 2026, 03:04 UTC" in page


def test_a_first_run_has_neither_section(shortlist):
    page = render_report(RUN, shortlist, [], shortlist)
    assert 'id="since"' not in page
    assert 'id="looked"' not in page
    assert 'href="#since"' not in page


def test_moves_are_told_with_their_direction(shortlist):
    told = changes(since(shortlist))
    assert [group["name"] for group in told["groups"]] == ["New", "Fell off", "Moved"]
    assert [row["rise"] for row in told["groups"][2]["rows"]] == [-1, 1]
    assert told["groups"][2]["rows"][1]["plain_formula"] == "x"


def test_many_moves_are_folded_away(shortlist):
    """Every one that comes in above pushes the others down."""
    moved = tuple(Change(f"x-{i}", f"X{i}", i, i + 1) for i in range(1, MOVES_SHOWN + 2))
    told = dataclasses.replace(since(shortlist), moved=moved)
    assert [group["name"] for group in changes(told)["groups"]] == ["New", "Fell off"]
    page = render_report(dataclasses.replace(RUN, since=told), shortlist, [], shortlist)
    head, folded = page[page.index('id="since"') : page.index('id="shortlist"')].split("<details>")
    assert "4 moved</summary>" in folded
    assert ("x-1" in head, "x-1" in folded) == (False, True)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({}, "Nothing has changed on the shortlist."),
        ({"stayed": 3}, "Nothing has changed on the shortlist."),
        ({"moved": 2}, "Nobody is new, 2 moved."),
        ({"new": 2, "stayed": 2}, "2 crystals new on the shortlist, 2 stayed where they were."),
    ],
)
def test_the_sentence_counts(groups, said):
    rows = {name: (Change("x", "X", 1, 1),) * count for name, count in groups.items()}
    assert changes(Since("run-1", "", **rows))["lede"] == said


def test_no_run_before_is_no_section():
    assert changes(None) is None


def test_regions_say_what_was_found_before_and_in_this_run(shortlist):
    looked = (look(region=HOSTILE), look(1, tried=0, passed=0, hoped=None, reason="not tried before"))
    run = dataclasses.replace(RUN, looked=looked, memory="3 earlier runs")
    page = render_report(run, shortlist, [], shortlist)
    assert HOSTILE not in page
    for words in ("12 of 40", "37%", "none tried", "not tried before", "3 earlier runs"):
        assert words in page


def test_many_regions_are_folded_away():
    told = regions([look(i) for i in range(SHOWN + 3)])
    assert len(told["rows"]) == SHOWN
    assert (len(told["rest"]), told["more"]) == (3, "3 more regions")


def test_the_table_has_the_place_before_if_there_was_a_run(shortlist):
    assert PLACE_BEFORE not in shortlist_csv(shortlist)
    heading, *rows = shortlist_csv(shortlist, {shortlist[1].candidate_id: 1}).splitlines()
    assert heading.endswith(f",{PLACE_BEFORE}")
    assert rows[0].endswith(",")
    assert rows[1].endswith(",1")
