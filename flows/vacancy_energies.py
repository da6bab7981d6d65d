"""What does the potential say of the oxygen vacancies that DFT has computed?

Each host of `predictors.datasets.vacancy_hosts` is relaxed and its vacancies with it, as the screen does it. That takes seconds a
host, so each result is a line in `HYSTERON_HOME/cache/vacancies/KEY.jsonl`; the key is made of all that decides it: potential,
relaxers, hull and the code of the vacancies. The correction is fitted to these lines, and the benchmark is measured on them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.contracts import Tools
from ..core.lines import append_lines, read_lines
from ..core.settings import config_hash, home
from ..core.supercells import APART_ANGSTROM, ATOMS_MAX
from ..predictors.datasets.vacancy_hosts import REFERENCE_SHIFT_EV, VacancyHost, vacancy_hosts
from ..screening.defects.vacancies import vacancies_of

if TYPE_CHECKING:
    from pymatgen.core import Structure

ELEMENT = "O"
SOURCE = "Emery and Wolverton, Sci. Data 4, 170153 (2017), doi:10.1038/sdata.2017.153, hosts within 0.1 eV/atom of the hull"
LICENCE = "CC BY 4.0 (data), fitted by this project"
TARGET = "PBE+U (OQMD)"
CODE = ("core/supercells.py", "screening/defects/vacancies.py")


@dataclass(frozen=True, eq=False)
class MeasuredHost:
    """A host of the table with what the potential says.

    Attributes:
        host: As matched.
        relaxed: By the potential, atoms and cell; `None` if that failed.
        record: As `Vacancies.record`; `None` if there is none.
        failure: Why, in a sentence.
        seconds: Wall time of both relaxations.
    """

    host: VacancyHost
    relaxed: Structure | None
    record: dict[str, Any] | None
    failure: str | None
    seconds: float

    @property
    def energy(self) -> float | None:
        """Of the cheapest vacancy, eV, at the reference phase's chemical potential."""
        return None if self.record is None else float(self.record["energy_at_reference"])


def measured_hosts(
    hosts: Sequence[VacancyHost],
    tools: Tools,
    resume: bool = True,
    folder: Path | None = None,
    told: Callable[[int, int], None] | None = None,
) -> list[MeasuredHost]:
    """One result per host, in order; what an earlier call has measured is not measured again.

    Args:
        hosts: To measure.
        tools: `relaxer`, `atoms_relaxer` and `hull`.
        resume: Keep what was measured before.
        folder: Where lines are kept.
        told: Called with the number done and of all.
    """
    path = (folder or home() / "cache" / "vacancies") / f"{_key(tools)}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        path.unlink(missing_ok=True)
    kept = {line["host"]: line for line in read_lines(path)}
    found = []
    for i, host in enumerate(hosts, start=1):
        name = f"{host.key} {host.material_id}"
        if name not in kept:
            kept[name] = {"host": name, **_measure(host.structure, tools)}
            append_lines(path, [kept[name]])
        found.append(_read(host, kept[name]))
        if told is not None:
            told(i, len(hosts))
    return found


def correction_table(
    tools: Tools, folder: Path | None = None, told: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The correction of vacancy energies fitted to all hosts, as JSON; half an hour where nothing was measured before.

    Args:
        tools: With CHGNet as `potential`; `relaxer`, `atoms_relaxer` and `hull`.
        folder: Where measurements are kept.
        told: Called with the number of hosts done and of all.

    Raises:
        MissingDataError: the data sets are not there.
    """
    from ..predictors.vacancy_fit import build_table

    measured = measured_hosts(vacancy_hosts(), tools, folder=folder, told=told)
    usable = [one for one in measured if one.energy is not None and one.relaxed is not None]
    potential: Any = tools.potential
    return build_table(
        potential,
        [one.relaxed for one in usable if one.relaxed is not None],
        np.array([one.energy for one in usable], dtype=float),
        np.array([one.host.dft_at_reference for one in usable]),
        [one.host.formula for one in usable],
        {"source": SOURCE, "licence": LICENCE, "target": TARGET, "reference_shift": REFERENCE_SHIFT_EV},
    )


def _measure(structure: Structure, tools: Tools) -> dict[str, Any]:
    began = time.monotonic()
    assert tools.relaxer is not None
    relaxation = tools.relaxer.relax([structure])[0]
    line: dict[str, Any] = {"relaxed": None, "record": None, "failure": relaxation.failure}
    if relaxation.structure is not None and not relaxation.failure:
        line["relaxed"] = relaxation.structure.as_dict()
        vacancies = vacancies_of(relaxation.structure, ELEMENT, tools)
        if isinstance(vacancies, str):
            line["failure"] = vacancies
        else:
            line["record"] = vacancies.record()
    return line | {"seconds": time.monotonic() - began}


def _read(host: VacancyHost, line: dict[str, Any]) -> MeasuredHost:
    from pymatgen.core import Structure

    relaxed = line["relaxed"]
    structure = None if relaxed is None else Structure.from_dict(relaxed)
    return MeasuredHost(host, structure, line["record"], line["failure"], float(line["seconds"]))


def _key(tools: Tools) -> str:
    relaxer, atoms_relaxer, hull = tools.relaxer, tools.atoms_relaxer, tools.hull
    assert relaxer is not None
    assert atoms_relaxer is not None
    assert hull is not None
    digest = hashlib.sha256()
    for name in CODE:
        place = files("hysteron")
        for part in name.split("/"):
            place = place / part
        digest.update(place.read_bytes())
    return config_hash(
        {
            "potential": [relaxer.potential.name, relaxer.potential.model_hash],
            "relaxers": [relaxer.version, atoms_relaxer.version],
            "hull": hull.name,
            "supercell": [APART_ANGSTROM, ATOMS_MAX],
            "code": digest.hexdigest(),
        }
    )
