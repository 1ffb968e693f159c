# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Host keys out of console logs as servers really write them, whole, cut and between other lines."""

from __future__ import annotations

import base64
import struct

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from ansible_collections.galilean.hub.plugins.module_utils.cloud import console_keys as c


def public(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )


def fields(*parts: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


ED = public(ed25519.Ed25519PrivateKey.generate())
OTHER = public(ed25519.Ed25519PrivateKey.generate())
RSA = public(rsa.generate_private_key(65537, 2048))
CURVES = [
    public(ec.generate_private_key(curve)) for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
]
SK = "sk-ssh-ed25519@openssh.com"
SECURITY_KEY = f"{SK} {fields(SK.encode(), b'k' * 32, b'ssh:')}"


def block(*lines: str, end: str = "\n") -> str:
    return end.join([c.BEGIN, *lines, c.END, ""])


def test_all_types() -> None:
    keys = [ED, RSA, SECURITY_KEY, *CURVES]
    assert c.host_keys(block(*(f"{key} root@hub" for key in keys))) == sorted(keys)


@pytest.mark.parametrize(
    "prefix",
    [
        "", "ci-info: ", "[   42.123456] cloud-init[811]: ", "<14>Jun  3 10:00:00 hub cloud-init: ",
        "\x1b[0;32m", "2026-01-01T10:00:00+0000 ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["", " root@hub", " "])
def test_lines_as_consoles_show_them(prefix: str, end: str, suffix: str) -> None:
    lines = [f"{prefix}{key}{suffix}" for key in (ED, RSA)]
    console = end.join([f"{prefix}{c.BEGIN}", *lines, f"{prefix}{c.END}", "hub login: "])
    assert c.host_keys(console) == sorted([ED, RSA])


def test_noise_between_them() -> None:
    noise = ["[   43.0] IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready", "", "ssh-rsa", "ssh-rsa !"]
    assert c.host_keys(block(noise[0], ED, *noise[1:], RSA, ED)) == sorted([ED, RSA])


@pytest.mark.parametrize(
    "console",
    [
        "",
        "hub login: ",
        c.END,
        f"{ED}\n{c.END}\n",
        f"{c.BEGIN}\n{ED}\n",
        f"{c.END}\n{c.BEGIN}\n{ED}\n",
        block(),
        # Fingerprints are printed as well, and keys of users.
        f"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n{ED}\n-----END SSH HOST KEY FINGERPRINTS-----\n",
    ],
)
def test_no_complete_block(console: str) -> None:
    assert c.host_keys(console) == []


@pytest.mark.parametrize(
    "console",
    [
        block(OTHER) + block(ED),
        block(OTHER) + "reboot\n" + block(ED) + "hub login:",
        # One that has only begun does not count yet.
        block(ED) + f"{c.BEGIN}\n{OTHER}\n",
        # Nor does one whose beginning or end is lost.
        block(ED) + f"{OTHER}\n{c.END}\n",
        f"{c.BEGIN}\n{OTHER}\n" + block(ED),
        f"{OTHER}\n{c.END}\n" + block(ED),
        # Keys outside of blocks do not count.
        f"{OTHER}\n{block(ED)}{OTHER}\n",
    ],
)
def test_the_latest_complete_block_counts(console: str) -> None:
    assert c.host_keys(console) == [ED]


@pytest.mark.parametrize("key", [ED, RSA, SECURITY_KEY, *CURVES])
def test_a_key_that_is_cut_anywhere_is_none(key: str) -> None:
    """Also where what is left is right base64."""
    kind, text = key.split()
    assert c.is_key(kind, text)
    assert [cut for cut in range(len(text)) if c.is_key(kind, text[:cut])] == []
    # And where padding makes it so, field by field.
    whole = base64.b64decode(text)
    cuts = [base64.b64encode(whole[:cut]).decode() for cut in range(len(whole))]
    assert [cut for cut in cuts if c.is_key(kind, cut)] == []


@pytest.mark.parametrize("width", [64, 76, 80, 100, 132, 200])
def test_an_rsa_key_that_is_wrapped_is_left_out(width: int) -> None:
    line = f"{RSA} root@hub"
    wrapped = [line[at : at + width] for at in range(0, len(line), width)]
    assert c.host_keys(block(*wrapped, ED)) == [ED]


def test_a_message_in_the_middle_of_a_line_damages_it() -> None:
    at = len(RSA) // 2
    assert c.host_keys(block(f"{RSA[:at]}[   44.0] audit: x {RSA[at:]}", ED)) == [ED]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("ssh-rsa", ED.split()[1]),
        ("ssh-ed25519", RSA.split()[1]),
        ("ecdsa-sha2-nistp384", CURVES[0].split()[1]),
        ("ssh-ed25519", ""),
        ("ssh-ed25519", "AAAA"),
        ("ssh-ed25519", "%%%%"),
        ("ssh-ed25519", f"%{ED.split()[1]}"),
        ("ssh-ed25519", fields(b"ssh-ed25519")),
        ("ssh-ed25519", fields(b"ssh-ed25519", b"x" * 32, b"more")),
        ("ssh-ed25519", fields(b"k" * 32, b"ssh-ed25519")),
        ("ssh-ed25519", base64.b64encode(b"\xff\xff\xff\xffssh-ed25519").decode()),
    ],
)
def test_what_is_no_key(kind: str, text: str) -> None:
    assert not c.is_key(kind, text)
