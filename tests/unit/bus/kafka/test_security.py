"""Secrets come from files, are complete or refused, and are never told."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from attrs import frozen
from confluent_kafka.admin import AdminClient

from c2kit.bus.kafka.security import Secrets, not_after
from c2kit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

OPENSSL = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "1"]


@frozen
class Made:
    """A certificate that signs itself, and its keys."""

    certificate: str
    key: str
    encrypted: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Let the tool that operators use make them."""
    folder = tmp_path_factory.mktemp("made")
    where = ["-keyout", f"{folder}/key", "-out", f"{folder}/certificate"]
    subprocess.run([*OPENSSL, "-nodes", "-subj", "/CN=m.decom", *where], check=True, capture_output=True)
    encrypt = ["openssl", "pkcs8", "-topk8", "-in", f"{folder}/key", "-out", f"{folder}/encrypted"]
    subprocess.run([*encrypt, "-passout", "pass:hidden-1"], check=True, capture_output=True)
    return Made(*((folder / name).read_text() for name in ("certificate", "key", "encrypted")))


def mounted(folder: Path, files: dict[str, str]) -> Path:
    """A directory with files."""
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_an_authority_alone_is_tls(tmp_path: Path, made: Made) -> None:
    settings = Secrets.load(mounted(tmp_path, {"ca.crt": made.certificate})).client_settings()
    assert settings == {"security.protocol": "SSL", "ssl.ca.pem": made.certificate}


def test_a_certificate_with_its_key_is_mutual_tls(tmp_path: Path, made: Made) -> None:
    folder = mounted(tmp_path, {"ca.crt": made.certificate, "tls.crt": made.certificate, "tls.key": made.key})
    settings = Secrets.load(folder).client_settings()
    assert settings == {
        "security.protocol": "SSL",
        "ssl.ca.pem": made.certificate,
        "ssl.certificate.pem": made.certificate,
        "ssl.key.pem": made.key,
    }


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_user_with_a_password_is_scram_over_tls_and_the_end_of_a_line_is_none_of_it(tmp_path: Path, end: str) -> None:
    folder = mounted(tmp_path, {"username": f"m.decom{end}", "password": f" hidden 2 {end}"})
    settings = Secrets.load(folder).client_settings()
    assert settings == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "m.decom",
        "sasl.password": " hidden 2 ",
    }


def test_the_mechanism_can_be_chosen(tmp_path: Path) -> None:
    folder = mounted(tmp_path, {"username": "u", "password": "hidden-3", "mechanism": "SCRAM-SHA-256\n"})
    assert Secrets.load(folder).client_settings()["sasl.mechanism"] == "SCRAM-SHA-256"


def test_the_library_of_kafka_takes_all_that_there_can_be(tmp_path: Path, made: Made) -> None:
    files = {"ca.crt": made.certificate, "tls.crt": made.certificate, "tls.key": made.encrypted}
    files |= {"tls.password": "hidden-1\n", "username": "u", "password": "hidden-4"}
    settings = Secrets.load(mounted(tmp_path, files)).client_settings()
    AdminClient({"bootstrap.servers": "localhost:1", "log_level": 0, **settings})
    with pytest.raises(Exception, match=r"ssl\.key\.pem"):  # so it did read the key
        AdminClient({"bootstrap.servers": "localhost:1", "log_level": 0, **settings, "ssl.key.password": "other"})


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "found none of these files"),
        ({"user.p12": "x"}, "found none of these files"),
        ({"tls.crt": "certificate"}, r"tls\.crt is of no use without tls\.key"),
        ({"tls.key": "key"}, r"tls\.key is of no use without tls\.crt"),
        ({"ca.crt": "certificate", "tls.password": "hidden-5"}, r"tls\.password is of no use without tls\.key"),
        ({"username": "u"}, "username is of no use without password"),
        ({"password": "hidden-5"}, "password is of no use without username"),
        ({"ca.crt": "certificate", "mechanism": "SCRAM-SHA-512"}, "mechanism is of no use without username"),
        ({"username": "u", "password": "hidden-5", "mechanism": "PLAIN"}, "mechanism names no mechanism"),
        ({"username": "u", "password": "\n"}, "password is no part of a secret"),
        ({"username": "u", "password": ""}, "password is no part of a secret"),
        ({"ca.crt": "hidden-5"}, r"ca\.crt holds no certificate"),
        ({"ca.crt": "-----BEGIN CERTIFICATE-----\nhidden-5\n-----END CERTIFICATE-----\n"}, r"ca\.crt holds no certif"),
        ({"tls.crt": "certificate", "tls.key": "hidden-5"}, r"tls\.key holds no private key"),
        ({"tls.crt": "certificate", "tls.key": "certificate"}, r"tls\.key holds no private key"),
        ({"tls.crt": "certificate", "tls.key": "encrypted"}, r"tls\.key is encrypted.*mount tls\.password"),
    ],
)
def test_what_is_incomplete_or_wrong_is_refused_by_the_name_of_its_file_and_not_told(
    tmp_path: Path, made: Made, files: dict[str, str], told: str
) -> None:
    texts = {"certificate": made.certificate, "key": made.key, "encrypted": made.encrypted}
    for name, text in files.items():
        (tmp_path / name).write_text(texts.get(text, text))
    with pytest.raises(UsageError, match=told) as raised:
        Secrets.load(tmp_path)
    assert str(tmp_path) in str(raised.value)
    said = "".join(traceback.format_exception(raised.value))
    assert "hidden" not in said
    assert made.key.splitlines()[1] not in said


