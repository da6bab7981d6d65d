"""The contract checks let honest components through and catch each broken promise."""

import dataclasses

import materials
import pytest
from hysteron.core.candidate import Candidate, Failure, PropertyValue, Step, Verdict
from hysteron.core.checks import check_generator, check_predictor, check_screen, check_source
from hysteron.core.contracts import Tools
from hysteron.core.errors import ContractError, HysteronError
from hysteron.core.identity import candidate_id


def candidate(make, *steps) -> Candidate:
    structure = make()
    identifier = candidate_id(structure)
    return Candidate(identifier, structure, provenance=steps, spacegroup_number=int(identifier.split("-")[1]))


PARENT = candidate(materials.barium_titanate_cubic)
OTHER = candidate(materials.titania_rutile)
CHILD = candidate(
    materials.strontium_titanate, Step("generate", "toy", "1", "abc", seed=0, parents=(PARENT.candidate_id,))
)
SECOND = candidate(materials.zinc_oxide, *CHILD.provenance)


class ToyGenerator:
    name = "toy"

    def __init__(self, *gives):
        self.gives = gives

    def generate(self, seeds, count, rng, tools):
        yield from self.gives


def with_step(**changes) -> Candidate:
    return dataclasses.replace(CHILD, provenance=(dataclasses.replace(CHILD.provenance[0], **changes),))


def squeezed() -> Candidate:
    structure = materials.strontium_titanate()
    structure.scale_lattice(structure.volume / 10)
    return dataclasses.replace(CHILD, structure=structure)


def test_an_honest_generator_passes():
    assert check_generator(ToyGenerator(CHILD, SECOND), [PARENT]) == [CHILD, SECOND]
    assert check_generator(ToyGenerator(with_step(parents=())), [PARENT], from_parents=False)


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ((), "proposed nothing"),
        ((CHILD, SECOND), "gave 2 candidates where 1"),
        ((with_step(parents=()),), "names no parents"),
        ((with_step(parents=("X-1-0",)),), "parents that are no seeds: X-1-0"),
        ((with_step(config_hash=""),), "needs one step 'generate'"),
        ((with_step(name="other"),), "needs one step 'generate'"),
        ((dataclasses.replace(CHILD, provenance=()),), "needs one step 'generate'"),
        ((dataclasses.replace(CHILD, spacegroup_number=None),), "has no space group"),
        ((dataclasses.replace(CHILD, structure=materials.disordered_alloy()),), "is disordered"),
        ((dataclasses.replace(CHILD, candidate_id=PARENT.candidate_id),), "is its own parent"),
        ((squeezed(),), "overlapping atoms"),
        ((with_step(details={"rng": object()}),), "cannot be written as JSON"),
    ],
)
def test_each_broken_promise_of_a_generator_is_told(gives, said):
    with pytest.raises(ContractError, match=said):
        check_generator(ToyGenerator(*gives), [PARENT], count=1)


def test_a_generator_that_repeats_itself_or_not():
    with pytest.raises(ContractError, match="more than once"):
        check_generator(ToyGenerator(CHILD, CHILD), [PARENT])

    class Moody(ToyGenerator):
        calls = 0

        def generate(self, seeds, count, rng, tools):
            self.calls += 1
            yield CHILD if self.calls == 1 else SECOND

    with pytest.raises(ContractError, match="other candidates for the same seed"):
        check_generator(Moody(), [PARENT])


def test_a_generator_that_changes_its_seeds():
    class Vandal(ToyGenerator):
        def generate(self, seeds, count, rng, tools):
            seeds[0].structure.scale_lattice(1.1 * seeds[0].structure.volume)
            yield CHILD

    with pytest.raises(ContractError, match="changed its seeds"):
        check_generator(Vandal(), [candidate(materials.barium_titanate_cubic)])


class ToyPredictor:
    """The volume per atom; honest."""

    name = "toy"

    def predict(self, candidates):
        return [self.one(c, len(candidates)) for c in candidates]

    def one(self, c, batch):
        volume = c.structure.volume / len(c.structure)
        return c.with_property(PropertyValue("volume_per_atom", volume, "A^3/atom", "toy 1"))


def test_an_honest_predictor_passes():
    found = check_predictor(ToyPredictor(), [PARENT, OTHER])
    assert found[0].value("volume_per_atom") == pytest.approx(4.0119**3 / 5)


def broken(predict):
    return type("Broken", (), {"name": "broken", "predict": staticmethod(predict)})()


def batch_dependent(candidates):
    value = 1.0 + len(candidates)
    return [c.with_property(PropertyValue("density", value, "g/cm^3", "toy")) for c in candidates]


