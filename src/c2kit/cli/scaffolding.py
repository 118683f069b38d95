"""What ``c2kit scaffold`` does and says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve, frozen

from c2kit.cli.failing import ExitCode
from c2kit.cli.options import tell
from c2kit.errors import UsageError
from c2kit.pipeline.composition.script import load_mission
from c2kit.pipeline.composition.structuring import description_from_json
from c2kit.scaffold import tree
from c2kit.scaffold.digests import DIGESTS
from c2kit.scaffold.generation import Inputs, generate
from c2kit.scaffold.guidance import requirements_of, steps_of
from c2kit.scaffold.images import ImageSources
from c2kit.scaffold.mission_files import MissionFiles, put_by_hand
from c2kit.scaffold.names import label
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings_file import first_settings, overridden, read_settings
from c2kit.scaffold.swap import recover
from c2kit.scaffold.tree import SETTINGS, Changes, Fate, changes_of
from c2kit.scaffold.wheels import Wheels

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.scaffold.generation import Deployment
    from c2kit.scaffold.settings_file import Flags, SettingsFile

__all__ = ["Request", "check", "write"]

_MOST_SHOWN = 20
_MISSION = "images/mission/"


@frozen(kw_only=True)
class Request:
    """What was asked for."""

    mission: Path
    """A script, or a description."""
    folder: Path
    flags: Flags
    digests: Path | None = None
    templates: Path | None = None

    @property
    def is_script(self) -> bool:
        """Whether the mission is given by its script."""
        return self.mission.suffix != ".json"


def check(request: Request, *, shows_diff: bool) -> ExitCode:
    """Tell what would change, and write nothing."""
    _, _, changes = _changes(request)
    if shows_diff:
        for change in changes.changes:
            click.echo(change.diff(), nl=False)
    else:
        _show(changes)
    if not changes.changes:
        tell(f"{request.folder}: as it should be")
        return ExitCode.DONE
    what = "1 file is not as it should be"
    if len(changes.changes) > 1:
        what = f"{len(changes.changes)} files are not as they should be"
    tell(f"{request.folder}: {what}")
    return ExitCode.FAILED


def write(request: Request, *, force: bool) -> ExitCode:
    """Write what has changed, unless somebody edited it, and tell what comes next."""
    deployment, sources, changes = _changes(request)
    refused = changes.of(Fate.REFUSED)
    if refused and not force:
        for change in refused:
            click.echo(change.diff(), nl=False)
        edited = ", ".join(change.path for change in refused)
        tell(f"Error: {edited}: edited since c2kit wrote it, so that nothing was written")
        tell("Take the change back, say it in settings.yaml, an overlay or a template, or overwrite it with --force.")
        return ExitCode.FAILED
    stands_within = Path.cwd().is_relative_to(request.folder.resolve())
    if changes:
        tree.write(request.folder, changes)
    _show(changes)
    _tell_what_was_done(request, deployment, changes)
    if changes:
        _tell_what_comes_next(request, deployment, sources)
    if changes and stands_within:
        tell('The folder that you stand in was replaced; say: cd "$PWD"')
    return ExitCode.DONE


# -- what is asked for --------------------------------------------------------------------------


def _changes(request: Request) -> tuple[Deployment, ImageSources, Changes]:
    description = _description(request)
    recover(request.folder)
    lock = tree.owned(request.folder, description.name)
    templates = Templates(request.templates)
    if lock is not None:
        _tell_of_templates(request, lock.templates, templates.own)
    text = _text_of(request.folder / SETTINGS)
    if text is None:
        text = first_settings(templates, description, label(description.name), request.flags)
    settings = read_settings(text, str(request.folder / SETTINGS), label(description.name), description)
    _tell_of_flags(request, settings)
    with settings.telling():
        sources = _sources(request, settings, templates, {} if lock is None else lock.files)
        deployment = generate(_inputs(request, description, sources, text))
    return deployment, sources, changes_of(request.folder, deployment.tree)


def _description(request: Request) -> MissionDescription:
    if request.is_script:
        return load_mission(request.mission).describe()
    return description_from_json(_text_of(request.mission) or "", str(request.mission))


def _sources(
    request: Request, settings: SettingsFile, templates: Templates, generated: Mapping[str, str]
) -> ImageSources:
    effective = overridden(settings.settings, request.flags)
    files = MissionFiles()
    if request.is_script:
        files = MissionFiles.of(request.mission, also=effective.images.files)
    known = {path.removeprefix(_MISSION): data for path, data in generated.items() if path.startswith(_MISSION)}
    files = evolve(files, by_hand=put_by_hand(request.folder / _MISSION, known))
    for path in files.outside:
        tell(f"note: {request.mission} reads {path}, which is outside of its folder and in no image")
    wheels = Wheels.read(request.folder / "images" / "wheels")
    return ImageSources(settings=effective, mission=files, wheels=wheels, templates=templates)


def _inputs(request: Request, description: MissionDescription, sources: ImageSources, settings_text: str) -> Inputs:
    own = request.folder / DIGESTS
    place = request.digests or own
    first = sources.templates.render("digests.txt.j2")
    return Inputs(
        description=description,
        sources=sources,
        settings_text=settings_text,
        digests_file=first,
        digests_text=_text_of(place) or first,
        digests_name=str(place),
    )


def _text_of(path: Path) -> str | None:
    """The text of a file of the user's; None where there is none."""
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else None
    except UnicodeDecodeError as error:
        raise UsageError(f"the file {path}", expected="UTF-8", found=error.reason, remedy="save it as UTF-8") from None


