"""New crystals by ion exchange in known ones.

The ions of a known crystal are exchanged for others at constant charge, or so that the changes cancel;
the cell is scaled to the new ions; what is not charge-balanced, overlaps, or is known already is left out.
An old idea that is hard to beat where stability counts: Szymanski and Bartel, Mater. Horiz. (2025),
doi:10.1039/D5MH00010F. The probabilities are Hautier's (see `ion_pairs`), sharpened by how well the sizes
of the ions match.

Seeds are drawn in an order that prefers stable ones and taken up in pools; the first choice of each seed
of a pool comes first, the most probable of them in front. So the head of the stream is both probable and
spread over many parents, and does not depend on how many are asked for.
"""

from __future__ import annotations

import dataclasses
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from ..core.candidate import Candidate, PropertyValue, Step
from ..core.contracts import Tools
from ..core.errors import InputError
from ..core.oxidation import guess_from_composition
from ..core.properties import DIMENSIONLESS
from ..core.symmetry import is_polar
from .exchanges import Exchange, ExchangeRules, best_exchanges
from .formula_mapping import mappings
from .ion_pairs import METHOD
from .ion_sizes import size_change
from .lineage import generate_step
from .novelty import Novelty
from .parents import Parent, in_order, parent_of, spacegroup_of
from .product import Product, product_of
from .substitution_config import SubstitutionConfig

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

WEIGHT_METHOD = f"{METHOD}, weighted by the match of Shannon radii, not normalised"
Interest = Callable[[Candidate], float]
STAY_ONLY = frozenset({"H", "C"})
"""A proton or a carbon does not sit where a metal sat; they come in only where they are asked for."""


class Proposal(NamedTuple):
    """An exchange in a parent and its weight among all, a natural logarithm up to a constant."""

    parent: Parent
    exchange: Exchange
    log_weight: float


class Substitution:
    """Proposes crystals by ion exchange; obeys `core.contracts.Generator`.

    Args:
        config: What may be proposed; by default anything that is neutral and new.
    """

    name = "substitution"
    version = "1"
    config_model: ClassVar[type[SubstitutionConfig]] = SubstitutionConfig

    def __init__(self, config: SubstitutionConfig | None = None) -> None:
        self.config = config or SubstitutionConfig()
        self.rules = _rules(self.config)

    def generate(
        self, seeds: Sequence[Candidate], count: int, rng: np.random.Generator, tools: Tools
    ) -> Iterator[Candidate]:
        """At most `count` new crystals, a sensible set at every length.

        The same seeds, in whatever order, and the same state of `rng` give the same crystals. It ends
        early when nothing is left, or when `tries_per_candidate` tries for each crystal asked for are spent.

        Args:
            seeds: Known crystals; one that is disordered or has no whole oxidation states is left out.
            count: How many to give at most.
            rng: Draws seeds and exchanges; not used where a formula is asked for.
            tools: `known`, if there, is asked whether a proposal is known; `interest`, which seeds are drawn more often.

        Raises:
            InputError: `count` is below one, or the formula asked for has no neutral oxidation states.
        """
        if count < 1:
            raise InputError(f"{count} proposals were asked for; ask for one or more.")
        seeds = in_order(seeds)
        novelty = Novelty(seeds, tools.known, self.config.skip_known)
        step = generate_step(self.name, self.version, self.config, rng)
        given = tried = 0
        eligible = [seed for seed in seeds if self._is_eligible(seed)]
        for proposal in self._proposals(eligible, rng, tools.interest):
            candidate = self._made(proposal, novelty, step)
            tried += 1
            if candidate is not None:
                given += 1
                yield candidate
            if given == count or tried == count * self.config.tries_per_candidate:
                break
        log.info("substitution gave %d of %d proposals after %d tries.", given, count, tried)

    def _made(self, proposal: Proposal, novelty: Novelty, step: Step) -> Candidate | None:
        """The proposal as a candidate, if it can exist, is new, and kept the symmetry asked for."""
        product = product_of(proposal.parent, proposal.exchange)
        if product is None:
            return None
        candidate = novelty.admit(product.structure, proposal.parent.seed)
        if candidate is None or not self._has_symmetry(candidate.spacegroup_number):
            return None
        return _described(candidate, product, proposal, step)

    def _is_eligible(self, seed: Candidate) -> bool:
        """Whether a seed has the size, number of elements and symmetry asked for."""
        config = self.config
        if config.natoms and not config.natoms[0] <= len(seed.structure) <= config.natoms[1]:
            return False
        if config.chemsys and len(seed.structure.composition) > len(config.chemsys.split("-")):
            return False
        asks_symmetry = config.polar_only or config.spacegroup_number is not None
        return not asks_symmetry or self._has_symmetry(spacegroup_of(seed))

    def _has_symmetry(self, spacegroup_number: int | None) -> bool:
        wanted = self.config.spacegroup_number
        polar_enough = is_polar(spacegroup_number) or not self.config.polar_only
        return polar_enough and wanted in (None, spacegroup_number)

    def _proposals(
        self, seeds: Sequence[Candidate], rng: np.random.Generator, interest: Interest | None
    ) -> Iterator[Proposal]:
        if self.config.formula:
            return iter(self._for_formula(seeds, self.config.formula))
        return self._drawn(seeds, rng, interest)

    def _drawn(
        self, seeds: Sequence[Candidate], rng: np.random.Generator, interest: Interest | None
    ) -> Iterator[Proposal]:
        """Pool by pool the first choice of every seed, then the second of every seed, and so on."""
        noise = rng.gumbel(size=len(seeds))
        worth = [math.log(interest(seed)) if interest else 0.0 for seed in seeds]
        preference = [noise[i] + worth[i] - self._penalty(seed) for i, seed in enumerate(seeds)]
        order = sorted(range(len(seeds)), key=lambda i: -preference[i])
        pools: list[list[list[Proposal]]] = []
        for start in range(0, len(order), self.config.pool):
            pools.append([self._choices(seeds[i], rng) for i in order[start : start + self.config.pool]])
            yield from _best_first(choices[0] for choices in pools[-1] if choices)
        for place in range(1, self.config.exchanges_per_seed):
            for pool in pools:
                yield from _best_first(choices[place] for choices in pool if len(choices) > place)

    def _choices(self, seed: Candidate, rng: np.random.Generator) -> list[Proposal]:
        """The exchanges of a seed, drawn one after the other by weight (sorted with Gumbel noise)."""
        parent = parent_of(seed)
        if parent is None:
            return []
        exchanges = best_exchanges(parent.amounts, self.rules, self.config.exchanges_per_seed)
        proposals = [self._weighed(parent, exchange) for exchange in exchanges]
        noise = rng.gumbel(size=len(proposals))
        keys = [self.config.sharpness * p.log_weight + noise[i] for i, p in enumerate(proposals)]
        return [proposals[i] for i in sorted(range(len(keys)), key=lambda i: -keys[i])]

    def _for_formula(self, seeds: Sequence[Candidate], formula: str) -> list[Proposal]:
        """Every way to make a formula out of a seed, best first; nothing is drawn."""
        target, charges = _target(formula)
        parents = [parent_of(seed) for seed in seeds if _may_become(seed, target)]
        proposals = []
        for parent in filter(None, parents):
            for exchange in mappings(parent.amounts, target, charges):
                proposal = self._weighed(parent, exchange)
                weight = proposal.log_weight - self._penalty(parent.seed)
                proposals.append(proposal._replace(log_weight=weight))
        return _best_first(proposals)

    def _weighed(self, parent: Parent, exchange: Exchange) -> Proposal:
        misfit = size_change(parent.around, exchange.pairs) / self.config.size_tolerance_angstrom
        return Proposal(parent, exchange, exchange.log_probability - misfit)

    def _penalty(self, seed: Candidate) -> float:
        """What a seed loses for its energy above the hull, where that is known; a natural logarithm."""
        height = seed.value("energy_above_hull")
        return max(0.0, height) / self.config.hull_tolerance if height is not None else 0.0


