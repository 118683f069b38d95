"""Headers, identification, time and the other things that are said of a packet."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import DefinitionError
from c2kit.model.fields import Fixed
from c2kit.model.packets import Match, PacketLength
from c2kit.model.time import EPOCHS, Cds, Cuc, Epoch, PacketTime, Scale
from tests.definitions import load, load_packet, write

CCSDS = """
target: SAT
headers:
  CCSDS:
    length: {item: LENGTH, add: 7}
    items: {VERSION: u3, TYPE: u1, SECONDARY: bool, APID: u11, FLAGS: u2, COUNT: u14, LENGTH: u16}
  TM:
    extends: CCSDS
    identify: {VERSION: 0, TYPE: 0}
    time: {cuc: {coarse: SECONDS, fine: SUBSECONDS}, epoch: gps}
    items: {SECONDS: u32, SUBSECONDS: u16}
    trailer: {CRC: u16}
packets:
"""


def test_a_packet_begins_with_its_header_and_ends_with_its_trailer(tmp_path: Path) -> None:
    target = load(tmp_path, CCSDS + "  P:\n    extends: TM\n    identify: {APID: 0x64}\n    items: {MODE: u8}\n")
    packet = target.packet("P")
    assert " ".join(item.name for item in packet.items) == (
        "VERSION TYPE SECONDARY APID FLAGS COUNT LENGTH SECONDS SUBSECONDS MODE CRC"
    )
    assert packet.identification == (Match("VERSION", 0), Match("TYPE", 0), Match("APID", 100))
    assert packet.time == PacketTime(Cuc("SECONDS", "SUBSECONDS"), EPOCHS["gps"])
    assert packet.length == PacketLength("LENGTH", 7)


def test_what_a_packet_says_counts_more_than_its_header(tmp_path: Path) -> None:
    target = load(
        tmp_path,
        CCSDS
        + """
  P:
    extends: TM
    identify: {VERSION: 1, APID: 2}
    time: {cuc: SECONDS, epoch: tai}
    length: {item: LENGTH, add: 1}
    items: {MODE: u8}
