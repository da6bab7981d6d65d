"""atomate2 flows: relaxation and static run, the ferroelectric flow, vacancies, as files that jobflow loads.

Each folder holds one `flow.json`, written as `DoubleRelaxMaker`, `FerroelectricMaker` and their like make it, with the Materials
Project's PBE(+U) sets, so that results stand beside those of the `vasp` format. atomate2 is not needed to write them; it
wants an environment of its own to run them.

Source: the makers of atomate2 0.1.5 (Ganose et al., Digital Discovery 4, 1944 (2025), doi:10.1039/D5DD00019J).
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from ..core.candidate import Candidate
from .calculation import BERRY_PHASE, PRISTINE, RELAXATION, VACANCY, Calculation
from .conventions import functional, hubbard
from .jobflow import Job, flow, imported, job, made
from .manifest import Written
from .plan import ABOUT_VACANCIES, PATH_FOLDER, Plan, PlanSettings, Run, plan_of
from .vasp import HELD_CELL, require_potcars, special_elements

if TYPE_CHECKING:
    from pymatgen.core import Structure

FLOW_NAME = "flow.json"
VASP_SETS = "pymatgen.io.vasp.sets"
MP_JOBS = "atomate2.vasp.jobs.mp"
FERROELECTRIC_JOBS = "atomate2.vasp.jobs.ferroelectric"
TASK = imported("emmet.core.tasks", "TaskDoc")
START_FROM = {"additional_vasp_files": ["WAVECAR", "CHGCAR"]}
BANDS = "pymatgen.electronic_structure.bandstructure"
DENSITIES = "pymatgen.electronic_structure.dos"
LARGE_OBJECTS = [
    imported("pymatgen.io.vasp.outputs", "Wavecar"),
    "force_constants",
    "normalmode_eigenvecs",
    "bandstructure",
    imported(BANDS, "BandStructure"),
    imported(BANDS, "BandStructureSymmLine"),
    imported(DENSITIES, "DOS"),
    imported(DENSITIES, "Dos"),
    imported(DENSITIES, "CompleteDos"),
    imported("pymatgen.io.vasp.outputs", "Locpot"),
    imported("pymatgen.io.vasp.outputs", "Chgcar"),
    imported("pymatgen.core.trajectory", "Trajectory"),
]
"""What atomate2's VASP jobs put into the store for large data."""


class Atomate2Settings(PlanSettings):
    """What can be chosen of the atomate2 flows."""


class Atomate2Writer:
    """Writes one candidate's flows."""

    settings_model = Atomate2Settings
    libraries = ("pymatgen",)
    about = (
        "Each flow.json is a jobflow Flow for atomate2 0.1.5, in an environment of its own (pip install atomate2): "
        "flow = monty.serialization.loadfn('flow.json'), then jobflow.run_locally(flow, create_folders=True) or "
        "jobflow_remote.submit_flow(flow). atomate2 writes the POTCARs from your licensed files. Equal flows have equal job ids.",
        "All jobs take the Materials Project's PBE sets (MPRelaxSet, MPStaticSet), with its +U in oxides and fluorides.",
        "relax/ is two relaxations and a static run at the relaxed geometry. A candidate with a nonpolar reference has "
        "polarization/ in its place: both ends are relaxed, and Berry-phase runs (LCALCPOL) follow the way between "
        "them, as atomate2's FerroelectricMaker does; the polarization is in the output of the last job.",
        "vacancy/ (where the resistive-switching screen has named a site) holds supercells whose atoms are relaxed in a cell "
        "that is held. " + ABOUT_VACANCIES,
        "Results stay in jobflow's store; 'hysteron ingest' does not read them.",
    )

    def __init__(self, settings: Atomate2Settings | None = None) -> None:
        self.settings = settings or Atomate2Settings()

    def write(self, candidate: Candidate, folder: Path) -> Written:
        """Write the flows into an existing folder.

        Raises:
            StructureError: an element without a POTCAR in the set, a disordered or empty structure.
        """
        plan = plan_of(candidate, self.settings)
        require_potcars(plan.structure)
        formula = plan.structure.composition.reduced_formula
        path = plan.of(BERRY_PHASE)
        if path:
            _write(ferroelectric_flow(formula, path), folder / PATH_FOLDER)
        else:
            _write(relaxation_flow(formula, plan.structure), folder / "relax")
        for run in plan.of(PRISTINE, VACANCY):
            _write(supercell_flow(formula, run), folder / run.folder)
        notes = (*special_elements(plan.structure), *plan.notes)
        return Written(notes, tuple(_calculations(plan, folder.name)))


def relaxation_flow(formula: str, structure: Structure) -> Job:
    """Two relaxations and a static run, as `MPGGADoubleRelaxStaticMaker` makes them."""
    relaxed = _double_relaxation(_as_json(structure))
    static = _maker("MPGGAStaticMaker", "MP GGA static", copy_vasp_kwargs=START_FROM)
    last = _vasp_job(static, [], structure=relaxed.output("structure"), prev_dir=relaxed.output("dir_name"))
    return flow(f"{formula} MP GGA relax", [relaxed, last], last)


