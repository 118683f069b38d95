"""A certificate is exchanged while packets flow: none is lost, none is there twice, and the old one is not needed."""

from __future__ import annotations

import logging
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, open_bus
from c2kit.pipeline.composition.parts import PacketLogger
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.processors import CommandEncoder, Identifier
from c2kit.storage import PacketLogReader
from tests.authorities import Authority
from tests.kafka_brokers import cluster_of, wait_for
from tests.missions import flown, frames_of, one_satellite, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dev.kafka import Cluster

pytestmark = pytest.mark.slow
PACKETS = tuple(packet for packet in flown(120) if packet)
A_THIRD = len(PACKETS) // 3


@pytest.fixture
def old(tmp_path: Path, new: Authority) -> Authority:
    (tmp_path / "old").mkdir()
    return Authority(tmp_path / "old", trusted=new.folder / "ca.crt")


@pytest.fixture
def new(tmp_path: Path) -> Authority:
    (tmp_path / "new").mkdir()
    return Authority(tmp_path / "new")


@pytest.fixture
def cluster(old: Authority, new: Authority, tmp_path: Path) -> Iterator[Cluster]:
    """A broker that lets in who comes with a certificate of either authority, until that is changed."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text((old.folder / "ca.crt").read_text() + (new.folder / "ca.crt").read_text())
    properties = {
        "listeners": "SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": "SSL://127.0.0.1:{port}",
        "inter.broker.listener.name": "SSL",
        "ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(new.store("broker")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(trusted),
    }
    admin = new.secret("admin")
    files = {"ssl.ca.location": "ca.crt", "ssl.certificate.location": "tls.crt", "ssl.key.location": "tls.key"}
    clients = {"security.protocol": "SSL", **{name: str(admin / file) for name, file in files.items()}}
    with cluster_of(1, properties=properties, clients=clients) as cluster:
        yield cluster


def logged(root: Path) -> list[bytes]:
    directory = root / "log/firefly.packets.FIREFLY/0"
    if not directory.exists():
        return []
    return [packet for batch in PacketLogReader(directory).read() for packet in batch]


def exchange(mounted: Path, secret: Path) -> None:
    """One file after the other, so that in between the key is of another certificate."""
    for name in ("tls.crt", "tls.key"):
        made = mounted / f"{name}.new"
        shutil.copy(secret / name, made)
        made.replace(mounted / name)


def test_a_certificate_is_exchanged_while_packets_flow_and_then_the_old_one_is_refused(
    cluster: Cluster, old: Authority, new: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="c2kit.bus.kafka.renewal")
    url, mounted = f"kafka:{cluster.addresses}", tmp_path / "mounted"
    shutil.copytree(old.secret("stages"), mounted)
    settings = Settings(bus=url, kafka_secrets=mounted, drain_seconds=60.0)
    mission = one_satellite()
    mission.stage("decom", Identifier(), publish=["packets"])
    mission.stage("log", PacketLogger(tmp_path / "log"))
    mission.stage("encode", CommandEncoder())
    with open_bus(url, secrets=new.secret("source")) as bus:
        bus.apply(specs_of(mission.describe()))
        Definitions(bus, mission.name, mission.dictionary).publish()
        may_end = threading.Event()

        def give() -> None:
            publish(bus, mission, "fep", Kind.FRAMES, (frames_of([each]) for each in PACKETS[:-A_THIRD]))
            may_end.wait()
            publish(bus, mission, "fep", Kind.FRAMES, (frames_of([each]) for each in PACKETS[-A_THIRD:]))

        runner = Runner(mission, settings=settings)
        runner.stages = tuple(stage for stage in runner.stages if stage.role != "interface")
        with runner:
            giving = threading.Thread(target=give)
            giving.start()
            wait_for(lambda: len(logged(tmp_path)), lambda count: count > A_THIRD // 2)
            assert len(logged(tmp_path)) < len(PACKETS), "nothing flows any more"
            stages = runner.running
            exchange(mounted, new.secret("stages"))
            wait_for(lambda: caplog.text, lambda text: "was exchanged" in text)
            wait_for(lambda: len(logged(tmp_path)), lambda count: count >= len(PACKETS) - A_THIRD)
            (tmp_path / "trusted.pem").write_text((new.folder / "ca.crt").read_text())
            cluster.brokers[1].kill()
            cluster.brokers[1].start()
            cluster.wait()
            may_end.set()
            wait_for(lambda: len(logged(tmp_path)), lambda count: count >= len(PACKETS))
            giving.join()
            assert runner.running == stages, "a stage was built anew"
            assert runner.error is None
    assert logged(tmp_path) == list(PACKETS)
    with open_bus(url, secrets=old.secret("stages")) as bus, pytest.raises(BusUnavailable):
        bus.streams()
