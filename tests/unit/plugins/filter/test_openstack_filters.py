# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the filters of the role openstack take, and how they say no."""

from __future__ import annotations

import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.galilean.hub.plugins.filter.openstack_deployments import openstack_deployments
from ansible_collections.galilean.hub.plugins.filter.openstack_hosts_file import openstack_hosts_file

BARE: dict[str, t.Any] = {
    "host": "hub",
    "public_key": "ssh-rsa AAAA",
    "openstack_cloud": "mycloud",
    "openstack_deployment": "",
    "openstack_ssh_networks": ["192.0.2.0/24"],
    "openstack_image": "Debian 12",
    "openstack_flavor": "m1.large",
}
DEPLOYMENT: dict[str, t.Any] = {
    "known_hosts_file": "/site/known_hosts",
    "hosts": {"hub": ["hub"]},
    "login_users": {"hub": "debian"},
    "ssh_args": {"hub": ""},
}
SERVER = {"name": "hub", "id": "s-1", "address": "192.0.2.17", "volume_id": ""}


def test_problems_are_raised() -> None:
    with pytest.raises(
        AnsibleFilterError, match=r"^hub: openstack_cloud is 'mycloud', and openstack_deployment"
    ):
        openstack_deployments([BARE])


@pytest.mark.parametrize("hosts", [[], ({"openstack_cloud": ""},)])
def test_no_servers(hosts: t.Any) -> None:
    assert openstack_deployments(hosts) == []


@pytest.mark.parametrize("previous", [None, {}, {"all": None}, {"all": {}}, {"all": {"hosts": None}}])
def test_no_earlier_file(previous: t.Any) -> None:
    text = openstack_hosts_file(DEPLOYMENT, (SERVER,), previous=previous)
    assert list(yaml.safe_load(text)["all"]["hosts"]) == ["hub"]


def test_an_earlier_file_is_merged() -> None:
    first = openstack_hosts_file({**DEPLOYMENT, "hosts": {"hub": ["lab"]}}, [SERVER], "/site")
    text = openstack_hosts_file(DEPLOYMENT, [SERVER], "/site", yaml.safe_load(first))
    assert list(yaml.safe_load(text)["all"]["hosts"]) == ["hub", "lab"]
    assert openstack_hosts_file(DEPLOYMENT, [SERVER], "/site", yaml.safe_load(text)) == text


@pytest.mark.parametrize(
    ("deployment", "servers", "previous"),
    [
        ({}, [SERVER], None),
        (DEPLOYMENT, [{"name": "hub"}], None),
        (DEPLOYMENT, None, None),
        (DEPLOYMENT, [SERVER], "hub"),
        (DEPLOYMENT, [SERVER], {"all": ["hub"]}),
        (DEPLOYMENT, [SERVER], {"all": {"hosts": ["lab"]}}),
    ],
)
def test_what_is_not_right_is_no_traceback(deployment: t.Any, servers: t.Any, previous: t.Any) -> None:
    with pytest.raises(AnsibleFilterError, match="openstack_hosts_file input is not right"):
        openstack_hosts_file(deployment, servers, "", previous)
