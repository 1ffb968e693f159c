# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who is led where, and what the instances see of the client."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time

import pytest
from conftest import EPHEMERAL, Hub, docker, echoes

# Runs in a container: asks an address by name over TLS, and prints its own address and what the upstream saw.
CLIENT = """
import json, socket, ssl, sys
address, name, head = sys.argv[1], sys.argv[2], sys.argv[3].encode().decode("unicode_escape").encode()
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
plain = socket.create_connection((address, 8443), timeout=5)
own = plain.getsockname()[0]
plain.sendall(head)
with context.wrap_socket(plain, server_hostname=name) as wrapped:
    wrapped.sendall(f"GET / HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n".encode())
    answer = b"".join(iter(lambda: wrapped.recv(65536), b""))
print(json.dumps([own, json.loads(answer.split(b"\\r\\n\\r\\n", 1)[1])["headers"]["x-forwarded-for"]]))
"""


def address_of(container: str, network: str) -> str:
    return docker(
        "inspect", "--format", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}', container
    )


def client(network: str, address: str, name: str, head: str = "") -> str:
    image = (EPHEMERAL / "image").read_text()
    argv = ["run", "--rm", "--network", network, image, "python3", "-c", CLIENT, address, name, head]
    return docker(*argv, check=False)


def test_each_has_its_own_certificate(a: Hub, b: Hub) -> None:
    """Over the same address and port. Neither's authority vouches for the other's."""
    assert a.ask("/hub/home").status == b.ask("/hub/home").status == 200
    assert b.ask("/hub/home", name="sub.b.sni.test").seen()["host"] == f"sub.b.sni.test:{b.port}"
    assert a.ask("/hub/home", name="A.Sni.Test").status == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        a.tls("b.sni.test")


def test_each_has_its_own_upstream(a: Hub, b: Hub) -> None:
    gateways = {
        docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", f"{hub.instance}-core")
        for hub in (a, b)
    }
    assert len(gateways) == 2
    for hub, other in ((a, b), (b, a)):
        docker("stop", "--time", "0", other.proxy)
        try:
            assert hub.ask("/hub/home").status == 200
        finally:
            docker("start", other.proxy)
            other.wait_for(200)


