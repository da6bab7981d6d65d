"""Processes that serve schedules in the toy world, for tests that start and end them."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict

from hysteron.core.errors import HysteronError
from hysteron.flows.schedule import Job, When
from hysteron.store.store import CandidateStore

PATIENCE_SECONDS = 420
PROGRAMME = """
import json, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
from hysteron.flows.progress import Silent, listening
from hysteron.flows.schedule import Job, When, serve
class Say(Silent):
    def say(self, sentence):
        print(sentence, flush=True)
job, when = json.loads(sys.argv[1])
with listening(Say()):
    serve(Job(**job | {"out_root": Path(job["out_root"])}), When(**when))
"""


@contextmanager
def served(job: Job, when: When, log, **environment):
    """A process that serves a schedule, interrupted when the block ends."""
    told = json.dumps([asdict(job) | {"out_root": str(job.out_root)}, asdict(when)])
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAMME, told], stdout=said, stderr=said, env=os.environ | environment
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)


def wait_for(condition, seconds=PATIENCE_SECONDS):
    """Until something is true; what it last was."""
    until = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < until:
        time.sleep(0.5)
    return found


def runs_of(url, *statuses):
    """Runs of a store that have one of these statuses; none of a store that is not there yet."""
    try:
        with CandidateStore.open(url, create=False) as store:
            return [run for run in store.runs() if run.status in statuses]
    except HysteronError:
        return []
