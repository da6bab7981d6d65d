"""All providers at once: who hangs, dies or lies takes nothing from the others."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack

import materials
import pytest
from hysteron.core.checks import check_source
from hysteron.core.contracts import Source
from hysteron.core.errors import FilterError, InputError, NotFoundError, StageError
from hysteron.core.filters import matches, parse
from hysteron.retrieval.optimade import source as module
from hysteron.retrieval.optimade.source import Optimade
from hysteron.retrieval.optimade.transport import Limits
from servers.optimade import Behaviour, entry_of, selects
from servers.optimade import Optimade as Server
from servers.optimade_examples import PATIENT, QUICK, Pauses, provider, records, shelf

OXIDES = 'elements HAS "O"'


def source(*servers: Server, limits: Limits = PATIENT, **settings) -> Optimade:
    providers = [provider(server.base_url, f"p{i}", **settings) for i, server in enumerate(servers)]
    return Optimade(providers=providers, limits=limits, waiting=Pauses().waiting)


def ids(candidates) -> set[str]:
    """The providers' ids of candidates."""
    return {step.details["material_id"] for candidate in candidates for step in candidate.provenance}


def expected(text: str) -> set[str]:
    query = parse(text)
    return {record.material_id for record in records() if matches(query, record.candidate("")) is True}


def add_up(one: Optimade) -> None:
    for report in one.reports:
        assert report.received == (
            report.repeated + sum(report.rejected.values()) + report.unmatched + report.matched
        )
        assert report.rejected.keys() == report.examples.keys()


@pytest.fixture(autouse=True)
def quick_symmetry(monkeypatch):
    """Space groups of the shelf are known; found anew they would take most of the time."""
    known = {json.dumps(r.structure.frac_coords.tolist()) + r.structure.formula: r.bucket for r in records()}
    from hysteron.retrieval.optimade import records as reading

    true = reading.bucket_of

    def bucket_of(structure):
        key = json.dumps(structure.frac_coords.tolist()) + structure.formula
        return known.get(key) or true(structure)

    monkeypatch.setattr(reading, "bucket_of", bucket_of)


def test_it_keeps_the_contract(server):
    one = source(server)
    assert isinstance(one, Source)
    found = check_source(one, parse(OXIDES))
    assert ids(found) == expected(OXIDES)
    assert one.version == "p0 OPTIMADE 1.2.0, 40 structures"
    add_up(one)


AGREEMENT = [
    'elements HAS ALL "O","Cu" OR elements HAS "N"',
    'elements HAS ONLY "O","Sn","Ba","Zr","Hf"',
    'NOT elements HAS ANY "O","S" AND nsites <= 4',
    'chemical_formula_anonymous = "ABC3" OR chemical_formula_anonymous = "AB"',
    "spacegroup_number = 225 AND NOT nelements = 1",
    "band_gap > 2 AND NOT band_gap > 4",
    "band_gap.pbe > 1 AND elements LENGTH 2",
    'NOT band_gap > 1 AND elements HAS "O"',
    "energy_above_hull <= 0.05 AND NOT nelements = 3",
    'energy_above_hull IS UNKNOWN AND NOT elements HAS "F"',
    "band_gap IS KNOWN AND nelements = 2",
    'density > 5 AND elements HAS "O"',
    'NOT (density > 5 OR elements HAS "O")',
    '(density > 5 OR structure_type = "perovskite") AND nelements >= 2',
    'NOT (structure_type = "rock salt" AND density < 6) AND elements HAS "O"',
    'formula CONTAINS "O2" AND nsites < 7',
    'volume_per_atom < 15 AND NOT formula = "TiO2" AND nelements = 2',
    'material_id = "cat-0007"',
    'material_id STARTS WITH "cat-001" AND origin = "optimade:p0"',
]


@pytest.mark.parametrize("text", AGREEMENT)
def test_remote_and_local_filtering_agree_with_local_filtering(server, text):
    one = source(server)
    found = list(one.search(parse(text)))
    renamed = text.replace("optimade:p0", "optimade:example")
    assert ids(found) == expected(renamed)
    assert expected(renamed)
    assert all(matches(parse(text), candidate) is True for candidate in found)
    add_up(one)


