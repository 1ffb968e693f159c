# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The filter of disk usage: its type and what it hands on."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.usage_table import usage_table_filter


def test_usage_table() -> None:
    assert usage_table_filter({"removed": [], "bytes": 0}, host="h") == ["h: nothing to remove"]


@pytest.mark.parametrize("value", [None, [], "x", {}, {"other": 1}])
def test_bad_input(value: t.Any) -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"galilean\.hub\.usage_table input must be the result of engine_usage"
    ):
        usage_table_filter(value)
