# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a notebook reaches, tried from inside of a user's server.

A network namespace of the host stands for all that is beyond it: private networks, and the outside.
Found before: private networks and the metadata addresses outside of 169.254/16 were open; each UDP packet of
one user took a place in the host's table of connections; rules that were flushed did not come back.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t

import pytest
from deployment import Deployment, as_root, docker, wait_until
from patience import AT_ONCE
from services import ALLOWED_ADDRESS, ALLOWED_PORT, HOST_ADDRESS, HOST_PORT
from user_client import UserClient

NAMESPACE = "galilean-beyond"
# Documentation's own network: whatever is not private.
OUTSIDE = "203.0.113.77"
PRIVATE = ["10.255.77.3", "172.31.77.2", "192.168.77.2", "100.64.77.2", "198.18.77.2"]
# No route leads there: these are judged by who answers.
METADATA = [
    "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
    "0.1.2.3", "240.0.0.1", "255.255.255.254",
]  # fmt: skip

# The kernel answers for it: nothing is accepted, so nothing fills up.
SERVE = r"""
import signal, socket, sys
held = [socket.create_server(("0.0.0.0", int(port)), backlog=4096, reuse_port=True) for port in sys.argv[1:]]
print("ready", flush=True)
signal.pause()
"""
PROBE = r"""
import concurrent.futures, errno, json, socket, sys
def end(target):
    host, port = target.rsplit(":", 1)
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    found.settimeout(3)
    try:
        found.connect(socket.getaddrinfo(host, int(port), found.family)[0][4])
        return "open"
    except TimeoutError:
        return "timeout"
    except OSError as exc:
        return errno.errorcode.get(exc.errno, str(exc))
with concurrent.futures.ThreadPoolExecutor(32) as pool:
    print(json.dumps(dict(zip(sys.argv[1:], pool.map(end, sys.argv[1:])))))
"""


def root(command: str, check: bool = True) -> str:
    done = subprocess.run(
        as_root(["sh", "-c", command]), capture_output=True, text=True, check=False, timeout=60
    )
    assert not check or done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()


def python(container: str, code: str, *words: str) -> str:
    return docker("exec", container, "python3", "-c", code, *words)


def probe(container: str, *targets: str) -> dict[str, str]:
    """Return how a connection to each target ended: open, ECONNREFUSED, timeout, ..."""
    ends: dict[str, str] = json.loads(python(container, PROBE, *targets))
    return ends


