"""The tools that screens are handed."""

import pytest
from hysteron.flows import toolbox
from hysteron.flows.run_settings import resolve
from pair_potential import PairPotential


@pytest.fixture
def light(monkeypatch):
    """Neither weights nor a table of phases are read."""
    monkeypatch.setattr(toolbox, "potential", lambda name, device="cpu": PairPotential())
    monkeypatch.setattr(toolbox, "hull", lambda name="chgnet": name)


def test_screens_get_a_free_relaxer_and_one_that_holds_the_group(light, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text("[potential]\nsymmetry = true\nmax_force = 0.02\n")
    tools = toolbox.tools(resolve(path))
    assert (tools.relaxer.settings.symmetry, tools.parent_relaxer.settings.symmetry) == (False, True)
    assert tools.relaxer.settings.fmax == tools.parent_relaxer.settings.fmax == 0.02


def test_the_screen_command_gets_them_too(light):
    tools = toolbox.tools_for_prediction()
    assert tools.hull == "chgnet"
    assert (tools.relaxer.settings.symmetry, tools.parent_relaxer.settings.symmetry) == (False, True)


def test_generators_get_no_relaxer(light):
    settings = resolve().model_copy(update={"predictor": ()})
    tools = toolbox.tools_for_generation(settings, toolbox.known([]))
    assert (tools.relaxer, tools.parent_relaxer, tools.potential) == (None, None, None)