def order_dependent(candidates):
    return [
        c.with_property(PropertyValue("density", 1.0 + i, "g/cm^3", "toy")) for i, c in enumerate(candidates)
    ]


def heats(candidates):
    for c in candidates:
        c.structure.scale_lattice(1.01 * c.structure.volume)
    return list(candidates)


def fails_in_company(candidates):
    failure = Failure("predict", "toy", "too many")
    return [c.with_failure(failure) if len(candidates) > 1 else c for c in candidates]


@pytest.mark.parametrize(
    ("predict", "said"),
    [
        (lambda cs: list(cs)[:1], "gave 1 candidates back of 2"),
        (lambda cs: list(reversed(cs)), "changed the order"),
        (batch_dependent, "alone gave another density"),
        (order_dependent, "gave another density"),
        (heats, "changed the candidates"),
        (fails_in_company, "failed otherwise"),
    ],
)
def test_each_broken_promise_of_a_predictor_is_told(predict, said):
    with pytest.raises(ContractError, match=said):
        check_predictor(
            broken(predict), [candidate(materials.zinc_oxide), candidate(materials.titania_rutile)]
        )


class ToyScreen:
    """Passes what is denser than 5 g/cm^3; honest."""

    name = "dense"

    def measure(self, candidates, tools):
        return [
            c.with_property(PropertyValue("density", float(c.structure.density), "g/cm^3", "cell"))
            for c in candidates
        ]

    def judge(self, candidate):
        density = candidate.value("density")
        if density is None:
            return Verdict(self.name, False, None, None, 5.0, "Its density was not computed.")
        return Verdict(self.name, density > 5.0, min(1.0, density / 10), density, 5.0, "By its density.")


def test_an_honest_screen_passes():
    judged = check_screen(ToyScreen(), [PARENT, OTHER], Tools())
    assert [c.verdict("dense").passed for c in judged] == [True, False]


class Lenient(ToyScreen):
    def judge(self, candidate):
        verdict = super().judge(candidate)
        return dataclasses.replace(verdict, passed=True) if candidate.value("density") is None else verdict


class Silent(ToyScreen):
    def judge(self, candidate):
        return dataclasses.replace(super().judge(candidate), reason=" ")


class Signed(ToyScreen):
    def judge(self, candidate):
        return dataclasses.replace(super().judge(candidate), screen="other")


class Generous(ToyScreen):
    def judge(self, candidate):
        return dataclasses.replace(super().judge(candidate), score=1.5)


class Truthy(ToyScreen):
    def judge(self, candidate):
        return dataclasses.replace(super().judge(candidate), passed=1)


class Forgetful(ToyScreen):
    def measure(self, candidates, tools):
        return super().measure(candidates, tools)[1:]


class Fickle(ToyScreen):
    calls = 0

    def judge(self, candidate):
        self.calls += 1
        return dataclasses.replace(super().judge(candidate), value=float(self.calls))


@pytest.mark.parametrize(
    ("screen", "said"),
    [
        (Lenient(), "without any property"),
        (Silent(), "gives no reason"),
        (Signed(), "is signed 'other'"),
        (Generous(), "outside 0 to 1"),
        (Truthy(), "not true or false"),
        (Forgetful(), "gave 1 candidates back of 2"),
        (Fickle(), "judging again"),
    ],
)
def test_each_broken_promise_of_a_screen_is_told(screen, said):
    with pytest.raises(ContractError, match=said):
        check_screen(screen, [PARENT, OTHER])


def test_losing_a_property_never_helps():
    with pytest.raises(ContractError, match="once it had lost density"):
        check_screen(Lenient(), [OTHER], needs_properties=False)


class ToySource:
    name, version = "toy", "1"

    def __init__(self, *gives):
        self.gives = gives

    def search(self, query=None):
        yield from self.gives


RETRIEVED = candidate(materials.zinc_oxide, Step("retrieve", "toy", "1"))


def test_an_honest_source_passes():
    assert check_source(ToySource(RETRIEVED)) == [RETRIEVED]


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ((), "found nothing"),
        ((dataclasses.replace(RETRIEVED, provenance=()),), "does not say its source"),
        ((dataclasses.replace(RETRIEVED, provenance=(Step("retrieve", "toy"),)),), "does not say its source"),
        ((RETRIEVED, RETRIEVED), "more than once"),
        ((dataclasses.replace(RETRIEVED, candidate_id=""),), "has no id"),
    ],
)
def test_each_broken_promise_of_a_source_is_told(gives, said):
    with pytest.raises(ContractError, match=said):
        check_source(ToySource(*gives))


def test_the_error_is_one_of_the_family_and_an_assertion():
    assert issubclass(ContractError, HysteronError)
    assert issubclass(ContractError, AssertionError)
