# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t
from pathlib import PurePosixPath

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain


class Text(str):
    """A string of another type, as templates make them."""


class Mapping(dict):  # type: ignore[type-arg]
    """A dictionary of another type."""


CASES: list[tuple[t.Any, t.Any]] = [
    (None, None),
    (True, True),
    (3, 3),
    (1.5, 1.5),
    (Text("a"), "a"),
    (b"a", b"a"),
    (Mapping({Text("k"): (Text("v"), 1)}), {"k": ["v", 1]}),
    ({"b", "a"}, ["a", "b"]),
    (PurePosixPath("/x"), "/x"),
]


@pytest.mark.parametrize(("value", "expected"), CASES)
def test_to_plain(value: t.Any, expected: t.Any) -> None:
    found = to_plain(value)
    assert found == expected
    assert type(found) is type(expected)


def test_no_subclass_is_left() -> None:
    found = to_plain(Mapping({Text("k"): [Text("v")]}))
    assert [type(item) for item in (found, next(iter(found)), found["k"][0])] == [dict, str, str]
