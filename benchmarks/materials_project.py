"""Are answers from the Materials Project its records, whatever the line does, and how fast do they come?

A local server with the real protocol (of the checkout's tests) serves real records of the data folder. *Questions*
of the kinds that LLaMP answers (Chiang et al., arXiv:2401.17244: bulk moduli, gaps, formation energies, systems
of several elements, magnetism, synthesis) are put to our client, and every value is held against the server's
raw records, read with plain HTTP. *Faults*: what a search gives when the line fails, against the undisturbed
search. *Throughput*: records into candidates over loopback, against the plain road through mp-api's own document
models with the same symmetry and identity, and against mp-api's models alone.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from ..core.candidate import Candidate, PropertyValue
from ..core.errors import MissingDataError, StageError
from ..core.filters import parse
from ..core.settings import data_dir, environment
from ..retrieval.materials_project.client import Client
from ..retrieval.materials_project.domains import Domains, Found
from ..retrieval.materials_project.session import Clock, Patience
from ..retrieval.materials_project.source import MaterialsProject
from ..retrieval.materials_project.synthesis import Recipes

KEY = "0123456789abcdefghijklmnopqrstuv"
PAGES = 20
CUT_PAGE = 7
LARGEST_PAGE = 1000
DRIP_SECONDS = 0.05
RESPONSE_SECONDS = 3.0
NO_RECIPE = ("BaTiO3", "SrTiO3", "HfO2", "LiNbO3", "ZnO")
RUN_TYPES = {"GGA": "PBE", "GGA+U": "PBE+U"}


Item = TypeVar("Item")


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        served: Materials drawn from the data folder for questions and faults.
        questions: Of each kind.
        disturbed: Records of the search that is disturbed, on 20 pages.
        records: Turned into candidates for the throughput.
    """

    served: int
    questions: int
    disturbed: int
    records: int


FULL = Sizes(served=4000, questions=100, disturbed=400, records=10_000)
QUICK = Sizes(served=300, questions=5, disturbed=40, records=300)


def run(seed: int = 0, quick: bool = False) -> dict[str, Any]:
    """Measure it.

    Args:
        seed: Of the choice of materials and questions.
        quick: Small samples.

    Raises:
        MissingDataError: HYSTERON_DATA_DIR is not set, or this is no checkout.
    """
    sizes, folder = QUICK if quick else FULL, data_dir()
    servers = server_modules()
    documents = servers.from_data(folder, sizes.served, seed)
    with tempfile.TemporaryDirectory(prefix="hysteron-mp-") as place, environment(MP_API_KEY=KEY):
        root = Path(place)
        with servers.MaterialsProjectServer(documents, KEY) as server:
            questions = question_figures(server, root / "questions", sizes.questions, seed)
            faults = fault_rows(servers, server, root / "faults", sizes.disturbed)
        throughput = throughput_figures(servers, folder, root / "throughput", sizes.records, seed)
        leaks = files_with_key(root)
    return {
        "benchmark": "materials-project",
        "seed": seed,
        "served_materials": len(documents.of("summary")),
        "asked": sum(row["asked"] for row in questions.values()),
        "wrong": sum(row["wrong"] for row in questions.values()),
        "values_compared": sum(row["values"] for row in questions.values()),
        "questions": questions,
        "faults": faults,
        "all_faults_same_result": all(row["same_result"] for row in faults),
        "pages_fetched_twice": sum(row["refetched_pages"] for row in faults),
        "files_that_hold_the_key": leaks,
        "throughput": throughput,
    }


def server_modules() -> ModuleType:
    """The local server of the tests.

    Raises:
        MissingDataError: it is not there.
    """
    places = (Path(__file__).resolve().parents[1] / "tests", Path.cwd() / "tests")
    tests = next((p for p in places if (p / "servers" / "materials_project.py").is_file()), None)
    if tests is None:
        raise MissingDataError(
            "The benchmark 'materials-project' needs the local server of the tests: run it in a checkout."
        )
    if str(tests) not in sys.path:
        sys.path.insert(0, str(tests))
    return import_module("servers.materials_project")


