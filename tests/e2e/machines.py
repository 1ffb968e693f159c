# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Servers with systemd and an engine of their own, in containers; and the public address of one of them."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import subprocess
import sys
import threading
import time

from deployment import ROOT, docker

CA = "/etc/ssl/certs/ca-certificates.crt"
CLONE_NEWNET = 0x40000000
# With capabilities instead of --privileged, as molecule/resources/create.yml.
OPTIONS = (
    "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm", "--cgroupns=host",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec",
    "--volume=/var/lib/docker", "--volume=/srv", "--stop-signal=SIGRTMIN+3",
)  # fmt: skip


class Machine:
    """One server."""

    def __init__(self, name: str) -> None:
        self.name = name
        script = str(ROOT / "molecule/resources/host_image.py")
        image = subprocess.run(
            [sys.executable, script, "bookworm", "docker"], capture_output=True, text=True, check=True
        )
        docker("rm", "--force", "--volumes", name, check=False)
        argv = (
            "--detach",
            f"--name={name}",
            f"--hostname={name}",
            "--label=galilean.hub.test=host",
            *OPTIONS,
        )
        docker("run", *argv, image.stdout.strip(), "/sbin/init", "--log-target=journal")
        end = time.monotonic() + 60
        while docker("exec", name, "systemctl", "is-system-running", check=False) not in (
            "running",
            "degraded",
        ):
            assert time.monotonic() < end, f"{name} does not start"
            time.sleep(0.5)
        docker("cp", "--follow-link", CA, f"{name}:{CA}")
        self.sh("apt-get -q update")
        self.pid = int(docker("inspect", "--format={{.State.Pid}}", name))
        self.address = docker(
            "inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
        )

    def sh(self, script: str, check: bool = True) -> str:
        return docker("exec", self.name, "bash", "-ec", script, check=check)

    def remove(self) -> None:
        docker("rm", "--force", "--volumes", self.name)

    def connect(self, port: int) -> socket.socket:
        """A connection to its loopback. Only the thread that makes it goes into its network."""
        made: list[socket.socket | OSError] = []

        def enter() -> None:
            with open(f"/proc/{self.pid}/ns/net", encoding="ascii") as space:
                if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), CLONE_NEWNET):
                    made.append(OSError(ctypes.get_errno(), "setns"))
                    return
            try:
                made.append(socket.create_connection(("127.0.0.1", port), 5))
            except OSError as exc:
                made.append(exc)

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if isinstance(made[0], OSError):
            raise made[0]
        made[0].settimeout(None)
        return made[0]


class Front:
    """The public address. What it leads to is switched by hand, as a DNS record is."""

    def __init__(self, port: int, machine: Machine) -> None:
        self.port, self.machine = port, machine
        self._server = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client:
            try:
                other = self.machine.connect(self.port)
            except OSError:
                return
            with other:
                back = threading.Thread(target=pump, args=(other, client), daemon=True)
                back.start()
                pump(client, other)
                back.join()

    def close(self) -> None:
        # The thread that waits in accept would hold the port.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
