# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What YAML makes of texts without quotes."""

from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings.yaml_text import misread, token_at

TEXT: dict[str, t.Any] = {"type": "str"}


@pytest.mark.parametrize(
    ("line", "column", "token"),
    [
        ("names: [20231234, 007]", 9, "20231234"),
        ("names: [20231234, 007]", 19, "007"),
        ("  - 12:30  # noon", 5, "12:30"),
        ("{a: 1_000}", 5, "1_000"),
        ("00731: ada", 1, "00731"),
        ('a: "{{ b }}"', 4, ""),
        ("a: 1", 9, ""),
    ],
)
def test_what_stands_there(line: str, column: int, token: str) -> None:
    assert token_at(line, column) == token


@pytest.mark.parametrize(
    ("value", "spec", "text", "refused"),
    [
        (20231234, TEXT, "20231234", False),
        (473, TEXT, "00731", True),
        (750, TEXT, "12:30", True),
        (1000, TEXT, "1_000", True),
        (16, TEXT, "0x10", True),
        (2.1, TEXT, "2.10", True),
        (2.1, TEXT, "2.1", False),
        (datetime.date(2026, 1, 31), TEXT, "2026-01-31", False),
        (1000, {"type": "int"}, "1_000", False),
        (16, {"type": "int"}, "0x10", False),
        (64, {"type": "int"}, "0100", True),
        (0, {"type": "int"}, "0", False),
        ([473], {"type": "list", "elements": "str"}, "00731", True),
        (
            [{"name": 473}],
            {"type": "list", "elements": "dict", "options": {"name": {"type": "str"}}},
            "00731",
            True,
        ),
        ({"a": 473}, {"type": "dict"}, "00731", True),
        ({"a": 16}, {"type": "dict"}, "0x10", False),
        ({473: "ada"}, {"type": "dict"}, "00731", True),
        ("ada", TEXT, "", False),
    ],
)
def test_what_yaml_has_changed(value: t.Any, spec: dict[str, t.Any], text: str, refused: bool) -> None:
    found = misread("x", value, spec, lambda _: (text, "settings.yml, line 3"))
    assert bool(found) is refused
    for sentence in found:
        assert f"is {text} in settings.yml, line 3, which YAML reads as" in sentence
        assert sentence.endswith(f"write '{text}' in quotes.")


@pytest.mark.parametrize(
    ("value", "spec"),
    [
        (42798, {"type": "str", "no_log": True}),
        ({"a": 42798}, {"type": "dict", "no_log": True}),
        ([42798], {"type": "list", "elements": "str", "no_log": True}),
    ],
)
def test_a_secret_that_yaml_has_changed_is_told_and_not_shown(value: t.Any, spec: dict[str, t.Any]) -> None:
    (said,) = misread("x", value, spec, lambda _: ("0123456", "secrets.yml, line 3"))
    assert said.startswith("x")
    assert said.endswith("(not shown, it is a secret): write it in quotes.")
    assert "123456" not in said
    assert "42798" not in said
    assert misread("x", 123456, {"type": "str", "no_log": True}, lambda _: ("123456", "secrets.yml")) == []


@pytest.mark.parametrize("setting", ["jupyterhub_profiles[0].environment", "jupyterhub_rename_map"])
def test_values_that_no_specification_calls_texts(setting: str) -> None:
    def written(value: t.Any) -> tuple[str, str] | None:
        return ("3.10", "settings.yml, line 3") if value == 3.1 else None

    assert misread(setting, {"PYTHON": 3.1}, {"type": "dict"}, written) == [
        f"{setting}.PYTHON is 3.10 in settings.yml, line 3, which YAML reads as 3.1: write '3.10' in quotes."
    ]
    assert misread(setting, {"PYTHON": 3.1}, {"type": "dict"}, lambda _: ("3.1", "")) == []
    assert misread(setting, {False: "ada", "X": True}, {"type": "dict"}, written) == [
        f"{setting} has the key false, which YAML makes of yes, no, on and off: write the key in quotes."
    ]


def test_nobody_knows_how_it_was_written() -> None:
    assert misread("x", 473, TEXT, lambda _: None) == []
