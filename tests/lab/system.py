# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The lab's own Debian tree with the OpenStack packages, and the namespaces that it runs in.

Nothing is installed on the machine. The lab is one set of namespaces (mounts, processes, network): its first
process ends, and nothing of it is left.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
import typing as t
from pathlib import Path

from commands import ISOLATED, digest, remove, run
from settings import INSIDE_SOURCE, SYSTEM_SUITE, LabError, Settings

SOURCE = Path(__file__).resolve().parent
PACKAGES = (
    # The services
    "keystone", "glance-api", "placement-api", "nova-api", "nova-scheduler", "nova-conductor", "nova-compute",
    "nova-compute-qemu", "neutron-api", "neutron-rpc-server", "neutron-linuxbridge-agent",
    "neutron-dhcp-agent", "neutron-l3-agent", "neutron-metadata-agent", "cinder-api", "cinder-scheduler",
    "cinder-volume", "designate-api", "designate-central", "designate-worker", "designate-producer",
    "designate-mdns",
    # What they stand on
    "rabbitmq-server", "mariadb-server", "memcached", "python3-memcache", "python3-pymysql", "uwsgi-core",
    "uwsgi-plugin-python3", "eatmydata", "tini", "sudo", "udev", "kmod", "procps", "netbase",
    "ca-certificates", "bind9",
    # Guests, their network and their disks
    "libvirt-daemon-system", "libvirt-clients", "qemu-system-x86", "qemu-utils", "genisoimage", "dmidecode",
    "haproxy", "dnsmasq-base", "conntrack", "ipset", "ebtables", "iptables", "iproute2", "iputils-arping",
    "bridge-utils",
    # What makes their images
    "e2fsprogs", "dosfstools", "mtools", "syslinux", "syslinux-common", "fdisk",
)  # fmt: skip
# Programs that a site without our packages would have; links, so that a change needs no new tree.
SHIMS = {"usr/sbin/mount.nfs": "bin/mount.nfs", "usr/local/sbin/ebtables": "bin/ebtables"}
BUILD_LIMIT = 1800
ENVIRONMENT = (
    "env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
    "HOME=/lab/home", "PYTHONDONTWRITEBYTECODE=1",
)  # fmt: skip


def mmdebstrap(suite: str, packages: t.Iterable[str], tree: Path, mirror: str, *options: str) -> list[str]:
    """The command that makes a tree of packages."""
    return [
        *ISOLATED, "mmdebstrap", "--variant=minbase", "--format=directory", f"--include={','.join(packages)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io", *options,
        suite, str(tree), *([mirror] if mirror else []),
    ]  # fmt: skip


