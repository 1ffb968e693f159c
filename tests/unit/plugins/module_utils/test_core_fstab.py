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


def test_a_line_comes_back_as_it_was() -> None:
    entry = fstab.entry_of(OURS)
    assert entry
    assert fstab.line_of(entry, check=2) == OURS


def test_a_line_is_replaced_where_it_stands() -> None:
    other = OURS.replace("1111", "2222")
    assert fstab.replaced(TABLE, lambda one: one.ours, other) == TABLE.replace("1111", "2222")
    assert fstab.replaced(TABLE, lambda one: one.ours, OURS) == TABLE


def test_a_new_line_comes_last() -> None:
    bare = TABLE.replace(f"{OURS}\n", "")
    assert fstab.replaced(bare, lambda one: one.ours, OURS) == f"{bare}{OURS}\n"
    # Also where the last line was not ended, or there was no table.
    assert fstab.replaced(bare.rstrip("\n"), lambda one: one.ours, OURS) == f"{bare}{OURS}\n"
    assert fstab.replaced("", lambda one: one.ours, OURS) == f"{OURS}\n"


def test_two_lines_become_one() -> None:
    assert fstab.replaced(TABLE + OURS + "\n", lambda one: one.ours, OURS) == TABLE


def test_a_line_goes_and_nothing_else() -> None:
    assert fstab.replaced(TABLE, lambda one: one.ours) == TABLE.replace(f"{OURS}\n", "")
