# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.galilean.hub.plugins.module_utils.edge.certificate import certificate_problems

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def make_pair(
    begins: datetime.datetime = NOW - DAY, ends: datetime.datetime = NOW + DAY, names: tuple[str, ...] = ()
) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub.example.org")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
    if names:
        held = [x509.IPAddress(ipaddress.ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(held), critical=False)
    certificate = builder.sign(key, hashes.SHA256())
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        private_text(key, serialization.NoEncryption()),
    )


def private_text(key: ec.EllipticCurvePrivateKey, lock: serialization.KeySerializationEncryption) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


def test_a_good_pair() -> None:
    certificate, key = make_pair()
    issuer, _key = make_pair()
    assert certificate_problems(certificate, key, NOW) == []
    assert certificate_problems(certificate + issuer, key, NOW) == []


def test_a_pair_that_is_none() -> None:
    certificate, key = make_pair()
    other, other_key = make_pair()
    assert "does not belong" in certificate_problems(certificate, other_key, NOW)[0]
    assert "wrong order" in certificate_problems(other + certificate, key, NOW)[0]


@pytest.mark.parametrize(
    ("held", "asked", "problem"),
    [
        (("hub.example.org",), ["hub.example.org"], ""),
        (("hub.example.org",), ["HUB.example.org"], ""),
        (("*.example.org",), ["hub.example.org"], ""),
        (("*.example.org",), ["*.example.org"], ""),
        (("hub.example.org", "192.0.2.7"), ["192.0.2.7"], ""),
        (("hub.example.org",), [], ""),
        (
            ("hub.example.org",),
            ["other.example.org"],
            "is not for other.example.org, only for hub.example.org:",
        ),
        # A star stands for one label, and for no less.
        (("*.example.org",), ["a.hub.example.org"], "is not for a.hub.example.org, only for *.example.org:"),
        (("*.example.org",), ["example.org"], "is not for example.org, only for *.example.org:"),
        ((), ["hub.example.org"], "is not for hub.example.org, only for no name at all:"),
    ],
)
def test_names(held: tuple[str, ...], asked: list[str], problem: str) -> None:
    certificate, key = make_pair(names=held)
    found = certificate_problems(certificate, key, NOW, asked)
    assert [problem in one for one in found] == ([True] if problem else [])


def test_the_order_of_a_chain() -> None:
    certificate, key = make_pair()
    other_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    stranger = x509.CertificateBuilder(name, name, other_key.public_key(), 7, NOW - DAY, NOW + DAY).sign(
        other_key, hashes.SHA256()
    )
    text = stranger.public_bytes(serialization.Encoding.PEM).decode()
    (problem,) = certificate_problems(certificate + text, key, NOW)
    assert "wrong order: number 1 is signed by 'CN=hub.example.org', but number 2 is 'CN=somebody'" in problem


BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("text", ["", "nonsense", BROKEN])
def test_no_certificate(text: str) -> None:
    (problem,) = certificate_problems(text, make_pair()[1], NOW)
    assert problem.startswith("edge_tls_certificate holds no certificate in PEM form")


def test_no_key() -> None:
    certificate, _key = make_pair()
    (problem,) = certificate_problems(certificate, certificate, NOW)
    assert problem.startswith("edge_tls_key holds no private key in PEM form")


def test_a_key_with_a_password() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = private_text(key, serialization.BestAvailableEncryption(b"x"))
    (problem,) = certificate_problems(make_pair()[0], locked, NOW)
    assert problem.startswith("edge_tls_key is protected by a password")


def test_dates() -> None:
    (ended,) = certificate_problems(*make_pair(NOW - 3 * DAY, NOW - DAY), NOW)
    assert ended == "edge_tls_certificate ended on 2026-05-31: give one that is valid today"
    (later,) = certificate_problems(*make_pair(NOW + DAY, NOW + 3 * DAY), NOW)
    assert later.startswith("edge_tls_certificate begins on 2026-06-02 00:00 UTC")
