# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sizes, as settings have them."""

from __future__ import annotations

import typing as t

import pytest
from cases import cases
from galilean_hub.shared.sizes import UNITS, parse_size
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("case", cases("sizes"))
def test_sizes(case: dict[str, t.Any]) -> None:
    for value, size in case.get("result", {}).items():
        assert parse_size(value) == size
    for value in case.get("refused", []):
        with pytest.raises(ValueError, match="is no size"):
            parse_size(value)


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", "B", "iB", "b", "i"]))
def test_any_way_to_write_a_unit(number: int, unit: str, ending: str) -> None:
    size = number * UNITS[unit]
    assert parse_size(f"{number}{unit}{ending if unit else ''}") == size
    assert parse_size(f" {number} {unit.lower()}") == size
    assert parse_size(size) == size