@dataclass
class Raw:
    """The server's records, read with plain HTTP and nothing of ours."""

    address: str
    routes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, route: str) -> list[dict[str, Any]]:
        """All records of a route."""
        if route not in self.routes:
            self.routes[route] = list(self._read(route))
        return self.routes[route]

    def by_id(self, route: str) -> dict[str, dict[str, Any]]:
        """The records of a route that has one per material."""
        return {record["material_id"]: record for record in self.of(route)}

    def _read(self, route: str) -> Iterator[dict[str, Any]]:
        import requests

        size = 10 if route == "synthesis" else LARGEST_PAGE
        every = {} if route == "synthesis" else {"_all_fields": "true"}
        skip, total = 0, 1
        while skip < total:
            answer = requests.get(
                f"{self.address}materials/{route}/",
                params={"_limit": size, "_skip": skip, **every},
                headers={"x-api-key": KEY},
                timeout=60,
            ).json()
            yield from answer["data"]
            skip, total = skip + size, answer["meta"]["total_doc"]


def question_figures(server: Any, root: Path, count: int, seed: int) -> dict[str, dict[str, int]]:
    """Of each kind of question: how many were asked, values compared, and questions with a wrong answer."""
    client = Client(server.url, cache_root=root)
    domains, rng = Domains(client), np.random.default_rng(seed)
    raw = Raw(server.url)
    kinds: dict[str, tuple[str, Callable[..., Found], Callable[[dict], dict[str, Any]]]] = {
        "bulk moduli": ("elasticity", domains.elasticity, _modulus),
        "band gaps": ("electronic_structure", domains.electronic_structure, _gap(raw)),
        "formation energies": ("thermo", domains.thermo, _energies),
        "magnetism": ("magnetism", domains.magnetism, _magnetization),
        "permittivities": ("dielectric", domains.dielectric, _permittivities),
    }
    found = {
        name: _of_formulas(raw, route, ask, truth, count, rng) for name, (route, ask, truth) in kinds.items()
    }
    found["multi-element systems"] = _of_systems(MaterialsProject(client), raw, count, rng)
    found["synthesis"] = _of_syntheses(Recipes(client), raw)
    return found


def _of_formulas(
    raw: Raw,
    route: str,
    ask: Callable[..., Found],
    truth: Callable[[dict], dict[str, Any]],
    count: int,
    rng: np.random.Generator,
) -> dict[str, int]:
    """What is on record for a formula: the right materials, and each with the right values."""
    formulas = sorted({record["formula_pretty"] for record in raw.of(route)})
    asked = _drawn(formulas, count, rng)
    figures = {"asked": len(asked), "values": 0, "wrong": 0}
    for formula in asked:
        expected = {
            record["material_id"]: truth(record)
            for record in raw.of(route)
            if record["formula_pretty"] == formula
        }
        answer = {material_id: _told(values) for material_id, values in ask(formula=formula).items()}
        figures["values"] += sum(map(len, expected.values()))
        figures["wrong"] += answer != expected
    return figures


def _drawn(items: list[Item], count: int, rng: np.random.Generator) -> list[Item]:
    return [items[int(i)] for i in rng.permutation(len(items))[:count]]


def _told(values: list[PropertyValue]) -> dict[str, Any]:
    """Value and, for a gap or energy, method, by name."""
    named = ("band_gap", "energy_above_hull", "formation_energy_per_atom")
    return {
        v.name: (v.value, v.method) if v.name in named else v.value for v in values if v.name != "gap_type"
    }


def _modulus(record: dict[str, Any]) -> dict[str, Any]:
    moduli = {name: record[name]["vrh"] for name in ("bulk_modulus", "shear_modulus") if name in record}
    ratio = record.get("homogeneous_poisson")
    return moduli | ({} if ratio is None else {"poisson_ratio": ratio})


def _gap(raw: Raw) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def truth(record: dict[str, Any]) -> dict[str, Any]:
        run_type = raw.by_id("core")[record["material_id"]]["run_types"][record["task_id"]]
        return {"band_gap": (record["band_gap"], RUN_TYPES[run_type])}

    return truth


def _energies(record: dict[str, Any]) -> dict[str, Any]:
    method = f"{RUN_TYPES[record['energy_type']]}, MP2020-corrected"
    named = ("formation_energy_per_atom", "energy_above_hull")
    energies = {name: (record[name], method) for name in named if name in record}
    return energies | ({"energy_per_atom": record["energy_per_atom"]} if "energy_per_atom" in record else {})


def _magnetization(record: dict[str, Any]) -> dict[str, Any]:
    known = record.get("ordering") in ("NM", "FM", "AFM", "FiM")
    ordering = {"magnetic_ordering": record["ordering"]} if known else {}
    return {"total_magnetization": record["total_magnetization"]} | ordering


