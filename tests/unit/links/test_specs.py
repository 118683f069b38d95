"""Specifications are values: checked at once, plain data, without any effect."""

import copy
import json
import threading
from collections.abc import Callable

import attrs
import pytest

from c2kit.errors import UsageError
from c2kit.links import File, LinkSpec, Serial, TcpClient, TcpServer, Udp, UdpListener

SPECS: list[LinkSpec] = [
    TcpClient("localhost", 7011),
    TcpServer(7011),
    UdpListener(7020),
    Udp("device", 7021, local_port=7020),
    Serial("/dev/ttyUSB0", 115_200),
    File("recording.tlm", bytes_per_second=1000, follow=True),
]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_settings_are_plain_data_that_make_the_same_specification(spec: LinkSpec) -> None:
    assert type(spec)(**json.loads(json.dumps(spec.settings))) == spec


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_specifications_are_frozen_and_hashable(spec: LinkSpec) -> None:
    assert len({spec, copy.copy(spec)}) == 1
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        spec.receive_max_bytes = 1  # type: ignore[attr-defined]


def test_making_one_starts_no_thread() -> None:
    before = threading.active_count()
    TcpClient("localhost", 7011)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: TcpClient("", 7011), "host of TcpClient"),
        (lambda: TcpClient("localhost", 0), "port of TcpClient"),
        (lambda: TcpClient("localhost", 65_536), "port of TcpClient"),
        (lambda: TcpClient("localhost", "7011"), "port of TcpClient"),  # type: ignore[arg-type]
        (lambda: TcpClient("localhost", port=True), "port of TcpClient"),
        (lambda: TcpClient("localhost", 1, connect_timeout_seconds=0), "connect_timeout_seconds"),
        (lambda: TcpClient("localhost", 1, connect_timeout_seconds=float("nan")), "connect_timeout_seconds"),
        (lambda: TcpClient("localhost", 1, reconnect_seconds=0), "reconnect_seconds"),
        (lambda: TcpClient("localhost", 1, reconnect_seconds=5, reconnect_max_seconds=1), "reconnect_max_seconds"),
        (lambda: TcpClient("localhost", 1, idle_seconds=0), "idle_seconds"),
        (lambda: TcpClient("localhost", 1, receive_max_bytes=0), "receive_max_bytes"),
        (lambda: TcpServer(-1), "port of TcpServer"),
        (lambda: TcpServer(1, max_clients=0), "max_clients"),
        (lambda: UdpListener(70_000), "port of UdpListener"),
        (lambda: Udp("", 1), "host of Udp"),
        (lambda: Udp("device", 1, local_port=-1), "local_port of Udp"),
        (lambda: Serial(""), "device of Serial"),
        (lambda: Serial("x", 0), "baud of Serial"),
        (lambda: Serial("x", parity="both"), "parity of Serial"),
        (lambda: Serial("x", stop_bits=3), "stop_bits of Serial"),
        (lambda: Serial("x", byte_bits=9), "byte_bits of Serial"),
        (lambda: File(""), "path of File"),
        (lambda: File("x", bytes_per_second=0), "bytes_per_second of File"),
    ],
)
def test_what_cannot_work_is_refused_at_once(make: Callable[[], object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        make()


@pytest.mark.parametrize(
    ("spec", "address", "expected"),
    [
        (TcpClient("a", 1, idle_seconds=3), "b:2", TcpClient("b", 2, idle_seconds=3)),
        (TcpClient("a", 1), "[::1]:2", TcpClient("::1", 2)),
        (TcpServer(1), "2", TcpServer(2)),
        (TcpServer(1), "127.0.0.1:2", TcpServer(2, host="127.0.0.1")),
        (UdpListener(1, host="h"), "2", UdpListener(2, host="h")),
        (Udp("a", 1, local_port=5), "b:2", Udp("b", 2, local_port=5)),
        (Serial("a", 300), "/dev/b", Serial("/dev/b", 300)),
        (File("a", follow=True), "b:c", File("b:c", follow=True)),
    ],
)
def test_another_address_leaves_the_rest(spec: LinkSpec, address: str, expected: LinkSpec) -> None:
    assert spec.at(address) == expected


@pytest.mark.parametrize("address", ["", "host", "host:", ":7011", "host:x", "host:0", "host:65536", "host:-1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="TcpClient"):
        TcpClient("a", 1).at(address)