@contextlib.contextmanager
def serving(argv: list[str]) -> t.Iterator[None]:
    process = subprocess.Popen(as_root(argv), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def beyond() -> t.Iterator[None]:
    """Hosts beyond this one, each with ports 5432 and 8080 open."""
    addresses = [*PRIVATE, ALLOWED_ADDRESS, OUTSIDE]
    root(f"ip netns delete {NAMESPACE} 2>/dev/null; ip link delete gh-beyond 2>/dev/null; true")
    root(
        f"set -e; ip netns add {NAMESPACE}; "
        f"ip link add gh-beyond type veth peer name inside netns {NAMESPACE}; "
        f"ip address add {HOST_ADDRESS}/32 dev gh-beyond; ip link set gh-beyond up; "
        f"ip -n {NAMESPACE} link set inside up; ip -n {NAMESPACE} link set lo up; "
        + "".join(
            f"ip -n {NAMESPACE} address add {one}/32 dev inside; ip route add {one}/32 dev gh-beyond; "
            for one in addresses
        )
        + f"ip -n {NAMESPACE} route add {HOST_ADDRESS}/32 dev inside; "
        + f"ip -n {NAMESPACE} route add default via {HOST_ADDRESS} dev inside onlink"
    )
    try:
        with serving(
            ["ip", "netns", "exec", NAMESPACE, "python3", "-c", SERVE, "5432", str(ALLOWED_PORT), "8080"]
        ):
            yield
    finally:
        root(f"ip netns delete {NAMESPACE}", check=False)


@pytest.fixture(scope="module")
def notebook(site: Deployment, people: t.Callable[[str], UserClient], beyond: None) -> str:
    """The container of somebody's server."""
    return people("nadia").container(site.instance)


def test_private_networks_are_refused_and_the_outside_is_not(notebook: str) -> None:
    """Found before: all of them open."""
    here = json.loads(root(f"python3 -c '{PROBE}' {' '.join(f'{one}:8080' for one in [*PRIVATE, OUTSIDE])}"))
    assert set(here.values()) == {"open"}, here
    ends = probe(notebook, f"{OUTSIDE}:8080", *(f"{one}:{port}" for one in PRIVATE for port in (5432, 8080)))
    assert ends.pop(f"{OUTSIDE}:8080") == "open"
    assert set(ends.values()) == {"ECONNREFUSED"}, ends


def test_an_allowed_service_and_nothing_beside_it(notebook: str) -> None:
    """Found before: there was no such setting."""
    open_one, same, neighbour = (
        f"{ALLOWED_ADDRESS}:{ALLOWED_PORT}", f"{ALLOWED_ADDRESS}:8080", f"{PRIVATE[0]}:{ALLOWED_PORT}",
    )  # fmt: skip
    assert probe(notebook, open_one, same, neighbour) == {
        open_one: "open", same: "ECONNREFUSED", neighbour: "ECONNREFUSED",
    }  # fmt: skip


@pytest.mark.parametrize("part", ["notebook", "hub", "edge"])
def test_metadata_is_refused_wherever_it_is(site: Deployment, notebook: str, part: str) -> None:
    """Found before: only 169.254/16 was, and all of it was open to a hub that was broken into."""
    container = notebook if part == "notebook" else site.container(part)
    ends = probe(container, *(f"{one}:{port}" for one in METADATA for port in (80, 8080)))
    # The kernel itself knows that nobody is at some of them.
    assert set(ends.values()) <= {"ECONNREFUSED", "ENETUNREACH", "EINVAL", "EACCES"}, ends
    assert {ends[f"{one}:80"] for one in METADATA[:5]} == {"ECONNREFUSED"}, ends


def test_no_address_of_the_host_but_the_service_that_is_named(site: Deployment, notebook: str) -> None:
    port = site.url.rsplit(":", 1)[1]
    listed = json.loads(root("ip -4 -json address show up"))
    own = [info["local"] for link in listed for info in link["addr_info"] if info["scope"] == "global"]
    assert HOST_ADDRESS in own
    other = f"{site.instance}-published"
    image = docker("inspect", "--format", "{{.Image}}", notebook)
    docker(
        *(
            "run",
            "--rm",
            "--detach",
            "--name",
            other,
            "--publish",
            "18998:18998",
            "--entrypoint=python3",
            image,
        ),
        *("-c", SERVE, "18998"),
    )
    try:
        inner = docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", other)
        with serving(["python3", "-c", SERVE, str(HOST_PORT), "18999"]):
            wait_until(
                lambda: "open" in root(f"python3 -c '{PROBE}' {inner}:18998"), 60, "the published port"
            )
            targets = [f"{one}:{number}" for one in own for number in (18998, 18999, port, 22)]
            ends = probe(notebook, f"{HOST_ADDRESS}:{HOST_PORT}", f"{inner}:18998", *targets)
    finally:
        docker("rm", "--force", other)
    assert ends.pop(f"{HOST_ADDRESS}:{HOST_PORT}") == "open"
    assert set(ends.values()) <= {"ECONNREFUSED", "timeout"}, ends


def test_no_ipv6_even_for_who_has_an_address(notebook: str) -> None:
    """A container of the users' network has none; with one that its root gave it, nobody answers either."""
    pid = docker("inspect", "--format", "{{.State.Pid}}", notebook)
    bridge = root(f"nsenter -t {pid} -n ip -o route get 203.0.113.1")
    gateway = bridge.split("via ")[1].split()[0]
    link = next(
        one["ifname"]
        for one in json.loads(root("ip -4 -json address show"))
        if any(info["local"] == gateway for info in one["addr_info"])
    )
    local = json.loads(root(f"ip -6 -json address show dev {link} scope link"))
    if not local:
        pytest.skip("the host has no IPv6")
    own = local[0]["addr_info"][0]["local"]
    root(
        f"nsenter -t {pid} -n sh -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6; "
        "ip -6 address add fe80::77/64 dev eth0 nodad 2>/dev/null || true'",
        check=False,
    )
    with serving(
        [
            "python3",
            "-c",
            SERVE.replace('"0.0.0.0", int(port))', '"::", int(port)), family=socket.AF_INET6'),
            "18997",
        ]
    ):
        ends = probe(
            notebook, f"{own}%eth0:18997", "64:ff9b::a9fe:a9fe:80", "2002:a9fe:a9fe::1:80", "fd00:ec2::254:80"
        )
    assert "open" not in ends.values(), ends


def test_the_hub_itself_answers(notebook: str) -> None:
    ask = "import urllib.request as r; print(r.urlopen('http://hub:8081/hub/api', None, 30).read().decode())"
    # It tells nothing to who shows no token.
    assert python(notebook, ask).strip() == "{}"


@pytest.mark.parametrize(
    "flush",
    [
        "iptables -w -F CHAIN",
        "iptables -w -D DOCKER-USER -j CHAIN; iptables -w -D INPUT -i BRIDGE -j CHAIN-IN",
        # In front of ours, as a tool would that knows nothing of them.
        "iptables -w -I DOCKER-USER -i BRIDGE -j RETURN",
    ],
)
def test_rules_come_back_by_themselves(site: Deployment, notebook: str, flush: str) -> None:
    """Found before: the first kind had not come back after 30 seconds. Others on this machine keep theirs."""
    script = f"/srv/{site.instance}/bin/firewall"
    chain, bridge = (root(f"sed -n 's/^{name}=//p' {script}") for name in ("chain", "bridge"))
    target = f"{PRIVATE[0]}:8080"
    try:
        root(flush.replace("CHAIN", chain).replace("BRIDGE", bridge))
        wait_until(lambda: probe(notebook, target)[target] == "ECONNREFUSED", 15, f"the rules after {flush}")
    finally:
        root(f"iptables -w -D DOCKER-USER -i {bridge} -j RETURN", check=False)


def tracked(container: str) -> int:
    """How many entries of the host's table of connections a server has; all where that is not told."""
    address = docker(
        "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", container
    ).split()[0]
    return int(
        root(
            f"if [ -r /proc/net/nf_conntrack ]; then grep -c 'src={address} ' /proc/net/nf_conntrack; "
            "else cat /proc/sys/net/netfilter/nf_conntrack_count; fi",
            check=False,
        )
    )


UDP = r"""
import socket, time
flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
flood.setblocking(False)
end = time.monotonic() + 3
for number in range(30000):
    if number % 100 == 0:
        flood.close()
        flood = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        flood.sendto(b"x", (ADDRESS, 1024 + number))
    except OSError:
        pass
    if time.monotonic() > end:
        break
print(number + 1)
"""
HOLD = r"""
import selectors, socket, time
held, opened = selectors.DefaultSelector(), set()
for number in range(COUNT):
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(("ADDRESS", 8080))
    held.register(one, selectors.EVENT_WRITE)
end = time.monotonic() + SECONDS
while time.monotonic() < end and len(opened) < COUNT:
    for key, _ in held.select(1):
        if key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
            opened.add(key.fileobj)
        held.unregister(key.fileobj)
print(len(opened))
"""


def test_many_packets_take_a_small_part_of_the_hosts_table(notebook: str) -> None:
    """Found before: 4,453 packets in 3 seconds, 4,453 entries."""
    before = tracked(notebook)
    sent = int(python(notebook, UDP.replace("ADDRESS", f'"{OUTSIDE}"')))
    assert sent > 10000
    assert tracked(notebook) - before < 1500
    python(notebook, UDP.replace("ADDRESS", f'"{PRIVATE[0]}"'))
    assert tracked(notebook) - before < 1500


def test_a_server_holds_so_many_connections_and_no_more(
    site: Deployment, people: t.Callable[[str], UserClient]
) -> None:
    """Found before: 1,800 of 1,800. A burst such as pip's passes as a whole."""
    container = people("otto").container(site.instance)
    begin = time.monotonic()
    assert (
        python(container, HOLD.replace("COUNT", "400").replace("SECONDS", "5").replace("ADDRESS", OUTSIDE))
        == "400"
    )
    assert time.monotonic() - begin < AT_ONCE
    many = int(
        python(container, HOLD.replace("COUNT", "1800").replace("SECONDS", "12").replace("ADDRESS", OUTSIDE))
    )
    assert 500 <= many <= 1000
    # And others go on.
    other = people("nadia").container(site.instance)
    assert probe(other, f"{OUTSIDE}:8080") == {f"{OUTSIDE}:8080": "open"}
