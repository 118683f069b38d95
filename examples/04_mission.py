"""A small ground system: a satellite, its antenna, what processes their telemetry, and the way for commands.

Start a satellite and its ground system, each in a terminal of its own:

    c2kit sim --tcp 7011
    c2kit run examples/04_mission.py

and from a third one look at what comes down, and send something up:

    export C2KIT_BUS=sqlite:var/bus.db
    c2kit tail telemetry.FIREFLY --packet HEALTH --items MODE,BATTERY_VOLTAGE
    c2kit send examples/04_mission.py FIREFLY SET_MODE MODE=SAFE
"""

from c2kit import (
    CcsdsPackets,
    CommandEncoder,
    Decommutator,
    Dictionary,
    Fixed,
    Identifier,
    LimitsMonitor,
    Mission,
    PacketLogger,
    TcpClient,
    UdpListener,
)

mission = Mission("firefly", dictionary=Dictionary.load("dictionary/"), bus="sqlite:var/bus.db")

mission.interface(
    "fep", TcpClient("localhost", 7011), protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log="var/raw"
)
mission.interface("antenna", UdpListener(7020), protocols=[Fixed(64)], targets=["ANTENNA"])

mission.stage("decom", Identifier(), Decommutator(), LimitsMonitor())
mission.stage("log", PacketLogger("var/log"))
mission.stage("encode", CommandEncoder())
