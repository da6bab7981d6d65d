"""The predictor keeps its contract, asks only what makes sense, and says how sure it is."""

import dataclasses

import materials
import numpy as np
import pytest
import torch
from hysteron.core.candidate import Candidate
from hysteron.core.checks import check_predictor
from hysteron.core.errors import InputError, MissingDataError
from hysteron.core.properties import describe
from hysteron.core.settings import home
from hysteron.predictors import PREDICTORS
from hysteron.predictors.properties import predictor
from hysteron.predictors.properties.heads import HEADS
from hysteron.predictors.properties.model import PropertyModel
from hysteron.predictors.properties.predictor import SHIPPED, Properties
from property_toys import perovskite, rock_salt, with_certainty_of_metal, write_weights
from pymatgen.core import Lattice, Structure

PRINTED = {
    "formation_energy_per_atom",
    "band_gap",
    "total_magnetization",
    "dielectric_total",
    "vacancy_formation_energy",
}
SUPERCELL = 2e-3  # of the value; features are rounded to float16


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The tiny model, which calls nothing a metal."""
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    write_weights(path)
    with_certainty_of_metal(path, False)
    return path


@pytest.fixture(scope="module")
def tiny(file) -> Properties:
    return Properties(path=file)


def candidate(structure: Structure, name: str = "") -> Candidate:
    return Candidate(name or structure.composition.reduced_formula, structure)


def several() -> list[Candidate]:
    """Known ones, a metal of one atom, an awkward cell, and three that cannot be treated."""
    overlapping = Structure(Lattice.cubic(4.0), ["Mg", "O"], [[0, 0, 0], [0, 0, 0]])
    gas = Structure(Lattice.cubic(30.0), ["Ar"], [[0, 0, 0]])
    americium = rock_salt("Am")
    structures = {
        "SrTiO3": perovskite("Sr"),
        "gas": gas,
        "MgO": rock_salt("Mg"),
        "overlapping": overlapping,
        "Fe": materials.iron_one_atom(),
        "Am": americium,
        "Si": materials.skewed_silicon(),
    }
    return [candidate(structure, name) for name, structure in structures.items()]


def found(tiny, *structures) -> list[Candidate]:
    return tiny.predict([candidate(s) for s in structures])


def last_step(candidate: Candidate):
    return candidate.provenance[-1]


def test_it_keeps_the_contract(tiny):
    results = check_predictor(tiny, several())
    assert [bool(c.failures) for c in results] == [False, True, False, True, False, True, False]


def test_it_is_registered():
    assert PREDICTORS["properties"] == f"{Properties.__module__}:{Properties.__qualname__}"


@pytest.mark.parametrize(
    ("name", "says"), [("overlapping", "same place"), ("gas", "neighbour"), ("Am", "holds Am")]
)
def test_what_cannot_be_treated_has_a_sentence_and_no_property(tiny, name, says):
    one = next(c for c in several() if c.candidate_id == name)
    result = tiny.predict([one])[0]
    assert result.properties == ()
    assert result.provenance == ()
    assert result.failures[0].stage == "predict"
    assert says in result.failures[0].reason
    assert result.failures[0].reason.endswith(".")


def test_a_disordered_crystal_fails_alone(tiny):
    good, bad = found(tiny, rock_salt("Mg"), materials.disordered_alloy())
    assert good.properties
    assert "partially occupied" in bad.failures[0].reason


def test_order_and_length_are_kept_across_batches(tiny, monkeypatch):
    candidates = several()
    whole = tiny.predict(candidates)
    monkeypatch.setattr(predictor, "CELLS_AT_ONCE", 2)
    parts = tiny.predict(candidates)
    assert [c.candidate_id for c in parts] == [c.candidate_id for c in candidates]
    for one, other in zip(whole, parts, strict=True):
        assert [p.name for p in one.properties] == [p.name for p in other.properties]
        assert [p.value for p in one.properties] == pytest.approx(
            [p.value for p in other.properties], rel=1e-4
        )


def test_each_number_says_unit_method_and_interval(tiny):
    (result,) = found(tiny, perovskite("Sr"))
    assert {p.name for p in result.properties} == PRINTED
    for value in result.properties:
        assert value.units == describe(value.name).units
        assert value.method == tiny.method == "GNN toy"
        assert value.coverage == 0.9
        assert value.interval is not None
        low, high = value.interval
        assert low <= value.value <= high
        assert low < high
        assert value.uncertainty is not None
        assert value.uncertainty > 0
    sources = {p.name: p.source for p in result.properties}
    for head in HEADS.values():
        if head.prints in sources:
            assert sources[head.prints].startswith(head.method)


def test_the_step_names_the_weights(tiny, file):
    (result,) = found(tiny, rock_salt("Mg"))
    step = last_step(result)
    assert (step.stage, step.name) == ("predict", "properties")
    assert tiny.model_hash in step.version
    assert tiny.method in step.version
    assert set(step.details) == {"distance", "domain_limit", "in_domain"}


def test_no_interval_reaches_below_what_is_possible(tiny):
    """Also where the value is at that end."""
    least = {h.prints: h.least for h in HEADS.values() if h.prints and h.least is not None}
    assert set(least) == {"band_gap", "total_magnetization"}
    for result in found(tiny, perovskite("Cs"), rock_salt("Fe"), rock_salt("Mg", a=3.9)):
        for value in result.properties:
            if value.name in least:
                assert value.interval is not None
                assert value.interval[0] >= least[value.name]
                assert value.value >= least[value.name]


def test_permittivities_are_positive_and_their_interval_is_one_of_ratios(tiny):
    (result,) = found(tiny, perovskite("Ba"))
    value = result.get("dielectric_total")
    assert value.interval[0] > 0
    assert value.interval[1] / value.value == pytest.approx(value.value / value.interval[0], rel=1e-4)


def test_a_magnetization_is_of_the_cell(tiny):
    one, two = found(tiny, perovskite("Sr"), perovskite("Sr") * [2, 1, 1])
    assert two.value("total_magnetization") == pytest.approx(
        2 * one.value("total_magnetization"), rel=SUPERCELL
    )
    for name in PRINTED - {"total_magnetization"}:
        assert two.value(name) == pytest.approx(one.value(name), rel=SUPERCELL), name


def test_a_vacancy_is_asked_of_abo3_alone(tiny):
    asked = {
        "SrTiO3": True,
        "MgO": False,
        "TiO2": False,
        "Si": False,
        "SrTiF3": False,
        "Sr2Ti2O6": True,
    }
    fluoride = perovskite("Sr")
    fluoride.replace_species({"O": "F"})
    structures = [
        perovskite("Sr"),
        rock_salt("Mg"),
        materials.titania_rutile(),
        materials.silicon(),
        fluoride,
        perovskite("Sr") * [1, 1, 2],
    ]
    for (name, wanted), result in zip(asked.items(), found(tiny, *structures), strict=True):
        assert (result.get("vacancy_formation_energy") is not None) is wanted, name


def test_a_permittivity_is_asked_of_insulators_alone(file, tmp_path):
    write_weights(tmp_path / "metals.safetensors")
    with_certainty_of_metal(tmp_path / "metals.safetensors", True)
    (metal,) = Properties(path=tmp_path / "metals.safetensors").predict([candidate(perovskite("Sr"))])
    (insulator,) = Properties(path=file).predict([candidate(perovskite("Sr"))])
    assert metal.get("dielectric_total") is None
    assert insulator.get("dielectric_total") is not None
    gap = metal.get("band_gap")
    assert gap.value == 0.0
    assert gap.interval[0] == 0.0 < gap.interval[1]


def test_an_element_that_was_not_trained_on_is_named(tiny):
    known, unknown = found(tiny, rock_salt("Mg"), rock_salt("Pu"))
    assert "elements_not_trained_on" not in last_step(known).details
    strange = last_step(unknown).details["elements_not_trained_on"]
    assert strange["band_gap"] == ["Pu"]
    assert all("outside its domain" in p.source for p in unknown.properties)
    cation_of_other_heads = found(tiny, perovskite("Fe"))[0]
    assert last_step(cation_of_other_heads).details["elements_not_trained_on"] == {"oxygen_vacancy": ["Fe"]}
    sources = {p.name: p.source for p in cation_of_other_heads.properties}
    assert "outside its domain" in sources["vacancy_formation_energy"]


def test_the_domain_is_told(tiny, file, tmp_path):
    (result,) = found(tiny, perovskite("Sr"))
    details = last_step(result).details
    assert details["in_domain"] is True
    assert details["distance"] <= details["domain_limit"]
    assert all(p.source.endswith("; in domain") for p in result.properties)
    narrow = PropertyModel.load(file)
    narrow.domain.limit = details["distance"] / 2
    narrow.save(tmp_path / "narrow.safetensors")
    (outside,) = Properties(path=tmp_path / "narrow.safetensors").predict([candidate(perovskite("Sr"))])
    assert last_step(outside).details["in_domain"] is False
    assert all(p.source.endswith("; outside its domain") for p in outside.properties)
    assert [p.value for p in outside.properties] == [p.value for p in result.properties]


def test_the_far_have_wider_intervals(file, tmp_path):
    """Of two models that differ only in how much the distance counts."""
    model = PropertyModel.load(file)
    widths = {}
    for slope in (0.0, 1.0):
        for interval in model.intervals["formation_energy"]:
            interval.distance = slope
        model.save(tmp_path / f"{slope}.safetensors")
        near, far = found(
            Properties(path=tmp_path / f"{slope}.safetensors"), perovskite("Sr"), rock_salt("W")
        )
        assert last_step(far).details["distance"] > last_step(near).details["distance"]
        widths[slope] = [np.diff(c.get("formation_energy_per_atom").interval)[0] for c in (near, far)]
    assert widths[1.0][1] / widths[1.0][0] > widths[0.0][1] / widths[0.0][0]


def test_no_formation_energy_without_a_reference(tiny):
    xenon = Structure.from_spacegroup(
        "Fm-3m", Lattice.cubic(6.2), ["Xe", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    ).get_primitive_structure()
    (result,) = found(tiny, xenon)
    assert not result.failures
    assert result.get("formation_energy_per_atom") is None
    assert result.get("band_gap") is not None


def test_a_head_without_labels_is_not_printed(file, tmp_path):
    model = PropertyModel.load(file)
    model.intervals["band_gap"][0] = dataclasses.replace(model.intervals["band_gap"][0], quantiles={})
    model.save(tmp_path / "gapless.safetensors")
    (result,) = Properties(path=tmp_path / "gapless.safetensors").predict([candidate(perovskite("Sr"))])
    assert {p.name for p in result.properties} == PRINTED - {"band_gap"}


def test_a_network_that_knows_no_metals_speaks_of_gaps_all_the_same(file, tmp_path):
    model = PropertyModel.load(file)
    del model.network.heads["metal"]
    outputs = tuple((name, n) for name, n in model.network.config.outputs if name != "metal")
    model.network.config = dataclasses.replace(model.network.config, outputs=outputs)
    model.save(tmp_path / "no-metals.safetensors")
    (result,) = Properties(path=tmp_path / "no-metals.safetensors").predict([candidate(perovskite("Sr"))])
    assert {p.name for p in result.properties} == PRINTED


def test_predicting_again_replaces_and_does_not_add(tiny):
    (once,) = found(tiny, perovskite("Sr"))
    (twice,) = tiny.predict([once])
    assert twice.properties == once.properties
    assert len(twice.provenance) == 2


def test_threads_of_the_caller_are_left_as_they_were(tiny):
    before = torch.get_num_threads()
    found(tiny, rock_salt("Mg"))
    assert torch.get_num_threads() == before


# Which file


def test_the_model_in_the_home_wins(own_home):
    predictor._loaded.cache_clear()
    path = home() / "models" / SHIPPED
    write_weights(path)
    assert Properties().method == "GNN toy"
    predictor._loaded.cache_clear()


def test_a_broken_model_in_the_home_is_a_sentence(own_home):
    predictor._loaded.cache_clear()
    path = home() / "models" / SHIPPED
    path.parent.mkdir(parents=True)
    path.write_bytes(b"none")
    with pytest.raises(InputError, match="cannot be read as a property model"):
        Properties()


def test_an_absent_model_is_a_sentence(tmp_path):
    with pytest.raises(MissingDataError, match="There is no file"):
        Properties(path=tmp_path / "none.safetensors")
