# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""check_settings through a real ansible-playbook, on small roles of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[4]
PLACE = re.compile(r" \(\S+, line \d+\)$")

ROLES: dict[str, dict[str, tuple[t.Any, dict[str, t.Any]]]] = {
    "edge": {
        "edge_port": (8000, {"type": "int", "default": 8000}),
        "edge_bind_address": ("127.0.0.1", {"type": "str", "default": "127.0.0.1"}),
        "edge_server_name": ("", {"type": "str", "default": ""}),
        "edge_server_aliases": ([], {"type": "list", "elements": "str", "default": []}),
        "edge_sni_routing": (False, {"type": "bool", "default": False}),
    },
    "jupyterhub": {
        "jupyterhub_instance": ("hub", {"type": "str", "default": "hub"}),
        "jupyterhub_public_url": (
            "http://{{ edge_bind_address }}:{{ edge_port }}",
            {"type": "str", "default": "http://{{ edge_bind_address }}:{{ edge_port }}"},
        ),
        "jupyterhub_spawns": ("{{ ansible_facts['processor_vcpus'] }}", {"type": "int", "default": "..."}),
        "jupyterhub_names": ([], {"type": "list", "elements": "str", "default": []}),
        "jupyterhub_limit": (4, {"type": "int", "default": 4}),
        "jupyterhub_token": ("", {"type": "str", "no_log": True, "default": ""}),
    },
}

PLAYBOOK = """
- hosts: hubs
  gather_facts: false
  tasks:
    - galilean.hub.check_settings:
    - ansible.builtin.import_role:
        name: galilean.hub.jupyterhub
"""


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("collections")
    collection = root / "ansible_collections/galilean/hub"
    shutil.copytree(REPO / "plugins", collection / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
    for role, options in ROLES.items():
        defaults = {name: default for name, (default, _) in options.items()}
        specs = {"argument_specs": {"main": {"options": {name: spec for name, (_, spec) in options.items()}}}}
        for path, data in {"defaults": defaults, "meta": specs, "tasks": []}.items():
            file = (
                collection / "roles" / role / path / ("argument_specs.yml" if path == "meta" else "main.yml")
            )
            file.parent.mkdir(parents=True)
            file.write_text(yaml.safe_dump(data, sort_keys=False))
    return root


def check(
    collections: Path, folder: Path, hosts: dict[str, dict[str, t.Any]], *extra: str
) -> dict[str, list[str]]:
    """Run the check and return each host's sentences, without places (tests/inputs/settings)."""
    (folder / "play.yml").write_text(PLAYBOOK)
    (folder / "hosts.yml").write_text(yaml.safe_dump({"hubs": {"hosts": hosts}}))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_INJECT_FACT_VARS": "false",
    }
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "play.yml", "-i", "hosts.yml", *extra],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    start = done.stdout.find("{")
    assert start >= 0, done.stdout + done.stderr
    result = json.loads(done.stdout[start:])
    lines = {
        host: answer.get("msg", "").splitlines()[1:]
        for host, answer in result["plays"][0]["tasks"][0]["hosts"].items()
    }
    return {host: [PLACE.sub("", line[2:]) for line in said] for host, said in lines.items()}


def test_nothing_to_say(collections: Path, tmp_path: Path) -> None:
    hosts: dict[str, dict[str, t.Any]] = {
        "plain": {"ansible_host": "192.0.2.1"},
        "full": {
            "ansible_host": "192.0.2.2",
            "edge_port": "{{ 8000 + 1 }}",
            "jupyterhub_public_url": "https://hub.example.org:{{ edge_port }}/{{ jupyterhub_instance }}",
            # These need facts of the host, which nobody has asked: the role checks them later.
            "jupyterhub_limit": "{{ ansible_facts['memtotal_mb'] // 1024 }}",
            "site_name": "{{ jupyterhub_spawns }}",
        },
    }
    assert check(collections, tmp_path, hosts, "-e", "jupyterhub_limit=5") == {"plain": [], "full": []}
    assert check(collections, tmp_path, hosts) == {"plain": [], "full": []}


def test_texts_that_yaml_has_changed(collections: Path, tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/hubs.yml").write_text(
        "jupyterhub_names: [20231234, 00731, 2026-01-31, 12:30,  on]\njupyterhub_limit: 0100\n"
    )
    place = "group_vars/hubs.yml, line"
    assert check(collections, tmp_path, {"one": {"ansible_host": "192.0.2.1"}}) == {
        "one": [
            f"jupyterhub_limit is 0100 in {place} 2, which YAML reads as 64: write '0100' in quotes.",
            "jupyterhub_names[4] is true, which YAML makes of yes, no, on and off: give a text, in quotes.",
            f"jupyterhub_names[1] is 00731 in {place} 1, which YAML reads as 473: write '00731' in quotes.",
            f"jupyterhub_names[3] is 12:30 in {place} 1, which YAML reads as 750: write '12:30' in quotes.",
        ]
    }


def test_all_findings_at_once(collections: Path, tmp_path: Path) -> None:
    hosts: dict[str, dict[str, t.Any]] = {
        "one": {
            "ansible_connection": "local",
            "edge_port": "eighty",
            "jupterhub_instance": "proto",
            "jupyterhub_public_url": "https://{{ nowhere }}",
            "jupyterhub_token": "{{ nothing }}",
            "jupyterhub_limit": None,
        },
        "two": {"ansible_host": "127.0.0.1", "edge_port": "80"},
    }
    same = (
        "one and two are the same machine (this machine) and both have jupyterhub_instance 'hub': "
        "give one of them another name (and edge_port)."
    )
    assert check(collections, tmp_path, hosts) == {
        "one": [
            "jupterhub_instance (it is 'proto') is not a setting: did you mean jupyterhub_instance?",
            "edge_port is 'eighty': give a whole number, such as 8000.",
            "jupyterhub_limit is empty: "
            "give a whole number, such as 4, or remove the line to get the default.",
            "jupyterhub_public_url cannot be evaluated ('nowhere' is undefined): correct its {{ }}.",
            "jupyterhub_token cannot be evaluated (the reason is not shown, it is a secret): "
            "correct its {{ }}.",
            same,
        ],
        "two": [same],
    }


def test_instances_that_share_their_ports(collections: Path, tmp_path: Path) -> None:
    """As they stand in an inventory: with a domain of the site's own, an alias, and a word for true."""
    shared = {"ansible_host": "192.0.2.1", "edge_sni_routing": "yes", "site_domain": "example.org"}
    hosts: dict[str, dict[str, t.Any]] = {
        name: {**shared, "jupyterhub_instance": name, "edge_server_name": name + ".{{ site_domain }}"}
        for name in ("one", "two")
    }
    assert check(collections, tmp_path, hosts) == {"one": [], "two": []}
    hosts["two"]["edge_server_aliases"] = ["{{ 'One' }}.{{ site_domain }}"]
    same = (
        "one and two are the same machine (192.0.2.1) and both have the name one.example.org "
        "(edge_server_name, edge_server_aliases) while edge_sni_routing is true: give one of them another."
    )
    assert check(collections, tmp_path, hosts) == {"one": [same], "two": [same]}


WRITTEN = 'write "{{ inventory_dir }}/files/people.csv".'
