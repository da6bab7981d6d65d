"""What of a hull computation is ready to be shipped?

Makes the table and its card from whatever the work folder holds, at any time: a phase that is not yet
relaxed keeps the energy of its published geometry and says so.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import MissingDataError
from ...core.lines import read_lines
from .errors import ALL, MP2020_SOURCES, WINDOW, errors_by_class, residuals
from .phase import HullCard, Phase
from .records import RELAXED, SINGLE_POINTS, VERTICES, read_ids
from .table import COLUMNS, DEFAULT_POTENTIAL, PhaseTable, card_file, slug, table_name
from .work_folder import Maker, maker_of, taken_up

DIGITS = 5  # of an energy in eV/atom
FEWEST = 100  # relaxations from which the spread of single points is measured; with fewer it is carried over
NOT_TRIED = "not tried"
STRUCTURES = (
    "Structures: the Materials Project (Jain et al., APL Mater. 1, 011002 (2013), doi:10.1063/1.4812323); "
    "La, Mg, Ru, Sr ground states: Kittel, Introduction to Solid State Physics"
)
POTENTIAL_SOURCES = {
    "chgnet": "Deng et al., Nat. Mach. Intell. 5, 1031 (2023), doi:10.1038/s42256-023-00716-3"
}


def export_table(
    work_dir: Path, out_dir: Path, date: str, crystals_dir: Path | None = None
) -> dict[str, Any]:
    """Write the table and its card, `hull.csv.gz` and `hull.json` for CHGNet; returns the card.

    Those of another potential are `hull-NAME.csv.gz` and `hull-NAME.json`; the work folder says whose
    energies it holds.

    Args:
        work_dir: Where the hull computation appends its results.
        out_dir: Where the two files go.
        date: ISO date of the computation; its month becomes part of the hull's name.
        crystals_dir: Folder of crystals; if given, distances are compared with those in the Materials
            Project's own energies, and the error goes on the card.

    Raises:
        MissingDataError: the work folder holds no energies.
    """
    phases = finished_phases(work_dir)
    if not phases:
        raise MissingDataError(f"No energies in {work_dir}; compute single points first.")
    maker = maker_of(work_dir)
    card = _card(phases, work_dir, date, maker)
    if crystals_dir is not None:
        card |= compare_with_labels(PhaseTable(phases, _draft(card)), crystals_dir)
    out_dir.mkdir(parents=True, exist_ok=True)
    table = out_dir / table_name(maker.registered)
    table.write_bytes(_gzipped(phases))
    card_file(table).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def finished_phases(work_dir: Path) -> list[Phase]:
    """All phases with their best energy so far, sorted by formula and id.

    A relaxation that failed or did not converge leaves its phase unrelaxed, with the lower energy.
    """
    energies: dict[str, Phase] = {}
    for line in read_lines(work_dir / SINGLE_POINTS):
        if "energy_per_atom" in line:
            energies[line["id"]] = Phase(line["id"], line["formula"], line["energy_per_atom"], False)
    for line in read_lines(work_dir / RELAXED):
        if line["energy_per_atom"] is None or line["failure"]:
            continue
        before = energies.get(line["id"])
        energy = line["energy_per_atom"]
        if not line["converged"] and before:
            energy = min(energy, before.energy_per_atom)
        if not (before and before.relaxed and not line["converged"]):
            energies[line["id"]] = Phase(line["id"], line["formula"], energy, line["converged"])
    return sorted(energies.values(), key=lambda phase: (phase.formula, phase.material_id))


def single_point_excess(work_dir: Path) -> dict[str, Any]:
    """Energy of published geometries above the relaxed ones, eV/atom, where both were computed here.

    Measured on the hull's vertices, which decompositions are made of, if enough of them are relaxed; else
    on all phases.
    """
    before = {line["id"]: line.get("energy_per_atom") for line in read_lines(work_dir / SINGLE_POINTS)}
    found = {
        line["id"]: before[line["id"]] - line["energy_per_atom"]
        for line in read_lines(work_dir / RELAXED)
        if line["converged"] and before.get(line["id"]) is not None
    }
    vertices = [found[i] for i in read_ids(work_dir / VERTICES) if i in found]
    of_vertices = len(vertices) >= FEWEST
    excess = np.array((vertices if of_vertices else list(found.values())) or [0.0])
    return {
        "of": "hull vertices" if of_vertices else "all phases relaxed here",
        "median": round(float(np.median(excess)), 5),
        "mean": round(float(excess.mean()), 5),
        "rms": round(float(np.sqrt((excess**2).mean())), 5),
        "p68": round(float(np.percentile(np.abs(excess), 68.27)), 5),
        "p95": round(float(np.percentile(excess, 95)), 5),
        "n": len(excess),
    }


def why_not_relaxed(work_dir: Path, phases: Iterable[Phase]) -> dict[str, int]:
    """How many phases are not relaxed, by reason, the most frequent first."""
    reasons = {line["id"]: _reason(line) for line in read_lines(work_dir / RELAXED)}
    return _counted(reasons.get(phase.material_id, NOT_TRIED) for phase in phases if not phase.relaxed)


def why_without_energy(work_dir: Path) -> dict[str, int]:
    """How many crystals the potential gave no energy for, by reason; they are not in the table."""
    lines = read_lines(work_dir / SINGLE_POINTS)
    return _counted(_reason(line) for line in lines if line.get("failure"))


def _reason(line: dict[str, Any]) -> str:
    """A failure's sentence without the formula, the step and the numbers of the one case."""
    if not line.get("failure"):
        return "did not converge"
    sentence = line["failure"].split(";")[0]
    phrase = sentence.partition(": ")[2]
    if not phrase:
        return sentence.rstrip(".")
    return re.sub(r"(?<![\^\w.])-?\d+(\.\d+)?(e[+-]?\d+)?", "N", phrase).rstrip(".")


