"""Could a crystal carry a metal filament (electrochemical metallization, ECM)?

Silver or copper is oxidised at its electrode, crosses an insulating host as an ion and grows back as a filament (Valov, Waser,
Jameson, Kozicki, Nanotechnology 22, 254003 (2011), doi:10.1088/0957-4484/22/25/254003). Asked of the host: an insulator, in
which the ion is mobile, which its electrode does not eat, and which is stable. The electrode feeds the ion into voids; in a
host that holds the metal already its hops into vacancies count where they cost less. The electrode that serves best speaks
for the crystal.

Films in such cells are often amorphous and more open than the crystal that is judged here. The filament's growth, its
electronic conduction and its retention are not judged.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...core.candidate import Candidate
from ...core.contracts import Tools
from ...core.settings import Settings
from ..criteria import Criterion
from ..defects.barriers import MigrationConfig
from ..defects.interstitials import InterstitialConfig
from ..gap import GapWindow, judge_insulator
from ..stability import judge_energy_above_hull
from ..window import Window
from .electrode_reaction import electrode_reaction
from .ion_mobility import OWN_HOPS, between_voids, easier, into_vacancies, judge_barrier, most_promising
from .vacancy_physics import at_rest
from .wall_times import seconds_left

if TYPE_CHECKING:
    from pymatgen.core import Structure

MECHANISM = "ECM"
INSERTION_SCALE_EV = 1.5
"""The score of a mobility falls by a factor of e for each so many eV that a neutral metal atom costs in the host; an ion in a
field pays less. Ours, 2026."""
Metal = Literal["Ag", "Cu"]
CriterionName = Literal["insulator", "electrode_reaction", "ion_mobility", "energy_above_hull"]


class MetallizationConfig(Settings):
    """Windows of electrochemical metallization.

    Attributes:
        metals: Electrodes that are tried.
        gap_windows: By method. No upper end: SiO2, 9 eV measured, is a common host. Ag2S has 1.0 eV measured.
        reaction_energy_min: eV/atom of the mixture; an electrode that gains more by reacting is eaten. About the error of a
            potential's hull; keeps copper on GeS2 (-0.07), a known cell, and refuses copper on Ag2S (-0.20), which trades
            its silver. Ours, 2026.
        ion_mobility: eV; barrier of the ion.
        energy_above_hull_max: eV/atom; the host must lie below.
        interstitial: How foreign ions are followed.
        vacancy_hops: How a host's own ions are followed.
        required: Criteria without which nothing passes.
    """

    metals: tuple[Metal, ...] = Field(default=("Ag", "Cu"), min_length=1)
    gap_windows: dict[str, GapWindow] = {
        "pbe": GapWindow(low=0.5),
        "gnn": GapWindow(low=0.5),
        "hse06": GapWindow(low=1.0),
        "experiment": GapWindow(low=0.9),
        "measured": GapWindow(low=0.9),
    }
    reaction_energy_min: float = Field(default=-0.1, lt=0)
    ion_mobility: Window = Window(high=0.5)
    energy_above_hull_max: float = Field(default=0.1, gt=0)
    interstitial: InterstitialConfig = InterstitialConfig()
    vacancy_hops: MigrationConfig = OWN_HOPS
    required: tuple[CriterionName, ...] = (
        "insulator",
        "electrode_reaction",
        "ion_mobility",
        "energy_above_hull",
    )


def cheap_metallization(
    candidate: Candidate, tools: Tools, config: MetallizationConfig | None = None
) -> dict[str, Any]:
    """What the hull says of each electrode; some 50 ms. To be kept under `ECM` in the screen's findings.

    Args:
        candidate: Its energy by the hull's potential counts where it is known.
        tools: `hull`.
        config: Which electrodes.
    """
    config = config or MetallizationConfig()
    if tools.hull is None:
        return {"reactions": dict.fromkeys(config.metals, "no hull was handed in")}
    found = candidate.get("energy_per_atom", tools.hull.potential_name)
    energy = None if found is None else float(found.value)  # type: ignore[arg-type]
    reactions = {}
    for metal in config.metals:
        reaction = electrode_reaction(candidate.structure.composition, metal, tools.hull, energy)
        reactions[metal] = reaction if isinstance(reaction, str) else reaction.record()
    return {"reactions": reactions}


def costly_metallization(
    candidate: Candidate,
    tools: Tools,
    config: MetallizationConfig | None = None,
    known: Mapping[str, Any] | None = None,
    host: Structure | None = None,
    stop_at: float | None = None,
) -> dict[str, Any]:
    """How each metal that does not react moves in the host; minutes. To be joined to what `cheap_metallization` found.

    Args:
        candidate: The host.
        tools: `potential`, `relaxer`, `atoms_relaxer`, `hull`.
        config: How ions are followed.
        known: What `cheap_metallization` found; metals that it refuses are left out.
        host: The crystal relaxed by the potential, if that was done.
        stop_at: By `time.monotonic`, after which nothing more is begun.
    """
    config = config or MetallizationConfig()
    crystal = host or at_rest(candidate.structure, tools)
    if isinstance(crystal, str):
        return {"mobility": dict.fromkeys(config.metals, crystal)}
    reactions = (known or {}).get("reactions", {})
    unharmed = [m for m in config.metals if not _eaten(reactions.get(m), config)]
    mobility: dict[str, Any] = {}
    for metal in sorted(
        unharmed, key=lambda m: m not in crystal.symbol_set
    ):  # its own ion first: it costs least
        if seconds_left(stop_at) <= 0:
            mobility[metal] = f"the mobility of {metal} was not computed: no time was left"
            continue
        ways = [between_voids(crystal, metal, tools, config.interstitial, stop_at)]
        if metal in crystal.symbol_set:
            ways.append(into_vacancies(crystal, metal, tools, config.vacancy_hops, stop_at))
        mobility[metal] = easier(ways)
    return {"mobility": mobility}


def judge_metallization(
    candidate: Candidate, findings: Mapping[str, Any], config: MetallizationConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism, for the electrode that serves best.

    Args:
        candidate: With its gap and energy above hull, where known.
        findings: What the screen has measured: `charges` (e, one per site) and, under `ECM`, `reactions` and `mobility`.
        config: The windows.
        screen: Whose failures say why a value is missing.
    """
    found = findings.get(MECHANISM) or {}
    pairs = [
        (
            _judge_reaction(metal, (found.get("reactions") or {}).get(metal), config),
            _judge_mobility(metal, (found.get("mobility") or {}).get(metal), config),
        )
        for metal in config.metals
    ]
    reaction, mobility = most_promising(pairs)
    return [
        judge_insulator(candidate, config.gap_windows, findings.get("charges")),
        reaction,
        mobility,
        judge_energy_above_hull(candidate, config.energy_above_hull_max, screen),
    ]


