"""What does the local Materials Project server serve? Documents in the schema of emmet, of real materials.

`from_data`, from a data folder: structures, gaps, energies, magnetization, moduli, permittivities, Li-Fe-O energies
and two syntheses are real; what is not there is absent. `from_catalog`, from the bundled catalogue: structures, ids
and gaps are real; all else is drawn from the id, to try the road and not the physics.

Source of both: Materials Project, CC BY 4.0. The synthesis of LiFePO4 is a test document and no record of any
database: it follows Yamada, Chung, Hinokuma, J. Electrochem. Soc. 148, A224 (2001), doi:10.1149/1.1348257, as
recalled and not looked up.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hysteron.core.crystals import CrystalRecord, crystals_folder, read_crystals
from hysteron.retrieval.catalog.build import gap_method
from hysteron.retrieval.catalog.source import Catalog
from pymatgen.core import Composition, Element, Lattice

Document = dict[str, Any]

RUN_TYPES = {"PBE": "GGA", "PBE+U": "GGA+U"}
REFERENCE = (
    "@article{Jain2013, title={Commentary: The Materials Project}, doi={10.1063/1.4812323}, year={2013}}"
)
UPDATED = "2025-06-03T23:12:42.675000Z"
MOST_SITES = 200


@dataclass
class Documents:
    """Documents by route. Those of one material are changed with `change`."""

    routes: dict[str, list[Document]] = field(default_factory=lambda: defaultdict(list))

    def of(self, route: str) -> list[Document]:
        """All documents of a route."""
        return self.routes[route]

    def one(self, route: str, material_id: str) -> Document:
        """The first document of a material."""
        return next(d for d in self.routes[route] if d.get("material_id") == material_id)

    def change(self, route: str, material_id: str, **fields: Any) -> None:
        """Set fields of a document; `None` stays as null."""
        self.one(route, material_id).update(fields)

    def add(self, summary: Document, functional: str | None = None) -> None:
        """A material: its summary, and what other routes say of it."""
        self.routes["summary"].append(summary)
        for route, document in _others(summary, functional):
            self.routes[route].append(document)


def from_catalog(count: int = 300, seed: int = 0) -> Documents:
    """Materials of the bundled catalogue; what it does not know is drawn."""
    rows = Catalog()._file.rows
    documents = Documents()
    for row in random.Random(seed).sample(rows, min(count, len(rows))):
        structure = structure_dict(Lattice(row.lattice), row.species, row.frac_coords)
        summary = summary_document(row.material_id, structure)
        if row.band_gap is not None:
            summary["band_gap"] = row.band_gap
        summary.update(_drawn(summary))
        documents.add(summary, RUN_TYPES[row.gap_method])
    documents.routes["synthesis"] = [lifepo4_synthesis()]
    return documents


def from_data(data_dir: Path, count: int, seed: int = 0, formulas: Iterable[str] = ()) -> Documents:
    """Materials of a data folder: a seeded choice, and all of some formulas."""
    records = [r for r in read_crystals(crystals_folder(data_dir)) if r.nsites <= MOST_SITES]
    named = set(formulas)
    chosen = set(random.Random(seed).sample(range(len(records)), min(count, len(records))))
    moduli, permittivities = _moduli(data_dir), _permittivities(data_dir)
    documents = Documents()
    for i, record in enumerate(records):
        if i in chosen or record.reduced_formula in named:
            documents.add(_real(record, moduli, permittivities), _run_type(record))
    _add_lithium_iron_oxides(documents, data_dir)
    documents.routes["synthesis"] = [*_real_syntheses(data_dir), lifepo4_synthesis()]
    return documents


def structure_dict(lattice: Lattice, species: list[str], frac_coords: Any) -> Document:
    """A structure as pymatgen writes it."""
    places = lattice.get_cartesian_coords(frac_coords).tolist()
    sites = [
        {
            "species": [{"element": element, "occu": 1}],
            "abc": list(map(float, abc)),
            "properties": {"magmom": 0.0},
            "label": element,
            "xyz": xyz,
        }
        for element, abc, xyz in zip(species, frac_coords, places, strict=True)
    ]
    return {
        "@module": "pymatgen.core.structure",
        "@class": "Structure",
        "charge": 0,
        "lattice": lattice.as_dict(verbosity=1),
        "properties": {},
        "sites": sites,
    }


def summary_document(material_id: str, structure: Document) -> Document:
    """What a summary says of a structure alone."""
    composition = Composition(Counter(site["species"][0]["element"] for site in structure["sites"]))
    nsites, volume = len(structure["sites"]), structure["lattice"]["volume"]
    return {
        "material_id": material_id,
        "formula_pretty": composition.reduced_formula,
        "formula_anonymous": composition.anonymized_formula,
        "chemsys": composition.chemical_system,
        "elements": sorted(composition.get_el_amt_dict()),
        "nelements": len(composition),
        "nsites": nsites,
        "volume": volume,
        "density": float(composition.weight) * 1.66053906660 / volume,
        "structure": structure,
        "property_name": "summary",
        "deprecated": False,
        "last_updated": UPDATED,
        "builder_meta": {"license": "BY-C", "build_date": UPDATED},
        "origins": [
            {"name": "electronic_structure", "task_id": task_of(material_id), "last_updated": UPDATED}
        ],
    }


def task_of(material_id: str) -> str:
    """The calculation that a material's gap is said to come from."""
    return f"mp-9{int(material_id.split('-')[1]):08d}"


