# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images that were built here and sent over the connection: the very same, only what is missing."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import typing as t

import pytest
from conftest import CONTEXTS, HOSTS, Delivery, descendants


@pytest.mark.parametrize("name", HOSTS)
def test_hosts_have_the_images_of_the_controller(delivery: Delivery, name: str) -> None:
    machine, here = delivery.hosts[name], delivery.ids()
    runs = {key: ref for key, ref in machine.refs.items() if key not in ("base", "step")}
    assert set(runs) == {"one", "two", "tools"}
    assert machine.ids() == {ref: here[ref] for ref in runs.values()}, (
        "steps towards images stay on the controller"
    )
    assert machine.says("one") == "Good morning"
    assert machine.says("two", "/opt/software/bin/tool") == "the tool works"


def test_the_host_alone_has_no_network(delivery: Delivery) -> None:
    assert (
        delivery.hosts["alone"].do("ip", "-brief", "-4", "address", "show", "scope", "global").count("\n")
        <= 0
    )
    assert "docker0" in delivery.hosts["alone"].do("ip", "-brief", "link")
    assert "eth0" not in delivery.hosts["alone"].do("ip", "-brief", "link")


@pytest.mark.parametrize("name", HOSTS)
def test_software_is_seeded_from_what_was_sent(delivery: Delivery, name: str) -> None:
    machine = delivery.hosts[name]
    mount = f"--volume={machine.software['volume']}:/opt/software:ro,nocopy"
    said = machine.docker(
        "run", "--rm", "--network=none", mount, machine.refs["one"], "/opt/software/bin/tool"
    )
    assert said == "the tool works"


def test_the_registry_was_not_asked(delivery: Delivery) -> None:
    """Nobody lacked anything in the second run, in which it would have been asked."""
    assert delivery.registry("cat", "/var/log/registry.log").count("/v2/") == 0


def test_nothing_of_the_transfer_is_left(delivery: Delivery) -> None:
    assert delivery.archives() == []
    assert [name for name, machine in delivery.hosts.items() if machine.transferred()] == []


@pytest.fixture(scope="module")
def change() -> t.Iterator[t.Callable[[bytes], int]]:
    """Changes a file that two images have, and puts it back."""
    file = CONTEXTS / "one/greeting.md"
    before = file.read_bytes()
    yield file.write_bytes
    file.write_bytes(before)


# A docker command that refuses one archive, as an engine does that keeps its images in containerd.
REFUSING = """#!/bin/sh
case "$*" in *load*)
  if rm /root/refuse 2>/dev/null; then echo 'layer "x" not found' >&2; exit 1; fi
esac
exec docker "$@"
"""


def test_only_what_a_host_lacks_is_sent(delivery: Delivery, change: t.Callable[[bytes], int]) -> None:
    """One host lost an image, and gets that, too; another one has an engine that wants all layers."""
    far, alone = delivery.hosts["far"], delivery.hosts["alone"]
    far.docker("image", "rm", far.refs["tools"])
    change(b"Good evening\n")
    before = {name: machine.ids() for name, machine in delivery.hosts.items()}
    check = delivery.apply("--check", "--limit=far")
    assert check.endswith("rc=0 far=1"), check
    would = re.search(
        r"Would send (\S+(?:, \S+)*) to far: [\d.]+ [KB]+\w* that .*? be built before: (\S+(?:, \S+)*)\.",
        check,
    )
    assert would, check
    assert set(would[1].split(", ")) == {far.refs[key] for key in ("one", "two", "tools")}
    assert set(would[2].split(", ")) == {far.refs[key] for key in ("one", "two")}
    assert (far.ids(), delivery.archives()) == (before["far"], [])
    for machine in (far, alone):
        machine.do("sh", "-c", f"echo {shlex.quote(REFUSING)} > /root/docker && chmod 755 /root/docker")
    alone.do("touch", "/root/refuse")
    said = delivery.apply("--limit=far,alone", docker_cli="/root/docker")
    assert "rc=0" in said, said
    assert re.search(
        r" to alone: [\d.]+ MB in all layers, as its engine wants them, [\d.]+ MB on the line", said
    )
    assert not re.search(r" to far: [\d.]+ MB ", said)
    hosts = {name: delivery.hosts[name] for name in ("far", "alone")}
    assert all(machine.ids().items() >= before[name].items() for name, machine in hosts.items())
    assert {machine.says("one") for machine in hosts.values()} == {"Good evening"}
    # The layers of the base are on every host: the line carries kilobytes.
    for name, machine in hosts.items():
        sent = re.search(
            rf"Sending ([^:]+:[^ ]+(?:, [^ ]+)*) to {name}: [\d.]+ KB that it does not have", said
        )
        assert sent, said
        names = {"one", "two", "tools"} if name == "far" else {"one", "two"}
        assert set(sent[1].split(", ")) == {machine.refs[key] for key in names}
    assert delivery.archives() == []


def test_a_killed_run(delivery: Delivery, change: t.Callable[[bytes], int]) -> None:
    change(os.urandom(40_000_000))
    near, alone = delivery.hosts["near"], delivery.hosts["alone"]
    wait = "until ls /var/cache/galilean-hub/*/images.tar.gz 2>/dev/null; do :; done"
    watch = subprocess.Popen(
        ["docker", "exec", alone.host, "timeout", "120", "sh", "-c", wait], stdout=subprocess.DEVNULL
    )
    process = subprocess.Popen(
        delivery.command("--limit=alone"),
        env=delivery.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert watch.wait() == 0, "nothing was sent"
    for victim in descendants(process.pid):
        os.kill(victim, signal.SIGKILL)
    process.wait()
    assert len(alone.transferred()) == 2, "the folder of the run, and its archive"
    assert len(delivery.archives()) == 3, "mark, folder and archive"

    # The next run finishes, although another host has no room: a small disk is where its archives would go.
    near.do("mkdir", "-p", "/var/cache/galilean-hub")
    near.do("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/var/cache/galilean-hub")
    said = delivery.apply("--limit=alone,near")
    assert alone.ids()[alone.refs["one"]] == delivery.ids()[alone.refs["one"]]
    assert "near has 1.0 MB free in /var/cache/galilean-hub, but loading" in said, said
    assert "Nothing was sent." in said
    assert (near.transferred(), alone.transferred(), delivery.archives()) == ([], [], [])
    near.do("umount", "/var/cache/galilean-hub")
