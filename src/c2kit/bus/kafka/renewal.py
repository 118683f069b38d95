"""A secret that is exchanged while it is used: found, tried, and only then used by new clients.

Who holds clients looks at :attr:`Clients.generation` where it can change them: between two steps, or two polls.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException

from c2kit.bus.kafka.errors import error_of
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus.kafka.clients import Clients

__all__ = ["Renewal"]

_LOOK_SECONDS = 2.0
_TRIAL_SECONDS = 10.0
_log = logging.getLogger(__name__)


class Renewal:
    """Looks every few seconds, in a thread of its own, whether there is another secret that the brokers accept.

    ``on_renewed`` is called in that thread after the clients were given one.
    """

    def __init__(self, clients: Clients, on_renewed: Callable[[], None]) -> None:
        self._clients, self._on_renewed = clients, on_renewed
        self._ended = threading.Event()
        self._told = ""
        self._thread = threading.Thread(target=self._run, name="c2kit-kafka-secrets", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Look once. What is not whole yet, or what no broker accepts, is looked at again the next time."""
        current = self._clients.security
        if current is None:
            return
        try:
            renewed = current.renewed()
            if renewed is None:
                return
            self._clients.trial(renewed).list_topics(timeout=_TRIAL_SECONDS)
        except UsageError as error:
            self._tell(str(error))
        except KafkaException as exception:
            self._tell(f"no broker accepts them: {error_of(exception).str()}")
        else:
            self._told = ""
            self._clients.renew(renewed)
            _log.info("the secret in %s was exchanged: all clients are made anew", renewed.directory)
            self._on_renewed()

    def _tell(self, reason: str) -> None:
        if reason != self._told:
            self._told = reason
            _log.warning("new files of a secret are not used yet: %s", reason)
