"""A run with two generators: both propose, the best of either are relaxed, and the run says who brought what."""

from collections import Counter

import pytest
import second_generators
from hysteron.export.report_view import funnel_key
from hysteron.flows import launch, results, steps, toolbox
from hysteron.flows.proposals import proposers
from hysteron.flows.run import recorded
from hysteron.flows.run_settings import resolve
from hysteron.generators import GENERATORS

TABLES = [{"name": "substitution", "share": 3}, {"name": "writer", "share": 1}]


def begun(folder, tables=TABLES):
    values = resolve(options={"relaxations": 8, "preset": "all", "seed": 1}).model_dump(mode="json")
    values |= {
        "flow": values["flow"] | {"chunk": 4},
        "run": values["run"] | {"known": 4},
        "generator": tables,
    }
    return launch.new_run(values, str(folder / "one.db"), folder / "out")


@pytest.fixture(scope="module")
def both(small_home, tmp_path_factory):
    """A whole run, its summary, and the tools that the second generator was handed."""
    seen = []

    class Watched(second_generators.Writer):
        def generate(self, seeds, count, rng, tools):
            seen.append((count, tools))
            yield from super().generate(seeds, count, rng, tools)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HYSTERON_HOME", str(small_home))
        patch.setitem(GENERATORS, "writer", "second_generators:Writer")
        patch.setattr(second_generators, "Writer", Watched)
        run = begun(tmp_path_factory.mktemp("both"))
        with recorded(run):
            steps.retrieve(run)
            for chunk in steps.generate_chunks(run):
                steps.generate(run, chunk)
            steps.select(run)
            for chunk in steps.relax_chunks(run):
                steps.relax(run, chunk)
            for chunk in steps.screen_chunks(run):
                steps.screen(run, chunk)
            steps.rank(run)
            steps.export(run)
    return run, run.done("export")[0], seen


@pytest.fixture
def writer(small_catalog, monkeypatch):
    monkeypatch.setitem(GENERATORS, "writer", "second_generators:Writer")


def test_a_chunk_is_full_and_both_have_their_share(both):
    run, _, seen = both
    chunk = run.done("generate")[0]
    assert len(chunk["ids"]) == len(set(chunk["ids"])) == steps.PROPOSALS_A_CHUNK
    assert {i for ids in chunk["by_generator"].values() for i in ids} == set(chunk["ids"])
    assert seen[0][0] == 16
    assert 0 < len(chunk["by_generator"]["writer"]) <= 16


def test_a_generator_may_ask_the_hull_and_the_predictor(both):
    tools = both[2][0][1]
    assert tools.known is not None
    assert tools.hull is toolbox.hull("chgnet")
    assert tools.predictor is toolbox.predictor("properties")


def test_without_a_predictor_there_is_none_to_ask(small_catalog):
    settings = resolve(options={"relaxations": 8}).model_copy(update={"predictor": ()})
    assert toolbox.tools_for_generation(settings, toolbox.known([])).predictor is None


def test_both_come_to_be_relaxed(both):
    run = both[0]
    who = proposers(run)
    relaxed = [i for payload in run.done("relax").values() for i in payload["ids"]]
    assert {who[i] for i in relaxed} == {"substitution", "writer"}


def test_the_funnel_counts_every_crystal_of_every_generator(both):
    run = both[0]
    screened = run.store.get_many([i for _, p in sorted(run.done("screen").items()) for i in p["ids"]])
    shortlist = run.store.get_many(run.done("rank")[0]["ids"][: run.settings.rank.top])
    stages = {stage.name: stage for stage in results.funnel(run, screened, shortlist)}
    for name in ("proposed", "chosen for relaxation", "relaxed", "novelty"):
        assert sum(stages[name].by_generator.values()) == stages[name].left
    assert not any(stages["known materials"].by_generator.values())
    kept = {c.candidate_id for c in screened if (v := c.verdict("stability")) and v.passed}
    assert sum(stages["stability"].by_generator.values()) == len(kept & set(proposers(run)))
    assert all({"substitution", "writer"} <= set(stage.by_generator) for stage in stages.values())


