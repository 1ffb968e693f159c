# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge.settings import edge_problems

GOOD: dict[str, t.Any] = {
    "bind_address": "127.0.0.1", "port": 8000, "http_port": 0, "server_name": "", "server_aliases": [],
    "subdomains": False, "sni_routing": False, "base_url": "/", "title": "JupyterHub", "trusted_proxies": [],
    "proxy_protocol": False, "tls_mode": "off", "tls_certificate": "", "tls_key": "", "tls_warn_days": 14,
    "hsts_seconds": 0, "security_headers": {}, "login_rate": 60, "login_burst": 300, "hub_rate": 60,
    "server_rate": 500, "rate_burst": 3000, "max_upload": "2g", "read_timeout": 86400, "reload_grace": 86400,
    "workers": 2, "memory": "auto", "connections_per_address": 0, "log_max_size": "10m", "log_max_files": 3,
}  # fmt: skip
BELOW = {"subdomains": True, "server_name": "hub.example.org"}
SHARED = {"sni_routing": True, "server_name": "hub.example.org"}
TLS = {"tls_mode": "provided", "tls_certificate": "/etc/hub.crt", "tls_key": "/etc/hub.key"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {**TLS, "bind_address": "::", "port": 443, "http_port": 80},
        {"base_url": "/science/hub/", "server_name": "hub.example.org"},
        {"bind_address": "10.0.0.1", "trusted_proxies": ["10.0.0.5"]},
        # Numbers of an inventory may come as text.
        {"port": "8001", "workers": "4"},
        {**TLS, **SHARED, "bind_address": "::", "server_aliases": ["*.hub.example.org"]},
        SHARED,
        {**TLS, **BELOW, "server_aliases": ["*.hub.example.org", "www.example.org"]},
        {**BELOW, "bind_address": "10.0.0.1", "trusted_proxies": ["10.0.0.5"]},
        {**BELOW, "server_name": "hub.localhost"},
        {"login_rate": 0, "login_burst": 0, "hub_rate": 0, "server_rate": 0, "rate_burst": 0},
        {"base_url": "/.well/...a/~ada/"},
        {"server_name": "xn--hb-xka.example.org"},
        {"title": 'Hub "of" $things \\ Zürich'},
    ],
)
def test_accepts(change: dict[str, t.Any]) -> None:
    assert edge_problems({**GOOD, **change}) == []


@pytest.mark.parametrize(
    ("change", "begin", "fix"),
    [
        ({"bind_address": "localhost"}, "edge_bind_address is 'localhost':", "127.0.0.1"),
        ({"bind_address": "10.0.0.1"}, "edge_bind_address is '10.0.0.1' while edge_tls", "edge_server_name"),
        ({"bind_address": "::"}, "edge_bind_address is '::' while edge_tls_mode is 'off':", "127.0.0.1"),
        ({"bind_address": "0.0.0.0"}, "edge_bind_address is '0.0.0.0' while edge_", "edge_trusted_proxies"),
        (
            {"bind_address": "0.0.0.0", "trusted_proxies": ["0.0.0.0/0"]},
            "edge_trusted_proxies has '0.0.0.0/0':",
            "balancer's addresses",
        ),
        ({**TLS, "bind_address": "::1"}, "edge_bind_address is '::1', which", "127.0.0.1"),
        ({**TLS, "bind_address": "fe80::1%e0"}, "edge_bind_address is 'fe80::1%e0', which", "in its network"),
        ({**TLS, "bind_address": "0::0"}, "edge_bind_address is '0::0':", "write '::'"),
        ({"http_port": 80}, "edge_http_port is 80 while edge_tls_mode is 'off':", "set it to 0"),
        ({**TLS, "http_port": 8000}, "edge_http_port is 8000, as is edge_port:", "two different ports"),
        ({**TLS, "tls_key": "hub.key"}, "edge_tls_key is 'hub.key':", "absolute path"),
        ({**TLS, "tls_certificate": ""}, "edge_tls_certificate is '':", "absolute path"),
        ({"server_name": "https://hub.example.org"}, "edge_server_name is 'https://", "hub.example.org"),
        (
            {"sni_routing": True},
            "edge_sni_routing is true while edge_server_name is empty:",
            "hub.example.org",
        ),
        ({**SHARED, "trusted_proxies": ["192.0.2.1"]}, "edge_trusted_proxies is set while", "its own port"),
        ({**SHARED, "server_name": "192.0.2.1"}, "edge_server_name has '192.0.2.1' while", "host name"),
        ({**SHARED, "server_aliases": ["192.0.2.1"]}, "edge_server_aliases has '192.0.2.1'", "host name"),
        ({"base_url": "/hub"}, "edge_base_url is '/hub':", "/science/"),
        ({"base_url": "/a b/"}, "edge_base_url is '/a b/':", "/science/"),
        ({"server_name": "hub.example.org\n"}, "edge_server_name is 'hub.example.org\\n':", "alone"),
        ({"server_name": "hub..example.org"}, "edge_server_name is 'hub..example.org':", "alone"),
        ({"base_url": "/science/\n"}, "edge_base_url is '/science/\\n':", "/science/"),
        ({"base_url": "/../"}, "edge_base_url is '/../':", "/science/"),
        ({"base_url": "/a/./"}, "edge_base_url is '/a/./':", "/science/"),
        ({"max_upload": "2m\n"}, "edge_max_upload is '2m\\n':", "512m"),
        ({"title": " "}, "edge_title is ' ':", "one line"),
        ({"title": "two\nlines"}, "edge_title is 'two\\nlines':", "one line"),
        ({"max_upload": "2 GB"}, "edge_max_upload is '2 GB':", "512m"),
        ({"memory": "lots"}, "edge_memory is 'lots':", "512m"),
        ({"security_headers": {"Server": "x"}}, "edge_security_headers has 'Server',", "leave it out"),
        (
            {"subdomains": True},
            "edge_server_name is '' while jupyterhub_subdomains is true:",
            "hub.localhost",
        ),
        (
            {**TLS, **BELOW, "server_name": "192.0.2.1"},
            "edge_server_name is '192.0.2.1' while",
            "hub.example",
        ),
        ({**TLS, **BELOW, "server_name": "hub.1"}, "edge_server_name is 'hub.1' while", "hub.example.org"),
        ({**TLS, **BELOW, "server_name": "hub.a.org:8443"}, "edge_server_name is 'hub.a.org:8443':", "alone"),
        # Browsers take no cookies for it.
        ({**BELOW, "server_name": "localhost"}, "edge_server_name is 'localhost' while", "hub.localhost"),
        (BELOW, "edge_tls_mode is 'off' while jupyterhub_subdomains is true:", "another mode"),
        (
            {**TLS, **BELOW, "server_aliases": ["WWW.Hub.example.org"]},
            "edge_server_aliases has 'WWW.Hub.example.org' while jupyterhub_subdomains is true:",
            "leave it out",
        ),
    ],
)
def test_refuses(change: dict[str, t.Any], begin: str, fix: str) -> None:
    (problem,) = edge_problems({**GOOD, **change})
    assert problem.startswith(begin)
    assert fix in problem
    assert not problem.endswith(".")


def test_reports_all_at_once() -> None:
    assert len(edge_problems({**GOOD, "base_url": "x", "title": "", "bind_address": "x"})) == 3
