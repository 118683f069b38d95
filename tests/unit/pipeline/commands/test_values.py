"""Arguments go through a record and are encoded as if they had not; text is read as a person typed it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from c2kit.bus.records import Command, pack, unpack
from c2kit.dictionaries import Dictionary
from c2kit.errors import CommandRefused, UsageError
from c2kit.pipeline.commands.values import arguments_from_record, arguments_to_record, fingerprint_of
from c2kit.processors import CommandEncoder
from tests.commanding import command
from tests.definitions import load

if TYPE_CHECKING:
    from pathlib import Path

    from c2kit.model.target import Target

DEFINITION = """
    target: SAT
    commands:
      SET:
        arguments:
          BYTE: {type: u8, default: 0}
          LONG: {type: u64, default: 0}
          REAL: {type: f64, default: 0}
          TRUTH: {type: bool8, default: false}
          MODE: {type: u8, states: {SAFE: 1, "2": 5}, default: SAFE}
          WORD: {type: "text[4]", default: ""}
          KEY: {type: bytes, prefix: u8, default: ""}
          REALS: {type: "f64[2]", default: [0, 0]}
          LONGS: {type: "u64[2]", default: [0, 0]}
          MODES: {type: "u8[2]", states: {SAFE: 1, DOWN: 2}, default: [1, 1]}
"""


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """Return a target with one command that has an argument of each kind."""
    return load(tmp_path, DEFINITION)


def through_a_record(target: Target, arguments: dict[str, Any]) -> dict[str, Any]:
    sent = Command(
        id="a", target="SAT", name="SET", arguments=arguments_to_record(arguments), issued_ns=0, expires_ns=1
    )
    return arguments_from_record(target.command("SET"), unpack(Command, pack(sent)).arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"BYTE": 255},
        {"BYTE": np.uint8(7), "REAL": np.float64(0.1)},
        {"LONG": 2**64 - 1},
        {"REAL": math.inf},
        {"REAL": -math.inf},
        {"REAL": math.nan},
        {"REAL": 5e-324},
        {"TRUTH": True},
        {"MODE": "SAFE"},
        {"MODE": "2"},
        {"MODE": 5},
        {"WORD": "12"},
        {"WORD": b"\xff\x00"},
        {"KEY": b"\x00\xff"},
        {"KEY": b""},
        {"KEY": bytearray(b"ab")},
        {"REALS": (1, math.nan)},
        {"REALS": np.array([0.1, math.inf])},
        {"LONGS": [2**64 - 1, 2**53 + 1]},
        {"MODES": ["DOWN", "SAFE"]},
        {"MODES": [2, 1]},
    ],
)
def test_a_record_changes_no_byte(target: Target, arguments: dict[str, Any]) -> None:
    encoder = CommandEncoder(Dictionary((target,)))
    assert (
        encoder.encode("SAT", "SET", through_a_record(target, arguments)).data
        == encoder.encode("SAT", "SET", arguments).data
    )


@pytest.mark.parametrize(
    ("typed", "given"),
    [
        ({"BYTE": "0x10"}, {"BYTE": 16}),
        ({"REAL": "1e-3"}, {"REAL": 0.001}),
        ({"TRUTH": "yes"}, {"TRUTH": True}),
        ({"KEY": "ca fe"}, {"KEY": b"\xca\xfe"}),
        ({"REALS": "1, 2.5"}, {"REALS": [1, 2.5]}),
        ({"REALS": ["1", "2.5"]}, {"REALS": [1, 2.5]}),
        ({"MODES": "DOWN,SAFE"}, {"MODES": ["DOWN", "SAFE"]}),
        ({"WORD": "0x10"}, {"WORD": "0x10"}),
    ],
)
def test_text_is_read_as_a_person_typed_it(target: Target, typed: dict[str, Any], given: dict[str, Any]) -> None:
    assert through_a_record(target, typed) == given


def test_what_cannot_be_read_is_refused_by_the_encoder_all_at_once(target: Target) -> None:
    wrong = {"BYTE": "many", "KEY": "xyz", "REALS": ["a", "b"], "LONGS": ["1,2", "3"], "NONE": "1"}
    with pytest.raises(CommandRefused) as refused:
        CommandEncoder(Dictionary((target,))).encode("SAT", "SET", through_a_record(target, wrong))
    assert {fault.argument for fault in refused.value.faults} == set(wrong)


@pytest.mark.parametrize("value", [None, {"hex": "00"}, {1}, object(), [None]])
def test_what_is_no_value_of_an_argument_is_refused_at_once(value: object) -> None:
    with pytest.raises(UsageError, match="argument X, expected a number"):
        arguments_to_record({"X": value})


@pytest.mark.parametrize("digits", ["0", "zz", 1, None])
def test_bytes_that_are_none_stay_what_they_are(target: Target, digits: object) -> None:
    assert arguments_from_record(target.command("SET"), {"KEY": {"hex": digits}}) == {"KEY": {"hex": digits}}


def test_a_fingerprint_is_of_what_is_sent_and_whether_it_is() -> None:
    plain = fingerprint_of(command("a", arguments={"X": 1, "Y": 2}))
    same = command("b", arguments={"Y": 2, "X": 1}, caller="ann", issued_ns=5, expires_ns=9)
    assert fingerprint_of(same) == plain
    others = [
        command("a", "OTHER", arguments={"X": 1, "Y": 2}),
        command("a", arguments={"X": 1, "Y": 3}),
        command("a", arguments={"X": 1, "Y": 2}, target="ANTENNA"),
        command("a", arguments={"X": 1, "Y": 2}, interface="fep"),
        command("a", arguments={"X": 1, "Y": 2}, confirms_hazard=True),
    ]
    assert len({plain, *map(fingerprint_of, others)}) == 1 + len(others)
