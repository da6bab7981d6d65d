"""Is a finished run of the crystal, and of the kind, that was asked for?

Composition, functional, U, charge and kind must be the asked ones. A run that moves nothing must stand at the exported
geometry, or at the one that the candidate's own relaxation ended in. A run that moves atoms may have begun elsewhere
nearby (a continued relaxation), which is told; it may not have begun at another run's geometry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..core.errors import InputError
from .berry_phase_image import BerryPhaseImage
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, STATIC, VACANCY, Calculation
from .finished_run import CELL, NOTHING, POSITIONS, FinishedRun, Geometry

SAME_STRAIN = 1e-4
SAME_PLACE_ANGSTROM = 1e-3
"""Between an exported geometry and that of its run; outputs print cells with six digits or more. Neighbouring images of
a path are ten times as far apart."""
LARGEST_STRAIN = 0.1
"""Of a relaxation, against the exported cell; one that does more has left the crystal that was asked about."""
LARGEST_MOVE_ANGSTROM = 1.5
"""Of an atom in a relaxation, without the common drift; half a bond and more."""
LARGEST_CHARGE = 0.01
SAME_U_EV = 0.01
MAY_MOVE = {
    RELAXATION: (CELL,),
    STATIC: (NOTHING,),
    BERRY_PHASE: (NOTHING,),
    PRISTINE: (NOTHING, POSITIONS),
    VACANCY: (POSITIONS,),
}
_KINDS = {
    NOTHING: "moved nothing (a static run)",
    POSITIONS: "moved positions in a cell that was held",
    CELL: "moved positions and cell",
}


def require_own(
    run: FinishedRun, asked: Calculation, others: Iterable[Calculation], relaxed: Geometry | None = None
) -> list[str]:
    """Hold a run against what was asked for.

    Args:
        run: What its output says.
        asked: What the manifest says.
        others: The manifest's other calculations, to name the one a stray output is of.
        relaxed: Where the candidate's own relaxation ended.

    Returns:
        Sentences on what is unusual and still right.

    Raises:
        InputError: it is of another crystal, geometry, functional, charge or kind.
    """
    where = run.files[0].name if run.files else asked.folder
    _require_species(run.species, asked, where)
    _require_functional(run.functional, run.hubbard, asked, where)
    _require_charge(run.charge, asked, where)
    if run.moved not in MAY_MOVE[asked.kind]:
        wanted = " or ".join(_KINDS[moved] for moved in MAY_MOVE[asked.kind])
        raise InputError(
            f"{where} is another kind of run: it {_KINDS[run.moved]}, where one is wanted that {wanted}."
        )
    if run.moved == NOTHING:
        return _at_its_place(run.last, asked, others, relaxed, where)
    return _from_its_place(run, asked, others, where)


def require_own_image(image: BerryPhaseImage, asked: Calculation, others: Iterable[Calculation]) -> None:
    """Hold an image of a polarization path against what was asked for.

    Raises:
        InputError: it is of another crystal, geometry, functional or charge.
    """
    where = image.files[0].name if image.files else asked.folder
    if _names_symbols(image.species):
        _require_species(image.species, asked, where)
    elif _pattern(image.species) != _pattern(asked.species):
        raise InputError(
            f"{where} has another composition than the {_composition(asked.species)} that was exported."
        )
    _require_functional(image.functional, None, asked, where)
    _require_charge(image.charge, asked, where)
    _at_its_place(Geometry(image.lattice, image.positions), asked, others, None, where)


def differences(geometry: Geometry, asked: Geometry, drift: bool = False) -> tuple[float, float]:
    """Largest element of the strain (and rotation), and largest distance of an atom from its place, A.

    Args:
        geometry: Of the run.
        asked: Of the manifest, with as many atoms in the same order.
        drift: Whether a shift of all atoms together counts as none.
    """
    strain = np.linalg.solve(asked.lattice, geometry.lattice) - np.eye(3)
    moves = geometry.positions - asked.positions
    moves -= np.rint(moves)
    if drift:
        # About the first atom, so that none is wrapped on its own.
        moves -= moves[0]
        moves -= np.rint(moves)
        moves -= moves.mean(axis=0)
    return float(np.abs(strain).max()), float(np.linalg.norm(moves @ asked.lattice, axis=1).max())


def same_geometry(one: Geometry, other: Geometry) -> bool:
    """Whether two geometries of the same atoms are one, as far as outputs print them."""
    strain, move = differences(one, other)
    return strain <= SAME_STRAIN and move <= SAME_PLACE_ANGSTROM


def geometry_of(asked: Calculation) -> Geometry:
    """As arrays."""
    return Geometry(np.array(asked.lattice), np.array(asked.positions))


def _require_species(species: Sequence[str], asked: Calculation, where: str) -> None:
    if Counter(species) != Counter(asked.species):
        raise InputError(
            f"{where} is of another crystal: it has {_composition(species)}, exported was "
            f"{_composition(asked.species)}. Put the output of {asked.folder} there."
        )
    if tuple(species) != tuple(asked.species):
        raise InputError(
            f"{where} lists its atoms in another order than the exported input. Run the exported input."
        )


def _require_functional(functional: str, hubbard: object, asked: Calculation, where: str) -> None:
    if functional.lower() != asked.functional.lower():
        raise InputError(
            f"{where} was run with {functional}, exported was {asked.functional}. Use pseudopotentials and "
            f"settings of {asked.functional}, or export for {functional}."
        )
    wanted = asked.hubbard or {}
    if isinstance(hubbard, dict) and (
        set(hubbard) != set(wanted) or any(abs(hubbard[e] - float(wanted[e])) > SAME_U_EV for e in wanted)
    ):
        raise InputError(
            f"{where} was run with U of {_told(hubbard)}, exported was {_told(wanted)}. Run the exported input."
        )


def _require_charge(charge: float | None, asked: Calculation, where: str) -> None:
    if charge is not None and abs(charge - asked.charge) > LARGEST_CHARGE:
        raise InputError(
            f"{where} is of a cell with charge {charge:+.2f} e, exported was {asked.charge:+d}. Leave the number "
            "of electrons as it was exported."
        )


def _at_its_place(
    geometry: Geometry,
    asked: Calculation,
    others: Iterable[Calculation],
    relaxed: Geometry | None,
    where: str,
) -> list[str]:
    strain, move = differences(geometry, geometry_of(asked))
    if same_geometry(geometry, geometry_of(asked)):
        return []
    if relaxed is not None and same_geometry(geometry, relaxed):
        return [f"{asked.folder} was run at the geometry that the candidate's relaxation ended in."]
    raise InputError(
        f"{where} is of another geometry than the exported one: its cell differs by {strain:.4f} (at most "
        f"{SAME_STRAIN:g}), an atom by "
        f"{move:.3f} A (at most {SAME_PLACE_ANGSTROM:g}).{_whose(geometry, asked, others)} Run the exported "
        "input, or export the crystal anew."
    )


def _from_its_place(
    run: FinishedRun, asked: Calculation, others: Iterable[Calculation], where: str
) -> list[str]:
    exported = geometry_of(asked)
    strain, move = differences(run.last, exported, drift=True)
    if strain > LARGEST_STRAIN or move > LARGEST_MOVE_ANGSTROM:
        raise InputError(
            f"{where} ended in another crystal: its cell differs from the exported one by {strain:.2f} (at most "
            f"{LARGEST_STRAIN}), an atom by "
            f"{move:.2f} A (at most {LARGEST_MOVE_ANGSTROM:g}). Look at it; to go on with that crystal, give it "
            "to the store by itself."
        )
    held = run.moved == POSITIONS
    if held and strain > SAME_STRAIN:
        raise InputError(
            f"{where} is in another cell than the exported one: it differs by {strain:.4f}. Run the exported input."
        )
    if run.first is None or same_geometry(run.first, exported):
        return []
    whose = _whose(run.first, asked, others)
    if whose:
        raise InputError(
            f"{where} began at another geometry than the exported one.{whose} Put the output of {asked.folder} there."
        )
    strain, move = differences(run.first, exported, drift=True)
    return [
        f"{asked.folder} began {move:.3f} A and a strain of {strain:.4f} from the exported geometry: taken as a "
        "relaxation that was continued."
    ]


def _whose(geometry: Geometry, asked: Calculation, others: Iterable[Calculation]) -> str:
    """A sentence that names the run whose geometry it is; empty if it is nobody's."""
    for other in others:
        if other.folder == asked.folder or other.species != asked.species:
            continue
        theirs = geometry_of(other)
        if same_geometry(geometry, theirs) and not same_geometry(theirs, geometry_of(asked)):
            return f" It is the geometry of {other.folder}."
    return ""


def _composition(species: Iterable[str]) -> str:
    return " ".join(f"{symbol}{count}" for symbol, count in sorted(Counter(species).items()))


def _told(hubbard: dict[str, float]) -> str:
    return ", ".join(f"{symbol} {value:g} eV" for symbol, value in sorted(hubbard.items())) or "none"


def _names_symbols(labels: Iterable[str]) -> bool:
    return all(label[:1].isalpha() for label in labels)


def _pattern(labels: Sequence[str]) -> list[int]:
    """Which sites are of one element, whatever it is called."""
    seen = list(dict.fromkeys(labels))
    return [seen.index(label) for label in labels]
