"""The printed block of the ferroelectric screen: every number with its unit, whatever the verdict holds."""

from __future__ import annotations

import dataclasses
import io
import json

import materials
import pytest
import switching_samples
from hysteron.cli import blocks, ferroelectric
from hysteron.cli.ferroelectric import ASCII_BARS, BARS, print_ferroelectric
from hysteron.cli.main import main
from hysteron.core.candidate import Candidate, Verdict
from hysteron.store.store import CandidateStore


def printed(capsys, *candidates: Candidate, inputs=()) -> str:
    print_ferroelectric(candidates, inputs)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 120])
def test_parent_path_and_polarization_are_told(capsys, monkeypatch, width):
    monkeypatch.setattr(blocks, "WIDTH_WHEN_PIPED", width)
    shown = printed(capsys, switching_samples.candidate(), inputs=["here/BaTiO3.cif"])
    assert all(len(line) <= width for line in shown.splitlines())
    words = " ".join(shown.split())
    for sentence in (
        "BaTiO3-99-0123456789 BaTiO3 here/BaTiO3.cif",
        "P4mm (99), point group 4mm, polar at symprec 0.01 and 0.05 A",
        "Pm-3m (221) 0.109 0.55 12.4 ",
        "linear path, upper bound; 9 images from parent Pm-3m (221), highest at 0.00",
        "barrier 0.062 eV/f.u., 12.4 meV/atom",
        "polar minus nonpolar end -12.4 meV/atom",
        "27.1 +- 2.6 uC/cm^2, 90% interval 22.9 to 31.4",
        "vector (0.0, 0.0, 27.1) uC/cm^2",
        "quantum along a, b, c: 100.4, 100.4, 101.4 uC/cm^2",
        "displacive, assessable by this method: one ion in an octahedron moves off centre",
        "verdict passes, score 0.74",
    ):
        assert sentence in words
    criteria = [line.split() for line in shown.split("criteria")[1].splitlines()]
    assert ["insulator*", "1.83", ">=", "0.3", "eV", "pass"] in criteria
    assert ["switching_barrier_per_atom*", "12.4", "<=", "40", "meV/atom", "pass"] in criteria
    assert ["distortion_max", "0.1089", "<=", "2", "A", "pass"] in criteria


def test_proxies_have_a_method_or_say_why_not(capsys):
    shown = printed(capsys, switching_samples.candidate())
    assert "proxy" in shown
    words = " ".join(shown.split())
    assert "coercive field 3.9 MV/cm Landau upper bound" in words
    assert "energy above hull - eV/atom no hull was handed in" in words


def test_a_reversed_path_runs_from_minus_p_to_plus_p(capsys):
    words = " ".join(printed(capsys, switching_samples.hafnia()).split())
    assert "NEB; 11 images from the reversed state (-P), highest at 0.50" in words
    assert f"-P {BARS[0]}{BARS[1]}" in words
    assert "Stopped at its wall-clock cap of 60 s" in words
    assert "switching_barrier_per_atom* 48.3 <= 40 meV/atom fail" in words
    assert "insulator - 0.3 eV missing" in words
    assert "Barrier 48.3 meV/atom lies outside the window" in words


def test_what_cannot_be_assessed_says_why_and_shows_no_path(capsys):
    shown = printed(capsys, switching_samples.not_assessable())
    words = " ".join(shown.split())
    assert "molecular, not assessable by this method: rigid ions carry the dipole" in words
    assert "path" not in words
    assert "estimates" not in words


def test_a_collapse_is_told(capsys):
    ends = {"polar": {"spacegroup_number": 221, "converged": True, "collapsed": True}, "method": "CHGNet"}
    candidate = switching_samples.candidate(switching_samples.details() | {"ends": ends})
    words = " ".join(printed(capsys, candidate).split())
    assert "the polar end collapsed to Pm-3m (221) when relaxed" in words


def test_a_bare_verdict_and_none_at_all(capsys):
    bare = Verdict("ferroelectric", False, 0.0, None, None, "Not polar.")
    one = Candidate("SrTiO3-221-1", materials.strontium_titanate(), verdicts=(bare,))
    shown = printed(capsys, one, dataclasses.replace(one, verdicts=()))
    assert shown.splitlines()[1].split() == ["verdict", "fails,", "score", "0.00"]
    assert "Not polar." in shown
    assert "has not judged it" in shown


