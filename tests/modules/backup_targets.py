# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Real targets of backups, the distribution's, in a container: sshd, a rest-server, Swift and S3."""

from __future__ import annotations

import contextlib
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from engine import ModuleRunner, docker

DOCKERFILE = """\
ARG BASE
FROM ${BASE}
RUN --mount=type=secret,id=ca,target=/etc/ssl/certs/ca-certificates.crt \\
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \\
    openssh-server rclone memcached swift-proxy swift-account swift-container swift-object
COPY targets.sh /targets.sh
CMD ["sh", "/targets.sh"]
"""
CA = "/etc/ssl/certs/ca-certificates.crt"
USER = "backup-target"


class Targets(t.NamedTuple):
    """The container with the targets, and what leads in."""

    container: str
    ip: str
    key: str
    known_hosts: str

    def settings(self, kind: str) -> dict[str, t.Any]:
        """Repository and keys of one kind of target."""
        known: dict[str, dict[str, t.Any]] = {
            "sftp": {
                "repository": f"sftp:{USER}@{self.ip}:/home/{USER}/hub",
                "ssh_key": self.key,
                "known_hosts": self.known_hosts,
            },
            "rest": {
                "repository": f"rest:http://{self.ip}:8000/hub",
                "environment": {"RESTIC_REST_USERNAME": "tester", "RESTIC_REST_PASSWORD": "testing"},
            },
            "s3": {
                "repository": f"s3:http://{self.ip}:8080/hub-backup/hub",
                "environment": {"AWS_ACCESS_KEY_ID": "test:tester", "AWS_SECRET_ACCESS_KEY": "testing"},
            },
            "swift": {
                "repository": "swift:hub-swift:/hub",
                "environment": {
                    "ST_AUTH": f"http://{self.ip}:8080/auth/v1.0",
                    "ST_USER": "test:tester",
                    "ST_KEY": "testing",
                },
            },
        }
        return known[kind]


@contextlib.contextmanager
def serving(run_module: ModuleRunner, prefix: str, base: str, folder: Path) -> t.Iterator[Targets]:
    built = run_module(
        "image",
        name="backup-targets",
        repository_prefix=prefix,
        dockerfile_inline=DOCKERFILE,
        path=str(Path(__file__).parent / "targets"),
        parent=base,
        secrets={"ca": CA},
        log_dir=str(folder),
    )
    assert not built["failed"], built
    name = f"{prefix}-backup-targets"
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    docker(
        "run", "--detach", f"--name={name}", "--tmpfs=/srv/node", "--tmpfs=/srv/rest", built["image"]["ref"]
    )
    try:
        ip = docker(
            "inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", name
        ).strip()
        request = urllib.request.Request(
            f"http://{ip}:8080/auth/v1.0", headers={"X-Auth-User": "test:tester", "X-Auth-Key": "testing"}
        )
        for _ in range(240):
            with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5):
                break
            time.sleep(0.5)
        else:
            raise AssertionError(f"Swift does not answer: {docker('logs', name)}")
        home, public = f"/home/{USER}", key.with_suffix(".pub").read_text().strip()
        docker(
            "exec",
            name,
            "sh",
            "-ec",
            f"echo '{public}' > {home}/.ssh/authorized_keys; chown -R {USER} {home}/.ssh",
        )
        host_key = " ".join(docker("exec", name, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        yield Targets(name, ip, key.read_text(), f"{ip} {host_key}")
    finally:
        docker("rm", "--force", "--volumes", name)
