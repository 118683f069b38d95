"""``c2kit`` in a process that does not outlive whoever started it. Arguments are those of ``c2kit``.

On SIGUSR1 it tells what its threads are doing.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys

from c2kit.cli import main

_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Let Linux kill this process when the thread that started it ends; elsewhere nothing is done."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was too late
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent()
    faulthandler.register(signal.SIGUSR1)
    main(prog_name="c2kit")