class System:
    """The tree, and what runs in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.digest = digest(SYSTEM_SUITE, settings.mirror, PACKAGES, SHIMS)
        self.tree = settings.cache / f"system-{self.digest}"
        self.schemas = settings.cache / f"schemas-{self.digest}"
        self._record = settings.var / "run" / "init.json"

    def build(self) -> bool:
        """Make the tree where it is missing; whether it was."""
        if self.tree.exists():
            return False
        cache = self.settings.cache
        cache.mkdir(parents=True, exist_ok=True)
        part, log = cache / "system.part", cache / "system.log"
        remove(part)
        log.unlink(missing_ok=True)
        run(
            mmdebstrap(SYSTEM_SUITE, PACKAGES, part, self.settings.mirror),
            what="Fetching the OpenStack packages",
            limit=BUILD_LIMIT,
            log=log,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
        for folder in ("lab", "src"):
            (part / folder).mkdir()
        for name, source in SHIMS.items():
            (part / name).symlink_to(INSIDE_SOURCE / source)
        (part / "etc/hosts").write_text("127.0.0.1 localhost lab\n")
        part.rename(self.tree)
        for old in [*cache.glob("system-*"), *cache.glob("schemas-*")]:
            if old not in (self.tree, self.schemas):
                remove(old)
        return True

    def inside(self, work: Path, script: str, what: str, limit: float, log: Path) -> None:
        """Run a shell script with the tree's programs, in a folder of the machine; the lab need not run."""
        mounts = 'mount --bind "$1" "$2/mnt"; mount -t proc proc "$2/proc"; mount --rbind /dev "$2/dev"'
        run(
            [*ISOLATED, "sh", "-euc", f'{mounts}; exec chroot "$2" sh -euc "cd /mnt; $3"', "sh",
             str(work), str(self.tree), script],
            what=what, limit=limit, log=log,
        )  # fmt: skip

    # --- Namespaces -----------------------------------------------------------------------------------------

    def init(self) -> int:
        """The first process of the running lab, as the machine numbers it; 0 when it does not run."""
        outer = self._outer()
        init = _child(outer) if outer else 0
        with contextlib.suppress(OSError):
            # Before that it is still on its way in.
            if init and Path(f"/proc/{init}/comm").read_text().strip() == "tini":
                return init
        return 0

    def _outer(self) -> int:
        """The process that made the namespaces, and takes them along when it ends; 0 when it is gone."""
        try:
            known = json.loads(self._record.read_text())
        except (OSError, ValueError):
            return 0
        return int(known["pid"]) if known["started"] and _started_at(known["pid"]) == known["started"] else 0

    def tree_runs(self) -> bool:
        """Whether the running lab has the tree that it would be started with."""
        init = self.init()
        with contextlib.suppress(OSError):
            return bool(init) and os.path.samefile(f"/proc/{init}/root", self.tree)
        return False

    def enter(self) -> bool:
        """Make the namespaces where there are none; whether there were none."""
        if self.init():
            return False
        # One that was killed on its way in is of no use.
        self.leave()
        var = self.settings.var
        for folder in ("run", "log", "libvirt", "etc/libvirt", "schemas"):
            (var / folder).mkdir(parents=True, exist_ok=True)
        self.schemas.mkdir(parents=True, exist_ok=True)
        with open(var / "log" / "init.out", "wb") as log:
            outer = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child",
                 "--propagation", "private", str(SOURCE / "enter.sh"), str(self.tree), str(var),
                 str(self.schemas), str(SOURCE)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        # At once: who is killed now must find it again.
        self._record.write_text(json.dumps({"pid": outer.pid, "started": _started_at(outer.pid)}))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and outer.poll() is None:
            if self.init():
                return True
            time.sleep(0.05)
        outer.kill()
        said = (var / "log" / "init.out").read_text(errors="replace").strip()
        raise LabError(f"The lab's namespaces cannot be made here: {said or 'no answer in 30 s'}")

    def call(self, *argv: str, limit: float) -> dict[str, t.Any]:
        """Run inside.py in the lab; it ends when this process does."""
        program = ("/usr/bin/python3", str(INSIDE_SOURCE / "inside.py"), self.settings.address)
        process = subprocess.Popen(
            ["nsenter", "--target", str(self.init()), "--mount", "--net", "--pid", "--ipc", "--uts",
             *ENVIRONMENT, *program, *argv],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdin is not None
        # Only its end means anything, and communicate() would close it at once.
        held, process.stdin = process.stdin, None
        timer = threading.Timer(limit, held.close)
        timer.start()
        try:
            said, complaint = process.communicate()
        finally:
            timer.cancel()
            held.close()
        if process.returncode:
            late = f"The step {argv[0]} took longer than {limit:.0f} s." if process.returncode == 130 else ""
            raise LabError(
                complaint.strip() or late or f"The step {argv[0]} ended with {process.returncode}."
            )
        return dict(json.loads(said.splitlines()[-1]))

    def leave(self) -> None:
        """End the first process, and with it all that is left of the lab."""
        init, outer = self.init(), self._outer()
        if outer:
            os.kill(outer, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while any(_started_at(pid) for pid in (init, outer) if pid):
            if time.monotonic() > deadline:
                raise LabError(
                    f"Process {init}, the lab's first, does not end: look at it with ps -p {init}."
                )
            time.sleep(0.05)
        self._record.unlink(missing_ok=True)


def _started_at(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _child(pid: int) -> int:
    """The only child of a process; 0 while it has none."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
    return 0
