"""The diffusion model in the generation benchmark: its sets, its adapters, its curve and its speed, on toys."""

import json

import pytest
from generation_toys import TOY, ToyWorld
from hysteron.benchmarks import generation_adapters, generation_evaluations, generation_sets, generation_world
from hysteron.benchmarks.generation_adapters import adapters_row, best_guidance
from hysteron.benchmarks.generation_claims import claims
from hysteron.benchmarks.generation_diffusion import BEFORE_REDRAWING, DIFFUSED, MODES, diffused, maker_of
from hysteron.benchmarks.generation_diffusion_speed import Round, diffusion_speed_row
from hysteron.benchmarks.generation_evaluations import evaluations_row
from hysteron.benchmarks.generation_figures import is_sound, symmetry_of
from hysteron.benchmarks.generation_kept import Kept
from hysteron.benchmarks.generation_sets import key_of, made
from hysteron.generators.diffusion.maker import group_facts
from hysteron.generators.diffusion.network import Network


@pytest.fixture
def world(tmp_path):
    return ToyWorld(0, TOY, Kept(folder=tmp_path / "kept"))


def coordinates(crystals):
    return [one.structure.frac_coords.tolist() for one in crystals]


def test_every_set(world, monkeypatch):
    monkeypatch.setattr(generation_sets, "GROUPS", (225, 221, 230))
    for name in DIFFUSED:
        crystals, told = made(world, name)
        assert told["seconds"] >= 0
        assert crystals
        assert all(is_sound(one.structure) for one in crystals)
        assert {one.structure.composition.reduced_formula for one in crystals} == {"NaCl"}
        assert all(symmetry_of(one.structure, 0.01)[0] == one.spacegroup_number for one in crystals)
    crystals, told = made(world, "diffusion_groups")
    assert [one.spacegroup_number for one in crystals] == [225, 221]
    assert list(told["in_vain"]) == ["230"]  # its smallest orbit has eight atoms in the primitive cell
    assert "230" in made(world, "diffusion_reranked_groups")[1]["in_vain"]
    assert len(made(world, "diffusion_raw")[0]) == TOY.diffused
    assert made(world, "diffusion_raw")[1]["made"] >= TOY.diffused
    assert made(world, "diffusion_steered")[1]["settings"]["steering"] == "predictor"


def test_what_is_not_written_anew_may_be_anything(world):
    plain = made(world, BEFORE_REDRAWING["plain"])[0]
    assert len(plain) == TOY.diffused
    assert made(world, BEFORE_REDRAWING["from_tokens"])[0]
    formulas = {one.structure.composition.reduced_formula for one in made(world, "diffusion_raw")[0]}
    some = diffused(world, world.diffusion_config(intermetallics=True), 12, "any")[0]
    assert formulas < {one.structure.composition.reduced_formula for one in some}


def test_a_set_follows_from_its_seed(world, tmp_path):
    again = ToyWorld(0, TOY, Kept(folder=tmp_path / "again"))
    other = ToyWorld(1, TOY, Kept(folder=tmp_path / "other"))
    first, second, third = (coordinates(made(one, "diffusion_raw")[0]) for one in (world, again, other))
    assert first == second != third


def test_other_weights_or_adapters_are_another_set(world, monkeypatch):
    keys = {name: key_of(world, name) for name in ("raw", "diffusion_raw", "diffusion_groups")}
    assert keys["diffusion_groups"]["count"] == TOY.diffused_per_group
    assert "predictor" in key_of(world, "diffusion_steered")
    for name in ("diffusion_reranked", "diffusion_reranked_groups"):
        assert {"reference", "predictor", "hull"} < key_of(world, name).keys()
    world.teach("spacegroup")
    assert key_of(world, "diffusion_groups")["adapter"] is not None
    assert keys["diffusion_groups"]["adapter"] is None
    assert key_of(world, "diffusion_raw") == keys["diffusion_raw"]
    world.__dict__["diffusion_weights"] = "others"
    assert key_of(world, "diffusion_raw") != keys["diffusion_raw"]
    assert key_of(world, "raw") == keys["raw"]


def test_code_of_the_diffusion_model_decides_no_other_set():
    decides = generation_world._code
    everything = decides(("generators",))
    assert decides(("generators",), but="generators/diffusion") != everything
    assert decides(("generators/diffusion",), but="generators/diffusion") == decides(())


def test_the_maker_hears_the_adapters_that_there_are(world):
    config = world.diffusion_config(properties={"band_gap": (2, 4)})
    assert maker_of(world, config).wishes == ()
    world.teach("band_gap")
    world.teach("spacegroup")
    assert [wish.adapter.config.name for wish in maker_of(world, config).wishes] == ["band_gap"]
    both = maker_of(world, world.diffusion_config(spacegroup_number=225, properties={"band_gap": (2, 4)}))
    assert [wish.adapter.config.name for wish in both.wishes] == ["band_gap"]
    assert both.of_groups is not None, "a fact, which no guidance exaggerates"
    assert both.of_groups.name == "spacegroup"
    start = next(both.starts.batches(2, world.rng("facts")))
    assert len(group_facts(start, both.of_groups, particles=3)[0].told) == 6
    assert group_facts(start, None) == []