def _judge_mobility(metal: str, record: Any, config: MetallizationConfig) -> Criterion:
    """The barrier, its score lowered by what it costs to bring the metal in: an ion that never enters is no filament."""
    judged = judge_barrier("ion_mobility", metal, record, config.ion_mobility)
    insertion = record.get("insertion") if isinstance(record, Mapping) else None
    energy = insertion.get("insertion_energy") if isinstance(insertion, Mapping) else None
    if judged.score is None or energy is None:
        return judged
    weight = math.exp(-max(0.0, float(energy)) / INSERTION_SCALE_EV)
    return dataclasses.replace(
        judged,
        score=judged.score * weight,
        sentence=f"{judged.sentence}; to put it in costs {float(energy):.2f} eV against the metal",
    )


def _eaten(reaction: Any, config: MetallizationConfig) -> bool:
    return isinstance(reaction, Mapping) and float(reaction["energy"]) < config.reaction_energy_min


def _judge_reaction(metal: str, reaction: Any, config: MetallizationConfig) -> Criterion:
    name, least = "electrode_reaction", config.reaction_energy_min
    if not isinstance(reaction, Mapping):
        status = "missing" if reaction else "not computed"
        why = str(reaction) if reaction else f"reaction with {metal} not computed: it needs the hull"
        return Criterion(name, status, why.rstrip("."), None, least, "eV/atom")
    energy = float(reaction["energy"])
    holds = energy >= least
    products = ", ".join(reaction.get("products") or ())
    how = f"gains {-energy:.3f} eV/atom by forming {products}" if energy < 0 else "does not react with it"
    return Criterion(
        name=name,
        status="passed" if holds else "failed",
        sentence=f"{metal} electrode {how} (hull {reaction.get('hull')}), "
        f"{'within' if holds else 'beyond'} {-least:g} eV/atom",
        value=energy,
        threshold=least,
        units="eV/atom",
        method=f"hull {reaction.get('hull')}",
        score=math.exp(energy / -least),
    )
