# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A site's own wishes: headers, and a load balancer in front that sets headers or speaks the PROXY protocol.

The host itself is the load balancer, another container is somebody else.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import typing as t

import pytest
import requests
from conftest import PERSON, SCENARIO, Edge

FRAMED = "frame-ancestors 'self' \"https://lms.example.org\""
SETTINGS: dict[str, t.Any] = {
    "edge_bind_address": "0.0.0.0",
    "edge_tls_mode": "off",
    "edge_trusted_proxies": ["127.0.0.1", "192.0.2.0/24"],
    "edge_security_headers": {
        "x-frame-options": "",
        "Referrer-Policy": "same-origin",
        "Content-Security-Policy": FRAMED,
    },
    "edge_login_rate": 6,
    "edge_login_burst": 1,
}


@pytest.fixture(scope="module")
def balanced(upstream: Edge) -> Edge:
    said = upstream.converge(**SETTINGS)
    assert said.endswith("rc=0"), said
    upstream.wait_for(200, "/hub/health", {})
    return upstream


def test_the_operators_headers_count(balanced: Edge) -> None:
    """Instead of ours, and of those of hub and servers; without one, theirs pass."""
    for path, frames in (("/user/alice/own", "DENY"), ("/hub/home", None)):
        seen = balanced.get(path).headers
        assert seen["Referrer-Policy"] == "same-origin"
        assert seen["Content-Security-Policy"] == FRAMED
        assert seen.get("X-Frame-Options") == frames
    # The edge's own page keeps its own as well: browsers obey both.
    assert "default-src 'none'" in balanced.get("/none503", PERSON).headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("said", "scheme", "port"),
    [
        ({"X-Forwarded-Proto": "https"}, "https", ""),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}, "https", "443"),
        ({"X-Forwarded-Proto": "http", "X-Forwarded-Port": "80"}, "http", "80"),
        ({"X-Forwarded-Proto": "https, http", "X-Forwarded-Port": "443, 80"}, "http", ""),
        ({}, "http", ""),
    ],
)
def test_a_load_balancer_is_believed(balanced: Edge, said: dict[str, str], scheme: str, port: str) -> None:
    """The last address that is none of its own: what stands before was written by the browser."""
    addresses = "203.0.113.9, 198.51.100.7, 192.0.2.7"
    answer = balanced.get("/hub/home", {"X-Forwarded-For": addresses, "X-Real-IP": "203.0.113.9", **said})
    seen = answer.json()["headers"]
    assert seen["x-forwarded-for"] == seen["x-real-ip"] == "198.51.100.7"
    assert seen["x-forwarded-proto"] == seen["x-scheme"] == scheme
    assert seen["x-forwarded-port"] == (port or str(balanced.port))
    assert answer.headers.get("Strict-Transport-Security") == (
        "max-age=15552000" if scheme == "https" else None
    )
    assert balanced.logs("198.51.100.7 ["), balanced.log()


def test_a_name_without_port_has_that_of_its_scheme(balanced: Edge) -> None:
    for scheme, port in (("https", "443"), ("http", "80")):
        said = {"Host": "hub.example.org", "X-Forwarded-Proto": scheme}
        assert balanced.get("/hub/home", said).json()["headers"]["x-forwarded-port"] == port


def test_nobody_else_is_let_in(balanced: Edge) -> None:
    """Whatever they claim; only the health is for everybody."""
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7", "X-Forwarded-Proto": "https"}
    paths = ["/", "/hub/home", "/none503", "/_edge/ready", "/_edge/away.css", "/_edge/health/../../hub/home"]
    answers = balanced.untrusted_client(8080, *({"path": path, "headers": forged} for path in paths))
    assert [status for status, _body in answers] == [403] * len(paths)
    ((status, body),) = balanced.untrusted_client(8080, {"path": "/_edge/health", "headers": {}})
    assert (status, body) == (200, balanced.get("/_edge/health").text)


def test_logins_are_counted_for_people_and_not_for_the_balancer(balanced: Edge) -> None:
    """Two at once with these settings; an IPv6 network is one of them, whatever address in it is used."""

    def log_in(address: str) -> int:
        headers = {"X-Forwarded-For": address}
        answer = requests.post(balanced.url("/hub/login"), headers=headers, timeout=10)
        assert answer.status_code == 200 or answer.headers["Retry-After"] == "10"
        return answer.status_code

    one, other = "2001:db8:1:2", "2001:db8:1:3"
    assert [log_in(f"{one}:{tail}") for tail in ("a:b:c:d", ":1", ":2", "ffff::")] == [200, 200, 429, 429]
    assert [log_in(f"{other}::{tail}") for tail in (1, 2, 3)] == [200, 200, 429]
    assert [log_in("198.51.100.10") for _ in range(3)] == [200, 200, 429]
    # A neighbour, and an address with the byte of a line's end.
    assert log_in("198.51.100.11") == log_in("2001:db8:a:a0a::1") == 200


