"""Bytes and values in lines for people."""

from __future__ import annotations

import pytest

from c2kit.cli.showing import hex_dump, printable, value_words
from c2kit.model.fields import Encoding
from c2kit.model.packets import Item


def item(units: str = "", display: str = "") -> Item:
    return Item(name="X", encoding=Encoding.UNSIGNED, bit_length=8, units=units, display=display)


@pytest.mark.parametrize(
    ("value", "units", "display", "words"),
    [
        (7.4125, "V", ".3f", "7.412 V"),
        (100, "", "#05x", "0x064"),
        (1 / 3, "V", "", "0.3333333 V"),
        (0.0, "V", "", "0 V"),
        (12, "s", "", "12 s"),
        (True, "V", "", "true"),
        (None, "V", ".3f", "none"),
        ("SAFE", "", ".3f", "SAFE"),
        ("NaN", "V", ".3f", "NaN"),
        ([1.0, None, [2.5]], "V", ".1f", "[1.0, none, [2.5]] V"),
        ("a\x1b[2Jb\n", "", "", r"a\x1b[2Jb\n"),
    ],
)
def test_values_are_shown_as_people_read_them(value: object, units: str, display: str, words: str) -> None:
    assert value_words(item(units, display), value) == words


def test_text_does_nothing_to_a_terminal_and_stays_on_its_line() -> None:
    assert printable("Grüße, 世界 [bold]") == "Grüße, 世界 [bold]"
    for code in (*range(32), *range(0x7F, 0xA0), 0x202E, 0x2028):
        assert printable(f"a{chr(code)}").isprintable()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 300])
def test_a_dump_has_every_byte_in_its_place(size: int) -> None:
    data = bytes(index % 256 for index in range(size))
    lines = hex_dump(data).splitlines()[1:]
    assert bytes.fromhex("".join(line[12:59] for line in lines)) == data
    assert [int(line[:10], 16) for line in lines] == list(range(0, size, 16))
    letters = "".join(line[61:] for line in lines)
    assert letters == "".join(chr(each) if 32 <= each < 127 else "." for each in data)
