"""Mechanisms, vacancies and hops in the report: what is shown, what is escaped, what foreign JSON cannot do."""

from xml.etree import ElementTree

import pytest
from hysteron.export.report_mechanism_card import mechanism_card
from hysteron.export.report_mechanisms import mechanisms
from hysteron.export.report_words import NOT_COMPUTED
from mechanism_samples import details, switching_candidate
from screening_toys import candidate

EVIL = '"><script>alert(1)</script>'


def test_everything_that_was_found_is_read():
    told = mechanisms(switching_candidate())
    assert told.mechanism == "VCM"
    assert [row.status for row in told.rows] == ["passed", "failed", "not judged"]
    assert told.vacancies[0].poor == -0.3
    assert told.hops[0].connects == (0.83, 0.83, None)
    assert told.window == (0.3, 1.2)
    assert told.ten_years == 1.53


def test_the_card_says_what_was_not_computed():
    card = mechanism_card(switching_candidate(), 1)["mechanisms"]
    blocked = card["hops"][0]["rows"][2]
    assert blocked["height"] == NOT_COMPUTED
    assert blocked["note"] == "Blocked."
    assert card["rows"][0]["flagged"]
    assert not card["rows"][1]["flagged"]
    assert card["retention"].startswith("One hop")


def test_a_candidate_that_was_not_asked_has_no_block():
    assert mechanisms(candidate("titania_rutile")) is None
    assert mechanism_card(candidate("titania_rutile"), 1) == {"mechanisms": None}


def test_the_drawing_is_sound_and_says_its_numbers():
    drawing = mechanism_card(switching_candidate(), 3)["mechanisms"]["hops"][0]["drawing"]
    root = ElementTree.fromstring(str(drawing))
    texts = "".join(root.itertext())
    assert "ten years at 85" in texts
    assert "O1-O1 2.80 0.83" in texts
    circles = [one for one in root.iter() if one.tag.endswith("circle")]
    assert len(circles) == 2  # the blocked hop has no height
    low, high = sorted(float(one.get("cx")) for one in circles)
    # The abscissa is linear and begins at zero: LEFT is 26.
    assert (low - 26) / (high - 26) == pytest.approx(0.83 / 1.04, abs=0.005)


def test_no_height_no_drawing():
    hops = {"ion": "V_O", "hops": [{"name": "O1-O1", "height": None}]}
    card = mechanism_card(switching_candidate(migration={"O": hops}), 1)["mechanisms"]
    assert card["hops"][0]["drawing"] is None


def test_foreign_text_is_escaped_in_the_drawing():
    hops = {"ion": EVIL, "hops": [{"name": EVIL, "height": 0.5, "kind": EVIL}]}
    drawing = mechanism_card(switching_candidate(migration={"O": hops}), 1)["mechanisms"]["hops"][0][
        "drawing"
    ]
    assert "<script>" not in drawing
    ElementTree.fromstring(str(drawing))


@pytest.mark.parametrize(
    "broken",
    [
        {"mechanisms": "VCM"},
        {"mechanisms": [{"mechanism": "VCM", "status": "magic"}]},
        {"mechanisms": [7, None, {"status": "passed"}]},
    ],
)
def test_what_has_no_mechanism_shows_nothing(broken):
    assert mechanisms(switching_candidate(**broken)) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"vacancies": [1, 2], "migration": "x", "retention": 3, "windows": None},
        {"migration": {"O": {"hops": [{"name": "a", "height": float("inf")}, {"name": 3}]}}},
        {"vacancies": {"O": {"sites": [{"label": "V", "energy": "1"}], "notes": 7}}},
        {"windows": {"migration_barrier": [2, 1]}, "retention": {"barrier_for_ten_years": [1, "x", 3]}},
        {"migration": {"O": None}, "vacancies": {"O": None}},
    ],
)
def test_what_has_not_its_shape_is_left_out(broken):
    card = mechanism_card(switching_candidate(**broken), 1)["mechanisms"]
    assert [row["name"] for row in card["rows"]] == ["VCM", "ECM", "MIT"]


def test_the_report_holds_the_block(tmp_path):
    from hysteron.core.candidate import Step
    from hysteron.export.report import write_report
    from hysteron.export.run_summary import RunSummary

    one = switching_candidate(mechanisms=[{**details()["mechanisms"][0], "reason": EVIL}])
    one = one.with_step(Step("retrieve", "toy", "1"))
    page = write_report(tmp_path / "report.html", RunSummary("toy"), [one], [], [one]).read_text()
    assert "How it could switch its resistance" in page
    assert EVIL not in page
    assert "Hops of V_O" in page
