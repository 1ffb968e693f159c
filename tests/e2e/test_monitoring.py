# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub with metrics, watched by Prometheus and Alertmanager of the distribution on the same machine."""

from __future__ import annotations

import http.server
import json
import os
import re
import ssl
import subprocess
import threading
import typing as t
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from deployment import ROOT, Deployment, as_root, docker, server_of, wait_until
from user_client import UserClient

pytestmark = pytest.mark.slow

FIRST = int(os.environ.get("E2E_MONITORING_PORT", "8141"))
PROMETHEUS = f"http://127.0.0.1:{FIRST}"
FILES = ROOT / "roles" / "monitoring" / "files"
SERVICES = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter")
# What rules, console and dashboard speak of.
NAMES = re.compile(r"\b(?:galilean|jupyterhub|nginx|node)_[a-z_A-Z0-9]+")
# Of a certificate that an authority renews, and of a list of approvals: not of this hub.
ELSEWHERE = {
    "galilean_hub_certificate_renewal_ok": "roles/edge/files/galilean_certificate/status.py",
    "galilean_approval_list_age_seconds": "files/images/hub/galilean_hub/authorization/approval_source.py",
    "galilean_approval_list_refused": "files/images/hub/galilean_hub/authorization/approval_source.py",
}
# What a notebook tries: ports, and the hub's own page of metrics with its own token.
KNOCK = """
import os, socket, sys, urllib.error, urllib.request as r
for place in sys.argv[1:]:
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 3).close()
        print("open", place)
    except OSError:
        pass
own = {"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}
try:
    r.urlopen(r.Request("http://hub:8081/hub/metrics", headers=own), timeout=9)
    print("metrics")
except urllib.error.HTTPError as error:
    print(error.code)
"""


class Receiver:
    """Where Alertmanager posts alerts to."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, t.Any]] = []
        alerts = self.alerts

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                alerts.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: t.Any) -> None:
                pass

        self._server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def receiver() -> t.Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="module")
def settings(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> dict[str, t.Any]:
    return {
        "images_software_stack": "",
        "edge_tls_mode": "self_signed",
        "backup_repository": str(tmp_path_factory.mktemp("disk") / "hub"),
        "backup_password_saved": True,
        "monitoring_enabled": True,
        "monitoring_prometheus_port": FIRST,
        "monitoring_alertmanager_port": FIRST + 1,
        "monitoring_webhook_url": receiver.url,
    }


@pytest.fixture(scope="module")
def watched(site: Deployment, settings: dict[str, t.Any]) -> t.Iterator[Deployment]:
    """A hub with a user's server and a backup, watched from the same machine."""
    hosts = site.folder / "hosts.yml"
    text = hosts.read_text(encoding="utf-8")
    hosts.write_text(f"{text}monitoring:\n  hosts:\n    {site.instance}:\n", encoding="utf-8")
    site.url = site.url.replace("http:", "https:")
    site.set(**settings)
    outcome = site.run("site").assert_done()
    assert f"{PROMETHEUS}/consoles/hub.html" in outcome.flat()
    site.run("backup").assert_done()
    user = UserClient(site.url, site.token, "ada", ca=authority(site))
    user.start()
    program(site, "check")
    program(site, "metrics")
    yield site
    user.stop()
    for name in SERVICES:
        subprocess.run(as_root(["service", name, "stop"]), check=False, capture_output=True)


def authority(site: Deployment) -> str:
    return f"/srv/{site.instance}/certificate/ca.crt"


def program(site: Deployment, name: str) -> dict[str, t.Any]:
    """What one of the host's programs prints."""
    words = {"check": ["hubctl", "check", "--json"]}.get(name, [name])
    argv = as_root([f"/srv/{site.instance}/bin/{words[0]}", *words[1:]])
    return dict(json.loads(subprocess.run(argv, capture_output=True, text=True, check=False).stdout))