def _drawn(summary: Document) -> Document:
    """Numbers for every field, the same for the same material; a third of the materials lack tensors."""
    draw = random.Random(summary["material_id"])
    gap = summary.get("band_gap")
    electronic, ionic = draw.uniform(2, 12), draw.uniform(1, 60)
    drawn: Document = {
        "energy_per_atom": draw.uniform(-9, -2),
        "formation_energy_per_atom": draw.uniform(-4, 0.1),
        "energy_above_hull": draw.choice([0.0, draw.expovariate(20)]),
        "is_metal": gap == 0 if gap is not None else None,
        "is_gap_direct": draw.random() < 0.4,
        "total_magnetization": draw.choice([0.0, draw.uniform(0, 12)]),
        "ordering": draw.choice(["NM", "FM", "AFM", "FiM", "Unknown"]),
        "theoretical": draw.random() < 0.5,
        "possible_species": _common_ions(summary["elements"]),
    }
    if draw.random() < 0.67:
        drawn |= {
            "bulk_modulus": {name: draw.uniform(10, 300) for name in ("voigt", "reuss", "vrh")},
            "shear_modulus": {name: draw.uniform(5, 150) for name in ("voigt", "reuss", "vrh")},
            "homogeneous_poisson": draw.uniform(0.1, 0.45),
            "e_electronic": electronic,
            "e_ionic": ionic,
            "e_total": electronic + ionic,
            "n": electronic**0.5,
            "e_ij_max": draw.uniform(0, 5),
        }
    return drawn


def _common_ions(elements: list[str]) -> list[str]:
    states = {e: (Element(e).common_oxidation_states or (0,))[0] for e in elements}
    return [f"{e}{abs(s) if abs(s) > 1 else ''}{'+' if s > 0 else '-'}" for e, s in states.items() if s]


def _others(summary: Document, functional: str | None) -> Iterator[tuple[str, Document]]:
    """The documents of other routes that hold the same numbers."""
    structural = ("material_id", "formula_pretty", "chemsys", "elements", "nelements", "nsites", "deprecated")
    common = {name: summary[name] for name in (*structural, "volume", "density", "last_updated")}

    def with_fields(*names: str) -> Document:
        return common | {name: summary[name] for name in names if summary.get(name) is not None}

    task = task_of(summary["material_id"])
    run_types = {task: functional} if functional else {}
    yield "core", common | {"structure": summary["structure"], "run_types": run_types, "task_ids": [task]}
    energies = with_fields("energy_per_atom", "formation_energy_per_atom", "energy_above_hull")
    scheme = {"thermo_type": "GGA_GGA+U", "energy_type": functional or "GGA"}
    if len(energies) > len(common):
        yield "thermo", energies | scheme | {"thermo_id": f"{summary['material_id']}_GGA_GGA+U"}
    if summary.get("band_gap") is not None:
        yield "electronic_structure", with_fields("band_gap", "is_gap_direct", "is_metal") | {"task_id": task}
    for route, names in {
        "dielectric": ("e_total", "e_ionic", "e_electronic", "n"),
        "piezoelectric": ("e_ij_max",),
        "elasticity": ("bulk_modulus", "shear_modulus", "homogeneous_poisson"),
        "magnetism": ("total_magnetization", "ordering"),
    }.items():
        if any(summary.get(name) is not None for name in names):
            yield route, with_fields(*names)
    if summary.get("possible_species"):
        yield "oxidation_states", with_fields("possible_species") | {"method": "Bond Valence Analysis"}
    known = {"references": [REFERENCE], "database_IDs": {}, "authors": [], "remarks": [], "tags": []}
    yield "provenance", with_fields("theoretical") | known


def _real(record: CrystalRecord, moduli: dict, permittivities: dict) -> Document:
    lattice = record.lattice
    cell = Lattice(lattice) if isinstance(lattice[0], list) else Lattice.from_parameters(*lattice)
    summary = summary_document(record.material_id, structure_dict(cell, record.species, record.frac_coords))
    labels = record.labels
    known = {
        "band_gap": labels.get("band_gap"),
        "formation_energy_per_atom": labels.get("formation_energy_per_atom"),
        "energy_above_hull": labels.get("e_above_hull"),
        "total_magnetization": labels.get("total_magnetization"),
        "theoretical": False if labels.get("icsd_year") else None,
        **permittivities.get(record.material_id, {}),
    }
    if record.reduced_formula in moduli:
        known |= _modulus(record, moduli[record.reduced_formula])
    return summary | {name: value for name, value in known.items() if value is not None}


