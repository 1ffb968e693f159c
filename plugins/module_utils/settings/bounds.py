# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The least and the most of each number in the settings, stated once. Pure: no I/O."""

from __future__ import annotations

import dataclasses
import math
import re
import typing as t

PORT = 65535
# Docker gives no container less of a processor.
LEAST_CPU = 0.01


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a number may be: from least to most, or 0 where that has a meaning of its own."""

    least: float
    most: float = math.inf
    # What 0 means, where it has a meaning of its own.
    zero: str = ""
    # Why it may not be another.
    why: str = ""

    def allows(self, number: float) -> bool:
        """Whether it is a finite number within the bounds; .nan is in none."""
        inside = math.isfinite(number) and self.least <= number <= self.most
        return inside or bool(self.zero and number == 0)

    @property
    def fix(self) -> str:
        """What to write instead."""
        why = f"{self.why}, so " if self.why else ""
        zero = f"0 ({self.zero}), or " if self.zero else ""
        if math.isinf(self.most):
            return f"{why}give {zero}{self.least} or more"
        return f"{why}give {zero}a number from {self.least} to {self.most}"


ZERO, ONE = Bound(0), Bound(1)
# Measured in the notebook image: with 16, the first kernel does not start.
PIDS = Bound(24, why="no server works with less")
CULL = Bound(600, zero="never", why="the hub learns of activity every 300 seconds")

# By the name of the setting; keys of its mappings follow after dots.
BOUNDS = {
    "backup_drill_homes": ZERO,
    "backup_drill_max_age": ZERO,
    "backup_hours": Bound(0, 23),
    "backup_max_age": ONE,
    "bootstrap_packages_wait": ZERO,
    "bootstrap_swap_gib": ZERO,
    "bootstrap_swappiness": Bound(0, 200),
    "certbot_dns_propagation_seconds": ZERO,
    "data_volume_timeout": ZERO,
    "docker_address_pools.size": Bound(1, 126),
    "docker_disk_free_min_gib": ZERO,
    "docker_log_max_file": ONE,
    "docker_mtu": Bound(576, 65535, zero="that of the default route"),
    "docker_nofile": ZERO,
    "docker_start_timeout": ONE,
    "edge_connections_per_address": ZERO,
    "edge_hsts_seconds": ZERO,
    "edge_http_port": Bound(0, PORT),
    "edge_hub_rate": ZERO,
    "edge_log_max_files": ONE,
    "edge_login_burst": ZERO,
    "edge_login_rate": ZERO,
    "edge_port": Bound(1, PORT),
    "edge_rate_burst": ZERO,
    "edge_read_timeout": Bound(60),
    "edge_reload_grace": ONE,
    "edge_server_rate": ZERO,
    "edge_tls_warn_days": ZERO,
    "edge_workers": ONE,
    "images_build_parallel": ZERO,
    "images_build_timeout": ONE,
    "images_cache_keep_gib": ZERO,
    "images_disk_free_min_gib": ZERO,
    "images_keep": ZERO,
    "images_software_keep": ZERO,
    "images_user_id": Bound(0, 99999),
    "jupyterhub_active_server_limit": ZERO,
    "jupyterhub_approval.cache": ZERO,
    "jupyterhub_approval.interval": ONE,
    "jupyterhub_approval.max_removed": Bound(0, 100),
    "jupyterhub_approval.timeout": ONE,
    "jupyterhub_audit_days": Bound(0, 3650),
    "jupyterhub_broker_allow.cpu_limit": ZERO,
    "jupyterhub_broker_allow.pids_limit": ZERO,
    "jupyterhub_busy_max_age": ZERO,
    "jupyterhub_check_timeout": ONE,
    "jupyterhub_concurrent_spawn_limit": ZERO,
    "jupyterhub_connection_limit": Bound(50, zero="no limit", why="JupyterLab and pip would fail"),
    "jupyterhub_connection_rate": Bound(0, 500),
    "jupyterhub_cpu_limit": Bound(LEAST_CPU, zero="as many as the host has, at most 4"),
    "jupyterhub_cull_every": ONE,
    "jupyterhub_cull_max_age": ZERO,
    "jupyterhub_cull_timeout": CULL,
    "jupyterhub_cull_warning": ZERO,
    "jupyterhub_failed_login_limit": ZERO,
    "jupyterhub_groups.cpu_limit": Bound(LEAST_CPU),
    "jupyterhub_groups.cull_timeout": CULL,
    "jupyterhub_groups.pids_limit": PIDS,
    "jupyterhub_kernel_cull_timeout": ZERO,
    "jupyterhub_login_gitlab.projects": ONE,
    "jupyterhub_login_ldap.port": Bound(1, PORT),
    "jupyterhub_login_native.minimum_password_length": ONE,
    "jupyterhub_login_native.sign_ups": ZERO,
    "jupyterhub_login_native.waiting": ZERO,
    "jupyterhub_login_refresh": ZERO,
    "jupyterhub_named_server_limit": Bound(0, 100),
    "jupyterhub_open_files": Bound(1024, why="no server works with less"),
    "jupyterhub_pids_limit": PIDS,
    "jupyterhub_profiles.apps.start_timeout": ONE,
    "jupyterhub_profiles.cpu_limit": Bound(LEAST_CPU),
    "jupyterhub_profiles.pids_limit": PIDS,
    "jupyterhub_releases_keep": ONE,
    "jupyterhub_sharing_days": Bound(0, 365),
    "jupyterhub_token_max_age": ZERO,
    "jupyterhub_trash_days": ZERO,
    "monitoring_alertmanager_port": Bound(1, PORT),
    "monitoring_check_minutes": Bound(0, 60),
    "monitoring_prometheus_port": Bound(1, PORT),
    "move_notice": ZERO,
    "openstack_boot_timeout": ONE,
    "openstack_boot_volume_gib": ZERO,
    "openstack_data_volume_gib": ZERO,
    "openstack_timeout": ONE,
    "users_admins.uid": Bound(1000, 59999),
    "users_groups.gid": Bound(1, 2**32 - 2),
    "users_service_gid": Bound(1, 59999),
    "users_service_uid": Bound(1, 59999),
}


def bound_of(setting: str) -> Bound | None:
    """The bound of a setting, or of a key in it, written as sentences have it: jupyterhub_groups[0].pids_limit."""
    return BOUNDS.get(re.sub(r"\[\d+\]", "", setting))


def out_of_bounds(setting: str, number: t.Any) -> list[str]:
    """A sentence where the number is not one that the setting may have."""
    bound = bound_of(setting)
    try:
        allowed = bound is not None and bound.allows(float(number))
    except (TypeError, ValueError, OverflowError):
        allowed = False
    return [] if allowed or bound is None else [f"{setting} is {number}: {bound.fix}."]
