"""Vacancy energies of the table's hosts: measured once, kept, and told where they fail."""

import materials
import numpy as np
import pytest
from hysteron.core.contracts import ChemicalPotentials, HullDistance, Tools
from hysteron.core.lines import read_lines
from hysteron.flows import vacancy_energies
from hysteron.flows.vacancy_energies import correction_table, measured_hosts
from hysteron.predictors.datasets.vacancy_hosts import VacancyHost
from hysteron.predictors.relaxation.relaxer import BatchedRelaxer
from hysteron.predictors.relaxation.settings import RelaxerSettings
from hysteron.predictors.vacancy_correction import VacancyFit
from pair_potential import PairPotential
from pymatgen.core import Lattice, Structure


class FlatHull:
    name, potential_name = "flat-2026", "pairs"

    def chemical_potentials(self, composition, energy_per_atom, element):
        return ChemicalPotentials(-1.5, -2.0, -4.0, True)

    def distance(self, composition, energy_per_atom, leave_out=()):
        return HullDistance(0.0, None, (("toy-1", composition.reduced_formula, 1.0),))


class WithFeatures(PairPotential):
    """Its features are the cell's length and nothing else."""

    def features(self, structures):
        return [np.full((len(s), 2), s.lattice.a) for s in structures]


def perovskite(a, a_site="Sr"):
    host = materials.strontium_titanate()
    species = [a_site if site.specie.symbol == "Sr" else site.specie for site in host]
    return Structure(Lattice.cubic(a), species, host.frac_coords)


def hosts(*cells, a_site="Sr"):
    return [
        VacancyHost(f"emery:{a_site}-{i}", f"X{i}", a_site, "Ti", f"mp-{i}", perovskite(a, a_site), 5.0, 0.0)
        for i, a in enumerate(cells)
    ]


@pytest.fixture
def tools():
    potential = WithFeatures()
    free, fixed = (RelaxerSettings(workers=1, steps=1, cell=cell) for cell in ("fixed", "fixed"))
    return Tools(
        potential=potential,
        relaxer=BatchedRelaxer(potential, free),
        atoms_relaxer=BatchedRelaxer(potential, fixed),
        hull=FlatHull(),
    )


def test_what_was_measured_is_not_measured_again(tools, tmp_path):
    told = []
    first = measured_hosts(hosts(3.9, 4.0), tools, folder=tmp_path, told=lambda *at: told.append(at))
    asked = tools.potential.evaluations
    again = measured_hosts(hosts(3.9, 4.0, 4.1), tools, folder=tmp_path)
    assert told == [(1, 2), (2, 2)]
    assert [one.energy for one in again[:2]] == [one.energy for one in first]
    assert again[0].relaxed == first[0].relaxed
    assert tools.potential.evaluations > asked
    asked = tools.potential.evaluations
    measured_hosts(hosts(4.1, 3.9)[1:], tools, folder=tmp_path)
    anew = measured_hosts(hosts(3.9), tools, resume=False, folder=tmp_path)
    assert tools.potential.evaluations > asked
    assert anew[0].energy == pytest.approx(first[0].energy)


def test_other_relaxers_keep_their_own_lines(tools, tmp_path):
    measured_hosts(hosts(3.9), tools, folder=tmp_path)
    other = BatchedRelaxer(tools.potential, RelaxerSettings(workers=1, steps=2, cell="fixed"))
    measured_hosts(
        hosts(3.9), Tools(relaxer=tools.relaxer, atoms_relaxer=other, hull=tools.hull), folder=tmp_path
    )
    assert len(list(tmp_path.glob("*.jsonl"))) == 2


def test_a_host_that_fails_says_why_and_the_others_go_on(tools, tmp_path):
    found = measured_hosts([*hosts(3.9, a_site="Au"), *hosts(4.0)], tools, folder=tmp_path)
    assert found[0].energy is None
    assert "gold" in found[0].failure
    assert found[1].energy is not None
    lines = list(read_lines(next(tmp_path.glob("*.jsonl"))))
    assert [line["failure"] is None for line in lines] == [False, True]


def test_the_table_is_fitted_to_what_was_measured(tools, tmp_path, monkeypatch):
    cells = np.linspace(3.8, 4.2, 12)
    monkeypatch.setattr(vacancy_energies, "vacancy_hosts", lambda: hosts(*cells))
    made = correction_table(tools, folder=tmp_path)
    assert (made["n"], made["n_formulas"], made["units"]) == (12, 12, "eV")
    assert "CC BY 4.0" in made["licence"]
    fit = VacancyFit.from_dict(made["fit"])
    assert fit.potential == "pairs"
    assert fit.features.shape == (12, 2)
