# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which key decrypts what the hub keeps of logins, and how that comes under the newest one."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet
from galilean_hub.state.keys import key_usage, reencrypted

NEW, OLD, LOST = (bytes([number]) * 32 for number in (1, 2, 3))


def encrypted(key: bytes) -> bytes:
    return Fernet(base64.urlsafe_b64encode(key)).encrypt(b"{}")


def test_who_needs_which_key() -> None:
    logins = {"ada": encrypted(NEW), "bob": encrypted(OLD), "eve": encrypted(LOST), "gus": b"broken"}
    found = key_usage(logins.items(), [NEW, OLD])
    assert (found.newest, found.older, found.lost) == (1, ["bob"], ["eve", "gus"])
    alone = key_usage(logins.items(), [NEW])
    assert (alone.newest, alone.older, alone.lost) == (1, [], ["bob", "eve", "gus"])


def test_renewed_needs_the_newest_key_alone() -> None:
    text = reencrypted(encrypted(OLD), [NEW, OLD])
    assert key_usage([("ada", text)], [NEW]).newest == 1
    assert Fernet(base64.urlsafe_b64encode(NEW)).decrypt(text) == b"{}"
