# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whether users would lose their homes when their names are made otherwise."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.authorization import renames

PLAIN, STRIPPED = {"names": "google", "strip_domain": False}, {"names": "google", "strip_domain": True}


@pytest.mark.parametrize(
    ("before", "after", "users", "rename_map", "lost"),
    [
        (PLAIN, PLAIN, ["ada@x.org"], {}, []),
        # A hub of before this was written down, or none.
        (None, PLAIN, ["ada"], {}, []),
        (PLAIN, STRIPPED, [], {}, []),
        (PLAIN, STRIPPED, ["ada@x.org"], {}, ["ada@x.org has a home", "strip_domain False -> True"]),
        (PLAIN, STRIPPED, ["a@x.org", "b@x.org"], {"a@x.org": "a"}, ["b@x.org has a home"]),
        (PLAIN, STRIPPED, ["a@x.org", "b@x.org"], {"a@x.org": "a", "b@x.org": ""}, []),
        # Renamed in an earlier run that was interrupted.
        (PLAIN, STRIPPED, ["a", "b@x.org"], {"a@x.org": "a", "b@x.org": "b"}, []),
        (PLAIN, STRIPPED, [f"u{n:02}@x" for n in range(30)], {}, ["and 20 more have homes"]),
        (PLAIN, STRIPPED, ["a", "a@x"], {"a@x": "a", "a": "b"}, ["gives the name 'a' to a user"]),
        (PLAIN, {"names": "oidc"}, ["a"], {}, ["names 'google' -> 'oidc'", "strip_domain False -> None"]),
    ],
)
def test_who_would_lose_a_home(
    before: t.Any, after: t.Any, users: list[str], rename_map: dict[str, str], lost: list[str]
) -> None:
    sentence = renames.change_problem(before, after, users, rename_map)
    assert bool(sentence) is bool(lost)
    for part in lost:
        assert part in sentence


def test_what_the_hub_rename_check() -> None:
    given = {"Ada": "ada", "b@X": "B", "c": "", "d": None}
    assert renames.renames(given) == {"b@x": "b"}


@pytest.mark.parametrize(
    ("rename_map", "sentence"),
    [
        ({"a": "b"}, ""),
        ({"a": "", "b": None}, ""),
        ({"a": "c", "b": "C"}, "gives the name 'c' to two users"),
        ({"a": 7}, ""),
        ({"a": True}, "has True for 'a'"),
        ({"a": "b/c"}, "the name 'b/c': a name has no slash"),
        ({"ada ": "bob"}, "the name 'ada ': it is empty, or starts or ends with a space"),
        ({"": "bob"}, "the name '': it is empty, or starts or ends with a space"),
        ({"Ada": "bob", "ada": "carl"}, "has 'ada' twice, in different spellings"),
        ({"José": "bob", "Jose\u0301": "carl"}, "has 'josé' twice, in different spellings"),
        ({"A": "b", "C": "a"}, "'a' as old and as new name"),
        ({"a": "b", "b": "c"}, "'b' as old and as new name"),
    ],
)
def test_maps(rename_map: dict[str, t.Any], sentence: str) -> None:
    found = renames.map_problems(rename_map)
    assert sentence in "; ".join(found)
    assert bool(found) is bool(sentence)
