"""`hysteron generate` with every option, on toys: what a generator is asked and handed, and what is refused."""

import csv
import io
import json

import diffusion_toys
import materials
import pytest
import torch
from generator_toys import Oracle, Toy
from hysteron.cli import fillings
from hysteron.cli.generate_options import SETTINGS, property_ranges
from hysteron.cli.main import main
from hysteron.core.errors import InputError
from hysteron.core.identity import bucket_of, candidate_id, same_crystal
from hysteron.core.settings import home
from hysteron.flows import toolbox
from hysteron.generators import GENERATORS
from hysteron.generators.diffusion.settings import DataTable
from hysteron.generators.diffusion.weights import Trained as TrainedDiffusion
from hysteron.generators.tokens.model import ModelConfig, TokenModel
from hysteron.generators.tokens.vocabulary import Vocabulary
from hysteron.generators.tokens.weights import Trained
from hysteron.retrieval.catalog.file import Header, Row, write_catalog
from hysteron.store.store import CandidateStore
from pymatgen.core import Structure

WORDS = Vocabulary()
SHAPE = ModelConfig(len(WORDS), width=16, layers=1, heads=2, coordinate_parts=2, lattice_parts=2)


CATALOG = {"mp-1": materials.strontium_titanate, "mp-2": materials.barium_titanate_cubic}


@pytest.fixture(autouse=True)
def catalog(own_home):
    """Two cubic perovskites; the shipped one takes seconds to read."""
    rows = []
    for material, make in CATALOG.items():
        crystal, number = make(), bucket_of(make()).spacegroup_number
        species = [site.specie.symbol for site in crystal]
        lattice, coordinates = crystal.lattice.matrix.tolist(), crystal.frac_coords.tolist()
        rest = (-7.0, 0.01, 5, True, 2.0, "PBE")
        rows.append(Row(candidate_id(crystal), material, number, lattice, species, coordinates, *rest))
    header = Header("2026-11-01", "Toy 1.0", "toy", "0123", "toy")
    write_catalog(home() / "data" / "catalog.jsonl.gz", header, rows)


@pytest.fixture(autouse=True)
def generators(monkeypatch):
    """The toy and the token generator beside the shipped ones; nothing costly is loaded for them."""
    Toy.handed.clear()
    monkeypatch.setitem(GENERATORS, "toy", "generator_toys:Toy")
    monkeypatch.setitem(GENERATORS, "tokens", "hysteron.generators.tokens.generator:Tokens")
    monkeypatch.setattr(toolbox, "predictor", lambda name: Oracle())
    monkeypatch.setattr(toolbox, "hull", lambda name="chgnet": None)


@pytest.fixture
def parents(tmp_path):
    """A folder of two crystals."""
    folder = tmp_path / "parents"
    folder.mkdir()
    materials.strontium_titanate().to(str(folder / "SrTiO3.cif"))
    materials.barium_titanate_cubic().to(str(folder / "BaTiO3.cif"))
    return folder


@pytest.fixture
def titanate(tmp_path):
    """Tetragonal BaTiO3 in a file."""
    path = tmp_path / "BaTiO3.cif"
    materials.barium_titanate_tetragonal().to(str(path))
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Of a model that has learned nothing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "tokens.safetensors"
    Trained(TokenModel(SHAPE).eval(), WORDS, {"method": "Wyckoff tokens, untrained"}).save(path)
    return path


def records(capsys):
    captured = capsys.readouterr()
    return [json.loads(line) for line in captured.out.splitlines()], captured.err


def values(record):
    return {p["name"]: p["value"] for p in record["properties"]}


