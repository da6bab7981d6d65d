"""A second potential is asked about the shortlist: once, resumably, and refused where scales differ."""

import csv

import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.errors import SettingsError
from hysteron.flows import launch, results, steps, toolbox
from hysteron.flows import run as run_module
from hysteron.flows.run_settings import resolve
from hysteron.predictors import POTENTIALS
from materials import magnesium_oxide, strontium_titanate
from second_potentials import SHIFT

SINGLE_PRECISION_ENERGY = 1e-5  # eV/atom


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.setitem(POTENTIALS, "shifted", "second_potentials:Shifted")
    monkeypatch.setitem(POTENTIALS, "elsewhere", "second_potentials:Elsewhere")
    yield
    toolbox.potential.cache_clear()


def ranked_run(tmp_path, second):
    """A run whose shortlist stands, of two crystals."""
    (tmp_path / "RUN.toml").write_text(f'[potential]\nsecond_opinion = "{second}"\n[rank]\ntop = 2\n')
    values = resolve(tmp_path / "RUN.toml", {"relaxations": 2}).model_dump(mode="json")
    run = launch.new_run(values, str(tmp_path / "one.db"), tmp_path / "out")
    candidates = []
    for structure in (magnesium_oxide(), strontium_titanate()):
        calculated = toolbox.potential("chgnet").calculate([structure])[0]
        energy = PropertyValue(
            "energy_per_atom", calculated.energy / len(structure), "eV/atom", "CHGNet 0.3.0"
        )
        candidates.append(Candidate(structure.composition.reduced_formula, structure).with_property(energy))
    ids = [c.candidate_id for c in candidates]
    run.store.upsert(candidates, run.run_id, role="proposed", stage="rank", work=("rank", 0, {"ids": ids}))
    return run, ids


def test_the_shortlist_gets_a_second_value_and_a_wider_first_one(toys, own_home, tmp_path, monkeypatch):
    run, ids = ranked_run(tmp_path, "shifted")
    monkeypatch.setitem(run_module._started, run.run_id, 0.0)
    assert steps.second_opinion(run) == 2
    for candidate in run.store.get_many(ids):
        best, other = candidate.all_of("energy_above_hull")
        assert (best.method, other.method) == ("CHGNet 0.3.0", "Shifted 1.0")
        assert other.value - best.value == pytest.approx(SHIFT, abs=SINGLE_PRECISION_ENERGY)
        alone = toolbox.hull().distance(candidate.structure.composition, candidate.value("energy_per_atom"))
        assert best.uncertainty > alone.uncertainty
    assert results.summary_of(run).models["second opinion"] == "Shifted 1.0"


def test_a_step_that_died_before_its_mark_changes_nothing_when_repeated(
    toys, own_home, tmp_path, monkeypatch
):
    run, ids = ranked_run(tmp_path, "shifted")
    steps.second_opinion(run)
    once = run.store.get_many(ids)
    assert steps.second_opinion(run) == 2
    monkeypatch.setattr(type(run), "done", lambda self, stage: {0: {"ids": ids}} if stage == "rank" else {})
    assert steps.second_opinion(run) == 2
    assert run.store.get_many(ids) == once


def test_another_scale_is_refused_with_a_sentence(toys, own_home, tmp_path):
    run, ids = ranked_run(tmp_path, "elsewhere")
    assert steps.second_opinion(run) == 0
    for candidate in run.store.get_many(ids):
        assert candidate.all_of("energy_above_hull") == []
        assert "different scales" in candidate.failures[0].reason


def test_without_the_option_nobody_is_asked(own_home, tmp_path):
    assert resolve(options={"relaxations": 2}).potential.second_opinion is None
    run = launch.new_run(
        resolve(options={"relaxations": 2}).model_dump(mode="json"),
        str(tmp_path / "one.db"),
        tmp_path / "out",
    )
    assert steps.second_opinion(run) == 0


def test_a_name_that_is_no_potential_is_refused_at_the_door(tmp_path):
    (tmp_path / "RUN.toml").write_text('[potential]\nsecond_opinion = "chgnte"\n')
    with pytest.raises(SettingsError, match="chgnet"):
        resolve(tmp_path / "RUN.toml")


def test_the_table_shows_both(toys, own_home, tmp_path):
    from hysteron.export.table import write_csv

    run, ids = ranked_run(tmp_path, "shifted")
    steps.second_opinion(run)
    with write_csv(tmp_path / "shortlist.csv", run.store.get_many(ids)).open() as lines:
        assert all("Shifted 1.0: " in row["energy_above_hull_other_methods"] for row in csv.DictReader(lines))
