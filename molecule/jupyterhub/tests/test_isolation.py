# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a user's server can reach, tried from inside of it, each time beside somebody who can."""

from __future__ import annotations

import time
import typing as t

import pytest
from conftest import Hub

# A network beyond the host, with the address at which clouds keep a machine's credentials, and another one.
CLOUD = """
ip netns add cloud
ip link add cloud0 type veth peer name inside netns cloud
ip address add 192.0.2.1/24 dev cloud0
ip link set cloud0 up
ip -n cloud link set inside up
ip -n cloud link set lo up
ip -n cloud address add 192.0.2.2/24 dev inside
ip -n cloud address add 169.254.169.254/32 dev inside
ip -n cloud route add default via 192.0.2.1
ip route add 169.254.169.254/32 via 192.0.2.2
systemd-run --quiet --unit cloud ip netns exec cloud python3 -m http.server 8080
"""


@pytest.fixture(scope="module")
def cloud(hub: Hub) -> t.Iterator[tuple[str, str]]:
    """The address of the metadata service, and one that anybody may reach."""
    hub.sh(f"set -e\n{CLOUD}")
    try:
        yield "169.254.169.254:8080", "192.0.2.2:8080"
    finally:
        hub.sh("systemctl stop cloud; ip route delete 169.254.169.254/32; ip netns delete cloud")


@pytest.fixture(scope="module")
def listener(hub: Hub) -> t.Iterator[list[str]]:
    """A service of the host that listens everywhere, by each of the host's addresses."""
    hub.sh("systemd-run --quiet --unit listener python3 -m http.server 18999")
    addresses = hub.sh("ip -4 -o address show scope global | awk '{print $4}' | cut -d/ -f1").split()
    yield [f"{address}:18999" for address in addresses]
    hub.sh("systemctl stop listener")


@pytest.fixture(scope="module")
def bob(hub: Hub) -> str:
    return hub.start_server("bob")


def wait_until_open(hub: Hub, *targets: str) -> None:
    for _ in range(20):
        ends = hub.probe("", *targets)
        if set(ends.values()) == {"open"}:
            return
    pytest.fail(f"the host itself: {ends}")


def test_the_hub_and_names_are_reached(hub: Hub, alice: str) -> None:
    ask = "import urllib.request as r; print(r.urlopen('http://hub:8081/hub/api', timeout=5).status)"
    assert hub.sh(f'docker exec {alice} python3 -c "{ask}"').strip() == "200"


def test_names_of_the_outside_are_found(hub: Hub, alice: str) -> None:
    # Whatever the host itself fetches its packages from.
    source = hub.sh("grep -oh 'https*://[^/: ]*' -r /etc/apt | head -1 | cut -d/ -f3")
    if hub.host.run(f"getent hosts {source}").failed:
        pytest.skip("the host itself finds no names of the outside")
    assert hub.sh(f"docker exec {alice} getent hosts {source}")


def test_no_other_server(hub: Hub, alice: str, bob: str) -> None:
    target = f"{hub.address(bob)}:8888"
    assert hub.probe("hub-hub", target) == {target: "open"}
    assert hub.probe(alice, target) != {target: "open"}


def test_not_the_proxy_nor_the_rest_of_the_hub(hub: Hub, alice: str) -> None:
    proxy = hub.address("hub-proxy")
    targets = [f"{proxy}:{port}" for port in (8000, 8001, 8002)]
    assert set(hub.probe("hub-hub", *targets).values()) == {"open"}
    assert "open" not in hub.probe(alice, *targets).values()
    core = [f"{hub.address('hub-proxy', 'hub-core')}:8001", f"{hub.address('hub-hub', 'hub-core')}:8081"]
    wait_until_open(hub, *core)
    assert "open" not in hub.probe(alice, *core).values()


def test_no_port_of_the_host(hub: Hub, alice: str, listener: list[str]) -> None:
    assert len(listener) >= 4
    wait_until_open(hub, *listener)
    assert "open" not in hub.probe(alice, *listener).values()


def test_no_metadata_service(hub: Hub, alice: str, cloud: tuple[str, str]) -> None:
    metadata, outside = cloud
    wait_until_open(hub, metadata, outside)
    ends = hub.probe(alice, metadata, outside)
    assert ends[metadata] != "open"
    assert ends[outside] == "open"


def test_rules_that_somebody_flushed_come_back(hub: Hub, alice: str, listener: list[str]) -> None:
    """The unit that looks after them does it, within seconds."""
    rules = "iptables -S DOCKER-USER; iptables -S INPUT; ip6tables -S; iptables -S | grep GALILEAN | sort"
    before = {line for line in hub.sh(rules).splitlines() if "GALILEAN" in line}
    for flush in ("iptables -F DOCKER-USER; iptables -F INPUT; ip6tables -F", "iptables -F; iptables -X"):
        hub.sh(f"{flush}; true")
        for _ in range(30):
            if set(hub.sh(rules).splitlines()) >= before:
                break
            time.sleep(0.5)
        assert set(hub.sh(rules).splitlines()) >= before
        assert hub.sh("/srv/hub/bin/firewall apply") == ""
        assert "open" not in hub.probe(alice, *listener).values()
    # The engine's own rules are its own business.
    hub.sh("systemctl restart docker")
    hub.wait()
    assert set(hub.sh(rules).splitlines()) >= before
