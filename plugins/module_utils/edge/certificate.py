# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Whether a certificate and a key can serve together: pure, runs on the controller only (needs cryptography)."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
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


def _order_problem(chain: list[t.Any]) -> str:
    """Every certificate must be signed by the one that follows it (RFC 8446, section 4.4.2)."""
    for position, (one, issuer) in enumerate(zip(chain, chain[1:]), start=1):
        if one.issuer != issuer.subject:
            return (
                f"edge_tls_certificate has its certificates in the wrong order: number {position} is signed by "
                f"{one.issuer.rfc4514_string()!r}, but number {position + 1} is {issuer.subject.rfc4514_string()!r}"
            )
    return ""


def _covers(name: str, held: str) -> bool:
    """Whether a name of a certificate is good for a host name (RFC 6125: a star stands for one label)."""
    name, held = name.lower().rstrip("."), held.lower()
    if held.startswith("*.") and not name.startswith("*."):
        return "." in name and name.split(".", 1)[1] == held[2:]
    return name == held


def names_of(certificate: t.Any) -> list[str]:
    """The host names and addresses that a certificate is for."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [*found.get_values_for_type(x509.DNSName), *addresses]


def _name_problem(certificate: t.Any, names: t.Sequence[str]) -> str:
    held = names_of(certificate)
    for name in names:
        with contextlib.suppress(ValueError):
            name = str(ipaddress.ip_address(name))
        if not any(_covers(name, one) for one in held):
            return (
                f"edge_tls_certificate is not for {name}, only for {', '.join(held) or 'no name at all'}: give one that "
                "holds it, or correct edge_server_name and edge_server_aliases"
                f"{', or set jupyterhub_subdomains to false' if name.startswith('*.') else ''}"
            )
    return ""


def certificate_problems(
    certificate: str, key: str, now: datetime.datetime, names: t.Sequence[str] = ()
) -> list[str]:
    """Return what keeps the pair from serving, one sentence each; empty when it can. Never quotes the key.

    names: host names and addresses that browsers use; none to leave these out.
    """
    chain = _load_chain(certificate)
    if not chain:
        return [
            "edge_tls_certificate holds no certificate in PEM form: give the file that begins with "
            "-----BEGIN CERTIFICATE-----"
        ]
    problem = _key_problem(chain, key)
    problems = [problem] if problem else []
    problems += [
        found for found in (not problem and _order_problem(chain), _name_problem(chain[0], names)) if found
    ]
    begins, ends = _moment(chain[0], "before"), _moment(chain[0], "after")
    if now > ends:
        problems.append(f"edge_tls_certificate ended on {ends:%Y-%m-%d}: give one that is valid today")
    if now < begins:
        problems.append(
            f"edge_tls_certificate begins on {begins:%Y-%m-%d %H:%M} UTC: wait until then, or correct the clock"
        )
    return problems
