"""A relaxation that was killed goes on: what is finished is not computed again."""

import json

import numpy as np
import pytest
from hysteron.core.errors import OutputError
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer, RelaxerSettings
from materials import magnesium_oxide, silicon, titania_rutile
from pair_potential import PairPotential
from pymatgen.core import Lattice, Structure


def crowd():
    labelled = magnesium_oxide()
    labelled.add_site_property("label_of_mine", ["a", "b"])
    labelled.add_oxidation_state_by_element({"Mg": 2, "O": -2})
    gold = Structure(Lattice.cubic(4), ["Au"], [[0, 0, 0]])
    return [labelled, titania_rutile(), gold]


def relaxer(potential=None, **settings):
    return BatchedRelaxer(potential or PairPotential(), RelaxerSettings(workers=1, **settings))


def test_finished_results_are_not_computed_again(tmp_path):
    path = tmp_path / "deep" / "done.jsonl"
    first = relaxer().relax(crowd(), checkpoint=path)
    again = relaxer()
    seen = []
    second = again.relax(crowd()[::-1], lambda i, _: seen.append(i), checkpoint=path)[::-1]
    assert again.potential.evaluations == 0
    assert sorted(seen) == [0, 1, 2]
    for a, b in zip(first, second, strict=True):
        assert (a.energy_per_atom, a.max_force, a.steps, a.converged, a.failure) == (
            b.energy_per_atom, b.max_force, b.steps, b.converged, b.failure,
        )  # fmt: skip
    assert np.allclose(first[0].structure.lattice.matrix, second[0].structure.lattice.matrix, atol=1e-14)
    assert second[0].structure.site_properties["label_of_mine"] == ["a", "b"]
    assert second[0].structure.species == crowd()[0].species
    assert "gold" in second[2].failure


def test_a_killed_run_goes_on(tmp_path):
    path = tmp_path / "done.jsonl"
    relaxer().relax(crowd()[:2], checkpoint=path)
    whole = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(whole[0] + whole[1][:100])
    again = relaxer()
    found = again.relax(crowd(), checkpoint=path)
    assert again.potential.evaluations > 0
    assert [r.converged for r in found] == [True, True, False]
    third = relaxer()
    third.relax(crowd(), checkpoint=path)
    assert third.potential.evaluations == 0


@pytest.mark.parametrize(
    "settings",
    [{"fmax": 0.01}, {"method": "fire"}, {"symmetry": True}, {"pressure_gpa": 1}, {"cell": "fixed"}],
)
def test_another_method_is_another_result(tmp_path, settings):
    path = tmp_path / "done.jsonl"
    relaxer().relax([magnesium_oxide()], checkpoint=path)
    other = relaxer(**settings)
    other.relax([magnesium_oxide()], checkpoint=path)
    assert other.potential.evaluations > 0


def test_another_model_is_another_result(tmp_path):
    path = tmp_path / "done.jsonl"
    relaxer().relax([magnesium_oxide()], checkpoint=path)
    other = PairPotential()
    other.model_hash = "2"
    relaxer(other).relax([magnesium_oxide()], checkpoint=path)
    assert other.evaluations > 0


def test_what_time_cut_short_is_not_finished(tmp_path):
    path = tmp_path / "done.jsonl"
    relaxer(seconds=1e-9).relax([magnesium_oxide(), silicon()], checkpoint=path)
    assert not path.exists()


def test_a_file_of_something_else_is_left_alone(tmp_path):
    path = tmp_path / "crystal.cif"
    for text in ("data_MgO\n_cell_length_a 4.2\n", '{"formula": "MgO"}\n'):
        path.write_text(text)
        with pytest.raises(OutputError, match="no checkpoint"):
            relaxer().relax([magnesium_oxide()], checkpoint=path)
        assert path.read_text() == text
    with pytest.raises(OutputError, match="cannot be used"):
        relaxer().relax([magnesium_oxide()], checkpoint=tmp_path)


def test_a_line_that_names_code_is_not_trusted(tmp_path):
    path = tmp_path / "done.jsonl"
    relaxer().relax([magnesium_oxide()], checkpoint=path)
    line = json.loads(path.read_text())
    line["structure"]["sites"][0]["properties"] = {"x": {"@module": "subprocess", "@class": "Popen"}}
    path.write_text(json.dumps(line) + "\n")
    again = relaxer()
    (found,) = again.relax([magnesium_oxide()], checkpoint=path)
    assert again.potential.evaluations > 0
    assert found.converged
