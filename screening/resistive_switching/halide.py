"""Could a halide or a layered chalcogenide switch by its own soft anions?

Halide vacancies cross halide perovskites so easily that these forget within seconds, which short-term memories want (Xiao
et al., Nat. Mater. 14, 193 (2015), doi:10.1038/nmat4150; barriers of 0.2 to 0.6 eV: Eames et al., Nat. Commun. 6, 7497 (2015),
doi:10.1038/ncomms8497). Layers of sulphides and selenides switch by vacancies of theirs (Sangwan et al., Nature 554, 500 (2018),
doi:10.1038/nature25747). Asked is an insulator of such an anion whose vacancies hop over a low barrier, and how near it is
to falling apart: soft lattices often are. Moisture, light and the electrodes' attack are not judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...core.bonded_pieces import dimensionality
from ...core.candidate import Candidate
from ...core.contracts import HullDistance, Tools
from ...core.errors import HullError
from ...core.settings import Settings
from ..criteria import Criterion
from ..defects.barriers import MigrationConfig, migration_of
from ..gap import GapWindow, judge_insulator
from ..stability import judge_energy_above_hull
from ..window import Window
from .ion_mobility import OWN_HOPS, as_mobility, judge_barrier, most_promising
from .vacancy_physics import at_rest
from .wall_times import LEAST_SECONDS, seconds_left, within

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ...core.contracts import Hull

MECHANISM = "halide"
HALIDES = ("F", "Cl", "Br", "I")
LAYER_ANIONS = ("S", "Se", "Te")
LAYERED = 2
"""Bonded pieces that repeat in at most so many directions are layers, chains or molecules."""
POLYMORPHS_MOST = 40
"""Phases of the crystal's own formula that are left out of the hull, one after the other."""
CriterionName = Literal["soft_anion", "insulator", "migration_barrier", "energy_above_hull"]


class HalideConfig(Settings):
    """Windows of halide and layered hosts.

    Attributes:
        gap_windows: By method. PBE gives CsSnI3 some 0.4 eV where 1.3 are measured.
        migration_barrier: eV; of the vacancy of the softest anion.
        energy_above_hull_max: eV/atom; the host must lie below.
        margin_flag: eV/atom; a host that lies less far below its decomposition products is flagged. Of the size of kT at
            room temperature (0.026 eV). Ours, 2026.
        vacancy_hops: How vacancies are followed.
        required: Criteria without which nothing passes.
    """

    gap_windows: dict[str, GapWindow] = {
        "pbe": GapWindow(low=0.3),
        "gnn": GapWindow(low=0.3),
        "hse06": GapWindow(low=0.8),
        "experiment": GapWindow(low=1.0),
        "measured": GapWindow(low=1.0),
    }
    migration_barrier: Window = Window(low=0.1, high=0.6)
    energy_above_hull_max: float = Field(default=0.1, gt=0)
    margin_flag: float = Field(default=0.025, ge=0)
    vacancy_hops: MigrationConfig = OWN_HOPS
    required: tuple[CriterionName, ...] = (
        "soft_anion",
        "insulator",
        "migration_barrier",
        "energy_above_hull",
    )


def cheap_halide(candidate: Candidate, tools: Tools, config: HalideConfig | None = None) -> dict[str, Any]:
    """Soft anions, dimensionality and decomposition products; milliseconds. To be kept under `halide` in the findings.

    Args:
        candidate: Its energy by the hull's potential counts where it is known.
        tools: `hull`.
        config: Not asked.
    """
    host = candidate.structure
    if not host.is_ordered:
        return {"anions": [], "dimensionality": None}
    dimension = dimensionality(host)
    anions = soft_anions(host, dimension)
    found: dict[str, Any] = {"anions": anions, "dimensionality": dimension}
    if anions and tools.hull is not None:
        energy = candidate.get("energy_per_atom", tools.hull.potential_name)
        if energy is not None:
            found["decomposition"] = decomposition(host, float(energy.value), tools.hull)  # type: ignore[arg-type]
    return found


def costly_halide(
    candidate: Candidate,
    tools: Tools,
    config: HalideConfig | None = None,
    known: Mapping[str, Any] | None = None,
    host: Structure | None = None,
    stop_at: float | None = None,
) -> dict[str, Any]:
    """The hops of each soft anion's vacancy; minutes. To be joined to what `cheap_halide` found.

    Args:
        candidate: The host.
        tools: `potential`, `relaxer`.
        config: How vacancies are followed.
        known: `Migration.record` by element, where another mechanism has followed them: they are not followed again.
        host: The crystal relaxed by the potential, if that was done.
        stop_at: By `time.monotonic`, after which nothing more is begun.
    """
    config = config or HalideConfig()
    anions = [a for a in soft_anions(candidate.structure) if a not in (known or {})]
    crystal = host or (at_rest(candidate.structure, tools) if anions else candidate.structure)
    migration: dict[str, Any] = {}
    for anion in anions:
        if isinstance(crystal, str):
            migration[anion] = crystal
        elif seconds_left(stop_at) < LEAST_SECONDS:
            migration[anion] = f"the hops of V_{anion} were not followed: no time was left"
        else:
            found = migration_of(crystal, anion, tools, within(config.vacancy_hops, stop_at))
            migration[anion] = found if isinstance(found, str) else found.record()
    return {"migration": migration}


