"""Several generators share a chunk: the counts add up, equal crystals become one, names never fall together."""

from collections.abc import Iterator

import pytest
from hysteron.core.candidate import Candidate
from hysteron.core.contracts import Tools
from hysteron.core.errors import MissingDataError
from hysteron.core.identity import IdentityIndex, bucket_of, candidate_id, same_crystal
from hysteron.flows import toolbox
from hysteron.flows.proposals import Road, propose, shared_out
from hysteron.store.store import CandidateStore
from property_toys import rock_salt
from pymatgen.core import Lattice, Structure
from second_generators import proposal

CATIONS = ("Mg", "Ca", "Sr", "Ba", "Mn", "Fe", "Co", "Ni", "Zn", "Cd")


class Listed:
    """Gives its crystals in order, but for those that are known, and remembers how many it was asked for."""

    def __init__(self, name: str, structures, share: float = 1.0, gives_known: bool = False) -> None:
        self.name, self.structures, self.share, self.gives_known = name, structures, share, gives_known
        self.asked: list[int] = []

    @property
    def road(self) -> Road:
        return Road(self.name, self.share, self.ask)

    def ask(self, count: int, tools: Tools) -> Iterator[Candidate]:
        self.asked.append(count)
        given = 0
        for structure in self.structures:
            candidate = proposal(structure, candidate_id(structure), self.name, **{self.name: -1.0})
            known = tools.known.find(candidate) if tools.known else None
            if given < count and (self.gives_known or known is None):
                given += 1
                yield candidate


def salts(cations=CATIONS, a: float = 4.2) -> list[Structure]:
    return [rock_salt(cation, a) for cation in cations]


def made(*generators: Listed, count: int = 8, known=(), named=()):
    tools = Tools(known=toolbox.known(known))
    wanted = {c.composition.reduced_formula: [] for _, c in named}
    for identifier, structure in named:
        wanted[structure.composition.reduced_formula].append((identifier, structure))
    return propose(
        [g.road for g in generators],
        count,
        tools,
        lambda formulas: [p for f in formulas for p in wanted.get(f, ())],
    )


class WithoutWeights(Listed):
    """Cannot propose anything."""

    def ask(self, count: int, tools: Tools) -> Iterator[Candidate]:
        raise MissingDataError("There are no weights.")
        yield


def test_others_fill_in_for_a_generator_without_weights():
    missing, other = WithoutWeights("missing", []), Listed("other", salts())
    found = made(missing, other, count=6)
    assert len(found) == 6
    assert found.silent == {"missing": "There are no weights."}
    assert found.by_generator.keys() == {"other"}


def test_a_run_of_nothing_but_generators_without_weights_says_why():
    with pytest.raises(MissingDataError, match="no weights"):
        made(WithoutWeights("missing", []), WithoutWeights("too", []))


@pytest.mark.parametrize(
    ("shares", "total", "counts"),
    [
        ([1.0], 64, [64]),
        ([1, 1, 1], 64, [22, 21, 21]),
        ([0.7, 0.3], 64, [45, 19]),
        ([0.3, 0.7], 64, [19, 45]),
        ([3, 1], 64, [48, 16]),
        ([1, 1, 2], 5, [1, 1, 3]),
        ([1000, 1, 1], 64, [62, 1, 1]),
        ([1, 1, 1], 2, [1, 1, 0]),
    ],
)
def test_shares_become_counts_that_add_up(shares, total, counts):
    assert shared_out(shares, total) == counts


@pytest.mark.parametrize("n", range(1, 12))
def test_counts_add_up_whatever_the_shares(n):
    for total in (n, 17, 64):
        counts = shared_out([0.1 + 0.37 * (i * i % 7) for i in range(n)], total)
        assert sum(counts) == total
        assert min(counts) >= (1 if total >= n else 0)


def test_each_gives_its_share():
    one, two = Listed("one", salts(), 3), Listed("two", salts(a=6.0))
    found = made(one, two)
    assert {name: len(ids) for name, ids in found.by_generator.items()} == {"one": 6, "two": 2}
    assert (one.asked, two.asked) == ([6], [2])
    assert len(found) == len(found.candidates) == len(set(found.ids)) == 8


def test_the_others_give_what_one_could_not():
    poor, none, rich = Listed("poor", salts(["Mg"])), Listed("none", []), Listed("rich", salts(a=6.0))
    found = made(poor, none, rich, count=9)
    assert (poor.asked, none.asked, rich.asked) == ([3], [3], [3, 5])
    assert {name: len(ids) for name, ids in found.by_generator.items()} == {"poor": 1, "none": 0, "rich": 8}


