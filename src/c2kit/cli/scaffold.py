"""``c2kit scaffold``: from a mission to the containers and manifests that run it in a cluster."""

from __future__ import annotations

import sys
from pathlib import Path

import click

__all__ = ["scaffold"]


@click.command(short_help="Make the containers and manifests of a mission.")
@click.argument("mission", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="SCRIPT|MISSION.JSON")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where to write.")
@click.option("--check", is_flag=True, help="Write nothing; the exit code is 1 if anything would change.")
@click.option("--diff", is_flag=True, help="Write nothing, and show what would change; the exit code is as of --check.")
@click.option("--force", is_flag=True, help="Overwrite what somebody edited.")
@click.option("--namespace", metavar="NAME", help="The namespace in the cluster.")
@click.option("--registry", metavar="R", help="What the names of images begin with.")
@click.option("--mesh", type=click.Choice(["sidecar", "none"]), help="Istio with a proxy beside each stage, or none.")
@click.option("--kafka", type=click.Choice(["strimzi", "external"]), help="A cluster of the mission's own, or another.")
@click.option(
    "--digests",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Digests of images, a line each: name:tag@sha256:...; else those in digests.txt in DIR.",
)
@click.option(
    "--templates",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Templates of your own; they take the place of those with the same names.",
)
def scaffold(  # noqa: PLR0913 - an option each
    mission: Path,
    *,
    output: Path,
    check: bool,
    diff: bool,
    force: bool,
    namespace: str | None,
    registry: str | None,
    mesh: str | None,
    kafka: str | None,
    digests: Path | None,
    templates: Path | None,
) -> None:
    """Make all that runs a mission in a cluster: an image for each stage, and manifests with the least permissions.

    What differs from cluster to cluster stands in DIR/settings.yaml, which is made once and then yours; the options
    take precedence over it. The same input gives the same files. What you edited is never overwritten without --force,
    and the folder changes at one stroke.

    The mission is a script, or what `c2kit graph --format json` printed.

    \b
    c2kit scaffold mission.py -o deploy/
    c2kit scaffold mission.py -o deploy/ --check --diff
    """  # noqa: D301 - \b is how click keeps lines apart
    from c2kit.cli import scaffolding
    from c2kit.scaffold.settings import KafkaKind, Mesh
    from c2kit.scaffold.settings_file import Flags

    flags = Flags(
        namespace=namespace,
        registry=registry,
        mesh=None if mesh is None else Mesh(mesh),
        kafka=None if kafka is None else KafkaKind(kafka),
    )
    request = scaffolding.Request(mission=mission, folder=output, flags=flags, digests=digests, templates=templates)
    if check or diff:
        sys.exit(scaffolding.check(request, shows_diff=diff))
    sys.exit(scaffolding.write(request, force=force))