def _run_type(record: CrystalRecord) -> str:
    """By the Materials Project's own rule, where it adds a Hubbard U."""
    return RUN_TYPES[gap_method(frozenset(record.species))]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def _moduli(data_dir: Path) -> dict[str, dict[int, float]]:
    """GPa by reduced formula and space group, where a pair has one row."""
    found: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in _rows(data_dir / "composition_tables" / "matbench_log_kvrh.csv.gz"):
        found[row["reduced_formula"]][int(row["spg_num"])].append(10 ** float(row["log10(K_VRH)"]))
    return {f: {g: ks[0] for g, ks in groups.items() if len(ks) == 1} for f, groups in found.items()}


def _modulus(record: CrystalRecord, by_group: dict[int, float]) -> Document:
    """The modulus of the record's space group, found at the Materials Project's tolerance."""
    import spglib

    structure = record.structure()
    cell = (structure.lattice.matrix, structure.frac_coords, list(structure.atomic_numbers))
    dataset = spglib.get_symmetry_dataset(cell, symprec=0.1)
    modulus = by_group.get(dataset.number) if dataset else None
    return {"bulk_modulus": {"vrh": modulus}} if modulus else {}


def _permittivities(data_dir: Path) -> dict[str, Document]:
    """By material id, where electronic and ionic part are both known."""
    found = {}
    for row in _rows(data_dir / "ferroelectrics" / "mp_dielectric_dfpt.csv.gz"):
        if row["diel_elec_target"] and row["diel_ionic_target"]:
            electronic, ionic = float(row["diel_elec_target"]), float(row["diel_ionic_target"])
            parts = {"e_electronic": electronic, "e_ionic": ionic, "e_total": electronic + ionic}
            found[row["material_id"]] = parts | ({"n": electronic**0.5} if electronic > 0 else {})
    return found


def _add_lithium_iron_oxides(documents: Documents, data_dir: Path) -> None:
    """Real entries with their real functional."""
    served = {document["material_id"] for document in documents.of("summary")}
    path = data_dir / "api_fixtures" / "emmet_documents" / "Li-Fe-O.json.gz"
    for entry in json.loads(gzip.decompress(path.read_bytes())):
        material_id, nsites = entry["data"]["material_id"], len(entry["structure"]["sites"])
        if material_id in served or nsites > MOST_SITES:
            continue
        summary = summary_document(material_id, entry["structure"])
        summary["energy_per_atom"] = (entry["energy"] + entry["correction"]) / nsites
        documents.add(summary, entry["data"]["run_type"])


def _real_syntheses(data_dir: Path) -> list[Document]:
    folder = data_dir / "api_fixtures" / "emmet_documents"
    one = json.loads(gzip.decompress((folder / "synth_doc.json.gz").read_bytes()))
    other = json.loads(gzip.decompress((folder / "synth_doc_adaptor_synpro.json.gz").read_bytes()))
    return [one, other["product"]]


def lifepo4_synthesis() -> Document:
    """A test document; see the head of this file."""
    return {
        "doi": "10.1149/1.1348257",
        "paragraph_string": "A test document: two firings in nitrogen, with grinding between them.",
        "synthesis_type": "solid-state",
        "reaction_string": "",
        "targets_formula": ["Li1 Fe1 P1 O4"],
        "targets_formula_s": ["LiFePO4"],
        "target": _material("LiFePO4"),
        "precursors": [_material(f) for f in ("Li2CO3", "Fe(CH3COO)2", "NH4H2PO4")],
        "precursors_formula_s": ["Li2CO3", "Fe(C2H3O2)2", "PH6NO4"],
        "operations": [
            _operation("StartingSynthesis", "prepared"),
            _operation("MixingOperation", "mixed"),
            _operation("MixingOperation", "ball-milled"),
            _operation("HeatingOperation", "decomposed", [(320.0, 320.0)], [(12.0, 12.0)], ["N2"]),
            _operation("MixingOperation", "reground"),
            _operation("HeatingOperation", "sintered", [(400.0, 800.0)], [(24.0, 24.0)], ["nitrogen"]),
        ],
    }


def _material(formula: str) -> Document:
    return {
        "material_string": formula,
        "material_formula": formula,
        "material_name": "",
        "phase": None,
        "is_acronym": False,
        "composition": [],
        "amounts_vars": {},
        "elements_vars": {},
        "additives": [],
        "oxygen_deficiency": None,
    }


def _operation(
    kind: str,
    token: str,
    celsius: Iterable[tuple[float, float]] = (),
    hours: Iterable[tuple[float, float]] = (),
    atmospheres: Iterable[str] = (),
) -> Document:
    def values(spans: Iterable[tuple[float, float]], units: str) -> list[Document]:
        return [
            {"min_value": low, "max_value": high, "values": sorted({low, high}), "units": units}
            for low, high in spans
        ]

    conditions = {
        "heating_temperature": values(celsius, "\u00b0C"),
        "heating_time": values(hours, "h"),
        "heating_atmosphere": list(atmospheres),
        "mixing_device": None,
        "mixing_media": None,
    }
    return {"type": kind, "token": token, "conditions": conditions}
