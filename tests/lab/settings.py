# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where the lab keeps its state and which addresses it has: the one place of both."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

# Debian release of the OpenStack services: the last one whose neutron has the linuxbridge agent.
SYSTEM_SUITE = "bookworm"
# Releases that guest images can be made of, and what Glance calls them.
GUEST_RELEASES = {"bookworm": "debian-12", "trixie": "debian-13"}

# The machine's end of the cable into the lab; the other end is a port of the lab's own bridge.
HOST_LINK = "lab-public"
BRIDGE = "br-ext"
BRIDGE_PORT = "ext0"

# The compute node whose servers exist in Nova's books only.
FAKE_HOST = "fake"

# Where the state and these files are, as the services see them.
INSIDE_STATE = Path("/lab")
INSIDE_SOURCE = Path("/src")

# The host's address, the lab's, and those that routers and floating IPs get, counted within the network.
GATEWAY, ADDRESS, POOL_FIRST, POOL_LAST = 1, 2, 10, 21


class LabError(Exception):
    """One sentence for the person at the keyboard: what is wrong, the value, and the fix."""


def _flag(environ: t.Mapping[str, str], name: str, default: bool) -> bool:
    value = environ.get(name) or ("yes" if default else "no")
    if value not in ("yes", "no"):
        raise LabError(f"{name} is {value}: say yes or no.")
    return value == "yes"


@dataclass(frozen=True)
class Settings:
    """What can be chosen, by variables of the environment."""

    state: Path
    network: ipaddress.IPv4Network = field(default=ipaddress.IPv4Network("172.24.4.0/24"))
    suite: str = "bookworm"
    mirror: str = ""
    guest_ca: bool = False
    dns: bool = False

    @classmethod
    def from_environ(cls, environ: t.Mapping[str, str], checkout: Path) -> Settings:
        """Read the variables that docs/lab.md explains."""
        state = Path(environ.get("LAB_STATE") or checkout / ".cache" / "lab")
        if not state.is_absolute():
            raise LabError(f"LAB_STATE is {state}: give the whole path, beginning with /.")
        text = environ.get("LAB_NETWORK") or "172.24.4.0/24"
        try:
            network = ipaddress.IPv4Network(text)
        except ValueError as error:
            raise LabError(
                f"LAB_NETWORK is {text}: give an IPv4 network such as 172.24.4.0/24 ({error})."
            ) from error
        if network.num_addresses <= POOL_LAST + 1:
            raise LabError(f"LAB_NETWORK is {text}: it is too small, give a /27 or a larger one.")
        suite = environ.get("LAB_SUITE") or "bookworm"
        if suite not in GUEST_RELEASES:
            raise LabError(
                f"LAB_SUITE is {suite}: guest images can be made of {' or '.join(GUEST_RELEASES)}."
            )
        mirror = environ.get("LAB_MIRROR") or ""
        # Trusting a certificate takes a minute without hardware acceleration: not where nothing asks for it.
        trust = _flag(environ, "LAB_GUEST_CA", mirror.startswith("https:"))
        # What a state has once, it keeps: its catalogue names it.
        dns = _flag(environ, "LAB_DNS", False) or (state / "var/etc/designate").exists()
        return cls(state, network, suite, mirror, trust, dns)

    @property
    def var(self) -> Path:
        """What the services keep: configuration, databases, logs, disks of guests."""
        return self.state / "var"

    @property
    def cache(self) -> Path:
        """What takes minutes to make and depends on nothing but its inputs; outlives --purge."""
        return self.state / "cache"

    @property
    def clouds_file(self) -> Path:
        return self.state / "clouds.yaml"

    @property
    def gateway(self) -> str:
        return str(self.network[GATEWAY])

    @property
    def address(self) -> str:
        return str(self.network[ADDRESS])

    @property
    def pool(self) -> tuple[str, str]:
        return str(self.network[POOL_FIRST]), str(self.network[POOL_LAST])

    @property
    def auth_url(self) -> str:
        return f"http://{self.address}:5000/v3"

    @property
    def image(self) -> str:
        """Glance's name of the image that hub hosts boot from."""
        return GUEST_RELEASES[self.suite]