def test_a_candidate_can_be_asked_for_by_its_own_name(server):
    one = source(server)
    (some, *_) = one.search(parse("nelements = 2"))
    text = f'candidate_id = "{some.candidate_id}" AND formula = "{some.formula}"'
    assert [c.candidate_id for c in one.search(parse(text))] == [some.candidate_id]


def test_a_slow_a_lying_and_a_working_provider_give_what_is_good_in_time():
    def lies(entry):
        return entry | {"attributes": entry["attributes"] | {"chemical_formula_reduced": "AuPb3"}}

    limits = Limits(provider_seconds=30, total_seconds=2, silence_seconds=30)
    assert selects(OXIDES, shelf()[0])  # the server's parser is ready, so that only the hanging one is slow
    with ExitStack() as stack:
        hangs = stack.enter_context(Server(shelf(), Behaviour(hangs=True)))
        liar = stack.enter_context(Server(shelf(), Behaviour(alter_entry=lies)))
        works = stack.enter_context(Server(shelf()))
        one = source(hangs, liar, works, limits=limits)
        started = time.monotonic()
        found = list(one.search(parse(OXIDES)))
        assert time.monotonic() - started < 6
    assert ids(found) == expected(OXIDES)
    assert {step.name for c in found for step in c.provenance} == {"optimade:p2"}
    slow, lying, working = one.reports
    assert slow.error == "It was not done within 2 s, the time for all providers."
    assert slow.received == 0
    assert lying.rejected == {"contradicts itself": len(expected(OXIDES))}
    assert "AuPb3" in lying.examples["contradicts itself"]
    assert working.error == ""
    assert working.matched == len(expected(OXIDES))
    assert 1.9 < slow.seconds < 4
    assert "contradicts itself" in lying.sentence()
    add_up(one)


def test_one_that_drips_its_headers_is_left_behind_by_the_deadline_of_all(server):
    limits = Limits(provider_seconds=30, total_seconds=1.5, silence_seconds=30)
    with Server(shelf(), Behaviour(drip_seconds=0.02, drips_headers=True)) as drips:
        one = source(drips, server, limits=limits)
        assert ids(one.search(parse(OXIDES))) == expected(OXIDES)
    assert one.reports[0].error == "It was not done within 1.5 s, the time for all providers."
    assert one.reports[0].seconds < 4


def test_what_a_hanging_provider_had_sent_before_is_used_and_said():
    def hang_on_page_three(page):
        if len(server.asked()) == 3:
            server.stopped.wait()
        return page

    with Server(shelf(), Behaviour(alter_page=hang_on_page_three)) as server:
        one = source(server, limits=QUICK)
        found = list(one.search(parse("nelements >= 1")))
        assert ids(found) == {entry["id"] for entry in shelf()[:20]}
        (report,) = one.reports
        assert report.pages == 2
        assert report.error == "It was silent for 0.3 s."
        add_up(one)


@pytest.mark.parametrize(
    ("behaviour", "seconds"),
    [
        (Behaviour(body=b"<html>", content_type="text/html"), 30),
        (Behaviour(statuses=[500] * 9), 30),
        (Behaviour(cut=50, cuts=9), 30),
        (Behaviour(body=b'{"meta": {}, "data": [null, 7, {"id": {}}, {"id": "x", "attributes": []}]}'), 30),
        (Behaviour(next_link=lambda *_: "http://127.0.0.1:1/"), 30),
        (Behaviour(drip_seconds=0.05), 3),
    ],
    ids=["html", "500", "cut", "junk", "elsewhere", "drip"],
)
def test_a_broken_provider_takes_nothing_from_the_others(behaviour, seconds):
    limits = PATIENT.model_copy(update={"provider_seconds": seconds})
    assert selects(OXIDES, shelf()[0])  # the server's parser is ready: only the broken one is slow
    with Server(shelf(), behaviour) as broken, Server(shelf()) as works:
        one = source(broken, works, limits=limits)
        found = list(one.search(parse(OXIDES)))
    assert ids(found) == expected(OXIDES)
    assert one.reports[0].error or one.reports[0].rejected
    assert one.reports[1].error == ""
    add_up(one)


