"""How is a data set of potentials opened, its format named?

A format is never guessed: names of files and their first bytes have been wrong before, and a wrong guess mixes
energies that do not belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ...core.errors import InputError, nearest
from .fidelities import OC20_ADSORPTION, OC20_TOTAL, OF_DATA_SET, fidelity_of
from .frames import Frames


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        meaning: In a sentence.
        reader: Module beside this one, and class; imported when first opened.
        fidelity: Of its energies, where the format says it.
    """

    meaning: str
    reader: str
    fidelity: str | None = None


FORMATS: dict[str, Format] = {
    "oc20-s2ef-extxyz": Format(
        "OC20 S2EF as downloaded: a folder of N.extxyz.xz and N.txt.xz.", "oc20.s2ef:S2efFrames", OC20_TOTAL
    ),
    "oc20-s2ef-lmdb": Format(
        "OC20 S2EF as preprocessed: data.0000.lmdb, ...", "oc20.lmdb:Oc20LmdbFrames", OC20_ADSORPTION
    ),
    "oc20-is2re-lmdb": Format("OC20 IS2RE: data.lmdb.", "oc20.lmdb:Is2reFrames", OC20_ADSORPTION),
    "oc20-trajectories": Format(
        "OC20 relaxations: random1234.extxyz.xz and system.txt.",
        "oc20.trajectories:TrajectoryFrames",
        OC20_TOTAL,
    ),
    "aselmdb": Format("OMat24, sAlex, OMC25: a folder of .aselmdb.", "aselmdb.files:AseLmdbFrames"),
    "ase-db": Format("An ASE database in SQLite.", "ase_db:AseDbFrames"),
    "extxyz": Format("One file of extended XYZ, compressed (.xz) or not.", "extxyz:ExtxyzFile"),
    "traj": Format("An ASE trajectory.", "ase_traj:AseTrajFrames"),
}


def open_frames(path: str | Path, format: str, fidelity: str | None = None) -> Frames:
    """The frames of a data set. They are read when they are asked for.

    Args:
        path: File or folder.
        format: One of `FORMATS`.
        fidelity: Whose energies these are: a fidelity, or the name of a data set (`omat24`, `salex`, `omc25`).
            OC20's formats know theirs; for S2EF LMDB made without `--ref-energy` name `oc20-rpbe`.

    Raises:
        NotFoundError: there is nothing at the path, or no file of the format.
        InputError: an unknown format, or no fidelity where the format does not say it.
    """
    if format not in FORMATS:
        raise InputError(f"No format {format!r}. {nearest(format, FORMATS)}")
    known = FORMATS[format]
    named = fidelity_of(fidelity) if fidelity else known.fidelity
    if named is None:
        raise InputError(
            f"Files of format {format!r} do not say whose energies they hold: name a fidelity, or one of "
            f"the data sets {', '.join(OF_DATA_SET)}."
        )
    module, reader = known.reader.split(":")
    return getattr(import_module(f".{module}", __package__), reader)(Path(path), named)
