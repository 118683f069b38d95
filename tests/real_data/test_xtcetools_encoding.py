"""Encodings of integers and enumerations that another project's tests publish for the parameters of its BogusSAT.

The values there are engineering values written as Java literals; the results are the bits, or a refusal.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.errors import UsageError
from c2kit.kernel import columns, reference
from c2kit.kernel.conversions import invert
from c2kit.kernel.layout import Layout
from c2kit.model.conversions import State, States
from c2kit.model.fields import Encoding, Field, Fixed

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.kernel.contract import Kernel
    from c2kit.model.conversions import Conversion

FIELDS = {
    "CCSDSAPID": (Encoding.UNSIGNED, 11),
    "Basic_int32_signmag": (Encoding.SIGN_MAGNITUDE, 32),
    "Basic_int32_twoscomp": (Encoding.TWOS_COMPLEMENT, 32),
    "Basic_int32_onescomp": (Encoding.ONES_COMPLEMENT, 32),
    "Payload_1_Phase": (Encoding.UNSIGNED, 4),
    "enum_int16_signmag": (Encoding.SIGN_MAGNITUDE, 16),
    "enum_int16_twoscomp": (Encoding.TWOS_COMPLEMENT, 16),
    "enum_int16_onescomp": (Encoding.ONES_COMPLEMENT, 16),
    # There, a number in a binary field is an unsigned one, and in a string field its decimal digits.
    "enum_binary": (Encoding.UNSIGNED, 32),
    "enum_string": (Encoding.STRING, 8),
    "enum_float32": (Encoding.IEEE754, 32),
    "enum_float64": (Encoding.IEEE754, 64),
}
PHASES = [("TEST", 1), ("LAUNCH", 2), ("STANDBY", 3), ("ACTIVE", 4), ("SHUTDOWN", 5), ("FAILED", 6)]
STATES = States((*(State(name, code, code) for name, code in PHASES), State("NEGNUM", -2, -2)))
"""The database has FAILED up to 16, which an encoder does not notice."""
ENTRIES = 111
"""What is left when the calls in the bodies of helper methods are taken away."""


def entries(real_data: Path) -> list[dict[str, Any]]:
    published = json.loads((real_data / "expected" / "dev_xtcetools_encoding.json").read_text(encoding="utf-8"))
    return [entry for entry in published["tests"] if entry["item"] is not None]


def value_of(literal: str, *, is_text: bool) -> float | str:
    """What a Java literal stands for; text in quotes is a number too where the field is one."""
    if literal.startswith('"'):
        text = literal.strip('"')
        return text if is_text or not text.lstrip("-")[0].isdigit() else int(text, 0)
    number = literal.removeprefix("(float)")
    return float(number) if "." in number else int(number, 0)


def encoded_bits(kernel: Kernel, name: str, literal: str) -> str:
    encoding, bits = FIELDS[name]
    is_enumeration = name.startswith(("enum", "Payload"))
    conversion: Conversion | None = STATES if is_enumeration else None
    field = Field(name=name, encoding=encoding, bit_length=bits, length=Fixed((4,)) if encoding.is_bytes else None)
    raw = invert(conversion, field, value_of(literal, is_text=is_enumeration))
    packet = kernel.encode(Layout((field,)), {name: str(raw).encode() if encoding.is_bytes else raw})
    return "".join(f"{byte:08b}" for byte in packet)


@pytest.mark.parametrize("kernel", [reference, columns], ids=["reference", "columns"])
def test_every_published_value_has_its_bits_or_is_refused(kernel: Kernel, real_data: Path) -> None:
    found = entries(real_data)
    assert len(found) == ENTRIES
    for entry in found:
        name, expected = entry["item"][1], entry["expected"]
        if len(expected) == 1:
            with pytest.raises(UsageError, match=name):
                encoded_bits(kernel, name, entry["input"])
        else:
            bits = encoded_bits(kernel, name, entry["input"])
            assert bits == expected[1].ljust(len(bits), "0"), entry
