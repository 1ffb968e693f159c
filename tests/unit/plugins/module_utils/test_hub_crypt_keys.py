# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A rotation of keys, also one that was not finished."""

from __future__ import annotations

import re

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.crypt_keys import read, rotated

OLD, OLDER, NEW = "11" * 32, "22" * 32, "33" * 32


@pytest.mark.parametrize(
    ("keys", "state", "wanted"),
    [
        ([OLD], "begun", [NEW, OLD]),
        ([OLD, OLDER], "begun", [OLD, OLDER]),
        ([OLD, OLDER], "finished", [OLD]),
        ([OLD], "finished", [OLD]),
    ],
)
def test_rotated(keys: list[str], state: str, wanted: list[str]) -> None:
    assert rotated(keys, state, lambda: NEW) == wanted


def test_keys_are_one_a_line() -> None:
    assert read(f"{OLD}\n{OLDER}\n", "/k") == [OLD, OLDER]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("\n", "path is /k, which is no file of keys: it is empty"),
        (f"{OLD}\nsecret\n", "path is /k, which is no file of keys: its line 2 is not 64 hexadecimal digits"),
    ],
)
def test_a_file_of_something_else(text: str, sentence: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(sentence)}") as error:
        read(text, "/k")
    assert "secret" not in str(error.value)
