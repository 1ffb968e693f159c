# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The engine runs containers, within the limits that were set, and lets them be reached."""

from __future__ import annotations

import json
from typing import Any

import pytest
from testinfra.host import Host

# A root file system out of the host's own files: a Python with its libraries, and a shell. No registry.
HELLO = (
    "tar --create --dereference --absolute-names"
    " --exclude '*/test' --exclude '*/__pycache__' --exclude dist-packages"
    " /usr/bin/python3 /usr/bin/sleep /usr/bin/sh $(echo /usr/lib/python3.*/ )"
    " $(ldd /usr/bin/python3 /usr/bin/sh /usr/bin/sleep"
    " | grep --only-matching '/[^ )]*lib[^ )]*' | sort --unique)"
    " 2>/dev/null | docker import - hello"
)


@pytest.fixture(name="hello")
def _hello(host: Host) -> str:
    if host.run("docker image inspect hello").failed:
        host.run(HELLO)
    return "hello"


def info(host: Host) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(host.check_output("docker info --format '{{json .}}'"))
    return data


def test_the_engine_has_our_options(host: Host) -> None:
    engine = info(host)
    assert "galilean.hub.managed=true" in engine["Labels"]
    assert engine["LiveRestoreEnabled"]
    assert engine["LoggingDriver"] == "json-file"
    options = host.file("/etc/docker/daemon.json")
    assert (options.user, options.mode) == ("root", 0o644)
    assert json.loads(options.content_string)["max-concurrent-downloads"] == 4


def test_the_engine_has_the_proxy_and_only_root_sees_the_password(host: Host) -> None:
    engine = info(host)
    if host.check_output("cat /etc/docker/galilean-hub-proxy.env 2>/dev/null || true") == "":
        assert engine.get("HttpProxy", "") == ""
        return
    for name in ("HttpProxy", "HttpsProxy"):
        assert engine[name].endswith("@192.0.2.33:3128"), engine[name]
    assert "127.0.0.1" in engine["NoProxy"]
    pid = host.check_output("cat /var/run/docker.pid")
    running = host.check_output(f"tr '\\0' '\\n' </proc/{pid}/environ")
    assert "https_proxy=http://ada:p%40ss%25word@192.0.2.33:3128" in running.splitlines()
    file = host.file("/etc/docker/galilean-hub-proxy.env")
    assert (file.user, file.mode) == ("root", 0o600)
    if host.file("/run/systemd/system").exists:
        assert "p%40" not in host.check_output("systemctl cat docker.service; systemctl show docker.service")


def test_the_engine_comes_back_with_the_host(host: Host) -> None:
    if not host.file("/run/systemd/system").exists:
        assert "docker-engine.log" in host.check_output("ls /var/log")
        return
    assert host.service("docker").is_running
    assert host.service("docker").is_enabled


def test_a_container_runs_within_limits(host: Host, hello: str) -> None:
    code = "import resource as r, socket as s; print(r.getrlimit(r.RLIMIT_NOFILE)[1], s.gethostname())"
    run = host.run(f'docker run --rm --memory 64m --hostname tiny {hello} /usr/bin/python3 -S -c "{code}"')
    assert run.succeeded, run.stderr
    nofile, name = run.stdout.split()
    assert int(nofile) <= 65536
    assert name == "tiny"


def test_a_port_on_loopback_is_served(host: Host, hello: str) -> None:
    """Without the helper processes it is the kernel that brings local connections to the container."""
    options = "--rm --detach --name served --publish 127.0.0.1:18080:8000"
    host.check_output(f"docker run {options} {hello} /usr/bin/python3 -m http.server")
    try:
        fetch = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:18080', timeout=5).status)"
        run = host.run(f'for i in $(seq 20); do python3 -c "{fetch}" && exit 0; sleep 0.5; done; exit 1')
        assert run.stdout.strip() == "200", run.stderr[-500:] + host.run("docker logs served").stderr
        assert host.run("pgrep -x docker-proxy").failed
    finally:
        host.run("docker rm --force served")


def test_networks_come_from_our_range(host: Host) -> None:
    host.check_output("docker network create probe")
    try:
        subnet = host.check_output("docker network inspect probe --format '{{json .IPAM.Config}}'")
        assert "10.224." in subnet
    finally:
        host.run("docker network rm probe")


def test_an_image_can_be_built(host: Host, hello: str) -> None:
    dockerfile = f'FROM {hello}\\nRUN ["/usr/bin/sh", "-c", "echo built > /built"]\\n'
    build = host.run(f"printf '{dockerfile}' | DOCKER_BUILDKIT=1 docker build --progress plain --tag built -")
    assert build.succeeded, build.stderr
    # The numbered steps are BuildKit's.
    assert "\n#1 " in build.stderr


def test_the_firewall_sees_traffic_inside_a_bridge(host: Host) -> None:
    assert host.sysctl("net.bridge.bridge-nf-call-iptables") == 1
    assert host.sysctl("net.ipv4.ip_forward") == 1
    assert host.file("/etc/sysctl.d/60-galilean-hub.conf").exists
