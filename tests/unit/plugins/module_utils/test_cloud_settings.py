# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From the settings of hosts to deployments, and back into the inventory."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.galilean.hub.plugins.action import cloud_deployment
from ansible_collections.galilean.hub.plugins.module_utils.cloud import settings as o
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.derived.cloud import openstack_host

REPO = Path(__file__).resolve().parents[4]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA ada@example.org"
GIVEN: dict[str, t.Any] = {
    "openstack_cloud": "mycloud", "openstack_deployment": "arcetri",
    "openstack_ssh_networks": ["192.0.2.0/24"], "openstack_image": "Debian 12",
    "openstack_flavor": "m1.large", "openstack_known_hosts_file": "/site/known_hosts",
    "openstack_hosts_file": "/site/openstack_hosts.yml",
}  # fmt: skip


def host(name: str, **changes: t.Any) -> dict[str, t.Any]:
    """What the role hands over for a host: its defaults, and what every deployment must say."""
    defaults = yaml.safe_load((REPO / "roles/openstack/defaults/main.yml").read_text())
    settings = {**defaults, "openstack_server_name": name, **GIVEN, "host": name, "public_key": f"{KEY}\n"}
    return {
        **settings,
        **{key if key in settings else f"openstack_{key}": value for key, value in changes.items()},
    }


HUB = host("hub")
ON_HUB = {"server_name": "hub"}
OF_A_RUN = ("servers", "state", "delete_volumes", "release_addresses")


def test_the_role_hands_over_every_setting(settings_of: t.Callable[..., t.Any]) -> None:
    handed = set(openstack_host(settings_of()))
    assert handed == set(HUB)
    used = {*o.SHARED.values(), *o.OWN.values(), *o.FILES}
    assert used <= handed
    # And the action takes what comes out, all of it, with nothing left to chance.
    assert set(o.SHARED) == set(cloud_deployment.SPEC) - set(OF_A_RUN)
    assert {*o.OWN, "user_data"} == set(cloud_deployment.SERVER)


def test_hosts_outside_of_clouds_are_left_out() -> None:
    local = host("local", cloud="", deployment="", image="")
    assert o.problems([local]) == []
    assert o.deployments([local, {"host": "bare"}]) == []
    assert [one["hosts"] for one in o.deployments([local, HUB])] == [{"hub": ["hub"]}]


def test_a_deployment() -> None:
    (made,) = o.deployments([HUB])
    assert made["options"]["name"] == "arcetri"
    assert made["options"]["timeout"] == 900
    (server,) = made["options"]["servers"]
    assert (server["name"], server["volume_gib"], server["floating_ip"]) == ("hub", 100, "auto")
    # Stripped, as a newline would be a second line in authorized_keys.
    assert yaml.safe_load(server["user_data"])["users"][1]["ssh_authorized_keys"] == [KEY]
    assert (made["known_hosts_file"], made["hosts_file"]) == (
        "/site/known_hosts",
        "/site/openstack_hosts.yml",
    )
    assert made["boot_timeout"] == 600


def test_instances_on_one_server() -> None:
    (made,) = o.deployments([HUB, host("prototype", **ON_HUB), host("lab", login_user="ubuntu")])
    assert made["hosts"] == {"hub": ["hub", "prototype"], "lab": ["lab"]}
    assert [server["name"] for server in made["options"]["servers"]] == ["hub", "lab"]
    assert made["login_users"] == {"hub": "debian", "lab": "ubuntu"}


def test_deployments_are_kept_apart() -> None:
    hosts = [HUB, host("lab", deployment="arcetri-two"), host("far", cloud="other"), host("near")]
    # Also when they come one by one.
    made = o.deployments(iter(hosts))
    assert [(one["options"]["cloud"], one["options"]["name"], list(one["hosts"])) for one in made] == [
        ("mycloud", "arcetri", ["hub", "near"]),
        ("mycloud", "arcetri-two", ["lab"]),
        ("other", "arcetri", ["far"]),
    ]