def judge_halide(
    candidate: Candidate, findings: Mapping[str, Any], config: HalideConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism, for the anion that serves best.

    Args:
        candidate: With its gap and energy above hull, where known.
        findings: What the screen has measured: `charges`, `migration` by element (of any mechanism) and, under `halide`,
            `anions`, `dimensionality`, `decomposition` and `migration`.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    found = findings.get(MECHANISM) or {}
    hops = {**(findings.get("migration") or {}), **(found.get("migration") or {})}
    anions = list(found.get("anions") or ())
    barriers = [
        [judge_barrier("migration_barrier", f"V_{a}", _mobility(hops.get(a)), config.migration_barrier)]
        for a in anions
    ]
    unknown = Criterion(
        "migration_barrier", "not computed", "migration_barrier not computed: no soft anion", units="eV"
    )
    return [
        _judge_host(found),
        judge_insulator(candidate, config.gap_windows, findings.get("charges")),
        most_promising(barriers)[0] if barriers else unknown,
        judge_energy_above_hull(candidate, config.energy_above_hull_max, screen),
        _judge_margin(found.get("decomposition"), config.margin_flag),
    ]


def soft_anions(host: Structure, dimension: int | None = None) -> list[str]:
    """Halides of any host; sulphur, selenium and tellurium of one that falls into layers, chains or molecules.

    Args:
        host: Ordered.
        dimension: Of its bonded pieces, if known.
    """
    amounts = host.composition.element_composition.get_el_amt_dict()
    halides = [symbol for symbol in HALIDES if symbol in amounts]
    if halides or len(amounts) < 2:
        return halides if len(amounts) > 1 else []
    layered = (dimensionality(host) if dimension is None else dimension) <= LAYERED
    return [symbol for symbol in LAYER_ANIONS if symbol in amounts] if layered else []


def decomposition(host: Structure, energy_per_atom: float, hull: Hull) -> dict[str, Any]:
    """The other phases a crystal would fall apart into, and by how much it lies below them.

    Args:
        host: The crystal.
        energy_per_atom: By the hull's potential, eV/atom.
        hull: Its phases of the crystal's own formula are left out.

    Returns:
        `products` (formulas, most atoms first) and `margin` (eV/atom, positive where it holds), or `failure`.
    """
    formula, left_out = host.composition.reduced_formula, []
    try:
        found = hull.distance(host.composition, energy_per_atom)
        while same := [i for i, name, _ in found.decomposition if _same_formula(name, formula)]:
            left_out += same
            if len(left_out) > POLYMORPHS_MOST:
                return {"failure": f"more than {POLYMORPHS_MOST} phases of {formula} stand on the hull"}
            found = hull.distance(host.composition, energy_per_atom, left_out)
    except HullError as error:
        return {"failure": str(error)}
    return {"products": _products(found), "margin": -found.energy_above_hull, "hull": hull.name}


def _same_formula(one: str, other: str) -> bool:
    from pymatgen.core import Composition

    return Composition(one).reduced_formula == other


def _products(found: HullDistance) -> list[str]:
    return [formula for _, formula, _ in sorted(found.decomposition, key=lambda one: (-one[2], one[1]))]


def _mobility(record: Any) -> Any:
    """In the form that a barrier is judged in."""
    return as_mobility(record) if isinstance(record, Mapping) else record


def _judge_host(found: Mapping[str, Any]) -> Criterion:
    name, anions, dimension = "soft_anion", found.get("anions"), found.get("dimensionality")
    if anions is None:
        return Criterion(name, "missing", "its anions and layers were not measured")
    kinds = {0: "molecules", 1: "chains", 2: "layers", 3: "a framework"}
    pieces = kinds.get(dimension, "pieces unknown") if isinstance(dimension, int) else "pieces unknown"
    if anions:
        return Criterion(name, "passed", f"{_joined(anions)} may leave vacancies; bonded to {pieces}")
    return Criterion(
        name, "failed", f"neither a halide nor a layered sulphide, selenide or telluride (bonded to {pieces})"
    )


def _judge_margin(found: Any, flag: float) -> Criterion:
    """Told and never required: how near the host is to falling apart."""
    name = "decomposition"
    if not isinstance(found, Mapping) or "margin" not in found:
        why = (
            found.get("failure")
            if isinstance(found, Mapping)
            else "it needs the hull and the host's energy by its potential"
        )
        return Criterion(
            name,
            "not computed",
            f"decomposition products not computed: {str(why).rstrip('.')}",
            units="eV/atom",
        )
    margin = float(found["margin"])
    holds = margin >= 0
    return Criterion(
        name=name,
        status="passed" if holds else "failed",
        sentence=f"it lies {abs(margin):.3f} eV/atom {'below' if holds else 'above'} {_joined(found['products'])}, "
        f"its decomposition products (hull {found['hull']})"
        + (f"; less than {flag:g} is little" if margin < flag else ""),
        value=margin,
        threshold=0.0,
        units="eV/atom",
        method=f"hull {found['hull']}",
        flagged=margin < flag,
    )


def _joined(words: Sequence[str]) -> str:
    return ", ".join(words) or "nothing"
