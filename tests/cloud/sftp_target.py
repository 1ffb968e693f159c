# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A machine for backups that servers of the lab reach: the distribution's sshd in a container."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
import typing as t
from pathlib import Path

from deployment import docker, wait_until
from site_on_cloud import ROOT

# This machine in the lab's external network, and a port there.
ADDRESS, PORT = "172.24.4.1", "2222"
NAME = "lab-backup-target"
USER = "keeper"
START = f"""
useradd --create-home --password '*' {USER}
mkdir -p /run/sshd
ssh-keygen -A
exec /usr/sbin/sshd -D -e
"""


@contextlib.contextmanager
def serving(folder: Path) -> t.Iterator[dict[str, str]]:
    """The settings of role backup for it, while it runs; its key is made in the folder."""
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    program = str(ROOT / "molecule" / "resources" / "host_image.py")
    image = subprocess.run(
        [sys.executable, program, "bookworm"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()
    docker("rm", "--force", "--volumes", NAME, check=False)
    docker("run", "--detach", f"--name={NAME}", f"--publish={ADDRESS}:{PORT}:22", image, "sh", "-ec", START)
    try:
        scan = ["ssh-keyscan", "-p", PORT, ADDRESS]
        wait_until(
            lambda: subprocess.run(scan, capture_output=True, check=False).stdout != b"",
            60,
            "the target of backups",
        )
        public = key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        place = f"/home/{USER}/.ssh"
        put = f"install -d -o {USER} {place}; echo '{public}' >{place}/authorized_keys"
        docker("exec", NAME, "sh", "-ec", put)
        host_key = " ".join(docker("exec", NAME, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        yield {
            "backup_repository": f"sftp://{USER}@{ADDRESS}:{PORT}//home/{USER}/hub",
            "backup_ssh_key": key.read_text(encoding="utf-8"),
            "backup_ssh_known_hosts": f"[{ADDRESS}]:{PORT} {host_key}",
            "backup_password": secrets.token_hex(32),
        }
    finally:
        docker("rm", "--force", "--volumes", NAME)