def test_adapters_that_are_not_there_are_told(world):
    found = adapters_row(world)
    assert set(found["missing"]) == {
        "band_gap",
        "formation_energy_per_atom",
        "energy_above_hull",
        "spacegroup",
    }
    assert "diffusion-adapter --property band_gap" in found["missing"]["band_gap"]
    lines = claims({"adapters": found})
    assert [(line["measured"], line["met"], line["target"]) for line in lines] == [(None, None, ">= 3")] * 4


def test_adapters_at_every_guidance(world, monkeypatch):
    monkeypatch.setattr(generation_adapters, "GROUPS", (225,))
    world.teach("band_gap")
    world.teach("spacegroup")
    found = adapters_row(world)
    json.dumps(found, allow_nan=False)
    assert set(found["ranges"]) == {"band_gap=2..4"}
    assert set(found["missing"]) == {"formation_energy_per_atom", "energy_above_hull"}
    gaps = found["ranges"]["band_gap=2..4"]
    assert list(gaps) == ["guidance_0", "guidance_1", "guidance_2", "guidance_4"]
    assert all(figures["times"]["ratio"] == 1 for figures in gaps.values())  # the toy says 3 eV of everything
    system = found["space_groups"]["225"]["of_the_system"]["guidance_4"]
    group = found["space_groups"]["225"]["of_the_group"]["guidance_4"]
    assert group["asked"]["hits"] <= system["asked"]["hits"] <= system["asked"]["n"] == TOY.adapted
    config = world.diffusion_config(guidance=4.0)
    deaf = diffused(world, config, TOY.adapted, "adapted group 225 4")[0]
    assert coordinates(generation_adapters._in_group(world, 225, 4.0)) != coordinates(deaf)
    lines = [line for line in claims({"adapters": found}) if line["figure"].startswith("band_gap=2..4")]
    assert [line["target"] for line in lines] == [None, None, ">= 3", None, ">= 3"]
    assert [line["met"] for line in lines] == [None, None, False, None, False]
    assert lines[-1]["figure"].endswith("guidance 0, the best here")


def test_a_wish_changes_what_is_made(world):
    world.teach("band_gap")
    ranges = {"band_gap": (2.0, 4.0)}
    crystals = {
        guidance: coordinates(
            diffused(world, world.diffusion_config(properties=ranges, guidance=guidance), 4, "same")[0]
        )
        for guidance in (0.0, 4.0)
    }
    assert (
        crystals[0.0] == coordinates(diffused(world, world.diffusion_config(), 4, "same")[0]) != crystals[4.0]
    )


def test_the_best_guidance():
    times = {"guidance_0": 1.0, "guidance_1": None, "guidance_2": 4.0, "guidance_4": 3.0}
    told = {guidance: {"times": {"ratio": ratio}} for guidance, ratio in times.items()}
    assert best_guidance(told) == "guidance_2"
    assert best_guidance({"guidance_1": told["guidance_1"]}) is None


def test_the_curve(world, monkeypatch):
    monkeypatch.setattr(generation_evaluations, "EVALUATIONS", (4, 9))
    asked = []
    forward = Network.forward
    monkeypatch.setattr(Network, "forward", lambda self, *args: asked.append(1) or forward(self, *args))
    found = evaluations_row(world)
    json.dumps(found, allow_nan=False)
    assert list(found["curve"]) == ["evaluations_4", "evaluations_9"]
    for figures in found["curve"].values():
        assert set(figures["structure_prediction"]) == {"skeleton", "plain"}
        for mode in MODES:
            own = figures["unconditioned"][mode]
            assert own["validity"]["n"] == TOY.curve
            assert own["predicted_energy_above_hull_eV_per_atom"]["n"] == TOY.curve
            assert figures["sampled"][mode]["rate"] > 0
    assert claims({"evaluations": found})
    first, asked[:] = len(asked), []
    evaluations_row(world)
    assert 0 < len(asked) < first  # what is timed is sampled anew, what is judged is kept


def test_speed(world):
    found = diffusion_speed_row(world)
    json.dumps(found, allow_nan=False)
    for mode in MODES:
        own = found[f"{mode}_1_thread"]
        assert own["sampled"]["rate"] > 0
        assert own["sampled"]["rate"] >= own["handed_out"]["rate"] >= 0
        assert own["sampled"]["times_tokens"]["n"] == TOY.repeats
    lines = claims({"diffusion_speed": found})
    targets = {line["figure"]: line["target"] for line in lines}
    cores = found["cores"]
    named = f"plain, 4 evaluations, {cores} of {cores} cores: sampled, crystals a second"
    assert targets[named] == ">= 10"
    assert sum(target is not None for target in targets.values()) == len(MODES)


def test_rates():
    taken = Round(crystals=10, sound=6, sampling=2.0, whole=3.0)
    assert (taken.rate("sampled"), taken.rate("handed_out")) == (5.0, 2.0)
