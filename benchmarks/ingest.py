"""Are damaged and foreign DFT outputs refused, each with its reason, and are the sound ones beside them taken?

An export whose runs are all finished is written anew for each damage; the damage is done to one run. It counts as refused
only if the refusal is that run's and names what is wrong, and only if all other runs are taken: who refuses everything
gets nothing. The baseline is what pymatgen's `Vasprun` and ASE's `espresso-out` make of the same files, those of them
that are one file's content. They do not know what was asked for, so that a foreign run is no fault of theirs; they read
all sound ones. Without damage everything must be taken, and the known polarization, energies and gap must come back.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..core.candidate import Candidate
from ..export.asked import Refusal, asked_of
from ..export.ingest import with_results
from ..export.results import Results, read_results
from . import ingest_samples as samples
from .ingest_damage import Damage, damages

PUBLIC = ("vasp", "espresso")
"""Formats with a public reader."""


def run(seed: int = 0) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the branches that the written dipoles are on.
    """
    with tempfile.TemporaryDirectory(prefix="hysteron-ingest-") as folder:
        samples.write_export(Path(folder) / "sound", seed)
        sound = measure_sound(Path(folder) / "sound")
        told = {
            name: told_of(damage, Path(folder) / "sound", Path(folder) / str(i))
            for i, (name, damage) in enumerate(damages().items())
        }
    single = [t for t in told.values() if t["baseline"] is not None]
    return {
        "n": len(told),
        "seed": seed,
        "refused_with_reason": sum(t["refused"] for t in told.values()),
        "others_taken": sum(t["others_taken"] for t in told.values()),
        "missed": [name for name, t in told.items() if not (t["refused"] and t["others_taken"])],
        "baseline_n": len(single),
        "baseline_refused": sum(t["baseline"] == "refused" for t in single),
        "baseline_taken": [name for name, t in told.items() if t["baseline"] == "taken"],
        **sound,
        "reasons": {name: t["reason"] for name, t in told.items()},
    }


def measure_sound(folder: Path) -> dict[str, Any]:
    """An export without damage: how many runs are taken, and what comes back of the known numbers."""
    results, refused = read_export(folder)
    there = sum(len(samples.sound_runs(format)) for format in samples.FORMATS)
    public = [
        _public_opinion(folder / format / name, format)
        for format in PUBLIC
        for name, sound in samples.sound_runs(format).items()
        if sound.dipole is None
    ]
    barium = Candidate(samples.BARIUM, samples.tetragonal())
    worst: dict[str, float] = {}
    for one in results:
        if one.asked.candidate_id != samples.BARIUM:
            continue
        candidate, _ = with_results(barium, [one])
        for name, known in _known().items():
            value = candidate.value(name)
            error = abs(value - known) if value is not None else float("inf")
            worst[name] = max(worst.get(name, 0.0), error)
    return {
        "sound": there,
        "sound_taken": sum(runs_taken(one) for one in results),
        "baseline_sound": len(public),
        "baseline_sound_taken": sum(taken == "taken" for taken in public),
        "sound_refused": [refusal.reason for refusal in refused],
        "largest_error": worst,
    }


def told_of(damage: Damage, sound: Path, folder: Path) -> dict[str, Any]:
    """What becomes of one damaged run, and of those beside it.

    Args:
        damage: What is done.
        sound: An export without damage.
        folder: A new one, for a damaged copy.

    Returns:
        `refused`: with the reason that it should have; `reason`; `others_taken`; `baseline`: `refused`, `taken`, or
        `None` where there is none.
    """
    shutil.copytree(sound / damage.format, folder / damage.format)
    damage.spoil(folder / damage.format)
    results, refused = read_export(folder)
    own = [r for r in refused if r.what == damage.run or damage.run in r.reason or _entry_of(damage, r)]
    reason = " ".join(r.reason for r in own)
    harmed = {
        f for f in samples.sound_runs(damage.format) if f == damage.run or f.startswith(f"{damage.run}/")
    }
    taken = {folder for one in results for folder in folders_taken(one)}
    others = set(samples.sound_runs(damage.format)) - harmed
    return {
        "refused": bool(own) and damage.says in reason and len(own) == len(refused) and not taken & harmed,
        "reason": reason,
        "others_taken": taken == others,
        "baseline": _public_opinion(folder / damage.format / damage.run, damage.format)
        if damage.single
        else None,
    }


def read_export(folder: Path) -> tuple[list[Results], list[Refusal]]:
    """Everything that an export's manifests ask for, and all refusals."""
    asked, refused = asked_of(folder)
    results = [read_results(one, asked) for one in asked]
    return results, [*refused, *(refusal for one in results for refusal in one.refused)]


def folders_taken(results: Results) -> Sequence[str]:
    """Folders of the runs that were taken; images of a path whose branch is not certain are not."""
    path = results.path
    images = results.asked.images if path is not None and path.result.smooth else ()
    return [*(taken.asked.folder for taken in results.taken), *images]


def runs_taken(results: Results) -> int:
    """How many."""
    return len(folders_taken(results))


def _known() -> dict[str, float]:
    nsites = len(samples.tetragonal())
    return {
        "energy_per_atom": samples.RELAXED_EV / nsites,
        "band_gap": samples.GAP_EV,
        "polarization": samples.known_polarization(),
        "polar_nonpolar_energy_difference": -1000 * samples.DEPTH_EV / nsites,
        "switching_barrier": samples.DEPTH_EV,
    }


def _entry_of(damage: Damage, refusal: Refusal) -> bool:
    """A candidate that was refused as a whole is told by its place in the manifest."""
    return damage.run == samples.STRONTIUM and refusal.what.startswith("candidate 2 of ")


def _public_opinion(folder: Path, format: str) -> str | None:
    """What a public reader makes of the output in a folder; `None` if there is no such reader, or no output."""
    file = next((p for p in sorted(folder.iterdir()) if p.name.startswith(samples.NAMES[format])), None)
    if file is None or format not in PUBLIC:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            _read_publicly(file, format)
        except Exception:
            return "refused"
    return "taken"


def _read_publicly(file: Path, format: str) -> float:
    """The energy, eV, by the reader most people would take."""
    if format == "vasp":
        from pymatgen.io.vasp import Vasprun

        return float(Vasprun(str(file), parse_potcar_file=False).final_energy)
    from ase.io import read

    return float(read(str(file), format="espresso-out").get_potential_energy())  # pyright: ignore