def scrape(site: Deployment, token: str) -> tuple[int, str]:
    """What somebody outside gets, who trusts the site's authority."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"{site.url}/_edge/metrics", headers=headers)
    context = ssl.create_default_context(cafile=authority(site))
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def ask(query: str) -> list[dict[str, t.Any]]:
    """What Prometheus answers now."""
    address = f"{PROMETHEUS}/api/v1/query?query={urllib.parse.quote(query)}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        found: list[dict[str, t.Any]] = json.load(answer)["data"]["result"]
    return found


def test_metrics_are_for_whoever_has_the_token(watched: Deployment) -> None:
    token = watched.secret("metrics-token")
    for wrong in ("", "0" * 64, token[:-1], f"{token}0", watched.secret("check-token")):
        status, text = scrape(watched, wrong)
        assert status == 403
        assert "galilean" not in text
    status, text = scrape(watched, token)
    assert status == 200
    assert re.search(r'galilean_hub_container_memory_bytes\{[^}]*part="user",user="ada"[^}]*\} [1-9]', text)
    assert re.search(r'galilean_hub_home_bytes\{[^}]*user="ada"\} [1-9]', text)
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert "error while linting" not in done.stderr, done.stderr


def test_a_notebook_reaches_none_of_it(watched: Deployment) -> None:
    users = f"{watched.instance}-users"
    shown = json.loads(docker("network", "inspect", users, "--format={{json .}}"))
    gateway = shown["IPAM"]["Config"][0]["Gateway"]
    proxy, edge = (
        json.loads(docker("inspect", watched.container(part), "--format={{json .NetworkSettings.Networks}}"))
        for part in ("proxy", "edge")
    )
    places = [f"{one['IPAddress']}:8002" for one in proxy.values()]
    places += [f"{one['IPAddress']}:{port}" for one in edge.values() for port in (8080, 8443)]
    places += [f"{gateway}:{port}" for port in (9100, FIRST, FIRST + 1)]
    told = docker("exec", server_of(watched.instance, "ada"), "python3", "-c", KNOCK, *places)
    assert told.split() == ["403"]


def test_prometheus_has_all_that_rules_and_dashboards_speak_of(watched: Deployment) -> None:
    wait_until(lambda: bool(ask('up{job="galilean_hub"} == 1')), 150, "the first scrape")
    assert ask("up == 0") == []
    assert ask("galilean_hub_source_up == 0") == []
    assert ask("galilean_hub_part_up == 0") == []
    spoken: set[str] = set()
    for path in (FILES / "galilean_hub.rules.yml", FILES / "hub.html", FILES / "grafana" / "hubs.json"):
        found = set(NAMES.findall(path.read_text(encoding="utf-8"))) - {"galilean_hub"}
        assert found, path
        spoken |= found
    there = {one["metric"]["__name__"] for one in ask('count by (__name__) ({__name__!=""})')}
    assert spoken - there == set(ELSEWHERE)
    for name, place in ELSEWHERE.items():
        assert name.rpartition("_")[2] in (ROOT / place).read_text(encoding="utf-8")
    with urllib.request.urlopen(f"{PROMETHEUS}/consoles/hub.html", timeout=30) as answer:
        page = answer.read().decode()
    assert "all up" in page
    assert "<td>ada</td>" in page


def test_nothing_is_left_to_do_and_nothing_is_told(watched: Deployment) -> None:
    """Secrets are in files of those who need them, and the services listen for this host only."""
    watched.run("site", name="monitoring-again").assert_unchanged()
    token = watched.secret("metrics-token")
    lines = subprocess.run(["ps", "-eww", "--format", "args"], capture_output=True, text=True, check=True)
    assert token not in lines.stdout
    listing = subprocess.run(as_root(["ss", "-Hltn"]), capture_output=True, text=True, check=True).stdout
    for port in (9100, FIRST, FIRST + 1):
        assert re.findall(rf"(\S+):{port} ", listing) == ["127.0.0.1"]
    for path, mode in {
        f"/etc/prometheus/galilean_hub/{watched.instance}.token": "640 root prometheus",
        "/etc/prometheus/alertmanager.yml": "640 root prometheus",
        f"/srv/{watched.instance}/edge/metrics-token.conf": "640 root UNKNOWN",
    }.items():
        shown = subprocess.run(
            as_root(["stat", "--format=%a %U %G", path]), capture_output=True, text=True, check=True
        )
        assert shown.stdout.strip() == mode, path


def test_a_hub_that_is_away_is_told_to_the_receiver(watched: Deployment, receiver: Receiver) -> None:
    """A check finds it out at once, Prometheus within minutes; users' servers do not matter."""
    docker("stop", watched.container("hub"))
    try:
        assert program(watched, "check")["ok"] is False
        wait_until(lambda: "HubDown" in [one["labels"]["alertname"] for one in receiver.alerts], 480, "alert")
        down = next(one for one in receiver.alerts if one["labels"]["alertname"] == "HubDown")
        assert down["labels"]["hub"] == down["labels"]["instance_name"] == watched.instance
        assert "does not answer" in down["annotations"]["summary"]
        assert Path(ROOT, down["annotations"]["docs"].partition("#")[0]).is_file()
    finally:
        docker("start", watched.container("hub"))
    wait_until(lambda: bool(program(watched, "check").get("ok")), 120, "a good check")
    assert program(watched, "metrics")["problems"] == {}


def test_without_it_nothing_is_served(watched: Deployment, settings: dict[str, t.Any]) -> None:
    token = watched.secret("metrics-token")
    watched.set(**{**settings, "monitoring_enabled": False})
    (watched.folder / "hosts.yml").write_text(
        (watched.folder / "hosts.yml").read_text(encoding="utf-8").partition("monitoring:")[0],
        encoding="utf-8",
    )
    watched.run("configure", "--tags", "monitoring").assert_done()
    assert scrape(watched, token)[0] in (403, 404)
    assert not Path(f"/etc/cron.d/{watched.instance}-monitoring").exists()
    assert not Path(f"/srv/{watched.instance}/monitoring").exists()
