"""Ion exchange on real crystals: what is proposed is neutral, new, sensible and reproducible."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate, PropertyValue
from hysteron.core.charge_balance import is_charge_balanced
from hysteron.core.checks import check_generator
from hysteron.core.contracts import Generator, Tools
from hysteron.core.errors import InputError, SettingsError
from hysteron.core.identity import IdentityIndex, bucket_of
from hysteron.core.registry import load, names
from hysteron.core.settings import validate
from hysteron.core.symmetry import is_polar
from hysteron.generators import GENERATORS
from hysteron.generators.substitution import Substitution
from hysteron.generators.substitution_config import SubstitutionConfig

CRYSTALS = (
    *("strontium_titanate", "barium_titanate_tetragonal", "barium_titanate_cubic"),
    *(
        "barium_titanate_rhombohedral",
        "lead_titanate",
        "lithium_niobate",
        "hafnia_polar",
        "hafnia_monoclinic",
    ),
    *("titania_rutile", "germanium_telluride", "zinc_oxide", "lithium_cobaltate", "sodium_chloride"),
    "magnesium_oxide",
)


def seeds_of(*crystals: str) -> list[Candidate]:
    index, seeds = IdentityIndex(), []
    for crystal in crystals:
        structure = getattr(materials, crystal)()
        identifier, number, _ = index.assign(structure)
        seeds.append(Candidate(identifier, structure, spacegroup_number=number))
    return seeds


SEEDS = seeds_of(*CRYSTALS)


def propose(count=10, seeds=SEEDS, seed=0, known=None, **config) -> list[Candidate]:
    generator = Substitution(SubstitutionConfig(**config))
    return list(generator.generate(seeds, count, np.random.default_rng(seed), Tools(known=known)))


def details(candidate: Candidate) -> dict:
    return candidate.provenance[0].details


def test_it_is_registered_and_keeps_the_contract():
    assert "substitution" in names(GENERATORS, "hysteron.generators")
    assert load("substitution", GENERATORS, "hysteron.generators") is Substitution
    assert isinstance(Substitution(), Generator)
    assert len(check_generator(Substitution(), SEEDS, count=20)) == 20


@pytest.fixture(scope="module")
def many() -> list[Candidate]:
    return propose(120)


def test_all_are_charge_balanced_and_distinct(many):
    assert len(many) == 120
    assert all(is_charge_balanced(c.formula) for c in many)
    assert len({c.candidate_id for c in many}) == 120
    assert not {c.candidate_id for c in many} & {c.candidate_id for c in SEEDS}


def test_no_noble_gas_and_nothing_radioactive(many):
    unwanted = {"He", "Ne", "Ar", "Kr", "Xe", "Rn", "Tc", "Pm", "Th", "U", "Pu"}
    assert not any(unwanted & set(c.structure.symbol_set) for c in many)
    newcomers = {pair.split(" -> ")[1] for c in many for pair in details(c)["exchange"].split(", ")}
    assert not newcomers & {"H+", "C4+"}


def test_the_space_group_is_the_parents_and_the_provenance_is_complete(many):
    by_id = {c.candidate_id: c for c in SEEDS}
    for candidate in many:
        (step,) = candidate.provenance
        parent = by_id[step.parents[0]]
        assert (
            candidate.spacegroup_number
            == parent.spacegroup_number
            == details(candidate)["parent_spacegroup_number"]
        )
        assert bucket_of(candidate.structure).spacegroup_number == candidate.spacegroup_number
        assert (step.stage, step.name, step.version, step.seed) == ("generate", "substitution", "1", 0)
        assert len(step.config_hash) == 12
        assert " -> " in step.details["exchange"]
        volume = candidate.structure.volume / parent.structure.volume
        assert volume == pytest.approx(step.details["volume_factor"], rel=1e-5)
        assert not any(site.properties for site in candidate.structure)


def test_probabilities_are_told_and_the_head_is_more_probable(many):
    first, last = many[:10], many[-10:]
    assert all(0 < c.value("substitution_probability") < 1 for c in many)
    assert all(
        c.get("substitution_probability").method == "Hautier 2011 substitution predictor" for c in many
    )
    mean = [np.mean([c.value("log_probability") for c in part]) for part in (first, last)]
    assert mean[0] > mean[1] + 1


def test_the_head_is_spread_over_the_parents(many):
    assert len({c.provenance[0].parents for c in many[: len(SEEDS)]}) > 0.8 * len(SEEDS)


def test_strontium_and_lead_titanate_are_found_in_barium_titanate():
    found = {c.formula: c for c in propose(40, seeds_of("barium_titanate_cubic"), exchanges_per_seed=60)}
    assert {"SrTiO3", "TiPbO3", "BaZrO3"} <= set(found)
    assert found["SrTiO3"].structure.volume == pytest.approx(3.905**3, rel=0.03)  # measured, room temperature


def test_a_shorter_stream_is_the_head_of_a_longer_one(many):
    assert [c.candidate_id for c in propose(30)] == [c.candidate_id for c in many[:30]]


def test_the_order_of_the_seeds_does_not_matter_and_the_random_seed_does(many):
    assert [c.candidate_id for c in propose(30, SEEDS[::-1])] == [c.candidate_id for c in many[:30]]
    assert [c.candidate_id for c in propose(30, seed=1)] != [c.candidate_id for c in many[:30]]


SCRIPT = """
import numpy as np, sys
sys.path.insert(0, {folder!r})
from test_substitution import propose
print([c.candidate_id for c in propose(25)])
"""


def test_another_process_with_another_hash_seed_gives_the_same(many):
    here = Path(__file__).parent
    path = os.pathsep.join([str(here.parent), str(here)])
    environment = os.environ | {"PYTHONHASHSEED": "4242", "PYTHONPATH": path}
    code = SCRIPT.format(folder=str(here))
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout.strip() == str([c.candidate_id for c in many[:25]])


def test_what_is_known_is_left_out_unless_asked_for():
    class KnowsZirconia:
        def find(self, candidate):
            return "ZrO2-known" if candidate.formula == "ZrO2" else None

    hafnia = seeds_of("hafnia_polar")
    assert "ZrO2" in {c.formula for c in propose(5, hafnia)}
    assert "ZrO2" not in {c.formula for c in propose(5, hafnia, known=KnowsZirconia())}
    kept = propose(5, hafnia, known=KnowsZirconia(), skip_known=False)
    assert "ZrO2-known" in {c.candidate_id for c in kept}


def test_another_seed_is_not_proposed_as_new():
    pair = seeds_of("barium_titanate_cubic", "strontium_titanate")
    assert "SrTiO3" in {c.formula for c in propose(40, pair[:1], exchanges_per_seed=40)}
    assert "SrTiO3" not in {c.formula for c in propose(80, pair, exchanges_per_seed=40)}
    again = propose(80, pair, exchanges_per_seed=40, skip_known=False)
    assert pair[1].candidate_id in {c.candidate_id for c in again}


def test_awkward_seeds_are_left_out_with_a_line_in_the_log(caplog):
    awkward = [
        Candidate("CuAu-disordered", materials.disordered_alloy()),
        *seeds_of("silicon", "iron_one_atom", "skewed_silicon"),
    ]
    with caplog.at_level("WARNING"):
        assert propose(5, awkward) == []
    assert "CuAu-disordered is left out" in caplog.text
    assert propose(5, []) == []
    assert len(propose(5, [*awkward, *SEEDS])) == 5


def test_it_ends_after_a_bounded_number_of_tries():
    class KnowsAll:
        asked = 0

        def find(self, candidate):
            self.asked += 1
            return candidate.candidate_id

    known = KnowsAll()
    assert propose(3, known=known, tries_per_candidate=10) == []
    assert 0 < known.asked <= 30
    assert 0 < len(propose(500, seeds_of("sodium_chloride"), exchanges_per_seed=5)) <= 5


def test_count_must_be_positive():
    with pytest.raises(InputError, match="ask for one or more"):
        propose(0)


def test_polar_only_and_space_group():
    assert all(is_polar(c.spacegroup_number) for c in propose(30, polar_only=True))
    assert {c.spacegroup_number for c in propose(20, spacegroup_number=99)} == {99}
    assert propose(5, spacegroup_number=230) == []


def test_space_group_is_found_where_the_seed_does_not_tell_it():
    bare = [dataclasses.replace(seed, spacegroup_number=None) for seed in SEEDS]
    assert {c.spacegroup_number for c in propose(5, bare, spacegroup_number=161)} == {161}


def test_number_of_atoms_chemical_system_and_elements():
    assert {len(c.structure) for c in propose(20, natoms=(3, 5))} <= {3, 4, 5}
    assert {c.structure.chemical_system for c in propose(5, chemsys="O-Nb-K")} == {"K-Nb-O"}
    allowed = {"Sr", "Ba", "Zr", "Ti", "O"}
    found = propose(20, elements=tuple(allowed))
    assert found
    assert all(set(c.structure.symbol_set) <= allowed for c in found)
    assert all("Pb" not in c.structure.symbol_set for c in propose(40, exclude_elements=("Pb",)))


def test_a_formula_is_made_from_every_prototype_best_first():
    found = propose(20, formula="ZrBaO3")
    assert {c.formula for c in found} == {"BaZrO3"}
    assert {c.spacegroup_number for c in found[:3]} == {99, 160, 221}
    assert all(details(c)["exchange"] == "Ti4+ -> Zr4+" for c in found[:3])
    weights = [c.value("log_probability") for c in found]
    assert weights == sorted(weights, reverse=True)
    tantalate = propose(1, formula="LiTaO3")[0]
    assert (tantalate.spacegroup_number, details(tantalate)["parent_formula"]) == (161, "LiNbO3")


def test_a_formula_that_is_known_is_not_given_as_itself():
    ids = {c.candidate_id for c in SEEDS}
    assert not ids & {c.candidate_id for c in propose(20, formula="BaTiO3")}


def test_formula_with_other_wishes():
    assert {c.spacegroup_number for c in propose(20, formula="KNbO3", polar_only=True)} <= {99, 160, 161}
    assert {len(c.structure) for c in propose(20, formula="KNbO3", natoms=(10, 10))} == {10}


def test_an_alloy_is_no_formula_for_substitution():
    with pytest.raises(InputError, match="No neutral set of oxidation states is known for Fe2Ni"):
        propose(3, formula="Fe2Ni")


def test_stable_seeds_come_first():
    def at_height(seed: Candidate, height: float) -> Candidate:
        return seed.with_property(PropertyValue("energy_above_hull", height, "eV/atom", "PBE"))

    heights = [0.0 if i % 2 else 5.0 for i in range(len(SEEDS))]
    seeds = [at_height(seed, height) for seed, height in zip(SEEDS, heights, strict=True)]
    stable = {s.candidate_id for s, height in zip(seeds, heights, strict=True) if height == 0.0}
    head = propose(len(stable), seeds, pool=len(stable))
    assert {c.provenance[0].parents[0] for c in head} <= stable


def test_seeds_are_untouched_and_json_round_trips():
    before = [json.dumps(c.to_record()) for c in SEEDS]
    for candidate in propose(10):
        assert (
            Candidate.from_record(json.loads(json.dumps(candidate.to_record()))).to_record()
            == candidate.to_record()
        )
    assert [json.dumps(c.to_record()) for c in SEEDS] == before


def test_the_random_stream_is_recorded_as_given():
    def step(seed):
        rng = np.random.default_rng(seed)
        return next(Substitution().generate(SEEDS, 1, rng, Tools())).provenance[0]

    assert step(7).seed == 7
    assert "stream" not in step(7).details
    assert step(np.random.SeedSequence([7, 1, 3])).seed == 7
    assert step(np.random.SeedSequence([7, 1, 3])).details["stream"] == [7, 1, 3]
    drawn_by_numpy = np.random.SeedSequence(2**100)
    assert step(drawn_by_numpy).seed is None
    assert step(drawn_by_numpy).details["stream"] == [str(2**100)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"formula": "Ba??"}, "is not a chemical formula"),
        ({"formula": "Si"}, "a compound with whole numbers"),
        ({"formula": "BaTiO2.5"}, "a compound with whole numbers"),
        ({"chemsys": "Ba-Xx"}, "not the symbol of an element"),
        ({"exclude_elements": ["Q"]}, "not the symbol of an element"),
        ({"natoms": [5, 2]}, "the first number is the smaller one"),
        ({"spacegroup_number": 231}, "spacegroup_number"),
        ({"formula": "BaTiO3", "chemsys": "Ba-O"}, "is not of the chemical system"),
        ({"formula": "BaTiO3", "elements": ["Ba", "O"]}, "leaves out Ti"),
        ({"polar_onyl": True}, "Did you mean 'polar_only'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, said):
    with pytest.raises(SettingsError, match=said.replace("?", r"\?")):
        validate(SubstitutionConfig, settings, "[[generator]] substitution")


def test_an_element_that_is_named_may_be_an_excluded_one():
    found = propose(3, formula="UO2", seeds=seeds_of("hafnia_monoclinic", "titania_rutile"))
    assert {c.formula for c in found} == {"UO2"}


def parents(interest=None, seed=0, count=4) -> list[str]:
    """Formulas of the seeds that the first proposals were made of, one seed after the other."""
    tools = Tools(interest=interest)
    made = Substitution(SubstitutionConfig(pool=1)).generate(SEEDS, count, np.random.default_rng(seed), tools)
    return [details(candidate)["parent_formula"] for candidate in made]


def test_seeds_of_greater_interest_are_drawn_first_and_equal_interest_changes_nothing():
    assert parents(lambda seed: 0.3) == parents()
    keen = [parents(lambda seed: 1.0 if seed.formula == "LiNbO3" else 1e-6, i, 1)[0] for i in range(5)]
    assert keen == ["LiNbO3"] * 5
    assert len({parents(None, i, 1)[0] for i in range(5)}) > 1


def test_seeds_are_drawn_in_proportion_to_interest():
    """One of fourteen that is worth ten times as much leads in 10 of 23 draws."""
    draws = 60
    led = sum(
        parents(lambda seed: 10.0 if seed.formula == "NaCl" else 1.0, i, 1) == ["NaCl"] for i in range(draws)
    )
    assert 0.25 * draws < led < 0.65 * draws
