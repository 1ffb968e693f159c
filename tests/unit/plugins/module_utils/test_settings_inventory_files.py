# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files that lie where Ansible does not read them, in real folders."""

from __future__ import annotations

import configparser
import re
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.galilean.hub.plugins.module_utils.settings import inventory_files as files

REPO = Path(__file__).resolve().parents[4]
SETTINGS = {"jupyterhub_instance", "edge_port", "edge_bind_address"}
GROUPS = {"all": ["hub.example.org", "other"], "ungrouped": [], "hubs": ["hub.example.org"], "empty": []}
HOSTS = "hubs:\n  hosts:\n    hub.example.org:\n"
PROTO = "jupyterhub_instance: proto\n"


def load(path: str) -> t.Any:
    try:
        return yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def known(checkout: Path) -> files.Known:
    return files.Known(GROUPS, SETTINGS, ["jupyterhub", "edge"], load, checkout)


@pytest.fixture
def inventory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "inv"
    folder.mkdir()
    (folder / "hosts.yml").write_text(HOSTS)
    return folder


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# What has its place beside an inventory, and what is nothing.
IN_PLACE = """
    group_vars/all/settings.yml group_vars/all/secrets.yaml group_vars/all/more/deep.json group_vars/all/plain
    group_vars/all/secrets.example.yml group_vars/all/README.md group_vars/all/settings.yml~
    group_vars/all/.hidden group_vars/all.yml group_vars/hubs group_vars/hubs.json host_vars/hub.example.org
    host_vars/hub.example.org.yml host_vars/hub.example.org/settings.yml host_vars/other/settings.yml
    files/people.csv files/etc/motd web/hub/static/site.css known_hosts README.md .gitignore .git/config
    hosts.yml.bak
"""


@pytest.mark.parametrize("name", IN_PLACE.split())
def test_what_is_in_its_place(inventory: Path, name: str) -> None:
    write(inventory, name, PROTO)
    for source in (inventory, inventory / "hosts.yml"):
        assert files.misplaced([str(source)], known(inventory.parent)) == []


MOVE = "move it to inv/files/{0}, and name it so in the settings"
NO_INVENTORY = "inv/{0} is not an inventory: " + MOVE + "."
FOLDER = "inv/{0} is a folder with no meaning in an inventory: "
FILES = FOLDER + "files belong below inv/files, settings into group_vars."
EVERYBODY = "put settings of all hosts into inv/group_vars/all/settings.yml."
SUFFIX = "inv/{0} is not read, since its name does not end in .yml, .yaml or .json: rename it"
HAS_SETTINGS = (
    "inv/{0} has settings (jupyterhub_instance), and is not read for them there: move it to "
    "inv/group_vars/all/{0}."
)
NOT_THERE = "inv/{0} is for the {1}, which the inventory does not have: "


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *(
            (name, NO_INVENTORY)
            for name in ("people.csv", "approved.txt", "hooks.py", "hub.pem", "seccomp", "a b.csv")
        ),
        ("etc/motd", FILES.format("etc")),
        ("images/viewer/Dockerfile", FILES.format("images")),
        ("templates/a.j2", FILES.format("templates")),
        ("vars/settings.yml", FILES.format("vars")),
        *(
            (f"{name}/all.yml", FOLDER.format(name) + "did you mean group_vars?")
            for name in ("group_var", "groupvars", "group-vars", "Group_Vars")
        ),
        ("hosts_vars/x.yml", FOLDER.format("hosts_vars") + "did you mean host_vars?"),
        ("settings.yml", HAS_SETTINGS),
        ("secrets.json", HAS_SETTINGS),
        ("group_vars/hub.yml", NOT_THERE.format("{0}", "group hub") + "did you mean hubs?"),
        (
            "group_vars/hub/settings.yml",
            NOT_THERE.format("group_vars/hub", "group hub") + "did you mean hubs?",
        ),
        ("group_vars/settings.yml", NOT_THERE.format("{0}", "group settings") + EVERYBODY),
        (
            "group_vars/empty.yml",
            "inv/{0} is for the group empty, which has no host: give it one, or move the file to "
            "inv/group_vars/all/settings.yml.",
        ),
        ("group_vars/all/settings.yml.txt", f"{SUFFIX}, or move it away."),
        ("group_vars/all/settings.YML", f"{SUFFIX}, or move it away."),
        (
            "group_vars/all/conf.d/a.yml",
            "inv/group_vars/all/conf.d is a folder with a dot in its name, which is not read: rename it.",
        ),
        ("group_vars/hubs.yml.txt", f"{SUFFIX} to hubs.yml."),
        ("group_vars/all.ini", f"{SUFFIX} to all.yml."),
        ("host_vars/hub.example.org.txt", f"{SUFFIX} to hub.example.org.yml."),
        (
            "host_vars/hub.example.com.yml",
            NOT_THERE.format("{0}", "host hub.example.com") + "did you mean hub.example.org?",
        ),
        ("host_vars/localhost/x.yml", NOT_THERE.format("host_vars/localhost", "host localhost") + EVERYBODY),
        (
            "group_vars",
            "inv/{0} is not a folder, and not read: move its content into inv/group_vars/all/settings.yml.",
        ),
    ],
)
def test_what_is_not(inventory: Path, name: str, sentence: str) -> None:
    write(inventory, name, PROTO)
    assert files.misplaced([str(inventory)], known(inventory.parent)) == [sentence.format(name)]
    # Beside an inventory of one file everything may lie but what looks like its settings.
    stranger = sentence in (
        NO_INVENTORY,
        *(FILES.format(one) for one in ("etc", "images", "templates", "vars")),
    )
    assert files.misplaced([str(inventory / "hosts.yml")], known(inventory.parent)) == (
        [] if stranger else [sentence.format(name)]
    )


