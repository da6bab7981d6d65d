"""What a run is told: presets, RUN.toml and options, resolved into one validated model.

Options override the file, the file overrides the preset. The resolved copy is stored with the run
and is all that a resumed run reads.
"""

from __future__ import annotations

import os
import re
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from ..core.errors import HysteronError, NotFoundError, SettingsError, nearest
from ..core.registry import names
from ..core.settings import Settings, read_toml, validate
from ..export import FORMATS, FORMATS_GROUP
from ..predictors import POTENTIALS, PREDICTORS

LARGEST_SEED = 2**63 - 1
"""What JSON and TOML can say of an integer everywhere."""


class RunTable(Settings):
    """`[run]`: how much, from which random numbers, for what.

    Attributes:
        preset: Which device the shortlist is for.
        seed: Root of every random stream of the run.
        budget: Wall time, such as `5m`, `90s`, `2h`; what it reaches depends on the machine.
        relaxations: A fixed amount of work instead of a budget.
        proposals: New crystals to propose; by default as many as the work calls for.
        known: Known materials to screen beside the new ones.
        question: Which known materials to start from, in plain words, as `hysteron ask` reads them.
    """

    preset: str = "all"
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    budget: str | None = "5m"
    relaxations: int | None = Field(default=None, ge=1)
    proposals: int | None = Field(default=None, ge=1)
    known: int = Field(default=120, ge=0)
    question: str = ""

    @field_validator("budget")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            seconds(value)
        return value


class PlanTable(Settings):
    """What the planner made of `[run] question`; kept with the run, never written by the user.

    Attributes:
        filter: Every source is asked it, besides its own filter.
        assumptions: What was meant by which words.
        sort: As `hysteron query --sort`.
        limit: At most so many known materials, in that order.
    """

    filter: str | None
    assumptions: tuple[str, ...] = ()
    sort: str | None = None
    limit: int | None = None


class SourceTable(Settings):
    """`[[source]]`: where known materials come from. `path` is a folder, an address or the name of a provider."""

    name: str
    filter: str | None = None
    path: str | None = None

    @field_validator("path")
    @classmethod
    def _keeps_no_password(cls, value: str | None) -> str | None:
        from ..store.address import names_password

        if value is not None and names_password(value):
            # No ValueError, whose message would repeat the value.
            raise SettingsError(
                "[[source]] path: settings are kept with the run, so no password belongs into an address. Leave it out: that of "
                "a store is taken from HYSTERON_STORE or from .pgpass."
            )
        return value


class GeneratorTable(Settings):
    """`[[generator]]`: who proposes. `settings` are its own.

    Attributes:
        share: Of the proposals, weighed against the other generators' shares: 3 and 1 are three quarters and one. 0 leaves
            a generator of the preset out.
    """

    name: str
    share: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    settings: dict[str, Any] = {}


class PotentialTable(Settings):
    """`[potential]`: what energies come from, how a relaxation moves, and when it ends.

    Attributes:
        device: Where energies are computed, as torch names it: `cpu`, `cuda`. A GPU wants `workers = 1`.
        method: `bfgs`, or `fire` to take the steps that ASE's FIRE takes.
        cell: `free`, `fixed`, or `volume`: the shape is free at fixed volume.
        pressure_gpa: Positive compresses. Hulls stand at zero pressure.
        symmetry: Keep the space group of each crystal exactly.
        second_opinion: Another potential that is asked about the shortlist, at the relaxed geometries; the
            difference widens the uncertainty of the energy above hull.
    """

    name: str = "chgnet"
    device: str = "cpu"
    method: Literal["bfgs", "fire"] = "bfgs"
    cell: Literal["free", "fixed", "volume"] = "free"
    pressure_gpa: float = Field(default=0.0, allow_inf_nan=False)
    symmetry: bool = False
    max_force: float = Field(default=0.05, gt=0, description="eV/A")
    max_steps: int = Field(default=300, ge=1)
    workers: int | None = Field(default=None, ge=1)
    second_opinion: str | None = None

    @field_validator("second_opinion")
    @classmethod
    def _registered(cls, value: str | None) -> str | None:
        if value is not None:
            from ..predictors.potentials.loading import split_name

            try:
                split_name(value, POTENTIALS)
            except NotFoundError as error:
                raise ValueError(str(error)) from None
        return value


