"""`hysteron learn`: sentences, exit codes, JSONL when piped, tables on a terminal."""

import json

import lesson_samples as samples
import pytest
from hysteron.cli.lesson_tables import print_lesson
from hysteron.cli.main import main
from hysteron.store.store import CandidateStore


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store.db"
    with CandidateStore.open(path) as opened:
        opened.upsert([samples.predicted(samples.salt("NaF"), 5.0)])
    return path


def fill(path, count: int = 8) -> None:
    with CandidateStore.open(path) as opened:
        opened.upsert(samples.many(count))


def test_without_dft_results_it_says_what_to_do(store, capsys):
    assert main(["learn", "--store", str(store)]) == 2
    assert "hysteron ingest" in capsys.readouterr().err


def test_dft_without_an_estimate_beside_it_teaches_nothing(store, capsys):
    with CandidateStore.open(store) as opened:
        bare = samples.predicted(samples.salt("MgO"), 4.0, method="experiment")
        opened.upsert([samples.answered(bare, 4.5)])
    assert main(["learn", "--store", str(store)]) == 2
    assert "no estimate of the same property" in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(tmp_path):
    assert main(["learn", "--store", str(tmp_path / "none.db")]) == 1 or not (tmp_path / "none.db").exists()
    assert not (tmp_path / "none.db").exists()


def test_a_dry_run_writes_nothing_and_the_real_one_keeps_the_same(store, capsys):
    fill(store)
    assert main(["learn", "--dry-run", "--store", str(store)]) == 0
    dry = capsys.readouterr()
    with CandidateStore.open(store) as opened:
        assert opened.lessons() == []
    assert main(["learn", "--store", str(store)]) == 0
    real = capsys.readouterr()
    assert dry.out == real.out
    assert "nothing was written" in dry.err
    (line,) = map(json.loads, real.out.splitlines())
    assert (line["name"], line["method"], line["teacher"]) == ("band_gap", samples.GNN, "DFT/PBE/pw.x")
    assert line["overall"]["n"] == 8
    assert line["overall"]["mean_error"]["value"] == pytest.approx(-0.5)
    assert line["correction"]["kind"] == "offset"
    with CandidateStore.open(store) as opened:
        (kept,) = opened.lessons()
        assert kept.version == line["lesson"]
        assert opened.get("oxide-000").value("band_gap", samples.GNN) == 1.5


def test_learning_twice_keeps_one_lesson_and_show_prints_it(store, capsys):
    fill(store)
    main(["learn", "--store", str(store)])
    first = capsys.readouterr()
    assert main(["learn", "--store", str(store)]) == 0
    assert "No DFT results since lesson" in capsys.readouterr().err
    fill(store, 9)
    main(["learn", "--store", str(store)])
    version = json.loads(first.out)["lesson"]
    capsys.readouterr()
    assert main(["learn", "--show", version[:6], "--store", str(store)]) == 0
    shown = capsys.readouterr()
    assert shown.out == first.out
    assert "number 1" in shown.err
    assert main(["learn", "--show", "ffffffff", "--store", str(store)]) == 2
    assert "the newest is" in capsys.readouterr().err


def test_show_and_dry_run_exclude_each_other(store):
    assert main(["learn", "--show", "last", "--dry-run", "--store", str(store)]) == 2


def test_estimates_that_are_left_out_are_told(store, capsys):
    fill(store)
    with CandidateStore.open(store) as opened:
        from hysteron.core.candidate import Step

        moved = samples.predicted(samples.salt("ScO"), 2.0, identifier="moved").with_step(
            Step("relax", "other")
        )
        opened.upsert([samples.answered(moved, 2.5)])
    assert main(["learn", "--store", str(store)]) == 0
    assert (
        "moved: band_gap by GNN 2026-11: the crystal was relaxed after it was made" in capsys.readouterr().err
    )


def test_the_tables_show_figures_and_take_no_markup_from_outside(capsys):
    from hysteron.predictors.lessons.lesson import learn

    content = learn(
        [
            *samples.many(8),
            samples.answered(samples.predicted(samples.salt("NaF"), 5.0, method="[red]x[/]"), 6.0),
        ]
    )
    print_lesson(content, "0" * 12)
    told = " ".join(capsys.readouterr().out.split())
    assert "[red]x[/]" in told
    assert "-0.5 (-0.634" in told
    assert "offset" in told
