# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The two commands, and the other targets of the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from . import tree

MAKEFILE = (tree.REPO / "Makefile").read_text()
TARGETS = sorted(set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)))


def make(*arguments: str) -> str:
    # As a person calls it: with nothing of the make that runs these tests, such as its ARGS.
    env = {
        name: value for name, value in os.environ.items() if name != "ARGS" and not name.startswith("MAKE")
    }
    done = subprocess.run(
        ["make", *arguments], cwd=tree.REPO, env=env, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_explained(target: str) -> None:
    assert re.search(rf"^  make {target} +[A-Z]|^  make {target} +[a-z].+", make("help"), re.MULTILINE)


def test_make_without_target_explains() -> None:
    assert make() == make("help")


@pytest.mark.parametrize(
    ("name", "named"), [("a b", "a space"), ("a:b", ":"), ("a'b", "'"), ("$a", "$"), ("a#(b)", "( ) #")]
)
def test_a_checkout_where_ansible_cannot_work_is_refused(tmp_path: Path, name: str, named: str) -> None:
    """A space was found after minutes, when the first build was started."""
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(tree.REPO / "Makefile", folder)
    done = subprocess.run(
        ["make", "site"], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    assert (
        f"The checkout lies in '{folder}', and Ansible cannot work with {named} in that path" in done.stderr
    )
    assert [file.name for file in folder.iterdir()] == ["Makefile"]


def test_an_inventory_may_have_any_name(tmp_path: Path) -> None:
    inventory = tmp_path / "Institut f\u00fcr 'Physik' (neu)"
    shutil.copytree(tree.REPO / "inventories/local", inventory)
    (inventory / "files").mkdir()
    (inventory / "files/my people.csv").write_text("name\nada\n")
    with (inventory / "group_vars/all/settings.yml").open("a") as file:
        file.write('jupyterhub_users_file: "{{ inventory_dir }}/files/my people.csv"\n')
    home = tmp_path / "my home"
    home.mkdir()
    assert "failed=0" in make("validate", f"INVENTORY={inventory}", f"HOME={home}")


@pytest.mark.parametrize("target", ["validate", "logs"])
def test_an_inventory_that_is_not_there_is_refused_with_those_that_are(target: str) -> None:
    """Ansible says only that it has failed to parse it."""
    done = subprocess.run(
        ["make", target, "INVENTORY=inventories/locla"],
        cwd=tree.REPO,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "INVENTORY is 'inventories/locla', which is no file or folder in" in done.stderr
    assert "inventories/local" in done.stderr


@pytest.mark.parametrize("command", ["make site", "make test"])
def test_readme_names_the_commands(command: str) -> None:
    assert command in (tree.REPO / "README.md").read_text()


def test_ci_calls_the_command_of_the_readme() -> None:
    assert re.search(r"\bmake test\b", (tree.REPO / ".ci/run").read_text())
