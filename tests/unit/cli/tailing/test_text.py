"""Lines for people: limits as colours on a terminal, and as words everywhere."""

from __future__ import annotations

import io
import sys
from typing import Any

import numpy as np
import pytest
from attrs import evolve

from c2kit import Decommutator, Identifier
from c2kit.bus import Received, open_bus
from c2kit.cli.looking import Look
from c2kit.cli.tailing.contents import Choice, Reader
from c2kit.cli.tailing.printing import Printer
from c2kit.cli.tailing.text import TextLines
from c2kit.kernel.contract import Column
from c2kit.model.limits import LimitState
from tests.missions import example_dictionary, flown, frames_of

RECORD = Received(stream="m.telemetry.FIREFLY", partition=0, offset=0, lane="l", value=b"", published_ns=0)


def pieces(item: str, states: Column) -> list[tuple[str, str]]:
    """The pieces of the lines that show an item of HEALTH or ATTITUDE, as far as it has these states."""
    (packets,) = Identifier(example_dictionary(), ["FIREFLY"]).process(frames_of(flown()))
    batches = Decommutator(example_dictionary()).process(packets)
    batch = next(each for each in batches if item in each.packet.items_by_name)
    shown = evolve(batch.select(np.arange(len(states.values))), limits={item: states})
    with open_bus("memory:") as bus:
        lines = TextLines(Reader(Look(bus=bus, mission="m"), Choice(items=(item,))))
        return [line[-1] for line in lines.of(RECORD, shown)]


@pytest.mark.parametrize(
    ("state", "ending", "style"),
    [
        (LimitState.GREEN, " V", "green"),
        (LimitState.YELLOW_LOW, " V yellow low", "yellow"),
        (LimitState.YELLOW_HIGH, " V yellow high", "yellow"),
        (LimitState.RED_LOW, " V RED LOW", "bold red"),
        (LimitState.RED_HIGH, " V RED HIGH", "bold red"),
    ],
)
def test_a_value_has_the_colour_and_the_word_of_its_limit(state: LimitState, ending: str, style: str) -> None:
    ((text, found),) = pieces("BATTERY_VOLTAGE", Column(np.array([state], np.uint8)))
    assert text.endswith(ending)
    assert found == style


def test_a_value_without_a_state_has_no_colour() -> None:
    states = Column(np.array([LimitState.RED_LOW], np.uint8), np.array([False]))
    ((text, style),) = pieces("BATTERY_VOLTAGE", states)
    assert (text.endswith(" V"), style) == (True, "")


def test_an_array_has_the_worst_state_of_its_elements() -> None:
    green, none = LimitState.GREEN, LimitState.NO_VALUE
    rows = [[green, LimitState.YELLOW_LOW, LimitState.RED_HIGH, none], [green, none, green, green], [none] * 4]
    styles = [style for _, style in pieces("WHEEL_SPEEDS", Column(np.array(rows, np.uint8)))]
    assert styles == ["bold red", "green", ""]


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def printed(monkeypatch: pytest.MonkeyPatch, kind: Any) -> str:  # noqa: ANN401 - a class of streams
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = kind(io.BytesIO(), encoding="ascii", newline="\n")
    monkeypatch.setattr(sys, "stdout", stream)
    Printer().print([(("[bold]6.1 V ", ""), ("RED LOW", "bold red")), (("°" + "x" * 300, ""),)])
    return bytes(stream.buffer.getvalue()).decode()


def test_colours_are_for_terminals_and_what_those_cannot_show_is_shown_by_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert printed(monkeypatch, _Terminal) == f"[bold]6.1 V \x1b[1;31mRED LOW\x1b[0m\n\\xb0{'x' * 300}\n"


def test_a_pipe_gets_whole_plain_lines_in_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed(monkeypatch, io.TextIOWrapper) == f"[bold]6.1 V RED LOW\n°{'x' * 300}\n"
