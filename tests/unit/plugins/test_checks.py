# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What roles refuse: the rules that are in module_utils/checks themselves. Others have tests of their own."""

from __future__ import annotations

import importlib
import typing as t

import pytest

SettingsOf = t.Callable[..., t.Any]
PACKAGE = "ansible_collections.galilean.hub.plugins.module_utils.checks"
ROLES = (
    "backup", "bootstrap", "certbot", "data_volume", "docker", "edge", "images", "jupyterhub", "monitoring",
    "openstack", "users",
)  # fmt: skip
ENGINE = {"disk_free_gib": 50, "mode": "managed", "ready": True, "cli": "docker", "buildkit": True}
# A host on which all is right.
FOUND: dict[str, dict[str, t.Any]] = {
    "bootstrap": {"has_locale": True, "swap_right": False, "swap_free": "99000000000"},
    "docker": {"engine": ENGINE, "release": "Debian-12", "releases": ["Debian-12"], "problems": []},
    "edge": {"names": [], "ports": [{"port": 8000, "available": True}], "pair": []},
    "images": {"files": None},
    "jupyterhub": {"folders": [], "files": [], "addresses": {}, "fib_trie": "", "approved": ""},
}


def refused(settings: t.Any, role: str, kind: str) -> list[str]:
    module = importlib.import_module(f"{PACKAGE}.{role}")
    return [sentence for rule in getattr(module, kind, ()) for sentence in rule(settings)]


LATIN = "/site/hooks.py"


@pytest.mark.parametrize("role", ROLES)
def test_defaults_are_right(settings_of: SettingsOf, role: str) -> None:
    settings = settings_of()
    settings.found = {**FOUND, "openstack": []}
    assert refused(settings, role, "CHECKS") + refused(settings, role, "HOST_CHECKS") == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("backup_repository", "/srv/hub-backup"),
        ("backup_repository", "/mnt/My backups/x/"),
        ("backup_restic_options", ["--limit-upload=2048", "-o", "s3.region=eu", "--option=a=b c", "-v"]),
        ("backup_max_age", 24),
        ("monitoring_smtp_host", "mail.example.org:587"),
        ("monitoring_smtp_host", "[2001:db8::1]:25"),
        ("docker_address_pools", [{"base": "172.20.0.0/16", "size": 24}, {"base": "fd00::/48", "size": 64}]),
        ("openstack_dns_servers", ["192.0.2.1", "2001:db8::1"]),
        ("jupyterhub_public_url", "HTTPS://hub.example.org/"),
        ("jupyterhub_public_url", "http://[::1]:8000/science/"),
    ],
)
def test_what_is_right(settings_of: SettingsOf, setting: str, value: t.Any) -> None:
    role = next(role for role in ROLES if setting.startswith(f"{role}_"))
    settings = settings_of(**{setting: value, "backup_password": "x" * 32})
    settings.found = {**FOUND, "openstack": []}
    assert refused(settings, role, "CHECKS") == []


@pytest.mark.parametrize(
    ("when", "right"),
    [
        ("*-*-* 00,12:00:00", True),
        ("daily", True),
        ("Mon", True),
        ("semiannually", True),
        ("Mon..Fri 04:00 Europe/Rome", True),
        ("whenever it suits", False),
        ("dayly", False),
        ("daily\n", False),
    ],
)
def test_times_of_the_renewal(settings_of: SettingsOf, when: str, right: bool) -> None:
    tls = {"edge_tls_mode": "acme", "edge_server_name": "hub.example.org", "certbot_agree_tos": True}
    found = refused(
        settings_of(**tls, edge_http_port=80, edge_bind_address="0.0.0.0", certbot_renewal_calendar=when),
        "certbot",
        "CHECKS",
    )
    assert [one.startswith("certbot_renewal_calendar is ") for one in found] == ([] if right else [True])


