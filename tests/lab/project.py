# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A network with servers in one project of the lab, for the check of the lab itself; removed by its names."""

from __future__ import annotations

import socket
import struct
import subprocess
import time
import typing as t
from pathlib import Path

from api import Cloud, Json, wait_for
from settings import LabError

BEGIN, END = "-----BEGIN SSH HOST KEY KEYS-----", "-----END SSH HOST KEY KEYS-----"
KEY_TYPES = ("ssh-", "ecdsa-", "sk-")
# A guest without hardware acceleration, on processors that others use, too.
BOOT_LIMIT = 420
CONSOLE_LINES = 30


def host_keys(console: str) -> list[str]:
    """The SSH host keys that the latest boot has printed to the console, as "type key"."""
    text = console.replace("\r", "")
    begin, end = text.rfind(BEGIN), text.rfind(END)
    if begin < 0 or end < begin:
        return []
    lines = [line.split() for line in text[begin:end].splitlines()[1:]]
    # systemd may have written in between.
    return [" ".join(words[:2]) for words in lines if words and words[0].startswith(KEY_TYPES)]


def address_of(name: str, server: str) -> str:
    """What a name server says to a question for an address: nothing of this machine stands between."""
    labels = b"".join(bytes([len(one)]) + one.encode() for one in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(5)
        # One question, for class IN and type A, as resolvers put it: the answer then ends with the record.
        link.sendto(
            struct.pack(">6H", 1, 0x100, 1, 0, 0, 0) + labels + struct.pack(">2H", 1, 1), (server, 53)
        )
        said = link.recv(512)
    return socket.inet_ntoa(said[-4:]) if struct.unpack(">H", said[6:8])[0] else ""


class Project:
    """What the check makes; everything carries its prefix."""

    def __init__(self, cloud: Cloud, external: str, folder: Path, prefix: str = "lab-check") -> None:
        self.cloud, self.folder, self.prefix = cloud, folder, prefix
        self.external = cloud.get("network", f"/v2.0/networks?name={external}")["networks"][0]["id"]
        self.key = folder / "id_ed25519"
        self.zone = f"{prefix}.example.org."

    def network(self) -> None:
        """Key pair, network with a way out, and a security group that lets nothing in."""
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True, timeout=30
        )
        public = self.key.with_suffix(".pub").read_text().strip()
        self.cloud.post("compute", "/os-keypairs", {"keypair": {"name": self.prefix, "public_key": public}})
        net = self._make("network", {"name": self.prefix})
        subnet = {"name": self.prefix, "network_id": net["id"], "ip_version": 4, "cidr": "10.77.0.0/24"}
        subnet_id = self._make("subnet", subnet)["id"]
        gateway = {"external_gateway_info": {"network_id": self.external}}
        router = self._make("router", {"name": self.prefix, **gateway})
        self.cloud.put(
            "network", f"/v2.0/routers/{router['id']}/add_router_interface", {"subnet_id": subnet_id}
        )
        self._make("security-group", {"name": self.prefix})

    def allow_ssh(self) -> None:
        rule = {
            "security_group_id": self._ids("security-group")[0], "direction": "ingress", "protocol": "tcp",
            "port_range_min": 22, "port_range_max": 22,
        }  # fmt: skip
        self._make("security-group-rule", rule)

    def _make(self, kind: str, body: Json) -> Json:
        key = kind.replace("-", "_")
        return dict(self.cloud.post("network", f"/v2.0/{kind}s", {key: body})[key])

    def _ids(self, kind: str) -> list[str]:
        found = self.cloud.get("network", f"/v2.0/{kind}s?name={self.prefix}")
        return [one["id"] for one in found[f"{kind.replace('-', '_')}s"]]

    def server(self, name: str, image: str, flavor: str, boot_gib: int = 0) -> Server:
        """Create a server with a config drive; with boot_gib its disk is a volume of that size."""
        flavors = self.cloud.get("compute", "/flavors")["flavors"]
        image_id = self.cloud.get("image", f"/v2/images?name={image}")["images"][0]["id"]
        body: Json = {
            "name": f"{self.prefix}-{name}",
            "flavorRef": next(one["id"] for one in flavors if one["name"] == flavor),
            "key_name": self.prefix,
            "config_drive": True,
            "networks": [{"uuid": self._ids("network")[0]}],
            "security_groups": [{"name": self.prefix}],
        }
        if boot_gib:
            disk = {"source_type": "image", "destination_type": "volume", "uuid": image_id, "boot_index": 0}
            body["block_device_mapping_v2"] = [
                {**disk, "volume_size": boot_gib, "delete_on_termination": True}
            ]
        else:
            body["imageRef"] = image_id
        return Server(self, str(self.cloud.post("compute", "/servers", {"server": body})["server"]["id"]))

    def volume(self, gib: int) -> str:
        body = {"volume": {"name": self.prefix, "size": gib}}
        return str(self.cloud.post("volumev3", "/volumes", body)["volume"]["id"])

    def volume_is(self, volume: str, state: str) -> None:
        wait_for(
            f"Volume {volume} becoming {state}",
            lambda: self.cloud.get("volumev3", f"/volumes/{volume}")["volume"]["status"] == state,
            limit=120,
        )

    def name(self, host: str, address: str) -> str:
        """Give an address a name in a zone of ours, wait until name servers know of it, and return it."""
        zone = self.cloud.post("dns", "/v2/zones", {"name": self.zone, "email": "lab@example.org"})
        path = f"/v2/zones/{zone['id']}/recordsets"
        wanted = {"name": f"{host}.{self.zone}", "type": "A", "records": [address]}
        record = self.cloud.post("dns", path, wanted)["id"]
        wait_for(
            f"The record {wanted['name']}",
            lambda: self.cloud.get("dns", f"{path}/{record}")["status"] == "ACTIVE",
            limit=60,
        )
        return f"{host}.{self.zone}"

    def _zones(self) -> list[Json]:
        if "dns" not in self.cloud.services:
            return []
        return list(self.cloud.get("dns", f"/v2/zones?name={self.zone}")["zones"])

    def left(self) -> list[str]:
        """What carries our prefix."""
        cloud = self.cloud
        found = {
            "server": cloud.get("compute", "/servers")["servers"],
            "volume": cloud.get("volumev3", "/volumes")["volumes"],
            "key pair": [one["keypair"] for one in cloud.get("compute", "/os-keypairs")["keypairs"]],
            "zone": self._zones(),
        }
        for kind in ("floatingip", "router", "network", "security-group"):
            mine = cloud.get("network", f"/v2.0/{kind}s?project_id={cloud.project_id}")
            found[kind] = mine[f"{kind.replace('-', '_')}s"]
        return [
            f"{kind} {one.get('name') or one['description']}"
            for kind, several in found.items()
            for one in several
            # Floating IPs have no name.
            if (one.get("name") or one.get("description", "")).startswith(self.prefix)
        ]

    def remove(self) -> None:
        """Remove what carries our prefix, also what an earlier check that was killed left."""
        cloud = self.cloud
        mine = {one["id"] for one in cloud.get("compute", f"/servers?name=^{self.prefix}")["servers"]}
        for server in mine:
            cloud.delete("compute", f"/servers/{server}")
        wait_for(
            "The removal of servers",
            lambda: mine.isdisjoint(one["id"] for one in cloud.get("compute", "/servers")["servers"]),
            limit=120,
        )
        for one in cloud.get("volumev3", f"/volumes?name={self.prefix}")["volumes"]:
            cloud.delete("volumev3", f"/volumes/{one['id']}")
        for one in self._zones():
            cloud.delete("dns", f"/v2/zones/{one['id']}")
        for one in cloud.get("network", f"/v2.0/floatingips?description={self.prefix}")["floatingips"]:
            cloud.delete("network", f"/v2.0/floatingips/{one['id']}")
        for router in self._ids("router"):
            for subnet in self._ids("subnet"):
                attached = cloud.get("network", f"/v2.0/ports?device_id={router}")["ports"]
                if any(ip["subnet_id"] == subnet for port in attached for ip in port["fixed_ips"]):
                    path = f"/v2.0/routers/{router}/remove_router_interface"
                    cloud.put("network", path, {"subnet_id": subnet})
            cloud.delete("network", f"/v2.0/routers/{router}")
        for kind in ("network", "security-group"):
            for one in self._ids(kind):
                cloud.delete("network", f"/v2.0/{kind}s/{one}")
        cloud.delete("compute", f"/os-keypairs/{self.prefix}")
        # Deleted in the background.
        wait_for(
            "The removal of volumes and of the zone",
            lambda: (
                not self._zones() and not cloud.get("volumev3", f"/volumes?name={self.prefix}")["volumes"]
            ),
            limit=120,
        )


