# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names of users as parts of other names: never two users with the same one."""

from __future__ import annotations

import hashlib
import hmac
import string

from escapism import escape

# A volume's name is a folder's name (255 bytes), and stands behind a prefix with the instance's name.
LONGEST = 200
# escapism writes every other character, '-' included, as '-' and two hexadecimal digits per byte.
SAFE = set(string.ascii_lowercase + string.digits)


def safe_name(name: str) -> str:
    """The user's name in lower-case letters, digits and dashes.

    As DockerSpawner 14 does it, so that homes of before are found again. One that would be too long for a
    file system ends with a digest instead; two dashes stand before it, which no escaped name has.
    """
    escaped: str = escape(name, SAFE, escape_char="-").lower()
    if len(escaped) <= LONGEST:
        return escaped
    digest = hashlib.sha256(name.encode()).hexdigest()[:32]
    return f"{escaped[: LONGEST - 34].rstrip('-')}--{digest}"


def container_digest(key: str, name: str, server: str = "") -> str:
    """What stands for the user in a container's name: it takes the key to make it."""
    said = f"{len(name)}:{name}{server}".encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()[:20]
