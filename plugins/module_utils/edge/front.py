# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The front of a host: what leads browsers to one of several instances by name. Pure: no files, no engine."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import core_subnet6
from ansible_collections.galilean.hub.plugins.module_utils.edge.budget import SEND_KB, TMP_MB

# Where nginx listens in the front's container, for TLS and plain HTTP alike.
LISTEN = 8443
LABEL_DEFINITION = "galilean.hub.definition"
# Words that nginx's "map" understands in place of a value.
MAP_WORDS = frozenset(["default", "hostnames", "include", "volatile"])
PORTS = re.compile(r"^# ports:((?: [0-9]+)+)$", re.MULTILINE)
ENTRY = re.compile(r"^\\?([A-Za-z0-9*.-]+) [a-z0-9-]+;$", re.MULTILINE)
# What nginx.conf and an instance's file answer at /_edge/front/<instance>.
CONFIGURATION_STATE = re.compile(r'"([0-9a-f]{12}) \$front_state')
MEMBER_STATE = re.compile(r'^"[a-z0-9-]+:" ([0-9a-f]{12});$', re.MULTILINE)


@dataclass(frozen=True)
class Member:
    """What one instance wants of the front: its ports on the host, and the names that lead to it."""

    instance: str
    ports: tuple[int, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Container:
    """The front's container as it is: image is an id, created the moment of the image in seconds."""

    image: str
    created: float
    definition: str
    published: frozenset[str]
    running: bool


@dataclass(frozen=True)
class Wanted:
    """The front's container as this run would make it; ``shared`` when other instances are behind it."""

    image: str
    created: float
    definition: str
    published: frozenset[str]
    shared: bool


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def slug(address: str) -> str:
    """An address as a part of names of containers and folders; HubError when it is none."""
    try:
        ipaddress.ip_address(address)
    except ValueError as exc:
        raise HubError(f"address is {address!r}: give an IP address of the host.") from exc
    return address.replace(":", "-")


def address_of(slugged: str) -> str:
    """The address that ``slug`` was given."""
    return slugged.replace("-", ":")


def member(instance: str, ports: t.Iterable[int], names: t.Iterable[str]) -> Member:
    """An instance's wishes in one form, however they were written; the first port and the first name stay first."""
    return Member(
        instance,
        tuple(dict.fromkeys(port for port in ports if port)),
        tuple(dict.fromkeys(name.lower() for name in names)),
    )


def member_text(one: Member) -> str:
    """The instance's file. nginx reads it into maps: from names to the instance, and from the instance to this text's digest."""
    entries = "".join(f"{chr(92) if name in MAP_WORDS else ''}{name} {one.instance};\n" for name in one.names)
    head = (
        f"# Names that lead to the instance {one.instance}. Written by the role galilean.hub.edge.\n"
        f"# ports: {' '.join(map(str, one.ports))}\n"
    )
    return f'{head}"{one.instance}:" {_digest(head + entries)};\n{entries}'


def read_member(instance: str, text: str) -> Member:
    """What ``member_text`` wrote."""
    ports = PORTS.search(text)
    return member(instance, map(int, ports.group(1).split()) if ports else [], ENTRY.findall(text))


def configuration_text(text: str) -> str:
    """nginx.conf with the digest of everything else in it in place of the word DIGEST."""
    return text.replace("DIGEST", _digest(text))


def state(configuration: str, of_member: str) -> str:
    """What nginx answers at /_edge/front/<instance> when it has loaded these two files; '' for one that is away."""
    found = [
        match.group(1) if match else ""
        for match in (CONFIGURATION_STATE.search(configuration), MEMBER_STATE.search(of_member))
    ]
    return " ".join(found).strip()


def check_names(one: Member, others: t.Iterable[Member]) -> None:
    """Raise HubError when another instance has one of the names already."""
    for other in others:
        for name in one.names:
            if name in other.names:
                raise HubError(
                    f"The name {name} leads to the instance {other.instance} of this host already: give {one.instance} "
                    "another one (edge_server_name, edge_server_aliases)."
                )


def published(address: str, members: t.Iterable[Member]) -> list[str]:
    """What docker publishes for all instances: address and port of the host."""
    # To Docker, "every address" of IPv6 has none of IPv4 in it.
    hosts = ["0.0.0.0", "[::]"] if address == "::" else [f"[{address}]" if ":" in address else address]
    ports = sorted({port for one in members for port in one.ports})
    return [f"{host}:{port}" for host in hosts for port in ports]


def probe_host(address: str) -> str:
    """Where the host itself reaches what listens on this address."""
    return {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(address, address)


def _options(name: str, folder: str, memory: str) -> list[str]:
    """The same for all instances: what differed between them would replace the container at each of their runs."""
    return [
        *("--restart", "unless-stopped", "--network", name, "--volume", f"{folder}:/etc/front:ro"),
        *("--read-only", "--tmpfs", f"/tmp:rw,noexec,nosuid,nodev,size={TMP_MB}m,mode=1777"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"),
        *("--memory", memory, "--pids-limit", "256"),
        *("--sysctl", f"net.ipv4.tcp_wmem=4096 16384 {SEND_KB * 1024}"),
        *("--log-driver", "json-file", "--log-opt", "max-size=10m", "--log-opt", "max-file=3"),
        *("--label", "galilean.hub.role=front"),
    ]


def network_arguments(name: str, address: str, mtu: int) -> list[str]:
    """Arguments of ``docker`` for the front's network. Over IPv6 it needs addresses of its own, or every client would seem to be
    the host.
    """
    over6 = ["--ipv6", f"--subnet={core_subnet6(name)}"] if ":" in address else []
    options = [f"--opt=com.docker.network.driver.mtu={mtu}"] if mtu else []
    return ["network", "create", "--label=galilean.hub.role=front", *over6, *options, name]


def definition(name: str, folder: str, memory: str) -> str:
    """Digest of all that makes the container, but for its image and its ports."""
    return _digest(" ".join(_options(name, folder, memory)))


def run_arguments(name: str, folder: str, image: str, ports: t.Iterable[str], memory: str) -> list[str]:
    """Arguments of ``docker`` for the front's container."""
    return [
        *("run", "--detach", "--pull", "never", "--name", name, *_options(name, folder, memory)),
        *("--label", f"{LABEL_DEFINITION}={definition(name, folder, memory)}"),
        *[f"--publish={where}:{LISTEN}" for where in ports],
        *(image, "nginx", "-e", "/dev/stderr", "-c", "/etc/front/nginx.conf"),
    ]


def check_arguments(folder: str, image: str) -> list[str]:
    """Arguments of ``docker`` that have nginx read a folder without using it: no network, no rights."""
    return [
        *("run", "--rm", "--pull", "never", "--network", "none", "--read-only", "--tmpfs", "/tmp"),
        *(
            "--cap-drop",
            "ALL",
            "--security-opt",
            "no-new-privileges:true",
            "--volume",
            f"{folder}:/etc/front:ro",
        ),
        *(image, "nginx", "-e", "/dev/stderr", "-q", "-t", "-c", "/etc/front/nginx.conf"),
    ]


def what_to_do(have: Container | None, want: Wanted) -> str:
    """``create``, ``replace``, ``start`` or nothing (empty).

    Replacing ends the connections of all instances, so it is done for a newer image or a port that is missing, never for an
    older image, nor for a port that nobody asks for any more while others are behind the front.
    """
    if have is None:
        return "create"
    older = want.image != have.image and want.created < have.created
    if not older and (want.image != have.image or want.definition != have.definition):
        return "replace"
    if want.published - have.published or (not want.shared and have.published != want.published):
        return "replace"
    return "" if have.running else "start"
