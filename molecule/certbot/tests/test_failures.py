# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Authorities that are away, that refuse, that revoke; runs that are killed. What was served is served on."""

from __future__ import annotations

import typing as t

import pytest
from conftest import CERTBOT, NAME, PROJECT, Served, Site, wait_until

# Says, as an authority that has had enough of somebody, what RFC 8555 has for that. Pebble has no limits.
LIMITED = """
import json, ssl
from http.server import BaseHTTPRequestHandler, HTTPServer
URL = "https://127.0.0.1:14000/"
NAMES = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
class Handler(BaseHTTPRequestHandler):
    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Replay-Nonce", "bm9uY2Ux")
        self.send_header("Content-Type", "application/json" if status == 200 else "application/problem+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)
    def do_GET(self):
        self.answer(200, {name: URL + name for name in NAMES})
    do_HEAD = do_GET
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        problem = "urn:ietf:params:acme:error:rateLimited"
        self.answer(429, {"type": problem, "detail": "too many certificates this week"})
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", 14000), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/etc/pebble.crt", "/etc/pebble.key")
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


@pytest.fixture
def before(site: Site) -> t.Iterator[Served]:
    """A certificate that is served, and an authority that answers again afterwards."""
    site.pebble()
    site.force()
    yield site.served(site.root())
    site.pebble()


def renewal(site: Site) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", site.certificate("status")["renewal"])


def test_an_authority_that_is_away(site: Site, before: Served) -> None:
    root = site.root()
    site.sh("systemctl stop pebble")
    answer = site.certificate("issue", "--force", works=False)
    assert answer["usable"]
    assert answer["complaint"] == (
        "The ACME directory https://127.0.0.1:14000/dir cannot be reached from this host: check "
        "certbot_directory, the network, and certbot_environment where a proxy is needed."
    )
    assert site.served(root) == before
    assert not renewal(site)["ok"]
    assert renewal(site)["succeeded"] < renewal(site)["tried"]
    assert 'galilean_hub_certificate_renewal_ok{instance_name="hub"} 0\n' in site.sh(
        "cat /var/lib/prometheus/node-exporter/hub.prom"
    )
    # A run goes on, as the old one is good; verify says what is wrong.
    said = site.converge()
    assert said.endswith("rc=0"), said
    assert "changed=0" in said
    said = site.play(PROJECT / "playbooks/verify.yml", jupyterhub_check_ca_file=root)
    assert not said.endswith("rc=0")
    assert "The last renewal of the certificate failed" in said
    # The timer's unit fails for all to see, and heals itself.
    assert not site.host.run("systemctl start hub-certbot.service").failed
    site.pebble()
    site.sh("systemctl start hub-certbot.service")
    assert renewal(site)["ok"]


@pytest.mark.slow
def test_a_name_that_leads_to_somebody_else(site: Site, before: Served) -> None:
    root = site.root()
    image = site.sh("docker inspect --format '{{.Config.Image}}' hub-edge")
    site.sh(f"docker run --detach --name stranger {image} python3 -m http.server 80")
    site.record(NAME, site.sh("docker inspect --format '{{.NetworkSettings.IPAddress}}' stranger"))
    try:
        answer = site.certificate("issue", "--force", works=False)
    finally:
        site.record(NAME, "127.0.0.1")
        site.sh("docker rm --force stranger")
    assert answer["complaint"].startswith(f"{NAME} was not validated (")
    assert answer["complaint"].endswith(
        "what answers at the name is not this host, or its answer is an old one)."
    )
    assert answer["usable"]
    assert site.served(root) == before


@pytest.mark.slow
def test_an_authority_that_has_had_enough(site: Site, before: Served) -> None:
    root = site.root()
    site.sh("systemctl stop pebble")
    site.sh(f"cat >/root/limited.py <<'EOT'\n{LIMITED}\nEOT")
    site.sh(
        "rm -rf /data/hubs/hub/certbot/config/accounts; "
        "systemd-run --quiet --unit limited python3 /root/limited.py; sleep 1"
    )
    try:
        answer = site.certificate("issue", "--force", works=False)
    finally:
        site.sh("systemctl stop limited")
    assert answer["complaint"] == (
        "The certificate authority issues no more for now (too many certificates this week): wait, or set "
        "certbot_staging while you try things out."
    )
    assert site.served(root) == before


def test_a_key_that_does_not_fit(site: Site, before: Served) -> None:
    """Jukebox's first renewal: the new certificate with the old key."""
    live = "/data/hubs/hub/certbot/config/live/hub"
    site.sh(
        f"rm -rf /root/odd; mkdir /root/odd; cp {live}/fullchain.pem /root/odd; "
        "openssl ecparam -name prime256v1 -genkey -noout -out /root/odd/privkey.pem"
    )
    answer = site.certificate("install", "/root/odd", works=False)
    assert answer["complaint"] == "The new key does not belong to the new certificate."
    assert site.served(site.root()) == before
    assert len(site.sh("ls /data/hubs/hub/edge/tls-*.pem").split()) == 1


