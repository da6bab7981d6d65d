"""The report: complete in itself, honest about what is absent, and deaf to hostile text."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import materials
import orjson
import pytest
import switching_samples
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step, Verdict
from hysteron.core.errors import OutputError
from hysteron.export.report import render_report, write_report
from hysteron.export.report_view import MOST_NOTES, columns, funnel_rows
from hysteron.export.run_summary import FunnelStage, RunSummary

RUN = RunSummary(
    "run-1",
    preset="ferroelectric",
    question="What is polar on silicon?",
    seed=3,
    started="2026-01-02T03:04:05Z",
    elapsed_seconds=288.4,
    models={"energies": "CHGNet 0.3.0"},
    hull="a hull made up for this test",
    versions={"hysteron": "0.1.0"},
    settings={"run": {"seed": 3}},
    caveats=("Formal charges are not Born charges.",),
)
FUNNEL = [
    FunnelStage("proposed", 0, 64),
    FunnelStage("relaxed", 64, 60, {"Not converged.": 3, "The cell exploded.": 1}),
    FunnelStage("stability", 60, 20, {f"reason {i}": i + 1 for i in range(9)}),
]
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><a href='javascript:alert(3)'>x</a> {{ 7*7 }}"
)

SWITCHING = [switching_samples.candidate(), switching_samples.hafnia(), switching_samples.not_assessable()]


class Page(HTMLParser):
    """What a browser would make of a page: its elements, attributes, and text outside scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts[-1] += data
        elif not self._inside:
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.text))

    @property
    def data(self) -> dict:
        return orjson.loads(self.scripts[0])


@pytest.fixture(scope="module")
def page(shortlist) -> Page:
    return Page(render_report(RUN, shortlist, FUNNEL, shortlist))


@pytest.fixture(scope="module")
def hostile(ferroelectric) -> tuple[RunSummary, Candidate, list[FunnelStage]]:
    candidate = Candidate(
        HOSTILE,
        ferroelectric.structure,
        (
            PropertyValue("energy_above_hull", 0.1, "eV/atom", HOSTILE, 0.03, HOSTILE),
            PropertyValue("polarization", 10.0, "uC/cm^2", HOSTILE),
        ),
        (Step("generate", HOSTILE, HOSTILE, parents=(HOSTILE,), time=HOSTILE, details={HOSTILE: HOSTILE}),),
        (Verdict(HOSTILE, True, 0.5, None, None, HOSTILE),),
        (Failure(HOSTILE, HOSTILE, HOSTILE),),
    )
    candidate.__dict__["formula"] = HOSTILE
    named = {HOSTILE: HOSTILE}
    run = RunSummary(
        HOSTILE,
        HOSTILE,
        HOSTILE,
        0,
        HOSTILE,
        1.0,
        named,
        HOSTILE,
        named,
        named,
        {HOSTILE: HOSTILE},
        (HOSTILE,),
    )
    return run, candidate, [FunnelStage(HOSTILE, 2, 1, {HOSTILE: 1}, {HOSTILE: 1, "other": 0})]


