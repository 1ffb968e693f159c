# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Rules that hold for every file of the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from . import tree

ROLE_FILES = """
    README.md defaults/main.yml meta/argument_specs.yml meta/main.yml tasks/configure.yml tasks/install.yml
    tasks/main.yml tasks/preflight.yml vars/main.yml
"""
WITHOUT_HEADER = {".md", ".json", ".ipynb", ".png", ".svg", ".ico", ".woff2"}
# Written by a tool that would drop it again, or read by a program that takes no comments.
GENERATED = {"LICENSE", "changelogs/changelog.yaml"}

# What a play may read of Ansible itself. Everything else called ansible_... is a fact, and those are read as
# ansible_facts['...'] only: the variables go away with ansible-core 2.24.
MAGIC = (
    "async_dir|become|become_method|become_user|become_password|check_mode|collection_name|config_file|connection|diff_mode|facts|failed_result|failed_task|"
    "forks|host|index_var|inventory_sources|limit|local|loop|loop_var|managed|parent_role_names|play_batch|play_hosts|"
    "play_hosts_all|play_name|play_role_names|playbook_python|port|python_interpreter|remote_tmp|role_name|role_names|"
    "run_tags|search_path|skip_tags|ssh_[a-z_]+|user|verbosity|version|collections|docker_extra_args|docker_host"
)
FACT = re.compile(rf"(?<![\w.'\"/-])ansible_(?!(?:{MAGIC})\b)[a-z0-9_]+\b")

# Host names of package and image registries, taken apart so that this file does not name them.
REGISTRIES = (
    "pypi~org pythonhosted~org npmjs~org npmjs~com quay~io ghcr~io gcr~io docker~com docker~io/ "
    "deb~debian~org security~debian~org"
).replace("~", ".")


def everything() -> list[Path]:
    return [file for file in tree.files() if file.suffix not in {".png", ".ico", ".woff2", ".gz"}]


@pytest.mark.parametrize("role", tree.ROLES)
def test_roles_have_the_same_files(role: str) -> None:
    have = {str(file.relative_to(tree.REPO / "roles" / role)) for file in tree.files(under=f"roles/{role}")}
    assert sorted(set(ROLE_FILES.split()) - have) == []


def test_every_file_says_whose_it_is() -> None:
    silent = []
    for file in everything():
        content = tree.text(file)
        if file.suffix in WITHOUT_HEADER or tree.name(file) in GENERATED or not content:
            continue
        head = "\n".join(content.splitlines()[:6])
        if "SPDX-FileCopyrightText: " not in head or "SPDX-License-Identifier: BSD-3-Clause" not in head:
            silent.append(tree.name(file))
    assert silent == []


def test_facts_are_read_as_ansible_facts() -> None:
    found = []
    for folder in ("roles", "playbooks", "molecule", "group_vars", "inventories"):
        for file in tree.files(".yml", ".j2", under=folder):
            for number, line in enumerate((tree.text(file) or "").splitlines(), 1):
                found += [f"{tree.name(file)}:{number}: {word}" for word in FACT.findall(line.split(" #")[0])]
    assert found == []


def test_nothing_runs_privileged() -> None:
    # Comments may say why not.
    wish = re.compile(
        r"^[^#\n]*(?:privileged['\"]?\s*[:=]\s*['\"]?(?:true|yes|True)|--" + "privileged)", re.MULTILINE
    )
    # This one, and those that ask for it to be denied.
    asking = {
        tree.name(Path(__file__).resolve()),
        "tests/attacks/test_broker.py",
        "tests/unit/files/test_broker_policy.py",
    }
    assert [
        name
        for name, file in ((tree.name(file), file) for file in everything())
        if name not in asking and wish.search(tree.text(file) or "")
    ] == []


def test_no_registry_is_named() -> None:
    found = [
        f"{tree.name(file)}: {host}"
        for file in everything()
        for host in REGISTRIES.split()
        if re.search(rf"(?<![\w-]){re.escape(host)}", tree.text(file) or "")
    ]
    assert found == []


def test_yaml_files_are_called_yml() -> None:
    allowed = {"changelogs/config.yaml", "changelogs/changelog.yaml"}
    assert sorted({tree.name(file) for file in tree.files(".yaml")} - allowed) == []


def test_notebooks_are_stored_without_outputs() -> None:
    found = [
        file for file in tree.files(".ipynb") if re.search(r'"(?:output_type|text/plain)"', file.read_text())
    ]
    assert [tree.name(file) for file in found] == []


def test_nothing_is_exempt_from_lint() -> None:
    skip = re.compile(
        r"#\s*" + r"(?:noqa|type:\s*ignore(?!\[)|yamllint disable)|^skip_list:|^warn_list:", re.MULTILINE
    )
    found = [
        tree.name(file)
        for file in tree.files(".py", ".yml", ".toml", "")
        if skip.search(tree.text(file) or "")
    ]
    assert found == []


def test_packages_are_installed_by_what_waits_for_others() -> None:
    """Whoever upgrades a server on its first boot holds the locks that ansible.builtin.apt gives up at."""
    direct = re.compile(r"^ *(?:ansible\.builtin\.)?(?:apt|package|dpkg)(?:_\w+)?:", re.MULTILINE)
    tasks = [file for part in ("roles", "playbooks") for file in (tree.REPO / part).rglob("*.yml")]
    assert [str(file) for file in tasks if "/tasks/" in str(file) and direct.search(file.read_text())] == []
