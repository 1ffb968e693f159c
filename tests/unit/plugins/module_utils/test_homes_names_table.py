# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The table of old and new names: nobody's home goes to somebody else because of a line."""

from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.homes.names_table import names_of


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("old,new\nanna,ada\n", {"anna": "ada"}),
        ("new;old\nada;anna\n;berta\n", {"anna": "ada", "berta": ""}),
    ],
)
def test_a_table(table: str, names: dict[str, str]) -> None:
    assert names_of(table.encode()) == names


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("old,new\nanna,ada\n,ada\n", "has no old name in line 3: write it, or remove the line"),
        ("old,new\nanna,ada\n\nanna,eve\n", "has 'anna' in line 4 and in line 2: keep one of them"),
        ("old,neu\nanna,ada\n", "has the column 'neu'"),
        ("", "is empty"),
    ],
)
def test_a_table_that_cannot_be_meant(table: str, said: str) -> None:
    with pytest.raises(HubError) as refused:
        names_of(table.encode())
    assert refused.value.message.startswith("The table of names (migrate_names_file) ")
    assert said in refused.value.message
