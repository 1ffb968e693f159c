# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What docker-bench-security looks at in images and containers (CIS Docker Benchmark 1.6, chapters 4 and 5).

Its scripts are in no package, so the questions are put here, to every container of the instance. What one of
them fails stands with its reason in the table of docs/threat-model.md, and nothing stands there in vain.
"""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from deployment import Deployment, docker
from user_client import UserClient

PAGE = Path(__file__).resolve().parents[2] / "docs/threat-model.md"
# | 5.12 | hub, proxy | why |
ROW = re.compile(r"^\| (\d\.\d+) [^|]*\| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
SENSITIVE = {"/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr", "/root", "/var/lib/docker"}


class Model(t.NamedTuple):
    """A container as Docker describes it, its image, and how it runs."""

    container: dict[str, t.Any]
    image: dict[str, t.Any]

    @property
    def host(self) -> dict[str, t.Any]:
        return dict(self.container["HostConfig"])

    @property
    def options(self) -> list[str]:
        return self.host["SecurityOpt"] or []

    @property
    def sources(self) -> set[str]:
        """The paths of the host that are mounted."""
        return {mount["Source"] for mount in self.container["Mounts"] if mount["Type"] == "bind"}

    @property
    def published(self) -> list[dict[str, str]]:
        return [one for ports in (self.host["PortBindings"] or {}).values() for one in ports or []]

    @property
    def processes(self) -> str:
        return docker("top", self.container["Id"], "-e", "-o", "pid,comm")


def unbounded(model: Model) -> bool:
    """Restarted without an end. Docker doubles the pause between two restarts, up to a minute."""
    policy = model.host["RestartPolicy"]
    return policy["Name"] in ("always", "unless-stopped") or policy["MaximumRetryCount"] > 5


# The number of the benchmark's, what it asks for, and whether a container has it.
CHECKS: dict[str, tuple[str, t.Callable[[Model], bool]]] = {
    "4.1": ("the image has a user other than root", lambda m: root_less(m.image["Config"].get("User"))),
    "4.6": ("the image says how its health is checked", lambda m: "Healthcheck" in m.image["Config"]),
    "5.2": ("AppArmor is not switched off", lambda m: "apparmor=unconfined" not in m.options),
    "5.4": (
        "capabilities are dropped, and none is added",
        lambda m: m.host["CapDrop"] == ["ALL"] and not m.host["CapAdd"],
    ),
    "5.5": ("not privileged", lambda m: not m.host["Privileged"]),
    "5.6": ("no folder of the host's system is mounted", lambda m: not m.sources & SENSITIVE),
    "5.7": ("no SSH server", lambda m: "sshd" not in m.processes),
    "5.8": ("no privileged port", lambda m: all(int(p["HostPort"] or 0) >= 1024 for p in m.published)),
    "5.9": ("no port is published because the image names it", lambda m: not m.host["PublishAllPorts"]),
    "5.10": ("a network of its own", lambda m: m.host["NetworkMode"] != "host"),
    "5.11": ("memory is limited", lambda m: m.host["Memory"] > 0),
    "5.12": ("CPU time is limited or weighed", lambda m: m.host["NanoCpus"] or m.host["CpuShares"]),
    "5.13": ("the root file system is read-only", lambda m: m.host["ReadonlyRootfs"]),
    "5.14": (
        "ports are published at an address",
        lambda m: all(one["HostIp"] not in ("", "0.0.0.0", "::") for one in m.published),
    ),
    "5.15": ("restarted five times at most", lambda m: not unbounded(m)),
    "5.16": ("processes of its own", lambda m: m.host["PidMode"] == ""),
    "5.17": ("shared memory of its own", lambda m: m.host["IpcMode"] in ("", "private", "none")),
    "5.18": ("no device of the host", lambda m: not m.host["Devices"] and not m.host["DeviceCgroupRules"]),
    "5.19": ("limits of processes are set", lambda m: m.host["Ulimits"]),
    "5.20": (
        "mounts are not shared with the host",
        lambda m: not {mount.get("Propagation") for mount in m.container["Mounts"]} & {"shared", "rshared"},
    ),
    "5.21": ("a host name of its own", lambda m: m.host["UTSMode"] == ""),
    "5.22": ("seccomp is not switched off", lambda m: "seccomp=unconfined" not in m.options),
    "5.25": ("no control group of another", lambda m: m.host["CgroupParent"] == ""),
    "5.26": (
        "no new privileges",
        lambda m: bool({"no-new-privileges", "no-new-privileges:true"} & set(m.options)),
    ),
    "5.27": ("its health is checked", lambda m: "Health" in m.container["State"]),
    "5.29": ("processes are limited", lambda m: (m.host["PidsLimit"] or 0) > 0),
    "5.30": ("not on Docker's default bridge", lambda m: m.host["NetworkMode"] not in ("default", "bridge")),
    "5.31": ("the host's user namespace is not asked for", lambda m: m.host["UsernsMode"] != "host"),
    "5.32": ("no socket of Docker's", lambda m: not any(path.endswith("docker.sock") for path in m.sources)),
}


def root_less(user: str | None) -> bool:
    return (user or "root").partition(":")[0] not in ("root", "0")


@pytest.fixture(scope="module")
def models(site: Deployment, people: t.Callable[[str], UserClient]) -> dict[str, Model]:
    """Every container of the instance by its part; a user's is called user."""
    names = {"user": people("ada").container(site.instance)}
    for container in site.owned("container"):
        part = container.removeprefix(f"{site.instance}-")
        if not part.startswith("user-"):
            names[part] = container
    assert {"edge", "proxy", "hub"} <= set(names)
    models = {part: json.loads(docker("inspect", name))[0] for part, name in names.items()}
    return {
        part: Model(model, json.loads(docker("image", "inspect", model["Image"]))[0])
        for part, model in models.items()
    }


@pytest.fixture(scope="module")
def excused() -> dict[str, set[str]]:
    """The parts of which the page says why a check does not hold."""
    return {number: set(parts.split(", ")) for number, parts in ROW.findall(PAGE.read_text())}


@pytest.mark.parametrize("number", CHECKS, ids=[f"{key} {CHECKS[key][0]}" for key in CHECKS])
def test_it_holds_or_the_page_says_why_not(
    models: dict[str, Model], excused: dict[str, set[str]], number: str
) -> None:
    """Before: 4.6 and 5.27 failed everywhere, 5.13 at servers, 5.12 and 5.15 elsewhere, 5.32 at the hub."""
    _what, holds = CHECKS[number]
    failing = {part for part, model in models.items() if not holds(model)}
    assert failing == excused.get(number, set()) & models.keys()


def test_the_host_is_no_swarm() -> None:
    """5.1; and the engine confines by seccomp (5.22)."""
    info = json.loads(docker("info", "--format", "{{json .}}"))
    assert info["Swarm"]["LocalNodeState"] == "inactive"
    assert any(option.startswith("name=seccomp") for option in info["SecurityOptions"])
