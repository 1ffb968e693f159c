# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What several roles go by: each of these is a setting of one of them, or follows from those of one."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, Unknown


def version(settings: Settings) -> str:
    """Of this collection, in a checkout or as it was installed."""
    for name in ("MANIFEST.json", "galaxy.yml"):
        text = (settings.content(f"{settings.collection}/{name}") or b"").decode()
        found = re.search(r"""^\s*"?version"?:\s*"?([^"',\s]+)""", text, re.MULTILINE)
        if found:
            return found[1]
    return ""


COMMON: dict[str, t.Callable[[Settings], t.Any]] = {
    "address_pools": lambda settings: settings["docker_address_pools"],
    # Whether there is an audit log, which the edge writes to as well.
    "audit": lambda settings: settings["jupyterhub_audit_days"] > 0,
    "archive_dir": lambda settings: settings["jupyterhub_archive_dir"],
    # On the data volume, if there is one, so that images, homes and shared software outlive the server.
    "data_root": lambda settings: (
        (
            settings["data_volume_path"]
            if settings["data_volume_device"] or settings["data_volume_serial"]
            else "/var/lib"
        )
        + "/docker"
    ),
    # Empty where the host is on no cloud.
    "deployment": lambda settings: settings["openstack_cloud"] and settings["openstack_deployment"],
    "inventory": lambda settings: settings["jupyterhub_inventory"],
    "packages_wait": lambda settings: settings["bootstrap_packages_wait"],
    "pypi_index": lambda settings: settings["images_pypi_index"],
    "service_account": lambda settings: settings["users_service_account"],
    "site_look": lambda settings: settings["images_web_site_path"],
    "subdomains": lambda settings: settings["jupyterhub_subdomains"],
    "title": lambda settings: settings["jupyterhub_web_title"],
    "user_id": lambda settings: settings["images_user_id"],
    "version": version,
    "web_paths": lambda settings: [
        path for path in (settings["images_web_site_path"], settings["images_web_path"]) if path
    ],
}


def common(settings: Settings) -> dict[str, t.Any]:
    """All of them that can be worked out."""
    found = {}
    for name, value in COMMON.items():
        try:
            found[name] = value(settings)
        except Unknown:
            continue
    return found


def service_account(settings: Settings) -> dict[str, t.Any]:
    """The service account as the code of accounts takes it."""
    own = settings.role("users")
    return {
        "name": own["service_account"],
        **{name: own[f"service_{name}"] for name in ("group", "uid", "gid", "home", "groups")},
    }
