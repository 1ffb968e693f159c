# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""SSH host keys on a server's console.

cloud-init prints them at the end of the first boot (module keys_to_console) between two markers; that log comes through the
cloud's API, over the connection that the credentials have opened, so nobody on the way to the server can change it.
https://cloudinit.readthedocs.io/en/latest/reference/modules.html#keys-to-console
"""

from __future__ import annotations

import base64
import binascii
import re
import struct

BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
TYPES = re.compile(
    r"(ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)"
)
# How many fields a key has, the type among them (RFC 4253, 5656 and 8709; PROTOCOL.u2f of OpenSSH).
FIELDS = {
    "ssh-ed25519": 2,
    "ssh-rsa": 3,
    "ecdsa-sha2": 3,
    "sk-ssh-ed25519@openssh.com": 3,
    "sk-ecdsa-sha2": 4,
}


def host_keys(console: str) -> list[str]:
    """The keys that the latest complete block has, each as "type key", without those that are damaged.

    Lines of other programs may stand between them, and prefixes such as "ci-info: " or a time before them.
    """
    end = console.rfind(END)
    begin = console.rfind(BEGIN, 0, end) if end >= 0 else -1
    if begin < 0:
        return []
    found = []
    # Up to the first end: the beginning of another block may have been lost.
    for line in console[begin : console.find(END, begin)].splitlines():
        match = TYPES.search(line)
        if match and is_key(match[1], match[2]):
            found.append(f"{match[1]} {match[2]}")
    return sorted(set(found))


def is_key(kind: str, text: str) -> bool:
    """Whether a key is whole, and of the type that it is said to be: its type stands in it once more (RFC 4253, 6.6).

    A line that was cut may still be right base64. The fields say how long they are, so it shows.
    """
    try:
        data = base64.b64decode(text, validate=True)
        fields = []
        while data:
            end = 4 + struct.unpack(">I", data[:4])[0]
            if end > len(data):
                return False
            fields.append(data[4:end])
            data = data[end:]
    except (binascii.Error, struct.error, ValueError):
        return False
    # Of another type with sk-, only the least is known.
    count = FIELDS.get(kind.partition("-nistp")[0], 0)
    return fields[:1] == [kind.encode()] and (len(fields) == count if count else len(fields) > 1)