def test_one_of_two_is_read(inventory: Path) -> None:
    write(inventory, "group_vars/all/settings.yml", PROTO)
    write(inventory, "group_vars/all.yml", PROTO)
    write(inventory, "host_vars/other.yml", PROTO)
    write(inventory, "host_vars/other.json", "{}")
    assert files.misplaced(["inv"], known(inventory.parent)) == [
        "inv/group_vars/all.yml is not read, since there is inv/group_vars/all: move its content there.",
        (
            "inv/host_vars/other.json is not read, since there is inv/host_vars/other.yml: move its "
            "content there."
        ),
    ]
    (inventory / "group_vars/all/lost.yml").symlink_to("nowhere.yml")
    assert files.misplaced(["inv"], known(inventory.parent))[0] == (
        "inv/group_vars/all/lost.yml is a link to nowhere.yml, which is not there: correct or remove it."
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vars:\n  jupyterhub_instance: proto\n", "jupyterhub_instance below vars"),
        ("all:\n  vars:\n    edge_port: 1\n", "edge_port below all"),
        ("hubs:\n  jupyterhub_instance: proto\n", "jupyterhub_instance below hubs"),
        ("hub.example.org: {edge_port: 1}\n", "edge_port below hub.example.org"),
        ("jupyterhub:\n  instance: proto\n", "jupyterhub_instance below jupyterhub"),
    ],
)
def test_settings_that_are_too_deep(inventory: Path, text: str, sentence: str) -> None:
    write(inventory, "group_vars/all/settings.yml", text)
    setting = sentence.split()[0]
    assert files.misplaced(["inv"], known(inventory.parent)) == [
        f"inv/group_vars/all/settings.yml has {sentence}, where Ansible ignores it: write {setting} at the "
        f"left margin."
    ]


def test_variables_of_a_site_are_its_own(inventory: Path) -> None:
    write(
        inventory,
        "group_vars/all/settings.yml",
        "site_ports:\n  edge_port: 1\nmine: {vars: {edge_port: 2}}\n",
    )
    assert files.misplaced(["inv"], known(inventory.parent)) == []


