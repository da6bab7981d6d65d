"""Records of one composition come together, each once, wherever they stand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hysteron.retrieval.materials_project import groups
from hysteron.retrieval.materials_project.cache import Page, Query
from hysteron.retrieval.materials_project.groups import Index, grouped

QUERY = Query("summary", {"nelements_min": 1})


def record(material_id: str | None, *elements: str) -> dict:
    sites = [{"species": [{"element": element, "occu": 1}]} for element in elements]
    return {"material_id": material_id, "structure": {"sites": sites}}


@dataclass
class Pages:
    """As `Gathered`, of pages at hand."""

    documents: list[list]

    def pages(self):
        for i, documents in enumerate(self.documents):
            yield Page(i, 99, f"2026-11-{i + 1:02d}", documents)


def together(documents: list[list]) -> list[tuple[list, str]]:
    index = Index()
    for page in Pages(documents).pages():
        index.look(QUERY, page)
    return list(grouped(Pages(documents), index.sizes()))


TITANIA = [
    record("mp-1", "Ti", "O", "O"),
    record("mp-2", "O", "O", "Ti"),
    record("mp-3", *"OOOO", "Ti", "Ti"),
]
ZINC_OXIDE = record("mp-4", "Zn", "O")


@pytest.mark.parametrize("memory", [groups.MEMORY_BYTES, 1])
def test_a_composition_waits_for_its_last_record(monkeypatch, memory):
    monkeypatch.setattr(groups, "MEMORY_BYTES", memory)
    found = together([[TITANIA[0]], [ZINC_OXIDE, TITANIA[1]], [TITANIA[2]]])
    assert found == [([ZINC_OXIDE], "2026-11-02"), (TITANIA, "2026-11-03")]


def test_a_record_that_comes_twice_counts_once():
    assert together([[TITANIA[0], ZINC_OXIDE], [TITANIA[0], TITANIA[1]]]) == [
        ([ZINC_OXIDE], "2026-11-01"),
        (TITANIA[:2], "2026-11-02"),
    ]


def test_records_without_an_id_are_all_kept():
    nameless = record(None, "Zn", "O")
    assert together([[nameless, nameless, 3, "text"]]) == [
        ([nameless] * 2, "2026-11-01"),
        ([3, "text"], "2026-11-01"),
    ]


def test_a_composition_of_which_fewer_come_than_were_counted_comes_at_the_end():
    index = Index()
    for page in Pages([TITANIA]).pages():
        index.look(QUERY, page)
    assert list(grouped(Pages([TITANIA[:2]]), index.sizes())) == [(TITANIA[:2], "2026-11-01")]


def test_a_page_that_comes_again_takes_the_place_of_the_earlier():
    index = Index()
    index.look(QUERY, Page(0, 3, "", TITANIA))
    index.look(QUERY, Page(0, 1, "", [ZINC_OXIDE]))
    assert sum(index.sizes().values()) == 1
