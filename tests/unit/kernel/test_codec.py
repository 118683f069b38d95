"""One packet at a time by every kernel: values in order and by name, what is short, and what is refused."""

from __future__ import annotations

import gc
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest

from c2kit.errors import UnknownName, UsageError
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Condition, Encoding, Field, Fixed, Prefixed
from tests.kernels import KERNELS

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel

pytestmark = KERNELS

PACKET = bytes.fromhex("08 64 c0 01 00 09 ff9c 3fc00000 4142 03")
VALUES: dict[str, Any] = {
    "VERSION": 0,
    "TYPE": 0,
    "SECONDARY": 1,
    "APID": 100,
    "SEQUENCE": 0xC001,
    "LENGTH": 9,
    "TEMPERATURE": -100,
    "RATE": 1.5,
    "NAME": b"AB",
    "MODE": 3,
}


def layout() -> Layout:
    single = Field(name="RATE", encoding=Encoding.IEEE754, bit_length=32)
    return Layout(
        (
            Field(name="VERSION", bit_length=3),
            Field(name="TYPE", bit_length=1),
            Field(name="SECONDARY", bit_length=1, encoding=Encoding.BOOLEAN),
            Field(name="APID", bit_length=11),
            Field(name="SEQUENCE", bit_length=16),
            Field(name="LENGTH", bit_length=16),
            Field(name="TEMPERATURE", bit_length=16, encoding=Encoding.TWOS_COMPLEMENT),
            single,
            Field(name="NAME", encoding=Encoding.STRING, length=Fixed((2,))),
            Field(name="MODE"),
        )
    )


def test_values_come_in_the_order_of_the_fields(kernel: Kernel) -> None:
    assert kernel.codec(layout()).values(PACKET) == tuple(VALUES.values())


def test_a_record_has_the_names_in_the_same_order(kernel: Kernel) -> None:
    record = kernel.codec(layout()).record(PACKET)
    assert list(record.items()) == list(VALUES.items())


def test_integers_around_the_digits_of_pythons_own_are_encoded_as_they_are_elsewhere(kernel: Kernel) -> None:
    signed, unsigned = Encoding.TWOS_COMPLEMENT, Encoding.UNSIGNED
    codecs = {
        encoding: kernel.codec(Layout((Field(name="N", encoding=encoding, bit_length=64),))).encode
        for encoding in (signed, unsigned)
    }
    for digits in (0, 15, 30, 45, 60, 63, 64):
        for number in (sign * 2**digits + step for sign in (1, -1) for step in (-1, 0, 1)):
            for encoding, encode in codecs.items():
                try:
                    expected = number.to_bytes(8, "big", signed=encoding is signed)
                except OverflowError:
                    with pytest.raises(UsageError):
                        encode({"N": number})
                else:
                    assert encode({"N": number}) == expected


def test_every_record_is_a_dict_of_its_own(kernel: Kernel) -> None:
    codec = kernel.codec(layout())
    first = codec.record(PACKET)
    first["MODE"] = None
    first.clear()
    assert codec.record(PACKET) == VALUES


def test_any_bytes_like_object_is_a_packet_and_what_stands_behind_it_does_not_matter(kernel: Kernel) -> None:
    codec = kernel.codec(layout())
    for packet in (bytearray(PACKET), memoryview(PACKET), PACKET + b"\xff", memoryview(b"\xff" + PACKET)[1:]):
        assert codec.values(packet) == tuple(VALUES.values())
        assert codec.record(packet) == VALUES


def test_what_a_short_packet_lacks_is_none(kernel: Kernel) -> None:
    codec = kernel.codec(layout())
    for size in range(len(PACKET)):
        record = codec.record(PACKET[:size])
        ends = {"APID": 2, "TEMPERATURE": 8, "RATE": 12, "NAME": 14, "MODE": 15}
        for name, end in ends.items():
            assert record[name] == (VALUES[name] if size >= end else None)
        assert codec.values(PACKET[:size]) == tuple(record.values())


def test_what_is_absent_is_none(kernel: Kernel) -> None:
    fields = Field(name="N"), Field(name="X", present_if=(Condition("N", "==", 1),)), Field(name="Y")
    assert kernel.codec(Layout(fields)).values(b"\0\2\3") == (0, None, 2)


def test_arrays_and_bytes_of_varying_length_are_decoded_too(kernel: Kernel) -> None:
    fields = (
        Field(name="A", bit_length=4, length=Fixed((2, 2))),
        Field(name="B", encoding=Encoding.BINARY, length=Prefixed(8)),
    )
    assert kernel.codec(Layout(fields)).values(bytes.fromhex("1234 02 aabb")) == ([[1, 2], [3, 4]], b"\xaa\xbb")


def test_encoding_is_the_same_in_any_order_and_under_equal_names(kernel: Kernel) -> None:
    codec = kernel.codec(layout())
    assert codec.encode(VALUES) == PACKET
    assert codec.encode(dict(reversed(list(VALUES.items())))) == PACKET
    assert codec.encode({"".join(name): value for name, value in VALUES.items()}) == PACKET
    assert codec.encode(OrderedDict(VALUES)) == PACKET


def test_a_packet_of_many_words_is_encoded(kernel: Kernel) -> None:
    size = 600
    fields = Field(name="A", bit_length=4), Field(name="B", encoding=Encoding.BINARY, length=Fixed((size,)))
    codec = kernel.codec(Layout((*fields, Field(name="C", bit_length=4))))
    content = bytes(number % 251 for number in range(size))
    packet = codec.encode({"A": 1, "B": content, "C": 2})
    assert packet.hex() == "1" + content.hex() + "2"
    assert codec.values(packet) == (1, content, 2)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"MODE": 256}, "MODE: its 8 bits cannot hold this, expected an integer from 0 to 255, found 256"),
        ({"TEMPERATURE": -32769}, "TEMPERATURE: its 16 bits cannot hold this"),
        ({"APID": True}, "APID: its 11 bits cannot hold this"),
        ({"RATE": "fast"}, "RATE: its 32 bits cannot hold this"),
        ({"NAME": b"ABC"}, "NAME: the wrong number of bytes"),
        ({"NAME": "AB"}, "NAME: it is made of bytes"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(kernel: Kernel, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        kernel.codec(layout()).encode({**VALUES, **changes})
    assert str(caught.value).startswith(text)


def test_missing_and_superfluous_values_are_refused(kernel: Kernel) -> None:
    codec = kernel.codec(layout())
    with pytest.raises(UsageError, match="MODE: it has no value"):
        codec.encode({name: value for name, value in VALUES.items() if name != "MODE"})
    with pytest.raises(UnknownName, match="did you mean MODE"):
        codec.encode({**VALUES, "MODES": 1})


def test_a_layout_and_its_codec_go_together(kernel: Kernel) -> None:
    mine = layout()
    assert kernel.codec(mine).values(PACKET) == tuple(VALUES.values())
    gone = weakref.ref(mine)
    del mine
    gc.collect()
    assert gone() is None
