"""Addresses as people write them."""

from __future__ import annotations

__all__ = ["address_text"]


def address_text(address: object) -> str:
    """``host:port``, or ``[host]:port`` for IPv6."""
    if not isinstance(address, tuple) or len(address) < 2:
        return str(address)
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in str(host) else f"{host}:{port}"
