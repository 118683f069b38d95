"""Policies of the network and the mesh: whom they name is there, and none is wider than it looks."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Any

from c2kit.scaffold.validation.catalogue import Catalogue, Finding, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHECKS"]

_AGENT_PORTS = {15020, 15021, 15090}
"""Of the mesh's agent, which is put beside a container later."""


def _network_policies(all_of: Catalogue) -> Iterator[Finding]:
    for policy in all_of.of_kind("NetworkPolicy"):
        of, spec = name_of(policy), policy["spec"]
        if spec["podSelector"] and not all_of.is_for_some(spec["podSelector"]):
            yield Finding(of=of, what="it is for no pods")
        for direction, peers in (("ingress", "from"), ("egress", "to")):
            for rule in spec.get(direction, []):
                if not rule.get(peers):
                    yield Finding(of=of, what=f"a rule of its {direction} is for whoever there is")
                if not rule.get("ports"):
                    yield Finding(of=of, what=f"a rule of its {direction} is for all ports")
                for peer in rule.get(peers, []):
                    yield from _peer(all_of, of, peer)
        yield from _served(all_of, of, spec)


def _peer(all_of: Catalogue, of: str, peer: dict[str, Any]) -> Iterator[Finding]:
    if "ipBlock" in peer:
        try:
            ipaddress.ip_network(peer["ipBlock"]["cidr"])
        except ValueError as error:
            yield Finding(of=of, what=str(error))
    elif "namespaceSelector" not in peer and not all_of.is_for_some(peer["podSelector"]):
        yield Finding(of=of, what=f"there are no pods with the labels {peer['podSelector'].get('matchLabels')}")
    elif not peer.get("namespaceSelector", {"any": "labels"}):
        yield Finding(of=of, what="it is for all namespaces")


def _served(all_of: Catalogue, of: str, spec: dict[str, Any]) -> Iterator[Finding]:
    """What is let in must have somewhere to go to."""
    found = all_of.selected(spec["podSelector"]) if spec["podSelector"] else []
    served = {port for pods in found for port in pods.ports} | _AGENT_PORTS
    for rule in spec.get("ingress", []) if found else []:
        for port in rule.get("ports", []):
            if port["port"] not in served:
                yield Finding(of=of, what=f"it lets in to port {port['port']}, which no container serves")


def _authorization(all_of: Catalogue) -> Iterator[Finding]:
    accounts = all_of.names("ServiceAccount")
    for policy in all_of.of_kind("AuthorizationPolicy"):
        of, spec = name_of(policy), policy["spec"]
        found = all_of.selected(spec.get("selector"))
        if "selector" in spec and not all_of.is_for_some(spec["selector"]):
            yield Finding(of=of, what="it is for no pods")
        served = {str(port) for pods in found for port in pods.ports}
        for rule in spec.get("rules", []):
            yield from _sources(of, rule, accounts)
            ports = [port for to in rule.get("to", []) for port in to["operation"].get("ports", [])]
            if not ports:
                yield Finding(of=of, what="a rule is for all ports")
            for port in ports:
                if port not in served:
                    yield Finding(of=of, what=f"it permits port {port}, which no container serves")


def _sources(of: str, rule: dict[str, Any], accounts: set[str]) -> Iterator[Finding]:
    sources = [each["source"] for each in rule.get("from", [])]
    if not sources or not all(source.get("principals") for source in sources):
        yield Finding(of=of, what="a rule is for whoever there is")
    for principal in (each for source in sources for each in source.get("principals", [])):
        if "*" in principal:
            yield Finding(of=of, what=f"{principal} is more than one identity")
        elif principal.rpartition("/sa/")[2] not in accounts:
            yield Finding(of=of, what=f"there is no service account of {principal}")


def _sidecars(all_of: Catalogue) -> Iterator[Finding]:
    entries = {host for entry in all_of.of_kind("ServiceEntry") for host in entry["spec"]["hosts"]}
    chosen: Counter[str] = Counter()
    for sidecar in all_of.of_kind("Sidecar"):
        of, spec = name_of(sidecar), sidecar["spec"]
        selector = spec.get("workloadSelector", {}).get("labels")
        found = all_of.selected({"matchLabels": selector}) if selector else []
        chosen.update([name_of(pods.parent) for pods in found] if selector else ["the namespace"])
        if selector and not all_of.is_for_some({"matchLabels": selector}):
            yield Finding(of=of, what="it is for no pods")
        if spec.get("outboundTrafficPolicy", {}).get("mode") != "REGISTRY_ONLY":
            yield Finding(of=of, what="its proxy lets everything through")
        hosts = [host for egress in spec.get("egress", []) for host in egress["hosts"]]
        if not hosts:
            yield Finding(of=of, what="its proxy knows every host of the mesh")
        for host in hosts:
            yield from _host(all_of, of, host, entries)
    for name, count in chosen.items():
        if count > 1:
            yield Finding(of=name, what=f"{count} Sidecars are for it, of which any may be taken")


def _host(all_of: Catalogue, of: str, host: str, entries: set[str]) -> Iterator[Finding]:
    where, _, name = host.partition("/")
    if where == "." and name not in entries and name.partition(".")[0] not in all_of.services:
        yield Finding(of=of, what=f"there is no host {name}")
    if where == "*" or host in {"./*", "~/*"}:
        yield Finding(of=of, what=f"{host} is more than what it calls")


def _entries(all_of: Catalogue) -> Iterator[Finding]:
    known = {
        host.partition("/")[2]
        for sidecar in all_of.of_kind("Sidecar")
        for egress in sidecar["spec"].get("egress", [])
        for host in egress["hosts"]
    }
    for entry in all_of.of_kind("ServiceEntry"):
        of, spec = name_of(entry), entry["spec"]
        if not spec.get("addresses"):
            yield Finding(of=of, what="without addresses it takes its port on every destination")
        if spec.get("exportTo") != ["."]:
            yield Finding(of=of, what="other namespaces see it")
        for host in spec["hosts"]:
            if host not in known:
                yield Finding(of=of, what=f"no proxy knows {host}")


def _denied_first(all_of: Catalogue) -> Iterator[Finding]:
    """What is permitted means something only where the rest is denied."""
    closed = any(
        not policy["spec"]["podSelector"] and set(policy["spec"].get("policyTypes", [])) == {"Ingress", "Egress"}
        for policy in all_of.of_kind("NetworkPolicy")
        if not policy["spec"].get("ingress") and not policy["spec"].get("egress")
    )
    if not closed:
        yield Finding(of="NetworkPolicy", what="none denies everything first, in both directions")
    if all_of.names("Sidecar"):
        if not any(not policy["spec"] for policy in all_of.of_kind("AuthorizationPolicy")):
            yield Finding(of="AuthorizationPolicy", what="none denies everything first")
        strict = [each for each in all_of.of_kind("PeerAuthentication") if each["spec"]["mtls"]["mode"] == "STRICT"]
        if not strict or len(strict) != len(list(all_of.of_kind("PeerAuthentication"))):
            yield Finding(of="PeerAuthentication", what="the mesh also talks to what has no certificate")


CHECKS = (_network_policies, _authorization, _sidecars, _entries, _denied_first)
