"""Could a crystal store weights as a dose of ions (ion-gated, ECRAM)?

A gate drives ions into a host and out again; its conductance follows the dose (Fuller et al., Adv. Mater. 29, 1604310 (2017),
doi:10.1002/adma.201604310, lithium in LiCoO2; Yao et al., Nat. Commun. 11, 3134 (2020), doi:10.1038/s41467-020-16866-6, protons
in WO3). Asked is whether the dose leaves the framework as it is: small change of volume, the same atoms in the same places, ions
that move, both ends near the hull, a voltage that electrolytes and electronics bear. A host's own mobile ion is
taken out; into another host each of some ions is put, and the one that serves best speaks for the crystal.

How the electronic conduction changes with the dose is not judged: no energy of a potential tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from ...core.candidate import Candidate
from ...core.contracts import Tools
from ...core.settings import Settings
from ..criteria import Criterion
from ..defects.barriers import MigrationConfig
from ..defects.interstitials import InterstitialConfig
from ..defects.topotactic import CHARGES, TopotacticConfig, topotactic_of
from ..window import Window, judge_in_window
from .ion_mobility import OWN_HOPS, between_voids, into_vacancies, judge_barrier, most_promising
from .vacancy_physics import at_rest
from .wall_times import seconds_left

if TYPE_CHECKING:
    from pymatgen.core import Structure

MECHANISM = "ECRAM"
OWN_IONS = ("Li", "Na", "K", "Ag", "Cu")
"""Ions that are taken out of a host that holds them, the first that it holds."""
Ion = Literal["Li", "Na", "K", "H", "Ag", "Cu", "Mg", "Ca", "Zn", "Al"]
CriterionName = Literal["volume_change", "framework_kept", "ion_mobility", "ends_near_hull", "voltage"]
NEEDS = {
    "volume_change": "both ends relaxed with their cells",
    "framework_kept": "both ends relaxed with their cells",
    "ends_near_hull": "both ends relaxed and the hull",
    "voltage": "both ends relaxed and the hull",
}


class IonicConfig(Settings):
    """Windows of ion-gated memory.

    Attributes:
        ions: Put, each in its turn, into a host that holds no mobile ion of its own.
        volume_change_percent: From host to dose.
        ion_mobility: eV; barrier of the ion.
        ends_near_hull: eV/atom; the end that lies farther above.
        voltage: V against Li/Li+; other ions by their standard potentials in water.
        topotactic: How much is put in or taken out.
        interstitial: How foreign ions are followed.
        vacancy_hops: How a host's own ions are followed.
        required: Criteria without which nothing passes.
    """

    ions: tuple[Ion, ...] = Field(default=("Li", "H"), min_length=1)
    volume_change_percent: Window = Window(low=-5.0, high=5.0)
    ion_mobility: Window = Window(high=0.6)
    ends_near_hull: Window = Window(high=0.1)
    voltage: Window = Window(low=1.0, high=4.0)
    topotactic: TopotacticConfig = TopotacticConfig()
    interstitial: InterstitialConfig = InterstitialConfig()
    vacancy_hops: MigrationConfig = OWN_HOPS
    required: tuple[CriterionName, ...] = (
        "volume_change",
        "framework_kept",
        "ion_mobility",
        "ends_near_hull",
        "voltage",
    )


def cheap_ionic(candidate: Candidate, tools: Tools, config: IonicConfig | None = None) -> dict[str, Any]:
    """Which ions would be put in or taken out; nothing is calculated. To be kept under `ECRAM` in the screen's findings.

    Args:
        candidate: The host.
        tools: Not asked.
        config: Which ions.
    """
    return {"ions": _ions(candidate.structure, config or IonicConfig())}


def costly_ionic(
    candidate: Candidate,
    tools: Tools,
    config: IonicConfig | None = None,
    host: Structure | None = None,
    stop_at: float | None = None,
) -> dict[str, Any]:
    """Both ends and the hops of each ion; minutes. To be joined to what `cheap_ionic` found.

    Args:
        candidate: The host.
        tools: `potential`, `relaxer`, `atoms_relaxer`, `hull`.
        config: How ions are followed. Hops are not followed where the ends are already refused.
        host: The crystal relaxed by the potential, if that was done.
        stop_at: By `time.monotonic`, after which nothing more is begun.
    """
    config = config or IonicConfig()
    ions = _ions(candidate.structure, config)
    crystal = host or at_rest(candidate.structure, tools)
    if isinstance(crystal, str):
        return {"ends": dict.fromkeys(ions, crystal), "mobility": dict.fromkeys(ions, crystal)}
    ends: dict[str, Any] = {}
    mobility: dict[str, Any] = {}
    for ion in ions:
        if seconds_left(stop_at) <= 0:
            ends[ion] = mobility[ion] = f"{ion} was not tried: no time was left"
            continue
        found = topotactic_of(crystal, ion, tools, config.topotactic)
        ends[ion] = found if isinstance(found, str) else found.record()
        if refused := _refused(ion, ends[ion], config):
            mobility[ion] = f"not followed, for {refused}"
        else:
            mobility[ion] = (
                into_vacancies(crystal, ion, tools, config.vacancy_hops, stop_at)
                if ion in crystal.symbol_set
                else between_voids(crystal, ion, tools, config.interstitial, stop_at)
            )
    return {"ends": ends, "mobility": mobility}


def judge_ionic(
    candidate: Candidate, findings: Mapping[str, Any], config: IonicConfig, screen: str
) -> list[Criterion]:
    """Every criterion of the mechanism, for the ion that serves best, and what is not judged.

    Args:
        candidate: The host.
        findings: What the screen has measured: under `ECRAM`, `ends` and `mobility` by ion.
        config: The windows.
        screen: Not asked.
    """
    found = findings.get(MECHANISM) or {}
    choices = [
        [
            *_judge_ends(ion, (found.get("ends") or {}).get(ion), config),
            judge_barrier("ion_mobility", ion, (found.get("mobility") or {}).get(ion), config.ion_mobility),
        ]
        for ion in _ions(candidate.structure, config)
    ]
    return [*most_promising(choices), _not_judged()]


def _ions(host: Structure, config: IonicConfig) -> list[str]:
    own = [ion for ion in OWN_IONS if ion in host.symbol_set]
    return own[:1] or list(config.ions)


def _refused(ion: str, ends: Any, config: IonicConfig) -> str:
    """Why the ends already decide against an ion; empty if they do not."""
    failed = [one for one in _judge_ends(ion, ends, config) if one.status in ("failed", "missing")]
    return failed[0].sentence if failed and failed[0].name in config.required else ""


def _judge_ends(ion: str, ends: Any, config: IonicConfig) -> list[Criterion]:
    if not isinstance(ends, Mapping):
        return [_without(name, ion, ends, needs) for name, needs in NEEDS.items()]
    method = f"{ends['method']}, {ends['before']} to {ends['after']}"
    farther = max(ends["energy_above_hull"], key=lambda end: end["value"])
    return [
        judge_in_window(
            "volume_change", ends["volume_change_percent"], config.volume_change_percent, "%", method
        ),
        _judge_framework(ends, config, method),
        judge_in_window(
            "ends_near_hull",
            farther["value"],
            config.ends_near_hull,
            "eV/atom",
            method,
            farther["uncertainty"],
        ),
        _judge_voltage(ion, ends, config, method),
    ]


def _without(name: str, ion: str, why: Any, needs: str) -> Criterion:
    if why is None:
        return Criterion(name, "not computed", f"{name} with {ion} not computed: it needs {needs}")
    return Criterion(name, "missing", f"{name} with {ion} is missing: {str(why).rstrip('.')}")


def _judge_framework(ends: Mapping[str, Any], config: IonicConfig, method: str) -> Criterion:
    shift, most = float(ends["shift_angstrom"]), config.topotactic.shift_max_angstrom
    kept = shift <= most
    return Criterion(
        name="framework_kept",
        status="passed" if kept else "failed",
        sentence=f"the framework is {'kept' if kept else 'rebuilt'}: its atoms move up to {shift:.2f} A, "
        f"{'at most' if kept else 'more than'} {most:g} A",
        value=shift,
        threshold=most,
        units="A",
        method=method,
        score=1.0 if kept else 0.0,
    )


def _judge_voltage(ion: str, ends: Mapping[str, Any], config: IonicConfig, method: str) -> Criterion:
    value = ends.get("voltage_vs_lithium")
    if value is None:
        sentence = f"voltage is missing: {ion} is no cation of {', '.join(CHARGES)}"
        return Criterion("voltage", "missing", sentence, None, config.voltage.low, "V", method)
    reference = "Li/Li+"
    if ion != "Li":
        reference = f"Li/Li+, from {ends['voltage']:.2f} V vs {ends['voltage_reference']} by standard potentials in water"
    return judge_in_window("voltage", float(value), config.voltage, "V", f"vs {reference}; {method}")


def _not_judged() -> Criterion:
    sentence = "how the electronic conduction changes with the dose is not judged: it needs the electronic structure of both ends"
    return Criterion("conduction_change", "not computed", sentence)