def test_nothing_is_loaded_from_anywhere(page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
            target = attributes.get(name) or ""
            assert target == "" or target.startswith(("#", "data:,")), (tag, name, target)
    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    assert "http" not in policy


def test_hostile_text_is_shown_and_never_run(hostile):
    run, candidate, funnel = hostile
    page = Page(render_report(run, [candidate], funnel, [candidate]))
    assert len(page.scripts) == 3
    assert [t for t, _ in page.elements].count("script") == 3
    assert not any(tag in ("img", "iframe", "object", "embed", "base", "form") for tag, _ in page.elements)
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "javascript:" not in (attributes.get("href") or "")
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert page.data["structures"][0]["formula"] == HOSTILE
    assert "<" not in page.scripts[0]


def test_the_policy_names_the_scripts_that_stand_in_the_page(page):
    import base64
    import hashlib

    policy = next(a["content"] for t, a in page.elements if t == "meta" and "http-equiv" in a)
    for script in page.scripts[1:]:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_values_stand_with_unit_method_and_uncertainty(page):
    assert "0.004 ± 0.034" in page.words
    assert "26.0 ± 6.5" in page.words
    assert "µC/cm²" in page.words
    assert "oxidation state charges" in page.words
    assert "a hull made up for this test" in page.words


def test_what_is_absent_is_not_computed_and_never_zero(shortlist):
    silicon = Candidate("Si-227-1", materials.silicon())
    page = Page(render_report(RUN, [shortlist[0], silicon], FUNNEL, []))
    row = page.words.split("Si-227-1")[1].split("Crystals")[0]
    # energy above hull, polarization, energy difference and score
    assert row.split("Score")[0].count("not computed") >= 4
    assert not re.search(r"\b0(\.0+)?\b", row.split("± is one standard")[0].replace("227", ""))
    assert "nan" not in page.words.lower()


def test_new_and_known_and_the_parent_are_told(page):
    assert "1 of them is new" in page.words
    assert "SrTiO3" in page.words.split("Where it came from")[1]
    assert "8 crystals on the shortlist" in page.words


def test_a_proposal_that_relaxed_into_a_known_crystal_is_not_called_new(ferroelectric):
    twin = ferroelectric.with_verdict(
        Verdict("novelty", False, None, None, None, "Relaxed into X.", {"same_as": "X"})
    )
    page = Page(render_report(RUN, [twin], FUNNEL, [twin]))
    assert "All of them were known before" in page.words
    assert page.data["map"]["points"][0]["new"] is False


def test_the_funnel_counts_and_its_reasons(page):
    words = page.words.split("Funnel")[-1]
    assert "Proposed 64 Relaxed 60 of 64" in words
    assert "60 of 64" in words
    assert "4 set aside" in words
    assert "3 Not converged." in words
    assert words.index("9 reason 8") < words.index("8 reason 7")
    assert "3 more reasons" in words


def test_the_map_holds_known_and_new_and_ranks(page, shortlist):
    figure = page.data["map"]
    assert [(p["formula"], p["new"], p["rank"]) for p in figure["points"]] == [("BaTiO3", True, 1)]
    point = figure["points"][0]
    assert (point["x"], point["y"]) == (26.0, 0.004)
    assert "7" in next(text for text in page.text if "was not computed" in text)


def test_structures_for_turning_match_the_crystals(page, shortlist):
    for drawn, candidate in zip(page.data["structures"], shortlist, strict=True):
        assert set(drawn["elements"]) == {s.specie.symbol for s in candidate.structure}
        assert set(drawn["sites"]) == set(range(len(candidate.structure)))


def test_the_run_is_told_without_the_machine(page):
    words = page.words
    assert "2 January 2026, 03:04 UTC" in words
    assert "4 min 48 s" in words
    assert "Formal charges are not Born charges." in words
    assert str(Path.home()) not in words


def test_equal_runs_give_equal_bytes(shortlist):
    assert render_report(RUN, shortlist, FUNNEL, shortlist) == render_report(
        RUN, shortlist, FUNNEL, shortlist
    )


def test_a_run_without_results_still_gives_a_page(tmp_path):
    page = Page(
        write_report(tmp_path / "r.html", RunSummary("empty"), [], [], []).read_text(encoding="utf-8")
    )
    assert "No crystal is on the shortlist" in page.words
    assert "recorded no funnel" in page.words
    assert page.data == {"structures": [], "map": None}


def test_measured_values_are_not_called_predictions(ferroelectric):
    measured = dataclasses.replace(
        ferroelectric, properties=(PropertyValue("band_gap", 3.2, "eV", "measured, 300 K"),)
    )
    assert "1 of the values on the shortlist" in Page(render_report(RUN, [measured], [], [])).words
    assert "nothing on this page was measured" in Page(render_report(RUN, [ferroelectric], [], [])).words


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write_report(tmp_path / "missing" / "r.html", RUN, [], [], [])


@pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Chromium is not installed, so no browser opens the report"
)
@pytest.mark.parametrize("kind", ["plain", "hostile", "switching"])
def test_a_browser_opens_it_without_errors(kind, shortlist, hostile, tmp_path):
    run, odd, funnel = hostile
    report = tmp_path / "report.html"
    if kind == "plain":
        write_report(report, RUN, shortlist, FUNNEL, shortlist)
    elif kind == "switching":
        write_report(report, RUN, SWITCHING, FUNNEL, SWITCHING[:1])
    else:
        write_report(report, run, [odd], funnel, [odd])
    command = ["chromium", "--headless", "--no-sandbox", "--disable-background-networking", "--disable-sync"]
    command += ["--no-first-run", "--disable-component-update", "--enable-unsafe-swiftshader"]
    command += ["--enable-logging=stderr", "--window-size=1200,6000", "--virtual-time-budget=8000"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", report.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    complaints = re.findall(r"CONSOLE.*?(?:Uncaught|Error|Refused|violates|Failed to load).*", done.stderr)
    assert complaints == []
    assert 'class="js"' in done.stdout
    assert len(re.findall(r'class="point[ "]', done.stdout)) == 1
    assert 'aria-sort="ascending"' in done.stdout
    assert "<button" in done.stdout.split("<thead>")[1].split("</thead>")[0]
    button = re.findall(r'<button[^>]*id="moves"[^>]*>', done.stdout)
    assert ["hidden" in one for one in button] == [kind != "switching"]
    assert ("displacement from the nonpolar parent Pm-3m, arrows 5×</span>" in done.stdout) == (
        kind == "switching"
    )


# How it would switch


def test_the_path_is_drawn_and_told():
    page = Page(render_report(RUN, SWITCHING, FUNNEL, SWITCHING))
    told = page.words.split("How it would switch")
    assert len(told) == 4
    assert "Linear path, upper bound: 9 images" in told[1]
    assert "Barrier 12.4 meV/atom" in told[1]
    assert re.search(r"Pm3m 221\s?0\.109\s?0\.55\s?12\.4\s?ladder, pseudosymmetry", told[1])
    assert "Mechanism Displacive: one ion in an octahedron moves off centre." in told[1]
    assert "NEB: 11 images" in told[2]
    assert "Molecular: not assessable by this method: rigid ions carry the dipole." in told[3]
    pictures = [a for t, a in page.elements if t == "svg" and a.get("class") == "profile"]
    assert [a["aria-labelledby"] for a in pictures] == [
        "path-1-title path-1-desc",
        "path-2-title path-2-desc",
    ]
    identifiers = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identifiers) == len(set(identifiers))


