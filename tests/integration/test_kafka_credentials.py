"""Who may not come in is told why, waits, and goes on once it may: with SASL/SCRAM and with mutual TLS."""

from __future__ import annotations

import json
import logging
import socket
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # they are public
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from c2kit.batches.kinds import Kind
from c2kit.bus import BusUnavailable, open_bus
from c2kit.pipeline import driving
from c2kit.pipeline.composition.streams import specs_of
from c2kit.pipeline.definitions import Definitions
from c2kit.pipeline.runner import Runner
from c2kit.pipeline.settings import Settings
from c2kit.processors import Identifier
from tests.authorities import Authority
from tests.kafka_brokers import cluster_of, wait_for
from tests.missions import flown, frames_of, one_satellite, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from c2kit.pipeline.composition.mission import Mission
    from dev.kafka import Cluster

pytestmark = pytest.mark.slow
PASSWORD, WRONG = "correct-horse-1", "battery-staple-2"
PACKETS = tuple(packet for packet in flown(20) if packet)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def addresses() -> dict[str, str]:
    """Where the broker listens, by protocol."""
    with ExitStack() as held:
        sockets = {name: held.enter_context(socket.socket()) for name in ("SASL_SSL", "SSL")}
        for each in sockets.values():
            each.bind(("127.0.0.1", 0))
        return {name: f"127.0.0.1:{each.getsockname()[1]}" for name, each in sockets.items()}


@pytest.fixture(scope="module")
def cluster(authority: Authority, addresses: dict[str, str]) -> Iterator[Cluster]:
    """A broker that lets in who has a password or a certificate, and the tests without."""
    listeners = ",".join(["PLAINTEXT://127.0.0.1:{port}", *(f"{name}://{each}" for name, each in addresses.items())])
    properties = {
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{{controller_port}}",
        "advertised.listeners": listeners,
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.ssl.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.store("broker")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.folder / "ca.crt"),
    }
    with cluster_of(1, properties=properties) as cluster:
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        user = UserScramCredentialUpsertion("stages", info, PASSWORD.encode())
        for future in cluster.admin.alter_user_scram_credentials([user]).values():
            future.result(30)
        yield cluster


@pytest.fixture
def mission(cluster: Cluster) -> Mission:
    mission = one_satellite()
    mission.stage("decom", Identifier(), publish=["packets"])
    with open_bus(f"kafka:{cluster.addresses}") as bus:
        bus.apply(specs_of(mission.describe()))
        Definitions(bus, mission.name, mission.dictionary).publish()
    return mission


def user(folder: Path, authority: Authority, password: str) -> Path:
    folder.mkdir()
    (folder / "ca.crt").write_text((authority.folder / "ca.crt").read_text())
    (folder / "username").write_text("stages\n")
    (folder / "password").write_text(f"{password}\n")
    return folder


@pytest.mark.usefixtures("cluster")
def test_a_wrong_password_is_told_as_that_and_not_shown(
    authority: Authority, addresses: dict[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = user(tmp_path / "user", authority, WRONG)
    with open_bus(f"kafka:{addresses['SASL_SSL']}", secrets=wrong) as bus:
        with pytest.raises(BusUnavailable, match=r"(?i)authentication fail") as caught:
            bus.streams()
        assert bus.errors()["_AUTHENTICATION"] > 0
    assert WRONG not in f"{caught.value} {caplog.text}"


@pytest.mark.usefixtures("cluster")
def test_a_certificate_that_has_expired_is_told_as_that(authority: Authority, addresses: dict[str, str]) -> None:
    expired = authority.secret("expired", days=-1)
    with (
        open_bus(f"kafka:{addresses['SSL']}", secrets=expired) as bus,
        pytest.raises(BusUnavailable, match="the client's certificate has expired at"),
    ):
        bus.streams()


def test_a_stage_waits_with_a_wrong_password_and_goes_on_with_the_right_one(
    cluster: Cluster, mission: Mission, authority: Authority, addresses: dict[str, str], tmp_path: Path
) -> None:
    secrets = user(tmp_path / "user", authority, WRONG)
    settings = Settings(bus=f"kafka:{addresses['SASL_SSL']}", kafka_secrets=secrets, http=("127.0.0.1", 0))
    with open_bus(f"kafka:{cluster.addresses}") as bus:
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of(PACKETS)])
    runner = Runner(mission, stage="decom", settings=settings)
    starting = threading.Thread(target=runner.start)
    starting.start()
    try:
        wait_for(lambda: _reason(runner), lambda reason: "uthentication" in reason)
        (secrets / "password").write_text(PASSWORD)
        starting.join(60)
        wait_for(lambda: [row.taken for row in runner.rows()], lambda taken: taken == [len(PACKETS)])
        assert _reason(runner) == ""
        commits = {row.stage: row.tally.commits for row in runner.tallies()}
        assert commits["decom"] >= 1
    finally:
        runner.request_stop()
        starting.join(60)
        runner.close()
    assert runner.error is None


def _reason(runner: Runner) -> str:
    """Why it is not ready, as a probe is told; empty where it is."""
    if runner.http_address is None:
        return "not started"
    host, port = runner.http_address
    try:
        with urllib.request.urlopen(f"http://{host}:{port}/readyz", timeout=30):
            return ""
    except urllib.error.HTTPError as answer:
        return str(json.loads(answer.read())["not_ready"])


def test_a_probe_is_told_of_a_step_that_no_broker_takes(
    cluster: Cluster, mission: Mission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "LATE_SECONDS", 1.0)
    settings = Settings(bus=f"kafka:{cluster.addresses}", http=("127.0.0.1", 0))
    with open_bus(f"kafka:{cluster.addresses}") as bus, Runner(mission, stage="decom", settings=settings) as runner:
        wait_for(lambda: _reason(runner), lambda reason: reason == "")
        decom = runner.running["decom"]
        commit, broker = decom._worker.commit, cluster.brokers[1]  # type: ignore[attr-defined]

        def commit_without_broker(step: object) -> None:
            broker.pause()
            commit(step)

        decom._worker.commit = commit_without_broker  # type: ignore[attr-defined]
        publish(bus, mission, "fep", Kind.FRAMES, [frames_of(PACKETS)])
        wait_for(lambda: _reason(runner), lambda reason: "has not been committed for" in reason)
        decom._worker.commit = commit  # type: ignore[attr-defined]
        broker.resume()
        wait_for(lambda: _reason(runner), lambda reason: reason == "")
        assert runner.error is None
