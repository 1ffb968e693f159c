# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role docker cannot say, and what the host cannot do: one sentence for each problem."""

from __future__ import annotations

from ansible_collections.galilean.hub.plugins.module_utils.checks import data_volume
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import options_problems
from ansible_collections.galilean.hub.plugins.module_utils.network.ranges import overlapping
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def options(settings: Settings) -> list[str]:
    return options_problems(settings.role("docker"))


def networks(settings: Settings) -> list[str]:
    """The engine would give addresses of users' servers to other containers."""
    pools = [pool.get("base") for pool in settings["docker_address_pools"]]
    # The default follows from the instance's name.
    users = {"user servers (jupyterhub_users_subnet)": [layout(settings)["users_subnet"]]}
    return overlapping("docker_address_pools", pools, users)


def disk_free(settings: Settings) -> list[str]:
    least, free = settings["docker_disk_free_min_gib"], settings.found["docker"]["engine"]["disk_free_gib"]
    if free >= float(least) or data_volume.waits(settings):
        return []
    return [
        f"docker_disk_free_min_gib is {least}, but only {free} GiB are free where Docker keeps its data: free some space, or set "
        "docker_data_root to a folder on a larger disk"
    ]


def packages(settings: Settings) -> list[str]:
    found = settings.found["docker"]
    if found["engine"]["mode"] == "existing" or found["release"] in found["releases"]:
        return []
    return [
        f"The host runs {found['release']}, for which no Docker packages are known: use one of {', '.join(found['releases'])}, "
        "or install an engine yourself and set docker_engine to existing"
    ]


def engine(settings: Settings) -> list[str]:
    """What the module docker_engine_info says of the engine and its options."""
    return list(settings.found["docker"]["problems"])


CHECKS = (options, networks)
HOST_CHECKS = (disk_free, packages, engine)