def _counted(reasons: Iterable[str]) -> dict[str, int]:
    return dict(Counter(reasons).most_common())


def compare_with_labels(table: PhaseTable, crystals_dir: Path) -> dict[str, Any]:
    """Distances on the table's energies against those on the Materials Project's, for the card.

    `errors_by_class` is what distances carry as uncertainty; see `errors`. `model_error` is the same over
    all classes: a percentile of the residuals, which a few mislabelled rows do not move.
    """
    found = residuals(table, crystals_dir)
    errors = errors_by_class(found)
    if not errors:
        return {}
    distances = np.array([r.distance for r in found])
    return {
        "model_error": errors[ALL]["sigma"],
        "errors_by_class": errors,
        "compared_with_labels": {
            "what": "distance from the hull without phases of its formula, one phase a formula, where label "
            f"e_above_hull < {WINDOW:g}; labels on the MP2020 scale ({', '.join(sorted(MP2020_SOURCES))}) "
            "and a hull of these phases alone; errors_by_class: fitted on train, held out: val and test",
            "n": len(found),
            "mean_absolute_difference": round(float(np.abs(distances).mean()), 4),
            "median_absolute_difference": round(float(np.median(np.abs(distances))), 4),
            "mean_difference": round(float(np.mean(distances)), 4),
        },
    }


def _card(phases: list[Phase], work_dir: Path, date: str, maker: Maker) -> dict[str, Any]:
    sources = {"source": STRUCTURES}
    if maker.registered in POTENTIAL_SOURCES:
        sources["potential_source"] = POTENTIAL_SOURCES[maker.registered]
    option = "" if maker.registered == DEFAULT_POTENTIAL else f" --potential {maker.registered}"
    return {
        "name": f"mp-{slug(maker.registered)}-{date[:7]}",
        "date": date,
        "potential": maker.name,
        "energy_scale": maker.energy_scale,
        "model_hash": maker.model_hash,
        "phases": len(phases),
        "relaxed": sum(phase.relaxed for phase in phases),
        "not_relaxed": why_not_relaxed(work_dir, phases),
        "without_energy": why_without_energy(work_dir),
        "columns": {
            "material_id": "Materials Project id, or textbook-...",
            "formula": "reduced formula",
            "energy_per_atom": "eV/atom, total energy",
            "relaxed": "true: positions and cell relaxed to 0.05 eV/A; false: published geometry",
        },
        **_excess(work_dir),
        "model_error": None,
        "elemental_references": "lowest elemental phase of the table, by the same potential; O: solid O2",
        "missing_formulas": "about 12% of the known formulas are absent from the source tables",
        **sources,
        "licence": "CC BY 4.0",
        "made_by": f"hysteron data build hull{option}",
    }


def _excess(work_dir: Path) -> dict[str, Any]:
    """The spread of single points above relaxed energies: measured here, or the earlier table's.

    A percentile stands for the standard deviation: a few crystals collapse when they are relaxed, and their
    fall says nothing of the others.
    """
    measured, earlier = single_point_excess(work_dir), taken_up(work_dir)
    if earlier and measured["n"] < FEWEST:
        carried = {"carried_over_from": earlier["name"]}
        return {
            "single_point_excess": earlier["single_point_excess"],
            "single_point_excess_of_relaxed": carried,
        }
    return {"single_point_excess": measured["p68"], "single_point_excess_of_relaxed": measured}


def _draft(card: dict[str, Any]) -> HullCard:
    return HullCard(card["name"], card["potential"], card["single_point_excess"], None, {})


def _gzipped(phases: Iterable[Phase]) -> bytes:
    """The table as gzipped CSV; equal phases give equal bytes."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for p in phases:
        rows.writerow([p.material_id, p.formula, round(p.energy_per_atom, DIGITS), str(p.relaxed).lower()])
    return gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0)