@pytest.mark.parametrize(
    ("cidr", "said"),
    [
        ("192.168.230.0/24", []),
        ("10.224.5.0/24", []),
        ("10.208.0.0/12", ["user servers (jupyterhub_users_subnet)"]),
        ("10.224.0.0/16", ["docker_address_pools"]),
        ("10.0.0.0/8", ["user servers (jupyterhub_users_subnet)", "docker_address_pools"]),
    ],
)
def test_networks_of_a_cloud(settings_of: SettingsOf, cidr: str, said: list[str]) -> None:
    settings = settings_of(openstack_cloud="lab", openstack_subnet_cidr=cidr)
    settings.found = {"openstack": []}
    found = refused(settings, "openstack", "CHECKS")
    assert len(found) == len(said)
    assert all(f" of {who}: give" in one for one, who in zip(found, said))
    settings = settings_of(openstack_cloud="lab", openstack_dns_servers=["192.0.2.1", "ns1"])
    settings.found = {"openstack": []}
    assert refused(settings, "openstack", "CHECKS") == [
        "openstack_dns_servers has 'ns1': give addresses, such as 192.0.2.53"
    ]
    # The deployment then has no network of its own.
    settings = settings_of(openstack_cloud="lab", openstack_subnet_cidr=cidr, openstack_network="site")
    settings.found = {"openstack": []}
    assert refused(settings, "openstack", "CHECKS") == []


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("backup_repository", "backup/hub", "backup_repository is 'backup/hub': give the absolute path of"),
        ("backup_repository", "ftp:host:/x", "backup_repository is 'ftp:host:/x': give the absolute path"),
        (
            "backup_repository",
            "local:x",
            "backup_repository is 'local:x': give the absolute path of a folder",
        ),
        (
            "backup_repository",
            "/srv/hub/backups",
            "backup_repository is '/srv/hub/backups', in the folder of",
        ),
        (
            "backup_repository",
            "rest:https://hub:geheim@h/x",
            "backup_repository is 'rest:https://hub:***@h/x', with a password in it: put that into",
        ),
        (
            "backup_repository",
            "s3:https://h/x",
            "backup_environment has no AWS_ACCESS_KEY_ID and no AWS_SECRET",
        ),
        (
            "backup_repository",
            "swift:hub:/",
            "backup_environment has no OS_AUTH_URL, which swift:hub:/ asks for",
        ),
        ("backup_repository", "sftp:h:/x", "backup_repository is 'sftp:h:/x' and backup_ssh_key is empty"),
        ("backup_repository", "sftp:h:/x", "backup_repository is 'sftp:h:/x' and backup_ssh_known_hosts is"),
        ("backup_repository", "sftp://u@h:port//x", "backup_repository is 'sftp://u@h:port//x', whose host"),
        (
            "backup_repository",
            "sftp://u@h:99999//x",
            "backup_repository is 'sftp://u@h:99999//x', whose host",
        ),
        (
            "backup_repository",
            "rest:https://[x/",
            "backup_repository is 'rest:https://[x/', whose host or port",
        ),
        ("backup_password", "short", "backup_password has 5 characters: use at least 12"),
        (
            "backup_max_age",
            12,
            "backup_max_age is 12 and backup_hours leaves 24 hours between two backups: give",
        ),
        # Another way to the same folder.
        (
            "backup_repository",
            "/srv//hub/b",
            "backup_repository is '/srv//hub/b', in the folder of the instance",
        ),
        ("backup_repository", "//srv/hub", "backup_repository is '//srv/hub', in the folder of the instance"),
        ("backup_repository", "/srv/x/../hub/b", "backup_repository is '/srv/x/../hub/b', in the folder of"),
        ("backup_repository", "/mnt/b\n", "backup_repository is '/mnt/b\\n': give it in one line"),
        ("backup_restic_options", ["--limit-upload 2048"], "backup_restic_options has '--limit-upload 2048'"),
        (
            "backup_restic_options",
            ["limit-upload=2048"],
            "backup_restic_options has 'limit-upload=2048': give",
        ),
        (
            "backup_restic_options",
            ["-o", "a=b", "c"],
            "backup_restic_options has 'c': give each option as one",
        ),
        (
            "monitoring_smtp_host",
            "smtp://mail:25",
            "monitoring_smtp_host is 'smtp://mail:25': give server and",
        ),
        ("monitoring_smtp_host", "mail:99999", "monitoring_smtp_host is 'mail:99999': give server and port"),
        ("monitoring_smtp_host", "mail:25:25", "monitoring_smtp_host is 'mail:25:25': give server and port"),
        ("monitoring_smtp_host", "mail:0", "monitoring_smtp_host is 'mail:0': give server and port"),
        (
            "docker_address_pools",
            [{"base": "10.208.0.0/12", "size": 24}],
            "docker_address_pools has 10.208.0.0/12, which overlaps 10.",
        ),
        ("jupyterhub_public_url", "hub.example.org", "jupyterhub_public_url is 'hub.example.org': give a"),
        ("jupyterhub_public_url", "https:///hub", "jupyterhub_public_url is 'https:///hub': give a full"),
        ("jupyterhub_public_url", "ftp://hub.example.org/", "jupyterhub_public_url is 'ftp://hub"),
        ("backup_hours", [], "backup_hours is []: give at least one hour"),
        (
            "backup_keep",
            {"dayly": 7},
            "backup_keep.dayly is no period: use last, hourly, daily, weekly, monthly or",
        ),
        ("backup_keep", {"daily": -1}, "backup_keep.daily is '-1': give how many backups stay"),
        ("backup_metrics_file", "hub.prom", "backup_metrics_file is 'hub.prom': give an absolute path"),
        ("backup_environment", {"A B": "x"}, "backup_environment.A B is no name of a variable"),
        ("monitoring_check_minutes", 7, "monitoring_check_minutes is 7: give 5, 6, 10, 12, 15, 20, 30 or 60"),
        ("monitoring_check_minutes", 1, "monitoring_check_minutes is 1: give 5, 6"),
        ("monitoring_bind_address", "hub", "monitoring_bind_address is 'hub': give an address such as 127"),
        ("monitoring_prometheus_port", 9093, "monitoring_prometheus_port is 9093, as is monitoring_alert"),
        ("monitoring_retention", "30 days", "monitoring_retention is '30 days': give a number with h, d, w"),
        ("monitoring_email_to", ["ops"], "monitoring_email_to has 'ops': give a mail address"),
        ("monitoring_email_to", ["o@x.org"], "monitoring_email_from is '': give the mail address that"),
        ("monitoring_smtp_host", "mail", "monitoring_smtp_host is 'mail': give server and port"),
        (
            "monitoring_smtp_password",
            "x",
            "monitoring_smtp_password is set and monitoring_smtp_user is empty",
        ),
        (
            "monitoring_webhook_url",
            "chat.org/secret",
            "monitoring_webhook_url is no address: begin with http",
        ),
        ("monitoring_alerts_disabled", ["HubGone"], "monitoring_alerts_disabled has 'HubGone', which is no"),
        ("monitoring_rules_files", ["/no.yml"], "monitoring_rules_files has /no.yml"),
        ("bootstrap_timezone", "Rome time", "bootstrap_timezone is 'Rome time': give a name such as"),
        ("bootstrap_locale", "it_IT", "bootstrap_locale is 'it_IT': give C.UTF-8, or"),
        ("bootstrap_reboot_time", "25:00", "bootstrap_reboot_time is '25:00': give hours and minutes"),
        ("data_volume_device", "vdb", "data_volume_device is 'vdb': give a path that begins with /dev/"),
        ("data_volume_serial", "123", "data_volume_serial is '123': give at least 8 letters of it"),
        ("data_volume_path", "srv", "data_volume_path is 'srv': give the absolute path of a folder"),
        ("data_volume_path", "/", "data_volume_path is '/': give the absolute path"),
        ("data_volume_path", "/my data", "data_volume_path is '/my data': give the absolute path"),
        ("data_volume_path", "/srv/../etc", "data_volume_path is '/srv/../etc': give the absolute path"),
        ("data_volume_mount_options", ["noatime,nodev"], "data_volume_mount_options has 'noatime,nodev'"),
        ("data_volume_mount_options", [""], "data_volume_mount_options has '': give one mount option"),
        ("images_base_image", "debian:12", "images_base_image is 'debian:12': name it with its digest"),
        ("images_base_suite", "Debian 13", "images_base_suite is 'Debian 13': name a release"),
        ("images_user_id", 500, "images_user_id is 500: give a number from 65536 to 99999"),
        ("images_software_digest", "new", "images_software_digest is 'new': use the 12 hexadecimal"),
        ("images_web_site_path", "/nowhere", "images_web_site_path is '/nowhere', which is no folder"),
        ("images_web_site_path", "/proc/self", "images_web_site_path is '/proc/self', where neither hub"),
        ("images_files_path", "/nowhere", "images_catalog names files that are not on the controller"),
        ("jupyterhub_login_password", "short", "jupyterhub_login_password has 5 characters: use at least 8"),
        ("jupyterhub_admin_password", "short", "jupyterhub_admin_password has 5 characters: use at least 32"),
        ("jupyterhub_cookie_secret", "xyz", "jupyterhub_cookie_secret is not 64 hexadecimal digits"),
        ("jupyterhub_crypt_key", "xyz", "jupyterhub_crypt_key is not 64 hexadecimal digits a line: make one"),
        ("jupyterhub_welcome_paths", ["/nowhere"], "jupyterhub_welcome_paths has /nowhere, which is no"),
        ("jupyterhub_users_file", "/nowhere", "jupyterhub_users_file is '/nowhere', which is no file"),
        ("jupyterhub_hooks_file", "/nowhere", "jupyterhub_hooks_file is /nowhere, which is no file"),
        ("jupyterhub_hooks_file", LATIN, f"jupyterhub_hooks_file is {LATIN}, whose line 2 has a letter that"),
        ("jupyterhub_public_url", "https://[x", "jupyterhub_public_url is 'https://[x': give a full address"),
        (
            "jupyterhub_approval",
            {"source": "url", "url": "https://h:99999/"},
            "jupyterhub_approval has url 'https://h:99999/': give a full address",
        ),
        (
            "jupyterhub_approval",
            {"source": "url", "url": "https://h/a b"},
            "jupyterhub_approval has url 'https://h/a b': give a full address",
        ),
        (
            "jupyterhub_repositories",
            [{"url": "https://[x"}],
            "jupyterhub_repositories has the repository 'https://[x': give its address",
        ),
        ("jupyterhub_rename_map", {"ada": [5]}, "jupyterhub_rename_map has [5] for 'ada': give a name"),
        ("jupyterhub_rename_map", {"ada": True}, "jupyterhub_rename_map has True for 'ada': give a name"),
        ("jupyterhub_web_live", True, "jupyterhub_web_live is true, but hub is not this machine"),
    ],
)
def test_a_setting(settings_of: SettingsOf, setting: str, value: t.Any, said: str) -> None:
    role = next(role for role in ROLES if setting.startswith(f"{role}_"))
    settings = settings_of(**{setting: value})
    if value == LATIN:
        settings.is_file, settings.content = bool, lambda _path: "#\n# ü".encode("cp1252")
    sentences = refused(settings, role, "CHECKS")
    assert [one for one in sentences if one.startswith(said)], sentences


