"""The resistive-switching screen at a terminal."""

from hysteron.cli.resistive_switching import print_resistive_switching
from mechanism_samples import switching_candidate
from screening_toys import candidate


def test_a_block_tells_mechanisms_vacancies_hops_and_retention(capsys):
    print_resistive_switching([switching_candidate(), candidate("silicon")], ["a.cif", "b.cif"])
    out = capsys.readouterr().out
    for words in (
        "titania_rutile  TiO2  a.cif",
        "VCM",
        "not judged",
        "by rule or near an edge",
        "host's poor limit -0.30",
        "0.83 eV",
        "connects in 1D at 0.83 eV, 2D at 0.83 eV",
        "one hop waits long",
        "The resistive-switching screen has not judged it.",
    ):
        assert words in out, words


def test_foreign_markup_and_control_characters_are_plain_text(capsys):
    evil = "[red]x[/red]\x1b[2J"
    rows = [{"mechanism": "VCM", "status": "passed", "score": 1.0, "reason": evil}]
    print_resistive_switching([switching_candidate(mechanisms=rows)])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "\x1b[2J" not in out


def test_hops_that_do_not_connect_are_said(capsys):
    hops = {"ion": "V_O", "hops": [{"name": "a", "height": 1.0}], "percolation": {}}
    print_resistive_switching([switching_candidate(migration={"O": hops})])
    assert "the hops computed do not connect" in capsys.readouterr().out
