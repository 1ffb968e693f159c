# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""A known_hosts file whose entries say which server they were read from. PRIVATE to the collection.

The comment at the end of a line (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) is "server <id>". A server that is made anew has
another id, so its keys are read again, and those of the one before it go.
"""

from __future__ import annotations

import typing as t

HEADER = "# SSH host keys as the servers printed them on their consoles. Written by galilean.hub; entries of others stay.\n"


def _fields(line: str) -> list[str]:
    return line.split(None, 3)


def server_of(line: str) -> str:
    """The id of the server that an entry was read from; nothing for entries of others."""
    fields = _fields(line)
    comment = fields[3].split() if len(fields) == 4 and not line.startswith(("#", "@")) else []
    return comment[1] if len(comment) == 2 and comment[0] == "server" else ""


def hosts_of(line: str) -> list[str]:
    """The names and addresses that an entry is for."""
    fields = _fields(line)
    # What has no key is no entry, and none of our business.
    return [] if line.startswith(("#", "@", "|")) or len(fields) < 3 else fields[0].split(",")


def pinned(text: str, server_id: str, hosts: t.Iterable[str]) -> bool:
    """Whether a server's keys are there, for all of its names."""
    wanted = set(hosts)
    return any(server_of(line) == server_id and wanted <= set(hosts_of(line)) for line in text.splitlines())


def keys_of(text: str, server_id: str) -> list[str]:
    """The keys of a server that are there, as "type key"."""
    lines = [line for line in text.splitlines() if server_of(line) == server_id]
    return sorted({" ".join(_fields(line)[1:3]) for line in lines})


def updated(text: str, server_id: str, hosts: t.Sequence[str], keys: t.Sequence[str]) -> str:
    """The file with a server's keys. What else it has for these names was of a server that is no more, and goes."""
    return _with(
        without(text, {server_id}, set(hosts)),
        [f"{','.join(hosts)} {key} server {server_id}" for key in keys],
    )


def without(text: str, server_ids: t.Collection[str], hosts: t.Collection[str]) -> str:
    """The file without the entries of some servers, and of some names."""
    kept = []
    for line in text.splitlines():
        if server_of(line) in server_ids and server_of(line):
            continue
        names = hosts_of(line)
        left = [name for name in names if name not in hosts]
        if names and not left:
            continue
        kept.append(line if left == names else f"{','.join(left)} {line.split(None, 1)[1]}")
    return "".join(f"{line}\n" for line in kept)


def _with(text: str, lines: t.Sequence[str]) -> str:
    return (text or HEADER) + "".join(f"{line}\n" for line in lines)
