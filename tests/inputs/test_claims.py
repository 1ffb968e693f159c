# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Groups in what providers tell of a user."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from cases import cases
from galilean_hub.shared.claims import ClaimError, claimed_groups
from hypothesis import given
from hypothesis import strategies as st


def token(claims: t.Any) -> str:
    """An ID token without a signature that anybody checks."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "sig"])


@pytest.mark.parametrize("case", cases("claims"))
def test_claims(case: dict[str, t.Any]) -> None:
    sent = token(case["id_token"]) if "id_token" in case else None
    if "refused" in case:
        with pytest.raises(ClaimError) as refused:
            claimed_groups(case["user"], sent, case["claim"])
        assert case["refused"] in str(refused.value)
        return
    assert sorted(claimed_groups(case["user"], sent, case["claim"])) == case["result"]


@pytest.mark.parametrize("end", ["", "]" * 100_000])
def test_json_that_is_nested_without_end(end: str) -> None:
    """Of the claim itself, and in the ID token."""
    nested = "[" * 100_000 + end
    with pytest.raises(ClaimError, match="which is no list"):
        claimed_groups({"groups": nested}, None, "groups")
    body = base64.urlsafe_b64encode(nested.encode()).decode().rstrip("=")
    with pytest.raises(ClaimError, match="not among what the provider tells"):
        claimed_groups({}, f"head.{body}.sig", "groups")


VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(VALUE, st.text(max_size=40) | st.none(), st.text(min_size=1, max_size=12))
def test_nothing_ends_in_a_traceback(user: t.Any, id_token: str | None, claim: str) -> None:
    """Names, or one sentence."""
    for told in (user, {claim: user}):
        try:
            found = claimed_groups(told, id_token, claim)
        except ClaimError as exc:
            found = {str(exc)}
        assert "" not in found
