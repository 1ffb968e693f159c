# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After the first run."""

from __future__ import annotations

import json
import subprocess

import requests
from conftest import MACHINE, NAME, PROJECT, Site


def test_the_authoritys_certificate_is_served(site: Site) -> None:
    root = site.root()
    assert site.served(root).names == {NAME}
    assert requests.get(f"{site.url}/hub/login", verify=root, timeout=20).status_code == 200


def test_nobody_else_may_read_the_key(site: Site) -> None:
    paths = ("edge/tls-*.pem", "certbot", "certbot/cli.ini")
    held = site.sh(f"cd /data/hubs/hub && stat --format '%a %U %g %n' {' '.join(paths)}").splitlines()
    assert [line.split()[:3] for line in held] == [
        ["640", "root", "61080"],
        ["700", "root", "0"],
        ["600", "root", "0"],
    ]


def test_all_of_the_instance_is_below_its_root(site: Site) -> None:
    folders = set(site.sh("ls /data/hubs/hub").split())
    assert {"bin", "certbot", "certificate", "config", "edge", "hub", "secrets", "shared"} <= folders
    assert site.sh("ls -d /srv/* || true") == ""


def test_the_timer_renews(site: Site) -> None:
    timer = site.host.service("hub-certbot.timer")
    assert timer.is_enabled
    assert timer.is_running
    before = site.served(site.root())
    site.sh("systemctl start hub-certbot.service")
    # Not due: nothing happens, and that is remembered.
    assert site.served(site.root()) == before
    status = json.loads(site.sh("cat /data/hubs/hub/certificate/status.json"))
    assert status["renewal"]["ok"]
    assert status["served"]["serial"] == before.serial


def test_prometheus_learns_when_it_ends(site: Site) -> None:
    text = site.sh("cat /var/lib/prometheus/node-exporter/hub.prom")
    told = "openssl x509 -noout -enddate -in /data/hubs/hub/certbot/config/live/hub/cert.pem"
    ends = site.sh(f'date +%s --date="$({told} | cut -d= -f2)"')
    assert f'galilean_hub_certificate_not_after_timestamp_seconds{{instance_name="hub"}} {ends}\n' in text
    assert 'galilean_hub_certificate_renewal_ok{instance_name="hub"} 1\n' in text


def test_verify_checks_it(site: Site) -> None:
    said = site.play(PROJECT / "playbooks/verify.yml", jupyterhub_check_ca_file=site.root())
    assert said.endswith("rc=0"), said
    assert f"JupyterHub 6.1.1 is ready at {site.url}/" in said
    assert f"Certificate of {NAME} by CN=Pebble Intermediate CA" in said
    assert "systemctl stop hub" in said


def test_plain_http_leads_to_https(site: Site) -> None:
    answer = requests.get(f"http://{NAME}/hub/login", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{site.url}/hub/login")
    assert requests.get(f"http://{NAME}/.well-known/acme-challenge/none", timeout=10).status_code == 404


def test_the_hub_knows_who_comes(site: Site) -> None:
    """Through edge and proxy: this machine, as the host sees it."""
    requests.get(f"{site.url}/hub/login?who", verify=site.root(), timeout=10)
    client = subprocess.run(
        ["docker", "inspect", "--format", "{{.NetworkSettings.Gateway}}", MACHINE],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    assert f"GET /hub/login?who (@{client})" in site.sh("docker logs --since 1m hub-hub 2>&1")


def test_check_mode_changes_nothing(site: Site) -> None:
    before = site.served(site.root())
    said = site.converge("--check")
    assert said.endswith("rc=0"), said
    assert "changed=0" in said
    assert site.served(site.root()) == before
    # And it tells what another setting would do.
    said = site.converge("--check", edge_server_aliases=["www.example.test"])
    assert said.endswith("rc=0"), said
    assert site.served(site.root()) == before