def test_bytes_that_are_no_text_are_not_told_either(tmp_path: Path) -> None:
    (tmp_path / "username").write_text("u")
    (tmp_path / "password").write_bytes(b"hidden-6\xff")
    with pytest.raises(UsageError, match="password is no text") as raised:
        Secrets.load(tmp_path)
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"C2KIT_KAFKA_SECRETS names .*none"):
        Secrets.load(tmp_path / "none")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    mounted(tmp_path, {"username": "u"})
    (tmp_path / "password").mkdir()  # unlike its mode, this holds for who runs tests as root
    with pytest.raises(UsageError, match="password cannot be read"):
        Secrets.load(tmp_path)


def test_nothing_is_shown(tmp_path: Path, made: Made) -> None:
    files = {"tls.crt": made.certificate, "tls.key": made.encrypted, "tls.password": "hidden-1"}
    secrets = Secrets.load(mounted(tmp_path, {**files, "username": "hidden-7", "password": "hidden-8"}))
    for shown in (repr(secrets), str(secrets), f"{secrets}"):
        assert "hidden" not in shown
        assert "BEGIN" not in shown
    assert str(tmp_path) in repr(secrets)


def test_a_change_of_what_files_hold_is_noticed_and_nothing_else(tmp_path: Path) -> None:
    secrets = Secrets.load(mounted(tmp_path, {"username": "u", "password": "hidden-9"}))
    assert secrets.renewed() is None
    os.utime(tmp_path / "password", (1, 1))
    (tmp_path / "other").write_text("x")
    assert secrets.renewed() is None
    (tmp_path / "password").write_text("hidden-0")
    renewed = secrets.renewed()
    assert renewed is not None
    assert renewed.client_settings()["sasl.password"] == "hidden-0"
    assert renewed.fingerprint != secrets.fingerprint
    assert renewed.renewed() is None


def test_while_files_are_exchanged_one_by_one_it_is_told_that_they_are_not_complete(tmp_path: Path) -> None:
    secrets = Secrets.load(mounted(tmp_path, {"username": "u", "password": "hidden-9"}))
    (tmp_path / "password").unlink()
    with pytest.raises(UsageError, match="username is of no use without password"):
        secrets.renewed()
    (tmp_path / "password").write_text("hidden-9")
    assert secrets.renewed() is None


def test_a_secret_that_kubernetes_exchanges_is_read_as_a_whole(tmp_path: Path) -> None:
    """As its AtomicWriter does it: files are links into ``..data``, a link that is replaced by a rename."""

    def mount(version: str) -> None:
        folder = tmp_path / f"..{version}"
        folder.mkdir()
        mounted(folder, {"username": version, "password": f"hidden-{version}"})
        (tmp_path / "..new").symlink_to(folder.name)
        (tmp_path / "..new").rename(tmp_path / "..data")

    mount("first")
    for name in ("username", "password"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    secrets = Secrets.load(tmp_path)
    assert secrets.client_settings()["sasl.password"] == "hidden-first"
    mount("second")
    renewed = secrets.renewed()
    assert renewed is not None
    assert renewed.client_settings()["sasl.username"] == "second"
    (tmp_path / "..second" / "password").unlink()
    with pytest.raises(UsageError) as raised:
        Secrets.load(tmp_path)
    assert str(tmp_path / "username") in str(raised.value)  # the name that whoever mounted it knows


def test_a_fingerprint_tells_another_process_nothing(tmp_path: Path) -> None:
    mounted(tmp_path, {"username": "u", "password": "short"})
    script = (
        "import pathlib, sys; from c2kit.bus.kafka.security import Secrets; "
        "print(Secrets.load(pathlib.Path(sys.argv[1])).fingerprint)"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    other = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert len(other) == 64
    assert other != Secrets.load(tmp_path).fingerprint


@pytest.mark.parametrize("days", [-1, 1, 9_000, 30_000])
def test_the_end_of_a_certificate_is_the_one_that_openssl_tells(tmp_path: Path, made: Made, days: int) -> None:
    files = mounted(tmp_path, {"ca.crt": made.certificate, "ca.key": made.key})
    run = functools.partial(subprocess.run, cwd=files, check=True, capture_output=True, text=True)
    run(["openssl", "req", "-new", "-key", "ca.key", "-subj", "/CN=m.decom", "-out", "request"])
    signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", str(days)]
    run(["openssl", "x509", "-req", "-in", "request", *signing, "-out", "tls.crt"])
    told = run(["openssl", "x509", "-in", "tls.crt", "-noout", "-enddate"]).stdout
    expected = datetime.strptime(told.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    text = (files / "tls.crt").read_text()
    assert not_after(f"what people write above it\n{text}") == expected
    (files / "ca.key").rename(files / "tls.key")
    assert Secrets.load(files).expired == (expected if days < 0 else None)


def test_who_has_no_certificate_has_none_that_expired(tmp_path: Path, made: Made) -> None:
    assert Secrets.load(mounted(tmp_path, {"ca.crt": made.certificate})).expired is None


@pytest.mark.parametrize(
    "body", ["", "MAA=", "MAMCAQE=", "MIIBAA==", "/////w==", "not base64", "MIIBCgKCAQEAq+9NSJvuzr8="]
)
def test_of_what_is_no_certificate_no_end_can_be_told(body: str) -> None:
    assert not_after(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n") is None
    assert not_after(body) is None
