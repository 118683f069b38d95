"""A link that reads a file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from attrs import evolve, field, frozen

from c2kit.links import _checks
from c2kit.links.backoff import Backoff
from c2kit.links.blocking import BlockingLink
from c2kit.links.link import LinkSpec, Surroundings
from c2kit.links.values import Outcome, SendResult

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["File", "FileLink"]

_PIECE_BYTES = 131_072
_LOOK_SECONDS = 0.05
"""How often a file that is followed is looked at."""
_PIECES_PER_SECOND = 20
"""How finely a rate is kept."""


@frozen
class File(LinkSpec):
    """Read a file from its beginning, as if it came from a link. Nothing can be sent.

    A file that is not followed is read once. One that is followed is waited for where it does not exist, and read again
    from its beginning where it was replaced or has become shorter.
    """

    path: str = field(converter=os.fspath)
    bytes_per_second: float | None = field(default=None, kw_only=True)
    """How fast to read; None: as fast as it is taken."""
    follow: bool = field(default=False, kw_only=True)
    """Whether to go on as the file grows."""
    reconnect_seconds: float = field(default=0.5, kw_only=True)
    """The first delay before a file that cannot be opened is tried again; delays double."""
    reconnect_max_seconds: float = field(default=30.0, kw_only=True)
    receive_max_bytes: int = field(default=4_194_304, kw_only=True)
    """What may wait to be taken before the link stops reading."""

    def __attrs_post_init__(self) -> None:
        _checks.a_name("path of File", self.path)
        _checks.at_least("bytes_per_second of File", self.bytes_per_second, 1, optional=True)
        _checks.retry_seconds("File", self.reconnect_seconds, self.reconnect_max_seconds)
        _checks.at_least("receive_max_bytes of File", self.receive_max_bytes, 1)

    def at(self, address: str) -> Self:
        """The same with another path; see :meth:`LinkSpec.at`."""
        return evolve(self, path=address)

    def start(self, surroundings: Surroundings | None = None) -> FileLink:
        """See :meth:`LinkSpec.start`."""
        return FileLink(self, surroundings or Surroundings())


class FileLink(BlockingLink):
    """A running :class:`File`."""

    def __init__(self, spec: File, surroundings: Surroundings) -> None:
        self.spec = spec
        self._file: BinaryIO | None = None
        super().__init__(
            surroundings, spec.receive_max_bytes, Backoff(spec.reconnect_seconds, spec.reconnect_max_seconds)
        )

    def send(
        self,
        data: bytes,  # noqa: ARG002 - the signature is that of all links
        *,
        timeout_seconds: float = 10.0,  # noqa: ARG002
        expires_at: int | None = None,  # noqa: ARG002
        connection: int | None = None,  # noqa: ARG002
    ) -> SendResult:
        """Nothing is sent; see :meth:`Link.send`."""
        return SendResult(Outcome.NOT_SENT, "a file cannot be sent to")

    @property
    def _goes_on(self) -> bool:
        return self.spec.follow

    def _describe(self) -> str:
        return self.spec.path

    def _open(self) -> None:
        self._file = Path(self.spec.path).open("rb", buffering=0)  # noqa: SIM115 - closed by _shut

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> Iterator[bytes]:
        file = self._file
        assert file is not None, "it was opened"  # noqa: S101 - tells the type checker
        rate = self.spec.bytes_per_second
        piece_bytes = _PIECE_BYTES if rate is None else max(1, min(_PIECE_BYTES, int(rate / _PIECES_PER_SECOND)))
        due = time.monotonic()
        while True:
            data = file.read(piece_bytes)
            if rate is not None and data:
                due = max(due, time.monotonic() - 1) + len(data) / rate
                self._sleep(due - time.monotonic())
            if data:
                yield data
            elif not self.spec.follow or self._was_replaced(file):
                return
            else:
                self._sleep(_LOOK_SECONDS)
                yield b""

    def _was_replaced(self, file: BinaryIO) -> bool:
        opened = os.fstat(file.fileno())
        try:
            named = Path(self.spec.path).stat()
        except OSError:
            return False  # it was removed, and whoever writes it may still do so
        is_same = os.path.samestat(opened, named)
        return not is_same or named.st_size < file.tell()