NO_PAIR = {"edge_tls_mode": "provided", "edge_tls_certificate": "/nowhere", "edge_tls_key": "/nowhere"}
BELOW = {"jupyterhub_subdomains": True, "edge_server_name": "a.org"}
NOT_THERE = "/nowhere: no such file on the controller, correct"
NETRC = {"images_delivery": "controller", "images_build_secrets": {"netrc": "/nowhere"}}
URL = "jupyterhub_public_url"


def test_oidc_addresses_that_are_none(settings_of: SettingsOf) -> None:
    addresses = {
        f"{name}_url": url
        for name, url in {"authorize": "https://[x", "token": "https://h:99999/", "userdata": "//"}.items()
    }
    said = refused(
        settings_of(jupyterhub_authenticator="oidc", jupyterhub_login_oidc=addresses), "jupyterhub", "CHECKS"
    )
    assert (
        len([one for one in said if one.startswith("jupyterhub_login_oidc has ") and "full address" in one])
        == 3
    )


def test_a_broken_address_of_the_hub_is_told_once(settings_of: SettingsOf) -> None:
    variables = {"jupyterhub_subdomains": True, "edge_server_name": "hub.localhost", URL: "https://[x"}
    said = refused(settings_of(**variables), "jupyterhub", "CHECKS")
    assert [one for one in said if URL in one] == [
        f"{URL} is 'https://[x': give a full address, such as https://hub.example.org/, or leave it empty"
    ]


