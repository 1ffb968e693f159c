# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.edge_budget import edge_budget_filter
from ansible_collections.galilean.hub.plugins.filter.edge_headers import edge_headers_filter
from ansible_collections.galilean.hub.plugins.filter.edge_trusted_networks import edge_trusted_networks_filter


def test_edge_headers_takes_a_mapping() -> None:
    with pytest.raises(AnsibleFilterError, match="input must be a mapping, not list"):
        edge_headers_filter([])
    assert [header["name"] for header in edge_headers_filter({"X-A": "1"}) if not header["fill"]] == [
        "X-A",
        "X-Content-Type-Options",
    ]


def test_edge_trusted_networks_takes_a_list_and_a_network() -> None:
    with pytest.raises(AnsibleFilterError, match="input must be a list, and network a mapping"):
        edge_trusted_networks_filter("10.0.0.5")
    with pytest.raises(AnsibleFilterError, match="'lb' does not appear to be"):
        edge_trusted_networks_filter(["lb"])
    pools = [{"Subnet": "10.224.3.0/24", "Gateway": "10.224.3.1"}, {"Subnet": "fd12::/64"}]
    # As the module returns it: without a network there is nothing, not even a mapping.
    for network, found in (
        ({"IPAM": {"Config": pools}}, ["10.224.3.1/32"]),
        ({"IPAM": {"Config": None}}, []),
        (None, []),
    ):
        assert edge_trusted_networks_filter(["127.0.0.1"], network) == found


def test_edge_budget_refuses_in_a_sentence() -> None:
    with pytest.raises(AnsibleFilterError, match="edge_memory is '1m': give"):
        edge_budget_filter("1m", 4096, 2)
    assert edge_budget_filter("auto", "4096", "2")["memory"] == "682m"
