"""The mesh lets call, and lets be called, whom the graph names."""

from __future__ import annotations

import pytest

from c2kit.scaffold.mesh import allowed_of, entries_of, hosts_of, listening_ports
from tests.scaffolding import DEVICE, planned_everything


def test_who_is_called_is_called_by_its_callers_alone() -> None:
    plan = planned_everything()
    (allowed,) = allowed_of(plan, "decom")
    ours = "cluster.local/ns/all-of-it/sa/"
    assert (allowed.principals, allowed.port) == ((f"{ours}encode", f"{ours}log"), 8443)
    others = [identity.label for identity in plan.identities if identity.label != "decom"]
    assert [allowed_of(plan, label) for label in others] == [()] * len(others)


def test_devices_by_tcp_are_known_to_their_own_interface_with_their_addresses() -> None:
    plan = planned_everything()
    (entry,) = entries_of(plan, "client")
    assert (entry.cidrs, entry.port, entry.protocol) == ((DEVICE,), 7011, "TCP")
    assert entry.host in " ".join(hosts_of(plan, "client"))
    for identity in plan.identities:
        if identity.label != "client":
            assert entry.host not in " ".join(hosts_of(plan, identity.label))


@pytest.mark.parametrize("label", ["listener", "both-ways"])
def test_of_udp_the_mesh_is_told_nothing(label: str) -> None:
    plan = planned_everything()
    assert entries_of(plan, label) == ()
    assert listening_ports(plan, label) == ()


def test_a_port_that_devices_reach_by_tcp_has_no_proxy_before_it() -> None:
    assert listening_ports(planned_everything(), "server") == (7013,)


def test_no_proxy_is_told_of_no_host_which_would_be_all() -> None:
    plan = planned_everything()
    for identity in plan.identities:
        hosts = hosts_of(plan, identity.label)
        assert hosts, identity
        assert not any(host.startswith(("*", "./*", "~")) for host in hosts)


def test_who_calls_a_stage_knows_its_host() -> None:
    plan = planned_everything()
    knowing = {
        each.label for each in plan.identities if "./decom.all-of-it.svc.cluster.local" in hosts_of(plan, each.label)
    }
    assert {"encode", "log"} <= knowing
    assert "client" not in knowing