def test_arrows_are_data_and_drawing():
    page = Page(render_report(RUN, SWITCHING, FUNNEL, SWITCHING))
    first, second, third = (drawn["moves"] for drawn in page.data["structures"])
    assert first["caption"] == "displacement from the nonpolar parent Pm-3m, arrows 5×"
    assert second["origin"] == "the reversed polar state"
    assert third is None
    symbols = {a["id"] for t, a in page.elements if t == "symbol"}
    assert {"moves-1", "moves-2"} <= symbols
    assert "moves-3" not in symbols
    uses = [a["href"] for t, a in page.elements if t == "use" and a.get("class") == "moves"]
    assert uses == ["#moves-1", "#moves-1", "#moves-2"]


def test_hostile_details_are_shown_and_never_run():
    told = switching_samples.details()
    told["path"] |= {"note": HOSTILE, "kind": HOSTILE}
    told["mechanism"] = {"kind": HOSTILE, "assessable": False, "reason": HOSTILE}
    told["ends"] = {"method": HOSTILE, "polar": {"symbol": HOSTILE}}
    for parent in told["parents"]:
        parent |= {"symbol": HOSTILE, "found_by": [HOSTILE], "point_group": HOSTILE}
    page = Page(render_report(RUN, [switching_samples.candidate(told)], FUNNEL, []))
    assert [t for t, _ in page.elements].count("script") == 3
    assert not any(tag in ("img", "iframe", "object", "embed", "base", "form") for tag, _ in page.elements)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert "<script>alert(1)</script>" in page.words.split("How it would switch")[1]


# Who proposed what


def _split(*rows: tuple[str, int, int, dict[str, int]]) -> list[FunnelStage]:
    return [FunnelStage(name, entered, left, {}, by_generator) for name, entered, left, by_generator in rows]


TWO = _split(
    ("known materials", 0, 2986, {"substitution": 0, "tokens": 0, "substitution + tokens": 0}),
    ("proposed", 0, 64, {"substitution": 44, "tokens": 19, "substitution + tokens": 1}),
    ("relaxed", 20, 20, {"substitution": 14, "tokens": 6, "substitution + tokens": 0}),
    ("stability", 140, 130, {"substitution": 12, "tokens": 0, "substitution + tokens": 0}),
    ("shortlist", 40, 15, {"substitution": 3, "tokens": 1, "substitution + tokens": 0}),
)


