# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.catalog_images import FilterModule


def test_the_only_filter() -> None:
    filters = FilterModule().filters()
    assert list(filters) == ["catalog_images"]
    images = filters["catalog_images"]([{"name": "a"}], extra=[{"name": "b", "parent": "a"}], files_path="/f")
    assert [item["name"] for item in images] == ["base", "a", "b"]


@pytest.mark.parametrize("value", [None, "text", {"name": "a"}, ["a"]])
def test_wrong_type(value: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="catalog_images input must be a list of dictionaries"):
        FilterModule().filters()["catalog_images"](value)


def test_wrong_list() -> None:
    with pytest.raises(AnsibleFilterError, match="images_catalog has 'a' twice"):
        FilterModule().filters()["catalog_images"]([{"name": "a"}, {"name": "a"}])
