"""Amounts are what Kubernetes takes them for."""

from __future__ import annotations

from fractions import Fraction

import pytest

from c2kit.errors import UsageError
from c2kit.scaffold.quantities import amount, cpu_text, memory_text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("250m", Fraction(1, 4)),
        ("1.5", Fraction(3, 2)),
        ("512Mi", 536_870_912),
        ("1Gi", 1_073_741_824),
        ("1G", 1_000_000_000),
        ("2Ti", 2_199_023_255_552),
        ("4k", 4_000),
    ],
)
def test_a_quantity_is_a_number(text: str, number: float) -> None:
    assert amount(text) == number


@pytest.mark.parametrize("text", ["", "Gi", "1 Gi", "1KiB", "-1", "1e3x"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="such as 250m or 512Mi"):
        amount(text)


def test_sums_are_written_rounded_up() -> None:
    assert cpu_text(amount("100m") * 3) == "300m"
    assert cpu_text(Fraction(1, 3)) == "334m"
    assert memory_text(amount("1Gi") + 1) == "1025Mi"
