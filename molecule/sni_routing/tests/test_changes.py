# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Instances come, go, fail and change; the others do not notice."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from conftest import Hub, ansible, converge, docker, echoes, run, said, started


@pytest.fixture
def kernel(a: Hub) -> Iterator[websocket.WebSocket]:
    """A websocket of the one instance, which must live through whatever happens to the other one."""
    before = started(a.router), started(a.edge)
    kernel = a.kernel()
    assert echoes(kernel)
    yield kernel
    assert echoes(kernel)
    kernel.close()
    assert (started(a.router), started(a.edge)) == before


def test_other_names(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    told = converge("b", edge_server_aliases=["new.sni.test"])
    assert "changed=0" not in told
    assert b.ask(name="new.sni.test").status == 200
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        b.tls("sub.b.sni.test")
    assert echoes(kernel)
    assert a.ask().status == 200


def test_users_servers_with_names_of_their_own(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    """All names below the one instance's lead there, with its certificate, and nowhere else."""
    below = {"edge_server_aliases": [], "edge_subdomains": True}
    converge("b", **below)
    name = "anna.b.sni.test"
    answer = b.ask("/user/anna/lab", {"Cookie": "jupyterhub-x=x"}, name=name)
    assert answer.seen()["host"] == f"{name}:{b.port}"
    page = {"Accept": "text/html"}
    answer = b.ask("/hub/home", page, name=name)
    assert (answer.status, answer.headers["Location"]) == (302, f"https://b.sni.test:{b.port}/hub/home")
    answer = b.ask("/user/anna/lab", page, over=b.plain(b.port + 1), name=name)
    assert (answer.status, answer.headers["Location"]) == (308, f"https://{name}:{b.port}/user/anna/lab")
    assert b.ask("/user/anna/lab", name="a.sni.test", over=b.tls(name)).status == 421
    assert a.ask("/user/anna/lab", name=name, over=a.tls()).status == 421
    assert "changed=0" in run("b", **below)
    converge("b")


def test_gone_and_back(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    assert run("b", "remove.yml").endswith("rc=0")
    assert not b.file.exists()
    assert not (Path(a.router_folder) / "127.0.0.1/sockets" / b.instance).exists()
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        a.tls("b.sni.test")
    assert echoes(kernel)
    assert a.ask().status == 200
    converge("b")
    b.wait_for(200)
    assert b.ask(name="sub.b.sni.test").status == 200


def test_away(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    """An edge that is stopped, killed or hangs: the others go on, and it is found as soon as it is back."""
    docker("stop", "--time", "2", b.edge)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        b.tls()
    assert b.ask(over=b.plain()).status == 503
    assert a.ask().status == 200
    docker("start", b.edge)
    b.wait_for(200)
    # Leaves its sockets behind.
    docker("kill", b.edge)
    assert a.ask().status == 200
    docker("start", b.edge)
    b.wait_for(200)
    docker("pause", b.edge)
    try:
        assert a.ask().status == 200
        assert echoes(kernel)
    finally:
        docker("unpause", b.edge)
    b.wait_for(200)


def test_the_router_comes_back_alone(a: Hub, b: Hub) -> None:
    """At boot nobody waits for anybody."""
    docker("stop", a.edge, b.edge)
    docker("restart", a.router)
    a.wait_for(200, lambda: a.ask("/_edge/sni", over=a.plain()))
    docker("start", a.edge, b.edge)
    a.wait_for(200)
    b.wait_for(200)


def test_two_runs_at_once(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    runs = [ansible(hub.host, edge_server_aliases=[f"twice-{hub.host}.sni.test"]) for hub in (a, b)]
    ends = [said(one) for one in runs]
    assert [end[-4:] for end in ends] == ["rc=0", "rc=0"], ends
    for hub in (a, b):
        assert hub.ask(name=f"twice-{hub.host}.sni.test").status == 200
    assert echoes(kernel)


def test_a_name_that_is_taken(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    """By an instance of another inventory, which no check of settings can know of."""
    before = b.file.read_text()
    told = run("b", edge_server_aliases=["A.sni.test"])
    sentence = f"The name a.sni.test leads to the instance {a.instance} of this host already: "
    sentence += f"give {b.instance} another one (edge_server_name, edge_server_aliases)."
    assert sentence in told, told
    assert "changed=0" in told
    assert b.file.read_text() == before


def test_what_nginx_does_not_take(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    folder = b.file.parents[1]
    before = {file: file.read_bytes() for file in (b.file, folder / "nginx.conf")}
    # The names of the run before: the certificate stays.
    names = ["twice-b.sni.test"]
    told = run("b", __edge_sni_configuration="stream { nonsense; }", edge_server_aliases=names)
    assert "nginx refuses the new configuration of" in told
    assert "unknown directive" in told
    assert not told.endswith("rc=0")
    assert {file: file.read_bytes() for file in before} == before
    assert a.ask().status == b.ask().status == 200


def test_a_lost_reload_is_made_good(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    """A run that was killed after it wrote the file: nginx has an older one loaded."""
    converge("b")
    right = b.file.read_text()
    b.file.write_text(right.replace("*.b.sni.test", "lost.sni.test").replace(':" ', ':" 0'))
    argv = ["nginx", "-e", "/dev/stderr", "-c", "/etc/sni-router/nginx.conf", "-s", "reload"]
    docker("exec", a.router, *argv)
    b.wait_for(404, lambda: b.ask(name="sub.b.sni.test", over=b.plain()))
    b.file.write_text(right)
    assert "changed=1 " in converge("b")
    assert b.ask(name="sub.b.sni.test").status == 200


def test_a_router_that_is_gone_or_stopped_comes_back(a: Hub, b: Hub) -> None:
    docker("rm", "--force", a.router)
    assert "changed=0" not in converge("a")
    a.wait_for(200)
    b.wait_for(200)
    docker("stop", a.router)
    assert "changed=0" not in converge("b")
    a.wait_for(200)


def test_a_port_of_one_instance(a: Hub, b: Hub) -> None:
    """The router is replaced for it once. It stays open while others are there, who would lose theirs."""
    before = started(a.router)
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    converge("b", edge_port=own, edge_http_port=b.port + 1)
    after = started(a.router)
    assert after != before
    assert b.ask(over=b.tls(port=own)).status == a.ask().status == 200
    converge("b")
    assert started(a.router) == after
    assert f"127.0.0.1:{own}" in docker("port", a.router)


def test_the_newest_image_counts(a: Hub, b: Hub) -> None:
    """An instance with a newer release brings its image; one with an older release does not take it back."""
    newer = f"{a.router}:newer"
    docker("commit", "--change", "LABEL newer=yes", b.edge, newer)
    try:
        converge("b", edge_image=newer)
        with_newer = started(a.router)
        assert docker("inspect", "--format", "{{.Config.Image}}", a.router) == newer
        assert "changed=0" in converge("a")
        assert started(a.router) == with_newer
        assert a.ask().status == b.ask().status == 200
    finally:
        docker("rm", "--force", a.router)
        converge("b")
        docker("rmi", newer)


def test_check_mode_tells_and_does_nothing(kernel: websocket.WebSocket, b: Hub) -> None:
    before = b.file.read_text()
    told = run("b", "converge.yml", "--check", "--diff", edge_server_aliases=["new.sni.test"])
    assert told.endswith("rc=0"), told
    assert f"+new.sni.test {b.instance};" in told
    assert b.file.read_text() == before


def test_an_authority_finds_its_answer(kernel: websocket.WebSocket, b: Hub) -> None:
    """What certbot puts there is served over plain HTTP, by the name that it is for."""
    converge("b", edge_tls_mode="acme")
    folder = Path("/srv") / b.instance / "edge/acme/.well-known/acme-challenge"
    folder.mkdir(parents=True)
    (folder / "token").write_text("answer")
    path = "/.well-known/acme-challenge/token"
    answer = b.ask(path, over=b.plain(b.port + 1))
    assert (answer.status, answer.text) == (200, "answer")
    assert b.ask(path, name="a.sni.test", over=b.plain(b.port + 1)).status == 308
    (folder / "token").unlink()


def test_an_own_port_again(kernel: websocket.WebSocket, a: Hub, b: Hub) -> None:
    """An instance that shares no more, and then does again. Alone it is refused the port of the router."""
    told = run("b", edge_sni_routing=False)
    assert f"edge_port is {b.port} on 127.0.0.1: the container {a.router} holds it." in told
    assert "changed=0" in told
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    converge("b", edge_sni_routing=False, edge_port=own, edge_http_port=0)
    assert not b.file.exists()
    assert docker("port", b.edge) == f"8443/tcp -> 127.0.0.1:{own}"
    context = ssl.create_default_context(cafile=b.authority)
    with context.wrap_socket(b.plain(own), server_hostname=b.name):
        pass
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        a.tls(b.name)
    assert echoes(kernel)
    converge("b")
    assert b.file.exists()
    assert docker("port", b.edge) == ""
    b.wait_for(200)
