"""Which of a candidate's calculations are finished and its own, and what do they say?

Each is read and held against what was asked for by itself; one that is refused does not stop the others. Inputs that
were edited are told and do not stop it either: users set cutoffs, pseudopotentials and parallelism, and what matters
(crystal, functional, charge, convergence) is read from the output.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from ..core.errors import InputError, NotFoundError
from .asked import Asked, Refusal
from .belonging import require_own, require_own_image, same_geometry
from .berry_phase import BerryPhaseResult, follow_branch, image_reader
from .berry_phase_image import BerryPhaseImage
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from .finished_run import FinishedRun, Geometry, run_reader
from .outside_files import read_output

ORDER = (RELAXATION, STATIC, PRISTINE, VACANCY)
"""A static run may stand at the geometry the relaxation ended in."""


@dataclass(frozen=True)
class Taken:
    """A finished run that is the candidate's own.

    Attributes:
        asked: What was asked for.
        run: What it gave.
        remarks: What is unusual and still right.
        at_relaxed: Whether it stands at the geometry that the candidate's relaxation ended in.
        edited: Inputs that are no longer as they were exported, by name.
    """

    asked: Calculation
    run: FinishedRun
    remarks: tuple[str, ...] = ()
    at_relaxed: bool = False
    edited: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenPath:
    """A polarization path whose images are all finished.

    Attributes:
        folder: Of the path, from the export's.
        result: Polarization, and whether its branch is certain.
        images: As they were read, nonpolar end first.
        edited: Inputs that are no longer as they were exported, by name.
    """

    folder: str
    result: BerryPhaseResult
    images: tuple[BerryPhaseImage, ...]
    edited: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """What came back for one candidate in one format.

    Attributes:
        asked: What was asked for.
        taken: Finished runs that are its own.
        path: Its polarization path, if all images are finished.
        refused: What cannot be used, and why.
        waiting: Folders without an output.
    """

    asked: Asked
    taken: tuple[Taken, ...] = ()
    path: TakenPath | None = None
    refused: tuple[Refusal, ...] = ()
    waiting: tuple[str, ...] = ()

    def of(self, kind: str) -> Taken | None:
        """The run of a kind of which there is one."""
        return next((taken for taken in self.taken if taken.asked.kind == kind), None)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is unusual and still right, the runs' edited inputs included."""
        edited = [(taken.asked.folder, taken.edited) for taken in self.taken]
        edited += [(self.path.folder, self.path.edited)] if self.path else []
        told = [
            f"{folder}: not as exported any more: {', '.join(names)}." for folder, names in edited if names
        ]
        return (*chain.from_iterable(taken.remarks for taken in self.taken), *told)


def read_results(asked: Asked, others: Iterable[Asked] = ()) -> Results:
    """Read what is finished of a candidate's calculations.

    Args:
        asked: What was asked for.
        others: What else was, to name the run that a stray output is of.

    Returns:
        Never raises for a bad output: it is in `refused`.
    """
    known = [c for one in (asked, *others) for c in one.calculations]
    taken: list[Taken] = []
    refused: list[Refusal] = []
    waiting: list[str] = []
    for calculation in sorted(
        (c for c in asked.calculations if c.kind in ORDER), key=lambda c: ORDER.index(c.kind)
    ):
        try:
            taken.append(_taken(asked, calculation, known, _relaxed(taken)))
        except NotFoundError:
            waiting.append(calculation.folder)
        except InputError as error:
            refused.append(Refusal(calculation.folder, str(error)))
    path = _path(asked, known, refused, waiting, _metal(taken))
    return Results(asked, tuple(taken), path, tuple(refused), tuple(waiting))


def _taken(
    asked: Asked, calculation: Calculation, known: Sequence[Calculation], relaxed: Geometry | None
) -> Taken:
    run = _reader(asked)(asked.root, calculation.folder)
    remarks = require_own(run, calculation, known, relaxed)
    at_relaxed = calculation.kind == STATIC and relaxed is not None and same_geometry(run.last, relaxed)
    return Taken(calculation, run, tuple(remarks), at_relaxed, _edited(asked, calculation.folder))


def _reader(asked: Asked):
    """Raises `InputError`, not `NotFoundError`, which here means that a run has no output yet."""
    try:
        return run_reader(asked.format)
    except NotFoundError as error:
        raise InputError(str(error)) from None


def _relaxed(taken: Sequence[Taken]) -> Geometry | None:
    return next((one.run.last for one in taken if one.asked.kind == RELAXATION), None)


def _metal(taken: Sequence[Taken]) -> str:
    """The folder of the static run, if it says that the crystal is a metal; else nothing."""
    return next((t.asked.folder for t in taken if t.asked.kind == STATIC and t.run.band_gap == 0), "")


def _path(
    asked: Asked, known: Sequence[Calculation], refused: list[Refusal], waiting: list[str], metal: str
) -> TakenPath | None:
    """The path, if all of it can be used; why not is added to the lists.

    Args:
        asked: What was asked for.
        known: What else was.
        refused: Gets what cannot be used.
        waiting: Gets images without an output.
        metal: The run that says that the polar end is a metal. Runs of fixed occupations do not see that themselves.
    """
    if not asked.images:
        return None
    folder = asked.images[0].rpartition("/")[0]
    images: list[BerryPhaseImage] = []
    absent: list[str] = []
    reasons: list[str] = []
    for name in asked.images:
        try:
            images.append(_image(asked, name, known))
        except NotFoundError:
            absent.append(name)
        except InputError as error:
            reasons.append(str(error))
    if len(absent) == len(asked.images):
        waiting.extend(absent)
        return None
    if absent:
        numbers = ", ".join(name.rpartition("/")[2] for name in absent)
        reasons.append(f"{folder} lacks the images {numbers} of a path of {len(asked.images)}: run them.")
    if reasons:
        refused.extend(Refusal(folder, reason) for reason in reasons)
        return None
    try:
        result = follow_branch(images)
        if metal:
            doubt = f"By {metal} the crystal is a metal, in which a Berry phase means nothing."
            result = replace(result, doubts=(*result.doubts, doubt))
    except InputError as error:
        refused.append(Refusal(folder, str(error)))
        return None
    if not result.smooth:
        refused.append(
            Refusal(
                folder, f"The branch is not certain, so no polarization is told. {' '.join(result.doubts)}"
            )
        )
    edited = tuple(name for image in asked.images for name in _edited(asked, image, prefix=True))
    return TakenPath(folder, result, tuple(images), edited)


def _image(asked: Asked, folder: str, known: Sequence[Calculation]) -> BerryPhaseImage:
    try:
        read = image_reader(asked.format)
    except NotFoundError as error:
        raise InputError(str(error)) from None
    image = read(asked.root, folder)
    if (calculation := asked.image(folder)) is not None:
        require_own_image(image, calculation, [c for c in known if c.kind == BERRY_PHASE])
    return image


def _edited(asked: Asked, folder: str, prefix: bool = False) -> tuple[str, ...]:
    """Names of a run's inputs that are not as they were exported, or cannot be looked at."""
    names = []
    for path, checksum in sorted(asked.inputs.items()):
        if path.rpartition("/")[0] != folder:
            continue
        try:
            same = read_output(asked.root, path).sha256 == checksum
        except InputError:
            same = False
        if not same:
            name = path.rpartition("/")[2]
            names.append(f"{folder.rpartition('/')[2]}/{name}" if prefix else name)
    return tuple(names)