def test_a_file_of_the_controller_that_cannot_be(settings_of: SettingsOf) -> None:
    """A path too long, of nobody's home, or with what no path has."""
    for path in ("a" * 300, "~nobody-of-this-name/x", "a\0b"):
        settings = settings_of(jupyterhub_users_file=path)
        (said,) = refused(settings, "jupyterhub", "CHECKS")
        assert said.startswith("jupyterhub_users_file is ")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"edge_bind_address": "0.0.0.0"}, "jupyterhub_authenticator is 'dummy' and edge_bind_address"),
        ({**BELOW, URL: "https://b.org/"}, f"{URL} is 'https://b.org/' while jupyterhub_subdomains is true"),
        ({**BELOW, URL: "http://a.org/"}, f"{URL} is 'http://a.org/' while jupyterhub_subdomains is true"),
        (
            {"data_volume_device": "/dev/vdb", "data_volume_serial": "12345678"},
            "data_volume_device is '/dev/vdb' and data_volume_serial is '12345678': one of them",
        ),
        (NO_PAIR, f"edge_tls_certificate is {NOT_THERE} its path, or set"),
        (
            {"edge_tls_mode": "acme", "certbot_ca_file": "/nowhere"},
            f"certbot_ca_file is {NOT_THERE} the path or leave it out",
        ),
        (
            {"backup_repository": "/mnt/hub", "backup_ca_file": "/nowhere"},
            "backup_ca_file is /nowhere: no such file on the controller, correct the path or leave it out",
        ),
        (
            {
                "backup_repository": "sftp:h:/x",
                "backup_ssh_key": "ssh-ed25519 AAAA",
                "backup_ssh_known_hosts": "h x",
            },
            "backup_ssh_key is no private key: give the whole text of its file",
        ),
        (NETRC, "images_build_secrets.netrc is /nowhere, which is no file on the controller"),
    ],
)
def test_settings_together(settings_of: SettingsOf, variables: dict[str, t.Any], said: str) -> None:
    role = next(role for role in ROLES if said.startswith(role))
    sentences = refused(settings_of(**variables), role, "CHECKS")
    assert [one for one in sentences if one.startswith(said)], sentences


