# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import datetime
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings import spec as settings_spec

PORT = {"type": "int", "default": 8000}
NAME = {"type": "str", "default": "hub"}
FLAG = {"type": "bool", "default": True}
MODE = {"type": "str", "choices": ["dummy", "oauth"], "default": "dummy"}
SECRET = {"type": "str", "no_log": True}
FREE = {"type": "dict", "default": {}}
PEOPLE = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "name": {"type": "str", "required": True},
        "shell": {"type": "path", "default": "/bin/bash"},
        "groups": {"type": "list", "elements": "str", "default": []},
        "password": {"type": "str", "no_log": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    },
}

RIGHT: list[tuple[dict[str, t.Any], t.Any]] = [
    (PORT, 8000),
    (PORT, "8000"),
    (PORT, "-1"),
    (NAME, "hub"),
    (NAME, ""),
    (NAME, 2026),
    (NAME, datetime.date(2026, 12, 31)),
    (FLAG, False),
    (FLAG, "yes"),
    (FLAG, "off"),
    (FLAG, 1),
    (MODE, "oauth"),
    ({"type": "float"}, 0.5),
    ({"type": "float"}, "0.5"),
    ({"type": "str"}, None),
    ({"type": "raw", "default": 1}, None),
    ({"type": "raw"}, ["any", {"thing": 1}]),
    ({"type": "path", "default": "/srv"}, "/data"),
    (FREE, {"Spawner": {"mem_limit": "2G"}}),
    ({"type": "list", "elements": "int"}, [1, "2"]),
    ({"type": "list", "elements": "str", "choices": ["a", "b"]}, ["a"]),
    (PEOPLE, []),
    (PEOPLE, [{"name": "ada", "groups": ["docker"], "state": "absent"}]),
    ({"type": "dict", "options": {"long": {"type": "int", "aliases": ["short"]}}}, {"short": 1}),
]

WRONG: list[tuple[dict[str, t.Any], t.Any, list[str]]] = [
    (PORT, "eighty", ["x is 'eighty': give a whole number, such as 8000."]),
    (PORT, 80.5, ["x is 80.5: give a whole number, such as 8000."]),
    (PORT, True, ["x is true: give a whole number, such as 8000."]),
    (PORT, None, ["x is empty: give a whole number, such as 8000, or remove the line to get the default."]),
    (PORT, [8000], ["x is a list: give a whole number, such as 8000."]),
    ({"type": "int", "required": True}, None, ["x is empty: give a whole number."]),
    (
        NAME,
        True,
        ["x is true, which YAML makes of yes, no, on and off: give a text, such as 'hub', in quotes."],
    ),
    (NAME, {"a": 1}, ["x is a mapping: give a text, such as 'hub'."]),
    ({"type": "str", "default": "{{ y }}"}, ["a"], ["x is a list: give a text."]),
    (FLAG, "maybe", ["x is 'maybe': give true or false."]),
    (FLAG, 2, ["x is 2: give true or false."]),
    (MODE, "ldap", ["x is 'ldap': use one of dummy, oauth."]),
    (MODE, ["dummy"], ["x is a list: use one of dummy, oauth."]),
    (SECRET, ["hunter2"], ["x has a value that does not fit (not shown, it is a secret): give a text."]),
    (FREE, "a=b", ["x is 'a=b': give a mapping, one 'key: value' on each line."]),
    ({"type": "list", "elements": "str"}, "a,b", ["x is 'a,b': give a list."]),
    ({"type": "list", "elements": "int"}, [1, "b"], ["x[1] is 'b': give a whole number."]),
    (
        {"type": "list", "elements": "str", "no_log": True},
        [{}],
        ["x[0] has a value that does not fit (not shown, it is a secret): give a text."],
    ),
    ({"type": "list", "elements": "str", "choices": ["a", "b"]}, ["a", "c"], ["x is 'c': use one of a, b."]),
    ({"type": "str", "default": "a"}, "b" * 70, []),
    (PEOPLE, [None], ["x[0] is empty: give a mapping, one 'key: value' on each line."]),
    (PEOPLE, ["ada"], ["x[0] is 'ada': give a mapping, one 'key: value' on each line."]),
    (PEOPLE, [{"shell": "/bin/sh"}], ["x[0] has no name: add it (give a text)."]),
    (
        PEOPLE,
        [{"name": "ada", "shel": "/bin/sh"}],
        ["x[0].shel is not a key that is known here: did you mean shell?"],
    ),
    (
        PEOPLE,
        [{"name": "ada", "zzz": 1}],
        ["x[0].zzz is not a key that is known here: use name, shell, groups, password, state."],
    ),
    (
        PEOPLE,
        [
            {"name": "ada"},
            {"name": "bob", "groups": "docker", "state": "gone", "password": {"hash": "hunter2"}},
        ],
        [
            "x[1].groups is 'docker': give a list.",
            "x[1].password has a value that does not fit (not shown, it is a secret): give a text.",
            "x[1].state is 'gone': use one of present, absent.",
        ],
    ),
]


@pytest.mark.parametrize(("spec", "value"), RIGHT)
def test_right_values_pass(spec: dict[str, t.Any], value: t.Any) -> None:
    assert settings_spec.check_value("x", value, spec) == []


@pytest.mark.parametrize(("spec", "value", "expected"), WRONG)
def test_wrong_values_are_named(spec: dict[str, t.Any], value: t.Any, expected: list[str]) -> None:
    assert settings_spec.check_value("x", value, spec) == expected


def test_secrets_are_never_shown() -> None:
    errors = [error for spec, value, _ in WRONG for error in settings_spec.check_value("x", value, spec)]
    assert not [error for error in errors if "hunter2" in error]


def test_long_values_are_cut() -> None:
    assert settings_spec.check_value("x", "y" * 100, PORT)[0].startswith(f"x is '{'y' * 57}...': ")


def test_required() -> None:
    specs = {
        "users_domain": {"type": "str", "required": True},
        "jupyterhub_key": {"type": "str", "required": True, "no_log": True},
        "edge_port": PORT,
    }
    assert settings_spec.check_required(["users_domain", "jupyterhub_key"], specs) == []
    assert settings_spec.check_required([], specs) == [
        "users_domain is not set: give a text (in group_vars/all/settings.yml of your inventory).",
        "jupyterhub_key is not set: give a text (in group_vars/all/secrets.yml of your inventory).",
    ]
