"""``c2kit run``: a mission, or one stage of it, until somebody ends it."""

from __future__ import annotations

from pathlib import Path

import click

from c2kit.cli.options import FiniteRange

__all__ = ["run"]


@click.command(short_help="Run a mission, or one stage of it.")
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--stage", metavar="NAME", help="Run this stage or interface alone, as a container does.")
@click.option("--replay", metavar="ID", help="Run what processes the streams that `c2kit replay --id ID` writes.")
@click.option("--seconds", type=FiniteRange(0, min_open=True), metavar="S", help="End by itself after so long.")
@click.option("--plain", is_flag=True, help="Lines instead of a live table, also in a terminal.")
def run(script: Path, *, stage: str | None, replay: str | None, seconds: float | None, plain: bool) -> None:
    """Run the mission that a script composes: open its links, process, log, send commands.

    Without --stage everything runs in this process. Ctrl-C or SIGTERM ends it in good order: links are closed, what
    came is processed and committed, logs are written; a second one ends it at once, which loses nothing that was
    committed. At the end stands the ledger: where everything is that came in.

    Where it runs otherwise than the script says is told by environment variables: C2KIT_BUS, C2KIT_LINK_<INTERFACE>,
    C2KIT_DIR_<STAGE>, C2KIT_HTTP, C2KIT_ORDINAL, C2KIT_DRAIN_SECONDS, C2KIT_LOG.

    \b
    c2kit run mission.py
    c2kit run mission.py --stage decom
    """  # noqa: D301 - \b is how click keeps lines apart
    import os

    from c2kit.cli.running import run_to_the_end
    from c2kit.pipeline.composition.script import load_mission
    from c2kit.pipeline.runner import Runner
    from c2kit.pipeline.settings import Settings

    settings = Settings.from_environment(os.environ)
    runner = Runner(load_mission(script), stage=stage, replay=replay, settings=settings)
    run_to_the_end(runner, seconds=seconds, is_plain=plain)
