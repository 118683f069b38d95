"""Logs: packets, commands and raw bytes in files, written so that they survive whatever a process dies of.

``docs/reference/packet-log.md`` lays down the format. Writers and readers know no bus, no clock and no threads.
"""

from __future__ import annotations

from c2kit.storage.block import Source, Totals
from c2kit.storage.commands import CommandLogReader, CommandLogWriter, LoggedCommand
from c2kit.storage.errors import LogDamaged, LogError, LogLocked, LogUnavailable
from c2kit.storage.findings import Finding, FindingKind
from c2kit.storage.index import UNKNOWN_TIME
from c2kit.storage.names import LogKind, find_logs, log_directory
from c2kit.storage.opening import open_log
from c2kit.storage.packets import PacketLogReader, PacketLogWriter
from c2kit.storage.raw import Direction, RawLogReader, RawLogWriter
from c2kit.storage.reader import LogReader, SegmentInfo
from c2kit.storage.rebuild import Rebuilt, rebuild_index
from c2kit.storage.settings import LogSettings
from c2kit.storage.writer import LogWriter, sync_all

__all__ = [
    "UNKNOWN_TIME",
    "CommandLogReader",
    "CommandLogWriter",
    "Direction",
    "Finding",
    "FindingKind",
    "LogDamaged",
    "LogError",
    "LogKind",
    "LogLocked",
    "LogReader",
    "LogSettings",
    "LogUnavailable",
    "LogWriter",
    "LoggedCommand",
    "PacketLogReader",
    "PacketLogWriter",
    "RawLogReader",
    "RawLogWriter",
    "Rebuilt",
    "SegmentInfo",
    "Source",
    "Totals",
    "find_logs",
    "log_directory",
    "open_log",
    "rebuild_index",
    "sync_all",
]
