# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who holds a TCP port: pure readers of what the kernel and Docker say."""

from __future__ import annotations

import ipaddress
import re
import struct
import typing as t

LISTEN = "0A"
PUBLISHED = re.compile(r"^(?P<address>.*):(?P<first>[0-9]+)(-(?P<last>[0-9]+))?->")


def _kernel_address(text: str) -> str:
    """The kernel writes addresses as 32-bit words in the order of its processor."""
    words = [text[start : start + 8] for start in range(0, len(text), 8)]
    raw = b"".join(struct.pack("=I", int(word, 16)) for word in words)
    return str(ipaddress.ip_address(raw))


def _reach(address: str) -> str:
    """The address itself, or empty for "every address of the host"."""
    bare = address.strip("[]")
    if bare in ("*", ""):
        return ""
    try:
        parsed = ipaddress.ip_address(bare)
    except ValueError:
        return bare
    # IPv6 addresses may be written in several ways.
    return "" if parsed.is_unspecified else str(parsed)


def overlap(one: str, other: str) -> bool:
    """True when nobody can listen on both addresses with the same port."""
    return _reach(one) == "" or _reach(other) == "" or _reach(one) == _reach(other)


def listening_inodes(table: str, address: str, port: int) -> list[str]:
    """Return the sockets of /proc/net/tcp or tcp6 that hold the port on this address."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != LISTEN:
            continue
        local, _colon, hexadecimal = fields[1].rpartition(":")
        if int(hexadecimal, 16) == port and overlap(_kernel_address(local), address):
            found.append(fields[9])
    return found


def _publishes(entry: str, address: str, port: int) -> bool:
    match = PUBLISHED.match(entry.strip())
    if not match or not overlap(match["address"], address):
        return False
    return int(match["first"]) <= port <= int(match["last"] or match["first"])


def publishing_container(listing: str, address: str, port: int) -> str:
    """Return the container that publishes the port, from lines of ``name<TAB>ports``; empty when there is none."""
    for line in listing.splitlines():
        name, _tab, ports = line.partition("\t")
        if any(_publishes(entry, address, port) for entry in ports.split(",")):
            return name
    return ""


def holder_sentence(container: str, process: dict[str, t.Any] | None) -> str:
    """Say in words who is in the way."""
    if container:
        return f"the container {container} holds it"
    if process:
        return f"the process {process['name']} ({process['pid']}) holds it"
    return "another process holds it"
