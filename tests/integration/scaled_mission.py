"""Eight small satellites in one group, decommutated by up to four replicas; see test_kafka_scaling.py."""

from pathlib import Path

from c2kit import CcsdsPackets, Decommutator, Dictionary, Identifier, Mission, PacketLogger, Scale, UdpListener

NAMES = tuple(f"sat-{number}" for number in range(1, 9))
MOST = 4

mission = Mission("scaled", dictionary=Dictionary.load(Path(__file__).parents[2] / "examples/dictionary"))
for name in NAMES:
    mission.interface(name, UdpListener(0), protocols=[CcsdsPackets()], targets=["FIREFLY"], group="swarm")
mission.stage("decom", Identifier(), Decommutator(), scale=Scale(max=MOST))
mission.stage("log", PacketLogger("var/log"))
