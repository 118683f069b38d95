"""A cluster of brokers on loopback, and who does what in it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from dev.kafka.broker import Broker
from dev.kafka.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType
    from typing import Self

__all__ = ["Cluster"]

_HOST = "127.0.0.1"
_PREFIX = "c2kit-kafka-"
_INTERNAL_PARTITIONS = 4
_PATIENCE_SECONDS = 120.0


class Cluster:
    """Brokers that keep their ports and their data until the cluster is closed, which leaves nothing behind.

    ::

        with Cluster(3) as cluster:
            cluster.brokers[cluster.leader("topic", 0)].kill()

    ``ports`` are the brokers' own; without them they are free ones. ``properties`` are added to those of each broker,
    or take their place; in their values ``{port}`` and ``{controller_port}`` stand for its ports, ``{folder}`` for its
    folder. ``clients`` are settings that a client needs beside the addresses, such as certificates. ``flags`` are for
    the Java of each broker, such as ``MEASURED_FLAGS``.
    """

    def __init__(
        self,
        brokers: int = 1,
        *,
        ports: Sequence[int] = (),
        properties: Mapping[str, str] | None = None,
        clients: Mapping[str, str] | None = None,
        flags: tuple[str, ...] = (),
    ) -> None:
        self._installation = Installation.get()
        self._held = ExitStack()
        self._starter = self._held.enter_context(ThreadPoolExecutor(1, thread_name_prefix="kafka-starter"))
        self.folder = _made_folder(self._held)
        self._extra = dict(properties or {})
        self._clients = dict(clients or {})
        self._flags = flags
        self._id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().strip("=").replace("-", "A", 1)
        all_ports = _free_ports(2 * brokers)
        self._ports = dict(enumerate(ports or all_ports[:brokers], start=1))
        self._controllers = dict(enumerate(all_ports[brokers:], start=1))
        self.brokers: dict[int, Broker] = {}
        """By their numbers, from 1 on."""
        for number in self._ports:
            self._enter(number, "broker,controller")
        self._admin: AdminClient | None = None

    def start(self) -> Self:
        """Start them all, and wait until they serve. The first time on a machine takes half a minute more."""
        if not self._installation.archive.exists():
            _prepare(self._installation)
        for broker in self.brokers.values():
            broker.start()
        self.wait()
        return self

    def wait(self, numbers: Collection[int] = ()) -> None:
        """Wait until these brokers, or all, are members of the cluster. Raises TimeoutError."""
        wanted = set(numbers or self.brokers)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not wanted <= self.members():
            dead = [number for number in wanted if not self.brokers[number].is_running]
            if dead or time.monotonic() > deadline:
                said = self.brokers[(dead or [min(wanted)])[0]].log.read_text()[-3000:]
                raise TimeoutError(f"brokers {sorted(wanted)} did not become a cluster: {said}")
            time.sleep(0.1)

    def add(self) -> Broker:
        """Start one more, which is no controller, and wait until it serves. It holds nothing until it is given it."""
        number = max(self.brokers) + 1
        (self._ports[number],) = _free_ports(1)
        broker = self._enter(number, "broker")
        broker.start()
        self.wait([number])
        return broker

    def close(self) -> None:
        """Kill all brokers and delete what they kept."""
        for broker in self.brokers.values():
            broker.kill()
        self._held.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- who does what --------------------------------------------------------------------------

    @property
    def addresses(self) -> str:
        """What a client is given: ``host:port`` of each, separated by commas."""
        return ",".join(f"{_HOST}:{port}" for port in self._ports.values())

    @property
    def admin(self) -> AdminClient:
        """A client of the cluster."""
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.addresses, "log_level": 0, **self._clients})
        return self._admin

    def members(self) -> set[int]:
        """The brokers that the cluster knows to be alive; none while nobody answers."""
        try:
            return set(self.admin.list_topics(timeout=2).brokers)
        except KafkaException:
            return set()

    def leader(self, topic: str, partition: int) -> int:
        """Which broker leads a partition; -1 while none does."""
        found = self.admin.list_topics(topic, timeout=10).topics[topic].partitions.get(partition)
        return -1 if found is None else int(found.leader)  # whoever was asked may not know the topic yet

    def controller(self) -> int:
        """Which broker is the active controller, by the newest election that any of them has on its disk."""
        states = [json.loads(file.read_text()) for file in self.folder.glob("*/data/__cluster_metadata-0/quorum-state")]
        return int(max(states, key=lambda state: int(state["leaderEpoch"]))["leaderId"])

    def transaction_coordinator(self, transactional_id: str) -> int:
        """Which broker coordinates a transactional id."""
        return self.leader("__transaction_state", _java_hash(transactional_id) % _INTERNAL_PARTITIONS)

    def group_coordinator(self, group: str) -> int:
        """Which broker coordinates a group."""
        return self.leader("__consumer_offsets", _java_hash(group) % _INTERNAL_PARTITIONS)

    # -- who holds what -------------------------------------------------------------------------

    def replicas(self) -> dict[tuple[str, int], list[int]]:
        """By topic and partition, the brokers that hold it, or are about to; the one that should lead it first."""
        topics = self.admin.list_topics(timeout=10).topics
        return {
            (name, number): [*partition.replicas]
            for name, topic in topics.items()
            for number, partition in topic.partitions.items()
        }

    def reassign(self, places: Mapping[tuple[str, int], Sequence[int]]) -> None:
        """Let these brokers hold these partitions and no others, and wait until they do. Raises TimeoutError."""
        wanted = [{"topic": key[0], "partition": key[1], "replicas": [*held]} for key, held in places.items()]
        plan = self.folder / "reassignment.json"
        plan.write_text(json.dumps({"version": 1, "partitions": wanted}))
        arguments = ("--bootstrap-server", self.addresses, "--reassignment-json-file", str(plan), "--execute")
        command = self._installation.command("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made above
        if done.returncode != 0:
            raise RuntimeError(f"partitions cannot be reassigned: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while {key: held for key, held in self.replicas().items() if key in places} != places:
            if time.monotonic() > deadline:
                raise TimeoutError(f"partitions are not where they should be: {places}")
            time.sleep(0.2)

    # -- making them ----------------------------------------------------------------------------

    def _enter(self, number: int, roles: str) -> Broker:
        folder = self.folder / str(number)
        properties = self._properties(number, roles, folder)
        broker = Broker(number, self._ports[number], folder, properties, self._installation, self._starter, self._flags)
        broker.format(self._id)
        self.brokers[number] = broker
        return broker

    def _properties(self, number: int, roles: str, folder: Path) -> dict[str, str]:
        replicas = str(min(3, len(self._controllers)))
        in_sync = "2" if replicas == "3" else "1"
        controller_port = self._controllers.get(number, 0)
        listeners = [f"PLAINTEXT://{_HOST}:{self._ports[number]}"]
        if controller_port:
            listeners.append(f"CONTROLLER://{_HOST}:{controller_port}")
        places = {"port": self._ports[number], "controller_port": controller_port, "folder": folder}
        return {
            "process.roles": roles,
            "node.id": str(number),
            "controller.quorum.voters": ",".join(f"{n}@{_HOST}:{port}" for n, port in self._controllers.items()),
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join(listeners),
            "advertised.listeners": listeners[0],
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL",
            "log.dirs": str(folder / "data"),
            "auto.create.topics.enable": "false",
            "default.replication.factor": replicas,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": replicas,
            "offsets.topic.num.partitions": str(_INTERNAL_PARTITIONS),
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": str(_INTERNAL_PARTITIONS),
            "group.initial.rebalance.delay.ms": "0",
            "num.network.threads": "2",
            "num.io.threads": "4",
            "log.cleaner.threads": "1",
            "log.cleaner.dedupe.buffer.size": str(4 * 2**20),
        } | {name: value.format(**places) for name, value in self._extra.items()}


def _prepare(installation: Installation) -> None:
    """Let a broker start and end once, which leaves a class-data archive that halves the start of all later ones."""
    made = installation.archive.with_suffix(f".{os.getpid()}")
    cluster = Cluster()
    try:
        (broker,) = cluster.brokers.values()
        broker.start(flags=(f"-XX:ArchiveClassesAtExit={made}",))
        cluster.wait()
        broker.stop()
    finally:
        cluster.close()
    made.rename(installation.archive)


def _made_folder(held: ExitStack) -> Path:
    """A temporary folder, which is locked as long as it is used; those of dead processes are deleted here."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with ExitStack() as locked, suppress(FileNotFoundError):  # somebody else deletes it
            is_new = old.stat().st_mtime > time.time() - _PATIENCE_SECONDS  # it may be about to be locked
            if not is_new and _lock(old, locked):
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True)))
    if not _lock(folder, held):
        raise RuntimeError(f"{folder} cannot be locked")
    return folder


def _lock(folder: Path, held: ExitStack) -> bool:
    try:
        file = held.enter_context((folder / "lock").open("w"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _java_hash(text: str) -> int:
    """``Utils.abs(text.hashCode())`` of Kafka's Java, for ASCII."""
    value = 0
    for letter in text:
        value = (31 * value + ord(letter)) & 0xFFFFFFFF
    return value & 0x7FFFFFFF
