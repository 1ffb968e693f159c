# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A certificate with its chain and its key, as one text: they can only be replaced together."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import re
import ssl
import subprocess
import tempfile
from pathlib import Path

from .settings import Problem

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a certificate says. Times are seconds since 1970."""

    serial: str
    issuer: str
    names: list[str]
    begins: float
    ends: float


def file_name(pair: str) -> str:
    """Named after its content, so that a configuration that names it switches certificate and key at once."""
    return f"tls-{hashlib.sha256(pair.encode()).hexdigest()[:12]}.pem"


def leaf(pair: str) -> bytes:
    """The server's own certificate in DER form."""
    found = CERTIFICATE.search(pair)
    if not found:
        raise Problem("The certificate holds nothing in PEM form: it was not written to its end.")
    return ssl.PEM_cert_to_DER_cert(found.group(0))


def check(pair: str) -> None:
    """Raise Problem when key and certificate do not belong together or OpenSSL refuses them."""
    # Memory would do, were it not for the interface: only files can be loaded. /dev/shm never reaches a disk.
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.NamedTemporaryFile("w", dir=folder) as file:
        file.write(pair)
        file.flush()
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file.name)
        except (ssl.SSLError, OSError) as exc:
            reason = getattr(exc, "reason", "") or str(exc)
            if reason == "KEY_VALUES_MISMATCH":
                raise Problem("The new key does not belong to the new certificate.") from exc
            raise Problem(f"OpenSSL does not take the new certificate and key: {reason}.") from exc


def facts(der: bytes) -> Facts:
    """Ask openssl what a certificate says; the standard library can not without trusting it."""
    argv = [
        *("openssl", "x509", "-inform", "DER", "-noout", "-serial", "-issuer", "-dates"),
        *("-nameopt", "RFC2253", "-ext", "subjectAltName"),
    ]
    done = subprocess.run(argv, input=der, capture_output=True, check=False)
    if done.returncode:
        raise Problem(f"openssl cannot read the certificate: {done.stderr.decode().strip()}.")
    text = done.stdout.decode()
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return Facts(
        serial=lines.get("serial", "").lower(),
        issuer=lines.get("issuer", ""),
        names=[entry.split(":", 1)[1] for entry in re.findall(r"(?:DNS|IP Address):[^,\s]+", text)],
        begins=ssl.cert_time_to_seconds(lines["notBefore"]),
        ends=ssl.cert_time_to_seconds(lines["notAfter"]),
    )


def write(path: Path, text: str, group: int, mode: int) -> None:
    """Replace a file in one step, so that nobody reads half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fchown(stream.fileno(), 0, group)
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
