"""Many samples of one packet's items."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from c2kit.batches import TelemetryBatch
from c2kit.errors import UnknownName, UsageError
from c2kit.model.conversions import Function, Polynomial, State, States
from c2kit.model.fields import Expand
from c2kit.model.packets import DerivedItem, Item, Packet
from tests.batch_making import HASH, lists, numbers

MODES = States((State("OFF", 0, 0), State("ON", 1, 3)))
PACKET = Packet(
    name="HEALTH",
    items=(
        Item(name="VOLTAGE", conversion=Polynomial((0.0, 0.5))),
        Item(name="MODE", conversion=MODES),
        Item(name="MODES", conversion=MODES, length=Expand()),
        Item(name="COUNT"),
    ),
    derived=(DerivedItem(name="POWER", function=Function("m:f"), inputs=("VOLTAGE",)),),
)
BATCH = TelemetryBatch(
    target="FIREFLY",
    packet=PACKET,
    dictionary_hash=HASH,
    received=np.array([100, 200, 300]),
    generated=numbers([1, None, 3], "i8"),
    raw={
        "VOLTAGE": numbers([1, 2, None], "u1"),
        "MODE": numbers([0, 3, 9], "u1"),
        "MODES": lists([[0, 9], None, []], "u1"),
        "COUNT": numbers([7, 8, 9], "u1"),
    },
    engineering={"VOLTAGE": numbers([0.5, 1.0, None], "f8"), "POWER": numbers([2.0, 3.0, None], "f8")},
)


def test_items_are_there_by_name_in_their_order_derived_ones_last() -> None:
    assert list(BATCH) == ["VOLTAGE", "MODE", "MODES", "COUNT", "POWER"]
    assert len(BATCH) == 3


def test_an_item_gives_its_engineering_values_and_raw_ones_when_asked() -> None:
    assert BATCH["VOLTAGE"].to_list() == [0.5, 1.0, None]
    assert BATCH.raw["VOLTAGE"].to_list() == [1, 2, None]
    assert BATCH["COUNT"].to_list() == [7, 8, 9]
    assert BATCH["MODE"].to_list() == [0, 3, 9]
    assert BATCH["POWER"].to_list() == [2.0, 3.0, None]


def test_an_unknown_item_is_told_with_those_that_come_near() -> None:
    with pytest.raises(UnknownName, match="did you mean VOLTAGE"):
        _ = BATCH["VOLTAGES"]


def test_raw_values_are_never_passed_off_as_engineering_values() -> None:
    raw_only = evolve(BATCH, engineering={})
    with pytest.raises(UsageError, match=r"no engineering values of item VOLTAGE; read raw\[\.\.\.\]"):
        _ = raw_only["VOLTAGE"]
    with pytest.raises(UsageError, match="no engineering values of item POWER; choose it"):
        _ = raw_only["POWER"]
    assert raw_only["COUNT"].to_list() == [7, 8, 9]
    assert raw_only.row(0, raw=True) == {"VOLTAGE": 1, "MODE": 0, "MODES": [0, 9], "COUNT": 7}


def test_a_packet_without_a_time_of_its_own_has_the_time_of_its_receipt() -> None:
    assert BATCH.time.tolist() == [1, 200, 3]
    assert evolve(BATCH, generated=numbers([4, 5, 6], "i8")).time.tolist() == [4, 5, 6]


def test_states_have_names_and_what_has_none_is_shown_as_its_number() -> None:
    assert BATCH.text("MODE") == ["OFF", "ON", "9"]
    assert BATCH.text("MODES") == [["OFF", "9"], None, []]
    assert BATCH.text("COUNT") == [7, 8, 9]
    assert BATCH.text("POWER") == [2.0, 3.0, None]


def test_a_row_is_one_packet_for_people() -> None:
    assert BATCH.row(0) == {"VOLTAGE": 0.5, "MODE": "OFF", "MODES": ["OFF", "9"], "COUNT": 7, "POWER": 2.0}
    assert BATCH.row(2) == {"VOLTAGE": None, "MODE": "9", "MODES": [], "COUNT": 9, "POWER": None}


def test_rows_count_from_either_end_and_no_further() -> None:
    assert BATCH.row(-1) == BATCH.row(2)
    for outside in (3, -4, 10**9):
        with pytest.raises(UsageError, match="expected one of its 3 packets"):
            BATCH.row(outside)


def test_a_batch_is_shown_in_a_line() -> None:
    assert repr(BATCH) == "<TelemetryBatch of 3 packets: FIREFLY HEALTH, 4 items>"