def test_wishes_become_settings_of_the_generator(capsys):
    asked = ["--polar", "--steps", "5", "--property", "band_gap=2..4", "--property", "density=..6"]
    assert main(["generate", "toy", *asked]) == 0
    ((config, seeds, _),) = Toy.handed
    assert (config.polar_only, config.steps) == (True, 5)
    assert config.properties == {"band_gap": (2.0, 4.0), "density": (None, 6.0)}
    assert seeds == [], "it needs no parents, so none were read"
    found, said = records(capsys)
    assert [record["formula"] for record in found] == ["SrTiO3", "MgO", "ZnO"]
    assert "3 of 10 proposed by toy." in said


def test_a_generator_is_handed_what_it_says_it_uses(capsys):
    assert main(["generate", "toy", "--count", "1"]) == 0
    tools = Toy.handed[0][2]
    assert isinstance(tools.predictor, Oracle)
    assert tools.hull is None
    assert len(tools.known) == len(CATALOG), "the catalogue is what is known"


def test_one_that_does_not_say_is_handed_what_is_known(parents, monkeypatch, capsys):
    def costly(*_):
        raise AssertionError("nobody asked for it")

    monkeypatch.setattr(toolbox, "predictor", costly)
    monkeypatch.setattr(toolbox, "hull", costly)
    asked = ["generate", "substitution", "--source", f"cif:{parents}", "--formula"]
    assert main([*asked, "CaZrO3"]) == 0
    found, said = records(capsys)
    assert {record["formula"] for record in found} == {"CaZrO3"}
    assert f"{len(found)} of 10 proposed by substitution from 2 parents." in said


def test_what_the_catalogue_holds_is_known(parents, capsys):
    """SrTiO3 is no parent here, and still no news."""
    (parents / "SrTiO3.cif").unlink()
    asked = ["generate", "substitution", "--source", f"cif:{parents}", "--elements-from", "Sr,Ti,O"]
    assert main(asked) == 0
    found = [Structure.from_dict(record["structure"]) for record in records(capsys)[0]]
    assert found
    assert not any(same_crystal(structure, materials.strontium_titanate()) for structure in found)


def test_what_the_store_holds_is_known(tmp_path, parents, capsys):
    """The second time the first proposals lie in the store."""
    store = str(tmp_path / "store.db")
    asked = ["generate", "substitution", "--source", f"cif:{parents}", "--count", "2", "--store", store]
    assert main(asked) == 0
    first, _ = records(capsys)
    assert main(asked) == 0
    second, _ = records(capsys)
    assert not {r["candidate_id"] for r in first} & {r["candidate_id"] for r in second}
    with CandidateStore.open(store) as opened:
        for record in (*first, *second):
            kept = opened.get(record["candidate_id"])
            assert opened.get(kept.provenance[0].parents[0])


def test_the_same_seed_gives_the_same(capsys):
    asked = ["generate", "toy", "--seed"]
    nats = []
    for seed in ("3", "3", "4"):
        assert main([*asked, seed]) == 0
        nats.append([values(record)["log_probability"] for record in records(capsys)[0]])
    assert nats[0] == nats[1] != nats[2]


def test_the_table_shows_the_log_probability(capsys):
    assert main(["generate", "toy", "--format", "table"]) == 0
    shown = capsys.readouterr().out
    assert "log probability" in shown
    assert "log_probability by toy" in shown


def test_inputs_that_cannot_be_used_are_told(parents, capsys):
    (parents / "broken.cif").write_text("not a cif")
    assert main(["generate", "substitution", "--source", f"cif:{parents}", "--count", "1"]) == 0
    assert "broken.cif" in capsys.readouterr().err


# Templates


def fill(template, weights, *more) -> int:
    return main(["generate", "tokens", "--template", str(template), "--model", str(weights), *more])


def test_a_template_is_filled_and_ranked(titanate, weights, capsys):
    assert fill(titanate, weights, "--mask", "Ti", "--elements-from", "Zr,Hf,Sn") == 0
    found, said = records(capsys)
    assert {record["formula"] for record in found} == {"BaZrO3", "BaHfO3", "BaSnO3"}
    nats = [values(record)["log_probability"] for record in found]
    assert nats == sorted(nats, reverse=True)
    assert all(values(record)["band_gap"] == 2.0 for record in found)
    step = found[0]["provenance"][0]
    assert step["parents"][0].startswith("BaTiO3-99-")
    assert "3 fillings of BaTiO3 with Ti masked, by tokens." in said


