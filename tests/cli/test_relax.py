"""`hysteron relax` as somebody uses it who wants nothing else from us."""

import json

import materials
import pytest
from hysteron.cli.main import main
from hysteron.cli.relax import summary
from hysteron.core.contracts import Relaxation
from hysteron.flows import toolbox
from pair_potential import PairPotential
from pymatgen.core import Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer


@pytest.fixture
def toy(monkeypatch):
    """A potential that is not the hull's stands in for all of them."""
    toolbox.hull()  # of its own potential
    potential = PairPotential()
    monkeypatch.setattr(toolbox, "potential", lambda name, device="cpu": potential)
    return potential


@pytest.fixture
def oxide(tmp_path):
    strained = materials.magnesium_oxide()
    strained.apply_strain(0.02)
    strained.to(str(tmp_path / "MgO.cif"))
    return tmp_path / "MgO.cif"


def records(capsys):
    captured = capsys.readouterr()
    return [json.loads(line) for line in captured.out.splitlines()], captured.err


def step_of(record):
    return next(s for s in record["provenance"] if s["stage"] == "relax")


def values(record):
    return {p["name"]: p for p in record["properties"]}


def test_another_models_energies_are_not_compared_with_the_hull(oxide, toy, capsys):
    assert main(["relax", str(oxide), "--potential", "pairs"]) == 0
    (record,), said = records(capsys)
    found = values(record)
    assert found["energy_per_atom"]["method"] == "pairs"
    assert "energy_above_hull" not in found
    assert "those of pairs are not compared with them" in said
    assert any("another model's" in f["reason"] for f in record["failures"])
    assert "Of 1 structures (pairs, bfgs-springs fmax=0.05 steps=300): 1 converged" in said


def test_pressure_is_told_with_the_enthalpy(oxide, toy, capsys):
    assert main(["relax", str(oxide), "--pressure", "5", "--method", "fire"]) == 0
    (record,), said = records(capsys)
    details = step_of(record)["details"]
    volume = values(record)["volume_per_atom"]["value"]
    energy = values(record)["energy_per_atom"]["value"]
    assert details["pressure_gpa"] == 5
    assert details["enthalpy_per_atom"] == pytest.approx(energy + 5 / 160.2176634 * volume)
    assert "zero pressure" in said
    assert "pressure=5GPa" in step_of(record)["version"]


def test_the_cell_may_be_held(oxide, toy, capsys):
    assert main(["relax", str(oxide), "--cell", "fixed"]) == 0
    (record,), _ = records(capsys)
    found = Structure.from_dict(record["structure"])
    assert found.volume == pytest.approx(Structure.from_file(oxide).volume, rel=1e-9)


def test_symmetry_and_cif_out(tmp_path, toy, capsys):
    materials.titania_rutile().to(str(tmp_path / "TiO2.cif"))
    assert main(["relax", str(tmp_path / "TiO2.cif"), "--symmetry", "--format", "cif"]) == 0
    text = capsys.readouterr().out
    found = Structure.from_str(text, fmt="cif")
    assert SpacegroupAnalyzer(found, symprec=1e-3).get_space_group_number() == 136
    assert found.volume != pytest.approx(materials.titania_rutile().volume, rel=1e-3)


def test_a_checkpoint_saves_the_work(oxide, toy, tmp_path, capsys):
    arguments = ["relax", str(oxide), "--checkpoint", str(tmp_path / "done.jsonl")]
    assert main(arguments) == 0
    first, _ = records(capsys)
    spent = toy.evaluations
    assert main(arguments) == 0
    second, said = records(capsys)
    assert toy.evaluations == spent
    assert values(first[0])["energy_per_atom"] == values(second[0])["energy_per_atom"]
    assert "1 converged" in said


def test_a_time_limit_is_told(oxide, toy, capsys):
    assert main(["relax", str(oxide), "--time-limit", "0.000001s"]) == 0
    (record,), said = records(capsys)
    assert "time limit" in record["failures"][0]["reason"]
    assert "1 failed" in said
    assert "energy_per_atom" not in values(record)


def test_jsonl_out_is_jsonl_in(oxide, toy, tmp_path, capsys):
    assert main(["relax", str(oxide)]) == 0
    (tmp_path / "relaxed.jsonl").write_text(capsys.readouterr().out)
    assert main(["relax", str(tmp_path / "relaxed.jsonl")]) == 0
    (record,), _ = records(capsys)
    last = [s for s in record["provenance"] if s["stage"] == "relax"][-1]
    assert last["details"]["steps"] == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--potential", "chgnett"], "Did you mean 'chgnet'"),
        (["--device", "cuda:99"], "cannot work on 'cuda:99'"),
        (["--method", "newton"], "bfgs"),
        (["--cell", "wobbly"], "volume"),
        (["--time-limit", "soon"], "not a wall time"),
        (["--pressure", "nan"], "no pressure"),
        (["--pressure", "much"], "--pressure"),
    ],
)
def test_wrong_options_are_a_sentence(options, says, oxide, capsys):
    assert main(["relax", str(oxide), *options]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said


def test_a_checkpoint_that_is_something_else_is_refused(oxide, toy, capsys):
    before = oxide.read_text()
    assert main(["relax", str(oxide), "--checkpoint", str(oxide)]) == 2
    assert "no checkpoint" in capsys.readouterr().err
    assert oxide.read_text() == before


def test_the_summary_counts():
    done = Relaxation(materials.silicon(), -5.0, 0.01, 4, True)
    late = Relaxation(materials.silicon(), -5.0, 0.1, 300, False, note="Not converged after 300 steps.")
    gone = Relaxation(None, None, None, 0, False, "Si: gone.")
    said = summary([done, done, late, gone], "CHGNet 0.3.0, bfgs", 8.0)
    assert said == (
        "Of 4 structures (CHGNet 0.3.0, bfgs): 2 converged, 1 not converged, 1 failed, "
        "4.0 steps on average, 0.5 structures/s."
    )