A_GROUP = (
    "where Ansible ignores it: a group has hosts, vars and children; put variables of all its hosts "
    "below vars."
)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "hubs:\n  hosts:\n    hub.example.org:\n  var:\n    edge_port: 1\n",
            f"has var in the group hubs, {A_GROUP}",
        ),
        ("all:\n  children:\n    hubs:\n      edge_port: 1\n", f"has edge_port in the group hubs, {A_GROUP}"),
        (
            "hubs:\n  hosts:\n    hub.example.org:\n      vars:\n        edge_port: 1\n",
            (
                "has edge_port below vars of the host hub.example.org, where Ansible ignores it: "
                "write it below the host."
            ),
        ),
        (
            "- hosts: hubs\n",
            "is not an inventory: move it to inv/files/hosts.yml, and name it so in the settings.",
        ),
        ("plugin: openstack.cloud.openstack\nonly_clouds: [a]\n", ""),
        ("hubs:\n  hosts:\n    hub.example.org: {edge_port: 1}\n  vars: {edge_port: 2}\n", ""),
    ],
)
def test_what_ansible_skips_in_an_inventory(inventory: Path, text: str, sentence: str) -> None:
    (inventory / "hosts.yml").write_text(text)
    expected = [f"inv/hosts.yml {sentence}"] if sentence else []
    for source in ("inv", "inv/hosts.yml"):
        assert files.misplaced([source], known(inventory.parent)) == expected


def test_folders_that_some_playbooks_read(inventory: Path) -> None:
    """Beside the checkout's own group_vars, and beside its playbooks."""
    checkout = inventory.parent
    write(checkout, "group_vars/empty.yml", PROTO)
    write(checkout, "inventories/common/groups.yml", "empty:\n")
    (checkout / "inventories/common/group_vars").symlink_to("../../group_vars")
    sources = ["inventories/common", "inv"]
    assert files.misplaced(sources, known(checkout)) == []
    for name in ("host_vars/other.yml", "playbooks/group_vars/all.yml", "inventories/group_vars/all.yml"):
        write(checkout, name, PROTO)
    assert files.misplaced(sources, known(checkout)) == [
        f"{name} is not read by all playbooks: move it into the folder of your inventory."
        for name in ("host_vars", "playbooks/group_vars", "inventories/group_vars")
    ]


def test_files_that_became_hosts(inventory: Path) -> None:
    """As they do where Ansible is started with another ansible.cfg than the checkout's."""
    origins = {"hub.example.org": "hosts.yml", "emil,course": "files/people.csv", "fay": "files/people.csv"}
    of = {host: str(inventory / name) for host, name in origins.items()}
    assert files.taken_for_hosts(["inv"], of) == [
        "inv/files/people.csv is taken for an inventory (emil,course, fay are hosts now): give -i "
        "inv/hosts.yml instead of its folder, or set ignore_patterns = ^(files|web)$ below [inventory] in "
        "your ansible.cfg."
    ]
    assert files.taken_for_hosts(["localhost,"], {"localhost": ""}) == []


def test_lists_of_hosts_are_no_files(tmp_path: Path) -> None:
    assert files.misplaced(["localhost,", "hub.example.org,other"], known(tmp_path)) == []


INVENTORIES = "hosts inventory hosts.yml openstack_hosts.yml a.ini b.toml c.json d.yaml"
OTHER_FILES = "people.csv etc hooks.py known_hosts files web hosts.yml.txt a.pem hosts2"


def test_ansible_reads_what_may_be_an_inventory_and_nothing_else() -> None:
    """ansible.cfg and the check agree on names."""
    config = configparser.ConfigParser()
    config.read(REPO / "ansible.cfg")
    ignored = re.compile(config["inventory"]["ignore_patterns"])
    for name in INVENTORIES.split():
        assert not ignored.search(name), name
        assert name in files.INVENTORY_NAMES or Path(name).suffix in files.INVENTORY_SUFFIXES
    for name in OTHER_FILES.split():
        assert ignored.search(name), name
        assert name not in files.INVENTORY_NAMES
        assert Path(name).suffix not in files.INVENTORY_SUFFIXES
