"""Kubernetes on this machine, for developers and tests: the real tools, built from their modules, on loopback.

Needs Go. The first run builds each tool that is wanted, which takes minutes; it is kept in a cache of this user.
Nothing of it is shipped with c2kit.
"""

from __future__ import annotations

from dev.k8s.api_server import ApiServer, Refused
from dev.k8s.tools import NotBuildable, Tool

__all__ = ["ApiServer", "NotBuildable", "Refused", "Tool"]
