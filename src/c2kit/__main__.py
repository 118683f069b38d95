"""``python -m c2kit``: the command line where there are no scripts, such as in a container."""

from __future__ import annotations

import os
import signal

__all__: list[str] = []


def _end_as_any_other() -> None:
    """The first process of a container has no default actions: what ends any other is ignored.

    So whoever stops one that has not begun to run a mission yet would wait in vain, until it is killed.
    """
    if os.getpid() == 1:
        signal.signal(signal.SIGTERM, lambda number, _: os._exit(128 + number))


if __name__ == "__main__":
    _end_as_any_other()

    from c2kit.cli import main

    main()
