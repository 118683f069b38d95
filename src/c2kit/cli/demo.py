"""``c2kit demo``: a satellite and its ground system, in one terminal, with nothing to set up."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["demo"]


@click.command(short_help="Fly a satellite, and run its ground system.")
@click.option(
    "--seconds",
    type=click.FloatRange(0),
    default=30.0,
    show_default=True,
    metavar="S",
    help="End after so long; 0 is until Ctrl-C.",
)
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep its files there.")
@click.option("--plain", is_flag=True, help="Lines instead of a live table, also in a terminal.")
def demo(*, seconds: float, keep: Path | None, plain: bool) -> None:
    """Let a simulated satellite fly over a bad link, and run a small ground system for it.

    Telemetry streams in, is decommutated, checked against limits, logged and shown; commands go up and change what
    comes down. At the end stands what became of each command, and the ledger: where every byte and packet is.
    """
    import contextlib
    import tempfile

    from c2kit.cli.demonstration import demonstrate

    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="c2kit-demo-")))
        demonstrate(folder, seconds=seconds or None, is_plain=plain, is_kept=keep is not None)
