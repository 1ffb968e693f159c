# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Other names, challenges and authorities; other modes, and back. One container serves throughout."""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest
import requests
from conftest import EPHEMERAL, NAME, PROJECT, Site

WILDCARD = f"*.{NAME}"
DNS: dict[str, t.Any] = {
    "certbot_challenge": "dns",
    "certbot_dns_propagation_seconds": 1,
    "certbot_dns_credentials": {
        "dns_rfc2136_server": "127.0.0.1",
        "dns_rfc2136_name": "certbot.",
        "dns_rfc2136_secret": "Z2FsaWxlYW4taHViLXRlc3Qta2V5LW5vLXNlY3JldCE=",
        "dns_rfc2136_algorithm": "HMAC-SHA256",
    },
}
# As in files/pebble.json.
EXTERNAL = {
    "certbot_eab_kid": "kid-1",
    "certbot_eab_hmac_key": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
}


@pytest.fixture(scope="module", autouse=True)
def one_container(site: Site) -> t.Iterator[None]:
    site.pebble()
    started = "docker inspect --format '{{.Id}} {{.State.StartedAt}}' hub-edge"
    before = site.sh(started)
    yield
    assert site.sh(started) == before


def applied(said: str) -> None:
    assert said.endswith("rc=0"), said


def test_names_are_added_and_taken_away(site: Site) -> None:
    site.record("www.example.test", "127.0.0.1")
    applied(site.converge(edge_server_aliases=["www.example.test"]))
    assert site.served(site.root()).names == {NAME, "www.example.test"}
    assert "changed=0" in site.converge(edge_server_aliases=["www.example.test"])
    applied(site.converge())
    assert site.served(site.root()).names == {NAME}


def test_a_wildcard_by_dns(site: Site) -> None:
    """For users' servers, each with a name of its own: asked for, served and renewed."""
    below = {"jupyterhub_subdomains": True, **DNS}
    said = site.converge("--diff", **below)
    applied(said)
    served = site.served(site.root(), f"any.{NAME}")
    assert served.names == {NAME, WILDCARD}
    # Secrets are neither shown nor readable.
    assert "Z2FsaWxlYW4" not in said
    assert site.sh("stat --format '%a %U' /data/hubs/hub/certbot/dns.ini") == "600 root"
    assert "changed=0" in site.converge(edge_server_aliases=[WILDCARD], **below)
    site.force()
    assert site.served(site.root(), f"any.{NAME}").serial != served.serial


@pytest.mark.slow
def test_another_type_of_key(site: Site) -> None:
    applied(site.certbot(certbot_key_type="rsa"))
    text = site.sh("openssl x509 -noout -text -in /data/hubs/hub/certbot/config/live/hub/cert.pem")
    assert "Public-Key: (2048 bit)" in text
    assert site.served(site.root()).names == {NAME}


@pytest.mark.slow
def test_an_authority_that_asks_for_an_account(site: Site) -> None:
    site.pebble(externalAccountBindingRequired=True)
    answer = site.certificate("issue", "--force", works=False)
    assert answer["complaint"] == (
        "The certificate authority requires an account: set certbot_eab_kid and certbot_eab_hmac_key."
    )
    said = site.certbot("--diff", **EXTERNAL)
    applied(said)
    assert EXTERNAL["certbot_eab_hmac_key"] not in said
    site.force()
    assert site.served(site.root()).names == {NAME}
    site.pebble()


@pytest.mark.slow
def test_certbot_from_pypi(site: Site) -> None:
    before = site.certificate("status")["served"]["serial"]
    applied(site.certbot(certbot_source="pypi"))
    assert "certbot 5." in site.sh("/opt/galilean-certbot-*/bin/certbot --version")
    site.force()
    assert site.served(site.root()).serial != before
    applied(site.certbot())


@pytest.mark.slow
def test_a_host_without_systemd(site: Site) -> None:
    """cron has the same program, and no more around it than it always has."""
    applied(site.certbot(__certbot_systemd=False))
    assert site.host.service("cron").is_running
    path, line = site.sh("tail -n 2 /etc/cron.d/hub-certbot").splitlines()
    when = re.fullmatch(r"[0-9]{1,2} 3,15 \* \* \* root (.+)", line)
    assert when, line
    before = site.certificate("status")["renewal"]["tried"]
    site.sh(f"env --ignore-environment {path} sh -c '{when[1]}'")
    renewal = site.certificate("status")["renewal"]
    assert renewal["ok"]
    assert renewal["tried"] > before
    site.sh("rm /etc/cron.d/hub-certbot")


@pytest.mark.slow
def test_an_authority_of_its_own(site: Site) -> None:
    """On a closed network: the root can be fetched, and signs for nothing but this hub."""
    applied(site.converge(edge_tls_mode="self_signed"))
    assert not site.host.file("/etc/systemd/system/hub-certbot.timer").exists
    root = site.local_root()
    assert site.served(root).names == {NAME}
    fetched = requests.get(f"http://{NAME}/_edge/ca.crt", timeout=10)
    assert fetched.text.strip() == site.sh("cat /data/hubs/hub/certificate/ca.crt")
    assert fetched.headers["Content-Type"] == "application/x-x509-ca-cert"
    text = site.sh("openssl x509 -noout -text -in /data/hubs/hub/certificate/ca.crt")
    assert f"Permitted: DNS:{NAME}" in " ".join(text.split())
    said = site.play(PROJECT / "playbooks/verify.yml", edge_tls_mode="self_signed")
    applied(said)
    assert f"Certificate of {NAME} by CN=hub on {NAME}" in said
    assert "changed=0" in site.converge(edge_tls_mode="self_signed")


def make(names: str, key: str, certificate: str) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=provided",
         "-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.mark.slow
def test_a_certificate_of_the_institutions(site: Site) -> None:
    key, certificate = str(EPHEMERAL / "own.key"), str(EPHEMERAL / "own.crt")
    provided = {"edge_tls_mode": "provided", "edge_tls_certificate": certificate, "edge_tls_key": key}
    make("DNS:other.example.test", key, certificate)
    said = site.play(PROJECT / "playbooks/validate.yml", **provided)
    assert f"edge_tls_certificate is not for {NAME}, only for other.example.test" in said
    make(f"DNS:{NAME}", key, certificate)
    said = site.play(PROJECT / "playbooks/validate.yml", jupyterhub_subdomains=True, **provided)
    assert f"edge_tls_certificate is not for {WILDCARD}, only for {NAME}" in said
    applied(site.converge(**provided))
    assert site.served(certificate).names == {NAME}
    assert "changed=0" in site.converge(**provided)


@pytest.mark.slow
def test_and_back(site: Site) -> None:
    """The old one serves until the authority's is there; account and certificate were kept."""
    applied(site.converge())
    assert site.served(site.root()).names == {NAME}
    assert site.host.service("hub-certbot.timer").is_running
    assert "changed=0" in site.converge()
