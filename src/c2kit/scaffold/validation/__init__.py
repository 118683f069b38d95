"""Checks of generated objects that no schema makes: that what they name is there, and that they fit together.

A cluster takes a policy for an account that does not exist as readily as one that does, and nothing works, or worse,
everything does. So all objects are looked at together, as text would be read by a cluster, before any is written.
"""

from c2kit.scaffold.validation.catalogue import Catalogue, Finding
from c2kit.scaffold.validation.checks import findings

__all__ = ["Catalogue", "Finding", "findings"]
