# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How an engine's answers are read; a real engine's are in tests/modules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine import api
from ansible_collections.galilean.hub.plugins.module_utils.usage import observe


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.25Z", 10.25),
        ("1970-01-01T01:00:10.123456789+01:00", 10.123456789),
        ("0001-01-01T00:00:00Z", 0.0),
        ("", 0.0),
        (None, 0.0),
        ("yesterday", 0.0),
    ],
)
def test_seconds_of(moment: str | None, expected: float) -> None:
    assert observe.seconds_of(moment) == pytest.approx(expected)


def test_words_of() -> None:
    value = {"a": ["b", {"c": "d"}], "e": 1, "f": None, "g": True}
    assert set(observe.words_of(value)) == {"a", "b", "c", "d", "e", "f", "g"}


def hub(source: Path) -> dict[str, object]:
    return {
        "Labels": {"galilean.hub.role": "hub", "galilean.hub.instance": "prototype"},
        "Mounts": [
            {"Destination": "/srv", "Source": "/x"},
            {"Destination": "/etc/jupyterhub", "Source": str(source)},
        ],
    }


def test_named_by_hubs(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(
        json.dumps({"image": "g/notebook:1", "volumes": {"g-software-1": {}}})
    )
    found = observe.named_by_hubs(
        [{"Labels": None}, {"Labels": {"galilean.hub.role": "user"}}, hub(tmp_path)]
    )
    assert {"g/notebook:1", "g-software-1"} <= found
    with pytest.raises(
        HubError,
        match=re.escape(f"the instance prototype needs cannot be read in {tmp_path}/nowhere/config.json"),
    ):
        observe.named_by_hubs([hub(tmp_path / "nowhere")])


@pytest.mark.parametrize(
    ("newest", "expected"),
    [("1.41", "1.41"), ("1.44", "1.44"), ("1.52", "1.44"), ("1.9", "1.9"), ("2.0", "1.44")],
)
def test_pick_version(newest: str, expected: str) -> None:
    assert api.pick_version(newest) == expected


def test_split_messages() -> None:
    assert api.split_messages('{"a": 1}\r\n\r\n{"b": 2}\n') == [{"a": 1}, {"b": 2}]
