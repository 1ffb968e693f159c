# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What users notice while parts of the hub stop, crash and come back: their servers run on."""

from __future__ import annotations

import contextlib
import json
import shlex
import typing as t

import pytest
from conftest import SCENARIO, Hub

STATUS = "/user/alice/api/status"
# What a browser gets.
PAGE = """
import http.client, json
hub = http.client.HTTPConnection("127.0.0.1:8000")
hub.request("GET", "/hub/home", headers={"Accept": "text/html"})
answer = hub.getresponse()
print(json.dumps([answer.status, answer.getheader("Retry-After"), answer.read().decode()]))
"""


@contextlib.contextmanager
def watched(hub: Hub) -> t.Iterator[dict[str, int]]:
    """Ask Alice's server all the time; afterwards the yielded dictionary says how often it answered what."""
    seen: dict[str, int] = {}
    hub.sh("rm -f /root/enough /root/enough.json")
    hub.sh(f"systemd-run --quiet --unit watch python3 /root/talk.py watch {STATUS} /root/enough")
    yield seen
    hub.sh("touch /root/enough")
    hub.sh("while systemctl --quiet is-active watch; do sleep 0.1; done")
    seen.update(json.loads(hub.sh("cat /root/enough.json")))


@pytest.fixture(scope="module")
def session(hub: Hub) -> str:
    """Alice logs in with a browser, and makes herself a token."""
    return str(hub.talk("login", "alice", "/root/alice.cookies"))


@pytest.fixture(scope="module", autouse=True)
def work(hub: Hub, alice: str) -> None:
    """Something that she has written."""
    hub.sh(f"docker exec {alice} sh -c 'echo mine > ~/work.txt'")


def still_hers(hub: Hub, session: str) -> None:
    """Login, token and home are as before."""
    assert hub.talk("home", "/root/alice.cookies") == "http://127.0.0.1:8000/hub/home"
    answer = hub.talk("api", "GET", "/hub/api/user", session)
    assert (answer["status"], json.loads(answer["body"])["name"]) == (200, "alice")
    home = hub.sh("docker volume inspect --format '{{.Mountpoint}}' hub-home-alice")
    assert hub.sh(f"cat {home}/work.txt") == "mine"


def test_a_hub_that_crashed_comes_back(hub: Hub, alice: str, session: str) -> None:
    """And nobody notices. tests/e2e restarts it under a kernel that answers."""
    before = hub.started(alice), hub.started("hub-hub")
    with watched(hub) as seen:
        hub.sh("kill -KILL $(docker inspect --format '{{.State.Pid}}' hub-hub)")
        hub.sh("for i in $(seq 50); do docker ps | grep -q ' hub-hub$' && exit 0; sleep 0.2; done; exit 1")
        hub.wait()
        # A slow machine asks less often: it goes on until that is often enough.
        hub.sh("sleep 3")
    assert list(seen) == ["200"]
    assert seen["200"] > 20
    server = hub.api("GET", "/users/alice")[1]["servers"][""]
    assert server["ready"]
    assert hub.started(alice) == before[0]
    assert hub.started("hub-hub") != before[1]
    still_hers(hub, session)


def test_stop_and_start(hub: Hub, alice: str, session: str) -> None:
    before = hub.started(alice)
    volumes = hub.sh("docker volume ls --quiet")
    assert "hub-home-alice" in volumes
    with watched(hub) as seen:
        hub.sh("systemctl stop hub")
        assert hub.running() & set(hub.containers) == {"hub-edge", "hub-proxy"}
        # Who asks for a page is told; who is at work goes on.
        status, retry, page = json.loads(hub.sh(f"python3 -c {shlex.quote(PAGE)}"))
        assert (status, retry) == (503, "5")
        assert "will be right back" in page
    assert list(seen) == ["200"]
    # The door, too.
    hub.sh("/srv/hub/bin/service stop all")
    assert hub.running().isdisjoint(hub.containers)
    assert hub.running() >= {alice}
    assert hub.started(alice) == before
    assert hub.probe("", "127.0.0.1:8000") == {"127.0.0.1:8000": "ConnectionRefusedError"}
    assert hub.sh("docker volume ls --quiet") == volumes
    hub.sh("systemctl start hub")
    hub.wait()
    assert hub.wait(STATUS) < 5
    assert hub.started(alice) == before
    still_hers(hub, session)


def test_a_restart_of_the_engine(hub: Hub, alice: str, session: str) -> None:
    before = hub.started(alice)
    hub.sh("systemctl restart docker")
    # Not by way of the edge: here its workers look for the proxy for the first time since.
    hub.sh("/srv/hub/bin/service wait 60")
    with watched(hub) as seen:
        hub.sh("sleep 8")
    assert list(seen) == ["200"]
    assert hub.host.service("hub").is_running
    assert hub.started(alice) == before
    still_hers(hub, session)


def test_a_misspelled_trait_stops_the_run_and_not_the_hub(hub: Hub) -> None:
    before = [hub.started(container) for container in hub.containers]
    networks = hub.sh("docker network ls --no-trunc --quiet")
    wrong = {"JupyterHub": {"concurent_spawn_limit": 5}, "DockerSpawner": {"remove": "perhaps"}}
    said = hub.play(SCENARIO / "converge.yml", "--tags=jupyterhub", jupyterhub_config_extra=wrong)
    assert said.endswith("rc=2"), said
    assert "JupyterHub has no such trait, did you mean concurrent_spawn_limit?" in said
    assert "DockerSpawner.remove is 'perhaps'" in said
    assert [hub.started(container) for container in hub.containers] == before
    assert "concurent" not in hub.sh("cat /srv/hub/config/config.json")
    # A run by tag knows less of the host; making networks anew would cut names and addresses off.
    assert hub.sh("docker network ls --no-trunc --quiet") == networks
    hub.wait(seconds=2)


def test_a_reboot_of_the_host(hub: Hub, session: str) -> None:
    rules = "iptables -S | grep GALILEAN | sort"
    before = hub.sh(rules)
    hub.reboot()
    hub.wait()
    assert hub.host.service("hub").is_running
    assert hub.running() >= set(hub.containers)
    assert hub.sh(rules) == before
    # Her server went with the host. The hub has noticed, and starts another one at her home.
    hub.start_server("alice")
    still_hers(hub, session)
