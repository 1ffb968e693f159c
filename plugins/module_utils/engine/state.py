# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What a look at a Docker engine means. Pure."""

from __future__ import annotations

import json
import os
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.daemon_options import MARKER


@dataclass(frozen=True)
class Client:
    """A docker command line: its version, whether it has the buildx plugin and reaches the engine."""

    path: str
    version: str
    buildx: bool
    reaches: bool

    @property
    def buildkit(self) -> str:
        return buildkit_of(self.version, self.buildx)


def major(version: str) -> int:
    """Return the first number of a version, 0 when there is none."""
    found = re.match(r"(\d+)", version)
    return int(found.group(1)) if found else 0


def buildkit_of(version: str, has_buildx: bool) -> str:
    """How a client drives BuildKit: 'buildx', 'builtin' (19 to 22; later ones need the plugin), or '' for not at all."""
    if has_buildx:
        return "buildx"
    return "builtin" if 19 <= major(version) < 23 else ""


def choose_client(clients: t.Sequence[Client]) -> Client | None:
    """Return the first client that reaches the engine and has BuildKit, else the first that reaches it."""
    able = [client for client in clients if client.reaches]
    return next((client for client in able if client.buildkit), able[0] if able else None)


def file_labels(daemon_json: str) -> list[str]:
    """Return the labels in an options file, none when it cannot be read."""
    try:
        labels = json.loads(daemon_json or "{}").get("labels", [])
        return [str(label) for label in labels]
    except (ValueError, AttributeError, TypeError):
        return []


def data_root(daemon_json: str) -> str:
    """Return the folder of the engine's data according to its options file."""
    try:
        found = json.loads(daemon_json or "{}")
    except ValueError:
        found = {}
    return str((found.get("data-root") if isinstance(found, dict) else None) or "/var/lib/docker")


def is_managed(daemon_json: str) -> bool:
    """True when the options file carries our marker."""
    return MARKER in file_labels(daemon_json)


def is_stale(daemon_json: str, running_labels: t.Sequence[str] | None) -> bool:
    """True when our engine runs with other options than its file has."""
    return is_managed(daemon_json) and sorted(file_labels(daemon_json)) != sorted(running_labels or [])


def choose_mode(wanted: str, ready: bool, installed: bool, daemon_json: str) -> str:
    """Return 'managed' or 'existing'; HubError if there is no engine where one is expected.

    An engine that runs, or that somebody configured, without our marker is somebody else's: it is used as it is.
    """
    if wanted == "existing" and not (ready or installed):
        raise HubError(
            "docker_engine is 'existing', but the host has no Docker engine: install one, or use auto."
        )
    if wanted != "auto":
        return wanted
    if is_managed(daemon_json) or not (ready or daemon_json.strip()):
        return "managed"
    if not (ready or installed):
        raise HubError(
            "The host has options of a Docker engine in /etc/docker/daemon.json, but no engine: install one, or set docker_engine to managed."
        )
    return "existing"


def default_interface(route_table: str) -> str:
    """Return the interface of the IPv4 default route out of /proc/net/route, the one with the lowest metric."""
    rows = [line.split() for line in route_table.splitlines()[1:]]
    routes = [
        (int(row[6]), row[0])
        for row in rows
        if len(row) > 7 and row[1] == "00000000" and row[7] == "00000000"
    ]
    return min(routes)[1] if routes else ""


def default_interface6(route_table: str) -> str:
    """Return the interface of the IPv6 default route out of /proc/net/ipv6_route, the one with the lowest metric."""
    rows = [line.split() for line in route_table.splitlines()]
    routes = [
        (int(row[5], 16), row[9])
        for row in rows
        if len(row) == 10 and row[0] == "0" * 32 and row[1] == "00" and row[9] != "lo"
    ]
    return min(routes)[1] if routes else ""


def serves_ipv6(info: t.Mapping[str, t.Any], daemon_json: str, arguments: t.Sequence[str]) -> bool:
    """Whether an engine leads connections over IPv6 to containers in the kernel, so that these see who comes.

    arguments: of the engine's process, which win over its file where both may say it.
    """
    try:
        said = json.loads(daemon_json or "{}").get("ip6tables")
    except (ValueError, AttributeError):
        said = None
    for argument in arguments:
        name, _equals, value = argument.lstrip("-").partition("=")
        if name == "ip6tables":
            said = value.lower() not in ("false", "0")
    if major(str(info.get("ServerVersion") or "")) >= 27:
        return said is not False
    return said is True and bool(info.get("ExperimentalBuild"))


def hard_nofile(limits: str) -> int:
    """Return the hard limit on open files out of /proc/<pid>/limits, 0 for unlimited or unknown."""
    found = re.search(r"^Max open files\s+\S+\s+(\d+)", limits, re.MULTILINE)
    return int(found.group(1)) if found else 0


def refusal(text: str) -> str:
    """Why an engine does not take a file, without where the file was."""
    found = re.search(r"unable to configure the Docker daemon with file \S+: (.*)", text)
    return (found.group(1) if found else text).strip()


def low_tables(wanted: t.Mapping[str, int], values: t.Mapping[str, int | None]) -> list[str]:
    """Return the settings of the kernel that are smaller than wanted, as sysctl takes them.

    Those that the kernel does not have are left out, and 0, which is somebody's intention (for pipes: no limit).
    """
    return [f"{name}={size}" for name, size in wanted.items() if 0 < (values[name] or 0) < int(size)]


def host_problems(engine: t.Mapping[str, t.Any], moved: bool = False) -> list[str]:
    """Return one sentence for each reason why the role cannot work with what was seen of a host.

    moved: all that the engine keeps was copied to where it is to be.
    """
    problems = [engine["options_problem"]]
    # What a managed engine lacks is installed with it.
    complete = engine["mode"] == "existing" or not engine["missing_packages"]
    if engine["ready"] and complete and not engine["buildkit"]:
        problems.append(
            f"The engine runs, but no docker command on the host {'has BuildKit' if engine['cli'] else 'reaches it'}: install the "
            "package docker-buildx (docker-buildx-plugin from Docker's own repository), or set docker_client."
        )
    here, wanted = (os.path.realpath(engine[key]) for key in ("data_root", "wanted_data_root"))
    # It would start with nothing in it: homes would be empty.
    if engine["mode"] == "managed" and engine["volumes"] and here != wanted and not moved:
        problems.append(
            f"docker_data_root is {engine['wanted_data_root']}, but Docker keeps {engine['volumes']} volumes in {engine['data_root']}: "
            f"move them with playbooks/move_data.yml, or set docker_data_root to {engine['data_root']}."
        )
    return [problem for problem in problems if problem]


def last_words(log: str, lines: int = 12) -> str:
    """Return the end of an engine's log, warnings and errors first to be kept."""
    kept = [line.strip() for line in log.splitlines() if line.strip()]
    bad = [
        line for line in kept if re.search(r"level=(?:error|fatal|panic)|failed|unable|cannot|denied", line)
    ]
    return "\n".join((bad or kept)[-lines:])
