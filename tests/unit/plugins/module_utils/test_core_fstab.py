# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core import fstab

OURS = f"UUID=1111 /srv ext4 noatime,nofail,{fstab.MARK} 0 2"
TABLE = f"""# /etc/fstab: static file system information.
UUID=aaaa / ext4 errors=remount-ro 0 1

{OURS}
/swapfile none swap sw 0 0
"""


def test_entries_are_what_mounts_or_swaps() -> None:
    found = fstab.entries(TABLE + "  # indented\nincomplete\n")
    assert [(one.source, one.path, one.fstype, one.ours) for one in found] == [
        ("UUID=aaaa", "/", "ext4", False),
        ("UUID=1111", "/srv", "ext4", True),
        ("/swapfile", "none", "swap", False),
    ]


@pytest.mark.parametrize(
    ("line", "source", "path"),
    [
        ('UUID="1111" /srv ext4', "UUID=1111", "/srv"),
        (r"LABEL=my\040disk /mnt/my\040disk ext4 defaults", "LABEL=my disk", "/mnt/my disk"),
    ],
)
def test_fields_are_read_as_they_are_meant(line: str, source: str, path: str) -> None:
    entry = fstab.entry_of(line)
    assert entry
    assert (entry.source, entry.path) == (source, path)