def test_nothing_foreign_is_markup_or_steers_the_terminal(capsys):
    odd = "[bold]x[/bold] \x1b[2J\x07 [/]"
    told = switching_samples.details()
    told["path"]["note"] = told["mechanism"]["reason"] = told["estimates"][0]["method"] = odd
    told["criteria"][0]["name"] = told["parents"][0]["found_by"][0] = odd
    candidate = switching_samples.candidate(told)
    verdict = dataclasses.replace(candidate.verdicts[0], reason=odd, passed=False)
    candidate = dataclasses.replace(candidate, verdicts=(verdict,), candidate_id=odd)
    shown = printed(capsys, candidate, inputs=[odd])
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert shown.count("[bold]x[/bold]") >= 6


def test_the_sparkline_has_the_heights_of_the_energies():
    assert ferroelectric._sparkline([0.0, 1.0, 2.0, 7.0], BARS) == "▁▂▃█"
    assert ferroelectric._sparkline([3.0, 3.0], BARS) == "▁▁"
    assert ferroelectric._sparkline([-7.0, 0.0], ASCII_BARS) == "_#"


def test_a_terminal_without_blocks_gets_ascii():
    from rich.console import Console

    plain = Console(file=io.TextIOWrapper(io.BytesIO(), encoding="ascii"), width=100)
    ferroelectric.print_block(plain, switching_samples.candidate())
    plain.file.flush()
    shown = plain.file.buffer.getvalue().decode("ascii")
    assert "0 ##*+=" in shown


# The commands


@pytest.fixture
def judged(monkeypatch, tmp_path):
    """A crystal's file, and screens that judge without a potential."""
    from hysteron.flows import steps, toolbox

    class Energies:
        def predict(self, candidates):
            return list(candidates)

    def judge(candidates, screens, tools):
        verdict = switching_samples.candidate().verdicts[0]
        return [one.with_verdict(verdict) for one in candidates]

    monkeypatch.setattr(toolbox, "predictor", lambda name: Energies())
    monkeypatch.setattr(toolbox, "tools_for_prediction", lambda: None)
    monkeypatch.setattr(steps, "judged", judge)
    path = tmp_path / "BaTiO3.cif"
    materials.barium_titanate_tetragonal().to(str(path))
    return str(path)


@pytest.mark.parametrize(
    ("options", "table", "block"),
    [
        (["--screen", "ferroelectric"], False, True),
        (["--screen", "ferroelectric", "--screen", "stability"], True, True),
        (["--screen", "stability"], True, False),
        ([], True, False),
    ],
)
def test_the_block_is_printed_where_the_screen_was_named(judged, capsys, options, table, block):
    assert main(["screen", judged, *options, "--format", "table"]) == 0
    shown = capsys.readouterr().out
    assert ("candidate: formula-space group-digest" in shown) == table
    assert ("linear path, upper bound" in shown) == block
    assert ("verdict  passes" in shown) == block


def test_jsonl_stays_what_it_was(judged, capsys):
    assert main(["screen", judged, "--screen", "ferroelectric", "--format", "jsonl"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["verdicts"][0]["details"]["path"]["kind"] == "linear"
    assert record["input"] == judged


def test_show_has_the_block(capsys, tmp_path):
    candidate = switching_samples.candidate()
    address = f"sqlite:///{tmp_path / 'store.db'}"
    with CandidateStore.open(address) as store:
        store.upsert([candidate])
    assert main(["show", candidate.candidate_id, "--store", address, "--format", "table"]) == 0
    shown = capsys.readouterr().out
    assert "linear path, upper bound" in shown
    assert "retrieve: catalog" in shown
    assert "passes ferroelectric" in shown


def test_the_path_is_a_setting_of_one_screen(tmp_path, capsys):
    crystal = tmp_path / "rutile.cif"
    materials.titania_rutile().to(filename=str(crystal))
    assert main(["screen", str(crystal), "--screen", "supply", "--path", "neb"]) == 2
    assert "--path is a setting of the ferroelectric screen" in capsys.readouterr().err
    assert main(["screen", str(crystal), "--screen", "ferroelectric", "--path", "sideways"]) == 2