def test_problems_are_found_one_by_one_as_well() -> None:
    with pytest.raises(HubError, match="openstack_image is not set"):
        o.deployments(iter([HUB, host("lab", image="")]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"deployment": ""}, "hub: openstack_cloud is 'mycloud', and openstack_deployment is not set"),
        ({"ssh_networks": []}, "hub: openstack_ssh_networks is empty, so the server would be unreachable"),
        (
            {"image": ""},
            "hub: openstack_image is not set: name one that the cloud has (openstack image list).",
        ),
        ({"flavor": ""}, "hub: openstack_flavor is not set"),
        (
            {"public_key": " \n"},
            "hub: openstack_public_key_file is ~/.ssh/id_ed25519.pub, which is not there",
        ),
        # What is found when all is put together.
        ({"deployment": "Arcetri"}, "openstack_deployment is 'Arcetri'"),
        (
            {"ssh_networks": ["192.0.2.1/24"]},
            "openstack_ssh_networks has '192.0.2.1/24', which is no network",
        ),
        ({"data_volume_gib": -1}, "Server hub has openstack_data_volume_gib -1"),
        ({"rules": [{"port": "x", "networks": []}]}, "openstack_rules has the port 'x'"),
        ({"public_key": "AAAA"}, "openstack_public_key_file is no SSH public key"),
        ({"subnet_cidr": "192.168.230.1/24"}, "openstack_subnet_cidr is '192.168.230.1/24' ("),
        ({"server_name": "my hub"}, "openstack_server_name is 'my hub'"),
        ({"floating_ip": "yes"}, "Server hub has openstack_floating_ip 'yes'"),
    ],
)
def test_what_does_not_fit(changes: dict[str, t.Any], sentence: str) -> None:
    found = o.problems([host("hub", **changes)])
    assert len(found) == 1
    assert found[0].startswith(sentence)


def test_all_that_is_wrong_with_a_deployment_is_told() -> None:
    """Networks and ports as well as the rest, each as a sentence of its own."""
    rules = [{"port": "x", "networks": ["all"]}]
    wrong = host("hub", deployment="A", ssh_networks=["192.0.2.1/24", "x"], rules=rules, subnet_cidr="y")
    assert [sentence.split(" ")[0] for sentence in o.problems([wrong])] == [
        "openstack_ssh_networks",
        "openstack_ssh_networks",
        "openstack_rules",
        "openstack_rules",
        "openstack_deployment",
        "openstack_subnet_cidr",
    ]


def test_each_host_has_its_sentences() -> None:
    found = o.problems([host("a", image="", flavor=""), host("b", image=""), host("c", cloud="", image="")])
    assert [sentence.split(" is ")[0] for sentence in found] == [
        "a: openstack_image",
        "a: openstack_flavor",
        "b: openstack_image",
    ]


OTHER: dict[str, t.Any] = {
    "public_key": "ssh-rsa AAAA", "timeout": 1, "boot_timeout": 1, "rules": [{"port": "1", "networks": []}],
    "config_drive": False, "metadata": {"a": 1}, "boot_volume_gib": 7, "data_volume_gib": 7,
}  # fmt: skip


def other(setting: str) -> t.Any:
    name = setting.removeprefix("openstack_")
    return OTHER.get(name, ["192.0.2.7"] if isinstance(HUB[setting], list) else "192.0.2.7")


@pytest.mark.parametrize(
    "setting", sorted({*o.SHARED.values(), *o.FILES} - {"openstack_cloud", "openstack_deployment"})
)
def test_what_a_deployment_has_once(setting: str) -> None:
    name = "openstack_public_key_file" if setting == "public_key" else setting
    assert o.problems([HUB, host("lab"), host("three", **{setting: other(setting)})]) == [
        "hub and three belong to the same deployment (arcetri) and have different values of "
        f"{name}: give both the same, in "
        "group_vars."
    ]


OF_A_SERVER = {*o.OWN.values(), "openstack_login_user", "openstack_packages", "openstack_ssh_args"}


@pytest.mark.parametrize("setting", sorted(OF_A_SERVER - {"openstack_server_name"}))
def test_what_a_server_has_once(setting: str) -> None:
    changes = {setting: other(setting)}
    assert o.problems([HUB, host("prototype", **ON_HUB, **changes)]) == [
        "hub and prototype belong to the same server (hub) and have different values of "
        f"{setting}: give both the same, in "
        "group_vars."
    ]
    # On a server of its own it may be another one.
    assert o.problems([HUB, host("prototype", **changes)]) == []


def test_another_file_with_the_same_key_is_the_same() -> None:
    assert o.problems([HUB, host("lab", public_key_file="/other.pub")]) == []


# --- Where the servers are ----------------------------------------------------------------------------------


def fact(name: str, **changes: t.Any) -> dict[str, t.Any]:
    return {"name": name, "id": f"id-{name}", "address": "192.0.2.17", "volume_id": f"v-{name}", **changes}


def parsed(text: str) -> dict[str, t.Any]:
    return yaml.safe_load(text)["all"].get("hosts") or {}


