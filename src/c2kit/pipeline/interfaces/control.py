"""Whether a link is to be up: anybody may ask for it, its interface keeps it, and it holds over restarts."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, Fenced, Record, Step
from c2kit.bus.reading import records_of
from c2kit.bus.records import Event, LinkControl, pack, unpack
from c2kit.errors import MessageError, UnknownName
from c2kit.pipeline.composition.names import COMMAND_SOURCE

if TYPE_CHECKING:
    from c2kit.bus import Received, StreamBus
    from c2kit.links import Interface
    from c2kit.pipeline.composition.description import MissionDescription
    from c2kit.pipeline.interfaces.draft import InterfaceDraft

__all__ = ["LinkControls", "ask_for_link", "last_changes"]

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.02


class LinkControls:
    """What was asked for of one interface's link. For the thread of its stage."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface
        self._waiting: deque[Received] = deque()

    def add(self, record: Received) -> None:
        """Keep a record for the next step."""
        self._waiting.append(record)

    def add_to(self, draft: InterfaceDraft) -> None:
        """What was asked for last holds once the step is committed, and a link that is open is switched then."""
        wanted: LinkControl | None = None
        while self._waiting:
            record = self._waiting.popleft()
            try:
                wanted = unpack(LinkControl, record.value)
            except MessageError as error:
                draft.refuse_record(record, error)
            else:
                draft.pass_by(record)
        if wanted is None or wanted.enabled == draft.kept.is_enabled:
            return
        draft.kept.is_enabled = wanted.enabled
        if not self._interface.is_open:
            return
        if wanted.enabled:
            draft.then.append(self._interface.enable)
        else:
            reason = f"{wanted.reason or 'on request'}{wanted.caller and f' of {wanted.caller}'}"
            draft.then.append(lambda: self._interface.disable(reason))


def ask_for_link(
    bus: StreamBus, mission: MissionDescription, interface: str, *, enabled: bool, reason: str = "", caller: str = ""
) -> None:
    """Ask for an interface's link to be up, or not: it does so as soon as it runs, and as long as nobody asks again.

    Raises UnknownName for an interface that the mission does not have, BusUnavailable where others do not let go of the
    stream; nothing was asked for then.
    """
    streams = {each.scope: each.name for each in mission.streams if each.kind == str(Kind.LINK_CONTROL)}
    if interface not in streams:
        raise UnknownName(kind="interface", name=interface, known=streams, where=f"mission {mission.name}")
    control = LinkControl(enabled=enabled, reason=reason, caller=caller, time_ns=time.time_ns())
    step = Step(publish=[Record(streams[interface], interface, pack(control))])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            identity = mission.stage(COMMAND_SOURCE).identity
            with bus.worker(identity, [], outputs=[streams[interface]], exclusive=True) as worker:
                worker.commit(step)
        except Fenced as error:
            if time.monotonic() > deadline:
                raise BusUnavailable(f"others have been commanding for {_PATIENCE_SECONDS:.0f} s: try again") from error
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def last_changes(bus: StreamBus, mission: MissionDescription) -> dict[str, Event | None]:
    """By interface, the last change of its link as a whole that the bus still has; ``None`` where there is none."""
    found: dict[str, Event | None] = {stage.name: None for stage in mission.stages if stage.link is not None}
    kind = str(Kind.EVENTS)
    streams = {each.name for each in mission.streams if each.kind == kind and not found.keys().isdisjoint(each.lanes)}
    for event in (unpack(Event, record.value) for record in records_of(bus, streams)):
        if event.stage in found and event.kind == "link" and not event.facts.get("peer"):
            found[event.stage] = event
    return found
