"""What was encoded is what is decoded, whatever stands before and after the packet.

This alone would not notice a mistake made both ways; the vectors in ``tests/unit/kernel`` and the other oracles would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from c2kit.kernel import columns, reference
from c2kit.kernel.layout import Layout
from c2kit.model.fields import Expand
from tests.property.layouts import IN_ORDER, Batch, in_one_order, layouts, number_fields, packet_values

if TYPE_CHECKING:
    from c2kit.kernel.contract import Kernel
    from c2kit.model.fields import Field


KERNELS = pytest.mark.parametrize("kernel", [reference, columns], ids=["reference", "columns"])


@KERNELS
@given(st.data())
def test_values_of_any_fields_come_back(kernel: Kernel, data: st.DataObject) -> None:
    layout = in_one_order(data.draw(layouts(offsets=IN_ORDER)), "big")
    assert_values_come_back(kernel, data, layout)


@KERNELS
@given(st.data())
def test_values_of_little_endian_bit_fields_come_back(kernel: Kernel, data: st.DataObject) -> None:
    names = [f"F{number}" for number in range(data.draw(st.integers(1, 6)))]
    fields = [evolve(data.draw(number_fields(name, offsets=IN_ORDER)), byte_order="little") for name in names]
    assert_values_come_back(kernel, data, Layout(tuple(fields)))


def assert_values_come_back(kernel: Kernel, data: st.DataObject, layout: Layout) -> None:
    layout, values = data.draw(packet_values(layout))
    before, after = data.draw(st.binary(max_size=3)), data.draw(st.binary(max_size=3))
    packet = kernel.encode(layout, values)
    batch = Batch.of(before + packet + after, [(len(before), len(before) + len(packet))])
    for field, column in zip(layout.fields, kernel.decode(layout, batch.buffer, batch.starts, batch.ends), strict=True):
        found, given_value = flat(column.to_list()[0]), values.get(field.name)
        if is_narrow_expansion(field) and given_value is not None:
            # The bits that fill the last byte may look like further elements.
            assert not any(found[len(given_value) :])
            found = found[: len(given_value)]
        assert found == given_value


def is_narrow_expansion(field: Field) -> bool:
    return isinstance(field.length, Expand) and field.bit_length < 8


def flat(value: Any) -> Any:  # noqa: ANN401 - a number, bytes, or lists of lists
    """The elements of an array of any number of dimensions, in order."""
    if not isinstance(value, list) or not any(isinstance(element, list) for element in value):
        return value
    return flat([inner for element in value for inner in element])
