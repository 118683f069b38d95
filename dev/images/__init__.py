"""Container images on this machine, for tests: bases made of Debian's packages, and podman with a store of its own.

Needs Linux, root, and podman, buildah, runc and mmdebstrap of Debian. Nothing of it is shipped with c2kit.
"""

from __future__ import annotations

from dev.images.bases import PYTHON, Bases
from dev.images.podman import NotInstallable, Podman, quick_folder

__all__ = ["PYTHON", "Bases", "NotInstallable", "Podman", "quick_folder"]
