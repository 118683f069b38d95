"""Command and telemetry pipelines for spacecraft ground systems, composed in one Python script.

The names below are the public ones; each is imported, and NumPy with it, when it is first used.
"""

from typing import TYPE_CHECKING

__all__ = [
    "ArrowStream",
    "Burst",
    "C2kitError",
    "CcsdsPackets",
    "Chain",
    "Column",
    "CommandEncoder",
    "CommandRefused",
    "CommandSource",
    "Crc",
    "Decommutator",
    "DefinitionError",
    "Dictionary",
    "Discarded",
    "File",
    "Fixed",
    "Identifier",
    "Interface",
    "LengthField",
    "LimitsMonitor",
    "Mission",
    "PacketBatch",
    "PacketLogger",
    "RawLogger",
    "RecordingDecoder",
    "Resources",
    "Scale",
    "Serial",
    "Sync",
    "TcpClient",
    "TcpServer",
    "TelemetryBatch",
    "TelemetrySchema",
    "Terminated",
    "Udp",
    "UdpListener",
    "UnknownName",
    "UsageError",
]

if TYPE_CHECKING:
    from c2kit.batches import Column, PacketBatch, TelemetryBatch
    from c2kit.batches.arrow import ArrowStream, TelemetrySchema
    from c2kit.dictionaries import Dictionary
    from c2kit.errors import C2kitError, CommandRefused, DefinitionError, UnknownName, UsageError
    from c2kit.links import File, Interface, Serial, TcpClient, TcpServer, Udp, UdpListener
    from c2kit.pipeline.commands.source import CommandSource
    from c2kit.pipeline.composition.description import Resources, Scale
    from c2kit.pipeline.composition.mission import Mission
    from c2kit.pipeline.composition.parts import PacketLogger, RawLogger
    from c2kit.processors import CommandEncoder, Decommutator, Identifier, LimitsMonitor, RecordingDecoder
    from c2kit.protocols import Burst, CcsdsPackets, Chain, Crc, Discarded, Fixed, LengthField, Sync, Terminated

    __version__: str
else:  # hidden from type checkers, for which it would make every misspelt name a string
    _HOMES = {
        "c2kit.batches": ("Column", "PacketBatch", "TelemetryBatch"),
        "c2kit.batches.arrow": ("ArrowStream", "TelemetrySchema"),
        "c2kit.dictionaries": ("Dictionary",),
        "c2kit.errors": ("C2kitError", "CommandRefused", "DefinitionError", "UnknownName", "UsageError"),
        "c2kit.links": ("File", "Interface", "Serial", "TcpClient", "TcpServer", "Udp", "UdpListener"),
        "c2kit.pipeline.commands.source": ("CommandSource",),
        "c2kit.pipeline.composition.description": ("Resources", "Scale"),
        "c2kit.pipeline.composition.mission": ("Mission",),
        "c2kit.pipeline.composition.parts": ("PacketLogger", "RawLogger"),
        "c2kit.processors": ("CommandEncoder", "Decommutator", "Identifier", "LimitsMonitor", "RecordingDecoder"),
        "c2kit.protocols": (
            "Burst",
            "CcsdsPackets",
            "Chain",
            "Crc",
            "Discarded",
            "Fixed",
            "LengthField",
            "Sync",
            "Terminated",
        ),
    }

    def __getattr__(name: str) -> object:
        # A program that asks for the version, or for errors only, should not wait for NumPy.
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415 - see above

            return version("c2kit")
        for home, names in _HOMES.items():
            if name in names:
                from importlib import import_module  # noqa: PLC0415 - see above

                found = globals()[name] = getattr(import_module(home), name)
                return found
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__, "__version__"})
