"""All names of a mission: what they may be, and how streams are named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "COMMAND_SOURCE",
    "OBSERVER",
    "PROVISIONER",
    "REPLAY",
    "RESERVED",
    "check_name",
    "check_stage_name",
    "kind_and_scope",
    "replay_prefix",
    "stage_identity",
    "stream_name",
]

COMMAND_SOURCE = "command-source"
"""The one that writes commands: ``c2kit send``, later the API. It runs in no container, but has an identity."""
PROVISIONER = "provisioner"
"""The one that writes definitions, before the first batch that names them."""
OBSERVER = "observer"
"""Whoever only looks, such as ``c2kit tail``."""
REPLAY = "replay"
"""The one that writes logged packets as frames once more."""
RESERVED = (COMMAND_SOURCE, OBSERVER, PROVISIONER, REPLAY)
"""What no stage or interface may be called."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_LONGEST = 40


def check_name(kind: str, name: str, taken: Collection[str] = ()) -> str:
    """The name, if it is one: letters, digits and hyphens, at most 40, and no other but for case.

    Such names are fit for topics, files, metrics and containers alike.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        expected = f"letters, digits and hyphens, at most {_LONGEST}, the first no hyphen"
        raise UsageError(f"the name of a {kind}", expected=expected, found=repr(name))
    same = next((other for other in taken if other.lower() == name.lower()), None)
    if same is not None:
        raise UsageError(f"the name of a {kind}", expected="one that is not taken", found=f"{name!r} beside {same!r}")
    return name


def check_stage_name(kind: str, name: str, taken: Collection[str] = ()) -> str:
    """The name, if a stage or interface can have it: one by :func:`check_name`, and none of c2kit's own."""
    if name.lower() in RESERVED:
        raise UsageError(f"the name of a {kind}", expected="one that is not reserved", found=repr(name))
    return check_name(kind, name, taken)


def replay_prefix(replay: str | None) -> str:
    """What names begin with in a replay: ``replay.<id>.``, and nothing for what is live. Raises UsageError."""
    return "" if replay is None else f"replay.{check_name('replay', replay)}."


def stream_name(mission: str, kind: Kind, scope: str = "", *, prefix: str = "") -> str:
    """The physical name of a stream: ``<mission>.<prefix><kind>.<scope>``.

    What the mission has once are definitions; they are the same in a replay, and so is their name.
    """
    return f"{mission}.{kind}" if kind.scope is Scope.MISSION else f"{mission}.{prefix}{kind}.{scope}"


def kind_and_scope(stream: str) -> tuple[Kind, str] | None:
    """What a name of :func:`stream_name` was made of; ``None`` for a kind that this c2kit does not know."""
    _, *parts = stream.split(".")
    if parts[:1] == [REPLAY]:
        parts = parts[2:]
    label, scope = (*parts, "", "")[:2]
    kind = next((kind for kind in Kind if kind.label == label), None)
    return None if kind is None else (kind, scope)


def stage_identity(mission: str, stage: str, *, prefix: str = "") -> str:
    """Who a stage is to the bus: ``<mission>.<prefix><stage>``.

    Positions and snapshots are kept by it: those of a replay, or of another mission on the same bus, are others.
    """
    return f"{mission}.{prefix}{stage}"