def test_the_run_says_in_a_line_each_who_brought_what(both):
    run, summary, _ = both
    counts = Counter(proposers(run).values())
    assert len(summary["generators"]) == len(counts)
    for line in summary["generators"]:
        name, _, told = line.partition(": ")
        assert told.startswith(f"{counts[name]} proposed, ")
        assert told.endswith(" on the shortlist")
        assert " stable, " in told


def test_a_crystal_that_both_proposed_has_two_provenances(both):
    """Substitution makes zincblende ZnO or the like out of a seed of this catalogue, and so does the writer."""
    run = both[0]
    twice = [i for i, who in proposers(run).items() if who == "substitution + writer"]
    assert twice
    for candidate in run.store.get_many(twice):
        assert [s.name for s in candidate.provenance if s.stage == "generate"] == ["substitution", "writer"]
        assert len(candidate.all_of("log_probability")) == 2


def test_the_report_draws_it(both):
    report = both[1]["report"]
    with open(report, encoding="utf-8") as page:
        text = page.read()
    assert '<ol class="funnel split">' in text
    assert '<span class="sr">writer</span>' in text


def test_equal_runs_propose_the_same(both, writer, tmp_path):
    again = begun(tmp_path)
    steps.retrieve(again)
    steps.generate(again, 0)
    assert again.done("generate")[0] == both[0].done("generate")[0]


def test_who_can_gives_what_the_other_could_not(writer, tmp_path):
    run = begun(tmp_path, [{"name": "writer", "share": 3, "settings": {"most": 2}}, {"name": "substitution"}])
    steps.retrieve(run)
    assert steps.generate(run, 0) == steps.PROPOSALS_A_CHUNK
    by_generator = run.done("generate")[0]["by_generator"]
    assert len(by_generator["writer"]) <= 2
    assert len(by_generator["substitution"]) >= steps.PROPOSALS_A_CHUNK - 2


def test_who_has_no_share_is_not_asked_and_not_told_of(writer, tmp_path):
    run = begun(tmp_path, [{"name": "substitution", "share": 0}, {"name": "writer"}])
    steps.retrieve(run)
    assert 0 < steps.generate(run, 0) <= len(second_generators.CATIONS)
    assert list(run.done("generate")[0]["by_generator"]) == ["writer"]
    assert set(proposers(run).values()) == {"writer"}
    assert results.Who(run).proposed([]) == {"writer": 0}


# Plain functions


def stage(name, left, **by_generator):
    return results.FunnelStage(name, 0, left, {}, by_generator)


def test_a_crystal_of_two_roads_has_a_line_of_its_own():
    both = {"one + two": 1}
    stages = [
        stage("proposed", 8, one=4, two=3, **both),
        stage("chosen for relaxation", 8, one=4, two=3, **both),
        stage("relaxed", 7, one=4, two=2, **both),
        stage("stability", 9, one=2, two=0, **both),
        stage("shortlist", 3, one=1, two=0, **both),
    ]
    assert results.contributions(stages) == [
        "one: 4 proposed, 4 relaxed, 2 stable, 1 on the shortlist",
        "two: 3 proposed, 2 relaxed, 0 stable, 0 on the shortlist",
        "one + two: 1 proposed, 1 relaxed, 1 stable, 1 on the shortlist",
    ]
    assert [entry["name"] for entry in funnel_key(stages)] == ["one", "two", "one + two", "known materials"]


def test_a_run_begun_by_an_older_program_has_its_one_generator(small_catalog, tmp_path):
    run = begun(tmp_path, [{"name": "substitution"}])
    run.store.upsert([], run.run_id, work=("generate", 0, {"ids": ["A", "B"]}))
    assert proposers(run) == {"A": "substitution", "B": "substitution"}


def test_names_of_several_stand_in_the_order_of_the_run(writer, tmp_path):
    run = begun(tmp_path)
    by_generator = {"writer": ["A", "B"], "substitution": ["B", "C"]}
    run.store.upsert(
        [], run.run_id, work=("generate", 0, {"ids": ["A", "B", "C"], "by_generator": by_generator})
    )
    assert proposers(run) == {"A": "writer", "B": "substitution + writer", "C": "substitution"}
