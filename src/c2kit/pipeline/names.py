"""All names of a mission: what they may be, and how streams are named."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind, Scope
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["check_name", "stream_name"]

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


def stream_name(mission: str, kind: Kind, scope: str = "", *, prefix: str = "") -> str:
    """The physical name of a stream: ``<mission>.<kind>.<scope>``; ``prefix`` is ``replay.<id>.`` for replayed ones."""
    name = f"{mission}.{prefix}{kind}"
    return name if kind.scope is Scope.MISSION else f"{name}.{scope}"
