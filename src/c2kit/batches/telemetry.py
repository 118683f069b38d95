"""Many samples of one packet's items, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, evolve, field

from c2kit.errors import UsageError
from c2kit.kernel.conversions import has_own_engineering
from c2kit.model.conversions import States
from c2kit.model.packets import Item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from c2kit.batches.packets import Origin
    from c2kit.kernel.contract import Column
    from c2kit.kernel.envelope import Written
    from c2kit.model.packets import Packet

__all__ = ["TelemetryBatch"]


@define(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class TelemetryBatch:
    """``n`` packets of one definition, decommutated: one column an item.

    ``batch["BATTERY_VOLTAGE"]`` is the column of engineering values, ``batch.raw["BATTERY_VOLTAGE"]`` of raw ones.
    An item
    with states has the integer codes in both; ``batch.text("MODE")`` names them.
    """

    target: str
    packet: Packet
    dictionary_hash: str
    received: npt.NDArray[np.int64]
    generated: Column
    raw: Mapping[str, Column]
    engineering: Mapping[str, Column] = field(factory=dict)
    """Only items whose engineering value is not the raw one, and derived items."""
    limits: Mapping[str, Column] = field(factory=dict)
    """:class:`~c2kit.model.limits.LimitState` codes (uint8) of the items that have limits, once they were checked."""
    interface: str = ""
    origin: Origin = "realtime"
    _written: tuple[str, Written] | None = field(default=None, init=False)
    """All but the limits as a message, and of which schema that is. What is evolved from the batch has none."""

    def __len__(self) -> int:
        """The number of packets."""
        return len(self.received)

    def __repr__(self) -> str:
        packets = f"{len(self)} packet{'s' * (len(self) != 1)}"
        return f"<TelemetryBatch of {packets}: {self.target} {self.packet.name}, {len(self.raw)} items>"

    def __iter__(self) -> Iterator[str]:
        """The names of the items, in the order of their definition, derived ones last."""
        return iter(self.packet.items_by_name)

    def __getitem__(self, name: str) -> Column:
        """The engineering values of an item.

        Raises :class:`~c2kit.errors.UnknownName`, and UsageError where the batch was read from what has raw values
        only or not this item: a raw value is never passed off as an engineering value.
        """
        column = self.engineering.get(name)
        if column is not None:
            return column
        item = self.packet.item(name)
        column = None if has_own_engineering(item) else self.raw.get(name)
        if column is None:
            where = f"packet {self.packet.name}"
            remedy = "read raw[...]" if name in self.raw else "choose it where the batch is made or written"
            raise UsageError(f"this batch of {where} has no engineering values of item {name}", remedy=remedy)
        return column

    def with_limits(self, limits: Mapping[str, Column]) -> TelemetryBatch:
        """The same batch with these limit states, which are not in the message that is kept."""
        checked = evolve(self, limits=limits)
        if self._written is not None:
            checked.keep_written(*self._written)
        return checked

    def keep_written(self, fingerprint: str, written: Written) -> None:
        """Remember the batch, but for its limits, as a message of the schema with that fingerprint."""
        object.__setattr__(self, "_written", (fingerprint, written))

    def written_as(self, fingerprint: str) -> Written | None:
        """The message that was kept, if it is of the schema with that fingerprint."""
        return self._written[1] if self._written is not None and self._written[0] == fingerprint else None

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The batch for other libraries in this process, such as ``pyarrow.table(batch)``: raw and engineering values.

        Arrow's PyCapsule interface; ``requested_schema`` is disregarded, as it allows.
        """
        from c2kit.batches.arrow import TelemetrySchema  # noqa: PLC0415 - it imports this module, and nanoarrow

        return TelemetrySchema.of(self).c_stream(self)

    @property
    def time(self) -> npt.NDArray[np.int64]:
        """The time of each packet: when it was generated, or else received. POSIX nanoseconds, UTC."""
        generated = self.generated.values.astype(np.int64, copy=False)
        return generated if self.generated.valid is None else np.where(self.generated.valid, generated, self.received)

    def select(self, which: npt.NDArray[np.intp]) -> TelemetryBatch:
        """The packets at these indices, as copies."""
        return evolve(
            self,
            received=self.received[which],
            generated=self.generated.select(which),
            raw={name: column.select(which) for name, column in self.raw.items()},
            engineering={name: column.select(which) for name, column in self.engineering.items()},
            limits={name: column.select(which) for name, column in self.limits.items()},
        )

    def text(self, name: str) -> list[Any]:
        """The values of an item for people: states by name, a code without a state as its decimal digits."""
        values = self[name].to_list()
        item = self.packet.item(name)
        if not (isinstance(item, Item) and isinstance(item.conversion, States)):
            return values
        states = item.conversion
        return [_named(states, value) for value in values]

    def row(self, index: int, *, raw: bool = False) -> dict[str, Any]:
        """One packet as a plain ``dict`` for people: item name to value, ``None`` where there is none.

        ``index`` counts from 0, or below 0 from the end. Raises :class:`~c2kit.errors.UsageError` outside the batch.
        """
        if not -len(self) <= index < len(self):
            raise UsageError("a row of a batch", expected=f"one of its {len(self)} packets", found=index)
        index %= len(self)
        if raw:
            return {name: column.to_list(index, index + 1)[0] for name, column in self.raw.items()}
        return {name: self._human(name, index) for name in self}

    def _human(self, name: str, index: int) -> Any:  # noqa: ANN401 - whatever the item holds
        value = self[name].to_list(index, index + 1)[0]
        item = self.packet.item(name)
        if isinstance(item, Item) and isinstance(item.conversion, States):
            return _named(item.conversion, value)
        return value


def _named(states: States, value: Any) -> Any:  # noqa: ANN401 - a code, a list of codes, or None
    if isinstance(value, list):
        return [_named(states, element) for element in value]
    if value is None:
        return None
    return states.name_of(value) or str(value)
