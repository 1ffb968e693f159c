# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the lab needs of the machine, and what it changes on it: a cable and three firewall rules."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import shlex
import shutil
import subprocess
import typing as t
from pathlib import Path

from commands import free_gib, run
from configs import Site
from settings import BRIDGE_PORT, HOST_LINK, LabError, Settings

# Programs of the machine itself; everything else is in the lab's own tree.
PROGRAMS = {
    "mmdebstrap": "mmdebstrap", "unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2",
    "iptables": "iptables",
}  # fmt: skip
# Seen: 2.1 GiB of packages, 2 GiB for making guest images, 3 GiB of databases, images and their copies.
DISK_GIB, MEMORY_GIB = 12, 6
RESOLVED = Path("/run/systemd/resolve/resolv.conf")
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
COMMENT = "galilean-hub-lab"


def check(settings: Settings, fresh: bool) -> None:
    """Say what cannot work before anything is made."""
    if os.geteuid() != 0:
        raise LabError("The lab needs root for network namespaces and mounts: call it as root, or with sudo.")
    for program, package in PROGRAMS.items():
        if not shutil.which(program):
            raise LabError(
                f"{program} is not there, and the lab is made with it: on Debian or Ubuntu install the "
                f"package {package}; other distributions may not have it."
            )
    if not Path("/dev/net/tun").exists():
        raise LabError("/dev/net/tun is not there, and guests get their network by it: load the module tun.")
    if fresh and free_gib(settings.state) < DISK_GIB:
        raise LabError(
            f"{free_gib(settings.state):.1f} GiB are free at {settings.state}, {DISK_GIB} are needed: "
            "make room, or give another folder with LAB_STATE."
        )
    if fresh and memory_gib() < MEMORY_GIB:
        raise LabError(
            f"{memory_gib():.1f} GiB of memory are free, {MEMORY_GIB} are needed for a start: end something."
        )
    if overlap := overlapping(settings.network, json.loads(run(["ip", "-json", "-4", "route"]))):
        raise LabError(
            f"The network {settings.network} is in use here ({overlap}): give another one with LAB_NETWORK."
        )


def memory_gib() -> float:
    found = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(found.group(1)) / 2**20 if found else 0.0


def overlapping(network: ipaddress.IPv4Network, routes: list[dict[str, t.Any]]) -> str:
    """The route, other than our own and the default, that leads into a network; empty when there is none."""
    for route in routes:
        if route.get("dev") == HOST_LINK or route["dst"] == "default":
            continue
        if network.overlaps(ipaddress.IPv4Network(route["dst"])):
            return f"{route['dst']} on {route.get('dev', 'no link')}"
    return ""


def resolvers(text: str) -> tuple[str, ...]:
    """Name servers of a resolv.conf that guests can reach, too."""
    found = re.findall(r"^nameserver\s+([0-9.]+)\s*$", text, re.MULTILINE)
    return tuple(one for one in found if not ipaddress.IPv4Address(one).is_loopback)


def site() -> Site:
    """The machine's surroundings, as guests have to know them."""
    servers = resolvers(Path("/etc/resolv.conf").read_text())
    if not servers and RESOLVED.exists():
        servers = resolvers(RESOLVED.read_text())
    route = json.loads(run(["ip", "-json", "-4", "route", "show", "default"]))
    mtu = 1500
    if route:
        mtu = min(1500, int(Path("/sys/class/net", route[0]["dev"], "mtu").read_text()))
    proxy = ""
    if shutil.which("apt-config"):
        found = re.search(r'^Acquire::http::Proxy "(.+)";$', run(["apt-config", "dump"]), re.MULTILINE)
        proxy = found.group(1) if found else os.environ.get("http_proxy", "")
    # Those that an administrator added; the distribution's own are in every image.
    added = sorted(Path("/usr/local/share/ca-certificates").glob("*.crt"))
    return Site(servers, mtu, proxy, tuple(file.read_text() for file in added))


def rules(settings: Settings) -> list[tuple[str, str, tuple[str, ...]]]:
    """Table, chain and rule: guests reach what the machine reaches, also where Docker forbids to forward."""
    mine = ("-m", "comment", "--comment", COMMENT)
    network = str(settings.network)
    return [
        ("nat", "POSTROUTING", ("-s", network, "!", "-o", HOST_LINK, *mine, "-j", "MASQUERADE")),
        ("filter", "FORWARD", ("-i", HOST_LINK, "-s", network, *mine, "-j", "ACCEPT")),
        ("filter", "FORWARD", ("-o", HOST_LINK, "-d", network, *mine, "-j", "ACCEPT")),
    ]


def ours(listing: str) -> list[list[str]]:
    """Of the rules that iptables -S lists, those that carry our comment, whatever network they are for."""
    found = [shlex.split(line) for line in listing.splitlines() if line.startswith("-A ")]
    return [words[1:] for words in found if COMMENT in words]


def _iptables(*argv: str) -> bool:
    return (
        subprocess.run(["iptables", "--wait", "10", *argv], capture_output=True, check=False).returncode == 0
    )


def plug(settings: Settings, init: int) -> bool:
    """Lay the cable into the lab, and let packets through; whether anything was to do."""
    changed = False
    if not Path("/sys/class/net", HOST_LINK).exists():
        run(
            ["ip", "link", "add", HOST_LINK, "type", "veth", "peer", "name", BRIDGE_PORT, "netns", str(init)],
            what="Laying the cable into the lab",
        )
        changed = True
    run(["ip", "address", "replace", f"{settings.gateway}/{settings.network.prefixlen}", "dev", HOST_LINK])
    run(["ip", "link", "set", HOST_LINK, "up"])
    for table, chain, rule in rules(settings):
        if not _iptables("-t", table, "-C", chain, *rule):
            run(["iptables", "--wait", "10", "-t", table, "-I", chain, *rule])
            changed = True
    return changed


def forward(state: Path) -> None:
    """Have the machine forward packets, and remember when it did not."""
    if FORWARD.read_text().strip() != "1":
        state.touch()
        FORWARD.write_text("1")


def unplug(settings: Settings, state: Path) -> None:
    """Undo plug() and forward()."""
    for table, chain in {(table, chain) for table, chain, _ in rules(settings)}:
        for rule in ours(run(["iptables", "--wait", "10", "-t", table, "-S", chain])):
            _iptables("-t", table, "-D", *rule)
    link = Path("/sys/class/net", HOST_LINK)
    if link.exists():
        try:
            run(["ip", "link", "delete", HOST_LINK])
        except LabError:
            # It goes with the lab's namespace as well, some time after that was ended.
            if link.exists():
                raise
    if state.exists():
        FORWARD.write_text("0")
        state.unlink()
