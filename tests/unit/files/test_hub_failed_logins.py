# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who may try how many wrong passwords: told by a clock that the test sets."""

from __future__ import annotations

import pytest
from galilean_hub.authorization.failed_logins import ADDRESSES, PATIENCE, FailedLogins
from galilean_hub.http.leaky_buckets import PERIOD, network

MANY = 10


def wrong(counts: FailedLogins, address: str, account: str, now: float, times: int, device: str = "") -> int:
    """How many of these wrong passwords are tried."""
    return sum(not counts.begin(address, account, device, now).seconds for _ in range(times))


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_address_of_ipv6_counts_with_its_network(address: str, counts_as: str) -> None:
    assert network(address) == counts_as


def test_an_address_may_send_so_many_and_then_one_at_a_time() -> None:
    counts = FailedLogins(MANY)
    assert wrong(counts, "192.0.2.7", "ada", 0, 50) == MANY
    # Whichever names it tries.
    refused = counts.begin("192.0.2.7", "bob", "", 0)
    assert refused.seconds == pytest.approx(PERIOD / MANY)
    assert refused.why == "from this address"
    assert wrong(counts, "192.0.2.7", "ada", PERIOD / MANY, 50) == 1
    assert wrong(counts, "192.0.2.7", "ada", 3 * PERIOD, 50) == MANY


def test_who_guesses_waits_and_nobody_else() -> None:
    counts = FailedLogins(MANY)
    assert wrong(counts, "192.0.2.7", "ada", 0, 1000) == MANY
    there = counts.begin("192.0.2.8", "ada", "", 0)
    assert (there.seconds, there.delay) == (0, 0)


def test_a_right_password_costs_nothing() -> None:
    counts = FailedLogins(MANY)
    for number in range(20 * MANY):
        attempt = counts.begin("192.0.2.7", f"student{number}", "", 0)
        assert not attempt.seconds
        attempt.give_back(0)
    # It does not make up for wrong ones.
    assert wrong(counts, "192.0.2.7", "ada", 0, MANY) == MANY
    counts.passed("192.0.2.7", "mallory")
    assert wrong(counts, "192.0.2.7", "ada", 0, 1) == 0


def test_many_addresses_for_one_account_wait_and_its_owner_does_not() -> None:
    counts = FailedLogins(MANY)
    counts.begin("198.51.100.1", "ada", "", 0).give_back(0)
    counts.passed("198.51.100.1", "ada")
    tried = sum(wrong(counts, f"192.0.2.{number}", "ada", 0, MANY) for number in range(100))
    queue = int(PATIENCE / (PERIOD / MANY / ADDRESSES))
    assert tried == MANY * ADDRESSES + queue
    stranger = counts.begin("203.0.113.1", "ada", "", 0)
    assert stranger.seconds > PATIENCE
    assert "many addresses" in stranger.why
    # From where ada has logged in, and with her browser.
    for address, device in (("198.51.100.1", ""), ("203.0.113.1", "mark:1")):
        owner = counts.begin(address, "ada", device, 0)
        assert (owner.seconds, owner.delay) == (0, 0)
    # Another account is another matter.
    assert not counts.begin("203.0.113.1", "bob", "", 0).seconds


def test_a_stranger_is_kept_waiting_before_being_refused() -> None:
    many = 200
    counts = FailedLogins(many)
    for number in range(ADDRESSES + 1):
        wrong(counts, f"192.0.2.{number}", "ada", 0, many)
    # A second, and the next one has to wait for a part of the five that may be waited for.
    later = counts.begin("203.0.113.1", "ada", "", 2)
    assert not later.seconds
    assert 0 < later.delay <= PATIENCE


def test_what_an_owner_may_try_has_an_end_as_well() -> None:
    """A stolen cookie, or a neighbour behind the owner's address."""
    counts = FailedLogins(MANY)
    counts.passed("198.51.100.1", "ada")
    assert wrong(counts, "198.51.100.1", "ada", 0, 100) == MANY
    assert wrong(counts, "192.0.2.7", "ada", 0, 100, device="mark:1") == MANY
    # They take nothing from others behind that address.
    assert not counts.begin("198.51.100.1", "bob", "", 0).seconds


def test_names_and_addresses_fill_no_memory() -> None:
    counts = FailedLogins(MANY, most=100)
    for number in range(10_000):
        counts.begin(f"2001:db8:0:{number:x}::1", "a" * 1000 + str(number), "", 0)
        counts.passed(f"2001:db8:0:{number:x}::1", str(number))
    assert len(counts._addresses) == len(counts._accounts) == len(counts._known) == 100
