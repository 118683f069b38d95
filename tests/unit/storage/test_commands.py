"""The log of commands tells which command bytes were, and by which definitions they were encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from c2kit.errors import UsageError
from c2kit.model.commands import Command
from c2kit.model.target import Target
from c2kit.storage import CommandLogReader, CommandLogWriter, LoggedCommand, open_log
from tests.logs import position, read_by_the_page, space_packet

if TYPE_CHECKING:
    from pathlib import Path

TARGET = Target(name="FIREFLY", commands=(Command(name="SET_MODE", arguments=()),))
COMMANDS = [
    LoggedCommand(
        data=space_packet(100, number, b"set" * (number + 1)),
        encoded_ns=1000 + number,
        target="FIREFLY",
        name="SET_MODE",
        id=f"c-{number // 2}",  # one may be there twice
        interface="fep",
        dictionary_hash=TARGET.hash,
    )
    for number in range(10)
]


def write(root: Path) -> Path:
    with CommandLogWriter(root, "firefly.uplink.fep") as log:
        log.define(TARGET)
        for number, command in enumerate(COMMANDS):
            log.append(command, [position(number + 1)], now_ns=0)
            if number % 3 == 2:
                log.sync()
        log.sync()
        return log.directory


def test_commands_are_read_as_they_were_logged(tmp_path: Path) -> None:
    reader = open_log(write(tmp_path))
    assert isinstance(reader, CommandLogReader)
    assert list(reader.read()) == COMMANDS
    assert list(reader.read(start_ns=1002, end_ns=1007)) == COMMANDS[2:7]
    assert list(reader.verify()) == []


def test_the_files_are_those_of_packets_and_the_flag_says_that_they_went_up(tmp_path: Path) -> None:
    directory = write(tmp_path)
    assert (directory / f"{0:020}.pkts").read_bytes() == b"".join(command.data for command in COMMANDS)
    facts, blocks = read_by_the_page(directory / f"{0:020}.idx")
    assert facts["c2kit.kind"] == "command-log"
    assert {flag for block in blocks for flag in block.flags} == {1}
    assert blocks[0].told["sources"] == [
        {
            "interface": "fep",
            "origin": "realtime",
            "target": "FIREFLY",
            "dictionary": TARGET.hash,
            "command": "SET_MODE",
            "id": name,
        }
        for name in ("c-0", "c-1")
    ]


def test_commands_of_definitions_that_the_log_does_not_have_are_refused(tmp_path: Path) -> None:
    with CommandLogWriter(tmp_path, "firefly.uplink.fep") as log, pytest.raises(UsageError, match="define"):
        log.append(COMMANDS[0], now_ns=0)