def _tell_of_flags(request: Request, settings: SettingsFile) -> None:
    if overridden(settings.settings, request.flags) != settings.settings:
        tell(f"note: options say otherwise than {settings.name}, and have to be given each time, to --check as well")


def _tell_of_templates(request: Request, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Without the templates that the folder was made with, files differ, and nobody would know why."""
    missing, others = sorted(before.keys() - now.keys()), sorted(name for name in now if before.get(name) != now[name])
    if missing:
        names = ", ".join(missing)
        tell(f"note: {request.folder} was made with templates of your own, which this run has not: {names}")
        tell("note: give --templates each time, to --check as well")
    if others:
        tell(f"note: {request.folder} was made without these templates, or as they were before: {', '.join(others)}")


# -- what is said -------------------------------------------------------------------------------


def _show(changes: Changes) -> None:
    for change in changes.changes[:_MOST_SHOWN]:
        click.echo(f"{change.fate.value:8} {change.path}")
    if len(changes.changes) > _MOST_SHOWN:
        click.echo(f"... and {len(changes.changes) - _MOST_SHOWN} more")


def _tell_what_was_done(request: Request, deployment: Deployment, changes: Changes) -> None:
    kept = changes.of(Fate.KEPT)
    for change in kept:
        tell(f"note: {change.path} is not generated any more; you edited it, so that it stays, and is yours")
    for change in changes.of(Fate.REMOVED, Fate.KEPT):
        _tell_what_is_gone(change.path, deployment.plan.namespace)
    written, removed = len(changes.changes) - len(kept), len(changes.of(Fate.REMOVED))
    if written:
        tell(f"{request.folder}: {written - removed} files written, {removed} removed")
    else:
        tell(f"{request.folder}: as it should be, nothing was written")


def _tell_what_is_gone(path: str, namespace: str) -> None:
    """What a file that is not generated any more leaves to be done elsewhere."""
    folder, _, name = path.rpartition("/")
    if folder == "base/stages":
        label = name.removesuffix(".yaml")
        tell(f"note: {label} is no stage any more; applying does not stop what runs of it, so stop it first:")
        tell(f"      kubectl --namespace {namespace} delete statefulset {label}")
    elif folder.startswith("components/") and name == "kustomization.yaml":
        tell(f"note: there is no {folder} any more; take it out of overlays that name it")


def _tell_what_comes_next(request: Request, deployment: Deployment, sources: ImageSources) -> None:
    folder = shlex.quote(str(request.folder))
    _tell_list("The cluster must offer:", (each.what for each in requirements_of(deployment.plan)))
    _tell_list("Production waits for:", (refusal.why for refusal in deployment.refusals))
    tell("Next:")
    for step in steps_of(deployment.plan, deployment.images, sources, folder):
        tell(f"  {step.what}")
        for command in step.commands:
            tell(f"      {command}")


def _tell_list(heading: str, lines: Iterable[str]) -> None:
    lines = list(lines)
    if lines:
        tell(heading)
    for line in lines:
        tell(f"  - {line}")