def _permittivities(record: dict[str, Any]) -> dict[str, Any]:
    names = {"e_total": "dielectric_total", "e_ionic": "dielectric_ionic"}
    names |= {"e_electronic": "dielectric_electronic", "n": "refractive_index"}
    return {ours: record[theirs] for theirs, ours in names.items() if theirs in record}


def _of_systems(source: MaterialsProject, raw: Raw, count: int, rng: np.random.Generator) -> dict[str, int]:
    """All materials that hold three elements, with their energies and gaps."""
    records = raw.by_id("summary")
    systems = sorted({tuple(r["elements"]) for r in records.values() if len(r["elements"]) >= 3})
    asked = _drawn(systems, count, rng)
    figures = {"asked": len(asked), "values": 0, "wrong": 0}
    for elements in asked:
        quoted = ",".join(f'"{element}"' for element in elements)
        found = list(source.search(parse(f"elements HAS ALL {quoted} AND nelements = {len(elements)}")))
        wanted = {name for name, record in records.items() if record["elements"] == list(elements)}
        right = {name for candidate in found for name in _names(candidate)} == wanted
        for candidate in found:
            record = records[_names(candidate)[0]]
            for name in ("band_gap", "formation_energy_per_atom", "energy_above_hull", "total_magnetization"):
                right &= candidate.value(name) == record.get(name)
                figures["values"] += name in record
        figures["wrong"] += not right
    return figures


def _names(candidate: Candidate) -> list[str]:
    """Ids of the records a candidate stands for, its own first."""
    details = candidate.provenance[0].details
    return [details["material_id"], *details.get("same_as", ())]


def _of_syntheses(recipes: Recipes, raw: Raw) -> dict[str, int]:
    """Every number of a procedure is in the record, and every number of the record in the procedure."""
    figures = {"asked": 0, "values": 0, "wrong": 0}
    for record in raw.of("synthesis"):
        (target,) = record["targets_formula_s"]
        (recipe,) = recipes.recipes(target)
        told = {number for step in recipe.steps for number in (*step.temperatures_celsius, *step.times_hours)}
        written = set(_numbers(record["operations"]))
        figures["asked"] += 1
        figures["values"] += len(written)
        figures["wrong"] += told != written or recipe.doi not in str(record["doi"])
    for formula in NO_RECIPE:
        figures["asked"] += 1
        figures["wrong"] += recipes.recipes(formula) != []
    return figures


def _numbers(operations: list[dict[str, Any]]) -> Iterator[float]:
    """Temperatures and times; the served records give them in degrees Celsius and hours."""
    for operation in operations:
        for name in ("heating_temperature", "heating_time"):
            for value in operation["conditions"][name] or ():
                ends = (value["min_value"], value["max_value"], *value["values"])
                yield from (number for number in ends if number is not None)