def test_who_is_asked_again_is_asked_in_order():
    poor, some, rich = Listed("poor", []), Listed("some", salts()[:4]), Listed("rich", salts(a=6.0))
    found = made(poor, some, rich, count=9)
    assert (some.asked, rich.asked) == ([3, 3], [3, 2])
    assert len(found) == 9


def test_when_nobody_has_more_there_are_fewer():
    one, two = Listed("one", salts()[:3]), Listed("two", salts(a=6.0)[:4])
    found = made(one, two, count=20)
    assert (one.asked, two.asked) == ([10], [10])
    assert len(found) == 7


def test_the_same_crystal_of_two_roads_is_one_and_what_is_missing_is_made_up_for():
    """MgO at 4.20 and 4.35 A: other names by themselves, the same crystal to the matcher."""
    one, two = Listed("one", salts(a=4.2)), Listed("two", salts(["Mg"], 4.35) + salts(CATIONS[6:], 6.0))
    first, second = rock_salt("Mg", 4.2), rock_salt("Mg", 4.35)
    assert candidate_id(first) != candidate_id(second)
    assert same_crystal(first, second)
    found = made(one, two, count=6)
    name = candidate_id(first)
    assert name in found.by_generator["one"]
    assert name in found.by_generator["two"]
    assert len(found) == 6
    assert [c.provenance[0].name for c in found.candidates if c.candidate_id == name] == ["one", "two"]
    assert one.asked == [3, 1]


def test_the_store_keeps_both_provenances_and_the_first_geometry(own_home, tmp_path):
    found = made(Listed("one", salts(["Mg"], 4.2)), Listed("two", salts(["Mg"], 4.35)), count=2)
    with CandidateStore.open(tmp_path / "one.db") as store:
        store.upsert(found.candidates)
        assert store.count() == 1
        stored = store.get(found.ids[0])
    assert [step.name for step in stored.provenance] == ["one", "two"]
    assert {p.method for p in stored.all_of("log_probability")} == {"one", "two"}
    assert stored.structure.volume == pytest.approx(rock_salt("Mg", 4.2).volume)


def test_a_second_asking_does_not_repeat_what_stands_in_the_chunk():
    """The one that is asked again hears of all that was proposed: nothing comes twice."""
    one, two = Listed("one", []), Listed("two", salts())
    found = made(one, two, count=8)
    assert two.asked == [4, 4]
    assert len(found.candidates) == len(found) == 8


def test_a_generator_that_gives_known_crystals_gives_each_once_to_a_chunk():
    one = Listed("one", [])
    stubborn = Listed("stubborn", salts()[:4], gives_known=True)
    found = made(one, stubborn, count=8)
    assert stubborn.asked == [4, 4]
    assert len(found) == 4
    assert found.by_generator["stubborn"] == found.ids


# Names


def stack(*species: str) -> Structure:
    """Three sites along a polar axis, P4mm 1a each: the same points whoever sits on them."""
    return Structure(Lattice.tetragonal(4.0, 9.0), list(species), [[0, 0, z] for z in (0.0, 0.17, 0.5)])


ONE, OTHER = stack("Ba", "Ti", "O"), stack("Ti", "Ba", "O")


def test_two_crystals_of_one_bucket_can_have_one_name():
    assert bucket_of(ONE) == bucket_of(OTHER)
    assert candidate_id(ONE) == candidate_id(OTHER)
    assert not same_crystal(ONE, OTHER)


def test_different_crystals_of_two_roads_get_different_names():
    found = made(Listed("one", [ONE]), Listed("two", [OTHER]), count=2)
    assert found.ids == [candidate_id(ONE), candidate_id(OTHER, fineness=1)]
    assert found.by_generator == {"one": found.ids[:1], "two": found.ids[1:]}


def test_a_name_that_another_crystal_of_the_store_has_is_not_given_again():
    found = made(Listed("one", [OTHER]), count=1, named=[(candidate_id(ONE), ONE)])
    assert found.ids == [candidate_id(OTHER, fineness=1)]


def test_a_crystal_that_the_store_holds_keeps_its_name_there():
    """As of a run before: proposed and not relaxed, so it may be proposed again."""
    found = made(
        Listed("one", salts(["Mg"], 4.35)), count=1, named=[("MgO-225-before", rock_salt("Mg", 4.2))]
    )
    assert found.ids == ["MgO-225-before"]


def test_names_do_not_depend_on_who_gave_how_many():
    together = made(Listed("one", [ONE, OTHER]), count=2).ids
    index = IdentityIndex()
    assert together == [index.assign(ONE)[0], index.assign(OTHER)[0]]
