"""Authorities that sign certificates, for brokers and clients of tests."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Authority"]

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """Signs certificates, and lays them down as a mounted secret. Who uses them trusts ``trusted``, or it alone."""

    def __init__(self, folder: Path, *, trusted: Path | None = None) -> None:
        self.folder = folder
        self._openssl("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt")
        self._trusted = trusted or folder / "ca.crt"
        (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")

    def secret(self, name: str, *, days: int = 2) -> Path:
        """The directory of an identity, with a certificate that is good for so many days from now on."""
        place = self.folder / name
        if place.exists():
            return place
        place.mkdir()
        self._openssl("req", *_KEY, "-subj", f"/CN={name}", "-keyout", f"{name}/tls.key", "-out", f"{name}/request")
        signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days), "-extfile", "names"]
        self._openssl("x509", "-req", "-in", f"{name}/request", *signing, "-out", f"{name}/tls.crt")
        (place / "ca.crt").write_text(self._trusted.read_text())
        return place

    def store(self, name: str) -> Path:
        """What a broker of that name shows."""
        secret, store = self.secret(name), self.folder / f"{name}.pem"
        store.write_text((secret / "tls.key").read_text() + (secret / "tls.crt").read_text())
        return store

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)  # noqa: S607
