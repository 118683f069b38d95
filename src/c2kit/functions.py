"""Functions for derived items that most missions need, named in a dictionary as ``c2kit.functions:product``.

Each takes one array of numbers for each input and computes in float64; what has no finite result (a division by zero)
is infinite or not a number, as IEEE 754 says, silently.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.generic]
    Floats = npt.NDArray[np.float64]

__all__ = ["difference", "maximum", "mean", "minimum", "product", "quotient", "sum"]


def sum(*inputs: Numbers) -> Floats:  # noqa: A001 - the word of the field; called by its full name
    """All inputs added up."""
    return _reduced(np.add, inputs)


def difference(first: Numbers, *others: Numbers) -> Floats:
    """The first input less all others."""
    return _reduced(np.subtract, (first, *others))


def product(*inputs: Numbers) -> Floats:
    """All inputs multiplied."""
    return _reduced(np.multiply, inputs)


def quotient(dividend: Numbers, divisor: Numbers) -> Floats:
    """The first input divided by the second."""
    return _reduced(np.divide, (dividend, divisor))


def mean(*inputs: Numbers) -> Floats:
    """The arithmetic mean of all inputs."""
    return sum(*inputs) / len(inputs)


def minimum(*inputs: Numbers) -> Floats:
    """The least of all inputs."""
    return _reduced(np.minimum, inputs)


def maximum(*inputs: Numbers) -> Floats:
    """The greatest of all inputs."""
    return _reduced(np.maximum, inputs)


def _reduced(operation: np.ufunc, inputs: tuple[Numbers, ...]) -> Floats:
    with np.errstate(all="ignore"):
        result: Floats = reduce(operation, [values.astype(np.float64) for values in inputs])
    return result