def ferroelectric_flow(formula: str, path: list[Run]) -> Job:
    """Both ends relaxed, Berry-phase runs on the way between them, and their analysis, as `FerroelectricMaker` makes them.

    Args:
        formula: Of the crystal.
        path: The images from the nonpolar to the polar end; those between are made anew from the relaxed ends.
    """
    berry = _berry_maker(path[-1].mesh_of)
    jobs: list[Job] = []
    ends = {}
    for name, run in (("polar", path[-1]), ("nonpolar", path[0])):
        relaxed = _double_relaxation(_as_json(run.structure), f" {name}")
        named = berry | {"name": f"polarization {name}"}
        ends[name] = _vasp_job(named, [relaxed.output("structure")], prev_dir=relaxed.output("dir_name"))
        jobs += [relaxed, ends[name]]
    polar, nonpolar = ends["polar"], ends["nonpolar"]
    between = [polar.output("structure"), nonpolar.output("structure"), len(path) - 2]
    images = _step("interpolate_structures", between)
    runs = _step("add_interpolation_flow", [images.output(), berry])
    analysis = _step(
        "polarization_analysis",
        [_dipoles(nonpolar), _dipoles(polar), runs.output()],
        schema=imported("atomate2.vasp.schemas.ferroelectric", "PolarizationDocument"),
    )
    return flow(f"{formula} ferroelectric", [*jobs, images, runs, analysis], analysis)


def supercell_flow(formula: str, run: Run) -> Job:
    """One relaxation of the atoms of a supercell; its k-points depend on the cell alone."""
    inputs = made(VASP_SETS, "MPRelaxSet", force_gamma=True, user_incar_settings=HELD_CELL)
    name = f"{formula} {run.folder.replace('/', ' ')}"
    relaxed = _vasp_job(
        _maker("MPGGARelaxMaker", name, input_set_generator=inputs), [_as_json(run.structure)]
    )
    return flow(name, [relaxed], relaxed)


def _double_relaxation(structure: dict[str, Any], end: str = "") -> Job:
    first = _vasp_job(_maker("MPGGARelaxMaker", f"MP GGA relax 1{end}"), [structure], prev_dir=None)
    second = _vasp_job(
        _maker("MPGGARelaxMaker", f"MP GGA relax 2{end}", copy_vasp_kwargs=START_FROM),
        [first.output("structure")],
        prev_dir=first.output("dir_name"),
    )
    return flow(f"MP GGA double relax{end}", [first, second], second)


def _berry_maker(polar: Structure) -> dict[str, Any]:
    """Of Berry-phase runs, all on the k-point mesh of the polar end."""
    from pymatgen.io.vasp.sets import MPStaticSet

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mesh: Any = MPStaticSet(polar, force_gamma=True).kpoints
    inputs = made(
        VASP_SETS, "MPStaticSet", lcalcpol=True, force_gamma=True, user_kpoints_settings=mesh.as_dict()
    )
    return made(
        "atomate2.vasp.jobs.core", "PolarizationMaker", name="polarization", input_set_generator=inputs
    )


def _dipoles(run: Job) -> dict[str, Any]:
    """What the analysis needs of a Berry-phase run, as `get_polarization_output` picks it."""
    last = ("calcs_reversed", 0, "output")
    return {
        "energy_per_atom": run.output(*last, "energy_per_atom"),
        "energy": run.output(*last, "energy"),
        "task_label": run.output("task_label"),
        "structure": run.output("structure"),
        "zval_dict": run.output(*last, "outcar", "[zval_dict]"),
        "p_elecs": run.output(*last, "outcar", "[p_elec]"),
        "job_dir": run.output("dir_name"),
        "uuid": run.uuid,
    }


def _maker(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    return made(MP_JOBS, kind, name=name, **fields)


def _vasp_job(maker: dict[str, Any], args: list[Any], **named: Any) -> Job:
    make = imported("atomate2.vasp.jobs.base", "BaseVaspMaker.make", maker)
    return job(maker["name"], make, args, schema=TASK, function_kwargs=named, data=LARGE_OBJECTS)


def _step(name: str, args: list[Any], schema: dict[str, Any] | None = None) -> Job:
    return job(name, imported(FERROELECTRIC_JOBS, name), args, schema=schema)


def _as_json(structure: Structure) -> dict[str, Any]:
    return structure.as_dict()


def _write(whole: Job, folder: Path) -> None:
    folder.mkdir(parents=True)
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY
    (folder / FLOW_NAME).write_bytes(orjson.dumps(whole.record, option=options))


def _calculations(plan: Plan, name: str) -> list[Calculation]:
    """Of the geometries that stand in the files; those between the ends of a path are made when it runs."""
    path = plan.of(BERRY_PHASE)
    started = [path[0], path[-1]] if path else plan.of(RELAXATION)
    set_u = hubbard(plan.structure)
    return [
        Calculation.of(
            run.structure,
            run.kind,
            f"{name}/{PATH_FOLDER if run.kind == BERRY_PHASE else run.folder}",
            functional("PBE", set_u),
            hubbard=set_u,
            **run.more,
        )
        for run in (*started, *plan.of(PRISTINE, VACANCY))
    ]
