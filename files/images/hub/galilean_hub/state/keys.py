# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keys that encrypt what the hub keeps of logins, the newest first, and which of them something needs."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


def read(text: str) -> list[bytes]:
    """The keys of a secrets file: one a line, the newest first."""
    return [bytes.fromhex(line) for line in text.split()]


def _ciphers(keys: Sequence[bytes]) -> list[Fernet]:
    # As JupyterHub's CryptKeeper makes them.
    return [Fernet(base64.urlsafe_b64encode(key)) for key in keys]


def _decrypts(cipher: Fernet, encrypted: bytes) -> bool:
    try:
        cipher.decrypt(encrypted)
    except InvalidToken:
        return False
    return True


@dataclass
class KeyUsage:
    """How many logins the newest key decrypts, who needs an older one, and whom none helps."""

    newest: int = 0
    older: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def key_usage(logins: Iterable[tuple[str, bytes]], keys: Sequence[bytes]) -> KeyUsage:
    """Sort users by the key that decrypts what the hub keeps of their login: name and encrypted text."""
    newest, *older = _ciphers(keys)
    found = KeyUsage()
    for name, encrypted in logins:
        if _decrypts(newest, encrypted):
            found.newest += 1
        elif any(_decrypts(cipher, encrypted) for cipher in older):
            found.older.append(name)
        else:
            found.lost.append(name)
    return found


def reencrypted(encrypted: bytes, keys: Sequence[bytes]) -> bytes:
    """The same, encrypted with the newest key; one of the keys must decrypt it."""
    return MultiFernet(_ciphers(keys)).rotate(encrypted)
