"""``c2kit graph``: a mission's stages, streams and links, for people and for programs."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["graph"]


@click.command
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "mermaid", "json"]),
    default="text",
    show_default=True,
    help="text for people, mermaid for documents, json for programs: the whole description.",
)
@click.option("--replay", metavar="ID", help="Show what `c2kit run --replay ID` runs.")
def graph(script: Path, *, form: str, replay: str | None) -> None:
    """Show what a mission script composes: who hands what to whom.

    Nothing is opened or started. A composition that does not fit together is refused, with both sides named.

    \b
    c2kit graph mission.py
    c2kit graph mission.py --format json
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.pipeline.composition.graph import as_mermaid, as_text
    from c2kit.pipeline.composition.script import load_mission

    description = load_mission(script).describe(replay=replay)
    if form == "json":
        click.echo(description.as_json())
    else:
        click.echo(as_mermaid(description) if form == "mermaid" else as_text(description), nl=False)
