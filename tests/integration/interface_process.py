"""An interface in a process of its own: ``python interface_process.py BUS PORT [stops]``.

It serves the mission of tests/interfaces.py at a TCP port. With ``stops`` it is stopped, as by SIGSTOP, when a command
is on record as being sent, and before the first byte of it is written. Where it is fenced it exits with 4.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any

from c2kit.bus import Fenced
from c2kit.bus.kafka import KafkaBus
from c2kit.links import TcpClient
from c2kit.pipeline.interfaces.stage import InterfaceStage
from tests.interfaces import interface_mission
from tests.missions import surroundings

if TYPE_CHECKING:
    from collections.abc import Callable


class StoppingSender(Executor):
    """Stops the process at the last moment before a write."""

    def submit(self, call: Callable[..., Any], /, *arguments: Any, **settings: Any) -> Future[Any]:  # noqa: ANN401 - as theirs
        """Stop; once woken, write."""
        os.kill(os.getpid(), signal.SIGSTOP)
        result: Future[Any] = Future()
        result.set_result(call(*arguments, **settings))
        return result


def main(url: str, port: str, how: str = "") -> int:
    """Serve the link until another one does."""
    mission = interface_mission(TcpClient("127.0.0.1", int(port), reconnect_seconds=0.05))
    with KafkaBus(url.removeprefix("kafka:")) as bus:
        sender = StoppingSender() if how == "stops" else None
        stage = InterfaceStage(surroundings(bus, mission, "fep"), sender=sender)
        try:
            while True:
                stage.turn(0.1)
        except Fenced:
            return 4
        finally:
            stage.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
