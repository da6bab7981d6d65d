"""Does ion exchange find crystals that exist, and do its cells have the right size?

Recovery: from half of the training formulas the generator proposes crystals; a hit is one whose formula and space
group exist in the validation or test split within 0.1 eV/atom of the hull. Many proposals that are no hit may
exist as well (the table is a part of the Materials Project), so shares compare methods and are no success
rates. The baseline exchanges the same seeds' ions for ions of equal charge drawn evenly, with the same checks
for balance, overlap and novelty.

Volume: an exchange that turns a training crystal into one of the held-out splits with the same Wyckoff
sequence gives a pair whose true volume is known. The constants of the rule were chosen on the training split.
Volumes and hull distances: Materials Project, PBE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.candidate import Candidate, PropertyValue
from ..core.charge_balance import is_charge_balanced
from ..core.contracts import Tools
from ..core.crystals import CrystalRecord, crystals_folder, read_crystals
from ..core.identity import bucket_of
from ..core.settings import data_dir
from ..generators.exchanges import Exchange, best_exchanges, shares_elements_as_before
from ..generators.ion_pairs import Ion, ion_pairs
from ..generators.novelty import Novelty
from ..generators.parents import Parent, in_order, parent_of
from ..generators.product import product_of
from ..generators.substitution import Substitution
from ..generators.substitution_config import SubstitutionConfig

if TYPE_CHECKING:
    from pymatgen.core import Structure

MOST_SITES = 20
STABLE_EV_PER_ATOM = 0.1
EXCHANGES_TRIED = 300
PAIRS_PER_PARENT = 2
WITHOUT_SIZES = SubstitutionConfig(size_tolerance_angstrom=1e9)

Method = Callable[[Sequence[Candidate], int, np.random.Generator], Iterator[Candidate]]


@dataclass(frozen=True)
class World:
    """What a method may see, and what it is asked to find.

    Attributes:
        seeds: Stable crystals of half of the training formulas.
        held_out: Stable crystals of the validation and test splits, by reduced formula.
    """

    seeds: list[Candidate]
    held_out: dict[str, list[CrystalRecord]]


def run(seed: int = 0, proposals: int = 500, repeats: int = 3, pairs: int = 300) -> dict[str, Any]:
    """Measure recovery, volume and speed.

    Args:
        seed: Of the choice of seeds and of every stream.
        proposals: New crystals asked for in each stream.
        repeats: Streams per method.
        pairs: Pairs of known crystals for the volume.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set or holds no crystals.
    """
    world = read_world(seed)
    streams = [np.random.SeedSequence([seed, i]) for i in range(repeats)]
    return {
        "benchmark": "substitution",
        "seed": seed,
        "recovery": recovery_figures(world, streams, proposals),
        "volume": volume_figures(world, seed, pairs),
    }


def read_world(seed: int) -> World:
    """Stable, small, charge-balanced crystals under the data folder; train formulas are halved at random."""
    records = [r for r in read_crystals(crystals_folder(data_dir())) if _is_eligible(r)]
    train = sorted({r.reduced_formula for r in records if r.labels["split"] == "train"})
    np.random.default_rng(seed).shuffle(train)
    chosen = set(train[: len(train) // 2])
    held_out: dict[str, list[CrystalRecord]] = {}
    for record in records:
        if record.labels["split"] in ("val", "test"):
            held_out.setdefault(record.reduced_formula, []).append(record)
    return World([_candidate(r) for r in records if r.reduced_formula in chosen], held_out)


def _is_eligible(record: CrystalRecord) -> bool:
    height = record.labels.get("e_above_hull")
    return (
        1 < len(set(record.species)) <= record.nsites <= MOST_SITES
        and height is not None
        and height < STABLE_EV_PER_ATOM
        and not set(record.species) & set(SubstitutionConfig().exclude_elements)
        and is_charge_balanced(record.reduced_formula)
    )


def _candidate(record: CrystalRecord) -> Candidate:
    height = PropertyValue(
        "energy_above_hull",
        max(0.0, record.labels["e_above_hull"]),
        "eV/atom",
        "PBE",
        source=record.material_id,
    )
    return Candidate(record.material_id, record.structure(), (height,))


def recovery_figures(
    world: World, streams: Sequence[np.random.SeedSequence], proposals: int
) -> dict[str, Any]:
    """Share of hits by the generator, by the generator without ionic sizes, and by even exchange."""
    methods: dict[str, Method] = {
        "substitution": lambda seeds, count, rng: Substitution().generate(seeds, count, rng, Tools()),
        "substitution_without_sizes": lambda seeds, count, rng: Substitution(WITHOUT_SIZES).generate(
            seeds, count, rng, Tools()
        ),
        "baseline": even_exchange,
    }
    figures: dict[str, Any] = {
        "truth": f"formula and space group held out, within {STABLE_EV_PER_ATOM} eV/atom of the hull (PBE)",
        "n_seeds": len(world.seeds),
        "n_held_out": sum(map(len, world.held_out.values())),
        "streams": len(streams),
        "baseline_is": "ions of equal charge drawn evenly, same checks",
    }
    for name, method in methods.items():
        next(method(world.seeds[:20], 1, np.random.default_rng(0)), None)  # tables are read outside the clock
        began = time.process_time()
        found = [c for s in streams for c in method(world.seeds, proposals, np.random.default_rng(s))]
        seconds = time.process_time() - began
        hits = sum(is_hit(c, world.held_out) for c in found)
        figures[name] = _share(hits, len(found)) | {
            "formulas": len({c.formula for c in found}),
            "cpu_ms_per_proposal": 1000 * seconds / max(len(found), 1),
        }
    ours, even = figures["substitution"], figures["baseline"]
    figures["times_baseline"] = ours["share"] / even["share"] if even["share"] else None
    figures["time_over_baseline"] = ours["cpu_ms_per_proposal"] / even["cpu_ms_per_proposal"]
    return figures


def _share(hits: int, n: int) -> dict[str, Any]:
    """With Jeffreys' 90% interval."""
    from scipy.stats import beta

    interval = [float(beta.ppf(q, hits + 0.5, n - hits + 0.5)) for q in (0.05, 0.95)]
    return {"n": n, "hits": hits, "share": hits / max(n, 1), "share_interval_90": interval}


