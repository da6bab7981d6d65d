"""What the log says of a chunk names the stage and the candidate."""

from hysteron.flows import launch, order
from hysteron.flows.artifacts import funnel_text, picture, rows
from hysteron.flows.telling import MOST_SENTENCES, sentences


def test_sentences_and_pictures_of_a_run(toy_world, tmp_path):
    run = launch.new_run(toy_world.settings(8, 4), str(tmp_path / "one.db"), tmp_path / "one")
    order.carry_out(run)
    passing = sentences(run, "screen", 0)
    assert passing
    assert len(passing) <= MOST_SENTENCES
    identifier, _, screens = passing[0].removeprefix("screen 0: ").partition(" passes ")
    assert {v.screen for v in run.store.get(identifier).verdicts if v.passed} == set(screens.split(", "))
    assert sentences(run, "relax", 0) == [], "all of them came to rest"

    summary = run.done("export")[0]
    text = funnel_text(run, summary)
    for name, _, left in summary["funnel"]:
        assert f"| {name} |" in text
        assert f"| {left} |" in text
    table = rows(run.store.get_many(summary["shortlist"]))
    assert [row["candidate"] for row in table] == summary["shortlist"]
    assert "eV/atom (toy volumes 1)" in table[0]["energy_above_hull"]
    assert table[0]["polarization"] == ""
    assert picture(summary).startswith("data:image/svg+xml;base64,")


def test_a_run_without_a_shortlist_can_be_drawn():
    assert picture({"funnel": [("known materials", 0, 0)]}).startswith("data:")