def _rules(config: SubstitutionConfig) -> ExchangeRules:
    named = config.chemsys.split("-") if config.chemsys else config.elements
    reach = len(named) if config.chemsys and named else 0
    return ExchangeRules(
        allowed=frozenset(named) if named is not None else None,
        complete=config.chemsys is not None,
        excluded=frozenset(config.exclude_elements) if named is None else frozenset(),
        stay_only=STAY_ONLY if named is None else frozenset(),
        most_exchanged=max(config.most_exchanged, reach),
        coupled=config.coupled,
    )


def _target(formula: str) -> tuple[dict[str, int], dict[str, float]]:
    """Atoms and oxidation states of the formula asked for."""
    from pymatgen.core import Composition

    composition = Composition(formula)
    charges = guess_from_composition(composition)
    if charges is None or not any(charges.values()):
        raise InputError(
            f"No neutral set of oxidation states is known for {formula}; substitution makes compounds of ions."
        )
    return {element.symbol: int(number) for element, number in composition.items()}, charges


def _may_become(seed: Candidate, target: dict[str, int]) -> bool:
    """Whether the numbers of atoms allow a seed to become a formula (a mixed-valence element may split)."""
    units, rest = divmod(len(seed.structure), sum(target.values()))
    amounts = seed.structure.composition.get_el_amt_dict().values()
    if rest or len(amounts) > len(target):
        return False
    return len(amounts) < len(target) or sorted(amounts) == sorted(units * n for n in target.values())


def _best_first(proposals: Iterable[Proposal]) -> list[Proposal]:
    return sorted(proposals, key=lambda p: (-p.log_weight, p.parent.seed.candidate_id, p.exchange.pairs))


def _described(candidate: Candidate, product: Product, proposal: Proposal, step: Step) -> Candidate:
    """With probabilities and provenance."""
    parent, exchange = proposal.parent, proposal.exchange
    details = {
        "exchange": str(exchange),
        "parent_formula": parent.seed.formula,
        "parent_spacegroup_number": spacegroup_of(parent.seed),
        "oxidation_states": parent.oxidation_method,
        "volume_factor": round(product.volume_factor, 6),
        "volume_method": product.volume_method,
        **step.details,
    }
    step = dataclasses.replace(step, parents=(parent.seed.candidate_id,), details=details)
    probability = math.exp(exchange.log_probability)
    return candidate.with_step(step).with_property(
        PropertyValue("substitution_probability", probability, DIMENSIONLESS, METHOD),
        PropertyValue("log_probability", proposal.log_weight, DIMENSIONLESS, WEIGHT_METHOD),
    )
