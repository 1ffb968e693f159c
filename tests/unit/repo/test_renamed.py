# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings that were renamed: what is refused, and what docs/upgrading.md says."""

from __future__ import annotations

import re

from ansible_collections.galilean.hub.plugins.module_utils.settings.renamed import RENAMED

from . import tree


def test_the_table_has_them_all() -> None:
    rows = re.findall(
        r"^\| \S+ \| setting \| `(\w+)` \| `(\w+)` \|$",
        tree.text(tree.REPO / "docs/upgrading.md") or "",
        re.MULTILINE,
    )
    assert dict(rows) == RENAMED


def test_a_new_name_is_a_setting_and_a_former_one_is_not() -> None:
    settings = {
        name
        for role in tree.ROLES
        for entry in tree.load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
        for name in entry.get("options") or {}
    }
    assert set(RENAMED.values()) <= settings
    assert not set(RENAMED) & settings
