"""How a client proves to a cluster who it is: TLS, mutual TLS and SASL/SCRAM, from mounted files and nowhere else.

A directory holds one file for each part, as Kubernetes mounts a secret:

========================  ==========================================================================================
``ca.crt``                who signs the brokers' certificates, in PEM; without it, whom the system trusts
``tls.crt``, ``tls.key``  the client's own certificate (with those that signed it) and its key, in PEM: mutual TLS
``tls.password``          what the key is encrypted with, if it is
``username``              for SASL/SCRAM, with ``password``
``password``
``mechanism``             ``SCRAM-SHA-512`` or ``SCRAM-SHA-256``; the former without it
========================  ==========================================================================================

Any other file is left alone. There is no way without TLS: whoever reads along could go on in the client's name. What
the files hold is in no URL, log line, representation or exception; those name files.
"""

from __future__ import annotations

import hmac
import secrets
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from attrs import field, frozen

from c2kit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["VARIABLE", "Secrets", "not_after"]

VARIABLE = "C2KIT_KAFKA_SECRETS"
"""The environment variable that names the directory."""

_AUTHORITY, _CERTIFICATE, _KEY, _KEY_PASSWORD = "ca.crt", "tls.crt", "tls.key", "tls.password"
_USER, _PASSWORD, _MECHANISM = "username", "password", "mechanism"
_SETTINGS = {
    _AUTHORITY: "ssl.ca.pem",
    _CERTIFICATE: "ssl.certificate.pem",
    _KEY: "ssl.key.pem",
    _KEY_PASSWORD: "ssl.key.password",
    _USER: "sasl.username",
    _PASSWORD: "sasl.password",
    _MECHANISM: "sasl.mechanism",
}
_NEEDS = {_CERTIFICATE: _KEY, _KEY: _CERTIFICATE, _KEY_PASSWORD: _KEY, _USER: _PASSWORD, _PASSWORD: _USER}
"""What each part is of no use without."""
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_VERSION_TAG, _UTC_TIME_TAG, _LONG_LENGTH = 0xA0, 0x17, 0x80
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256")
_LARGEST_BYTES = 1_000_000
_PROCESS_KEY = secrets.token_bytes(32)
"""So that a fingerprint that got somewhere tells nobody what a short password is."""


@frozen(kw_only=True, eq=False)
class Secrets:
    """What a directory held when it was read: whole, and of one moment where Kubernetes mounted it.

    Attributes:
        directory: where it was read.
        fingerprint: of the contents; another one means that they are others. Of no meaning to another process.
    """

    directory: Path
    fingerprint: str
    _parts: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read a directory. Raises UsageError, which names the file, for what is missing, unreadable or wrong."""
        contents = _read(directory)
        parts = {name: _text(directory / name, content) for name, content in contents.items()}
        _check(directory, parts)
        return cls(directory=directory, fingerprint=_fingerprint(contents), parts=parts)

    @property
    def protocol(self) -> str:
        """``SSL`` or ``SASL_SSL``."""
        return "SASL_SSL" if _USER in self._parts else "SSL"

    def client_settings(self) -> dict[str, str]:
        """What a client of librdkafka is given beside the brokers. Never to be shown."""
        settings = {_SETTINGS[name]: text for name, text in self._parts.items()}
        if _USER in self._parts:
            settings.setdefault(_SETTINGS[_MECHANISM], _MECHANISMS[0])
        return {"security.protocol": self.protocol, **settings}

    @property
    def expired(self) -> datetime | None:
        """Since when the client's own certificate is good no more; ``None`` while it is, or where there is none.

        Brokers refuse it then, and need not say why.
        """
        text = self._parts.get(_CERTIFICATE)
        ends = None if text is None else not_after(text)
        return ends if ends is not None and ends < datetime.now(UTC) else None

    def renewed(self) -> Self | None:
        """What the directory holds now, if that is something else; ``None`` where it is not.

        Cheap enough to be asked every few seconds. Raises as :meth:`load` does, for instance while files are being
        exchanged one by one: these are good until it does not.
        """
        if _fingerprint(_read(self.directory)) == self.fingerprint:
            return None
        return type(self).load(self.directory)


def _read(directory: Path) -> dict[str, bytes]:
    """The parts that are there. Kubernetes exchanges all of them at once, by the link ``..data``, followed once."""
    mounted = directory / "..data"
    place = mounted.resolve() if mounted.is_symlink() else directory
    if not place.is_dir():
        what = f"{VARIABLE} names {directory}"
        raise UsageError(what, expected="a directory with the files of a secret", found="none")
    return {name: content for name in _SETTINGS if (content := _content(place / name, directory / name)) is not None}


def _content(path: Path, shown: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{shown} cannot be read", found=error.strerror) from None
    if not content.strip() or len(content) > _LARGEST_BYTES:
        expected = f"1 to {_LARGEST_BYTES} bytes"
        raise UsageError(f"{shown} is no part of a secret", expected=expected, found=f"{len(content)} bytes")
    return content


def _text(path: Path, content: bytes) -> str:
    """The text, without the end of line that editors and ``echo`` put behind a password."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text", expected="UTF-8; certificates and keys in PEM") from None
    return text.rstrip("\r\n") if path.name not in {_AUTHORITY, _CERTIFICATE, _KEY} else text


