"""What may be wrong with an output, each done to one run of an export whose other runs are sound.

A damage names the run it is done to, and a word that its refusal must say: a refusal for another reason does not count.
"""

from __future__ import annotations

import dataclasses
import gzip
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from pymatgen.core import Structure

from ..export.manifest import MANIFEST_NAME
from ..export.outside_files import LARGEST_OUTPUT_BYTES
from .ingest_espresso import pw_run
from .ingest_outputs import Run, gpaw_result
from .ingest_samples import BARIUM, NAMES, STRONTIUM, Sound, sound_runs
from .ingest_vasp import vasprun

STATIC, RELAX, PATH = f"{BARIUM}/static", f"{BARIUM}/relax", f"{BARIUM}/polarization"
_BOMB = "".join(f'<!ENTITY b{i} "{f"&b{i - 1};" * 10}">' for i in range(1, 10))
_FETCH = '<!DOCTYPE modeling [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'


@dataclass(frozen=True)
class Damage:
    """One of them.

    Attributes:
        format: Of the export.
        run: Folder of the run that must be refused, from the export's.
        says: What the refusal must say.
        spoil: Does it, in the export's folder.
        single: Whether it is the content of one output that a public reader can be given as well.
    """

    format: str
    run: str
    says: str
    spoil: Callable[[Path], object]
    single: bool = True


def damages() -> dict[str, Damage]:
    """All of them, by a name that says what is wrong."""
    return {**_foreign(), **_unfinished(), **_broken(), **_hostile(), **_paths(), **_manifests()}


def _foreign() -> dict[str, Damage]:
    """Sound outputs of something else."""
    strained = _changed(lambda run: _with_last(run, run.last.copy().apply_strain(0.01)))
    return {
        "another crystal": _rewritten("vasp", STATIC, "another crystal", _of(f"{STRONTIUM}/static")),
        "another cell": _rewritten("vasp", STATIC, "another geometry", strained),
        "another cell, pw.x": _rewritten("espresso", STATIC, "another geometry", strained),
        "another cell, GPAW": _rewritten("gpaw", STATIC, "another geometry", strained),
        "the nonpolar crystal": _rewritten("vasp", STATIC, f"geometry of {PATH}/00", _of(f"{PATH}/00")),
        "another functional": _rewritten("vasp", STATIC, "run with PBEsol", _with(functional="PBEsol")),
        "another functional, pw.x": _rewritten("espresso", RELAX, "run with LDA", _with(functional="LDA")),
        "another functional, GPAW": _rewritten("gpaw", STATIC, "run with LDA", _with(functional="LDA")),
        "a U nobody asked for": _rewritten("vasp", STATIC, "PBE+U", _with(hubbard={"Ti": 3.0})),
        "a charged cell": _rewritten("vasp", STATIC, "charge +1", _with(charge=1)),
        "a charged cell, pw.x": _rewritten("espresso", STATIC, "charge -2", _with(charge=-2)),
        "a charged cell, GPAW": _rewritten("gpaw", STATIC, "charge -1", _with(charge=-1)),
        "a relaxation for a static run": _rewritten("vasp", STATIC, "another kind", _of(RELAX)),
        "a static run for a relaxation": _rewritten("espresso", RELAX, "another kind", _of(STATIC)),
        "the cell held": _rewritten("espresso", RELAX, "cell that was held", _held),
        "relaxed into another crystal": _rewritten("vasp", RELAX, "ended in another crystal", _far),
        "pw.x's output for VASP's": _text(
            "vasp", STATIC, "no vasprun.xml", lambda _: pw_run(_sound(STATIC).run)
        ),
        "VASP's output for pw.x's": _text(
            "espresso", STATIC, "no output of pw.x", lambda _: vasprun(_sound(STATIC).run)
        ),
        "a vacancy at another place": _rewritten(
            "vasp", f"{BARIUM}/vacancy/V_O1", "ended in another crystal", _elsewhere
        ),
    }


def _unfinished() -> dict[str, Damage]:
    return {
        "cut off": _text("vasp", STATIC, "cut off", lambda t: t[: int(0.8 * len(t))]),
        "cut off, pw.x": _text("espresso", STATIC, "unfinished", lambda t: t[: int(0.8 * len(t))]),
        "cut off, GPAW": _text("gpaw", STATIC, "no JSON", lambda t: t[: int(0.8 * len(t))]),
        "without its last geometry": _text(
            "vasp", RELAX, "unfinished", lambda t: t.replace('"finalpos"', '"lastpos"')
        ),
        "not converged electronically": _rewritten("vasp", STATIC, "electronically", _with(electronic=False)),
        "not converged electronically, pw.x": _rewritten(
            "espresso", STATIC, "electronically", _with(electronic=False)
        ),
        "not converged ionically": _rewritten("vasp", RELAX, "ionically", _rough),
        "not converged ionically, pw.x": _rewritten("espresso", RELAX, "ionically", _with(ionic=False)),
        "not converged, GPAW": _rewritten("gpaw", RELAX, "did not converge", _with(ionic=False)),
        "died with an error": _text("espresso", STATIC, "stopped with an error", _died),
    }


