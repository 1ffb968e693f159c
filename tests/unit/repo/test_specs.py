# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What argument specs say is what defaults do, and it is said in full."""

from __future__ import annotations

import typing as t

import pytest

from . import tree


@pytest.mark.parametrize("role", tree.ROLES)
def test_defaults_and_specs_are_the_same(role: str) -> None:
    defaults = tree.load(f"roles/{role}/defaults/main.yml") or {}
    # A setting that must be given, or that is empty by default, may have no default in the spec.
    specs = {key: spec.get("default") for key, spec in tree.options(role).items() if not spec.get("required")}
    assert list(defaults) == list(specs)
    # For antsibull-docs, a template is a text: a number that follows from other settings is told in words.
    for key, spec in tree.options(role).items():
        if spec["type"] in ("int", "bool") and isinstance(defaults.get(key), str):
            assert "By default " in " ".join(spec["description"]), key
            specs[key] = specs[key] or defaults[key]
    assert defaults == specs


@pytest.mark.parametrize("role", tree.ROLES)
def test_settings_carry_the_name_of_their_role(role: str) -> None:
    assert [key for key in tree.options(role) if not key.startswith(f"{role}_")] == []


@pytest.mark.parametrize("role", tree.ROLES)
def test_internal_variables_carry_two_underscores(role: str) -> None:
    internal = tree.load(f"roles/{role}/vars/main.yml") or {}
    # Templates print ansible_managed in their first line; as a variable it works everywhere.
    assert [key for key in internal if not key.startswith(f"__{role}_") and key != "ansible_managed"] == []


def complaints(options: dict[str, t.Any], where: str) -> t.Iterator[str]:
    for key, spec in options.items():
        here = f"{where}{key}"
        if "type" not in spec:
            yield f"{here} has no type"
        if not spec.get("description"):
            yield f"{here} has no description"
        if spec.get("type") == "list" and "elements" not in spec:
            yield f"{here} has no elements"
        if spec.get("elements") == "dict" and not spec.get("options"):
            yield f"{here} does not say which keys it takes"
        if "default" in spec and spec.get("required"):
            yield f"{here} must be given, so its default is never used"
        yield from complaints(spec.get("options") or {}, f"{here}.")


@pytest.mark.parametrize("role", tree.ROLES)
def test_specs_are_complete(role: str) -> None:
    for entry, spec in tree.load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"].items():
        assert spec.get("short_description"), entry
        assert spec.get("description"), entry
        assert list(complaints(spec.get("options") or {}, "")) == []
