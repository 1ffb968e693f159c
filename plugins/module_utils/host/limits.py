# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a host of a given size can carry: limits of user servers, derived from cores and memory."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

# Measured: an idle server takes about 110 MiB, one with a kernel that holds some data 250 to 500 MiB.
TYPICAL_SERVER_MB = 400
# Operating system, Docker engine, hub, proxy and edge.
RESERVED_MB = 1024


def host_limits(cores: int, memory_mb: int) -> dict[str, t.Any]:
    """Return the limits for a host; HubError if it is too small.

    cores: processor cores; memory_mb: memory in MiB.
    concurrent_spawn_limit: how many servers may be starting at once: a start is bound by the processor, so as many as
    there are cores keep them busy, and one more fills the pauses. active_server_limit: how many may run.
    memory_limit: memory of one server, as JupyterHub writes it. cpu_limit: cores of one server.
    """
    if cores < 1 or memory_mb < 512:
        raise HubError(
            f"the host has {cores} cores and {memory_mb} MiB of memory: a hub needs 1 core and 512 MiB"
        )
    # Rounded so that a few MiB more or less after a reboot change nothing.
    memory_gb = max(1, round(memory_mb / 1024))
    free_mb = max(TYPICAL_SERVER_MB, memory_gb * 1024 - RESERVED_MB)
    return {
        "concurrent_spawn_limit": cores + 1,
        "active_server_limit": max(1, free_mb // TYPICAL_SERVER_MB),
        "memory_limit": f"{min(2048, max(512, free_mb // 2))}M",
        "cpu_limit": float(max(1, min(cores, 4))),
    }