def is_hit(candidate: Candidate, held_out: Mapping[str, Sequence[CrystalRecord]]) -> bool:
    """Whether formula and space group are among the held-out crystals."""
    return any(
        bucket_of(record.structure()).spacegroup_number == candidate.spacegroup_number
        for record in held_out.get(candidate.formula, ())
    )


def even_exchange(seeds: Sequence[Candidate], count: int, rng: np.random.Generator) -> Iterator[Candidate]:
    """The baseline: one or two ions of each seed, in random order, for ions of equal charge drawn evenly."""
    novelty = Novelty(in_order(seeds), None, skip_known=True)
    ordered, given = in_order(seeds), 0
    for i in rng.permutation(len(ordered)):
        parent = parent_of(ordered[i])
        exchange = parent and _even(parent, rng)
        product = product_of(parent, exchange) if parent and exchange else None
        candidate = product and novelty.admit(product.structure, ordered[i])
        if candidate:
            given += 1
            yield candidate
        if given == count:
            return


def _even(parent: Parent, rng: np.random.Generator) -> Exchange | None:
    excluded, ions = set(SubstitutionConfig().exclude_elements) | {"H", "C"}, sorted(parent.amounts)
    changing = [ions[i] for i in sorted(rng.permutation(len(ions))[: rng.integers(1, 3)])]
    new: list[Ion] = []
    for old in changing:
        kept = {ion.symbol for ion in ions if ion not in changing}
        choices = [
            ion
            for ion in ion_pairs().ions
            if ion.charge == old.charge and ion != old and ion.symbol not in excluded | kept
        ]
        if not choices:
            return None
        new.append(choices[rng.integers(len(choices))])
    if not shares_elements_as_before(changing, new):
        return None
    return Exchange(tuple(zip(changing, new, strict=True)), 0.0)


def volume_figures(world: World, seed: int, pairs: int) -> dict[str, Any]:
    """Error of the predicted volume over pairs of known crystals, against no scaling and pymatgen's DLS."""
    ratios = list(_volume_ratios(world, seed, pairs))
    ours, unscaled, mined = np.array(ratios, dtype=float).reshape(-1, 3).T
    return {
        "units": "%",
        "substitution": _errors(ours),
        "baseline": _errors(unscaled),
        "baseline_is": "the parent's volume",
        "data_mined_scaling": _errors(mined[np.isfinite(mined)]),
        "data_mined_scaling_is": "pymatgen's DLSVolumePredictor",
    }


def _errors(ratios: np.ndarray) -> dict[str, Any]:
    errors = 100 * np.abs(ratios - 1)
    if not len(errors):
        return {"n": 0}
    return {
        "n": len(errors),
        "mean_absolute": float(errors.mean()),
        "median_absolute": float(np.median(errors)),
        "quantile_90": float(np.quantile(errors, 0.9)),
    }


def _volume_ratios(world: World, seed: int, pairs: int) -> Iterator[tuple[float, float, float]]:
    """Predicted over true volume: by the rule, unscaled, and by DLS."""
    rng, given = np.random.default_rng(seed), 0
    rules = Substitution().rules
    for i in rng.permutation(len(world.seeds)):
        parent = parent_of(world.seeds[i])
        if parent is None:
            continue
        exchanges = best_exchanges(parent.amounts, rules, EXCHANGES_TRIED)
        for ratios in _of_parent(parent, [exchanges[j] for j in rng.permutation(len(exchanges))], world):
            yield ratios
            given += 1
            if given == pairs:
                return


def _of_parent(
    parent: Parent, exchanges: Sequence[Exchange], world: World
) -> Iterator[tuple[float, float, float]]:
    from pymatgen.core import Composition

    found = 0
    for exchange in exchanges:
        symbols = [ion.symbol for ion in exchange.applied_to(parent.around.ions)]
        records = world.held_out.get(Composition("".join(symbols)).reduced_formula)
        product = product_of(parent, exchange) if records else None
        if product is None or not records:
            continue
        bucket = bucket_of(product.structure)
        for known in (r.structure() for r in records):
            if bucket_of(known) == bucket:
                truth = known.volume / len(known) * len(symbols)
                mined = _mined_volume(parent.seed.structure, symbols)
                yield product.structure.volume / truth, parent.seed.structure.volume / truth, mined / truth
                found += 1
                break
        if found == PAIRS_PER_PARENT:
            return


def _mined_volume(structure: Structure, symbols: Sequence[str]) -> float:
    """A^3; not a number where DLS cannot answer."""
    from pymatgen.analysis.structure_prediction.volume_predictor import DLSVolumePredictor

    exchanged = structure.copy()
    for i, symbol in enumerate(symbols):
        exchanged[i] = symbol
    try:
        return float(DLSVolumePredictor().predict(exchanged))
    except (ValueError, TypeError):
        return np.nan