def _broken() -> dict[str, Damage]:
    return {
        "not a number": _text("vasp", STATIC, "number is wanted", _word(r"e_0_energy\">\s*(\S+)", "NaN")),
        "not a number, pw.x": _text(
            "espresso", STATIC, "numbers are wanted", _word(r"!\s+total energy\s*=\s*(\S+)", "NaN")
        ),
        "not a number, GPAW": _text("gpaw", STATIC, "no JSON", _word(r'"energy": (\S+),', "NaN")),
        "stars for a force": _text(
            "vasp", STATIC, "number is wanted", _word(r'"forces" >\s*<v>\s*(\S+)', "********")
        ),
        "an energy that was edited": _text("vasp", STATIC, "sum of its terms", _edited),
        "an energy that was edited, pw.x": _text(
            "espresso", STATIC, "sum of its terms", _word(r"!\s+total energy\s*=\s*(\S+)", "-3.5")
        ),
        "empty": _text("vasp", STATIC, "is empty", lambda _: ""),
        "binary": _bytes("vasp", STATIC, "no vasprun.xml", lambda _: bytes(range(256)) * 40),
        "binary, pw.x": _bytes("espresso", STATIC, "no output of pw.x", lambda _: bytes(range(256)) * 40),
        "a web page": _text(
            "vasp",
            STATIC,
            "declares a document type",
            lambda _: "<!DOCTYPE html><html><body>404</body></html>",
        ),
        "a web page, pw.x": _text(
            "espresso", STATIC, "no output of pw.x", lambda _: "<!DOCTYPE html><html>404</html>"
        ),
        "half a gzip": _bytes("vasp", STATIC, "cannot be read", lambda raw: gzip.compress(raw)[:200], ".gz"),
    }


def _hostile() -> dict[str, Damage]:
    entities = f'<!DOCTYPE modeling [<!ENTITY b0 "ha">{_BOMB}]>'
    return {
        "a bomb of entities": _text(
            "vasp", STATIC, "declares", lambda t: t.replace("<modeling>", f"{entities}<modeling>", 1)
        ),
        "an entity that fetches a file": _text(
            "vasp", STATIC, "declares", lambda t: t.replace("<modeling>", f"{_FETCH}<modeling>", 1)
        ),
        "a bomb of gzip": _bytes("vasp", STATIC, "larger than", _gzip_bomb, ".gz"),
        "too large": Damage("vasp", STATIC, "larger than", _grown, single=False),
        "a link for a file": Damage("vasp", STATIC, "symbolic link", _linked_file, single=False),
        "a link for a folder": Damage("espresso", STATIC, "symbolic link", _linked_folder, single=False),
        "a pipe for a file": Damage("espresso", STATIC, "no regular file", _pipe, single=False),
    }


def _paths() -> dict[str, Damage]:
    return {
        "images swapped": Damage("vasp", PATH, "geometry of", _swapped, single=False),
        "images swapped, pw.x": Damage("espresso", PATH, "geometry of", _swapped, single=False),
        "an image missing": Damage("vasp", PATH, "lacks the images 05", _without_image, single=False),
        "an image cut off": _image("vasp", "OUTCAR", "unfinished", lambda t: t[: int(0.9 * len(t))]),
        "a metal on the path": _image("vasp", "OUTCAR", "is of a metal", _metallic),
        "another density on the path": _image("espresso", "scf.out", "another crystal", _other_density),
        "a direction twice": _image("espresso", "berry2.out", "runs along", _turned),
        "an image on another branch": _image("gpaw", "result.json", "branch is not certain", _jumped),
    }


def _manifests() -> dict[str, Damage]:
    return {
        "a run outside the export": Damage(
            "vasp", STRONTIUM, "leaves the export", _escaping("../../elsewhere"), single=False
        ),
        "a run of another candidate": Damage(
            "vasp", STRONTIUM, "outside", _escaping(f"{BARIUM}/static"), single=False
        ),
        "a candidate outside the export": Damage("vasp", STRONTIUM, "outside", _astray, single=False),
    }


# What is done, from the known numbers


def _rewritten(format: str, run: str, says: str, change: Callable[[Sound], Run]) -> Damage:
    """The output says something else."""

    def spoil(root: Path) -> None:
        sound = sound_runs(format)[run]
        changed = change(sound)
        if format == "gpaw":
            content = gpaw_result(changed, sound.asked.kind)
        else:
            content = (vasprun if format == "vasp" else pw_run)(changed).encode()
        (root / run / NAMES[format]).write_bytes(content)

    return Damage(format, run, says, spoil)


def _sound(run: str) -> Sound:
    return sound_runs("vasp")[run]


def _of(run: str) -> Callable[[Sound], Run]:
    return lambda _: _sound(run).run


def _with(**changes: object) -> Callable[[Sound], Run]:
    return lambda sound: dataclasses.replace(sound.run, **changes)  # pyright: ignore[reportArgumentType]


