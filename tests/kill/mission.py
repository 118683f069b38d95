"""The mission of the kill test: everything from a link to logs and telemetry, and commands the other way.

It flies by the dictionary that is shipped with the simulated satellite. Where it runs the environment says.
"""

from __future__ import annotations

from c2kit import (
    CcsdsPackets,
    CommandEncoder,
    Decommutator,
    Dictionary,
    Identifier,
    LimitsMonitor,
    Mission,
    PacketLogger,
    TcpClient,
)
from c2kit.sim import DICTIONARY_DIRECTORY

mission = Mission("firefly", dictionary=Dictionary.load(DICTIONARY_DIRECTORY), bus="sqlite:var/bus.db")

link = TcpClient("localhost", 7011, reconnect_seconds=0.1, reconnect_max_seconds=1.0)
mission.interface("fep", link, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw")

mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
mission.stage("log", PacketLogger("var/log"))
mission.stage("encode", CommandEncoder())
