# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A git server over HTTPS in a container, and its repositories: git_http.py of the end-to-end tests."""

from __future__ import annotations

import contextlib
import datetime
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from engine import ROOT, docker

HOST, PORT = "git.test", 8443

PROGRAM = ROOT / "tests/e2e/git_http.py"


@dataclass(frozen=True)
class GitServer:
    """A running server: its container, its address, and what its users trust."""

    container: str
    ip: str
    certificate: Path

    def url(self, name: str) -> str:
        return f"https://{HOST}:{PORT}/{name}.git"

    @property
    def options(self) -> list[str]:
        """For the containers of its users: they find it, and trust it as a site's own authority."""
        return [
            f"--add-host={HOST}:{self.ip}",
            f"--volume={self.certificate}:/etc/ssl/certs/ca-certificates.crt:ro",
        ]

    def sh(self, script: str) -> str:
        return docker("exec", "--user=root", self.container, "sh", "-ec", script)

    def bash(self, script: str) -> None:
        argv = [
            "docker", "exec", "--user=root", "--env=LC_ALL=C.UTF-8", self.container, "bash", "-ec", script,
        ]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
        assert done.returncode == 0, done.stderr

    def commit(self, name: str, files: t.Mapping[str, str | None], message: str = "change") -> None:
        """One more commit with these files; None removes one. The first one makes the repository."""
        work = f"/srv/work/{name}"
        self.sh(
            f"[ -d /srv/git/{name}.git ] || git init -q --bare --initial-branch=main /srv/git/{name}.git;"
            f" [ -d {work} ] || git init --quiet --initial-branch=main {work}"
        )
        for path, text in files.items():
            if text is None:
                self.sh(f"rm {work}/{path}")
            else:
                self.sh(f"mkdir -p $(dirname {work}/{path}); printf '%s' '{text}' > {work}/{path}")
        self.sh(
            f"cd {work} && git add --all && git -c user.name=up -c user.email=up@example.org"
            f" commit --quiet --message='{message}' && git push --quiet /srv/git/{name}.git HEAD:main"
        )


def certificate(folder: Path) -> None:
    """A key and a certificate for the server's name that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@contextlib.contextmanager
def git_server(image: str, name: str, login: str, folder: Path) -> t.Iterator[GitServer]:
    """Run the server in a container of the notebook image; login is user:password."""
    certificate(folder)
    user, _, password = login.partition(":")
    container = docker(
        *("run", "--detach", "--init", f"--name={name}", "--user=root", f"--volume={folder}:/srv/tls:ro"),
        *(f"--env=GIT_USER={user}", f"--env=GIT_PASSWORD={password}"),
        # The image has users' git trust repositories in their homes alone.
        "--env=GIT_TEST_ASSUME_DIFFERENT_OWNER=0",
        *(f"--volume={PROGRAM}:/srv/git_http.py:ro", "--entrypoint=python3", image, "/srv/git_http.py"),
    )
    try:
        ip = docker("inspect", "--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", container)
        yield GitServer(container, ip, folder / "cert.pem")
    finally:
        docker("rm", "--force", "--volumes", container)
