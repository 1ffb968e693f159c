# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Quotas: what the cloud does not tell, what has no limit, and what is reached exactly."""

from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.cloud.found import Usage
from ansible_collections.galilean.hub.plugins.module_utils.cloud.quota import Need, shortages


@pytest.mark.parametrize(
    ("quota", "enough"),
    [
        ({"cores": Usage(16, 8)}, True),
        ({"cores": Usage(15, 8)}, False),
        ({"cores": Usage(8, 9)}, False),
        ({"cores": Usage(0, 0)}, False),
        ({"cores": Usage(-1, 500)}, True),
        ({"ram": Usage(0, 0)}, True),
        ({}, True),
    ],
)
def test_eight_processors_in_two_servers(quota: dict[str, Usage], enough: bool) -> None:
    need = Need()
    need.add("cores", 4, "processors")
    need.add("cores", 4, "processors")
    assert (shortages(need, quota) == []) is enough


def test_each_quota_has_its_sentence() -> None:
    need = Need()
    need.add("instances", 1, "servers")
    need.add("gigabytes", 200, "GiB in volumes")
    need.add("ports", 2, "ports")
    found = shortages(
        need,
        {"instances": Usage(3, 3), "gigabytes": Usage(1000, 900), "ports": Usage(10, 8), "x": Usage(0, 9)},
    )
    assert [sentence.partition(" asked for")[0] for sentence in found] == [
        "The project's quota is too small: it allows 3 servers, 3 are in use, and 1 more is",
        "The project's quota is too small: it allows 1000 GiB in volumes, 900 are in use, and 200 more are",
    ]


def test_nothing_needs_nothing() -> None:
    need = Need()
    need.add("cores", 0, "processors")
    assert shortages(need, {"cores": Usage(1, 5)}) == []
