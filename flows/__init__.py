"""Order, retry, resume: the stages chained into runs, on Prefect.

Prefect is imported in this folder alone, and late: importing `hysteron.flows` only sets the
environment it needs.
"""

import os

_PREFECT_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # The private server starts beside a process that is loading torch; half a minute is not rare.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
}

for _name, _value in _PREFECT_DEFAULTS.items():
    os.environ.setdefault(_name, _value)
