"""Columns as tests want to write them down: one Python value for each packet, ``None`` where there is none."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from c2kit.kernel.contract import Column


def numbers(values: Sequence[Any], dtype: npt.DTypeLike, shape: tuple[int, ...] = ()) -> Column:
    """Give a column of single numbers, or of arrays of one shape."""
    empty = np.zeros(shape, dtype)
    made = np.array([empty if value is None else value for value in values], dtype).reshape(len(values), *shape)
    return Column(made, _valid(values))


def ragged(values: Sequence[Sequence[Any] | None], dtype: npt.DTypeLike) -> Column:
    """Give a column of arrays of any lengths."""
    flat = [element for value in values for element in value or ()]
    return Column(np.array(flat, dtype), _valid(values), _offsets(values))


def strings(values: Sequence[bytes | None]) -> Column:
    """Give a column of strings or binary."""
    data = np.frombuffer(b"".join(value or b"" for value in values), np.uint8)
    return Column(data, _valid(values), _offsets(values), is_bytes=True)


def _valid(values: Sequence[Any]) -> npt.NDArray[np.bool_] | None:
    return np.array([value is not None for value in values]) if any(value is None for value in values) else None


def _offsets(values: Sequence[Sequence[Any] | None]) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int64)
