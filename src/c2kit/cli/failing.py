"""What becomes of errors, in one place: one message on stderr, and an exit code that scripts can rely on."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from enum import IntEnum, unique
from typing import TYPE_CHECKING, Any, TextIO

import click

from c2kit.errors import C2kitError, DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EXIT_CODES", "Commands", "ExitCode"]


@unique
class ExitCode(IntEnum):
    """With what a command ends."""

    DONE = 0
    FAILED = 1
    """A check failed, or the work could not be done to its end."""
    USAGE = 2
    """The command line, a definition or a command's argument cannot be right."""
    MISSING = 3
    """Something that c2kit needs is not installed, was never started, or does not answer."""
    FENCED = 4
    """Another process does this work."""
    BUS_FAILED = 5
    """The bus failed for good: it is damaged, or a position on it is lost."""
    REFUSED = 10
    """The command was not sent, and never will be."""
    EXPIRED = 11
    """The command was not sent in time, and never will be."""
    UNKNOWN = 12
    """The command may have been sent, at most once; nobody can tell, or nobody could while it was waited for."""
    INTERRUPTED = 130
    """Ctrl-C; what shells report for it."""


EXIT_CODES = (
    "Exit codes: 0 done; 1 a check failed, or the work could not be finished; "
    "2 wrong usage, or a dictionary that does not load; 3 something that c2kit needs is not installed, was never "
    "started, or does not answer; 4 another process does this work; 5 the bus failed for good. "
    "Of a command that was sent: 10 refused; 11 expired; 12 unknown. "
    "Wrong bytes in a recording are counted, and are not an error."
)


class Commands(click.Group):
    """A group whose commands may raise what they like: people see a sentence."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Run a command, and tell what went wrong with it."""
        _replace_closed_streams()
        try:
            with _told(ctx):
                result = super().invoke(ctx)
                sys.stdout.flush()  # here, where a reader that went away is still expected
                return result
        finally:
            _drop_what_cannot_be_written(sys.stderr)


@contextlib.contextmanager
def _told(ctx: click.Context) -> Iterator[None]:
    try:
        yield
    except C2kitError as error:
        _tell(str(error) if isinstance(error, DefinitionError) else f"Error: {error}")
        ctx.exit(_exit_code(error))
    except ModuleNotFoundError as error:
        _tell(f"Error: {error.name} is not installed, or not for this Python; install it: pip install {error.name}")
        ctx.exit(ExitCode.MISSING)
    except KeyboardInterrupt:
        _tell("Interrupted.")
        ctx.exit(ExitCode.INTERRUPTED)
    except OSError as error:
        if error.errno == errno.EPIPE:
            _close(sys.stdout)
            ctx.exit(ExitCode.DONE)
        place = f"{error.filename}: " if error.filename is not None else ""
        _tell(f"Error: {place}{error.strerror or error}")
        _drop_what_cannot_be_written(sys.stdout)
        ctx.exit(ExitCode.FAILED)


def _exit_code(error: C2kitError) -> ExitCode:
    """What could not be done is nobody's wrong usage."""
    from c2kit.bus import BusError, BusUnavailable, Fenced
    from c2kit.pipeline.chain import StateRefused
    from c2kit.pipeline.commands.source import StreamsMissing
    from c2kit.pipeline.composition.streams import StreamsNotApplied
    from c2kit.storage.errors import LogError

    codes: tuple[tuple[type[C2kitError], ExitCode], ...] = (
        (LogError, ExitCode.FAILED),
        (StateRefused, ExitCode.FAILED),
        (StreamsMissing, ExitCode.MISSING),
        (StreamsNotApplied, ExitCode.MISSING),
        (BusUnavailable, ExitCode.MISSING),
        (Fenced, ExitCode.FENCED),
        (BusError, ExitCode.BUS_FAILED),
    )
    return next((code for kind, code in codes if isinstance(error, kind)), ExitCode.USAGE)


def _tell(message: str) -> None:
    """What begins with ``file:line:column`` is left so: terminals and editors make a link of it."""
    with contextlib.suppress(OSError):  # nobody can be told; the exit code still says it
        click.echo(message, err=True)


def _replace_closed_streams() -> None:
    """Where whoever started this closed a stream (``>&-``), Python has none, and what uses it would fall over.

    Messages have nowhere to go then, which is as it was wanted. But what cannot be read or written must not look as
    if it had been: using this stdin or stdout fails as it does in any other program.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8", opener=_in_vain)  # noqa: SIM115 - for the whole process
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8", opener=_in_vain)  # noqa: SIM115 - likewise
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - likewise


def _in_vain(path: str, flags: int) -> int:
    """Open for reading what is to be written, and the other way round."""
    return os.open(path, os.O_RDONLY if flags & os.O_WRONLY else os.O_WRONLY)


def _drop_what_cannot_be_written(stream: TextIO) -> None:
    """Python writes out what is buffered once more at its end, and would complain or fail once more."""
    try:
        stream.flush()
    except OSError:
        _close(stream)


def _close(stream: TextIO) -> None:
    """Let what is still buffered go nowhere: whoever read it has seen enough, or it cannot be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
