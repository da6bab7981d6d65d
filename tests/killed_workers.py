"""What the processes of the worker tests do; a spawned process imports this file by its name."""

import os
import signal


def squared_once_killed(number: int, flag: str, times: int) -> int:
    """Kills its own process as often as there are no flags yet."""
    for i in range(times):
        try:
            os.close(os.open(f"{flag}-{i}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2