SWAP = {"swap_free": str(4 * 2**30), "swap_size": str(2**30)}
IPV6 = {"edge_bind_address": "::", "docker_ipv6_ready": False}
CERTIFICATE, KEY = {"__edge_path": "/a.crt"}, {"__edge_path": "/a.key", "content": ""}
SKY = {"jupyterhub_data_mounts": [{"name": "sky", "source": "/data/sky"}]}
MEMORY = {"jupyterhub_memory_limit": "64G", "ansible_facts": {"memtotal_mb": 8000, "processor_nproc": 2}}


@pytest.mark.parametrize(
    ("role", "variables", "found", "said"),
    [
        ("bootstrap", {"bootstrap_swap_gib": 8}, SWAP, "bootstrap_swap_gib is 8, but 5.0 GiB are free"),
        (
            "bootstrap",
            {"bootstrap_timezone": "Europe/Arcetri"},
            {"zone_unknown": "yes"},
            "bootstrap_timezone is 'Europe/Arcetri', which this host does not know",
        ),
        (
            "bootstrap",
            {"bootstrap_locale": "xx_XX.UTF-8"},
            {"locale_unknown": "yes", "has_locale": False},
            "bootstrap_locale is 'xx_XX.UTF-8', which this host cannot generate",
        ),
        (
            "docker",
            {},
            {"engine": {**ENGINE, "disk_free_gib": 1}},
            "docker_disk_free_min_gib is 3, but only 1",
        ),
        ("docker", {}, {"release": "Fedora-40"}, "The host runs Fedora-40, for which no Docker packages are"),
        ("docker", {}, {"problems": ["The engine runs, but: install."]}, "The engine runs, but: install"),
        (
            "edge",
            {},
            {"ports": [{"port": 8000, "available": False, "reason": "nginx has it"}]},
            "edge_port is 8000 on 127.0.0.1: nginx has it. Choose another port",
        ),
        ("edge", IPV6, {}, "edge_bind_address is '::', but the host's own Docker engine does not serve IPv6"),
        ("edge", {}, {"pair": [CERTIFICATE, KEY]}, "edge_tls_certificate is /a.crt, which cannot be read on"),
        (
            "edge",
            {},
            {"pair": [{**CERTIFICATE, "content": ""}, KEY]},
            "edge_tls_certificate holds no certificate",
        ),
        (
            "images",
            {"images_base_keyring": "/k.gpg"},
            {"files": []},
            "images_base_keyring is /k.gpg, which is",
        ),
        ("jupyterhub", SKY, {}, "jupyterhub_data_mounts has the source /data/sky, which is no folder on hub"),
        (
            "jupyterhub",
            {"jupyterhub_ca_bundle": "/ca.pem"},
            {},
            "jupyterhub_ca_bundle is /ca.pem, which is no",
        ),
        ("jupyterhub", MEMORY, {}, "jupyterhub_memory_limit is '64G', more than the 8000 MiB of the host"),
    ],
)
def test_a_host(
    settings_of: SettingsOf, role: str, variables: dict[str, t.Any], found: dict[str, t.Any], said: str
) -> None:
    settings = settings_of(**variables)
    settings.found = {role: {**FOUND[role], **found}}
    (sentence,) = refused(settings, role, "HOST_CHECKS")
    assert sentence.startswith(said)


@pytest.mark.parametrize("mounted", [True, False])
def test_what_is_below_a_volume_that_is_not_mounted_is_looked_at_later(
    settings_of: SettingsOf, mounted: bool
) -> None:
    settings = settings_of(
        data_volume_device="/dev/vdb",
        data_volume_path="/srv",
        jupyterhub_data_mounts=[{"name": "sky", "source": "/srv/sky"}],
        ansible_facts={"mounts": [{"mount": "/srv" if mounted else "/", "size_total": 0}]},
    )
    settings.found = {**FOUND, "docker": {**FOUND["docker"], "engine": {**ENGINE, "disk_free_gib": 0}}}
    said = refused(settings, "docker", "HOST_CHECKS") + refused(settings, "jupyterhub", "HOST_CHECKS")
    assert len(said) == (2 if mounted else 0), said
