"""All checks, and the one function that makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from c2kit.scaffold.validation import kafka, policies, workloads

if TYPE_CHECKING:
    from c2kit.scaffold.validation.catalogue import Catalogue, Finding

__all__ = ["findings"]

_CHECKS = (*workloads.CHECKS, *policies.CHECKS, *kafka.CHECKS)


def findings(all_of: Catalogue) -> list[Finding]:
    """Everything that cannot work, or permits what it should not; none for what c2kit generates."""
    return sorted({finding for check in _CHECKS for finding in check(all_of)})
