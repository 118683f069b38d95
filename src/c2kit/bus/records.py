"""Small records for people and programs: commands and what becomes of them, events, what was set aside.

Each is one JSON object on the bus. A reader disregards members that it does not know, so that a newer writer may add
some. Bytes are base64; times are POSIX nanoseconds, UTC.
"""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Any, TypeVar

import msgspec

from c2kit.errors import MessageError

__all__ = [
    "Command",
    "CommandStatus",
    "DeadLetter",
    "Event",
    "Fate",
    "InterfaceState",
    "JsonRecord",
    "LaneState",
    "LinkControl",
    "Severity",
    "UplinkCommand",
    "pack",
    "pack_state",
    "unpack",
    "unpack_interface_state",
    "unpack_state",
]


@unique
class Fate(StrEnum):
    """How far a command got. It ends in exactly one of those that :attr:`is_end`."""

    ISSUED = "ISSUED"
    """It is on the bus."""
    ENCODED = "ENCODED"
    """It has its bytes, and waits for the link."""
    SENDING = "SENDING"
    """It is about to be written to the link; from here on it is never tried again."""
    SENT = "SENT"
    """All its bytes were handed to the operating system, once."""
    REFUSED = "REFUSED"
    """It was not sent, and never will be."""
    EXPIRED = "EXPIRED"
    """It was not sent in time, and never will be."""
    UNKNOWN = "UNKNOWN"
    """It may have been sent, whole or in part, at most once; nobody can tell."""

    @property
    def is_end(self) -> bool:
        """Whether nothing more will become of it."""
        return self in (Fate.SENT, Fate.REFUSED, Fate.EXPIRED, Fate.UNKNOWN)


@unique
class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A command as somebody asked for it. The same id again is the same command."""

    id: str
    target: str
    name: str
    arguments: dict[str, Any] = {}
    """Engineering values, or text as a person types it."""
    caller: str = ""
    authority: str = ""
    """Opaque; the encoder will check it."""
    interface: str = ""
    """Which way it is to go, where several lead to the target; empty for the first."""
    confirms_hazard: bool = False
    issued_ns: int
    expires_ns: int


class UplinkCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command with its bytes, on its way to the link."""

    id: str
    target: str
    name: str
    interface: str
    data: bytes
    """What the protocols of the interface are given."""
    dictionary_hash: str
    caller: str = ""
    encoded_ns: int
    expires_ns: int


class CommandStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A step of a command."""

    id: str
    target: str
    name: str
    fate: Fate
    reason: str = ""
    stage: str
    interface: str = ""
    caller: str = ""
    content: str = ""
    """Where it is ISSUED: a fingerprint of what was asked for, by which another command with the same id is known."""
    time_ns: int


class LinkControl(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an interface's link is to be up, from now on and after restarts too."""

    enabled: bool
    reason: str = ""
    caller: str = ""
    time_ns: int


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, said once for many where it happens often."""

    kind: str
    """Such as ``link``, ``discarded``, ``sequence``, ``anomalies``, ``unknown``, ``command``, ``dead-letter``."""
    severity: Severity
    stage: str
    message: str
    """For people."""
    facts: dict[str, Any] = {}
    """The same for programs."""
    time_ns: int


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """One packet, or a whole record that is none, on which a processor failed; the stage went on without it."""

    stage: str
    processor: str
    error: str
    traceback: str
    kind: str
    """Of the stream that it was on."""
    stream: str
    partition: int
    offset: int
    lane: str
    value: bytes
    """A record of this packet alone, or the record as it was."""
    time_ns: int


class LaneState(msgspec.Struct, frozen=True, kw_only=True):
    """What a stage keeps of one processor and lane: what it counted, and the processor's own snapshot."""

    version: int = 1
    taken: int = 0
    given: int = 0
    refused: int = 0
    merged: int = 0
    held: int = 0
    snapshot: bytes = b""


class InterfaceState(msgspec.Struct, frozen=True, kw_only=True):
    """What an interface keeps: where all bytes are that it took from its link, and the command that it is sending."""

    version: int = 1
    received: int = 0
    framed: int = 0
    discarded: int = 0
    held: int = 0
    is_enabled: bool = True
    sending: CommandStatus | None = None
    """The step of the command that may be on its way to the link: it has no end yet."""


JsonRecord = Command | UplinkCommand | CommandStatus | LinkControl | Event | DeadLetter
_Record = TypeVar("_Record", Command, UplinkCommand, CommandStatus, LinkControl, Event, DeadLetter)
_State = TypeVar("_State", LaneState, InterfaceState)


def pack(record: JsonRecord) -> bytes:
    """A record as JSON."""
    return msgspec.json.encode(record)


def unpack(kind: type[_Record], value: bytes) -> _Record:
    """A record of that kind. Raises :class:`~c2kit.errors.MessageError` for anything else."""
    try:
        return msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MessageError(f"a record on the bus is no {kind.__name__}", found=error) from None


def pack_state(state: LaneState | InterfaceState) -> bytes:
    """A state as bytes."""
    return msgspec.msgpack.encode(state)


def unpack_state(value: bytes) -> LaneState:
    """The state of a lane. Raises :class:`~c2kit.errors.MessageError` for what is none, or of another version."""
    return _unpack_state(LaneState, value)


def unpack_interface_state(value: bytes) -> InterfaceState:
    """The state of an interface. Raises as :func:`unpack_state`."""
    return _unpack_state(InterfaceState, value)


def _unpack_state(kind: type[_State], value: bytes) -> _State:
    try:
        state = msgspec.msgpack.decode(value, type=kind)
    except msgspec.DecodeError as error:
        raise MessageError("a stage's state", expected="one of ours", found=error) from None
    if state.version != 1:
        remedy = "run the c2kit that wrote it"
        raise MessageError("a stage's state", expected="version 1", found=f"version {state.version}", remedy=remedy)
    return state
