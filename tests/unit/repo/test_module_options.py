# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the pages of modules promise is what their argument specs take."""

from __future__ import annotations

import importlib
import typing as t

import pytest
import yaml

from . import tree

PLUGINS = "ansible_collections.galilean.hub.plugins"
MODULES = sorted(file.stem for file in tree.files(".py", under="plugins/modules") if file.stem != "__init__")
# An action plugin that takes what it is given.
WITHOUT_SPEC = {"check_settings"}
# What a caller can tell; a spec may say more, such as no_log.
DEFAULTS: dict[str, t.Any] = {
    "type": "str",
    "elements": None,
    "required": False,
    "default": None,
    "aliases": [],
}


def spec_of(name: str) -> dict[str, t.Any]:
    """Of the module, or of the action plugin that does the work in its place."""
    for kind, variable in (("modules", "ARGUMENT_SPEC"), ("action", "SPEC")):
        if (tree.REPO / f"plugins/{kind}/{name}.py").exists():
            spec = getattr(importlib.import_module(f"{PLUGINS}.{kind}.{name}"), variable, None)
            if spec is not None:
                return t.cast(dict[str, t.Any], spec)
    return {}


def flat(options: dict[str, t.Any], below: str, where: str = "") -> dict[str, t.Any]:
    """Every option and suboption by its whole name. Those with _ an action plugin tells its module."""
    found: dict[str, t.Any] = {}
    for name, option in options.items():
        if name.startswith("_"):
            continue
        found[where + name] = {key: option.get(key, value) for key, value in DEFAULTS.items()}
        # A page may say what each choice means.
        found[where + name]["choices"] = list(option.get("choices") or [])
        found |= flat(option.get(below) or {}, below, f"{where}{name}.")
    return found


def documented(page: dict[str, t.Any]) -> dict[str, t.Any]:
    """The options of a page with those of our fragments that it is extended by."""
    options: dict[str, t.Any] = {}
    for named in page.get("extends_documentation_fragment") or []:
        if not named.startswith("galilean.hub."):
            continue
        file, _, part = named[len("galilean.hub.") :].partition(".")
        holder = importlib.import_module(f"{PLUGINS}.doc_fragments.{file}").ModuleDocFragment
        options |= yaml.safe_load(getattr(holder, part.upper() or "DOCUMENTATION")).get("options") or {}
    return {**options, **(page.get("options") or {})}


@pytest.mark.parametrize("name", sorted(set(MODULES) - WITHOUT_SPEC))
def test_documented_options_are_those_of_the_argument_spec(name: str) -> None:
    page = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{name}").DOCUMENTATION)
    spec = spec_of(name)
    assert spec, "there is nothing to compare with"
    assert flat(spec, "options") == flat(documented(page), "suboptions")


def test_only_these_have_no_argument_spec() -> None:
    assert {name for name in MODULES if not spec_of(name)} == WITHOUT_SPEC


def test_the_action_group_has_all_modules_that_say_so() -> None:
    runtime = yaml.safe_load((tree.REPO / "meta/runtime.yml").read_text(encoding="utf-8"))
    said = {
        name
        for name in MODULES
        if "galilean.hub.attributes.actiongroup_hub"
        in (tree.REPO / f"plugins/modules/{name}.py").read_text(encoding="utf-8")
    }
    assert runtime["action_groups"]["hub"] == sorted(said | WITHOUT_SPEC)
