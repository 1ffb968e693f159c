# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The filters of delivery and disk: their types and what they hand on."""

from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.delivery_problems import delivery_problems_filter
from ansible_collections.galilean.hub.plugins.filter.usage_table import usage_table_filter


def test_delivery_problems() -> None:
    found = delivery_problems_filter({"delivery": "registry", "registry": "https://x.org"})
    assert len(found) == 1
    assert found[0].startswith("images_registry is 'https://x.org': give a host")
    assert delivery_problems_filter({"delivery": "registry", "registry": "x.org/hub"}, parents=["base"]) == []


def test_usage_table() -> None:
    assert usage_table_filter({"removed": [], "bytes": 0}, host="h") == ["h: nothing to remove"]


@pytest.mark.parametrize("value", [None, [], "x", {}, {"other": 1}])
def test_bad_input(value: t.Any) -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"galilean\.hub\.usage_table input must be the result of engine_usage"
    ):
        usage_table_filter(value)
    if not isinstance(value, dict):
        with pytest.raises(
            AnsibleFilterError, match=r"galilean\.hub\.delivery_problems input must be a mapping, not"
        ):
            delivery_problems_filter(value)