class Server:
    """One server, and the way to it."""

    def __init__(self, project: Project, server_id: str) -> None:
        self.project, self.id, self.address = project, server_id, ""
        self._known_hosts = project.folder / f"known_hosts-{server_id}"

    def _observe(self) -> Json:
        return dict(self.project.cloud.get("compute", f"/servers/{self.id}")["server"])

    def action(self, name: str, argument: t.Any = None) -> Json:
        return self.project.cloud.post("compute", f"/servers/{self.id}/action", {name: argument})

    def console(self) -> str:
        return str(self.action("os-getConsoleOutput", {})["output"])

    def is_active(self, limit: float = 180) -> None:
        def observe() -> bool:
            found = self._observe()
            if found["status"] == "ERROR":
                raise LabError(f"Server {found['name']} failed: {found.get('fault', {}).get('message')}")
            return bool(found["status"] == "ACTIVE" and not found["OS-EXT-STS:task_state"])

        wait_for(f"Server {self.id}'s start", observe, limit)

    def is_state(self, state: str, limit: float) -> None:
        wait_for(f"Server {self.id} becoming {state}", lambda: self._observe()["status"] == state, limit)

    def keys(self, limit: float = BOOT_LIMIT) -> list[str]:
        """Wait until the console shows the host keys."""
        try:
            return list(wait_for("The host keys on the console", lambda: host_keys(self.console()), limit, 2))
        except LabError as error:
            lines = self.console().splitlines()[-CONSOLE_LINES:]
            raise LabError("\n".join([f"{error} The console's last lines:", *lines])) from None

    def give_address(self) -> str:
        """Allocate a floating IP."""
        cloud = self.project.cloud
        ports = cloud.get("network", f"/v2.0/ports?device_id={self.id}")["ports"]
        wanted = {
            "floating_network_id": self.project.external, "port_id": ports[0]["id"],
            "description": self.project.prefix,
        }  # fmt: skip
        made = cloud.post("network", "/v2.0/floatingips", {"floatingip": wanted})["floatingip"]
        self.address = made["floating_ip_address"]
        return self.address

    def pin(self, keys: list[str]) -> None:
        self._known_hosts.write_text("".join(f"{self.address} {key}\n" for key in keys))

    def ssh(self, command: str, limit: float = 60) -> subprocess.CompletedProcess[str]:
        options = {
            "IdentitiesOnly": "yes",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": str(self._known_hosts),
            "GlobalKnownHostsFile": "/dev/null",
            "ConnectTimeout": "10",
            "BatchMode": "yes",
        }
        words = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
        argv = ["ssh", "-i", str(self.project.key), *words, f"debian@{self.address}", command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=limit, check=False)

    def run(self, command: str, limit: float = 60, retry: float = 0) -> str:
        """Run a command; with `retry` for so many seconds again and again, until the server lets us in."""
        began = time.monotonic()
        while True:
            done = self.ssh(command, limit)
            if done.returncode == 0:
                return done.stdout
            if time.monotonic() - began > retry:
                raise LabError(f"{command!r} on {self.address} failed: {done.stderr.strip()[-500:]}")
            time.sleep(2)

    def device(self, volume: str) -> str:
        """Where a volume is inside; the id is in the disk's serial number. Waits for it."""
        name = f"/dev/disk/by-id/virtio-{volume[:20]}"
        self.run(f"for n in $(seq 60); do [ -b {name} ] && exit 0; sleep 0.5; done; exit 1", limit=90)
        return name