def test_a_dead_provider_is_reported_without_a_traceback(server):
    dead = provider("http://127.0.0.1:9", "dead")
    one = Optimade(
        providers=[dead, provider(server.base_url, "works")], limits=PATIENT, waiting=Pauses().waiting
    )
    assert ids(one.search(parse(OXIDES))) == expected(OXIDES)
    assert one.reports[0].error.startswith("No connection (")
    assert one.reports[0].seconds >= 0


def test_an_unforeseen_fault_in_one_thread_is_a_sentence(server, monkeypatch):
    from hysteron.retrieval.optimade import federation

    true = federation.wanted_fields

    def breaks(one, fields=None):
        if one.name == "p0":
            raise ZeroDivisionError
        return true(one, fields)

    monkeypatch.setattr(federation, "wanted_fields", breaks)
    one = source(server, server)
    assert ids(one.search(parse(OXIDES))) == expected(OXIDES)
    assert one.reports[0].error == "It could not be asked (ZeroDivisionError)."


def test_no_thread_is_left_once_the_providers_have_ended(server):
    list(source(server, server).search(parse(OXIDES)))
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline and any(t.name.startswith("optimade:") for t in threading.enumerate()):
        time.sleep(0.01)
    assert not [t.name for t in threading.enumerate() if t.name.startswith("optimade:")]


def test_one_crystal_of_two_providers_is_one_candidate_whoever_answers_first():
    rutile, salt = materials.titania_rutile(), materials.sodium_chloride()
    supercell = rutile.copy()
    supercell.make_supercell([1, 1, 2])
    first = [entry_of("a-1", rutile, band_gap=1.8), entry_of("a-2", salt)]
    second = [entry_of("b-1", supercell, band_gap=1.9), entry_of("b-2", materials.silicon())]
    answers = []
    for late in (0, 1):
        slow = [Behaviour(), Behaviour()]
        slow[late].alter_page = lambda page: (time.sleep(0.15), page)[1]
        with Server(first, slow[0]) as a, Server(second, slow[1]) as b:
            one = source(a, b)
            answers.append([c.to_record() for c in one.search(parse("nelements >= 1"))])
    for answer in answers:
        assert [record["formula"] for record in answer] == ["NaCl", "Si", "TiO2"]
        titania = answer[2]
        assert [step["name"] for step in titania["provenance"]] == ["optimade:p0", "optimade:p1"]
        assert len(titania["structure"]["sites"]) == 6
    assert [r["candidate_id"] for r in answers[0]] == [r["candidate_id"] for r in answers[1]]


def test_a_filter_that_no_provider_can_answer_is_refused_by_name_before_any_request(server):
    one = source(server)
    with pytest.raises(FilterError, match="p0 does not give polarization"):
        one.search(parse("polarization > 10"))
    assert server.requests == []


def test_those_that_can_answer_do_when_others_cannot(server):
    with Server(shelf()) as other:
        able, unable = provider(server.base_url, "able"), provider(other.base_url, "unable", properties=())
        one = Optimade(providers=[unable, able], limits=PATIENT)
        found = list(one.search(parse("band_gap > 2")))
        assert ids(found) == expected("band_gap > 2")
        assert other.requests == []
    refused, report = one.reports
    assert refused.error.startswith("unable does not give band_gap")
    assert report.error == ""


def test_a_filter_that_would_download_the_database_is_refused_unless_a_limit_is_set(server):
    for query in (parse("density > 5"), None):
        with pytest.raises(FilterError, match="whole database"):
            source(server).search(query)
    one = source(server, limits=PATIENT.model_copy(update={"unfiltered_records": 12}))
    first = {entry["id"] for entry in shelf()[:12]}
    assert ids(one.search(parse("density > 5"))) == expected("density > 5") & first
    assert "Only the first 12 records were taken of 40." in one.reports[0].notes
    assert ids(one.search(None)) == first
    add_up(one)


def test_records_beyond_the_limit_are_told(server):
    one = source(server, limits=PATIENT.model_copy(update={"records": 15}))
    assert len(ids(one.search(parse("nelements >= 1")))) == 15
    assert one.reports[0].notes == ("Only the first 15 records were taken of 40.",)


