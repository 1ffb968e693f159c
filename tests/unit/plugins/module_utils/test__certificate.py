# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ansible_collections.galilean.hub.plugins.module_utils._certificate import certificate_problems

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def make_pair(begins: datetime.datetime = NOW - DAY, ends: datetime.datetime = NOW + DAY) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub.example.org")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
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