def _changed(change: Callable[[Run], Run]) -> Callable[[Sound], Run]:
    return lambda sound: change(sound.run)


def _with_last(run: Run, last: Structure) -> Run:
    return dataclasses.replace(run, last=last)


def _held(sound: Sound) -> Run:
    return dataclasses.replace(sound.run, last=sound.run.began, held=True)


def _far(sound: Sound) -> Run:
    return _with_last(sound.run, sound.run.began.copy().apply_strain([0.0, 0.0, 0.4]))


def _rough(sound: Sound) -> Run:
    forces = np.full((len(sound.run.last), 3), 0.2)
    return dataclasses.replace(sound.run, ionic=False, forces=forces)


def _elsewhere(sound: Sound) -> Run:
    """Another oxygen was taken out: the first site of the asked cell is the last of this one."""
    begun = sound.run.began.copy()
    begun.translate_sites([len(begun) - 1], [0.5, 0, 0.25], frac_coords=True)
    return dataclasses.replace(sound.run, first=begun, last=begun)


# What is done, to the text


def _text(format: str, run: str, says: str, change: Callable[[str], str]) -> Damage:
    return _bytes(format, run, says, lambda raw: change(raw.decode()).encode())


def _bytes(format: str, run: str, says: str, change: Callable[[bytes], bytes], ending: str = "") -> Damage:
    def spoil(root: Path) -> None:
        file = root / run / NAMES[format]
        content = change(file.read_bytes())
        file.unlink()
        file.with_name(file.name + ending).write_bytes(content)

    return Damage(format, run, says, spoil)


def _image(format: str, name: str, says: str, change: Callable[[str], str]) -> Damage:
    """One output of the fifth image."""

    def spoil(root: Path) -> None:
        file = root / PATH / "05" / name
        file.write_text(change(file.read_text()))

    return Damage(format, PATH, says, spoil, single=False)


def _word(pattern: str, word: str) -> Callable[[str], str]:
    """The first group of the last match becomes another word."""

    def change(text: str) -> str:
        found = list(re.finditer(pattern, text))[-1]
        return text[: found.start(1)] + word + text[found.end(1) :]

    return change


def _edited(text: str) -> str:
    """All energies of the last step are lowered alike, its terms are not."""
    return re.sub(
        r'(e_(?:fr_energy|wo_entrp|0_energy)">\s*)(-\d+\.\d+)', lambda m: f"{m[1]}{float(m[2]) - 1:.8f}", text
    )


def _died(text: str) -> str:
    line = "%" * 78
    told = "     Error in routine cdiaghg (42):\n     eigenvectors failed to converge\n"
    return f"{text[: text.rfind('!    total')]}\n {line}\n{told} {line}\n\n     stopping ...\n"


def _metallic(text: str) -> str:
    return text.replace("   2.00000\n", "   1.20000\n", 1)


def _turned(text: str) -> str:
    return text.replace("direction of vector 2", "direction of vector 3")


def _other_density(_: str) -> str:
    return pw_run(sound_runs("espresso")[f"{PATH}/02"].run)


def _jumped(text: str) -> str:
    record = orjson.loads(text)
    record["dipole"][2] += 0.3
    return orjson.dumps(record).decode()


# What is done, to files


def _gzip_bomb(_: bytes) -> bytes:
    return gzip.compress(b" " * (LARGEST_OUTPUT_BYTES + 1), compresslevel=9)


def _grown(root: Path) -> None:
    """A hole is appended, which takes no place on the disk."""
    os.truncate(root / STATIC / NAMES["vasp"], LARGEST_OUTPUT_BYTES + 1)


def _linked_file(root: Path) -> None:
    file = root / STATIC / NAMES["vasp"]
    file.rename(root / "kept.xml")
    file.symlink_to(root / "kept.xml")


def _linked_folder(root: Path) -> None:
    (root / STATIC).rename(root / "kept")
    (root / STATIC).symlink_to(root / "kept", target_is_directory=True)


def _pipe(root: Path) -> None:
    file = root / STATIC / NAMES["espresso"]
    file.unlink()
    os.mkfifo(file)


def _swapped(root: Path) -> None:
    first, second = root / PATH / "02", root / PATH / "06"
    first.rename(root / "kept")
    second.rename(first)
    (root / "kept").rename(second)


def _without_image(root: Path) -> None:
    shutil.rmtree(root / PATH / "05")


def _escaping(folder: str) -> Callable[[Path], None]:
    def change(entry: dict) -> None:
        entry["calculations"][0]["folder"] = folder

    return lambda root: _of_strontium(root, change)


def _astray(root: Path) -> None:
    _of_strontium(root, lambda entry: entry.update(folder="../elsewhere"))


def _of_strontium(root: Path, change: Callable[[dict], object]) -> None:
    file = root / MANIFEST_NAME
    record = orjson.loads(file.read_bytes())
    change(next(entry for entry in record["candidates"] if entry["id"] == STRONTIUM))
    file.write_bytes(orjson.dumps(record))
