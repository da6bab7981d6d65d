"""How is a workflow written down so that jobflow reads it back? Without jobflow: as the JSON that its objects turn into.

A job is a bound method of a maker (or a function), its arguments, and an id; an argument may point to what another job gives.
`jobflow.Flow.from_dict` takes the result; fields that are left out get jobflow's defaults. Ids are made of the content, so
equal flows are equal files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True)
class Job:
    """A job or a flow of jobs, as JSON.

    Attributes:
        record: What is written.
        uuid: Its id, or that of the job whose output is the flow's.
        schema: Of its output, as JSON; `None` if it has none.
    """

    record: dict[str, Any]
    uuid: str
    schema: dict[str, Any] | None = None

    def output(self, *attributes: str | int) -> dict[str, Any]:
        """A reference to what the job gives, or to an attribute or item of it: `output("structure")`.

        Args:
            attributes: Names are attributes, but for those in brackets, `"[p_elec]"`, which are keys; numbers are places
                in lists.
        """
        return {
            "@module": "jobflow.core.reference",
            "@class": "OutputReference",
            "uuid": self.uuid,
            "attributes": [_step(one) for one in attributes],
            "output_schema": None if attributes else self.schema,
        }


def imported(module: str, name: str, bound: dict[str, Any] | None = None) -> dict[str, Any]:
    """A function or class by its name; a method with the object that it is bound to."""
    return {"@module": module, "@callable": name, "@bound": bound}


def made(module: str, kind: str, **fields: Any) -> dict[str, Any]:
    """An object by its class; fields that are not named get the class's defaults."""
    return {"@module": module, "@class": kind, **fields}


def job(
    name: str,
    function: dict[str, Any],
    args: list[Any],
    *,
    schema: dict[str, Any] | None = None,
    **more: Any,
) -> Job:
    """One job.

    Args:
        name: As it is shown.
        function: Made by `imported`.
        args: Plain JSON, objects as JSON, or outputs of other jobs.
        schema: Of the output.
        more: Other fields: `function_kwargs`, names of additional stores.
    """
    record = {
        "@module": "jobflow.core.job",
        "@class": "Job",
        "function": function,
        "function_args": args,
        "function_kwargs": {},
        "output_schema": schema,
        "index": 1,
        "name": name,
    } | more
    uuid = _id_of(record)
    return Job(record | {"uuid": uuid}, uuid, schema)


def flow(name: str, jobs: list[Job], output: Job | None = None) -> Job:
    """A flow of jobs; its output is that of one of them."""
    record = {
        "@module": "jobflow.core.flow",
        "@class": "Flow",
        "jobs": [one.record for one in jobs],
        "output": output.output() if output else None,
        "name": name,
        "order": "auto",
    }
    whole = record | {"uuid": _id_of(record)}
    return Job(whole, output.uuid, output.schema) if output else Job(whole, whole["uuid"])


def _step(attribute: str | int) -> list[Any]:
    if isinstance(attribute, int):
        return ["i", attribute]
    return ["i", attribute[1:-1]] if attribute.startswith("[") else ["a", attribute]


def _id_of(record: dict[str, Any]) -> str:
    return str(uuid5(NAMESPACE_URL, orjson.dumps(record, option=SORTED).hex()))
