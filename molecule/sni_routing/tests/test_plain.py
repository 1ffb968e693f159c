# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Without encryption, on loopback: told apart by the Host header. And the end of it all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from conftest import Hub, converge, docker, echoes, run, started


@pytest.fixture(scope="module")
def plain(a: Hub, b: Hub) -> tuple[Hub, Hub]:
    """Both without TLS; in the port for redirects nothing is left to publish."""
    converge("a,b", edge_tls_mode="off", edge_http_port=0)
    for hub in (a, b):
        hub.wait_for(200, lambda hub=hub: hub.ask(over=hub.plain()))  # type: ignore[misc]
    return a, b


def test_each_answers_to_its_name(plain: tuple[Hub, Hub]) -> None:
    for hub in plain:
        forged = {
            "X-Forwarded-For": "192.0.2.7",
            "X-Real-IP": "192.0.2.7",
            "X-Scheme": "https",
            "Forwarded": "x",
        }
        headers = hub.ask("/", forged, over=hub.plain()).seen()
        assert headers["host"] == f"{hub.name}:{hub.port}"
        gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", hub.router)
        assert headers["x-forwarded-for"] == headers["x-real-ip"] == gateway
        assert headers["x-forwarded-proto"] == headers["x-scheme"] == "http"
        assert headers["x-forwarded-port"] == str(hub.port)
        assert "forwarded" not in headers


def test_an_unknown_name_finds_nothing(plain: tuple[Hub, Hub]) -> None:
    for name in ("c.sni.test", "127.0.0.1", "localhost"):
        assert plain[0].ask(name=name, over=plain[0].plain()).status == 404


def test_uploads_and_large_headers_pass(plain: tuple[Hub, Hub]) -> None:
    size = 64 * 2**20
    chunk = os.urandom(2**20)
    head = {"Content-Length": str(size), "Cookie": "jupyterhub-x=" + "x" * 13000}
    hub = plain[0]
    answer = hub.ask("/user/alice/big", head, over=hub.plain(), method="PUT", body=(chunk for _ in range(64)))
    assert json.loads(answer.text) == {"received": size}
    refused = hub.ask("/hub/home", {"Cookie": "x=" + "x" * 20000}, over=hub.plain())
    assert refused.status == 431
    assert "Your browser sent too many cookies" in refused.text


def test_a_websocket_survives_the_other_one(plain: tuple[Hub, Hub]) -> None:
    a, b = plain
    before = started(a.router)
    kernel = a.kernel(a.plain())
    assert echoes(kernel)
    converge("b", edge_tls_mode="off", edge_http_port=0, edge_server_aliases=["other.sni.test"])
    assert b.ask(name="other.sni.test", over=b.plain()).status == 200
    assert run("b", "remove.yml").endswith("rc=0")
    assert b.ask(over=b.plain()).status == 404
    assert echoes(kernel)
    kernel.close()
    assert started(a.router) == before


def test_the_last_one_takes_the_router_along(plain: tuple[Hub, Hub]) -> None:
    """The port for redirects, which nobody asks for any more, ends when nobody else is there."""
    a = plain[0]
    assert f"127.0.0.1:{a.port + 1}" in docker("port", a.router)
    converge("a", edge_tls_mode="off", edge_http_port=0)
    assert docker("port", a.router) == f"8443/tcp -> 127.0.0.1:{a.port}"
    assert a.router in docker("ps", "--format", "{{.Names}}").split()
    told = run("a", "remove.yml", "--check")
    assert told.endswith("rc=0"), told
    assert Path(a.router_folder).exists()
    assert run("a", "remove.yml").endswith("rc=0")
    assert not Path(a.router_folder).exists()
    assert a.router not in docker("ps", "--all", "--format", "{{.Names}}").split()
    assert a.router not in docker("network", "ls", "--format", "{{.Name}}").split()
    with pytest.raises(ConnectionError):
        a.plain()
    assert "changed=0" in run("a", "remove.yml")