def fault_rows(servers: ModuleType, server: Any, root: Path, records: int) -> list[dict[str, Any]]:
    """What each fault does to a search on 20 pages."""
    materials = server.documents.routes["summary"]
    server.documents.routes["summary"] = materials[:records]
    size = -(-min(records, len(materials)) // PAGES)
    expected = _search(server, root / "undisturbed", size, 1)[0]
    rows = []
    for i, (name, faults, searches) in enumerate(_faults(servers, size)):
        server.reset()
        server.faults = faults
        found, waits = _search(server, root / str(i), size, searches)
        pages = server.pages()
        rows.append(
            {
                "fault": name,
                "same_result": found == expected,
                "refetched_pages": len(pages) - len(set(pages)),
                "retries": len(waits),
                "waited_seconds": sum(waits),
                "struck": sum(served.fault is not None for served in server.served),
            }
        )
    server.reset()
    server.documents.routes["summary"] = materials
    return rows


def _faults(servers: ModuleType, size: int) -> list[tuple[str, list[Any], int]]:
    """Name, faults, and how many searches it takes: one that is given up is asked again in a new object."""
    fault, cut = servers.Fault, (CUT_PAGE - 1) * size
    every = [page * size for page in range(PAGES)]
    asked_to_wait = {"Retry-After": "2"}
    return [
        ("429 storm", [fault(status=429, headers=asked_to_wait, skip=s, times=2) for s in every], 1),
        ("500 and 503 in turn", [fault(status=(500, 503)[i % 2], skip=s) for i, s in enumerate(every)], 1),
        ("cut in the middle of page 7 of 20", [fault(cut=0.5, skip=cut)], 1),
        ("JSON that breaks off on page 7", [fault(truncated=0.5, skip=cut)], 1),
        ("slow drip on page 7", [fault(drip=DRIP_SECONDS, skip=cut)], 1),
        ("given up on page 7, asked again", [fault(status=500, skip=cut, times=6)], 2),
        ("heartbeats fail", [fault(status=502, route="heartbeat", times=2)], 1),
    ]


def _search(server: Any, root: Path, size: int, searches: int) -> tuple[list[Any], list[float]]:
    """Candidates as records without times, by so many objects in turn, of which the last gives the answer; and
    the waits before requests that were repeated, s, none of which is waited."""
    waits: list[float] = []
    patience, clock = Patience(response_seconds=RESPONSE_SECONDS), Clock(sleep=waits.append)
    for i in range(searches):
        client = Client(server.url, patience, clock, root)
        try:
            found = list(MaterialsProject(client, size).search(parse("nelements >= 1")))
        except StageError:
            if i == searches - 1:
                raise
            continue
        return [_timeless(candidate) for candidate in found], waits
    raise AssertionError("at least one search is made")


def _timeless(candidate: Candidate) -> dict[str, Any]:
    record = candidate.to_record()
    return record | {"provenance": [step | {"time": ""} for step in record["provenance"]]}


def throughput_figures(
    servers: ModuleType, folder: Path, root: Path, records: int, seed: int
) -> dict[str, Any]:
    """Time and memory of records into candidates, each road in a process of its own."""
    with _server_process(servers, folder, records, seed) as address:
        ours = _child("ours", address, root / "ours")
    with _server_process(servers, folder, records // 4, seed) as address:
        quarter = _child("ours", address, root / "quarter")
        plain = _child("plain", address, root / "plain")
        models = _child("models", address, root / "models")
    return {
        "records": ours["records"],
        "candidates": ours["candidates"],
        "ms_per_record": _ms(ours),
        "cpu_ms_per_record": _cpu_ms(ours),
        "memory_growth_mb": ours["peak_memory_mb"] - ours["memory_before_mb"],
        "memory_growth_of_a_quarter_mb": quarter["peak_memory_mb"] - quarter["memory_before_mb"],
        "memory_before_mb": ours["memory_before_mb"],
        "baseline": "mp-api's document models, then the same symmetry and identity on all crystals at once",
        "baseline_records": plain["records"],
        "baseline_cpu_ms_per_record": _cpu_ms(plain),
        "baseline_memory_growth_mb": plain["peak_memory_mb"] - plain["memory_before_mb"],
        "same_records_cpu_ms_per_record": _cpu_ms(quarter),
        "cpu_time_to_baseline": _cpu_ms(quarter) / _cpu_ms(plain),
        "same_ids_as_baseline": plain["ids"] == quarter["ids"],
        "mp_api_models_alone_cpu_ms_per_record": _cpu_ms(models),
    }


def _ms(row: dict[str, Any]) -> float:
    return 1000 * row["wall_seconds"] / row["records"]


def _cpu_ms(row: dict[str, Any]) -> float:
    """Of the measured process; other programs of the machine do not count."""
    return 1000 * row["cpu_seconds"] / row["records"]


@contextmanager
def _server_process(servers: ModuleType, folder: Path, records: int, seed: int) -> Iterator[str]:
    """A server in a process of its own, so that it takes no memory or interpreter lock of who is measured."""
    script = str(Path(str(servers.__file__)))
    options = {"--port": 0, "--count": records, "--seed": seed, "--key": KEY, "--data": folder}
    command = [sys.executable, script, *(str(part) for option in options.items() for part in option)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _child(task: str, address: str, root: Path) -> dict[str, Any]:
    """One road, measured alone; see `materials_project_process`."""
    root.mkdir(parents=True)
    result = root / "result.json"
    module = f"{__package__}.materials_project_process"
    inherited = os.environ | {"HYSTERON_HOME": str(root), "MP_API_ENDPOINT": address, "MP_API_KEY": KEY}
    command = [sys.executable, "-W", "ignore", "-m", module, task, str(result)]
    subprocess.run(command, check=True, env=inherited, stdout=sys.stderr)  # noqa: S603
    return json.loads(result.read_text())


def files_with_key(root: Path) -> int:
    """How many files below a folder hold the key, unpacked ones included."""
    found = 0
    for path in root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += KEY.encode() in (gzip.decompress(content) if path.suffix == ".gz" else content)
    return found
