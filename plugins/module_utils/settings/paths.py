# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Paths of the host in the settings. Pure: nobody has looked at the host yet."""

from __future__ import annotations

import posixpath
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import show

# Folders that roles fill, and whose content they remove.
FOLDERS = frozenset(
    [
        "docker_data_root",
        "images_log_dir",
        "images_state_dir",
        "images_transfer_dir",
        "jupyterhub_archive_dir",
        "jupyterhub_state_root",
        "users_service_home",
    ]
)
# Files, which may be left out. Builds on the controller read some of them there, where ~ is somebody.
FILES = frozenset(["backup_metrics_file", "edge_tls_metrics_file", "jupyterhub_ca_bundle"])
# What mounts of containers, units of systemd and shells take for something else.
ODD = re.compile(r"[\s:\"'\\%$#;&|<>*?`{}\[\]()!]")


def path_problems(setting: str, value: t.Any) -> list[str]:
    """A sentence where a path of the host can be no other's than a mistake, or would not work in what it stands in."""
    if setting not in FOLDERS | FILES or value in (None, ""):
        return []
    path = str(value)
    what = "folder" if setting in FOLDERS else "file"
    plain = path.rstrip("/") if setting in FOLDERS else path
    if (
        re.match(r"/[^/]", plain)
        and posixpath.normpath(plain) == plain
        and path.isprintable()
        and not ODD.search(path)
    ):
        return []
    return [
        f"{setting} is {show(path)}: give the absolute path of a {what} on the host, without blanks, special signs and .., "
        f"such as {'/srv/data' if setting in FOLDERS else '/var/lib/prometheus/hub.prom'}."
    ]
