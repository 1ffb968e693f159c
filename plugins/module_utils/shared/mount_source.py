# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which folders of the host may be shown in users' servers. Pure; settings and broker judge alike by it.

It is part of the hub's image as well (galilean_hub/shared), so it imports nothing.
"""

from __future__ import annotations

import posixpath

# Folders that are the system, and what is below them.
_SYSTEM = ("/proc", "/sys", "/dev", "/boot", "/run", "/var/run", "/var/lib/docker", "/var/lib/containerd")
# Nobody may write there; parts of it may be shown.
_READ_ONLY = ("/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64")
_SECRET = (
    "/etc/shadow",
    "/etc/gshadow",
    "/etc/sudoers",
    "/etc/sudoers.d",
    "/etc/ssh",
    "/etc/docker",
    "/etc/ssl/private",
)
# Of an instance, below its folder.
_PRIVATE = ("secrets", "config", "hub", "broker", "bin", "edge", "certificate")


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _overlap(path: str, folders: tuple[str, ...]) -> bool:
    return any(_within(path, folder) or _within(folder, path) for folder in folders)


def mount_source_problem(source: str, writable: bool, state_dir: str) -> str:
    """Why a folder or file of the host may not be in a server; empty where it may, and for volumes.

    state_dir: the instance's folder, empty where it is not known.
    """
    if not source.startswith("/"):
        return ""
    path = posixpath.normpath(source)
    # Where names are put in, who gives the name chooses among all that is in the folder.
    shown = posixpath.dirname(path.split("{", 1)[0] + "x") if "{" in path else path
    if shown == "/" or _overlap(shown, _SYSTEM):
        return "it is the system's own, or holds it"
    if path.endswith(".sock"):
        return "it is a socket"
    if shown == "/root" or "/.ssh" in path:
        return "it holds keys of the host's people"
    if _overlap(shown, _SECRET):
        return "it holds the host's secrets"
    if writable and any(_within(shown, part) for part in _READ_ONLY):
        return "nobody may write there"
    if state_dir and _overlap(shown, tuple(f"{state_dir}/{part}" for part in _PRIVATE)):
        return "it holds the instance's own files"
    return ""