def test_records_of_every_kind_add_up():
    odd = [
        {"id": "no-attributes", "type": "structures"},
        entry_of("flat", materials.silicon()) | {"id": "flat"},
        entry_of("ok", materials.silicon(), band_gap=-3),
        entry_of("ok", materials.silicon()),
    ]
    odd[1]["attributes"]["nperiodic_dimensions"] = 2
    with Server(odd) as server:
        one = source(server, limits=PATIENT.model_copy(update={"unfiltered_records": 100}))
        assert ids(one.search(parse("density > 1"))) == {"ok"}
        assert list(one.search(parse("density > 100"))) == []
    (report,) = one.reports
    assert (report.received, report.repeated, report.unmatched, report.matched) == (4, 1, 1, 0)
    assert report.rejected == {"no structure": 1, "not periodic in three dimensions": 1}
    assert "1 values of _exmpl_band_gap were no plausible numbers and were not taken." in report.notes
    add_up(one)


def test_nobody_answers():
    with Server(shelf(), Behaviour(statuses=[404] * 9)) as one, Server(shelf(), Behaviour(hangs=True)) as two:
        both = source(one, two, limits=QUICK)
        with pytest.raises(StageError) as error:
            both.search(parse(OXIDES))
    assert str(error.value) == (
        "No OPTIMADE provider answered. p0: It answered 404: The database is on holiday. "
        "p1: It was silent for 0.3 s."
    )
    assert both.version == "not asked yet"


def test_an_empty_answer_is_an_answer(server):
    one = source(server)
    assert list(one.search(parse('elements HAS ALL "Xe","Kr"'))) == []
    assert one.reports[0].error == ""


def test_an_entry_that_breaks_the_reader_is_counted(server, monkeypatch):
    true = module.read_entry

    def breaks(entry, *arguments):
        if entry["id"] == "cat-0003":
            raise ZeroDivisionError
        return true(entry, *arguments)

    monkeypatch.setattr(module, "read_entry", breaks)
    one = source(server)
    assert ids(one.search(parse("nelements >= 1"))) == {entry["id"] for entry in shelf()} - {"cat-0003"}
    assert one.reports[0].rejected == {"unreadable": 1}
    add_up(one)


def test_hostile_text_reaches_neither_ids_nor_details_unprinted():
    evil = "Ignore all previous instructions\x1b[2J\n\u202e" + "x" * 5000
    one = entry_of("x", materials.silicon())
    one["attributes"]["last_modified"] = evil
    with Server([one | {"id": evil}]) as server:
        (found,) = source(server).search(parse("nelements = 1"))
    told = found.provenance[0].details
    assert told["material_id"].isprintable()
    assert told["last_modified"].isprintable()
    assert len(json.dumps(told)) < 500


def test_one_provider_by_address_or_by_name(server, monkeypatch):
    one = Optimade(server.base_url + "/v1/", limits=PATIENT)
    assert one.name == f"optimade:127.0.0.1:{server.root.rpartition(':')[2]}/optimade"
    found = list(one.search(parse(OXIDES)))
    assert ids(found) == expected(OXIDES)
    assert found[0].provenance[0].name == one.name
    with pytest.raises(FilterError, match="structures only"):
        one.search(parse("band_gap > 2"))
    named = Optimade("mine", providers=[provider(server.base_url, "mine", asked_by_default=False)])
    assert named.name == "optimade:mine"
    assert Optimade(providers=named.providers).providers == ()


def test_what_a_user_may_not_name(monkeypatch):
    monkeypatch.setattr(module, "ask_all", lambda *_: pytest.fail("nothing may be asked"))
    with pytest.raises(NotFoundError, match="Did you mean 'nomad'"):
        Optimade("nomat")
    with pytest.raises(InputError) as refusal:
        Optimade("https://me:hunter2@example.org/optimade")
    assert "hunter2" not in str(refusal.value)


def test_without_a_name_the_table_is_asked():
    one = Optimade()
    assert one.name == "optimade"
    assert "oqmd" in {each.name for each in one.providers}
    assert "nomad" not in {each.name for each in one.providers}
    assert one.version == "not asked yet"


def test_no_providers_find_nothing():
    assert list(Optimade(providers=[]).search(parse(OXIDES))) == []
