"""Run by a Python that has atomate2: loads exported flows, and holds them against those that atomate2's makers make.

Takes the folders of a relaxation, a polar path and vacancies; prints one JSON object in its last line.
"""

import json
import re
import sys
from pathlib import Path

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OWN = ("name_updates", "hosts")
"""What a flow notes of its own making, and jobflow does without."""


def comparable(flow):
    """JSON of a flow, ids replaced by their order, so that two flows of different ids compare."""
    from monty.json import MontyEncoder

    text = json.dumps(flow, cls=MontyEncoder)
    for i, uuid in enumerate(dict.fromkeys(UUID.findall(text))):
        text = text.replace(uuid, f"id{i}")
    return json.loads(text) | {"name": ""}


def differences(ours, theirs, where=""):
    """Where two JSON values differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs} - {*OWN}):
            yield from differences(ours.get(key), theirs.get(key), f"{where}/{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(*pair, f"{where}[{i}]")
    elif ours != theirs:
        yield f"{where}: {str(ours)[:80]} and {str(theirs)[:80]}"


def main(relax: Path, polarization: Path, vacancy: Path) -> dict:
    from atomate2.vasp.flows.ferroelectric import FerroelectricMaker
    from atomate2.vasp.flows.mp import MPGGADoubleRelaxMaker, MPGGADoubleRelaxStaticMaker
    from atomate2.vasp.jobs.core import PolarizationMaker
    from atomate2.vasp.jobs.ferroelectric import interpolate_structures
    from jobflow import Flow
    from monty.serialization import loadfn

    places = {"relax": relax, "polarization": polarization}
    places |= {place.name: place for place in sorted(vacancy.iterdir())}
    flows = {name: loadfn(place / "flow.json") for name, place in places.items()}
    assert all(isinstance(flow, Flow) for flow in flows.values())
    for flow in flows.values():
        list(flow.iterflow())  # orders the jobs by their references; fails where one leads nowhere

    host = flows["relax"].jobs[0].jobs[0].function_args[0]
    path = flows["polarization"]
    polar, nonpolar = (path.jobs[i].jobs[0].function_args[0] for i in (0, 2))
    berry = path.jobs[1].maker.input_set_generator
    between = next(job for job in path.jobs if job.name == "interpolate_structures").function_args[2]
    maker = FerroelectricMaker(
        nimages=between,
        relax_maker=MPGGADoubleRelaxMaker(),
        lcalcpol_maker=PolarizationMaker(input_set_generator=berry),
    )
    made = {
        "relax": MPGGADoubleRelaxStaticMaker().make(host),
        "polarization": maker.make(polar, nonpolar),
    }
    apart = [
        line
        for name, flow in made.items()
        for line in differences(comparable(flows[name]), comparable(flow), name)
    ]
    held = flows["pristine"].jobs[0].maker.input_set_generator
    supercell = flows["pristine"].jobs[0].function_args[0]
    return {
        "differences": apart,
        "jobs": {name: len(list(flow.iterflow())) for name, flow in flows.items()},
        "incar": dict(berry.get_input_set(polar, potcar_spec=True).incar),
        "held": dict(held.get_input_set(supercell, potcar_spec=True).incar),
        "images": len(interpolate_structures.original(polar, nonpolar, between)),
    }


if __name__ == "__main__":
    print(json.dumps(main(*map(Path, sys.argv[1:])), default=str))
