# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Networks of the settings that overlap, which is known before any host is looked at. Pure: no I/O."""

from __future__ import annotations

import ipaddress
import typing as t


def overlapping(
    setting: str, networks: t.Iterable[str], others: t.Mapping[str, t.Iterable[str]]
) -> list[str]:
    """A sentence for each network of a setting that overlaps one of others, which are by what has them.

    What is no network is told where that setting is judged.
    """
    found = []
    for text in networks:
        for who, theirs in others.items():
            for other in theirs:
                try:
                    one, two = ipaddress.ip_network(str(text)), ipaddress.ip_network(str(other))
                except ValueError:
                    continue
                if one.version == two.version and one.overlaps(two):
                    found.append(
                        f"{setting} has {one}, which overlaps {two} of {who}: give a network that nothing else uses"
                    )
    return found


def covered(network: str, ranges: t.Iterable[str]) -> list[str]:
    """Those of the ranges of which the network leaves nothing."""
    found = []
    for text in ranges:
        try:
            one, whole = ipaddress.ip_network(str(text)), ipaddress.ip_network(str(network))
        except ValueError:
            continue
        if one.version == whole.version and one.subnet_of(whole):  # type: ignore[arg-type]
            found.append(str(text))
    return found
