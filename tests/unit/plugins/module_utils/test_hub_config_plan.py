# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_plan import (
    drift,
    lint_argv,
    lint_verdict,
    parse,
    serialise,
)


def test_the_same_data_gives_the_same_bytes() -> None:
    assert serialise({"b": 1, "a": {"d": 2, "c": 3}}) == serialise({"a": {"c": 3, "d": 2}, "b": 1})
    assert parse(serialise({"a": "ü"})) == {"a": "ü"}


@pytest.mark.parametrize("text", [None, "", "{", "[]", "nonsense"])
def test_a_broken_file_counts_as_empty(text: str) -> None:
    assert parse(text) == {}


@pytest.mark.parametrize(
    ("current", "desired", "names"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, [("a.c", 2, None)]),
        ({}, {"x": {"y": []}}, [("x.y", None, [])]),
        ({"a": None}, {}, [("a", None, None)]),
    ],
)
def test_drift_names_what_differs(current: dict, desired: dict, names: list) -> None:
    assert drift(current, desired) == [
        {"name": name, "current": was, "desired": shall} for name, was, shall in names
    ]


def test_the_check_has_no_network_and_no_rights() -> None:
    argv = lint_argv(["/usr/bin/docker"], "galilean/hub:1")
    assert argv[:2] == ["/usr/bin/docker", "run"]
    assert {"--network=none", "--read-only", "--cap-drop=ALL", "--rm"} <= set(argv)
    assert argv[argv.index("galilean/hub:1") + 1 :] == ["python3", "-m", "galilean_hub.lint"]


def test_the_verdict_is_the_images() -> None:
    assert lint_verdict(0, "[]", "", "i") == []
    assert lint_verdict(0, '["a: b"]', "noise", "i") == ["a: b"]


@pytest.mark.parametrize(
    ("code", "out", "err"), [(1, "[]", "boom"), (0, "{}", "boom"), (0, "x", "boom"), (124, "", "boom")]
)
def test_a_check_that_fails_is_no_pass(code: int, out: str, err: str) -> None:
    with pytest.raises(HubError, match=rf"could not be checked in the image i \(exit code {code}\): boom"):
        lint_verdict(code, out, err, "i")
