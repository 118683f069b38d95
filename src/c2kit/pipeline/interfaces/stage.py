"""An interface as a stage of a mission: the only one at its link, and nothing that it took or sent is forgotten.

It opens its link only once it owns its place on the bus and has told what became of what its predecessor left behind.
Where another takes its place, it closes its link first.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

from attrs import evolve

from c2kit.batches.kinds import Kind
from c2kit.bus import Fenced
from c2kit.links import Interface, State, Surroundings
from c2kit.pipeline.composition.own_commands import own_commands
from c2kit.pipeline.interfaces.auto_commands import AutoCommands
from c2kit.pipeline.interfaces.control import LinkControls
from c2kit.pipeline.interfaces.downlink import Downlink, discard_held
from c2kit.pipeline.interfaces.draft import InterfaceDraft, Kept
from c2kit.pipeline.interfaces.records import LinkRecords
from c2kit.pipeline.interfaces.uplink import Uplink, end_unfinished
from c2kit.pipeline.observing.ledger import ByteRow
from c2kit.pipeline.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor

    from c2kit.bus import PartitionId
    from c2kit.bus.records import Fate
    from c2kit.links import SelectorLoop
    from c2kit.pipeline.observing.ledger import LedgerRow
    from c2kit.pipeline.surroundings import StageSurroundings

__all__ = ["InterfaceStage"]

_MOST_WAITING = 1_000
"""So many records for the link are kept in memory; the others wait on the bus."""
_LOOK_SECONDS = 0.1


class InterfaceStage(Stage):
    """A link with its protocols, on the bus.

    A turn takes what arrived and goes on with the commands, all in one step. What was taken is kept until the bus has
    it; as long as it has not, nothing more is taken, and the link makes the other side wait.

    Args:
        surroundings: the interface is the one of the stage's name.
        loop: the one that serves the process's sockets; without it the link has one of its own.
        sender: where writes to the link wait; without it each command has a thread of its own while it is written.
        on_news: called, by any thread, when there may be something to do; it must not block.
    """

    def __init__(
        self,
        surroundings: StageSurroundings,
        *,
        loop: SelectorLoop | None = None,
        sender: Executor | None = None,
        on_news: Callable[[], None] | None = None,
    ) -> None:
        spec = surroundings.mission.interfaces[surroundings.name]
        self.interface = Interface(spec.name, spec.link, spec.protocols, spec.targets)
        """The link and its protocols: state, counters and account may be looked at by any thread, once it is open."""
        self._surroundings = surroundings
        self._loop = loop
        self._on_news = on_news
        self._news = threading.Event()
        self._records = LinkRecords(surroundings)
        self._controls = LinkControls(self.interface)
        self._uplink = Uplink(surroundings, self.interface, self._records, sender, self._notify)
        self._auto = AutoCommands(surroundings, own_commands(spec, surroundings.mission.dictionary))
        self._downlink: Downlink | None = None
        """There is one once the link is open."""
        self._kept = Kept(account=ByteRow(interface=spec.name))
        self._fates: Counter[Fate] = Counter()
        self._draft: InterfaceDraft | None = None
        self._is_draining = False
        self._worker = surroundings.bus.worker(
            surroundings.stage.identity,
            list(surroundings.inputs),
            outputs=surroundings.outputs,
            exclusive=True,
            on_news=self._notify,
        )

    @property
    def name(self) -> str:
        """See :attr:`Stage.name`."""
        return self._surroundings.name

    # -- turns ----------------------------------------------------------------------------------

    def turn(self, timeout_seconds: float) -> bool:
        """See :meth:`Stage.turn`. Arrivals, news of the bus and the end of a write end the waiting."""
        try:
            if self._do_step():
                return True
            due = self.due_seconds()
            seconds = timeout_seconds if due is None else min(timeout_seconds, due)
            if seconds > 0:
                self._news.wait(seconds)
            return timeout_seconds > 0 and self._do_step()
        except Fenced:
            self.interface.close()
            raise

    def due_seconds(self) -> float | None:
        """See :meth:`Stage.due_seconds`: a step that could not be committed, or a periodic command."""
        if self._draft is not None:
            return 0.0
        return _LOOK_SECONDS if self._downlink is None else self._auto.due_seconds()

    def _do_step(self) -> bool:
        self._news.clear()
        if self._draft is None:
            self._draft = self._first() if self._downlink is None else self._following(self._downlink)
        if self._draft is None:
            return False
        self._worker.commit(self._draft.step)
        draft, self._draft = self._draft, None
        self.steps.add(time.monotonic() - draft.began)
        self._kept = draft.kept
        self._fates = self._fates + draft.fates
        for act in draft.then:
            act()
        return True

    def _first(self) -> InterfaceDraft | None:
        """Tell what a predecessor left behind; the link opens when that is committed. ``None`` while it is not owned.

        It is committed even if nothing is to be told: that shows that the place is owned and the bus works.
        """
        self._receive()
        partitions = self._partitions
        if self._is_draining or not partitions <= self._worker.assigned:
            return None
        draft = InterfaceDraft(self._surroundings, Kept.read(self._worker, self.name, partitions))
        end_unfinished(draft)
        discard_held(draft)
        self._controls.add_to(draft)
        draft.then.append(self._open)
        return draft

    def _following(self, downlink: Downlink) -> InterfaceDraft | None:
        self._receive()
        kept = self._kept
        draft = InterfaceDraft(self._surroundings, evolve(kept, consumed=dict(kept.consumed)))
        has_come_up = downlink.add_to(draft)
        self._controls.add_to(draft)
        self._uplink.add_to(draft)
        is_up = self.interface.state.state is State.CONNECTED and not self._is_draining
        self._auto.add_to(draft, has_come_up=has_come_up, is_up=is_up)
        has_news = draft.publish or draft.passed or draft.kept.account != kept.account
        return draft if has_news else None

    @property
    def _partitions(self) -> set[PartitionId]:
        inputs = self._surroundings.inputs.values()
        return {(stream.name, number) for stream in inputs for number in range(stream.partitions)}

    def _receive(self) -> None:
        if self._uplink.waiting >= _MOST_WAITING:
            return
        delivery = self._worker.receive(0)
        if delivery.lost:
            raise Fenced(f"interface {self.name} has lost {sorted(delivery.lost)}: another serves its link")
        for record in delivery.records:
            is_control = self._surroundings.inputs[record.stream].kind == str(Kind.LINK_CONTROL)
            (self._controls if is_control else self._uplink).add(record)

    # -- the link -------------------------------------------------------------------------------

    def _open(self) -> None:
        if self._is_draining:
            return
        self.interface.open(
            Surroundings(
                on_state=lambda _: self._notify(),
                on_arrival=self._notify,
                loop=self._loop,
                now=self._surroundings.now,
                is_enabled=self._kept.is_enabled,
            )
        )
        self._downlink = Downlink(self._surroundings, self.interface, self._records, self._kept.account)

    def _notify(self) -> None:
        self._news.set()
        if self._on_news is not None:
            self._on_news()

    # -- looked at by others --------------------------------------------------------------------

    def bytes(self) -> ByteRow:
        """Where all bytes are that were ever taken from the link, as of the last commit. From any thread.

        What a process took and did not commit before it was killed is in no account.
        """
        return self._kept.account

    def fates(self) -> Mapping[Fate, int]:
        """How many steps of commands were told since the start, by what they are. From any thread."""
        return dict(self._fates)

    def ledger(self) -> Sequence[LedgerRow]:
        """See :meth:`Stage.ledger`: an interface accounts for bytes, see :meth:`bytes`."""
        return ()

    def consumed(self) -> Mapping[PartitionId, int]:
        """See :meth:`Stage.consumed`."""
        return dict(self._kept.consumed)

    # -- the end --------------------------------------------------------------------------------

    def drain(self) -> None:
        """See :meth:`Stage.drain`. The link is closed, and all that it gave and took before is committed.

        Commands that wait are left on the bus, for whoever runs next.
        """
        self._is_draining = True
        self.interface.close()
        self._uplink.stop()
        while self.turn(0):
            pass

    def close(self) -> None:
        """See :meth:`Stage.close`."""
        self.interface.close()
        self._worker.close()
