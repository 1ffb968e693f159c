# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.host.secrets_plan import (
    Decision,
    decide,
    fingerprint,
    fingerprints,
)


def generate(size: int) -> str:
    return "r" * size * 2


CASES = [
    # given, bytes, there -> source, written
    ("", 4, None, Decision("x", "generated", "rrrrrrrr")),
    ("", 4, "old\n", Decision("x", "present", None)),
    ("", 0, None, Decision("x", "absent", None)),
    ("new", 4, None, Decision("x", "given", "new")),
    ("new", 4, "old\n", Decision("x", "given", "new")),
    ("old", 4, "old\n", Decision("x", "given", None)),
    ("", 4, " \n", Decision("x", "generated", "rrrrrrrr")),
]


@pytest.mark.parametrize(("value", "size", "there", "decision"), CASES)
def test_given_wins_over_present_wins_over_generated(
    value: str, size: int, there: str | None, decision: Decision
) -> None:
    present = {} if there is None else {"x": there}
    assert decide([{"name": "x", "value": value, "bytes": size}], present, generate) == [decision]


@pytest.mark.parametrize("name", ["", "../x", "X", "a/b", ".x"])
def test_a_name_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(HubError, match="use lower-case letters, digits and dashes"):
        decide([{"name": name}], {}, generate)


def test_the_fingerprint_follows_every_secret_and_its_name() -> None:
    base = {"a": "1" * 64, "b": "2"}
    assert fingerprint(base) == fingerprint({"b": "2\n", "a": "1" * 64})
    assert (
        len({fingerprint(base), fingerprint({**base, "b": "3"}), fingerprint({"a": "1" * 64, "c": "2"})}) == 3
    )
    assert fingerprint({}) == fingerprint({})


def test_a_fingerprint_follows_the_secrets_that_its_user_needs() -> None:
    wanted = [
        {"name": "both", "used_by": ["hub", "proxy"]},
        {"name": "hub", "used_by": ["hub"]},
        {"name": "none", "used_by": []},
    ]
    contents = {"both": "1" * 64, "hub": "2" * 64, "none": "3" * 64}
    before = fingerprints(wanted, contents)
    assert sorted(before) == ["hub", "proxy"]
    assert fingerprints(wanted, {**contents, "none": "9" * 99}) == before
    after = fingerprints(wanted, {**contents, "hub": "4" * 64})
    assert after["proxy"] == before["proxy"]
    assert after["hub"] != before["hub"]
    assert fingerprints(wanted, {}) == {"hub": "", "proxy": ""}
