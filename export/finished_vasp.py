"""What does a vasprun.xml say of a finished VASP run?

Convergence is judged as pymatgen and the Materials Project do: fewer electronic steps than NELM in the last ionic step,
fewer ionic steps than NSW (or forces below EDIFFG). The energy is `e_0_energy`, taken from the last electronic step's
entropy because VASP writes a wrong one behind the last ionic step. It must be the sum of its printed terms.

Source: VASP Wiki, vasprun.xml, EDIFFG; the wrong energy: vasp.at forum, topic 16942.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from ..core.errors import InputError
from .finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry, gap_of, require_finite
from .outside_files import read_output
from .vasp_functional import functional_name
from .vasp_xml import finite, number, parse, rows, tag_value

NAME = "vasprun.xml"
KILOBAR_IN_EV_PER_A3 = 1 / 1602.176634
"""Exact e of the 2019 SI."""
TERMS = ("alphaZ", "ewald", "hartreedc", "XCdc", "pawpsdc", "pawaedc", "eentropy", "bandstr", "atom")
LARGEST_MISSING_EV = 1e-3
"""Between an energy and the sum of its terms, each printed with 8 decimals."""
FORCE_SLACK = 1.05
"""VASP compares what it prints with more digits."""
HELD_CELL = (0, 1, 2)
"""ISIF of runs that move no cell."""


def read_run(root: Path, folder: str) -> FinishedRun:
    """Read the vasprun.xml (or vasprun.xml.gz) of one folder.

    Raises:
        NotFoundError: there is none.
        InputError: the run is unfinished, unconverged or of another kind than a relaxation or a static run, or the
            file is damaged, too large or no vasprun.xml.
    """
    file = read_output(root, f"{folder}/{NAME}")
    xml = parse(file.content, file.name)
    tags = _tags(xml, file.name)
    species, types = _atoms(xml, file.name)
    steps = xml.findall("calculation")
    _require_finished(xml, steps, tags, file.name)
    last = steps[-1]
    hubbard = _hubbard(tags, types)
    return require_finite(
        FinishedRun(
            code="VASP",
            version=tag_value(xml, "version"),
            functional=_functional(tags, types, hubbard),
            moved=_moved(tags),
            species=species,
            first=_geometry(xml.find("structure[@name='initialpos']"), len(species), file.name),
            last=_geometry(last.find("structure"), len(species), file.name),
            energy=_energy(last, tags, file.name),
            charge=sum(n * z for _, n, z, _ in types) - tags["NELECT"],
            forces=_of_shape(last, "forces", (len(species), 3), file.name),
            stress=_stress(last, file.name),
            band_gap=_gap(last, tags, file.name),
            hubbard=hubbard,
            settings=_settings(xml, tags, types),
            when=_when(xml),
            files=(file.record,),
        )
    )


def _tags(xml: Element, where: str) -> dict[str, Any]:
    """What decides a run, as VASP resolved it; what an INCAR only may name is added.

    Of a name that comes twice the first counts: "response functions", near the end, have a NELM of their own, always 1.
    """
    parameters = xml.find("parameters")
    if parameters is None:
        raise InputError(f"{where} does not list the parameters of its run: it is damaged.")
    tags: dict[str, Any] = {}
    for source in (parameters, xml.find("incar")):
        for found in source.iter() if source is not None else ():
            if found.tag in ("i", "v") and found.get("name"):
                tags.setdefault(str(found.get("name")), (found.text or "").strip())
    for name in ("NSW", "NELM", "NELECT", "ISIF", "IBRION", "ISPIN", "ICHARG"):
        if name not in tags:
            raise InputError(
                f"{where} does not say {name}: it is no vasprun.xml of VASP 5 or 6, or it is damaged."
            )
        tags[name] = finite(tags[name], f"{name} of {where}")
    return tags


def _atoms(xml: Element, where: str) -> tuple[tuple[str, ...], list[tuple[str, int, float, str]]]:
    """Symbols of the sites, and of each type: symbol, number of atoms, valence, title of its POTCAR."""
    species = [_cells(row)[0] for row in xml.findall("atominfo/array[@name='atoms']/set/rc")]
    types = []
    for row in xml.findall("atominfo/array[@name='atomtypes']/set/rc"):
        cells = _cells(row)
        if len(cells) != 5:
            raise InputError(f"{where} lists its types of atoms in an unknown way.")
        types.append((cells[1], int(finite(cells[0], where)), finite(cells[3], where), cells[4]))
    if not species or len(species) != sum(count for _, count, _, _ in types):
        raise InputError(f"{where} does not list its atoms: it is damaged.")
    return tuple(species), types


def _cells(row: Element) -> list[str]:
    return [(cell.text or "").strip() for cell in row] or [""]


def _require_finished(xml: Element, steps: list[Element], tags: dict[str, Any], where: str) -> None:
    if not steps or xml.find("structure[@name='finalpos']") is None or steps[-1].find("energy") is None:
        raise InputError(f"{where} is unfinished: VASP has not written its last geometry. Run it again.")
    _require_plain(tags, where)
    if len(steps[-1].findall("scstep")) >= tags["NELM"]:
        raise InputError(
            f"{where} did not converge electronically: its last ionic step took all NELM = {tags['NELM']:.0f} "
            "electronic steps. Raise NELM or change ALGO, and run it again."
        )
    _require_relaxed(steps, tags, where)


def _require_plain(tags: dict[str, Any], where: str) -> None:
    """Neither at a fixed density nor of a response to a field, nor under pressure: their energies mean something else."""
    pressure = _number_of(tags, "PSTRESS", where)
    kinds = {
        f"at a fixed density (ICHARG = {tags['ICHARG']:.0f})": tags["ICHARG"] >= 10,
        "of a linear response (LEPSILON)": tags.get("LEPSILON") == "T",
        "in an electric field (LCALCEPS)": tags.get("LCALCEPS") == "T",
        f"under pressure (PSTRESS = {pressure or 0:g} kbar)": bool(pressure),
    }
    for kind, found in kinds.items():
        if found:
            raise InputError(f"{where} is a run {kind}; a self-consistent one without that is wanted.")


def _require_relaxed(steps: list[Element], tags: dict[str, Any], where: str) -> None:
    if tags["NSW"] <= 0:
        return
    if tags["IBRION"] not in (1, 2, 3):
        raise InputError(
            f"{where} is another kind of run (IBRION = {tags['IBRION']:.0f}): a relaxation or a static run is wanted."
        )
    threshold = _number_of(tags, "EDIFFG", where) or 0.0
    by_force = threshold < 0
    small = by_force and _largest_force(steps[-1], where) <= -FORCE_SLACK * threshold
    if len(steps) >= tags["NSW"] and not small:
        raise InputError(
            f"{where} did not converge ionically: it took all NSW = {tags['NSW']:.0f} steps. Copy CONTCAR to "
            "POSCAR and run it again."
        )
    if by_force and not small:
        raise InputError(
            f"{where} stopped before it was relaxed: its largest force is {_largest_force(steps[-1], where):.3f} "
            f"eV/A, EDIFFG asks for {-threshold:g}. Copy CONTCAR to POSCAR and run it again."
        )


def _largest_force(step: Element, where: str) -> float:
    return float(np.linalg.norm(rows(step.find("varray[@name='forces']"), where), axis=1).max())


def _moved(tags: dict[str, Any]) -> str:
    if tags["NSW"] <= 0 or tags["IBRION"] < 0:
        return NOTHING
    return POSITIONS if tags["ISIF"] in HELD_CELL else CELL


def _geometry(structure: Element | None, nsites: int, where: str) -> Geometry:
    if structure is None:
        raise InputError(f"{where} lacks a geometry that every run writes: it is damaged.")
    lattice = rows(structure.find("crystal/varray[@name='basis']"), where)
    positions = rows(structure.find("varray[@name='positions']"), where)
    if lattice.shape != (3, 3) or positions.shape != (nsites, 3):
        raise InputError(f"{where} gives {len(positions)} positions for {nsites} atoms: it is damaged.")
    return Geometry(lattice, positions)


def _energy(step: Element, tags: dict[str, Any], where: str) -> float:
    """eV, extrapolated to no smearing."""
    block, electronic = step.find("energy"), step.findall("scstep/energy")
    if block is None or not electronic:
        raise InputError(f"{where} gives no energy: it is damaged.")
    total, free, zero = (
        number(found, name, where)
        for found, name in (
            (block, "e_fr_energy"),
            (electronic[-1], "e_fr_energy"),
            (electronic[-1], "e_0_energy"),
        )
    )
    if total is None or free is None or zero is None or number(block, "e_0_energy", where) is None:
        raise InputError(f"{where} gives no energy: it is damaged.")
    _require_sum(total, free, electronic[-1], tags, where)
    return total + (zero - free)


def _require_sum(total: float, free: float, block: Element, tags: dict[str, Any], where: str) -> None:
    """Corrections for dispersion are added after the last electronic step, exact exchange is not printed as a term."""
    terms = [number(block, name, where) for name in TERMS]
    dispersion = tags.get("IVDW", "0") not in ("", "0") or tags.get("LVDW") == "T"
    dipole = tags.get("LDIPOL") == "T" or tags.get("IDIPOL", "0") not in ("", "0")
    missing = []
    if not (dispersion or dipole):
        missing.append(total - free)
    if not (dipole or tags.get("LHFCALC") == "T" or any(term is None for term in terms)):
        missing.append(free - sum(term for term in terms if term is not None))
    if any(abs(gap) > LARGEST_MISSING_EV for gap in missing):
        worst = max(missing, key=abs)
        raise InputError(
            f"{where} gives an energy that is {worst:+.4f} eV from the sum of its terms: the file was changed or "
            "damaged. Run it again."
        )


def _of_shape(step: Element, name: str, shape: tuple[int, int], where: str) -> np.ndarray | None:
    found = step.find(f"varray[@name='{name}']")
    if found is None:
        return None
    values = rows(found, f"The {name} of {where}")
    if values.shape != shape:
        raise InputError(f"{where} gives {name} of shape {values.shape}, wanted {shape}: it is damaged.")
    return values


def _stress(step: Element, where: str) -> np.ndarray | None:
    """VASP prints kilobar, positive under compression."""
    found = _of_shape(step, "stress", (3, 3), where)
    return None if found is None else -found * KILOBAR_IN_EV_PER_A3


def _gap(step: Element, tags: dict[str, Any], where: str) -> float | None:
    """From the eigenvalues, a band counting as occupied if it is more than half full."""
    spins = step.findall("eigenvalues/array/set/set")
    if not spins or tags.get("LNONCOLLINEAR") == "T":
        return None
    values = [
        [rows(kpoint, f"The eigenvalues of {where}") for kpoint in spin.findall("set")] for spin in spins
    ]
    shapes = {kpoint.shape for spin in values for kpoint in spin}
    if len(shapes) != 1 or next(iter(shapes))[1] < 2:
        raise InputError(f"The eigenvalues of {where} are not complete: the file is damaged.")
    energies, filling = (np.array([[kpoint[:, i] for kpoint in spin] for spin in values]) for i in (0, 1))
    return gap_of(energies, (filling > 0.5).sum(axis=2))


def _functional(
    tags: dict[str, Any], types: list[tuple[str, int, float, str]], hubbard: dict[str, float]
) -> str:
    return functional_name(
        gga=tags.get("GGA", ""),
        lexch=types[0][3],
        meta=tags.get("METAGGA") or tags.get("LMETAGGA", ""),
        hybrid=tags.get("LHFCALC") == "T",
        exchange=_number_of(tags, "AEXX", "AEXX"),
        screening=_number_of(tags, "HFSCREEN", "HFSCREEN"),
        hubbard=bool(hubbard),
    )


def _hubbard(tags: dict[str, Any], types: list[tuple[str, int, float, str]]) -> dict[str, float]:
    """U - J by element, eV."""
    if tags.get("LDAU") != "T":
        return {}
    listed = [
        np.array([finite(word, name) for word in tags.get(name, "").split()]) for name in ("LDAUU", "LDAUJ")
    ]
    u, j = (values if len(values) == len(types) else np.zeros(len(types)) for values in listed)
    return {symbol: float(x) for (symbol, *_), x in sorted(zip(types, u - j, strict=True)) if x}


def _settings(xml: Element, tags: dict[str, Any], types: list[tuple[str, int, float, str]]) -> dict[str, Any]:
    divisions = tag_value(xml, "divisions").split()
    kpoints = xml.find("kpoints/varray[@name='kpointlist']")
    settings: dict[str, Any] = {
        "pseudopotentials": sorted({" ".join(title.split()) for _, _, _, title in types})
    }
    if tags.get("ENMAX"):
        settings["cutoff_ev"] = finite(tags["ENMAX"], "ENMAX")
    if divisions:
        settings["kpoints"] = f"{'x'.join(divisions)} k-points"
    elif kpoints is not None:
        settings["kpoints"] = f"{len(kpoints)} k-points"
    if tags["ISPIN"] == 2:
        settings["spin_polarized"] = True
    return settings


def _when(xml: Element) -> str:
    date = "-".join(tag_value(xml, "date").split())
    return f"{date} {tag_value(xml, 'time')}".strip()


def _number_of(tags: dict[str, Any], name: str, where: str) -> float | None:
    """A tag's number; `None` if it is not set."""
    text = str(tags.get(name, ""))
    return finite(text, f"{name} of {where}") if text else None
