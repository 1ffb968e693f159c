# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How often somebody may do something, in a table that strangers cannot fill. Pure: no I/O, no clock."""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict

# Seconds for which a number counts.
PERIOD = 600
# Entries of each table: with more of them the one that was used longest ago is forgotten.
MOST = 20_000


def key(*parts: str) -> bytes:
    """What stands for an address or an account in a table: as long for a name of a megabyte."""
    return hashlib.blake2b("\0".join(parts).encode(errors="surrogatepass"), digest_size=16).digest()


def network(address: str) -> str:
    """The address, or its network of 64 bits: everybody with IPv6 has 2^64 addresses in one of those."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, 64), strict=False))


class LeakyBuckets:
    """A leaky bucket for each key: so many at once, and then as many in each PERIOD."""

    def __init__(self, many: int, most: int = MOST) -> None:
        self._interval = PERIOD / many
        self._most = most
        # When the bucket will be empty again.
        self._empty: OrderedDict[bytes, float] = OrderedDict()

    def wait(self, who: bytes, now: float) -> float:
        """Seconds until one more is allowed; 0 where it is now."""
        return max(0.0, self._empty.get(who, now) + self._interval - now - PERIOD)

    def take(self, who: bytes, now: float) -> None:
        self._empty[who] = max(self._empty.get(who, now), now) + self._interval
        self._empty.move_to_end(who)
        while len(self._empty) > self._most:
            self._empty.popitem(last=False)

    def give_back(self, who: bytes, now: float) -> None:
        left = self._empty.get(who, now) - self._interval
        if left > now:
            self._empty[who] = left
        else:
            self._empty.pop(who, None)

    def __len__(self) -> int:
        return len(self._empty)
