# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lists of approved users and tables of people, as spreadsheets and servers write them."""

from __future__ import annotations

import typing as t
import unicodedata

import pytest
from cases import cases, content
from galilean_hub.shared.approval import ApprovalError, parse_answer, parse_list
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import (
    user_list,
    user_list_problems,
)

Case = dict[str, t.Any]


@pytest.mark.parametrize("case", cases("approvals"))
def test_approvals(case: Case) -> None:
    if "refused" in case:
        with pytest.raises(ApprovalError) as refused:
            parse_list(content(case))
        assert case["refused"] in str(refused.value)
        assert "\n" not in str(refused.value)
        return
    found = {
        name: {
            "expires": approval.expires.date().isoformat() if approval.expires else None,
            "groups": list(approval.groups),
        }
        for name, approval in parse_list(content(case)).items()
    }
    assert found == case["result"]


@pytest.mark.parametrize("start", ["[", '{"approved": [', '{"approved": {"a":'])
def test_json_that_is_nested_without_end_is_refused(start: str) -> None:
    """In one sentence: Python gives up at its own depth, with an error of another kind."""
    with pytest.raises(ApprovalError) as refused:
        parse_list(start.encode() + b"[" * 100_000 + b"]" * 100_000)
    assert "nested deeper" in str(refused.value)
    with pytest.raises(ApprovalError, match="is not JSON"):
        parse_answer(200, b"[" * 100_000, "ada")


def listed(table: bytes) -> dict[str, t.Any]:
    return {"users": [], "file": "people.csv", "content": table}


@pytest.mark.parametrize("case", cases("people"))
def test_people(case: Case) -> None:
    value = listed(content(case))
    problems = user_list_problems(value)
    if "refused" in case:
        assert len(problems) == 1
        assert case["refused"] in problems[0]
        return
    assert problems == []
    found = {user.pop("name"): user for user in user_list(value)["users"]}
    assert found == case["result"]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_nothing_ends_in_a_traceback(table: bytes) -> None:
    """Whatever is sent: a list, or one sentence."""
    said = user_list_problems(listed(table))
    try:
        names = list(parse_list(table))
    except ApprovalError as exc:
        names = []
        said.append(str(exc))
    assert not [sentence for sentence in said if "\n" in sentence]
    assert not [name for name in names if name != name.strip().lower() or not name.isprintable()]


SIGNS = st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="#<\ufffd")
CELL = st.text(SIGNS, max_size=20)


@given(
    st.lists(st.tuples(CELL, st.lists(CELL, max_size=3)), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
)
def test_what_a_spreadsheet_writes_is_read(
    rows: list[tuple[str, list[str]]], delimiter: str, encoding: str, end: str, quoted: bool
) -> None:
    """Any delimiter, encoding and end of lines give the same people."""
    people: dict[str, list[str]] = {}
    for number, (name, groups) in enumerate(rows):
        text = "".join(sign for sign in name if sign.isprintable() and sign not in '/"').strip()
        people[unicodedata.normalize("NFC", f"u{number}{text}").lower()] = [
            f"g{place}{''.join(filter(str.isalnum, group))}" for place, group in enumerate(groups)
        ]

    def cell(value: str) -> str:
        if quoted or any(sign in value for sign in f'{delimiter}"'):
            return '"' + value.replace('"', '""') + '"'
        return value

    between = "," if delimiter == ";" else ";"
    lines = [delimiter.join(map(cell, ("Name", "Groups")))]
    lines += [delimiter.join(map(cell, (name, between.join(groups)))) for name, groups in people.items()]
    value = listed((end.join(lines) + end).encode(encoding))
    assert user_list_problems(value) == []
    found = user_list(value)["users"]
    assert {user["name"]: user["groups"] or [] for user in found} == people
