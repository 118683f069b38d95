"""Both kernels against what others make of the same bytes: big integers, ``struct``, ``ctypes`` and ``bitstruct``."""

from __future__ import annotations

import ctypes
import struct
from typing import TYPE_CHECKING, Any

import bitstruct
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Encoding, Field, Fixed
from tests.property.layouts import INTEGER_WIDTHS, Batch

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

KERNELS = pytest.mark.parametrize("kernel", [reference, columns], ids=["reference", "columns"])


def decoded(kernel: Kernel, fields: list[Field], packet: bytes, before: bytes = b"", after: bytes = b"") -> list[Any]:
    """The value of each field of one packet, which stands between other bytes."""
    bounds = [(len(before), len(before) + len(packet))]
    batch = Batch.of(before + packet + after, bounds)
    found = kernel.decode(Layout(tuple(fields)), batch.buffer, batch.starts, batch.ends)
    return [column.to_list()[0] for column in found]


@KERNELS
@given(st.data(), st.binary(min_size=8, max_size=24), st.binary(max_size=9))
def test_unsigned_integers_are_shifted_and_masked_big_integers(
    kernel: Kernel, data: st.DataObject, packet: bytes, after: bytes
) -> None:
    bits = data.draw(INTEGER_WIDTHS)
    start = data.draw(st.integers(0, 8 * len(packet) - bits))
    big, little = int.from_bytes(packet), int.from_bytes(packet, "little")
    mask = 2**bits - 1
    fields = [
        Field(name="BIG", bit_offset=start, bit_length=bits),
        Field(name="LITTLE", bit_offset=start, bit_length=bits, byte_order="little"),
    ]
    expected = [big >> (8 * len(packet) - start - bits) & mask, little >> start & mask]
    assert decoded(kernel, fields, packet, after=after) == expected


@KERNELS
@given(st.data(), st.binary(min_size=8, max_size=16))
def test_signed_integers_are_what_their_definitions_say(kernel: Kernel, data: st.DataObject, packet: bytes) -> None:
    bits = data.draw(INTEGER_WIDTHS)
    start = data.draw(st.integers(0, 8 * len(packet) - bits))
    pattern = int.from_bytes(packet) >> (8 * len(packet) - start - bits) & (2**bits - 1)
    sign, rest = pattern >> (bits - 1), pattern & (2 ** (bits - 1) - 1)
    expected = {
        Encoding.TWOS_COMPLEMENT: rest - sign * 2 ** (bits - 1),
        Encoding.ONES_COMPLEMENT: rest - sign * (2 ** (bits - 1) - 1),
        Encoding.SIGN_MAGNITUDE: -rest if sign else rest,
    }
    fields = [Field(name=kind.name, encoding=kind, bit_offset=start, bit_length=bits) for kind in expected]
    assert decoded(kernel, fields, packet) == list(expected.values())


WORDS = {
    "B": (Encoding.UNSIGNED, 8),
    "H": (Encoding.UNSIGNED, 16),
    "I": (Encoding.UNSIGNED, 32),
    "Q": (Encoding.UNSIGNED, 64),
    "b": (Encoding.TWOS_COMPLEMENT, 8),
    "h": (Encoding.TWOS_COMPLEMENT, 16),
    "i": (Encoding.TWOS_COMPLEMENT, 32),
    "q": (Encoding.TWOS_COMPLEMENT, 64),
    "e": (Encoding.IEEE754, 16),
    "f": (Encoding.IEEE754, 32),
    "d": (Encoding.IEEE754, 64),
}


@KERNELS
@given(st.data(), st.lists(st.tuples(st.sampled_from(sorted(WORDS)), st.integers(0, 3)), min_size=1, max_size=8))
@pytest.mark.parametrize(("order", "sign"), [("big", ">"), ("little", "<")])
def test_words_and_their_arrays_are_those_of_struct(
    kernel: Kernel, order: str, sign: str, data: st.DataObject, words: list[tuple[str, int]]
) -> None:
    codes = [code * max(count, 1) for code, count in words]
    packet = data.draw(st.binary(min_size=struct.calcsize(sign + "".join(codes))))
    fields, expected, place = [], [], 0
    for number, ((code, count), repeated) in enumerate(zip(words, codes, strict=True)):
        encoding, bits = WORDS[code]
        length = Fixed((count,)) if count else None
        fields.append(Field(name=f"F{number}", encoding=encoding, bit_length=bits, byte_order=order, length=length))
        values = list(struct.unpack_from(sign + repeated, packet, place))
        place += struct.calcsize(sign + repeated)
        expected.append(values if count else values[0])
    np.testing.assert_equal(decoded(kernel, fields, packet, before=b"\xaa"), expected)


@KERNELS
@given(st.data(), st.binary(min_size=8, max_size=8))
def test_little_endian_bit_fields_are_where_a_little_endian_compiler_puts_them(
    kernel: Kernel, data: st.DataObject, packet: bytes
) -> None:
    widths = _widths(data, most_bits=64)
    members = [(f"F{number}", ctypes.c_uint64, bits) for number, bits in enumerate(widths)]

    class Compiled(ctypes.LittleEndianStructure):
        _fields_ = members

    compiled = Compiled.from_buffer_copy(packet)
    fields = [Field(name=name, bit_length=bits, byte_order="little") for name, _, bits in members]
    assert decoded(kernel, fields, packet) == [getattr(compiled, name) for name, _, _ in members]


def _widths(data: st.DataObject, most_bits: int) -> list[int]:
    widths = data.draw(st.lists(st.integers(1, 40), min_size=1, max_size=12))
    while sum(widths) > most_bits:
        widths.pop()
    return widths or [7]


CODES = {
    "u": (Encoding.UNSIGNED, st.integers(1, 64)),
    "s": (Encoding.TWOS_COMPLEMENT, st.integers(1, 64)),
    "b": (Encoding.BOOLEAN, st.integers(1, 64)),
    "f": (Encoding.IEEE754, st.sampled_from([16, 32, 64])),
    "r": (Encoding.BINARY, st.integers(1, 5).map(lambda size: 8 * size)),
}


@KERNELS
@given(st.data())
def test_plain_packets_are_those_of_bitstruct(kernel: Kernel, data: st.DataObject) -> None:
    fields, codes = [], []
    for number, code in enumerate(data.draw(st.lists(st.sampled_from(sorted(CODES)), min_size=1, max_size=12))):
        encoding, widths = CODES[code]
        bits = data.draw(widths)
        length = Fixed((bits // 8,)) if encoding.is_bytes else None
        fields.append(Field(name=f"F{number}", encoding=encoding, bit_length=8 if length else bits, length=length))
        codes.append(f"{code}{bits}")
    form = "".join(codes)
    packet = data.draw(st.binary(min_size=-(-bitstruct.calcsize(form) // 8), max_size=100))
    found = decoded(kernel, fields, packet)
    values = [bool(value) if code[0] == "b" else value for value, code in zip(found, codes, strict=True)]
    expected = list(bitstruct.unpack(form, packet))
    np.testing.assert_equal(values, expected)
    is_nan = [isinstance(value, float) and value != value for value in found]  # noqa: PLR0124 - how a NaN is known
    if not any(is_nan):
        # bitstruct packs a Boolean as 0 or 1.
        given_values = {field.name: value for field, value in zip(fields, values, strict=True)}
        assert kernel.encode(Layout(tuple(fields)), given_values) == bitstruct.pack(form, *expected)
