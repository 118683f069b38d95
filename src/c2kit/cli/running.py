"""Running in a terminal: signals, the live table, and the ledger at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Protocol

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from c2kit.cli.failing import ExitCode
from c2kit.links import State
from c2kit.pipeline.observing.ledger import ledger_text
from c2kit.pipeline.observing.logs import configure_logging
from c2kit.pipeline.status import StatusMeter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from rich.console import RenderableType

    from c2kit.pipeline.runner import Runner
    from c2kit.pipeline.status import Status

__all__ = ["Companion", "run_to_the_end", "status_table"]

_REFRESH_SECONDS = 0.5
_PLAIN_SECONDS = 10.0
_COLOURS = {State.CONNECTED: "green", State.CONNECTING: "yellow", State.DOWN: "red", State.DISABLED: "dim"}


class Companion(Protocol):
    """Something that goes on beside a mission while it runs."""

    def begin(self) -> None:
        """The mission has started."""
        ...

    def show(self) -> RenderableType:
        """What to show below the live table."""
        ...

    def end(self) -> None:
        """The mission is about to end."""
        ...

    def tell(self) -> None:
        """Say what there was, before the ledger is shown."""
        ...


def run_to_the_end(
    runner: Runner,
    *,
    seconds: float | None = None,
    is_plain: bool = False,
    companion: Companion | None = None,
) -> None:
    """Run until a signal, an error or the time is over; then end in good order and print the ledger.

    Raises what a stage failed with.
    """
    is_live = sys.stderr.isatty() and not is_plain
    with _signals(runner.request_stop), _stopped_after(seconds, runner.request_stop):
        try:
            if is_live:
                _run_live(runner, companion)
            else:
                _run_plain(runner, companion)
        finally:
            if companion is not None:
                companion.end()
            runner.close()
    if companion is not None:
        companion.tell()
    click.echo(ledger_text(runner.rows(), runner.edges(), runner.byte_rows()))
    if runner.error is not None:
        raise runner.error


@contextlib.contextmanager
def _stopped_after(seconds: float | None, request_stop: Callable[[], None]) -> Iterator[None]:
    """Ask for the end after so long, also while the bus is waited for."""
    timer = None if seconds is None else threading.Timer(min(seconds, threading.TIMEOUT_MAX), request_stop)
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()


def _run_live(runner: Runner, companion: Companion | None) -> None:
    meter = StatusMeter(runner)
    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        _configure_logging(runner)  # now that whatever goes to stderr is shown above the table
        runner.start()
        if companion is not None and not runner.wait(0):
            companion.begin()
        while True:
            table: RenderableType = status_table(runner.description.name, runner.description.bus, meter.take())
            live.update(table if companion is None else Group(table, companion.show()), refresh=True)
            if runner.wait(_REFRESH_SECONDS):
                break
    _configure_logging(runner)


def _run_plain(runner: Runner, companion: Companion | None) -> None:
    _configure_logging(runner)
    runner.start()
    if companion is not None and not runner.wait(0):
        companion.begin()
    names = ", ".join(stage.name for stage in runner.stages)
    _say(f"running {runner.description.name} on {runner.description.bus}: {names}")
    if runner.http_address is not None:
        host, port = runner.http_address
        _say(f"health and metrics at http://{host}:{port}")
    meter = StatusMeter(runner)
    meter.take()
    while not runner.wait(_PLAIN_SECONDS):
        for line in _lines(meter.take()):
            _say(line)


def _say(line: str) -> None:
    """What is said of a mission may be lost, on a full disk or to a reader that went away; the mission goes on."""
    with contextlib.suppress(OSError):
        click.echo(line, err=True)


def _configure_logging(runner: Runner) -> None:
    configure_logging(runner.settings.log_format, sys.stderr, stages=[stage.name for stage in runner.stages])


# -- signals ------------------------------------------------------------------------------------


class _signals:  # noqa: N801 - used like a function
    """Within it, SIGTERM and SIGINT ask for the end, and the second of them is the end."""

    def __init__(self, request_stop: Callable[[], None]) -> None:
        self._request_stop = request_stop
        self._before: dict[signal.Signals, object] = {}
        self._count = 0

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._before[number] = signal.signal(number, self._received)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # it is what signal() gave

    def _received(self, number: int, _: FrameType | None) -> None:
        self._count += 1
        if self._count > 1:
            os._exit(ExitCode.INTERRUPTED if number == signal.SIGINT else 128 + number)
        self._request_stop()


# -- what is shown ------------------------------------------------------------------------------


def status_table(mission: str, bus: str, status: Status) -> RenderableType:
    """Links and stages, a line each."""
    links = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
    for heading, justify in (("link", "left"), ("state", "left"), ("bytes/s", "right"), ("bytes", "right")):
        links.add_column(heading, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    links.add_column("discarded", justify="right")
    for link in status.links:
        links.add_row(
            link.name,
            Text(f"{link.state} {link.reason}", _COLOURS[link.state]),
            f"{link.bytes_a_second:,.0f}",
            f"{link.received_bytes:,}",
            Text(f"{link.discarded_bytes:,}", "yellow" if link.discarded_bytes else ""),
        )
    stages = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
    stages.add_column("stage")
    for heading in ("packets/s", "packets", "refused", "lag"):
        stages.add_column(heading, justify="right")
    stages.add_column("")
    for stage in status.stages:
        if stage.role != "interface" or stage.problem:
            stages.add_row(
                stage.name,
                f"{stage.packets_a_second:,.0f}",
                f"{stage.packets:,}",
                Text(f"{stage.refused:,}", "yellow" if stage.refused else ""),
                f"{stage.lag:,}",
                Text(stage.problem, "red"),
            )
    verdict = Text(f"unaccounted: {status.unaccounted}", "red bold" if status.unaccounted else "green")
    title = Text.assemble((mission, "bold"), f" on {bus}   ", verdict, "   Ctrl-C ends it")
    return Group(title, Text(), links, Text(), stages)


def _lines(status: Status) -> Iterator[str]:
    """The same in plain words, a line for links and one for stages."""
    if status.links:
        yield "; ".join(
            f"{link.name} {link.state}, {link.bytes_a_second:,.0f} bytes/s, {link.discarded_bytes:,} discarded"
            for link in status.links
        )
    stages = [stage for stage in status.stages if stage.role != "interface" or stage.problem]
    if stages:
        yield "; ".join(
            f"{stage.name} {stage.packets:,} packets, {stage.packets_a_second:,.0f}/s, lag {stage.lag:,}"
            + (f", {stage.problem}" if stage.problem else "")
            for stage in stages
        )
