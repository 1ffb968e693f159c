# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Filters hand on what they are given, and say in one sentence what is not right about it."""

from __future__ import annotations

import importlib
import re
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError

POOLS = [{"Subnet": "10.224.3.0/24", "Gateway": "10.224.3.1"}, {"Subnet": "fd12::/64"}]
EMPTY: dict[str, t.Any] = {"title": "JupyterHub", "announcement": "", "links": []}
BARE = {
    **{"host": "hub", "public_key": "ssh-rsa AAAA", "openstack_cloud": "mycloud", "openstack_deployment": ""},
    **{"openstack_ssh_networks": ["192.0.2.0/24"], "openstack_image": "Debian 12", "openstack_flavor": "m1"},
}
DEPLOYMENT: dict[str, t.Any] = {
    "known_hosts_file": "/site/known_hosts",
    "hosts": {"hub": ["hub"]},
    "login_users": {"hub": "debian"},
    "ssh_args": {"hub": ""},
}
NO_RESULTS: list[t.Any] = [None, [], "x", {}, {"other": 1}]
SERVER = {"name": "hub", "id": "s-1", "address": "192.0.2.17", "volume_id": ""}


def call(name: str, *given: t.Any, **more: t.Any) -> t.Any:
    module = importlib.import_module(f"ansible_collections.galilean.hub.plugins.filter.{name}")
    return module.FilterModule().filters()[name](*given, **more)


@pytest.mark.parametrize(
    ("name", "given", "result"),
    [
        ("branding", [EMPTY], EMPTY),
        ("edge_trusted_networks", [["127.0.0.1"], {"IPAM": {"Config": POOLS}}], ["10.224.3.1/32"]),
        # As the module returns it: without a network there is nothing, not even a mapping.
        ("edge_trusted_networks", [["127.0.0.1"], {"IPAM": {"Config": None}}], []),
        ("edge_trusted_networks", [["127.0.0.1"], None], []),
        ("openstack_deployments", [[]], []),
        ("openstack_deployments", [({"openstack_cloud": ""},)], []),
        ("usage_table", [{"removed": [], "bytes": 0}, "h"], ["h: nothing to remove"]),
    ],
)
def test_a_result(name: str, given: list[t.Any], result: t.Any) -> None:
    assert call(name, *given) == result


def test_parts_of_a_result() -> None:
    images = call("catalog_images", [{"name": "a"}], extra=[{"name": "b", "parent": "a"}], files_path="/f")
    assert [item["name"] for item in images] == ["base", "a", "b"]
    given = [header["name"] for header in call("edge_headers", {"X-A": "1"}) if not header["fill"]]
    assert given == ["X-A", "X-Content-Type-Options"]
    assert call("edge_budget", "auto", "4096", "2")["memory"] == "682m"


def hosts(text: str) -> list[str]:
    return list(yaml.safe_load(text)["all"]["hosts"])


def test_an_earlier_hosts_file_is_merged() -> None:
    nothing: list[t.Any] = [None, {}, {"all": None}, {"all": {}}, {"all": {"hosts": None}}]
    for previous in nothing:
        assert hosts(call("openstack_hosts_file", DEPLOYMENT, (SERVER,), previous=previous)) == ["hub"]
    first = call("openstack_hosts_file", {**DEPLOYMENT, "hosts": {"hub": ["lab"]}}, [SERVER], "/site")
    text = call("openstack_hosts_file", DEPLOYMENT, [SERVER], "/site", yaml.safe_load(first))
    assert hosts(text) == ["hub", "lab"]
    assert call("openstack_hosts_file", DEPLOYMENT, [SERVER], "/site", yaml.safe_load(text)) == text


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        ("branding", [[]], "branding input must be a mapping, not list"),
        ("branding", [{"title": "x", "announcement": ""}], "branding input lacks the key 'links'"),
        ("branding", [{**EMPTY, "title": ""}], "jupyterhub_web_title is '': give one line"),
        *(
            ("catalog_images", [value], "catalog_images input must be a list of dictionaries")
            for value in (None, "text", {"name": "a"}, ["a"])
        ),
        ("catalog_images", [[{"name": "a"}, {"name": "a"}]], "images_catalog has 'a' twice"),
        ("edge_budget", ["1m", 4096, 2], "edge_memory is '1m': give"),
        ("edge_headers", [[]], "input must be a mapping, not list"),
        ("edge_trusted_networks", ["10.0.0.5"], "input must be a list, and network a mapping"),
        ("edge_trusted_networks", [["lb"]], "'lb' does not appear to be"),
        ("openstack_deployments", [[BARE]], "hub: openstack_cloud is 'mycloud', and openstack_deployment"),
        *(
            ("openstack_hosts_file", given, "openstack_hosts_file input is not right")
            for given in (
                [{}, [SERVER]],
                [DEPLOYMENT, [{"name": "hub"}]],
                [DEPLOYMENT, None],
                [DEPLOYMENT, [SERVER], "", "hub"],
                [DEPLOYMENT, [SERVER], "", {"all": ["hub"]}],
                [DEPLOYMENT, [SERVER], "", {"all": {"hosts": ["lab"]}}],
            )
        ),
        *(
            ("usage_table", [value], "galilean.hub.usage_table input must be the result of engine_usage")
            for value in NO_RESULTS
        ),
    ],
)
def test_what_is_not_right(name: str, given: list[t.Any], sentence: str) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(sentence)):
        call(name, *given)
