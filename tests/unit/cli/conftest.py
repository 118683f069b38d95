"""A small mission, made by hand: its packets' bytes are written down, and so is what they mean."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from c2kit.cli import main
from tests.definitions import write

Run = Callable[..., Result]

MISSION = r"""
    target: SAT
    description: A satellite for tests

    headers:
      CCSDS:
        length: {item: LENGTH, add: 7}
        items:
          VERSION: u3
          TYPE: u1
          SECONDARY: u1
          APID: {type: u11, display: "#05x"}
          FLAGS: u2
          COUNT: u14
          LENGTH: u16

    packets:
      STATUS:
        extends: CCSDS
        description: How it is
        identify: {APID: 10}
        time: {cuc: {coarse: SECONDS, fine: FRACTION}, epoch: unix}
        items:
          SECONDS: u32
          FRACTION: u8
          MODE: {type: u8, states: {SAFE: 0, NOMINAL: 1, TEST: 8..11}}
          READY: bool8
          VOLTS: {type: u16, units: V, scale: 0.5, offset: -1, limits: {red_low: 3, yellow_high: 9.5}}
          DOUBLE: {type: f64}
          NAME: "text[4]"
          KEY: "bytes[2]"
          GRID: "u8[2, 2]"
        derived:
          POWER: {function: "c2kit.functions:product", of: [VOLTS, DOUBLE], units: W}

      LIST:
        extends: CCSDS
        description: As many as there are
        identify: {APID: 11}
        items:
          N: u8
          VALUES: {type: "f32[N]"}
          REST: "bytes[...]"

    commands:
      SWITCH:
        description: Switches a line
        hazard: It may stay off
        arguments:
          OPCODE: {type: u8, fixed: 7}
          COUNTER: {type: u8, computed: sequence_count}
          LINE: {type: u8, minimum: 1, maximum: 4}
          STATE: {type: u8, states: {OFF: 0, ON: 1}, hazardous: [OFF], default: ON}
          LEVEL: {type: i16, units: V, scale: 0.1, default: 0}
          LABEL: {type: bytes, prefix: u8, default: ""}
          SUM: {type: u8, computed: {checksum: sum}}
      PING:
        arguments:
          OPCODE: {type: u8, fixed: 9, display: "#04x"}
"""


def space_packet(apid: int, count: int, data: bytes, version: int = 0) -> bytes:
    """CCSDS 133.0-B-2, 4.1.3."""
    return struct.pack(">HHH", version << 13 | apid, 0xC000 | count, len(data) - 1) + data


def status(count: int, *, seconds: int = 0, mode: int = 1, volts: int = 20, number: float = 2.5) -> bytes:
    """A packet STATUS: half a second after the second, volts as the raw value."""
    data = struct.pack(">IBBBHd4s2s4s", seconds, 0x80, mode, 1, volts, number, b"ab\0\0", b"\xca\xfe", b"\1\2\3\4")
    return space_packet(10, count, data)


def value_list(count: int, *values: float, rest: bytes = b"") -> bytes:
    """A packet LIST."""
    return space_packet(11, count, bytes([len(values)]) + struct.pack(f">{len(values)}f", *values) + rest)


@pytest.fixture
def mission(tmp_path: Path) -> Path:
    """Return the file with the definitions."""
    return write(tmp_path, MISSION, "mission.yaml")


@pytest.fixture
def run() -> Run:
    """Return a function that runs the command line in this process."""

    def invoke(*arguments: object, stdin: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke
