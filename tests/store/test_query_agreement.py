"""A filter and a sort mean the same in SQL as in memory, absent values included."""

import random

import materials
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hysteron.core.candidate import Candidate, PropertyValue, Step, Verdict
from hysteron.core.filters import And, Comparison, Has, HasLength, IsKnown, Name, Not, Or, matches
from hysteron.store.store import CandidateStore

METHODS = ("PBE", "PBE+U", "HSE06", "experiment", "CHGNet 0.3.0", "CHGNet 0.4.2", "chgnet", "Odd method")
ASKED = (None, "pbe", "pbe_u", "hse06", "chgnet", "chgnet_0", "chgnet_0_3_0", "odd_method", "odd", "none")
NUMBERS = ("band_gap", "energy_above_hull", "polarization")
SCREENS = ("ferroelectric", "stability", "supply")
RUNS = ("run-a", "run-b", "run-c")
ELEMENTS = ("Ti", "O", "Ba", "Si", "Hf", "Fe", "Zn", "D", "U")
UNITS = {"band_gap": "eV", "energy_above_hull": "eV/atom", "polarization": "uC/cm^2"}
CRYSTALS = (
    "barium_titanate_cubic",
    "hafnia_polar",
    "iron_one_atom",
    "zinc_oxide",
    "heavy_ice",
    "mixed_valence",
)


def crystal(name: str):
    if name == "heavy_ice":
        return materials.zinc_oxide().copy().replace_species({"Zn": "D"})
    if name == "mixed_valence":
        structure = materials.titania_rutile()
        structure.add_oxidation_state_by_site([4.0, 3.0] + [-2.0] * (len(structure) - 2))
        return structure
    return getattr(materials, name)()


def random_candidates(count: int = 60) -> list[tuple[Candidate, tuple[str, ...]]]:
    """Candidates with values absent as often as not, and the runs each belongs to."""
    rng = random.Random(5)
    crystals = {name: crystal(name) for name in CRYSTALS}

    def values():
        for name in NUMBERS:
            for method in rng.sample(METHODS, rng.choice((0, 0, 1, 2, 4))):
                yield PropertyValue(name, float(rng.randint(-2, 3)), UNITS[name], method)

    def one(i: int) -> Candidate:
        screens = rng.sample(SCREENS, rng.randint(0, 3))
        return Candidate(
            f"c-{i:03d}",
            crystals[rng.choice(CRYSTALS)],
            tuple(values()),
            (
                Step(
                    "retrieve",
                    rng.choice(("catalog", "cif")),
                    details=rng.choice(({}, {"material_id": "mp-3"})),
                ),
            )
            if rng.random() < 0.7
            else (),
            tuple(Verdict(s, rng.random() < 0.5, None, None, None, "") for s in screens),
            (),
            rng.choice((None, 1, 99, 221)),
        )

    return [(one(i), tuple(sorted(rng.sample(RUNS, rng.randint(0, 3))))) for i in range(count)]


@pytest.fixture(scope="module")
def crowd():
    return random_candidates()


@pytest.fixture(scope="module")
def crowded(shared_store_url, crowd):
    with CandidateStore.open(shared_store_url) as store:
        store.upsert([candidate for candidate, _ in crowd])
        for run_id in RUNS:
            store.create_run(run_id, 0, {})
            store.upsert([candidate for candidate, runs in crowd if run_id in runs], run_id)
        yield store


properties = st.builds(Name, st.sampled_from(NUMBERS), st.sampled_from(ASKED))
number_fields = st.sampled_from(("nelements", "nsites", "spacegroup_number")).map(Name)
text_fields = st.sampled_from(
    ("candidate_id", "formula", "chemical_formula_anonymous", "chemsys", "origin", "material_id")
).map(Name)
list_values = {"elements": ELEMENTS, "passes": SCREENS, "fails": SCREENS, "run_id": RUNS}
signs = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
words = st.sampled_from(
    ("O", "catalog", "TiO2", "c-00", "ti", "O-Ti", "", "3", "_", "%", "HfO2", "AB2", "AB")
)


def lists(kind):
    return st.sampled_from(sorted(list_values)).flatmap(kind)


def has(name):
    chosen = st.lists(st.sampled_from(list_values[name]), min_size=1, max_size=3).map(tuple)
    return st.builds(Has, st.just(Name(name)), st.sampled_from(("all", "any", "only")), chosen)


leaves = st.one_of(
    st.builds(Comparison, properties, signs, st.integers(-3, 4)),
    st.builds(Comparison, number_fields, signs, st.sampled_from((0, 1, 2, 2.5, 4, 5, 99, 221, 2**70))),
    st.builds(Comparison, text_fields, st.sampled_from(("=", "!=", "contains", "starts", "ends")), words),
    st.builds(
        IsKnown,
        st.one_of(properties, number_fields, text_fields, st.builds(Name, st.just("run_id"))),
        st.booleans(),
    ),
    lists(has),
    lists(lambda name: st.builds(HasLength, st.just(Name(name)), signs, st.integers(-1, 4))),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Or(tuple(terms))),
    ),
    max_leaves=6,
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_sql_agrees_with_memory(crowded, crowd, tree):
    expected = [c.candidate_id for c, runs in crowd if matches(tree, c, runs) is True]
    assert crowded.query_ids(tree) == expected


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(properties, number_fields), descending=st.booleans())
def test_sql_sorts_as_memory_does(crowded, crowd, name, descending):
    def place(candidate: Candidate):
        value = candidate.value(name.name, name.method) if name.is_property else _field(candidate, name.name)
        return value is None, 0 if value is None else -value if descending else value, candidate.candidate_id

    expected = [c.candidate_id for c in sorted((c for c, _ in crowd), key=place)]
    assert crowded.query_ids(sort=str(name), descending=descending) == expected


def _field(candidate: Candidate, name: str):
    elements = candidate.structure.composition.get_el_amt_dict()
    fields = {"nelements": len(elements), "nsites": len(candidate.structure)}
    return fields.get(name, candidate.spacegroup_number)
