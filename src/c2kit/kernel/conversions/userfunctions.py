"""Functions that a dictionary names by their import path."""

from __future__ import annotations

import importlib
from functools import reduce
from typing import TYPE_CHECKING, Any

from c2kit.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.model.conversions import Function
    from c2kit.model.source import Source

__all__ = ["resolve"]


def resolve(function: Function, *, where: str, source: Source | None = None) -> Callable[..., Any]:
    """Import the function that ``package.module:name`` names; nothing is ever evaluated.

    Its version is its own attribute ``version`` if it has one, else ``"1"``. Raises
    :class:`~c2kit.errors.DefinitionError` where there is no such function, or another version of it: a value is never
    computed by a function that the definition did not mean. What its module raises while it is imported is passed on as
    the cause.
    """
    module, _, name = function.path.partition(":")
    try:
        found = reduce(getattr, name.split("."), importlib.import_module(module))
    except Exception as error:  # a user's module may raise anything while it is imported
        raise DefinitionError(
            f"{where}: its function {function.path} cannot be imported",
            source=source,
            found=f"{type(error).__name__}: {error}",
            remedy="install the package that holds it, or mend the path (package.module:name)",
        ) from error
    if not callable(found):
        what = f"{where}: {function.path} is not a function"
        raise DefinitionError(what, source=source, expected="something to call", found=type(found).__name__)
    version = str(getattr(found, "version", "1"))
    if version != function.version:
        raise DefinitionError(
            f"{where}: function {function.path} is another version than the definition's",
            source=source,
            expected=f"version {function.version}",
            found=f"version {version}",
            remedy=f"install the version meant, or change the definition where {version} is meant",
        )
    return found
