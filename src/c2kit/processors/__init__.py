"""Processors: batches of one kind in, batches of another kind out."""

from __future__ import annotations

from c2kit.processors.account import Account
from c2kit.processors.arguments import parse_argument, parse_arguments
from c2kit.processors.asides import (
    Anomalies,
    Aside,
    Asides,
    Difference,
    Likeness,
    Merged,
    Refused,
    SequenceBreaks,
    UnknownPackets,
)
from c2kit.processors.base import Processor
from c2kit.processors.decommutate import Decommutator
from c2kit.processors.encode import CommandEncoder, EncodedCommand
from c2kit.processors.identify import Identifier, Totals
from c2kit.processors.limits import LimitsMonitor
from c2kit.processors.recordings import RecordingDecoder

__all__ = [
    "Account",
    "Anomalies",
    "Aside",
    "Asides",
    "CommandEncoder",
    "Decommutator",
    "Difference",
    "EncodedCommand",
    "Identifier",
    "Likeness",
    "LimitsMonitor",
    "Merged",
    "Processor",
    "RecordingDecoder",
    "Refused",
    "SequenceBreaks",
    "Totals",
    "UnknownPackets",
    "parse_argument",
    "parse_arguments",
]