def test_several_masks(titanate, weights, capsys):
    apart, together = [], []
    for masks, found in ((["--mask", "0", "--mask", "1"], apart), (["--mask", "0,1"], together)):
        assert fill(titanate, weights, *masks, "--formula", "SrZrO3") == 0
        found += records(capsys)[0]
    assert [record["formula"] for record in apart] == ["SrZrO3", "SrZrO3"]
    assert [r["candidate_id"] for r in apart] == [r["candidate_id"] for r in together]
    assert fill(titanate, weights, "--mask", "0,1", "--formula", "SrZrO3", "--count", "1") == 0
    assert len(records(capsys)[0]) == 1


def test_a_crystal_of_the_catalogue_by_its_id(weights, capsys):
    known = candidate_id(materials.strontium_titanate())
    for name in (known, "mp-1"):
        assert fill(name, weights, "--mask", "Sr", "--elements-from", "Ba,Ca") == 0
        found, _ = records(capsys)
        known_as = {r["formula"]: r["provenance"][0]["details"]["known_as"] for r in found}
        assert known_as == {"BaTiO3": candidate_id(materials.barium_titanate_cubic()), "CaTiO3": None}
        assert all(record["provenance"][0]["parents"] == [known] for record in found)


def test_a_crystal_of_the_store_by_its_id(tmp_path, parents, weights, monkeypatch, capsys):
    store = str(tmp_path / "store.db")
    made = ["generate", "substitution", "--source", f"cif:{parents}", "--count", "1", "--store", store]
    assert main(made) == 0
    (stored,), _ = records(capsys)
    element = stored["structure"]["sites"][0]["species"][0]["element"]
    asked = ["--mask", element, "--count", "1"]
    assert fill(stored["candidate_id"], weights, *asked, "--store", store) == 0
    (found,), _ = records(capsys)
    assert found["provenance"][0]["parents"] == [stored["candidate_id"]]
    with CandidateStore.open(store) as opened:
        assert (
            opened.get(found["candidate_id"]).provenance[0].details["template_formula"] == stored["formula"]
        )
    monkeypatch.setenv("HYSTERON_STORE", store)
    assert fill(stored["candidate_id"], weights, *asked) == 0, "the default store is looked into as well"


def test_one_crystal_of_a_file_of_several(tmp_path, weights, capsys):
    main(["generate", "toy"])
    path = tmp_path / "three.jsonl"
    path.write_text(capsys.readouterr().out)
    assert fill(path, weights, "--mask", "Zn") == 2
    assert f"holds 3 crystals; name one of them, such as {path}#1" in capsys.readouterr().err
    assert fill(f"{path}#3", weights, "--mask", "Zn", "--count", "1") == 0
    (found,), _ = records(capsys)
    assert found["provenance"][0]["details"]["template_formula"] == "ZnO"
    assert fill(f"{path}#7", weights, "--mask", "Zn") == 2
    assert "holds no crystal '7'" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 120])
def test_the_ranked_table(width, titanate, weights, monkeypatch, capsys):
    monkeypatch.setattr(fillings, "_WIDTH", width)
    assert fill(titanate, weights, "--mask", "Ti", "--elements-from", "Zr,Hf", "--format", "table") == 0
    shown = capsys.readouterr().out
    heading, units, *lines = shown.splitlines()
    assert max(map(len, shown.splitlines()[:5])) <= width
    assert all(word in heading + units for word in ("exchange", "nats", "differs", "E_form", "eV"))
    rows = [line for line in lines if "->" in line or "as it is" in line]
    assert len(rows) == 3
    assert sum("as it is" in row and "BaTiO3-99-" in row for row in rows) == 1
    assert any("Ti -> Zr" in row and "BaZrO3-99-" in row and " new " in row for row in rows)
    assert ("P4mm (99)" in shown) == (width > 100)
    assert "by Wyckoff tokens, untrained; high means usual, not stable" in " ".join(shown.split())
    assert "gap: band_gap by oracle" in shown


