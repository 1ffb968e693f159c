# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""SNI routing: which names lead to which instance of a host, and which ports its SNI router needs. Pure."""

from __future__ import annotations

import hashlib
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.instance import core_subnet6

# Where nginx listens in the router's container, for TLS and plain HTTP alike.
LISTEN = 8443
# Words that nginx's "map" understands in place of a value.
MAP_WORDS = frozenset(["default", "hostnames", "include", "volatile"])
# A line of an instance's file as `grep -rH` prints it.
LINE = re.compile(r"^.*/(?P<address>[^/]+)/names/(?P<instance>[a-z0-9-]+)[.]conf:(?P<text>.*)$")
PORTS = re.compile(r"^# ports:((?: [0-9]+)*)$")
ENTRY = re.compile(r"^\\?([A-Za-z0-9*.-]+) [a-z0-9-]+;$")


@dataclass
class Member:
    """What one instance has in its file: its ports on the host, and the names that lead to it."""

    ports: list[int]
    names: list[str]


def folder_name(address: str) -> str:
    """An address as a part of names of containers and folders."""
    return address.replace(":", "-")


def members(lines: t.Iterable[str]) -> dict[str, dict[str, Member]]:
    """Who is behind which router, from all lines of all their files: by address (as a folder's name), then by instance."""
    found: dict[str, dict[str, Member]] = {}
    for line in lines:
        match = LINE.match(line)
        if match is None:
            continue
        one = found.setdefault(match["address"], {}).setdefault(match["instance"], Member([], []))
        if ports := PORTS.match(match["text"]):
            one.ports = [int(port) for port in ports[1].split()]
        elif entry := ENTRY.match(match["text"]):
            one.names.append(entry[1])
    return found


def names_file(instance: str, ports: t.Iterable[int], names: t.Iterable[str]) -> tuple[str, str]:
    """The instance's file, and its digest. nginx reads it into maps: from names to the instance, and from the instance to the digest."""
    entries = "".join(f"{chr(92) if name in MAP_WORDS else ''}{name} {instance};\n" for name in names)
    head = f"# Names that lead to the instance {instance}. Written by the role galilean.hub.edge.\n"
    head += " ".join(["# ports:", *map(str, ports)]) + "\n"
    digest = hashlib.sha256((head + entries).encode()).hexdigest()[:12]
    return f'{head}"{instance}:" {digest};\n{entries}', digest


def published(address: str, ports: t.Iterable[int]) -> list[str]:
    """What docker publishes for all instances: address, port of the host, port of the container."""
    # To Docker, "every address" of IPv6 has none of IPv4 in it.
    hosts = ["0.0.0.0", "[::]"] if address == "::" else [f"[{address}]" if ":" in address else address]
    return [f"{host}:{port}:{LISTEN}" for host in hosts for port in sorted(set(ports))]


def sni_routing(
    lines: t.Iterable[str],
    instance: str,
    address: str,
    ports: t.Iterable[int],
    names: t.Iterable[str],
    router: str,
    bound: t.Iterable[int] = (),
) -> dict[str, t.Any]:
    """What an instance's place behind the router of an address is, or would be.

    lines: of all instances' files; ports and names: of this instance, none when it leaves; router: what the names of all
    routers of the host begin with; address: as the operator wrote it or as a folder's name, empty for none; bound: ports that the router has now.
    """
    found = members(lines)
    here = folder_name(address)
    own = Member([port for port in dict.fromkeys(ports) if port], list(dict.fromkeys(map(str.lower, names))))
    # One without ports is about to leave.
    others = {name: one for name, one in found.get(here, {}).items() if name != instance and one.ports}
    # A port that nobody asks for any more stays while others are there: without it, the router would be replaced under their connections.
    kept = list(bound) if others else []
    text, digest = names_file(instance, own.ports, own.names)
    leaving = sorted(place for place, there in found.items() if instance in there and place != here)
    return {
        "problems": [
            f"The name {name} leads to the instance {other} of this host already: give {instance} another one "
            "(edge_server_name, edge_server_aliases)."
            for other, one in others.items()
            for name in own.names
            if name in one.names
        ],
        "text": text,
        "digest": digest,
        "published": published(
            address, own.ports + kept + [port for one in others.values() for port in one.ports]
        ),
        "shared": bool(others),
        "subnet6": core_subnet6(f"{router}-{here}") if ":" in address else "",
        "leaving": leaving,
        "ending": [f"{router}-{place}" for place in leaving if len(found[place]) == 1],
        "only": set(found) <= {here},
    }
