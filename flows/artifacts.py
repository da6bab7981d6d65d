"""What is seen of a run on Prefect's pages: how far its stages are, the funnel, the shortlist, the report.

A thread sends them, so that the run never waits for the server; what cannot be sent is not, and after the first
failure nothing more is tried. Prefect keeps every version of an artifact that has a key, so those of one schedule
can be compared from night to night.
"""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from math import log1p
from typing import TYPE_CHECKING, Any

from ..core.candidate import Candidate

if TYPE_CHECKING:
    from .run import Run

FASTEST_SECONDS = 2.0
"""Progress of a stage is sent no more often."""
WAIT_SECONDS = 10.0
"""At the end of a run, for what has not been sent yet."""
MOST_ROWS = 50
NAMES_PIXELS, BARS_PIXELS, BAR_PIXELS = 180, 420, 24
COLUMNS = ("energy_above_hull", "band_gap", "polarization", "migration_barrier", "rank_score")


class Artifacts:
    """Artifacts of one flow run.

    Args:
        flow_run_id: Prefect's id of the flow run.

    Attributes:
        seconds: Spent by the run's own thread on them.
    """

    def __init__(self, flow_run_id: Any) -> None:
        self.seconds = 0.0
        self._flow_run_id = flow_run_id
        self._queue: queue.Queue[tuple[str, str, str, Any] | None] = queue.Queue()
        self._sent: dict[str, float] = {}
        # The copy carries the settings, and with them the server's address, to the thread.
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._send_all,), daemon=True)
        self._thread.start()

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """How far a stage is."""
        now = time.monotonic()
        if not total or (done < total and now - self._sent.get(stage, 0.0) < FASTEST_SECONDS):
            return
        self._sent[stage] = now
        words = f"{stage}: {min(done, total)} of {total}"
        self._queue.put(("progress", f"{stage}-progress", words, min(100.0 * done / total, 100.0)))

    def results(self, run: Run, summary: dict[str, Any]) -> None:
        """The funnel, the shortlist, and where the report is."""
        began = time.monotonic()
        # What goes wrong here is no error of the run, whose results are written.
        with suppress(Exception):
            shortlist = run.store.get_many(summary["shortlist"][:MOST_ROWS])
            self._queue.put(
                ("markdown", "funnel", "What was left after each stage", funnel_text(run, summary))
            )
            self._queue.put(("table", "shortlist", f"The shortlist of run {run.run_id}", rows(shortlist)))
            self._queue.put(("image", "funnel-picture", f"The funnel of run {run.run_id}", picture(summary)))
        self.seconds += time.monotonic() - began

    def close(self) -> None:
        """Wait a little for what has not been sent yet."""
        self._queue.put(None)
        self._thread.join(WAIT_SECONDS)

    def _send_all(self) -> None:
        from prefect.client.orchestration import get_client
        from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

        known: dict[str, Any] = {}
        try:
            with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}), get_client(sync_client=True) as client:
                while (item := self._queue.get()) is not None:
                    self._send(client, known, *item)
        except Exception:  # nobody's run fails because a picture of it could not be shown
            return

    def _send(
        self, client: Any, known: dict[str, Any], kind: str, key: str, description: str, data: Any
    ) -> None:
        import json

        from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate

        if kind == "progress" and key in known:
            client.update_artifact(known[key], ArtifactUpdate(data=data, description=description))
            return
        shown = json.dumps(data) if kind == "table" else data
        made = ArtifactCreate(
            key=key, type=kind, description=description, data=shown, flow_run_id=self._flow_run_id
        )
        known[key] = client.create_artifact(made).id


def funnel_text(run: Run, summary: dict[str, Any]) -> str:
    """The funnel as a table of Markdown, with what each generator brought and where the report is."""
    lines = [
        f"## Run {run.run_id}",
        "",
        summary["sentence"],
        "",
        "| stage | entered | left |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {name} | {entered or ''} | {left} |" for name, entered, left in summary["funnel"]]
    lines += ["", *(f"- {sentence}" for sentence in summary["generators"])]
    return "\n".join([*lines, "", f"Report: `{summary['report']}`", ""])


def rows(shortlist: Sequence[Candidate]) -> list[dict[str, Any]]:
    """The shortlist as a table: the best value of some properties, with its unit and method."""
    return [_row(place, candidate) for place, candidate in enumerate(shortlist, 1)]


def _row(place: int, candidate: Candidate) -> dict[str, Any]:
    row: dict[str, Any] = {"place": place, "candidate": candidate.candidate_id, "formula": candidate.formula}
    row["space group"] = candidate.spacegroup_number
    for name in COLUMNS:
        found = candidate.get(name)
        row[name] = "" if found is None else f"{found.value:.4g} {found.units} ({found.method})"
    row["passes"] = ", ".join(verdict.screen for verdict in candidate.verdicts if verdict.passed)
    return row


def picture(summary: dict[str, Any]) -> str:
    """The funnel drawn as bars, as an address that holds the whole drawing: no other server is needed to show it.

    Bars grow with the logarithm of what was left, so that a few among thousands are still seen.
    """
    from base64 import b64encode
    from html import escape

    stages = summary["funnel"]
    largest = max((left for _, _, left in stages), default=0)
    parts = []
    for i, (name, _, left) in enumerate(stages):
        y, long = BAR_PIXELS * i, BARS_PIXELS * log1p(left) / log1p(max(largest, 1))
        parts.append(f'<text x="{NAMES_PIXELS - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<rect x="{NAMES_PIXELS}" y="{y + 3}" width="{long:.1f}" height="16" fill="#4477aa"/>')
        parts.append(f'<text x="{NAMES_PIXELS + long + 6:.1f}" y="{y + 15}">{left}</text>')
    width, height = NAMES_PIXELS + BARS_PIXELS + 80, BAR_PIXELS * max(len(stages), 1)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="13">'
    drawn = "".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"])
    return f"data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}"
