# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A server with systemd, an engine and a small disk of its own, in a container of this machine's."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

from deployment import ROOT, Deployment, as_root, docker
from inner_engine import OPTIONS

NETWORK, ADDRESS = "10.93.17.0/24", "10.93.17.10"
DISK = "14G"
# The hub is on the loopback address of its host: systemd leads there from outside.
RELAY = f"""
cat >/etc/systemd/system/relay.socket <<-end
[Socket]
ListenStream={ADDRESS}:8001
[Install]
WantedBy=sockets.target
end
cat >/etc/systemd/system/relay.service <<-end
[Service]
ExecStart=/lib/systemd/systemd-socket-proxyd 127.0.0.1:8000
end
systemctl enable --now relay.socket
"""


def shell(*argv: str, check: bool = True) -> str:
    done = subprocess.run(as_root(list(argv)), capture_output=True, text=True, timeout=900, check=False)
    assert not check or done.returncode == 0, f"{' '.join(argv)}: {done.stderr}"
    return done.stdout.strip()


class Machine(Deployment):
    """The server, and the runs of site.yml on it."""

    def __init__(self, folder: Path, collections: Path, name: str) -> None:
        super().__init__(folder, collections, "hub", 8000)
        self.name, self._disk = name, folder / "disk"
        self.url = f"http://{ADDRESS}:8001"
        self._settings |= {
            "docker_engine": "managed",
            "images_software_stack": "",
            "jupyterhub_memory_limit": "512M",
        }
        self.set()
        host = {
            "ansible_connection": "community.docker.docker",
            "ansible_host": name,
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        (self.folder / "hosts.yml").write_text(json.dumps({"hubs": {"hosts": {"chaos": host}}}))

    def __enter__(self) -> Machine:
        self.remove()
        self._disk.mkdir()
        shell("truncate", f"--size={DISK}", f"{self._disk}.img")
        shell("mkfs.ext4", "-q", "-m", "0", f"{self._disk}.img")
        shell("mount", "-o", "loop", f"{self._disk}.img", str(self._disk))
        shell("mkdir", f"{self._disk}/docker", f"{self._disk}/srv")
        docker("network", "create", f"--subnet={NETWORK}", self.name)
        image = shell(sys.executable, str(ROOT / "molecule/resources/host_image.py"), "bookworm", "docker")
        own = [one for one in OPTIONS if one not in ("--network=none", "--volume=/var/lib/docker")]
        own += [
            f"--volume={self._disk}/{part}:{place}"
            for part, place in (("docker", "/var/lib/docker"), ("srv", "/srv"))
        ]
        docker(
            "run",
            "--detach",
            f"--name={self.name}",
            f"--network={self.name}",
            f"--ip={ADDRESS}",
            *own,
            image,
            "/sbin/init",
        )
        self.wait()
        shell(
            "docker",
            "cp",
            "/etc/ssl/certs/ca-certificates.crt",
            f"{self.name}:/etc/ssl/certs/ca-certificates.crt",
        )
        self.sh(f"apt-get update -qq; {RELAY}")
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.name, check=False)
        docker("network", "rm", self.name, check=False)
        shell("umount", str(self._disk), check=False)
        shell("rm", "-rf", str(self._disk), f"{self._disk}.img")

    def load(self, refs: t.Iterable[str]) -> None:
        """Hand images over, so that site.yml has nothing to build."""
        command = f"docker save {' '.join(refs)} | docker exec --interactive {self.name} docker load"
        shell("bash", "-o", "pipefail", "-c", command)

    def sh(self, script: str, check: bool = True) -> str:
        return shell("docker", "exec", self.name, "sh", "-ec", script, check=check)

    def reboot(self, hard: bool = False) -> None:
        """As a machine that is switched off and on; hard: without a word to anybody."""
        docker(*(["kill"] if hard else ["stop", "--time=60"]), self.name)
        docker("start", self.name)
        self.wait()

    def wait(self) -> None:
        """Until the engine answers: docker version fails where only the client does."""
        end = time.monotonic() + 120
        while self.sh("docker version >/dev/null && echo up", check=False) != "up":
            assert time.monotonic() < end, self.sh("systemctl status docker", check=False)
            time.sleep(0.5)

    def pid(self, container: str) -> str:
        return self.sh(f"docker inspect --format '{{{{.State.Pid}}}}' {container}")

    def user_container(self, user: str) -> str:
        return self.sh(f"docker ps --quiet --filter label=galilean.hub.user={user}")

    def home(self, user: str) -> str:
        return f"/var/lib/docker/volumes/hub-home-{user}/_data"

    def state(self) -> dict[str, t.Any]:
        """Containers, rules and files that site.yml has made."""
        names = [f"hub-{part}" for part in ("edge", "proxy", "hub", "broker", "disk")]
        found = json.loads(self.sh(f"docker inspect {' '.join(names)}"))
        containers = {
            one["Name"]: {
                "image": one["Image"],
                "running": one["State"]["Running"],
                "mounts": sorted(
                    f"{mount.get('Source')}:{mount['Destination']}:{mount['RW']}" for mount in one["Mounts"]
                ),
                "networks": sorted(one["NetworkSettings"]["Networks"]),
                "labels": one["Config"]["Labels"],
            }
            for one in found
        }
        rules = [line for line in self.sh("iptables-save").splitlines() if "GALILEAN" in line]
        # These write while they run.
        own = ("hub", "disk", "backup", "audit", "releases")
        left_out = " -o ".join(f"-path /srv/hub/{folder} -prune" for folder in own)
        files = self.sh(f"find /srv/hub {left_out} -o -printf '%p %y %m %u\\n'")
        settings = self.sh("sha256sum /srv/hub/config/config.json /srv/hub/secrets/*")
        return {
            "containers": containers,
            "networks": self.sh("docker network ls --format '{{.Name}}'").split(),
            "rules": sorted(line.partition("[")[0] for line in rules),
            "files": sorted(files.splitlines()),
            "settings": settings.splitlines(),
            "units": self.sh("systemctl --failed --no-legend --plain", check=False),
        }