@pytest.mark.slow
def test_nginx_that_does_not_take_it(site: Site, before: Served) -> None:
    """Good for OpenSSL, but not served in the end, where a reload is needed: the old pair comes back."""
    assert site.converge(edge_ocsp_stapling=True).endswith("rc=0")
    site.sh(
        "rm -rf /root/other; mkdir /root/other; "
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
        f"-subj /CN={NAME} -days 9 -keyout /root/other/privkey.pem -out /root/other/fullchain.pem 2>&1"
    )
    conf = "/data/hubs/hub/edge/nginx.conf"
    named = site.sh("cat /data/hubs/hub/edge/tls.conf")
    site.sh(f"cp -p {conf} /root/nginx.conf; sed -i 's/^http {{/http {{ nonsense;/' {conf}")
    try:
        answer = site.certificate("install", "/root/other", works=False)
    finally:
        site.sh(f"cp -p /root/nginx.conf {conf}")
    assert answer["complaint"].startswith("nginx does not take the new certificate: ")
    assert site.served(site.root()) == before
    assert site.sh("cat /data/hubs/hub/edge/tls.conf") == named
    assert site.certificate("install")["changed"] is False
    assert site.converge().endswith("rc=0")
    assert site.served(site.root()) == before


def test_a_killed_renewal_is_finished(site: Site, before: Served) -> None:
    """Killed when the authority had signed, and nginx did not know yet."""
    root = site.root()
    site.sh(CERTBOT.format("renew --force-renewal --deploy-hook true") + " >/dev/null 2>&1")
    assert site.served(root) == before
    answer = site.certificate("issue")
    assert (answer["changed"], answer["why"]) == (True, "")
    assert site.served(root) != before


@pytest.mark.slow
def test_a_revoked_one_is_replaced(site: Site, before: Served) -> None:
    """By the timer. By OCSP: the responder is openssl's, with the authority's own key."""
    live = "/data/hubs/hub/certbot/config/live/hub"
    site.sh(
        "cd /root; for what in intermediates intermediate-keys; do "
        "curl --silent --fail --cacert /etc/pebble.crt https://127.0.0.1:15000/$what/0 >$what.pem; done; "
        f"serial=$(openssl x509 -noout -serial -in {live}/cert.pem | cut -d= -f2); "
        "printf 'R\\t310101000000Z\\t261101000000Z\\t%s\\tunknown\\t/CN=hub\\n' $serial >index.txt; "
        "systemd-run --quiet --unit ocsp --property WorkingDirectory=/root "
        "openssl ocsp -port 4002 -index index.txt -CA intermediates.pem -rsigner intermediates.pem "
        "-rkey intermediate-keys.pem; sleep 1"
    )
    try:
        site.sh("systemctl start hub-certbot.service")
    finally:
        site.sh("systemctl stop ocsp")
    assert site.served(site.root()) != before


@pytest.mark.slow
def test_a_run_that_is_killed_leaves_nothing_behind(site: Site, before: Served) -> None:
    root = site.root()
    site.sh("systemd-run --quiet --unit killed /data/hubs/hub/bin/certificate issue --force")
    wait_until(lambda: "certbot" in site.sh("ps -e -o comm="), 20, "certbot")
    site.sh("systemctl kill --signal=KILL killed; systemctl reset-failed killed || true")
    assert site.served(root).names == before.names
    answer = site.certificate("issue", "--force")
    assert answer["changed"]
    assert site.served(root) != before
