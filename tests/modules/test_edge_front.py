# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A front from its first instance to its last. What it serves is tested in molecule/front."""

from __future__ import annotations

import http.client
import socket
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import ModuleRunner, docker

ADDRESS = "127.0.0.1"
CONFIGURATION = """
daemon off;
pid /tmp/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/client;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    map "$front_asked:" $front_state { hostnames; default ""; include /etc/front/names/*.conf; }
    server {
        listen 8443;
        location ~ ^/_edge/front/(?<front_asked>[a-z0-9-]+)$ { return 200 "DIGEST $front_state\\n"; }
    }
}
"""
Front = t.Callable[..., dict[str, t.Any]]


def free_ports(count: int) -> list[int]:
    with socket.create_server((ADDRESS, 0)) as one, socket.create_server((ADDRESS, 0)) as two:
        return [server.getsockname()[1] for server in (one, two)][:count]


def knows(port: int, instance: str) -> bool:
    """Whether nginx has a file of the instance loaded."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=5)
    try:
        connection.request("GET", f"/_edge/front/{instance}")
        return len(connection.getresponse().read().split()) == 2
    finally:
        connection.close()


@pytest.fixture
def front(run_module: ModuleRunner, prefix: str, refs: dict[str, t.Any], tmp_path: Path) -> Iterator[Front]:
    name = f"{prefix}-front"

    def call(instance: str, state: str, check: bool = False, **params: t.Any) -> dict[str, t.Any]:
        given: dict[str, t.Any] = {"instance": instance, "state": state, "front": name, "root": str(tmp_path)}
        if state != "left":
            given |= {"address": ADDRESS, "image": refs["edge"]}
        if state == "joined":
            given |= {"configuration": CONFIGURATION, "names": [f"{instance}.example.org"]}
        return run_module("edge_front", check, **{**given, **params})

    yield call
    for instance in ("a", "b"):
        call(instance, "left")
    Path(f"/run/{name}.lock").unlink()


def test_life(front: Front, prefix: str, tmp_path: Path) -> None:
    container, folder = f"{prefix}-front-{ADDRESS}", tmp_path / f"{prefix}-front"
    port, further = free_ports(2)

    def started() -> str:
        return docker("inspect", "--format={{.Id}} {{.State.StartedAt}}", container)

    check = front("a", "joined", check=True, ports=[port])
    assert check["changed"] is True
    assert "+a.example.org a;" in check["printed"]
    assert not folder.exists()
    assert front("a", "started", check=True)["done"] == ["create"]
    assert "use the state joined before" in front("a", "started")["msg"]

    assert front("a", "joined", ports=[port])["done"] == ["files"]
    assert front("a", "joined", ports=[port])["changed"] is False
    assert container not in docker("ps", "--all", "--format={{.Names}}").split()
    assert front("a", "started")["done"] == ["network", "create"]
    assert front("a", "started")["changed"] is False
    assert knows(port, "a")
    first = started()

    assert front("b", "joined", ports=[port])["changed"] is True
    check = front("b", "started", check=True)
    assert check["done"] == ["reload"]
    assert not knows(port, "b")
    assert front("b", "started")["done"] == ["reload"]
    assert knows(port, "a")
    assert knows(port, "b")
    assert started() == first

    told = front("b", "joined", ports=[port], configuration="nonsense;")
    assert "nginx does not take the new configuration" in told["msg"]
    assert 'unknown directive "nonsense"' in told["msg"]
    assert front("b", "started")["changed"] is False

    docker("stop", "--time=5", container)
    assert front("a", "started")["done"] == ["start"]
    assert front("b", "joined", ports=[port, further])["changed"] is True
    assert front("b", "started")["done"] == ["replace"]
    assert knows(further, "a")
    second = started()
    assert second != first

    # The others go on; a port too many is closed once nobody else is there.
    assert front("b", "left", check=True)["done"] == [f"left {container}"]
    assert knows(port, "b")
    assert front("b", "left")["done"] == [f"left {container}"]
    assert front("b", "left")["changed"] is False
    assert not knows(port, "b")
    assert started() == second
    assert front("a", "started")["done"] == ["replace"]
    with pytest.raises(ConnectionError):
        knows(further, "a")

    assert front("a", "left", address=ADDRESS)["changed"] is False
    assert front("a", "left")["done"] == [f"removed {container}"]
    assert not folder.exists()
    assert container not in docker("ps", "--all", "--format={{.Names}}").split()
    assert container not in docker("network", "ls", "--format={{.Name}}").split()


def test_a_port_that_is_taken(front: Front, prefix: str) -> None:
    """Named in the error; the front that ran before goes on."""
    container = f"{prefix}-front-{ADDRESS}"
    (port,) = free_ports(1)
    assert front("a", "joined", ports=[port])["changed"] is True
    assert front("a", "started")["changed"] is True
    with socket.create_server((ADDRESS, 0)) as taken:
        assert front("b", "joined", ports=[port, taken.getsockname()[1]])["changed"] is True
        told = front("b", "started")
        assert told["failed"], told
        assert f"The front {container} cannot be started" in told["msg"]
        assert str(taken.getsockname()[1]) in told["msg"]
    assert knows(port, "a")
    assert docker("ps", "--all", "--format={{.Names}}", f"--filter=name={container}").split() == [container]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"ports": [0]}, "b has no ports or no names: give one of each at least."),
        ({"ports": [1], "address": "host"}, "address is 'host': give an IP address of the host."),
    ],
)
def test_what_is_refused(front: Front, params: dict[str, t.Any], message: str) -> None:
    assert front("b", "joined", **params)["msg"] == message
