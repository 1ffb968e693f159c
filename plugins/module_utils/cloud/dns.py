# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Address records of servers in Designate."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.cloud import plan as p
from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import Found, FoundRecord
from ansible_collections.galilean.hub.plugins.module_utils.cloud.session import errors
from ansible_collections.galilean.hub.plugins.module_utils.cloud.wanted import (
    Wanted,
    WantedServer,
    is_marked,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


def zone_of(conn: t.Any, name: str) -> t.Any:
    """Return the project's zone of a name, the longest one that matches; HubError if there is none."""
    dotted = name.rstrip(".") + "."
    zones = [zone for zone in conn.dns.zones() if dotted == zone.name or dotted.endswith("." + zone.name)]
    if not zones:
        raise HubError(
            f"dns_name is {name}, and the project has no zone that this is in: make the zone, or leave dns_name empty."
        )
    return max(zones, key=lambda zone: len(zone.name))


def _found(wanted: Wanted, zone: t.Any, record: t.Any) -> FoundRecord:
    ours = is_marked(record.description, wanted.mark)
    return FoundRecord(record.id, record.name.rstrip("."), ours, zone.id, tuple(record.records))


def records(conn: t.Any, wanted: Wanted) -> tuple[FoundRecord, ...]:
    """The address records of the servers' names, as far as the project's zones know."""
    found = []
    for name in [name for server in wanted.servers for name in server.dns_names]:
        zone = zone_of(conn, name)
        found += [_found(wanted, zone, record) for record in _named(conn, zone, name)]
    return tuple(found)


def _named(conn: t.Any, zone: t.Any, name: str) -> list[t.Any]:
    """The address record of a name. To Designate's search, an asterisk is any text."""
    dotted = f"{name}."
    return [record for record in conn.dns.recordsets(zone, name=dotted, type="A") if record.name == dotted]


def own_records(conn: t.Any, wanted: Wanted) -> tuple[FoundRecord, ...]:
    """The address records that the deployment has made, also for names that no setting has any more."""
    if not conn.has_service("dns"):
        return ()
    # The asterisk is Designate's own: whatever follows.
    made = [
        _found(wanted, zone, record)
        for zone in conn.dns.zones()
        for record in conn.dns.recordsets(zone, type="A", description=f"{wanted.mark}*")
    ]
    return tuple(record for record in made if record.ours)


def set_records(
    conn: t.Any, wanted: Wanted, server: WantedServer, found: Found, say: t.Callable[[str], None]
) -> None:
    """Make a server's names lead to its floating IP."""
    address = p.find_address(wanted, server, found)
    if address is None:
        return
    for name in server.dns_names:
        with errors(f"DNS record {name}"):
            zone = zone_of(conn, name)
            there = next(iter(_named(conn, zone, name)), None)
            if there is None:
                conn.dns.create_recordset(
                    zone,
                    name=f"{name}.",
                    type="A",
                    records=[address.address],
                    ttl=300,
                    description=wanted.address_mark(server.name),
                )
            elif tuple(there.records) != (address.address,):
                conn.dns.update_recordset(there, records=[address.address])
        say(f"DNS record {name} is {address.address}")
