# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the services are told about each other."""

from __future__ import annotations

import configparser
import json
from dataclasses import replace
from pathlib import Path

import names
import pytest
import yaml
from configs import HOST_UUID, SECRETS, Renderer, Site, ini
from contents import clouds, clouds_text, endpoints
from daemons import everything
from settings import FAKE_HOST, Settings

KNOWN = {name: f"secret-of-{name}" for name in (*SECRETS, HOST_UUID)}
SETTINGS = Settings(Path("/state"))
SITE = Site(("10.0.0.53", "10.0.0.54"), 1400, "http://proxy.example.org:3128", ("a certificate",))


def parsed(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return parser


def test_ini() -> None:
    text = ini({"a": {"flag": True, "several": ["one", "two"], "path": Path("/x")}, "b": {"number": 3}})
    assert text.splitlines()[2:] == [
        "[a]",
        "flag = true",
        "several = one",
        "several = two",
        "path = /x",
        "",
        "[b]",
        "number = 3",
    ]


@pytest.mark.parametrize("dns", [True, False])
def test_every_program_finds_its_files(dns: bool) -> None:
    renderer = Renderer(SETTINGS, KNOWN, SITE)
    written = {*renderer.files(), *(names.files(renderer) if dns else {})}
    wanted = {name for daemon in everything(SETTINGS.address, dns) for name in daemon.config}
    assert wanted - written == set()


def test_every_program_has_a_name_of_its_own() -> None:
    found = [daemon.name for daemon in everything(SETTINGS.address, dns=True)]
    assert len(found) == len(set(found))


def test_the_catalogue_has_designate_where_it_runs() -> None:
    assert "dns" not in endpoints(SETTINGS)
    assert endpoints(replace(SETTINGS, dns=True))["dns"] == ("http://172.24.4.2:9001", "designate")


def test_the_name_server_takes_orders_and_zones_from_designate_only() -> None:
    files = names.files(Renderer(SETTINGS, KNOWN, SITE))
    assert files["designate/rndc.key"] in files["designate/named.conf"]
    assert 'inet 127.0.0.1 port 953 allow { 127.0.0.1; } keys { "lab"; };' in files["designate/named.conf"]
    assert "allow-notify { 172.24.4.2; };" in files["designate/named.conf"]
    (target,) = yaml.safe_load(files["designate/pools.yml"])[0]["targets"]
    assert target["masters"] == [{"host": "172.24.4.2", "port": 5354}]


def test_the_fake_host_knows_no_database_and_no_hypervisor() -> None:
    config = parsed(Renderer(SETTINGS, KNOWN, SITE).files()["nova/nova-fake.conf"])
    assert (config["DEFAULT"]["host"], config["DEFAULT"]["compute_driver"]) == (FAKE_HOST, "fake.FakeDriver")
    assert not {"database", "api_database"} & set(config.sections())


def test_the_compute_node_knows_no_database() -> None:
    files = Renderer(SETTINGS, KNOWN, SITE).files()
    assert {"database", "api_database"} <= set(parsed(files["nova/nova.conf"]).sections())
    assert "mysql" not in files["nova/nova-compute.conf"]


def test_each_service_logs_in_as_itself() -> None:
    files = Renderer(SETTINGS, KNOWN, SITE).files()
    for name, file in (
        ("glance", "glance/glance-api.conf"),
        ("placement", "placement/placement.conf"),
        ("nova", "nova/nova.conf"),
        ("neutron", "neutron/neutron.conf"),
        ("cinder", "cinder/cinder.conf"),
    ):
        section = parsed(files[file])["keystone_authtoken"]
        assert (section["username"], section["password"]) == (name, f"secret-of-{name}")


def test_tenant_networks_fit_into_the_machines() -> None:
    files = Renderer(SETTINGS, KNOWN, SITE).files()
    assert parsed(files["neutron/neutron.conf"])["DEFAULT"]["global_physnet_mtu"] == "1400"
    assert parsed(files["neutron/dhcp.ini"])["DEFAULT"]["dnsmasq_dns_servers"] == "10.0.0.53,10.0.0.54"


@pytest.mark.parametrize("trusted", [True, False])
def test_guests_learn_of_the_site_from_the_cloud(trusted: bool) -> None:
    settings = Settings(Path("/state"), guest_ca=trusted)
    told = json.loads(Renderer(settings, KNOWN, SITE).files()["nova/vendor_data.json"])["cloud-init"]
    assert told.startswith("#cloud-config\n")
    config = yaml.safe_load(told)
    assert config["apt"]["proxy"] == "http://proxy.example.org:3128"
    assert config.get("ca_certs") == ({"trusted": ["a certificate"]} if trusted else None)


def test_guests_of_a_plain_site_learn_nothing() -> None:
    assert json.loads(Renderer(SETTINGS, KNOWN, Site()).files()["nova/vendor_data.json"]) == {}


def test_clouds() -> None:
    content = yaml.safe_load(clouds_text(clouds(SETTINGS, KNOWN, "the-id")))["clouds"]
    assert set(content) == {"lab-admin", "lab", "lab-other", "lab-app"}
    assert {one["auth"]["auth_url"] for one in content.values()} == {SETTINGS.auth_url}
    assert [content[name]["auth"]["project_name"] for name in ("lab-admin", "lab", "lab-other")] == [
        "admin",
        "hub",
        "other",
    ]
    assert content["lab-app"]["auth_type"] == "v3applicationcredential"
    assert content["lab-app"]["auth"]["application_credential_id"] == "the-id"
    assert "password" not in content["lab-app"]["auth"]
