"""The functions that come along, held against Python's own arithmetic."""

import math

import numpy as np
import pytest

from c2kit import functions

ROWS = [(6, 2.0, 1), (8, -4.0, 2), (250, 0.5, 3)]
A, B, C = zip(*ROWS, strict=True)
ARRAYS = [np.array(A, np.uint8), np.array(B, np.float32), np.array(C, np.int64)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sum", [a + b + c for a, b, c in ROWS]),
        ("difference", [a - b - c for a, b, c in ROWS]),
        ("product", [a * b * c for a, b, c in ROWS]),
        ("mean", [(a + b + c) / 3 for a, b, c in ROWS]),
        ("minimum", [min(row) for row in ROWS]),
        ("maximum", [max(row) for row in ROWS]),
    ],
)
def test_functions_of_any_number_of_inputs(name: str, expected: list[float]) -> None:
    result = getattr(functions, name)(*ARRAYS)
    assert result.dtype == np.float64
    assert result.tolist() == expected
    assert getattr(functions, name)(ARRAYS[0]).tolist() == list(A)


def test_small_integers_do_not_overflow() -> None:
    small = np.array(A, np.uint8)
    assert functions.product(small, small).tolist() == [36.0, 64.0, 62500.0]


def test_a_division_by_zero_is_silent() -> None:
    result = functions.quotient(np.array([1, 0, 6]), np.array([0, 0, 3]))
    assert result[0] == math.inf
    assert math.isnan(result[1])
    assert result[2] == 2.0


def test_all_functions_are_listed() -> None:
    assert functions.__all__ == sorted(functions.__all__)
    assert all(callable(getattr(functions, name)) for name in functions.__all__)
