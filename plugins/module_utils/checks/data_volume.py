# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role data_volume cannot say: one sentence for each problem."""

from __future__ import annotations

import os
import re

from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings


def waits(settings: Settings) -> bool:
    """Whether the volume is not mounted yet: what stands below it cannot be looked at before."""
    wanted = settings["data_volume_device"] or settings["data_volume_serial"]
    mounted = [one["mount"] for one in settings.facts.get("mounts") or []]
    return bool(wanted) and settings["data_volume_path"] not in mounted


def disk(settings: Settings) -> list[str]:
    device, serial = settings["data_volume_device"], settings["data_volume_serial"]
    found = []
    if device and serial:
        found.append(
            f"data_volume_device is '{device}' and data_volume_serial is '{serial}': one of them names the disk, so leave the "
            "other empty"
        )
    if not re.fullmatch(r"|/dev/.+", device):
        found.append(
            f"data_volume_device is '{device}': give a path that begins with /dev/, such as /dev/disk/by-id/..."
        )
    if 0 < len(serial) < 8:
        found.append(
            f"data_volume_serial is '{serial}': give at least 8 letters of it, so that no other disk is meant"
        )
    return found


def place(settings: Settings) -> list[str]:
    path = settings["data_volume_path"]
    found = []
    if not re.fullmatch(r"(/[^\s/\\\"'#]+)+", path) or os.path.normpath(path) != path:
        found.append(
            f"data_volume_path is '{path}': give the absolute path of a folder, without blanks, such as /srv"
        )
    found += [
        f"data_volume_mount_options has '{option}': give one mount option for each item, such as noatime"
        for option in settings["data_volume_mount_options"]
        if not re.fullmatch(r"[^\s,#\"'\\]+", option)
    ]
    return found


CHECKS = (disk, place)