def _check(directory: Path, parts: Mapping[str, str]) -> None:
    if not parts:
        expected = f"at least one of {', '.join(_SETTINGS)}"
        raise UsageError(f"{VARIABLE} names {directory}", expected=expected, found="none of these files")
    for name, needed in _NEEDS.items():
        if name in parts and needed not in parts:
            raise UsageError(f"{directory / name} is of no use without {needed}", remedy=f"mount {needed} beside it")
    if _MECHANISM in parts and _USER not in parts:
        raise UsageError(f"{directory / _MECHANISM} is of no use without {_USER}", remedy=f"mount {_USER} beside it")
    if parts.get(_MECHANISM, _MECHANISMS[0]) not in _MECHANISMS:
        raise UsageError(f"{directory / _MECHANISM} names no mechanism", expected=" or ".join(_MECHANISMS))
    for name in (_AUTHORITY, _CERTIFICATE):
        if name in parts:
            _check_certificates(directory / name, parts[name])
    if _KEY in parts:
        _check_key(directory / _KEY, parts)


def _check_certificates(path: Path, text: str) -> None:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise UsageError(f"{path} holds no certificate", expected="one or more in PEM") from None


def _check_key(path: Path, parts: Mapping[str, str]) -> None:
    text = parts[_KEY]
    if "-----BEGIN " not in text or "PRIVATE KEY-----" not in text:
        raise UsageError(f"{path} holds no private key", expected="one in PEM")
    if "ENCRYPTED" in text and _KEY_PASSWORD not in parts:
        raise UsageError(f"{path} is encrypted", remedy=f"mount {_KEY_PASSWORD} beside it")


def not_after(text: str) -> datetime | None:
    """Until when the first certificate in a PEM text is good (RFC 5280, 4.1.2.5); ``None`` where it cannot be told."""
    try:
        der = ssl.PEM_cert_to_DER_cert(text[text.index(_BEGIN) : text.index(_END) + len(_END)])
        (_, certificate), *_ = _values(der)
        (_, signed), *_ = _values(certificate)
        fields = [content for tag, content in _values(signed) if tag != _VERSION_TAG]
        _, (tag, ends) = _values(fields[3])  # after serial number, algorithm and issuer
        form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME_TAG else "%Y%m%d%H%M%SZ"
        return datetime.strptime(ends.decode(), form).replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return None


def _values(der: bytes) -> list[tuple[int, bytes]]:
    """Tags and contents of the values that lie one after the other (X.690, 8.1)."""
    values = []
    while der:
        tag, length, start = der[0], der[1], 2
        if length >= _LONG_LENGTH:
            start += length - _LONG_LENGTH
            length = int.from_bytes(der[2:start], "big")
        values.append((tag, der[start : start + length]))
        der = der[start + length :]
    return values


def _fingerprint(contents: Mapping[str, bytes]) -> str:
    made = hmac.new(_PROCESS_KEY, digestmod="sha256")
    for name, content in sorted(contents.items()):
        made.update(f"{name} {len(content)} ".encode() + content)
    return made.hexdigest()