class PredictorTable(Settings):
    """`[[predictor]]`: what is predicted of every crystal before it is screened; the first one also orders the
    proposals before they are relaxed."""

    name: str

    @field_validator("name")
    @classmethod
    def _registered(cls, value: str) -> str:
        known = names(PREDICTORS, "hysteron.predictors")
        if value not in known:
            raise ValueError(f"no predictor {value!r}. {nearest(value, known)}")
        return value


class ScreenTable(Settings):
    """`[[screen]]`: which question is asked. `settings` are its windows."""

    name: str
    settings: dict[str, Any] = {}


class RankTable(Settings):
    """`[rank]`: how the shortlist is made. `settings` are the ranking's own.

    Attributes:
        top: Length of the shortlist.
        known: Known materials that may stand before new ones, to compare with.
    """

    top: int = Field(default=15, ge=1)
    known: int = Field(default=4, ge=0)
    settings: dict[str, Any] = {}


class ExportTable(Settings):
    """`[export]`: which DFT inputs are written for the head of the shortlist. `settings` are those of the formats.

    Attributes:
        formats: `vasp`, `espresso`, `gpaw`, `atomate2`, `cif`.
        top: For so many candidates.
        choose: Which ones: by `rank`; by the `improvement` that an answer is expected to make to the front of stability and
            device score; or by the `bound` of it, if all comes out better than expected. Nobody is asked twice.
        settings: By format; `[export.gpaw]` in the file.
    """

    formats: tuple[str, ...] = ("vasp", "espresso", "cif")
    top: int = Field(default=10, ge=1)
    choose: Literal["rank", "improvement", "bound"] = "rank"
    settings: dict[str, Any] = {}

    @field_validator("formats")
    @classmethod
    def _registered(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = names(FORMATS, FORMATS_GROUP)
        for name in value:
            if name not in known:
                raise ValueError(f"no format {name!r}. {nearest(name, known)}")
        return value

    @field_validator("settings")
    @classmethod
    def _known_to_the_formats(cls, value: dict[str, Any]) -> dict[str, Any]:
        from ..export.bundle import load_writer

        for name, own in value.items():
            if not isinstance(own, dict):
                raise ValueError(
                    f"no key {name!r}: [export] knows formats, top and choose, and a table for each format"
                )
            try:
                load_writer(name, own)
            except HysteronError as error:
                raise ValueError(str(error)) from None
        return value


class LearnTable(Settings):
    """`[learn]`: what ingested DFT results change.

    Attributes:
        use: Judge by estimates that the newest lesson of the store has corrected, where it corrects them.
        at_start: Make a lesson when the run begins, if DFT results were ingested since the last one.
    """

    use: bool = True
    at_start: bool = True


REFINED_AT_MOST = 12
RELAXATIONS_A_REFINEMENT = 100


class FlowTable(Settings):
    """`[flow]`: how work is cut up and carried out. What comes out does not depend on who carries it out.

    Attributes:
        runner: `local`: chunk by chunk, each of which processes of this machine share (`[potential] workers`). The others carry
            out several chunks at once: `processes` of this machine, `dask` or `ray` workers of this machine or of a cluster.
        workers: So many chunks at once, by default as many as there are cores; `local` takes one.
        address: Of a Dask scheduler or a Ray cluster that runs already; without one, workers of this machine are started.
        chunk: Structures a task.
        refine: How many of the most promising candidates get the costly physics of the screens (vacancies, hops), minutes
            each. By default of a wall-time budget up to `REFINED_AT_MOST`, as many as there is time for; of a fixed amount
            of work one for every `RELAXATIONS_A_REFINEMENT`.
    """

    runner: Literal["local", "processes", "dask", "ray"] = "local"
    workers: int | None = Field(default=None, ge=1)
    address: str | None = None
    chunk: int = Field(default=24, ge=1)
    refine: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _fits_the_runner(self) -> FlowTable:
        if self.runner == "local" and self.workers not in (None, 1):
            raise ValueError(
                "the local runner takes one chunk at a time; [potential] workers says how many processes share it"
            )
        if self.address is not None and self.runner not in ("dask", "ray"):
            raise ValueError(f"an address is that of a dask or ray cluster, not of {self.runner}")
        return self

    @property
    def at_once(self) -> int:
        """Chunks that are carried out at once."""
        return 1 if self.runner == "local" else self.workers or os.cpu_count() or 1


class RunSettings(Settings):
    """A whole RUN.toml, every table validated."""

    run: RunTable = RunTable()
    plan: PlanTable | None = None
    source: tuple[SourceTable, ...] = (SourceTable(name="catalog"),)
    generator: tuple[GeneratorTable, ...] = (GeneratorTable(name="substitution"),)
    potential: PotentialTable = PotentialTable()
    predictor: tuple[PredictorTable, ...] = (PredictorTable(name="properties"),)
    screen: tuple[ScreenTable, ...] = ()
    rank: RankTable = RankTable()
    export: ExportTable = ExportTable()
    learn: LearnTable = LearnTable()
    flow: FlowTable = FlowTable()

    @property
    def refinements(self) -> int:
        """How many candidates are refined at most."""
        if self.flow.refine is not None:
            return self.flow.refine
        if self.budget_seconds is not None:
            return REFINED_AT_MOST
        return (self.run.relaxations or 0) // RELAXATIONS_A_REFINEMENT

    @property
    def budget_seconds(self) -> float | None:
        """Wall time, s; `None` when the run is a fixed amount of work."""
        if self.run.relaxations is not None or self.run.budget is None:
            return None
        return seconds(self.run.budget)


_TABLES: dict[str, type[Settings]] = {
    "run": RunTable,
    "source": SourceTable,
    "generator": GeneratorTable,
    "potential": PotentialTable,
    "predictor": PredictorTable,
    "screen": ScreenTable,
    "rank": RankTable,
    "export": ExportTable,
    "learn": LearnTable,
    "flow": FlowTable,
}
_LISTS = ("source", "generator", "predictor", "screen")
_WITH_OWN_SETTINGS = ("generator", "screen", "rank", "export")


def presets() -> list[str]:
    """Names of the shipped presets."""
    folder = resources.files("hysteron.data").joinpath("presets")
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def resolve(path: Path | None = None, options: dict[str, Any] | None = None) -> RunSettings:
    """Preset, then file, then options.

    Args:
        path: A RUN.toml, or none.
        options: Values for `[run]` from the command line; `None` values are not given.

    Raises:
        SettingsError: unknown preset, table or key, or values that exclude each other.
    """
    given = {key: value for key, value in (options or {}).items() if value is not None}
    file = read_toml(path) if path else {}
    if given.get("relaxations") is not None and given.get("budget") is not None:
        raise SettingsError(
            "--budget and --relaxations exclude each other: wall time, or a fixed amount of work."
        )
    preset = given.get("preset") or _table(file, "run", path).get("preset", "all")
    if preset not in presets():
        raise SettingsError(f"No preset {preset!r}. {nearest(preset, presets())}")
    from_preset = _read_preset(preset)
    merged = _merge(_merge(from_preset, file, path), {"run": given | {"preset": preset}}, None)
    if "relaxations" in given:
        merged["run"].pop("budget", None)
    if "budget" in given:
        merged["run"].pop("relaxations", None)
    settings = _validated(merged, str(path) if path else f"preset {preset!r}")
    return settings.model_copy(update={"plan": _planned(settings.run.question)})


def _planned(question: str) -> PlanTable | None:
    """What the planner makes of a run's question: filter, assumptions, order and limit; `None` of no question.

    Raises:
        QuestionError: the question is not understood.
        SettingsError: it asks for a synthesis, which is no set of materials to start from.
    """
    if not question:
        return None
    from ..retrieval.planner.planner import plan

    made = plan(question)
    if made.kind == "synthesis":
        raise SettingsError("[run] question: a run starts from known materials, not from a synthesis.")
    return PlanTable(filter=made.filter, assumptions=made.assumptions, sort=made.sort, limit=made.limit)


def from_stored(values: dict[str, Any]) -> RunSettings:
    """The settings of a stored run."""
    return validate(RunSettings, values, "the stored run")


def seconds(text: str) -> float:
    """Wall time in s from `90s`, `5m`, `1h30m` or a bare number of seconds.

    Raises:
        ValueError: it is none of these, or not positive.
    """
    text = text.strip().lower()
    parts = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text)
    if not text or not parts:
        raise ValueError(f"{text!r} is not a wall time; write 90s, 5m or 1h30m")
    hours, minutes, rest = (float(part or 0) for part in parts.groups())
    total = 3600 * hours + 60 * minutes + rest
    if total <= 0:
        raise ValueError(f"{text!r} is no time at all")
    return total


