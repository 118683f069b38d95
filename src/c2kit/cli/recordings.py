"""Recordings, read piece by piece: files of any size, and stdin as it comes."""

from __future__ import annotations

import contextlib
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from c2kit.cli.terminal import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["CHUNK_BYTES", "STDIN", "chunks", "progress"]

CHUNK_BYTES = 2**20
STDIN = "-"


def chunks(recording: str) -> Iterator[bytes]:
    """The bytes of a recording, at most 1 MiB at a time; of a pipe, whatever is there, as soon as it is."""
    with contextlib.ExitStack() as stack:
        file: BinaryIO = sys.stdin.buffer if recording == STDIN else stack.enter_context(Path(recording).open("rb"))
        read = getattr(file, "read1", file.read)
        while chunk := read(CHUNK_BYTES):
            yield chunk


@contextlib.contextmanager
def progress(recordings: Sequence[str], *, to_stdout: bool) -> Iterator[Callable[[int], None]]:
    """Show on stderr how far reading got; the caller tells how many bytes were read more.

    Nothing is shown where nobody looks, or where the values themselves scroll by.
    """
    if not sys.stderr.isatty() or (to_stdout and sys.stdout.isatty()):
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("decoding"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(sys.stderr), transient=True) as shown:
        task = shown.add_task("", total=_total_bytes(recordings))
        yield lambda size_bytes: shown.advance(task, size_bytes)


def _total_bytes(recordings: Sequence[str]) -> int | None:
    """How much there is to read; ``None`` where that shows only when it was read."""
    stats = [Path(recording).stat() for recording in recordings if recording != STDIN]
    if len(stats) < len(recordings) or not all(stat.S_ISREG(each.st_mode) for each in stats):
        return None
    return sum(each.st_size for each in stats)
