"""Values as they stand in text files, where a whole decoding would not show it."""

import json
import math
from typing import Any

import numpy as np
import pytest

from c2kit.batches import Column, TelemetryBatch
from c2kit.batches.packets import no_times
from c2kit.cli.cells import ItemCells, time_cells
from c2kit.model.conversions import State, States
from c2kit.model.fields import Encoding, Fixed
from c2kit.model.packets import Item, Packet


def batch_of(item: Item, raw: Column) -> TelemetryBatch:
    return TelemetryBatch(
        target="T",
        packet=Packet(name="P", items=(item,)),
        dictionary_hash="0" * 64,
        received=np.zeros(len(raw), np.int64),
        generated=no_times(len(raw)),
        raw={item.name: raw},
    )


def test_only_the_packets_that_are_asked_for_are_given() -> None:
    item = Item(name="X", bit_length=16)
    batch = batch_of(item, Column(np.arange(10, dtype=np.uint16)))
    cells = ItemCells("X", item, is_raw=True)
    assert cells.csv(batch, 3, 6) == [[3, 4, 5]]
    assert cells.json(batch, 8, 10) == [8, 9]


def test_members_of_an_array_without_a_value_are_empty() -> None:
    item = Item(name="X", length=Fixed((2,)))
    column = Column(np.array([[1, 2], [0, 0]], np.uint8), np.array([True, False]))
    cells = ItemCells("X", item, is_raw=True)
    assert cells.csv(batch_of(item, column), 0, 2) == [[1, None], [2, None]]
    assert cells.json(batch_of(item, column), 0, 2) == [[1, 2], None]


def test_states_in_an_array_are_named() -> None:
    item = Item(name="X", length=Fixed((2, 1)), conversion=States((State("ON", 1, 1),)))
    batch = batch_of(item, Column(np.array([[[1], [2]], [[2], [1]]], np.uint8)))
    cells = ItemCells("X", item, is_raw=False)
    assert cells.csv_headings() == ["X[0][0]", "X[1][0]"]
    assert cells.csv(batch, 0, 2) == [["ON", 2], [2, "ON"]]
    assert cells.json(batch, 0, 2) == [[["ON"], [2]], [[2], ["ON"]]]


def test_names_of_states_do_not_pile_up_where_a_state_is_a_range() -> None:
    item = Item(
        name="X", bit_length=32, conversion=States((State("LOW", 0, 99_999), State("HIGH", 100_000, 2**32 - 1)))
    )
    raw = np.arange(0, 200_000, dtype=np.uint32)
    cells = ItemCells("X", item, is_raw=False)
    (names,) = cells.csv(batch_of(item, Column(raw)), 0, len(raw))
    assert names == ["LOW"] * 100_000 + ["HIGH"] * 100_000
    assert len(cells._states or ()) < 100_000


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_exactly_their_values(dtype: type) -> None:
    values: np.ndarray[Any, Any] = np.array([0.1, 1e-40, math.inf, -math.inf, math.nan, -0.0], dtype)
    item = Item(name="X", encoding=Encoding.IEEE754, bit_length=8 * values.itemsize)
    batch = batch_of(item, Column(values))
    shown = ItemCells("X", item, is_raw=True).json(batch, 0, len(values))
    read = np.array([float(each) for each in json.loads(json.dumps(shown, allow_nan=False))])
    assert read.astype(dtype).tobytes() == values.tobytes()
    assert shown[0] == float(values[0])


def test_times_are_iso_8601_to_the_nanosecond() -> None:
    times = Column(np.array([0, -1, 1_800_000_000_123_456_789, 0], np.int64), np.array([True, True, True, False]))
    assert time_cells(times, 0, 4) == [
        "1970-01-01T00:00:00.000000000Z",
        "1969-12-31T23:59:59.999999999Z",
        "2027-01-15T08:00:00.123456789Z",
        None,
    ]
    assert time_cells(times, 2, 3) == ["2027-01-15T08:00:00.123456789Z"]
