"""Definitions travel with the data: on the bus before the first batch that names them, and read when one does.

Targets in their canonical form are on the stream ``dictionaries``, Arrow schemas on ``schemas``, each in the lane of
its own hash. Both streams are compacted, so a record that was written once is there for ever.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from c2kit.batches.arrow import PacketSchema, TelemetrySchema, named_by, schema_of
from c2kit.batches.kinds import Kind
from c2kit.bus import Fenced, Record, Step
from c2kit.bus.reading import records_of
from c2kit.errors import C2kitError
from c2kit.model.canonical import canonical_json
from c2kit.model.restore import from_canonical
from c2kit.pipeline.composition.names import PROVISIONER, stage_identity, stream_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from c2kit.bus import StreamBus
    from c2kit.dictionaries import Dictionary
    from c2kit.model.target import Target

__all__ = ["BatchSchema", "Definitions", "DefinitionsMissing", "publish_definitions", "read_compacted"]

BatchSchema = PacketSchema | TelemetrySchema
_PATIENCE_SECONDS = 30.0


class DefinitionsMissing(C2kitError):
    """A batch names definitions that are not on the bus (yet): whoever needs them waits, and never guesses."""

    def __init__(self, what: str, name: str) -> None:
        self.name = name
        super().__init__(f"{what} {name} is not on the bus; put it there before what names it")


def read_compacted(bus: StreamBus, stream: str) -> dict[str, bytes]:
    """The newest value of each lane of a compacted stream, as it stands now."""
    return {record.lane: record.value for record in records_of(bus, [stream])}


def publish_definitions(bus: StreamBus, mission: str, dictionary: Dictionary) -> None:
    """As :meth:`Definitions.publish`, for who has no use for them otherwise."""
    Definitions(bus, mission, dictionary).publish()


def schemas_of(dictionary: Dictionary) -> Iterable[BatchSchema]:
    """The schemas of all batches that a mission with this dictionary publishes."""
    yield PacketSchema()
    for target in dictionary.targets:
        yield PacketSchema(target=target.name, dictionary_hash=target.hash, packet_count=len(target.packets))
        for packet in target.packets:
            for with_limits in (False, True):
                yield TelemetrySchema(
                    target=target.name, packet=packet, dictionary_hash=target.hash, with_limits=with_limits
                )


class Definitions:
    """The targets and schemas that batches name: those of the process's own dictionary, and what is on the bus.

    Stages of one process share them, each in a thread of its own.
    """

    def __init__(self, bus: StreamBus, mission: str, dictionary: Dictionary) -> None:
        self._bus = bus
        self._mission = mission
        self._targets_stream = stream_name(mission, Kind.DICTIONARIES)
        self._schemas_stream = stream_name(mission, Kind.SCHEMAS)
        self._targets: dict[str, Target] = {target.hash: target for target in dictionary.targets}
        self._schemas: dict[str, BatchSchema] = {}
        self._dictionary = dictionary
        self._making = threading.Lock()
        self._own: dict[str, BatchSchema] | None = None

    def publish(self) -> None:
        """Put the dictionary and all schemas that follow from it on the bus, where they are not there already.

        Several processes may do it at once. Raises BusUnavailable, and Fenced where another has been at it for too
        long.
        """
        bus, targets, schemas = self._bus, self._targets_stream, self._schemas_stream
        identity = stage_identity(self._mission, PROVISIONER)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            has = read_compacted(bus, targets)
            missing = [target for target in self._dictionary.targets if target.hash not in has]
            records = [Record(targets, target.hash, canonical_json(target)) for target in missing]
            has = read_compacted(bus, schemas)
            own = self._own_schemas().items()
            records += [Record(schemas, name, schema.form.message) for name, schema in own if name not in has]
            if not records:
                return
            try:
                with bus.worker(identity, [], outputs=[targets, schemas], exclusive=True) as worker:
                    worker.commit(Step(publish=records))
            except Fenced:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def check_published(self) -> None:
        """See that the dictionary is on the bus. Raises DefinitionsMissing."""
        there = read_compacted(self._bus, self._targets_stream)
        for target in self._dictionary.targets:
            if target.hash not in there:
                raise DefinitionsMissing(
                    f"the dictionary of target {target.name}, put there by c2kit streams apply,", target.hash
                )

    def target(self, dictionary_hash: str) -> Target:
        """The target of that hash. Raises DefinitionsMissing."""
        if dictionary_hash not in self._targets:
            value = read_compacted(self._bus, self._targets_stream).get(dictionary_hash)
            if value is None:
                raise DefinitionsMissing("the dictionary", dictionary_hash)
            self._targets[dictionary_hash] = from_canonical(value)
        return self._targets[dictionary_hash]

    def schema(self, fingerprint: str) -> BatchSchema:
        """The schema of that fingerprint. Raises DefinitionsMissing where it, or its target, is not there."""
        if fingerprint not in self._schemas:
            own = self._own_schemas()
            self._schemas[fingerprint] = own[fingerprint] if fingerprint in own else self._foreign(fingerprint)
        return self._schemas[fingerprint]

    def _own_schemas(self) -> dict[str, BatchSchema]:
        """Those of the process's own dictionary, made once: thousands take their time."""
        with self._making:
            if self._own is None:
                self._own = {each.form.fingerprint: each for each in schemas_of(self._dictionary)}
            return self._own

    def _foreign(self, fingerprint: str) -> BatchSchema:
        message = read_compacted(self._bus, self._schemas_stream).get(fingerprint)
        if message is None:
            raise DefinitionsMissing("the schema", fingerprint)
        named = named_by(message)
        known = {} if named is None else {named: self.target(named[1])}
        return schema_of(message, known)
