"""The bell of a reader: rung when something may have come for it, told to whoever asked to be told."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bell"]

_log = logging.getLogger(__name__)


class Bell:
    """Calls ``on_news`` each time that it is rung, by any thread, until it is silenced."""

    def __init__(self, on_news: Callable[[], None] | None) -> None:
        self._on_news = on_news
        self._calling = threading.RLock()

    def ring(self) -> None:
        """Call, one call at a time. What the callback raises is logged and dropped: who rings is in a commit."""
        with self._calling:
            if self._on_news is None:
                return
            try:
                self._on_news()
            except Exception:  # noqa: BLE001 - it is somebody else's code, and what was committed stays committed
                _log.exception("a callback for news of a stream bus failed")

    def silence(self) -> None:
        """Call never again; a call that is in progress in another thread is waited for."""
        with self._calling:
            self._on_news = None
