"""What an interface sends by itself is read, and encoded once, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from c2kit.dictionaries import Dictionary
from c2kit.errors import UsageError
from c2kit.links import TcpClient
from c2kit.pipeline.composition.mission import InterfaceSpec, Mission
from c2kit.pipeline.composition.own_commands import OwnCommand, own_commands
from c2kit.protocols import CcsdsPackets

DICTIONARY = Dictionary.load(Path(__file__).parents[4] / "examples" / "dictionary")


def interface(*on_connect: str, periodic: list[tuple[str, float]] | None = None) -> InterfaceSpec:
    return Mission("m", dictionary=DICTIONARY).interface(
        "fep",
        TcpClient("localhost", 7011),
        protocols=[CcsdsPackets()],
        targets=["FIREFLY"],
        on_connect=on_connect,
        periodic=periodic or (),
    )


def test_those_on_connect_come_first_and_arguments_stay_as_they_were_typed() -> None:
    spec = interface("FIREFLY NOOP", "FIREFLY SET_CALLSIGN CALLSIGN='GS 1'", periodic=[("FIREFLY NOOP", 10)])
    assert own_commands(spec, DICTIONARY) == (
        OwnCommand(target="FIREFLY", name="NOOP"),
        OwnCommand(target="FIREFLY", name="SET_CALLSIGN", arguments={"CALLSIGN": "GS 1"}),
        OwnCommand(target="FIREFLY", name="NOOP", period_seconds=10.0),
    )


def test_most_interfaces_have_none() -> None:
    assert own_commands(interface(), DICTIONARY) == ()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", "expected a command as a person types it"),
        ("FIREFLY", "expected a command as a person types it"),
        ("FIREFLY 'NOOP", "expected a command as a person types it"),
        ("ANTENNA STOW", "expected a target behind this interface: FIREFLY, found 'ANTENNA'"),
        ("NOBODY NOOP", "found 'NOBODY'"),
        ("FIREFLY NOP", r"no command 'NOP'.*did you mean NOOP"),
        ("FIREFLY NOOP 5", "expected NAME=VALUE"),
        ("FIREFLY SET_MODE MODE=SAVE DURATION=1", "MODE"),
        ("FIREFLY SET_MODE", "MODE: must be given"),
        ("FIREFLY SET_HEATER HEATER=9 SETPOINT=0", "HEATER: out of range"),
        ("FIREFLY RESET", "is hazardous"),
        ("FIREFLY SET_SWITCH LINE=RADIO STATE=OFF", r"is hazardous: LINE=RADIO.*confirms"),
    ],
)
def test_what_could_not_be_sent_is_refused_with_the_line(words: str, found: str) -> None:
    where = rf"(?s)interface fep \(test_own_commands\.py:\d+\): on_connect .*{found}"
    with pytest.raises(UsageError, match=where):
        own_commands(interface(words), DICTIONARY)


@pytest.mark.parametrize("period", [0, -1, float("nan"), float("inf"), True, "10"])
def test_a_period_is_a_time(period: float) -> None:
    with pytest.raises(UsageError, match=r"periodic 'FIREFLY NOOP', expected a period of more than 0 seconds"):
        own_commands(interface(periodic=[("FIREFLY NOOP", period)]), DICTIONARY)