def _read_preset(name: str) -> dict[str, Any]:
    with resources.as_file(resources.files("hysteron.data").joinpath("presets", f"{name}.toml")) as path:
        return read_toml(path)


def _merge(base: dict[str, Any], over: dict[str, Any], path: Path | None) -> dict[str, Any]:
    """Tables key by key; lists of tables entry by entry, matched by name."""
    merged: dict[str, Any] = dict(base)
    for key, value in over.items():
        if key not in _TABLES:
            raise SettingsError(f"{path or 'The settings'} have no table [{key}]. {nearest(key, _TABLES)}")
        if key in _LISTS:
            merged[key] = _merge_list(merged.get(key, []), value, key)
        else:
            merged[key] = merged.get(key, {}) | _table(over, key, path)
    return merged


def _merge_list(base: list[dict[str, Any]], over: Any, key: str) -> list[dict[str, Any]]:
    if not isinstance(over, list) or not all(isinstance(row, dict) and "name" in row for row in over):
        raise SettingsError(f"Write [[{key}]] with a name in each.")
    rows = {row["name"]: row for row in base}
    for row in over:
        rows[row["name"]] = rows.get(row["name"], {}) | row
    return list(rows.values())


def _table(values: dict[str, Any], key: str, path: Path | None) -> dict[str, Any]:
    table = values.get(key, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{path or 'The settings'}: [{key}] is a table, written [{key}].")
    return table


def _validated(merged: dict[str, Any], where: str) -> RunSettings:
    tables: dict[str, Any] = {}
    for key, value in merged.items():
        rows = value if key in _LISTS else [value]
        models = [validate(_TABLES[key], _with_own(key, row), f"{where}, [{key}]") for row in rows]
        tables[key] = tuple(models) if key in _LISTS else models[0]
    settings = _one_process_a_chunk(RunSettings(**tables))
    if not any(table.share for table in settings.generator):
        raise SettingsError(f"{where}: nobody proposes. Give a [[generator]] a share above 0.")
    return settings


def _one_process_a_chunk(settings: RunSettings) -> RunSettings:
    """Where several chunks are carried out at once, each is by default left to one process."""
    if settings.flow.runner == "local" or settings.potential.workers is not None:
        return settings
    return settings.model_copy(update={"potential": settings.potential.model_copy(update={"workers": 1})})


def _with_own(key: str, row: dict[str, Any]) -> dict[str, Any]:
    """Keys that the table itself does not know are the component's own settings."""
    if key not in _WITH_OWN_SETTINGS:
        return row
    known = set(_TABLES[key].model_fields) - {"settings"}
    own = {name: value for name, value in row.items() if name not in known}
    return {name: value for name, value in row.items() if name in known} | ({"settings": own} if own else {})
