# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub is reached over both, and knows who comes."""

from __future__ import annotations

import json
import time

from conftest import Machine, converge


def seen(answer: dict[str, object]) -> str:
    """The address that proxy and hub were told."""
    assert answer["status"] == 200, answer
    return str(json.loads(str(answer["body"]))["headers"]["x-real-ip"])


def test_people_come_over_both(server: Machine, client: Machine) -> None:
    over6, over4 = client.observe(f"https://[{server.ipv6}]/hub/home", f"https://{server.ipv4}/hub/home")
    assert seen(over6) == client.ipv6
    assert seen(over4) == client.ipv4


def test_plain_http_is_sent_on_over_both(server: Machine, client: Machine) -> None:
    for name in (f"[{server.ipv6}]", server.ipv4):
        (answer,) = client.observe(f"http://{name}/lab")
        assert (answer["status"], answer["location"]) == (308, f"https://{name}/lab")


def test_the_host_itself_comes_over_both(server: Machine) -> None:
    """As the check of a user at the end of a run."""
    for name in (f"[{server.ipv6}]", "127.0.0.1"):
        code = (
            "import ssl, urllib.request as r; every = ssl._create_unverified_context(); "
            f"print(r.urlopen('https://{name}/_edge/health', context=every).status)"
        )
        assert server.run(f'python3 -c "{code}"') == "200"


def test_hub_and_proxy_kept_their_names(server: Machine) -> None:
    """The network was made anew for IPv6, while they ran."""
    for name in ("proxy", "hub", "edge"):
        found = server.run(f"docker exec six-edge getent ahostsv4 {name}").split()[0]
        shape = '{{(index .NetworkSettings.Networks "six-core").IPAddress}}'
        assert server.run(f"docker inspect --format '{shape}' six-{name}") == found
    assert server.run("docker inspect --format '{{.RestartCount}} {{.State.Running}}' six-proxy") == "0 true"


def test_nothing_else_is_open(server: Machine, client: Machine) -> None:
    """Whoever is next to the host may send packets for the containers to it: they go no further."""
    shape = "{{range .IPAM.Config}}{{.Subnet}} {{end}}"
    subnets = server.run(f"docker network inspect --format '{shape}' six-core").split()
    (subnet,) = [subnet for subnet in subnets if ":" in subnet]
    assert subnet.startswith("fd")
    shape = '{{(index .NetworkSettings.Networks "six-core").GlobalIPv6Address}}'
    proxy = server.run(f"docker inspect --format '{shape}' six-proxy")
    client.run(f"ip -6 route replace {subnet} via {server.ipv6}")
    (answer,) = client.observe(f"http://[{proxy}]:8000/")
    assert answer["status"] == 0
    # It listens there, and the way is right: from the host it is reached.
    assert server.run(f"ping -6 -c 1 -W 2 {proxy} >/dev/null && echo reached") == "reached"


def test_the_host_keeps_its_route(server: Machine) -> None:
    """One that forwards would take no more router advertisements."""
    settings = server.run("sysctl -n net.ipv6.conf.all.forwarding net.ipv6.conf.eth0.accept_ra")
    assert settings.split() == ["1", "2"]
    assert "default via" in server.run("ip -6 route show default")


def test_it_lasts(server: Machine, client: Machine) -> None:
    """Over a restart of the engine, which knows the rules by its options only."""
    server.run("systemctl restart docker")
    end = time.monotonic() + 20
    # Whoever comes first finds that the engine's name service has gone away, and nginx asks it anew.
    while client.observe(f"https://[{server.ipv6}]/hub/home")[0]["status"] != 200:
        assert time.monotonic() < end
    over6, over4 = client.observe(f"https://[{server.ipv6}]/hub/home", f"https://{server.ipv4}/hub/home")
    assert (seen(over6), seen(over4)) == (client.ipv6, client.ipv4)


def test_an_engine_of_somebody_else_is_looked_at_first(server: Machine) -> None:
    """Before anything is changed: with options of its own, it does not serve IPv6."""
    server.run("cp /etc/docker/daemon.json /root/")
    server.run("echo '{\"live-restore\": true}' >/etc/docker/daemon.json; systemctl restart docker")
    try:
        said = converge(server, docker_engine="existing")
    finally:
        server.run("cp /root/daemon.json /etc/docker/ && systemctl restart docker")
    assert "edge_bind_address is '::', but the host's own Docker engine does not serve IPv6: set" in said, (
        said
    )
    assert "changed=0" in said


def test_sni_routing_as_well(server: Machine, client: Machine) -> None:
    """Several instances by name: the SNI router tells the edge the address of who comes, over both."""
    said = converge(server, edge_sni_routing=True, edge_server_name="hub")
    assert said.endswith("rc=0"), said
    for ours, theirs in ((client.ipv6, server.ipv6), (client.ipv4, server.ipv4)):
        client.run(f"echo '{theirs} hub' >>/etc/hosts")
        (answer,) = client.observe("https://hub/hub/home")
        assert seen(answer) == ours
        client.run("sed '$d' /etc/hosts >/tmp/hosts && cat /tmp/hosts >/etc/hosts")
    assert "changed=0" in converge(server, edge_sni_routing=True, edge_server_name="hub")


def test_one_address_alone(server: Machine, client: Machine) -> None:
    said = converge(server, edge_bind_address=server.ipv6)
    assert said.endswith("rc=0"), said
    over6, over4 = client.observe(f"https://[{server.ipv6}]/hub/home", f"https://{server.ipv4}/hub/home")
    assert seen(over6) == client.ipv6
    assert over4["status"] == 0
