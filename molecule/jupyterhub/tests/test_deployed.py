# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""After the first run: the hub serves, as a unit of the system, and keeps its secrets to itself."""

from __future__ import annotations

import json

import pytest
from conftest import Hub


@pytest.fixture(scope="module")
def secrets(hub: Hub) -> dict[str, str]:
    names = hub.sh("ls /srv/hub/secrets").split()
    return {name: hub.sh(f"cat /srv/hub/secrets/{name}") for name in names}


def test_the_unit_runs_and_comes_with_the_host(hub: Hub) -> None:
    service = hub.host.service("hub")
    assert service.is_enabled
    assert service.is_running
    assert hub.sh("systemctl show hub --property Description --value") == "JupyterHub instance hub"


def test_the_journal_of_the_unit_has_what_the_containers_say(hub: Hub) -> None:
    hub.talk("api", "GET", "/hub/api/info")
    journal = hub.sh("sleep 1; journalctl --unit hub --output cat")
    assert "edge: " in journal
    assert "hub: [I " in journal
    assert "GET /hub/api/info" in journal


def test_a_shell_in_the_hub(hub: Hub) -> None:
    shell = "/srv/hub/bin/hubctl shell"
    assert hub.sh(f"{shell} jupyterhub --version") == "6.1.1"
    assert hub.sh(f"echo 'id -u' | {shell}") == hub.sh("id -u hub")
    assert hub.host.run(f"{shell} sh -c 'exit 7'").rc == 7


def test_what_pages_show_is_public_and_nothing_else_is(hub: Hub) -> None:
    observe = hub.talk("api", "GET", "/hub/static/site/look.json")
    assert observe["status"] == 200
    assert json.loads(observe["body"]) == {"title": "JupyterHub", "announcement": "", "links": []}
    for path in ("config.json", "../config.json", "%2e%2e/config.json", "../../../run/secrets/proxy-token"):
        assert hub.talk("api", "GET", f"/hub/static/site/{path}")["status"] == 404, path


def test_secrets_are_for_the_service_only(hub: Hub, secrets: dict[str, str]) -> None:
    folder = hub.host.file("/srv/hub/secrets")
    assert (folder.user, folder.group, folder.mode) == ("hub", "hub", 0o700)
    tokens = {"proxy-token", "check-token", "heal-token", "accounts-token", "metrics-token"}
    assert {"cookie-secret", "crypt-key", *tokens} <= set(secrets)
    for name in secrets:
        file = hub.host.file(f"/srv/hub/secrets/{name}")
        assert (file.user, file.group, file.mode) == ("hub", "hub", 0o600), name
    database = hub.host.file("/srv/hub/hub")
    assert (database.user, database.mode) == ("hub", 0o700)


@pytest.mark.parametrize(
    "place",
    [
        "docker inspect $(docker ps --all --quiet)",
        "docker inspect $(docker image ls --quiet)",
        "ps -eww --format args",
        "cat /proc/[0-9]*/environ | tr '\\0' '\\n'",
        "journalctl --quiet",
        "cat /srv/hub/config/* /etc/systemd/system/hub.service /srv/hub/bin/*",
    ],
)
def test_no_secret_is_to_be_seen(hub: Hub, secrets: dict[str, str], alice: str, place: str) -> None:
    assert alice in hub.running()
    # Processes come and go while this reads.
    seen = hub.host.run(place).stdout
    assert len(seen) > 200
    # outgoing-proxy, of a site that has none.
    assert [name for name, value in secrets.items() if value != "{}" and value in seen] == []


def test_nothing_of_it_runs_as_root(hub: Hub, alice: str) -> None:
    for container in ("hub-hub", "hub-broker", "hub-proxy", alice):
        uids = set(hub.sh(f"docker top {container} -e -o pid,uid | awk 'NR > 1 {{print $2}}'").split())
        assert uids
        assert "0" not in uids, container
    assert hub.sh("docker top hub-hub -e -o pid,uid | awk 'END {print $2}'") == hub.sh("id -u hub")


@pytest.mark.parametrize("container", ["hub-hub", "hub-broker", "hub-proxy", "hub-edge", "alice"])
def test_containers_have_no_privileges(hub: Hub, alice: str, container: str) -> None:
    container = alice if container == "alice" else container
    status = hub.sh(f"cat /proc/{hub.inspect(container, '{{.State.Pid}}')}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {int(facts[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")} == {0}
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
