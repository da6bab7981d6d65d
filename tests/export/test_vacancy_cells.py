"""Supercells with a missing atom: of the sites that a verdict names, as far apart as wanted, and told where not."""

from __future__ import annotations

import dataclasses
from typing import Any

import materials
import numpy as np
import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.supercells import supercell_for
from hysteron.core.vacancy_sites import SEED_ANGSTROM
from hysteron.export.vacancy_cells import VacancySettings, named_sites, vacancy_cells


def cells(candidate: Candidate, **settings: Any):
    return vacancy_cells(candidate, candidate.structure, VacancySettings(**settings))


def with_sites(candidate: Candidate, sites: Any) -> Candidate:
    details = {"vacancies": sites}
    return candidate.with_verdict(dataclasses.replace(candidate.verdicts[0], details=details))


def test_the_cheapest_sites_come_first_and_so_many_as_wanted(hosts):
    assert [site.label for site in named_sites(hosts[2])] == ["V_O2(4e)", "V_O1(4e)"]
    assert [site.label for site, _, _ in cells(hosts[2]).vacant] == ["V_O2(4e)", "V_O1(4e)"]
    assert [site.label for site, _, _ in cells(hosts[2], vacancies=1).vacant] == ["V_O2(4e)"]
    assert cells(hosts[2], vacancies=0) is None


def test_a_crystal_without_such_a_verdict_has_none(ferroelectric):
    assert cells(ferroelectric) is None


def test_all_atoms_are_moved_a_little_and_alike_in_both_cells(hosts):
    whole = supercell_for(hosts[0].structure, 10.0, 200).structure
    found = cells(hosts[0])
    moved = found.pristine.cart_coords - whole.cart_coords
    assert 0 < np.linalg.norm(moved, axis=1).max() <= SEED_ANGSTROM
    assert found.pristine.get_space_group_info(symprec=1e-3)[1] == 1
    assert found.vacant[0][1].get_space_group_info(symprec=1e-3)[1] == 1
    assert not found.pristine.site_properties


def test_images_that_cannot_be_so_far_apart_are_told(hosts):
    note = cells(hosts[0]).notes[0]
    assert "16 primitive cells, images 11.0 A apart. Charged" in note
    near = cells(hosts[0], vacancy_atoms_max=40)
    assert len(near.pristine) <= 40
    assert "less than the 10 A that were wanted" in near.notes[0]


def test_a_site_whose_wyckoff_letter_differs_by_the_setting_is_found_and_another_is_not(hosts):
    renamed = with_sites(hosts[0], {"O": {"sites": [{"label": "V_O1(3d)", "energy": 5.0}]}})
    assert len(cells(renamed).vacant) == 1
    absent = with_sites(hosts[0], {"O": {"sites": [{"label": "V_O2(6e)", "energy": 5.0}]}})
    assert cells(absent).vacant == ()
    assert "has no such site" in cells(absent).notes[0]
    # Two kinds of four oxygen atoms each: a letter that fits neither does not tell which.
    unclear = with_sites(hosts[2], {"O": {"sites": [{"label": "V_O1(4f)", "energy": 5.0}]}})
    assert cells(unclear).vacant == ()


@pytest.mark.parametrize(
    "sites",
    [
        "none",
        {"O": None},
        {"O": {"sites": "V_O1(3c)"}},
        {"O": {"sites": [{"label": "../../x", "energy": 1.0}, {"label": "V_O1(3c)"}, 3]}},
        {
            "O": {
                "sites": [
                    {"label": "V_Ti1(1b)", "energy": 1.0},
                    {"label": "V_O1(3c)", "energy": float("nan")},
                ]
            }
        },
    ],
)
def test_a_verdict_of_any_shape_names_only_what_can_be_read(hosts, sites):
    assert named_sites(with_sites(hosts[0], sites)) == []


def test_no_primitive_cell_is_a_note_in_the_export(hosts, tmp_path):
    from hysteron.export.espresso import EspressoWriter

    overlapping = materials.strontium_titanate()
    overlapping.append("O", [0.5, 0.5, 0.001])
    written = EspressoWriter().write(hosts[0].with_structure(overlapping), tmp_path)
    assert not (tmp_path / "vacancy").exists()
    assert any("No vacancy supercell was written" in note for note in written.notes)
