# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.edge.certbot import certbot_problems

GOOD: dict[str, t.Any] = {
    "names": ["hub.example.org"], "agree_tos": True, "email": "",
    "directory": "https://acme-v02.api.letsencrypt.org/directory", "eab_kid": "", "eab_hmac_key": "",
    "ca_file": "", "challenge": "http", "http_port": 80, "dns_plugin": "rfc2136", "dns_credentials": {},
    "dns_propagation_seconds": 60,
}  # fmt: skip
DNS = {"challenge": "dns", "dns_credentials": {"dns_rfc2136_server": "192.0.2.1"}}
GOOGLE = {"dns_plugin": "google-domains", "dns_credentials": {"dns_google_domains_access_token": "x"}}
HMAC = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"names": ["hub.example.org", "www.example.org"], "email": "ops@example.org"},
        {**DNS, "names": ["*.example.org"], "http_port": 0},
        {"directory": "https://127.0.0.1:14000/dir", "ca_file": "/etc/pebble.pem"},
        {"eab_kid": "kid", "eab_hmac_key": HMAC},
        {"challenge": "dns", **GOOGLE},
    ],
)
def test_accepts(change: dict[str, t.Any]) -> None:
    assert certbot_problems({**GOOD, **change}) == []


@pytest.mark.parametrize(
    ("change", "begin", "fix"),
    [
        ({"names": [""]}, "certbot_names has an empty name:", "edge_server_name"),
        ({"names": ["hub"]}, "certbot_names has 'hub':", "full host name"),
        ({"names": ["https://hub.a.org"]}, "certbot_names has 'https://hub.a.org':", "full host name"),
        ({"names": ["*.example.org"]}, "certbot_names has '*.example.org':", "'dns'"),
        ({"names": ["a.example.org", "a.example.org"]}, "certbot_names has a name twice", "a.example.org"),
        ({"agree_tos": False}, "certbot_agree_tos is false:", "set it to true"),
        ({"email": "ops"}, "certbot_email is 'ops':", "ops@example.org"),
        ({"directory": "http://ca.a.org/dir"}, "certbot_directory is 'http://ca.a.org/dir':", "https"),
        ({"eab_kid": "kid"}, "certbot_eab_hmac_key is empty:", "certbot_eab_kid"),
        ({"eab_hmac_key": "key"}, "certbot_eab_kid is empty:", "certbot_eab_hmac_key"),
        (
            {"eab_kid": "k", "eab_hmac_key": "no: 64"},
            "certbot_eab_hmac_key is not base64url",
            "as the author",
        ),
        ({"ca_file": "pebble.pem"}, "certbot_ca_file is 'pebble.pem':", "absolute path"),
        ({"http_port": 0}, "edge_http_port is 0 while certbot_challenge is 'http':", "'dns'"),
        ({"challenge": "dns"}, "certbot_dns_credentials is empty", "dns_rfc2136_server"),
        ({**DNS, "dns_plugin": "DNS rfc"}, "certbot_dns_plugin is 'DNS rfc':", "rfc2136"),
        (
            {**DNS, "dns_plugin": "ovh"},
            "certbot_dns_credentials has dns_rfc2136_server,",
            "begin with dns_ovh_",
        ),
    ],
)
def test_refuses(change: dict[str, t.Any], begin: str, fix: str) -> None:
    (problem,) = certbot_problems({**GOOD, **change})
    assert problem.startswith(begin)
    assert fix in problem


def test_secrets_are_not_quoted() -> None:
    secrets = {"eab_kid": "kid", "eab_hmac_key": "no base64: secret", "dns_credentials": {"a": "secret"}}
    bad = {**GOOD, **DNS, **secrets, "dns_plugin": "ovh"}
    assert not any("secret" in problem for problem in certbot_problems(bad))