def test_browsers_may_speak_http2(a: Hub) -> None:
    argv = ["curl", "--silent", "--cacert", a.authority, "--resolve", f"{a.name}:{a.port}:127.0.0.1"]
    url = f"https://{a.name}:{a.port}/"
    done = subprocess.run(
        [*argv, "--write-out", "%{http_version}", "--output", "/dev/null", url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2"


def test_the_upstream_sees_the_client(a: Hub) -> None:
    """One in the router's own network, whose address nobody translates, and one through the host's port."""
    own, seen = json.loads(client(a.router, address_of(a.router, a.router), a.name))
    assert seen == own
    gateway = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", a.router)
    forged = {"X-Forwarded-For": "192.0.2.7", "X-Real-IP": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    headers = a.ask("/", forged).seen()
    assert headers["x-forwarded-for"] == headers["x-real-ip"] == gateway
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("https", str(a.port))
    assert "forwarded" not in headers


@pytest.mark.parametrize("where", ["router", "core"])
def test_nobody_can_claim_to_be_the_router(a: Hub, where: str) -> None:
    """A PROXY header is believed neither by the router, nor by the edge where hub and proxy reach it."""
    network, container = (a.router, a.router) if where == "router" else (f"{a.instance}-core", a.edge)
    head = "PROXY TCP4 192.0.2.7 192.0.2.8 1 443\\r\\n"
    assert json.loads(client(network, address_of(container, network), a.name))
    said = client(network, address_of(container, network), a.name, head)
    assert "SSL" in said
    assert "192.0.2.7" not in said


def test_an_unknown_name_gets_no_certificate(a: Hub) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name in ("c.sni.test", "sni.test", "x.a.sni.test", None):
        with a.plain() as plain, pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
            context.wrap_socket(plain, server_hostname=name)


@pytest.mark.parametrize("host", ["c.sni.test", "127.0.0.1", "default"])
def test_an_unknown_name_finds_nothing(a: Hub, host: str) -> None:
    for port in (a.port, a.port + 1):
        answer = a.ask("/hub/home", name=host, over=a.plain(port))
        assert answer.status == 404
        assert answer.headers["Server"] == "nginx"
        assert "nginx/" not in answer.text


def test_a_connection_is_for_one_instance(a: Hub) -> None:
    """Browsers reuse connections where a certificate has both names: 421 has them open another one."""
    assert a.ask("/hub/home", name="b.sni.test", over=a.tls()).status == 421


def test_plain_http_is_sent_on(a: Hub, b: Hub) -> None:
    """From the port for it, and from the other one, where somebody forgot the "s"."""
    for hub in (a, b):
        for port in (hub.port, hub.port + 1):
            answer = hub.ask("/lab?x=%2F", over=hub.plain(port))
            assert (answer.status, answer.headers["Location"]) == (
                308,
                f"https://{hub.name}:{hub.port}/lab?x=%2F",
            )


def test_websockets_pass(a: Hub, b: Hub) -> None:
    for hub in (a, b):
        kernel = hub.kernel()
        assert echoes(kernel)
        kernel.close()


def test_nothing_is_held_back(a: Hub) -> None:
    begin = time.monotonic()
    with a.tls() as wrapped:
        wrapped.sendall(f"GET /slow HTTP/1.1\r\nHost: {a.name}\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while not got.endswith(b"first"):
            got += wrapped.recv(65536)
        assert time.monotonic() - begin < 1.2


def test_large_uploads_pass(a: Hub) -> None:
    size = 64 * 2**20
    chunk = os.urandom(2**20)
    answer = a.ask(
        "/user/alice/big",
        {"Content-Length": str(size), "Authorization": "token x"},
        method="PUT",
        body=(chunk for _ in range(64)),
    )
    assert json.loads(answer.text) == {"received": size}


def test_the_router_has_no_rights(a: Hub) -> None:
    shape = "{{.Config.User}} {{with .HostConfig}}{{.ReadonlyRootfs}} {{.CapDrop}} {{.SecurityOpt}}{{end}}"
    assert docker("inspect", "--format", shape, a.router) == "61080:61080 true [ALL] [no-new-privileges:true]"
    shape = (
        "{{with .HostConfig}}{{.RestartPolicy.Name}} {{.Memory}} {{.PidsLimit}} {{.LogConfig.Config}}{{end}}"
    )
    policy, memory, rest = docker("inspect", "--format", shape, a.router).split(" ", 2)
    assert (policy, rest) == ("unless-stopped", "256 map[max-file:3 max-size:10m]")
    # A part of the host's.
    assert 256 * 2**20 <= int(memory) <= 4 * 2**30
    ports = docker("port", a.router).split("\n")
    assert sorted(ports) == [f"8443/tcp -> 127.0.0.1:{port}" for port in (a.port, a.port + 1)]
    assert docker("port", a.edge) == ""


def test_no_secret_is_in_the_routers_log(a: Hub) -> None:
    docker("stop", "--time", "0", a.edge)
    try:
        answer = a.ask("/hub/login?token=s3cret", over=a.plain())
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    finally:
        docker("start", a.edge)
        a.wait_for(200)
    a.ask("/hub/login?token=s3cret", name="c.sni.test", over=a.plain())
    log = docker("logs", a.router)
    assert "start worker process" in log
    assert "s3cret" not in log


def test_health_needs_no_instance(a: Hub) -> None:
    answer = a.ask("/_edge/sni", name="127.0.0.1", over=a.plain())
    assert (answer.status, answer.text) == (200, "up\n")


def test_the_program_on_the_host_finds_its_certificate(a: Hub, b: Hub) -> None:
    for hub in (a, b):
        told = subprocess.run(
            [f"/srv/{hub.instance}/bin/certificate", "status"], capture_output=True, text=True, check=True
        )
        assert json.loads(told.stdout)["served"]["names"][0] == hub.name


def test_silence_is_no_protocol(a: Hub) -> None:
    """What is neither TLS nor HTTP ends, and nothing of nginx is told."""
    with a.plain() as plain:
        plain.sendall(b"\x00\x01\x02 nonsense\r\n\r\n")
        told = plain.recv(65536)
    assert b"400 Bad Request" in told
    assert b"nginx/" not in told
