"""What an encoder remembers of one target's commands: their counts, and which of them it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from c2kit.bus.records import LaneState, pack_state, unpack_state
from c2kit.dictionaries import Dictionary
from c2kit.errors import MessageError, UsageError
from c2kit.pipeline.chain import StateRefused
from c2kit.pipeline.commands.seen import SeenCommands
from c2kit.pipeline.commands.values import arguments_from_record
from c2kit.processors import CommandEncoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from c2kit.bus import StateKey
    from c2kit.bus.records import Command
    from c2kit.model.target import Target
    from c2kit.processors import EncodedCommand

__all__ = ["CommandLane"]

_COUNTS, _IDS = CommandEncoder.__name__, "ids"


@define(eq=False)
class CommandLane:
    """The commands of one target, in the order in which they are encoded. For one thread."""

    target: Target
    seen: SeenCommands = field(factory=SeenCommands, init=False)
    _encoder: CommandEncoder = field(init=False)

    @_encoder.default
    def _make_encoder(self) -> CommandEncoder:
        return CommandEncoder(Dictionary((self.target,)))

    def encode(self, command: Command) -> EncodedCommand:
        """The bytes. A command that is refused takes no count.

        Raises C2kitError with all that is wrong, or that it is hazardous and nobody confirmed that; and whatever a
        user's function raises.
        """
        before = self._encoder.snapshot()
        arguments = arguments_from_record(self.target.command(command.name), command.arguments)
        encoded = self._encoder.encode(command.target, command.name, arguments)
        if encoded.is_hazardous and not command.confirms_hazard:
            self._encoder.restore(before)
            raise UsageError(f"hazardous: {'; '.join(encoded.hazards)}", remedy="confirm it")
        return encoded

    @property
    def snapshots(self) -> dict[StateKey, bytes]:
        """What is to be kept, by processor and target."""
        counts = pack_state(LaneState(snapshot=self._encoder.snapshot()))
        return {(_COUNTS, self.target.name): counts, (_IDS, self.target.name): self.seen.snapshot()}

    def restore(self, kept: Callable[[StateKey], bytes | None]) -> None:
        """Go on from what was kept. Raises StateRefused."""
        self._restore(_COUNTS, kept, lambda value: self._encoder.restore(unpack_state(value).snapshot))
        self._restore(_IDS, kept, self.seen.restore)

    def _restore(self, key: str, kept: Callable[[StateKey], bytes | None], restore: Callable[[bytes], None]) -> None:
        value = kept((key, self.target.name))
        if value is not None:
            try:
                restore(value)
            except MessageError as error:
                raise StateRefused(key, self.target.name, error) from error
