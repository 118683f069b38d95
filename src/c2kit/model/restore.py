"""Definitions read back from their canonical form, which :mod:`c2kit.model.canonical` writes."""

from __future__ import annotations

import json
import types
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from attrs import fields, has

from c2kit.errors import MessageError
from c2kit.model import commands, conversions, crc, limits, packets, source, target, time
from c2kit.model import fields as layout
from c2kit.model.canonical import canonical_json

__all__ = ["from_canonical"]

_NAMES: dict[str, Any] = {
    name: value
    for module in (source, crc, time, limits, conversions, layout, packets, commands, target)
    for name, value in vars(module).items()
    if not name.startswith("_")
}
"""What annotations refer to: the modules import each other for type checkers only."""
_UNIONS = (Union, types.UnionType)
_REFUSALS = (MessageError, ValueError, TypeError, KeyError)


def from_canonical(canonical: bytes) -> target.Target:
    """The target whose canonical form this is; its hash is the SHA-256 of these bytes.

    Raises:
        MessageError: no target has this canonical form.
    """
    try:
        plain = json.loads(canonical)
        restored = _restored(plain, target.Target)
        again = canonical_json(restored)
    except (*_REFUSALS, RecursionError) as error:
        raise MessageError("no target has this canonical form", found=error) from None
    # What was left out, doubled, or ordered otherwise would give another hash than the one it goes by.
    if again != canonical:
        raise MessageError("the definitions are not in canonical form", expected=again[:200], found=canonical[:200])
    assert isinstance(restored, target.Target)  # noqa: S101 - for the type checker
    return restored


@cache
def _types(cls: type) -> dict[str, Any]:
    """The type of each attribute that is part of the canonical form."""
    hints = get_type_hints(cls, localns=_NAMES)
    return {attribute.name: hints[attribute.name] for attribute in fields(cls) if attribute.eq}


def _restored(plain: Any, kind: Any) -> Any:  # noqa: ANN401 - whatever a definition is made of
    if get_origin(kind) in _UNIONS:
        return _one_of(plain, get_args(kind))
    if get_origin(kind) is tuple:
        return _tuple(plain, get_args(kind))
    if has(kind):
        return _object(plain, kind)
    return _single(plain, kind)


def _single(plain: Any, kind: type) -> Any:  # noqa: ANN401 - whatever an attribute of a definition is
    if kind is float:
        return _float(plain)
    if kind is bytes:
        return bytes.fromhex(_marked(plain, "bytes")["hex"])
    if issubclass(kind, Enum):
        return kind(plain)
    if type(plain) is not kind:
        raise MessageError("a value is not of its type", expected=kind.__name__, found=repr(plain))
    return plain


def _one_of(plain: Any, kinds: tuple[Any, ...]) -> Any:  # noqa: ANN401 - whatever a definition is made of
    refused: list[Exception] = []
    for kind in kinds:
        try:
            return _restored(plain, kind)
        except _REFUSALS as error:
            refused.append(error)
    raise MessageError("a value is of no type that it may have", found="; ".join(map(str, refused)))


def _tuple(plain: Any, kinds: tuple[Any, ...]) -> tuple[Any, ...]:  # noqa: ANN401 - as it comes out of JSON
    if not isinstance(plain, list):
        raise MessageError("a value is not of its type", expected="a list", found=repr(plain))
    of_each = [kinds[0]] * len(plain) if kinds[1:] == (...,) else kinds
    return tuple(_restored(element, kind) for element, kind in zip(plain, of_each, strict=True))


def _float(plain: Any) -> float:  # noqa: ANN401 - as it comes out of JSON
    """A number; one beyond 2**53 without a point was an integer, and would have another form as a float."""
    if isinstance(plain, dict):
        return float(_marked(plain, "float")["value"])
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise MessageError("a value is not of its type", expected="a number", found=repr(plain))
    return float(plain) if abs(plain) < 2**53 else plain


def _object(plain: Any, cls: type) -> Any:  # noqa: ANN401 - an object of the class
    kinds = _types(cls)
    given = {name: value for name, value in _marked(plain, cls.__name__).items() if name != "is"}
    if unknown := given.keys() - kinds.keys():
        remedy = "it may be of a newer c2kit"
        what = f"{cls.__name__} has attributes that are not known here"
        raise MessageError(what, expected=", ".join(kinds), found=", ".join(sorted(unknown)), remedy=remedy)
    return cls(**{name: _restored(value, kinds[name]) for name, value in given.items()})


def _marked(plain: Any, mark: str) -> dict[str, Any]:  # noqa: ANN401 - as it comes out of JSON
    if not isinstance(plain, dict) or plain.get("is") != mark:
        raise MessageError("a value is not of its type", expected=mark, found=repr(plain)[:200])
    return plain