def test_csv_and_cif_of_fillings(titanate, weights, capsys):
    asked = ["--mask", "Ti", "--elements-from", "Zr", "--format"]
    assert fill(titanate, weights, *asked, "csv") == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["formula"] == "BaZrO3"
    assert row["parents"].startswith("BaTiO3-99-")
    assert fill(titanate, weights, *asked, "cif") == 0
    assert "_cell_length_a" in capsys.readouterr().out


def test_crystals_out_of_noise(tmp_path, capsys):
    network = diffusion_toys.awake(diffusion_toys.small_network(), size=0.05)
    path = tmp_path / "tiny.safetensors"
    TrainedDiffusion(network, DataTable(), ((2, 2, 1),), {"method": "diffusion, untrained"}).save(path)
    asked = ["--model", str(path), "--formula", "NaCl", "--natoms", "2..2", "--steps", "8", "--count", "2"]
    assert main(["generate", "diffusion", *asked, "--format", "jsonl"]) == 0
    found, said = records(capsys)
    assert [record["formula"] for record in found] == ["NaCl", "NaCl"]
    assert {record["provenance"][0]["name"] for record in found} == {"diffusion"}
    assert "2 of 2 proposed by diffusion." in said
    assert main(["generate", "diffusion", *asked[:2], "--formula", "NiAl"]) == 2
    assert "none of the anions" in capsys.readouterr().err


# What is refused


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("substitution --guidance 2", "substitution does not know --guidance; diffusion and tokens do."),
        ("substitution --steps 5", "substitution does not know --steps; diffusion and toy do."),
        ("tokens --steps 5", "tokens does not know --steps; diffusion and toy do."),
        ("substitution --temperature 1", "substitution does not know --temperature; tokens does."),
        (
            "substitution --property band_gap=2..",
            "does not know --property; diffusion, tokens and toy do.",
        ),
        ("substitution --model nothing", "substitution does not know --model; diffusion and tokens do."),
        ("toy --formula SrTiO3", "toy does not know --formula; diffusion, substitution and tokens do."),
        ("toy --spacegroup 99", "toy does not know --spacegroup; diffusion, substitution and tokens do."),
        ("tokens --spacegroup 99 --polar", "--spacegroup and --polar exclude each other"),
        ("tokens --from-tokens", "tokens does not know --from-tokens; diffusion does."),
        ("tokens --steering predictor", "tokens does not know --steering; diffusion does."),
        ("diffusion --temperature 1", "diffusion does not know --temperature; tokens does."),
        ("diffusion --steps 1", "--steps: "),
        ("diffusion --steering luck", "--steering"),
        ("diffusion --model nothing", "There is no file nothing"),
        ("tokens --template X", "--template needs --mask"),
        ("tokens --mask Ti", "--mask needs --template"),
        ("substitution --template X --mask Ti", "substitution does not know --mask; tokens does."),
        ("tokens --template X --mask Ti --source store", "--source names parents"),
        ("toy --count 0", "--count"),
        ("substitution --spacegroup 231", "--spacegroup"),
        ("substitution --formula Xx2O", "--formula: "),
        ("substitution --formula Si", "--formula: "),
        ("substitution --chemsys Ba-Xx", "--chemsys: 'Xx'"),
        ("tokens --elements-from Ba,Qq", "--elements-from: 'Qq'"),
        ("tokens --natoms 4..2", "--natoms '4..2' is empty"),
        ("tokens --natoms x", "--natoms 'x': write LO..HI"),
        ("tokens --temperature -1", "--temperature: "),
        ("tokens --model nothing", "There is no file nothing"),
        ("tokens --property band_gap=4..2", "--property 'band_gap=4..2' is empty"),
        ("tokens --property bandgap=2..", "Did you mean 'band_gap'"),
        ("tokens --property band_gap", "write NAME=LO..HI"),
        ("tokens --property band_gap=2", "write NAME=LO..HI"),
        ("tokens --property band_gap=..", "write NAME=LO..HI"),
        ("tokens --property band_gap=x..2", "'x' is no number"),
        ("tokens --property band_gap=nan..2", "'nan' is no number"),
        ("tokens --property band_gap=1.. --property band_gap=..2", "given twice"),
        (
            "tokens --template nothing.cif --mask Ti",
            "template nothing.cif cannot be used: There is no such file",
        ),
        ("tokens --template . --mask Ti", "is a folder; name one file"),
        ("tokens --template SrTiO3 --mask Ti", "The catalogue's SrTiO3: SrTiO3-"),
        ("tokens --template SrTiO3-221-0000000000 --mask Ti", "The catalogue's SrTiO3: SrTiO3-"),
        ("tokens --template unobtainium --mask Ti", "nor a store (there is none yet) has that id"),
        ("toys", "Did you mean 'toy'"),
    ],
)
def test_bad_wishes_are_a_sentence_and_exit_code_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["generate", *arguments.split()]) == 2
    captured = capsys.readouterr()
    assert says in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""


