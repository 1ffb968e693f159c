# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every setting that a file of ours names exists, also in a comment; the examples of pages are valid."""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.galilean.hub.plugins.module_utils.settings import names, spec

from . import tree

SPECS = {key: spec for role in tree.ROLES for key, spec in tree.options(role).items()}
PREFIX = f"(?:{'|'.join(tree.ROLES)})"
# "key:" at the beginning of a line, or behind a comment sign; not "__key:" and not "a_key:".
KEY = re.compile(rf"^\s*(?:#\s*)?({PREFIX}_[a-z0-9_]+):(?:\s|$)", re.MULTILINE)
LEFT = {"docker_cli", "docker_engine_ready", "docker_socket_gid", "images_refs", "images_software"}


def settings_files() -> list[Path]:
    folders = ("group_vars", "inventories", "molecule", "docs", "playbooks", "tests/e2e", "tests/bench")
    found = [file for folder in folders for file in tree.files(".yml", ".yaml", ".md", under=folder)]
    return [*found, tree.REPO / "README.md"]


@pytest.mark.parametrize("file", settings_files(), ids=tree.name)
def test_settings_exist(file: Path) -> None:
    if not file.exists():
        pytest.fail(f"{tree.name(file)} is missing")
    unknown = {key for key in KEY.findall(file.read_text()) if key not in SPECS and key not in LEFT}
    assert sorted(unknown) == []


def examples() -> list[t.Any]:
    """The YAML of each page, block by block."""
    pages = [*tree.files(".md", under="docs"), *tree.files(".md", under="roles"), tree.REPO / "README.md"]
    found = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for block in re.finditer(r"^ *```yaml\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, block.start()) + 1
            found.append(pytest.param(textwrap.dedent(block[1]), id=f"{tree.name(page)}:{line}"))
    return found


@pytest.mark.parametrize("example", examples())
def test_examples_of_pages_are_valid(example: str) -> None:
    settings = yaml.load(example, Loader=tree.Loader)
    if isinstance(settings, dict):
        known = {key: value for key, value in settings.items() if key in SPECS}
        assert [one for key, value in known.items() for one in spec.check_value(key, value, SPECS[key])] == []


def keys(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from keys(inner)


def test_no_secret_stands_in_a_settings_file() -> None:
    secret = {key for key, spec in SPECS.items() if spec.get("no_log")}
    for folder in ("group_vars", "inventories"):
        for file in tree.files(".yml", under=folder):
            if file.name != "secrets.yml":
                assert secret.isdisjoint(keys(tree.load(tree.name(file)))), tree.name(file)


def test_example_of_secrets_names_all_of_them() -> None:
    secret = {key for key, spec in SPECS.items() if spec.get("no_log")}
    for inventory in ("local", "template"):
        path = f"inventories/{inventory}/group_vars/all/secrets.example.yml"
        # Ansible reads every file of the folder: an example that sets anything would be in force.
        assert tree.load(path) is None
        assert set(KEY.findall((tree.REPO / path).read_text())) == secret


def test_playbooks_take_no_other_variables() -> None:
    """Those that begin like theirs are the ones of the list."""
    known = set(names.ALL_PLAYBOOK_VARIABLES)
    begin = "|".join(names.PLAYBOOK_VARIABLES)
    files = [file for folder in ("playbooks", "roles") for file in tree.files(".yml", under=folder)]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    found = set(re.findall(rf"(?<!\w)(?:{begin})_[a-z_]+\b", text))
    # Playbooks and files of tasks have such names, too.
    assert found - {file.stem for file in files} == known
