"""Strings to text, held against Python's own decoding of each."""

import pytest

from c2kit.errors import UsageError
from c2kit.kernel.contract import Column
from c2kit.kernel.conversions import bind, engineering_dtype, invert
from c2kit.kernel.tally import Tally
from c2kit.model.fields import Encoding, Expand, Field, Fixed, Terminated, Text
from c2kit.model.packets import Item
from tests.columns import strings


def decoded(text: Text | None, values: list[bytes | None]) -> tuple[Column, int]:
    made = Item(name="S", encoding=Encoding.STRING, length=Expand(), text=text)
    convert = bind(made)
    assert convert is not None
    assert engineering_dtype(made) is None
    column, tally = convert(strings(values))
    assert column.is_text
    assert column.is_bytes
    return column, tally[Tally.UNDECODABLE_TEXT]


def test_padding_is_stripped_from_the_end_only() -> None:
    column, bad = decoded(None, [b"abc\0\0", b"\0a\0b\0", b"\0\0\0", b"", b"full", None])
    assert column.to_list() == ["abc", "\0a\0b", "", "", "full", None]
    assert bad == 0


def test_what_follows_the_terminator_is_cut_off() -> None:
    text = Text(terminator=b"\n", padding=b" ")
    column, bad = decoded(text, [b"one \ntwo\n", b"three  ", b"\nfour", None, b"five\xff\n"])
    assert column.to_list()[:4] == ["one", "three", "", None]
    assert column.to_list()[4] is None
    assert bad == 1


def test_bytes_after_the_terminator_need_not_be_text() -> None:
    column, bad = decoded(Text(terminator=b"\0", padding=b""), [b"ok\0\xff\xfe", b"no\xff\0"])
    assert column.to_list() == ["ok", None]
    assert bad == 1


def test_no_padding_strips_nothing() -> None:
    assert decoded(Text(padding=b""), [b"a\0", b"b "])[0].to_list() == ["a\0", "b "]


@pytest.mark.parametrize(
    "charset", ["utf-8", "ascii", "latin-1", "iso8859-15", "cp1252", "koi8-r", "shift_jis", "cp500", "utf-16-be"]
)
def test_every_charset_is_decoded_as_python_does(charset: str) -> None:
    values = [
        b"plain ascii",
        b"\xe4\xf6\xfc",
        "h\u00e9llo".encode(),
        "\u65e5\u672c".encode("shift_jis"),
        b"\x81",
        b"x\x7f",
    ]
    expected: list[str | None] = []
    for value in values:
        try:
            expected.append(value.decode(charset))
        except UnicodeError:
            expected.append(None)
    column, bad = decoded(Text(charset=charset, padding=b""), list(values))
    assert column.to_list() == expected
    assert bad == expected.count(None)


def test_undecodable_text_leaves_its_neighbours_and_its_packet_alone() -> None:
    column, bad = decoded(None, [b"a", b"\xff\xff", "\u00fc".encode(), b"\xc3", b"z\0"])
    assert column.to_list() == ["a", None, "\u00fc", None, "z"]
    assert column.offsets is not None
    assert column.offsets.tolist() == [0, 1, 1, 3, 3, 4]
    assert bad == 2


def test_wide_characters_are_cut_and_stripped_in_steps_of_their_width() -> None:
    text = Text(charset="utf-16-le", terminator=b"\0\0", padding=b"\0\0")
    # U+0100 ends in a zero octet, and so does every character before a zero one.
    value = "A\u0100B".encode("utf-16-le")
    column, bad = decoded(text, [value + b"\0\0junk", value, value + b"\0\0\0\0", b"\0\0", b"A"])
    assert column.to_list() == ["A\u0100B"] * 3 + ["", None]
    assert bad == 1


def test_a_column_with_nothing_in_it() -> None:
    assert decoded(None, [])[0].to_list() == []
    assert decoded(Text(charset="cp500"), [None])[0].to_list() == [None]


def field(size: int | None, text: Text | None = None) -> Field:
    length = Terminated(b"\0") if size is None else Fixed((size,))
    return Field(name="S", encoding=Encoding.STRING, length=length, text=text)


def test_text_for_a_fixed_field_is_terminated_where_there_is_room_and_padded() -> None:
    assert invert(None, field(5), "abc") == b"abc\0\0"
    assert invert(None, field(5, Text(padding=b" ")), "abc") == b"abc  "
    assert invert(None, field(5, Text(padding=b" ", terminator=b"\n")), "abc") == b"abc\n "
    assert invert(None, field(3, Text(padding=b" ", terminator=b"\n")), "abc") == b"abc"
    assert invert(None, field(6, Text(charset="utf-16-be", padding=b"\0\0")), "ab") == b"\0a\0b\0\0"
    assert invert(None, field(2, Text(padding=b"")), "ab") == b"ab"


def test_text_for_any_other_field_is_left_as_it_is() -> None:
    assert invert(None, field(None), "abc") == b"abc"
    assert invert(None, field(None, Text(charset="latin-1")), "\u00e4") == b"\xe4"


@pytest.mark.parametrize(
    ("size", "text", "value", "complaint"),
    [
        (2, None, "abc", "too long, expected at most 2 bytes, found 3"),
        (2, None, "\u00e4\u00f6", "too long, expected at most 2 bytes, found 4"),
        (9, Text(charset="ascii"), "\u00e4", "characters that its character set lacks, expected ascii"),
        (9, Text(terminator=b"\n"), "a\nb", "holds the terminator"),
        (3, Text(padding=b""), "ab", "too short, and no padding fills it up, expected 3 bytes, found 2"),
        (5, Text(charset="utf-16-be", padding=b"\0\0"), "a", "too short"),
    ],
)
def test_text_that_would_not_come_back_is_refused(size: int, text: Text | None, value: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=rf"S: the text .*{complaint}"):
        invert(None, field(size, text), value)