def _funnel_of(page: Page) -> str:
    return page.words.split("Predicted, not measured")[1].split(" Funnel ")[1]


def test_the_funnel_tells_who_proposed(shortlist):
    words = _funnel_of(Page(render_report(RUN, shortlist, TWO, shortlist)))
    assert words.startswith(
        "substitution tokens substitution + tokens proposed by both, counted once known materials screened beside"
    )
    assert "Proposed 64 44 substitution 19 tokens 1 substitution + tokens Relaxed" in words
    assert "Stability 130 of 140 10 set aside 12 substitution 0 tokens 118 known materials" in words
    assert "Shortlist 15 of 40 25 set aside 3 substitution 1 tokens 11 known materials" in words
    assert "Known materials 2986 Proposed" in words


def test_segments_add_up_and_say_what_they_are(shortlist):
    page = Page(render_report(RUN, shortlist, TWO, shortlist))
    segments = [a for t, a in page.elements if t == "i" and "flex-grow" in (a.get("style") or "")]
    assert [a["title"] for a in segments if a["title"].endswith("materials")] == [
        "2986 known materials",
        "118 known materials",
        "11 known materials",
    ]
    total = sum(int(re.search(r"flex-grow:(\d+)", a["style"] or "")[1]) for a in segments)
    assert total == sum(stage.left for stage in TWO)


def test_the_longest_bar_is_not_that_of_the_known_materials_to_begin_with(shortlist):
    rows = funnel_rows(TWO)
    assert [row["beyond"] for row in rows] == [True, False, False, False, False]
    assert (rows[0]["left_share"], rows[3]["entered_share"]) == ("100.00", "100.00")


def test_a_few_crystals_in_a_short_bar_are_drawn_one_by_one():
    drawn = {row["name"]: [part["drawn"] for part in row["parts"]] for row in funnel_rows(TWO)}
    assert drawn["Stability"] == [1, 1, 1]
    assert drawn["Shortlist"] == [3, 1, 11]


def test_of_one_generator_the_funnel_is_as_it_was(shortlist):
    alone = [dataclasses.replace(stage, by_generator={"substitution": stage.left}) for stage in FUNNEL]
    one = render_report(RUN, shortlist, alone, shortlist)
    assert one == render_report(RUN, shortlist, FUNNEL, shortlist)
    assert '<ol class="funnel">' in one


def test_hostile_generators_are_shown_and_never_run(hostile):
    run, candidate, _ = hostile
    names = {HOSTILE: 1, "other": 1, f"{HOSTILE} + other": 1}
    funnel = [FunnelStage("proposed", 0, 3, {}, names), FunnelStage(HOSTILE, 3, 3, {}, names)]
    page = Page(render_report(run, [candidate], funnel, [candidate]))
    assert [t for t, _ in page.elements].count("script") == 3
    assert not any(tag in ("img", "iframe", "object", "embed", "base", "form") for tag, _ in page.elements)
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    assert all("<" not in (attributes.get("style") or "") for _, attributes in page.elements)
    assert f"{HOSTILE} + other" in page.words


def test_a_crystal_of_two_roads_names_both(ferroelectric):
    twice = dataclasses.replace(
        ferroelectric, provenance=(*ferroelectric.provenance, Step("generate", "tokens"))
    )
    page = Page(render_report(RUN, [twice], FUNNEL, [twice]))
    assert "substitution of SrTiO3-221-aaaaaaaaaa; tokens" in page.words


def test_many_sources_of_one_method_make_one_footnote():
    """Each polarization is against another parent; the card of each crystal says which."""

    def shown(parents: int) -> tuple[tuple[str, str], ...]:
        candidates = [
            dataclasses.replace(
                switching_samples.candidate(),
                properties=(PropertyValue("polarization", 10.0, "uC/cm^2", "charges", source=f"parent {i}"),),
            )
            for i in range(parents)
        ]
        return next(column.notes for column in columns(candidates) if column.name == "polarization")

    assert shown(2) == (("a", "charges; parent 0"), ("b", "charges; parent 1"))
    assert shown(MOST_NOTES + 1) == (("", "charges"),)
