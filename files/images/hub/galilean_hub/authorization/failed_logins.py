# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Failed logins: how many wrong passwords may be tried, and by whom. Who guesses waits, nobody else.

Wrong passwords count against the address that sends them. Those for one account count together as well, at
a higher number, because somebody may have many addresses; but not those from where its owner is known to log
in: a browser with a device cookie, or an address from which the account has logged in. They have a count of
their own. Pure: no I/O, no clock.

https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ..http.leaky_buckets import MOST, LeakyBuckets, key, network

# From all addresses together, but its owner's, an account may be tried so many times as often as from one.
ADDRESSES = 3
# Seconds that a login is kept waiting before it is tried, in place of being refused.
PATIENCE = 5.0


@dataclass
class Attempt:
    """One password that is tried: after `delay` seconds, or not at all where `seconds` is not 0."""

    counts: tuple[tuple[LeakyBuckets, bytes], ...]
    delay: float = 0.0
    seconds: float = 0.0
    why: str = ""

    def give_back(self, now: float) -> None:
        """It was no wrong password."""
        for limit, who in self.counts:
            limit.give_back(who, now)


class FailedLogins:
    """The counts of a hub. many: wrong passwords of one address in PERIOD seconds."""

    def __init__(self, many: int, most: int = MOST) -> None:
        self._addresses = LeakyBuckets(many, most)
        self._accounts = LeakyBuckets(many * ADDRESSES, most)
        self._owners = LeakyBuckets(many, most)
        # Addresses from which an account has logged in.
        self._known: OrderedDict[bytes, None] = OrderedDict()
        self._most = most

    def begin(self, address: str, account: str, device: str, now: float) -> Attempt:
        """Count a password that is about to be tried. device: what the account's device cookie says."""
        place, pair = network(address), key(network(address), account)
        if device:
            counts: tuple[tuple[LeakyBuckets, bytes, float, str], ...] = (
                (self._owners, key("device", device), 0.0, "of this browser for the account"),
            )
        elif pair in self._known:
            self._known.move_to_end(pair)
            counts = ((self._owners, pair, 0.0, "from this address for the account"),)
        else:
            counts = (
                (self._addresses, key(place), 0.0, "from this address"),
                (self._accounts, key(account), PATIENCE, "from many addresses for the account"),
            )
        waits = [(limit.wait(who, now), patience, why) for limit, who, patience, why in counts]
        for seconds, patience, why in waits:
            if seconds > patience:
                return Attempt((), seconds=seconds, why=why)
        for limit, who, _, _ in counts:
            limit.take(who, now)
        return Attempt(tuple((limit, who) for limit, who, _, _ in counts), max(wait[0] for wait in waits))

    def passed(self, address: str, account: str) -> None:
        """The account has logged in from there."""
        pair = key(network(address), account)
        self._known[pair] = None
        self._known.move_to_end(pair)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
