# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.host.limits import host_limits

CASES = [
    # cores, MiB, parallel, servers, memory, cpu
    (1, 2000, 2, 2, "512M", 1.0),
    (2, 4000, 3, 7, "1536M", 2.0),
    (2, 24000, 3, 56, "2048M", 2.0),
    (16, 128000, 17, 317, "2048M", 4.0),
]


@pytest.mark.parametrize(("cores", "memory", "parallel", "servers", "limit", "cpu"), CASES)
def test_limits_grow_with_the_host(
    cores: int, memory: int, parallel: int, servers: int, limit: str, cpu: float
) -> None:
    assert host_limits(cores, memory) == {
        "concurrent_spawn_limit": parallel,
        "active_server_limit": servers,
        "memory_limit": limit,
        "cpu_limit": cpu,
    }


def test_a_few_mib_more_change_nothing() -> None:
    assert host_limits(2, 24013) == host_limits(2, 23987)


@pytest.mark.parametrize(("cores", "memory"), [(0, 4000), (2, 256)])
def test_a_host_that_is_too_small_is_refused(cores: int, memory: int) -> None:
    with pytest.raises(HubError, match=f"the host has {cores} cores and {memory} MiB of memory: a hub needs"):
        host_limits(cores, memory)