def test_users_servers_have_names_behind_a_balancer(balanced: Edge) -> None:
    """It has the certificate, and passes Host on: what is said of names and cookies is right for browsers."""
    said = balanced.converge(**SETTINGS, edge_server_name="hub.example.org", edge_subdomains=True)
    assert said.endswith("rc=0"), said
    below = {"Host": "alice.hub.example.org", "X-Forwarded-Proto": "https"}
    answer = balanced.get("/user/alice/own", below)
    seen = answer.json()["headers"]
    assert (seen["host"], seen["x-forwarded-proto"]) == (below["Host"], "https")
    assert seen["x-forwarded-port"] == "443"
    assert "Domain=alice.hub.example.org;" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=15552000; includeSubDomains"
    answer = balanced.get("/hub/home?a=b", {**PERSON, **below})
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://hub.example.org/hub/home?a=b")
    at_hub = {"Host": "hub.example.org", "X-Forwarded-Proto": "https"}
    assert balanced.get("/hub/home", at_hub).status_code == 200
    neighbour = {**at_hub, "Origin": "https://alice.hub.example.org"}
    assert balanced.get("/hub/home", neighbour).status_code == 403


PROXY = "PROXY TCP4 203.0.113.9 198.51.100.1 5555 443"


def ask(edge: Edge, **request: t.Any) -> tuple[int, dict[str, t.Any]]:
    """From here, by the same means as the untrusted client."""
    spec = importlib.util.spec_from_file_location("untrusted_client", SCENARIO / "files/untrusted_client.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "gopher", "X-Forwarded-Port": "70"}
    status, body = module.ask("127.0.0.1", edge.port, path="/hub/home", headers=forged, **request)
    return status, json.loads(body)["headers"]


@pytest.fixture(scope="module")
def spoken(balanced: Edge) -> Edge:
    """The PROXY protocol, and encryption by the edge itself."""
    settings = {"edge_bind_address": "127.0.0.1", "edge_tls_mode": "self_signed", "edge_proxy_protocol": True}
    said = balanced.converge(**{**SETTINGS, **settings}, edge_http_port=balanced.port + 1)
    assert said.endswith("rc=0"), said
    return balanced


@pytest.mark.parametrize(
    ("line", "address"),
    [
        (PROXY, "203.0.113.9"),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 5555 443", "2001:db8::7"),
        ("PROXY UNKNOWN", ""),
    ],
)
def test_the_proxy_protocol_is_believed(spoken: Edge, line: str, address: str) -> None:
    """And headers are not: they came from the browser."""
    status, seen = ask(spoken, proxy=line, tls=True)
    assert (status, seen["x-forwarded-proto"], seen["x-forwarded-port"]) == (200, "https", str(spoken.port))
    assert seen["x-forwarded-for"] == seen["x-real-ip"]
    assert seen["x-real-ip"] == address if address else seen["x-real-ip"] not in ("192.0.2.7", "203.0.113.9")


def test_the_proxy_protocol_of_strangers_is_not(spoken: Edge) -> None:
    ((status, body),) = spoken.untrusted_client(
        9443, {"path": "/hub/home", "headers": {}, "proxy": PROXY, "tls": True}
    )
    seen = json.loads(body)["headers"]
    assert status == 200
    assert seen["x-real-ip"] not in ("203.0.113.9", "127.0.0.1")


def test_nothing_else_is_spoken(spoken: Edge) -> None:
    for address in (spoken.url("/", "https"), f"http://127.0.0.1:{spoken.port + 1}/"):
        with pytest.raises(requests.ConnectionError):
            requests.get(address, timeout=10, verify=False)


def test_the_certificate_is_looked_after(spoken: Edge) -> None:
    """By a program on the host, which speaks it as well."""
    program = spoken.folder.parent / "bin/certificate"
    done = subprocess.run([program, "status"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["served"]["names"] == ["127.0.0.1"]


def test_a_balancer_that_encrypts_and_speaks_it(spoken: Edge) -> None:
    """It has no header for the scheme; the port that the browser came to tells."""
    said = spoken.converge(**SETTINGS, edge_proxy_protocol=True)
    assert said.endswith("rc=0"), said
    for line, scheme in ((PROXY, "https"), (PROXY.replace("443", "80"), "http")):
        status, seen = ask(spoken, proxy=line)
        assert (status, seen["x-real-ip"], seen["x-forwarded-proto"]) == (200, "203.0.113.9", scheme)
    forged = {"path": "/hub/home", "headers": {}, "proxy": PROXY.replace("203.0.113.9", "192.0.2.7")}
    assert spoken.untrusted_client(9080, forged)[0][0] == 403
