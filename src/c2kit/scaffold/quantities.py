"""Amounts as Kubernetes writes them: ``250m``, ``512Mi``, ``1.5``."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from c2kit.errors import UsageError

__all__ = ["amount", "cpu_text", "memory_text"]

_FACTORS = {
    "": Fraction(1),
    "m": Fraction(1, 1000),
    **{letter: Fraction(1000**power) for power, letter in enumerate("kMGTPE", 1)},
    **{f"{letter}i": Fraction(1024**power) for power, letter in enumerate("KMGTPE", 1)},
}
_QUANTITY = re.compile(r"([0-9]+(?:\.[0-9]+)?)(m|k|[MGTPE]i?|Ki)?")


def amount(text: str) -> Fraction:
    """The number that a quantity is, exactly. Raises UsageError for what is none."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise UsageError("an amount", expected="as Kubernetes writes it, such as 250m or 512Mi", found=repr(text))
    number, suffix = found.groups(default="")
    return Fraction(number) * _FACTORS[suffix]


def cpu_text(cpus: Fraction) -> str:
    """In thousandths, rounded up."""
    return f"{math.ceil(cpus * 1000)}m"


def memory_text(size: Fraction) -> str:
    """In MiB, rounded up."""
    return f"{math.ceil(size / 1024**2)}Mi"