""",
    )
    packet = target.packet("P")
    assert packet.identification == (Match("VERSION", 1), Match("TYPE", 0), Match("APID", 2))
    assert packet.time == PacketTime(Cuc("SECONDS"), EPOCHS["tai"])
    assert packet.length == PacketLength("LENGTH", 1)


def test_headers_may_be_extended_before_they_are_defined(tmp_path: Path) -> None:
    target = load(
        tmp_path,
        """
        target: SAT
        packets: {P: {extends: B, items: {Z: u8}}}
        headers:
          B: {extends: A, items: {Y: u8}, trailer: {T1: u8}}
          A: {items: {X: u8}, trailer: {T2: u8}}
        """,
    )
    assert [item.name for item in target.packet("P").items] == ["X", "Y", "Z", "T1", "T2"]


def test_everything_else_that_is_said_of_a_packet(tmp_path: Path) -> None:
    packet = load_packet(
        tmp_path,
        """
        description: All there is
        fallback: true
        overlaps: true
        size_bytes: 64
        items: {A: u8}
        """,
    )
    assert (packet.description, packet.fallback, packet.overlaps, packet.size_bytes) == ("All there is", True, True, 64)
    assert (packet.source.line, packet.source.column) == (3, 3) if packet.source else False


@pytest.mark.parametrize(
    ("item", "expected", "value"),
    [
        ("u8", "0x64", 100),
        ("u8", "0b11", 3),
        ("u8", "0o17", 15),
        ("u16", "1_000", 1000),
        ("i8", "-5", -5),
        ("bool", "true", 1),
        ("bool", "1", 1),
        ("{type: u8, states: {OFF: 0, ON: 1}}", "ON", 1),
        ('"bytes[4]"', "0x1ACFFC1D", b"\x1a\xcf\xfc\x1d"),
        ('"bytes[4]"', '"HELO"', b"HELO"),
        ('"text[4]"', "HELO", b"HELO"),
        ('"text[6]"', "HELO", b"HELO\0\0"),
        ('{type: "text[6]", padding: " "}', "HELO", b"HELO  "),
        ('{type: "text[4]", charset: utf-16-le}', "AB", b"A\0B\0"),
        ('"text[4]"', "1234", b"1234"),
    ],
)
def test_packets_are_identified_by_raw_values(tmp_path: Path, item: str, expected: str, value: int | bytes) -> None:
    packet = load_packet(tmp_path, f"items:\n  X: {item}\nidentify: {{X: {expected}}}\n")
    assert packet.identification == (Match("X", value),)


@pytest.mark.parametrize(
    ("item", "identify", "wrong"),
    [
        ("X: u8", "{Y: 1}", "Y, which is no item of the packet"),
        ("X: u8", "{X: 256}", "expected 0 to 255, found 256"),
        ("X: i8", "{X: -129}", "expected -128 to 127, found -129"),
        ("X: u8", "{X: abc}", "integer"),
        ("X: u8", "{X: '1'}", "integer"),
        ("X: u8", "{X: 1.5}", "integer"),
        ("X: u8", "{X: true}", "integer"),
        ("X: u8", "{X: [1]}", "integer"),
        ("X: u8", "{X: 1, X: 2}", "stands twice"),
        ("X: {type: u8, states: {A: 1..2}}", "{X: A}", "more than one value"),
        ("X: {type: u8, states: {A: 1}}", "{X: B}", "no state 'B'"),
        ("X: f32", "{X: 1}", "float"),
        ('X: "u8[2]"', "{X: 1}", "array"),
        ('X: "bytes[4]"', "{X: 0x1234}", "expected 4 bytes, found 2 bytes"),
        ('X: "text[4]"', "{X: HELLO}", "expected 4 bytes, found 5 bytes"),
        ('X: "bytes[2]"', "{X: 0x123}", "two digits a byte"),
        ("N: u8\n  X: {type: u8, only_if: {N: 1}}", "{X: 1}", "varies from packet to packet"),
        ('N: u8\n  T: "u8[N]"\n  X: u8', "{X: 1}", "varies from packet to packet"),
        ('T: "bytes[N]"\n  X: u8', "{X: 1}", "N, which is not defined"),
        ("X: {type: u8, at_byte: 70000}", "{X: 1}", "too far into the packet"),
        ("X: u8\n  Y: {type: u8, at_bit: 0}", "{X: 1, Y: 2}", "wants bits that another item wants otherwise"),
    ],
)
def test_identification_that_cannot_be_is_refused(tmp_path: Path, item: str, identify: str, wrong: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_packet(tmp_path, f"items:\n  {item}\nidentify: {identify}\n")
    assert wrong in str(caught.value)
    assert caught.value.source is not None
    assert caught.value.source.line >= 5


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("{cuc: {coarse: S, fine: F}, epoch: gps}", PacketTime(Cuc("S", "F"), EPOCHS["gps"])),
        ("{cuc: {coarse: S, fine: B}, epoch: gps}", PacketTime(Cuc("S", "B"), EPOCHS["gps"])),
        ("{cuc: S, epoch: unix}", PacketTime(Cuc("S"), EPOCHS["unix"])),
        ("{cuc: S, epoch: j2000}", PacketTime(Cuc("S"), EPOCHS["j2000"])),
        (
            "{cds: {days: D, milliseconds: S}, epoch: utc-1958}",
            PacketTime(Cds("D", "S"), EPOCHS["utc-1958"]),
        ),
        (
            "{cds: {days: D, milliseconds: S, submilliseconds: F}, epoch: tai}",
            PacketTime(Cds("D", "S", "F"), EPOCHS["tai"]),
        ),
        (
            "{cuc: S, epoch: {at: 2001-02-03T04:05:06.789, scale: tai}}",
            PacketTime(Cuc("S"), Epoch("2001-02-03T04:05:06.789 tai", 981_173_106_789_000_000, Scale.TAI)),
        ),
        ("{cuc: S, epoch: OWN}", PacketTime(Cuc("S"), Epoch("OWN", 946_684_800_000_000_000, Scale.UTC))),
    ],
)
def test_the_time_of_a_packet(tmp_path: Path, time: str, expected: PacketTime) -> None:
    target = load(
        tmp_path,
        f"""
        target: SAT
        epochs: {{OWN: {{at: 2000-01-01, scale: utc}}}}
        packets: {{P: {{time: {time}, items: {{D: u16, S: u32, F: u16, B: "bytes[3]"}}}}}}
        """,
    )
    assert target.packet("P").time == expected


def test_an_epoch_is_the_calendar_reading_taken_as_posix_time(tmp_path: Path) -> None:
    packet = load_packet(
        tmp_path, "items: {S: u32}\ntime: {cuc: S, epoch: {at: '1980-01-06 00:00:19.000000001', scale: tai}}\n"
    )
    reading = int(datetime(1980, 1, 6, 0, 0, 19, tzinfo=UTC).timestamp())
    assert packet.time is not None
    assert packet.time.epoch.posix_ns == reading * 10**9 + 1


@pytest.mark.parametrize(
    ("time", "wrong"),
    [
        ("{cuc: S}", "has no epoch"),
        ("{epoch: gps}", "cuc or cds"),
        ("{cuc: S, cds: {days: D, milliseconds: S}, epoch: gps}", "cuc or cds"),
        ("{cuc: S, epoch: gsp}", "no epoch 'gsp'"),
        ("{cuc: {fine: F}, epoch: gps}", "no coarse"),
        ("{cuc: NOBODY, epoch: gps}", "NOBODY, which is no field"),
        ("{cuc: I, epoch: gps}", "unsigned integer"),
        ("{cds: {days: D}, epoch: gps}", "incomplete"),
        ("{cds: {days: D, milliseconds: S, submilliseconds: N}, epoch: gps}", "16 or 32 bits"),
        ("{cuc: S, epoch: {at: 2000-01-01}}", "incomplete"),
        ("{cuc: S, epoch: {at: 2000-13-01, scale: utc}}", "no such instant"),
        ("{cuc: S, epoch: {at: 2000-01-01T25:00:00, scale: utc}}", "no such instant"),
        ("{cuc: S, epoch: {at: 0001-01-01, scale: utc}}", "no such instant"),
        ("{cuc: S, epoch: {at: yesterday, scale: utc}}", "no such instant"),
        ("{cuc: S, epoch: {at: 2000-01-01, scale: tt}}", "no such scale"),
        ("gps", "must be a mapping"),
    ],
)
def test_times_that_cannot_be_are_refused(tmp_path: Path, time: str, wrong: str) -> None:
    with pytest.raises(DefinitionError, match=wrong) as caught:
        load_packet(tmp_path, f"items: {{D: u16, S: u32, F: u16, I: i32, N: u24}}\ntime: {time}\n")
    assert caught.value.source is not None
    assert caught.value.source.line == 5


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("item: {A: u8}", "did you mean items"),
        ("items: [A]", "must be a mapping"),
        ("items: {A: u8}\nextends: NOBODY", "no header 'NOBODY'"),
        ("items: {A: u8}\nfallback: yes", "must be true or false"),
        ("items: {A: u8}\nfallback: 1", "must be true or false"),
        ("items: {A: u8}\nsize_bytes: 0", "out of range"),
        ("items: {A: u8}\nlength: {item: B}", "no integer of this packet"),
        ("items: {A: f32}\nlength: {item: A}", "no integer of this packet"),
        ("items: {A: u8}\nlength: {add: 7}", "names no item"),
        ("items: {A: u8}\nbyte_order: middle", "big or little"),
        ("items: {A: u8, A: u16}", "stands twice"),
        ('items: {A: "u8[...]", B: "u8[...]"}', "two fields expand"),
        ("items: {A: u8}\nderived: {A: {function: 'm:f', of: [A]}}", "A stands twice"),
        ("items: {A: u8}\noffsets_from: data", "offsets_from belongs to csv"),
        ("csv: missing.csv", "no such file"),
        ("csv: defs.yaml\noffsets_from: header", "expected packet or data, found 'header'"),
    ],
)
def test_packets_that_cannot_be_are_refused(tmp_path: Path, body: str, wrong: str) -> None:
    with pytest.raises(DefinitionError, match=wrong) as caught:
        load_packet(tmp_path, body)
    assert caught.value.source is not None
    assert caught.value.source.line >= 4


def test_a_name_that_a_header_has_cannot_be_used_again(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"APID stands twice, found the first at .*defs\.yaml:5:53; rename"):
        load(tmp_path, CCSDS + "  P: {extends: TM, items: {APID: u8}}\n")


def test_a_header_that_says_nonsense_is_refused_though_nobody_extends_it(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="no such type") as caught:
        load(tmp_path, CCSDS.replace("FLAGS: u2", "FLAGS: x2") + "  P: {items: {A: u8}}\n")
    assert caught.value.others == ()


def test_a_broken_header_is_reported_once_and_not_by_all_that_extend_it(tmp_path: Path) -> None:
    packets = "".join(f"  P{number}: {{extends: TM, items: {{A: u8}}}}\n" for number in range(5))
    with pytest.raises(DefinitionError, match="has no 'tim'; did you mean time") as caught:
        load(tmp_path, CCSDS.replace("    trailer", "    tim: 1\n    trailer") + packets)
    assert caught.value.others == ()


@pytest.mark.parametrize(
    ("headers", "wrong"),
    [
        ("{A: {extends: A}}", "extends itself"),
        ("{A: {extends: B}, B: {extends: A}}", "extends itself"),
        ("{A: {items: {X: u8}, arguments: {Y: u8}}}", "has items and arguments"),
        ("{A: {arguments: {X: u8}}, P: {}}", "header A is for commands"),
        ("{A: {items: {X: u8}, derived: {}}}", "has no 'derived'"),
        ("{A: 5}", "must be a mapping"),
        ("5", "must be a mapping"),
    ],
)
def test_headers_that_cannot_be_are_refused(tmp_path: Path, headers: str, wrong: str) -> None:
    with pytest.raises(DefinitionError, match=wrong):
        load(tmp_path, f"target: SAT\nheaders: {headers}\npackets:\n  P: {{extends: A, items: {{Z: u8}}}}\n")


def test_headers_on_headers_have_a_bound_wherever_one_begins(tmp_path: Path) -> None:
    chain = [f"H{number}: {{extends: H{number - 1}}}" for number in range(1, 400)]
    for lines in (["H0: {}", *chain], [*reversed(chain), "H0: {}"]):
        text = "target: SAT\nheaders:\n" + "".join(f"  {line}\n" for line in lines)
        with pytest.raises(DefinitionError, match="extend each other too deep"):
            load(tmp_path, text + "packets: {P: {extends: H399, items: {A: u8}}}\n")
    text = "target: SAT\nheaders:\n" + "".join(f"  {line}\n" for line in ["H0: {items: {Z: u8}}", *chain[:30]])
    assert len(load(tmp_path, text + "packets: {P: {extends: H30, items: {A: u8}}}\n").packets[0].items) == 2


def test_a_csv_file_gives_a_packet_its_items(tmp_path: Path) -> None:
    write(tmp_path, "name,data_type,bit_length\nA,uint,8\nB,int,16\n", "sci.csv")
    write(tmp_path, "name,data_type,bit_offset,bit_length\nX,uint,48,8\nY,uint(4),56,8\n", "hk.csv")
    text = CCSDS + "  SCI: {extends: CCSDS, identify: {APID: 3}, csv: sci.csv}\n"
    text += "  HK: {extends: CCSDS, identify: {APID: 4}, csv: hk.csv, offsets_from: packet}\n"
    target = Dictionary.load(write(tmp_path, text))["SAT"]
    science, housekeeping = target.packet("SCI"), target.packet("HK")
    assert [item.name for item in science.items[7:]] == ["A", "B"]
    assert science.overlaps
    x, y = housekeeping.items[7:]
    assert (x.bit_offset, y.bit_offset, y.length) == (48, 56, Fixed((4,)))


def test_a_csv_file_that_is_wrong_is_told_by_its_own_lines(tmp_path: Path) -> None:
    path = write(tmp_path, "name,data_type,bit_length\nA,quaternion,8\n", "sci.csv")
    with pytest.raises(DefinitionError) as caught:
        load(tmp_path, CCSDS + "  SCI: {extends: CCSDS, csv: sci.csv}\n")
    assert caught.value.source is not None
    assert (caught.value.source.file, caught.value.source.line) == (str(path), 2)


def test_a_csv_file_may_not_name_what_the_header_names(tmp_path: Path) -> None:
    write(tmp_path, "name,data_type,bit_length\nAPID,uint,8\n", "sci.csv")
    with pytest.raises(DefinitionError, match=r"APID stands twice, here and in .*sci\.csv"):
        load(tmp_path, CCSDS + "  SCI: {extends: CCSDS, csv: sci.csv}\n")