def test_a_refusal_shows_no_bar(titanate, weights, capsys):
    assert fill(titanate, weights, "--mask", "Zr") == 2
    said = capsys.readouterr().err
    assert said.strip() == "hysteron: There is no Zr in BaTiO3 to mask; its species are Ba, Ti, O."


def test_a_disordered_or_unnamed_template_is_refused(tmp_path, weights, capsys):
    materials.disordered_alloy().to(str(tmp_path / "alloy.cif"))
    assert fill(tmp_path / "alloy.cif", weights, "--mask", "0") == 2
    assert "partially occupied" in capsys.readouterr().err
    (tmp_path / "crystal.txt").write_text("")
    assert fill(tmp_path / "crystal.txt", weights, "--mask", "0") == 2
    assert "Its name tells no format" in capsys.readouterr().err


def test_a_template_that_is_too_large(tmp_path, weights, capsys):
    path = tmp_path / "large.vasp"
    (materials.barium_titanate_cubic() * (2, 2, 2)).to(str(path), fmt="poscar")
    assert fill(path, weights, "--mask", "8") == 2
    assert "has 40 atoms in its primitive cell; the sequence takes 20 at most" in capsys.readouterr().err


# The parts


def test_help_names_the_generators_and_groups_the_options(capsys):
    assert main(["generate", "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Generator: substitution" in shown
    for group in ("Which crystals", "A known crystal, filled anew", "How they are drawn"):
        assert group in shown
    assert all(option in shown for option in SETTINGS)


def test_every_option_belongs_to_a_setting_of_some_generator():
    from hysteron.generators.diffusion.generator_config import DiffusionGeneratorConfig
    from hysteron.generators.substitution_config import SubstitutionConfig
    from hysteron.generators.tokens.generator_config import TokenGeneratorConfig

    models = (SubstitutionConfig, TokenGeneratorConfig, DiffusionGeneratorConfig)
    known = {name for model in models for name in model.model_fields}
    assert set(SETTINGS.values()) <= known


@pytest.mark.parametrize(
    ("text", "limits"),
    [("band_gap=2..4", (2, 4)), ("band_gap = 2 .. ", (2, None)), ("band_gap=..-1e-1", (None, -0.1))],
)
def test_ranges(text, limits):
    assert property_ranges([text]) == {"band_gap": limits}


def test_a_range_of_no_property():
    with pytest.raises(InputError, match="No property 'gap'"):
        property_ranges(["gap=1..2"])
