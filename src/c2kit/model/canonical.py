"""The canonical form of a definition: the bytes that its hash is taken of, and that travel with the data.

JSON with sorted keys and without white space. Every object carries its class under ``"is"``; what has its default value
is left out, so that a later version may add an attribute without changing the hash of what does not use it; sources
(files, lines) are left out, since a definition is the same wherever it was written.
"""

from __future__ import annotations

import json
import math
from enum import Enum
from typing import Any

from attrs import NOTHING, fields, has

__all__ = ["canonical_json"]


def canonical_json(definition: object) -> bytes:
    """The canonical form of an attrs object of :mod:`c2kit.model`, in UTF-8."""
    plain = _plain(definition)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - anything that a definition is made of, one line a kind
    if has(type(value)):
        kept = {
            attribute.name: _plain(getattr(value, attribute.name))
            for attribute in fields(type(value))
            if attribute.eq and (attribute.default is NOTHING or getattr(value, attribute.name) != attribute.default)
        }
        return {"is": type(value).__name__, **kept}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return {"is": "bytes", "hex": value.hex()}
    if isinstance(value, tuple):
        return [_plain(element) for element in value]
    if isinstance(value, float):
        return _plain_float(value)
    return value


def _plain_float(value: float) -> Any:  # noqa: ANN401 - a JSON number, or an object for what JSON cannot say
    """1.0 and 1 are the same number to whoever wrote them, so they are the same here."""
    if not math.isfinite(value):
        return {"is": "float", "value": str(value)}
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
