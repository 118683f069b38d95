"""Whatever mission there is, its deployment is whole, permits what its graph needs, and is the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from c2kit.errors import UsageError
from c2kit.links import TcpClient, TcpServer, UdpListener
from c2kit.pipeline.composition.description import Scale
from c2kit.pipeline.composition.mission import Mission
from c2kit.pipeline.composition.names import RESERVED
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.processors import CommandEncoder, Decommutator, Identifier
from c2kit.protocols import CcsdsPackets
from c2kit.scaffold.manifests import base_files, catalogue_of
from c2kit.scaffold.names import OPERATORS_OWN, label
from c2kit.scaffold.plan import Place
from c2kit.scaffold.rendering import Templates
from c2kit.scaffold.settings import LinkSettings, Mesh, Settings
from c2kit.scaffold.validation import findings
from tests.missions import example_dictionary
from tests.scaffolding import planned

if TYPE_CHECKING:
    from c2kit.links import LinkSpec
    from c2kit.pipeline.composition.description import MissionDescription

TEMPLATES = Templates()
NAMES = st.one_of(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}", fullmatch=True),
    st.sampled_from(["0", "a-", "-".join("ab" * 10)[:40], "9" * 40, "Z" * 40, "x" + "-" * 39, "fep", "FEP-2"]),
)
ADDRESSES = st.ip_addresses(v=4).filter(lambda address: not (address.is_loopback or address.is_unspecified)).map(str)
LINKS: st.SearchStrategy[LinkSpec] = st.one_of(
    st.builds(TcpClient, ADDRESSES, st.integers(1, 65535)),
    st.builds(TcpServer, st.integers(1024, 65535)),
    st.builds(UdpListener, st.integers(1024, 65535)),
)


@st.composite
def missions(draw: st.DrawFn) -> MissionDescription:
    """A mission of 1 to about 60 stages, with names at the edges of what they may be."""
    names = draw(st.lists(NAMES, min_size=5, max_size=34, unique_by=str.lower))
    assume(not {name.lower() for name in names} & {*RESERVED, *OPERATORS_OWN})
    mission_name, decom, log, encode, *interfaces = names
    mission = Mission(mission_name, dictionary=example_dictionary())
    for name in interfaces:
        raw_log = "var/raw" if draw(st.booleans()) and len(name) < 30 else None
        assume(raw_log is None or f"{name}-raw-log".lower() not in {other.lower() for other in names})
        link = draw(LINKS)
        mission.interface(name, link, protocols=[CcsdsPackets()], targets=["FIREFLY"], raw_log=raw_log)
    most = draw(st.integers(1, len(interfaces)))
    mission.stage(decom, Identifier(), Decommutator(), scale=Scale(min=1, max=most))
    if draw(st.booleans()):
        mission.stage(log, PacketLogger("var/log"))
    if draw(st.booleans()):
        mission.stage(encode, CommandEncoder())
    try:
        return mission.describe()
    except UsageError:
        assume(condition=False)
        raise


@settings(max_examples=12)
@given(missions(), st.sampled_from(Mesh))
def test_every_mission_is_deployed_whole_and_the_same_each_time(described: MissionDescription, mesh: Mesh) -> None:
    links = {stage.name: LinkSettings(cidrs=("192.0.2.0/24",)) for stage in described.stages if stage.link is not None}
    told = Settings(namespace=label(described.name), registry="localhost/m", mesh=mesh, links=links)
    plan = planned(described, told)
    files = base_files(plan, TEMPLATES)
    catalogue = catalogue_of(files)
    assert findings(catalogue) == []
    assert base_files(planned(described, told), TEMPLATES) == files
    running = {pods.labels["app.kubernetes.io/name"] for pods in catalogue.pods}
    assert {workload.label for workload in plan.workloads} <= running
    with_links = [edge for edge in plan.edges if Place.OUTSIDE in {edge.source.place, edge.destination.place}]
    assert len(with_links) == len(links)