def test_a_hosts_file() -> None:
    (made,) = o.deployments(
        [HUB, host("prototype", **ON_HUB), host("lab", ssh_args="-J gate", login_user="ubuntu")]
    )
    text = o.hosts_file(made, [fact("hub"), fact("lab", address="192.0.2.18", volume_id="")], "/site", {})
    assert text.startswith("# Written by galilean.hub")
    hub = {
        "ansible_host": "192.0.2.17",
        "ansible_user": "debian",
        "ansible_ssh_common_args": "-o UserKnownHostsFile='\"{{ inventory_dir }}/known_hosts\"' "
        "-o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o UpdateHostKeys=no",
        "openstack_server_id": "id-hub",
        "data_volume_serial": "v-hub",
    }
    lab = {
        "ansible_host": "192.0.2.18",
        "ansible_user": "ubuntu",
        "ansible_ssh_common_args": f"{hub['ansible_ssh_common_args']} -J gate",
        "openstack_server_id": "id-lab",
    }
    assert parsed(text) == {"hub": hub, "prototype": hub, "lab": lab}
    # In the same order, whatever the cloud's is, so that a second run changes nothing.
    facts = [fact("lab", address="192.0.2.18", volume_id=""), fact("hub")]
    assert o.hosts_file(made, facts, "/site", parsed(text)) == text


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("/site", "{{ inventory_dir }}/known_hosts"),
        ("", "/site/known_hosts"),
        ("/si", "/site/known_hosts"),
        ("/other", "/site/known_hosts"),
        ("/site/hubs", "/site/known_hosts"),
    ],
)
def test_the_file_of_host_keys_is_named_for_every_checkout(folder: str, named: str) -> None:
    (made,) = o.deployments([HUB])
    args = parsed(o.hosts_file(made, [fact("hub")], folder, {}))["hub"]["ansible_ssh_common_args"]
    assert f"UserKnownHostsFile='\"{named}\"' " in args


def test_hosts_that_a_run_does_not_know_of_stay() -> None:
    (all_of_it,) = o.deployments([HUB, host("lab")])
    (limited,) = o.deployments([HUB])
    before = parsed(o.hosts_file(all_of_it, [fact("hub"), fact("lab")], "/site", {}))
    by_hand: dict[str, t.Any] = {"gate": {"ansible_port": 2222, "list": ["a", {"b": None}]}, "bare": None}
    text = o.hosts_file(limited, [fact("hub", address="192.0.2.99")], "/site", {**before, **by_hand})
    assert parsed(text) == {**before, **by_hand, "hub": {**before["hub"], "ansible_host": "192.0.2.99"}}
    # One of this run that is not there any more goes, and with it the instances on it.
    (both,) = o.deployments([HUB, host("prototype", **ON_HUB)])
    text = o.hosts_file(
        both, [fact("hub", address="", id="")], "/site", {**before, "prototype": before["hub"]}
    )
    assert parsed(text) == {"lab": before["lab"]}


def test_a_file_without_hosts_is_an_inventory_too() -> None:
    (made,) = o.deployments([HUB])
    assert yaml.safe_load(o.hosts_file(made, [fact("hub", address="")], "/site", {})) == {"all": {}}


NAMES = [
    "hub.example.org", "it's", 'the "best"', "Galileo's \u00e9cole", "\u5929\u6587\u53f0", "\U0001f52d",
    "yes", "12", "a #b",
]  # fmt: skip
ARGS = "-o ProxyCommand=\"ssh -W '%h:%p' gate\" # \u00e9 \U0001f52d \\ : yes"


def test_ansible_reads_it_back(tmp_path: Path) -> None:
    folder = tmp_path / "my site"
    folder.mkdir()
    hosts = [
        host(name, server_name=f"s{number}", ssh_args=ARGS, known_hosts_file=f"{folder}/known_hosts")
        for number, name in enumerate(NAMES)
    ]
    (made,) = o.deployments(hosts)
    facts = [fact(f"s{number}", address=f"192.0.2.{number}") for number in range(len(NAMES))]
    text = o.hosts_file(made, facts, str(folder), {})
    expected = parsed(text)
    assert list(expected) == sorted(NAMES)
    assert expected[NAMES[0]]["ansible_ssh_common_args"].endswith(ARGS)
    (folder / "openstack_hosts.yml").write_text(text, encoding="utf-8")
    task = {"ansible.builtin.debug": {"msg": ["{{ ansible_ssh_common_args }}", "{{ ansible_host }}"]}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}
    (folder / "play.yml").write_text(json.dumps([play]))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "openstack_hosts.yml", "play.yml"],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout[done.stdout.find("{") :])["plays"][0]["tasks"][0]["hosts"]
    read = {name: result["msg"] for name, result in results.items()}
    assert read == {
        name: [
            entry["ansible_ssh_common_args"].replace("{{ inventory_dir }}", str(folder)),
            entry["ansible_host"],
        ]
        for name, entry in expected.items()
    }
