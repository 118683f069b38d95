"""Clients are made of what a secret holds, and what they cannot be made of is told without it."""

from __future__ import annotations

import subprocess
import traceback
from typing import TYPE_CHECKING

import pytest

from c2kit.bus.kafka import KafkaBus
from c2kit.bus.kafka.clients import Clients
from c2kit.bus.kafka.provisioner import Provisioner
from c2kit.bus.kafka.security import Secrets
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BROKERS = "nowhere.invalid:9092"


@pytest.fixture
def mismatched(tmp_path: Path) -> Secrets:
    """A certificate beside a key that is another's: each is good for itself."""
    for name in ("one", "other"):
        files = ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
        request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subprocess.run([*request, "-subj", f"/CN={name}", *files], cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "one.crt").rename(tmp_path / "tls.crt")
    (tmp_path / "other.key").rename(tmp_path / "tls.key")
    return Secrets.load(tmp_path)


def test_clients_are_made_of_a_user_with_a_password_that_nothing_shows(tmp_path: Path) -> None:
    (tmp_path / "username").write_text("m.decom")
    (tmp_path / "password").write_text("hidden-1")
    clients = Clients(BROKERS, Secrets.load(tmp_path))
    assert clients.admin() is not None
    clients.onlooker("m.decom").close()
    assert "hidden-1" not in repr(clients)


@pytest.mark.parametrize("make", [KafkaBus, Provisioner])
def test_a_key_that_is_of_another_certificate_is_told_by_the_directory_and_not_shown(
    make: Callable[[str, Secrets], object], mismatched: Secrets
) -> None:
    key = (mismatched.directory / "tls.key").read_text().splitlines()[1]
    with pytest.raises(UsageError, match=r"let no client be made.*mismatch") as caught:
        make(BROKERS, mismatched)
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=False).format())
    assert str(mismatched.directory) in told
    assert key not in told
