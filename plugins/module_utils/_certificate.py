# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether a certificate and a key can serve together: pure, runs on the controller only (needs cryptography)."""

from __future__ import annotations

import datetime
import typing as t

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
except ImportError:  # ansible-core itself depends on it, so this is a broken controller
    HAS_CRYPTOGRAPHY = False
else:
    HAS_CRYPTOGRAPHY = True


def _moment(certificate: t.Any, which: str) -> datetime.datetime:
    """``which`` is before or after. cryptography 42 renamed the attributes when they became aware of time zones."""
    aware = getattr(certificate, f"not_valid_{which}_utc", None)
    if aware is not None:
        return t.cast("datetime.datetime", aware)
    naive: datetime.datetime = getattr(certificate, f"not_valid_{which}")
    return naive.replace(tzinfo=datetime.timezone.utc)


def _public_bytes(key: t.Any) -> bytes:
    encoded: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _load_chain(text: str) -> list[t.Any]:
    try:
        return list(x509.load_pem_x509_certificates(text.encode()))
    except ValueError:
        return []


def _key_problem(chain: list[t.Any], text: str) -> str:
    try:
        key: t.Any = serialization.load_pem_private_key(text.encode(), password=None)
    except TypeError:
        return "edge_tls_key is protected by a password: give the key without one, readable by root only"
    except ValueError:
        return "edge_tls_key holds no private key in PEM form: give the file that begins with -----BEGIN PRIVATE KEY-----"
    public = _public_bytes(key.public_key())
    matches = [public == _public_bytes(certificate.public_key()) for certificate in chain]
    if matches[0]:
        return ""
    if any(matches):
        return "edge_tls_certificate has its certificates in the wrong order: the server's own comes first"
    return "edge_tls_key does not belong to the certificate in edge_tls_certificate: give the pair that was made together"


def certificate_problems(certificate: str, key: str, now: datetime.datetime) -> list[str]:
    """Return what keeps the pair from serving, one sentence each; empty when it can. Never quotes the key."""
    chain = _load_chain(certificate)
    if not chain:
        return [
            "edge_tls_certificate holds no certificate in PEM form: give the file that begins with "
            "-----BEGIN CERTIFICATE-----"
        ]
    problem = _key_problem(chain, key)
    problems = [problem] if problem else []
    begins, ends = _moment(chain[0], "before"), _moment(chain[0], "after")
    if now > ends:
        problems.append(f"edge_tls_certificate ended on {ends:%Y-%m-%d}: give one that is valid today")
    if now < begins:
        problems.append(
            f"edge_tls_certificate begins on {begins:%Y-%m-%d %H:%M} UTC: wait until then, or correct the clock"
        )
    return problems
