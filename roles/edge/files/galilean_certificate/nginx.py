# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nginx in its container: which pair is on disk, and which one it serves."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

from . import pair
from .settings import Problem, Settings

CURRENT = "current.pem"
NAMED = re.compile(r"tls-[0-9a-f]{12}\.pem")


class Nginx:
    """The instance's nginx."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = Path(settings.edge_dir)

    def named(self) -> str:
        """Name of the pair's file that is in use on disk; empty without one."""
        try:
            target = os.readlink(self.folder / CURRENT)
        except OSError:
            return ""
        return target if NAMED.fullmatch(target) else ""

    def name(self, file: str) -> None:
        """Put another pair into use on disk, in one step. Where no reload is needed, nginx has it from now on."""
        # With its configuration, and not at each handshake.
        if self.settings.tls_conf:
            text = self.settings.tls_conf.replace("PAIR", file)
            pair.write(self.folder / "tls.conf", text, self.settings.group, 0o640)
        new = self.folder / f".{CURRENT}.new"
        new.unlink(missing_ok=True)
        new.symlink_to(file)
        new.replace(self.folder / CURRENT)

    def running(self) -> bool:
        """Whether the container runs: without it, nobody is served."""
        done = self._docker("inspect", "--format", "{{.State.Running}}", self.settings.container)
        return done.returncode == 0 and done.stdout.strip() == "true"

    def load(self) -> None:
        """Have nginx use what is on disk; raises Problem when it does not take it. Open connections stay with the old processes."""
        if not self.settings.tls_conf:
            return
        done = self._nginx("-q", "-t")
        if done.returncode:
            raise Problem(f"nginx does not take the new certificate: {' '.join(done.stderr.split())}.")
        done = self._nginx("-s", "reload")
        if done.returncode:
            raise Problem(f"nginx could not be told to reload: {' '.join(done.stderr.split())}.")

    def wait(self, wanted: bytes) -> None:
        """Wait until a handshake shows this certificate."""
        deadline = time.monotonic() + self.settings.patience
        while (served := self.served()) != wanted:
            if time.monotonic() > deadline:
                raise Problem(
                    f"nginx still serves the certificate {pair.facts(served).serial if served else 'none'} at "
                    f"{self.settings.host}:{self.settings.port} after {self.settings.patience:.0f} s, not "
                    f"{pair.facts(wanted).serial}: see docker logs {self.settings.container}."
                )
            time.sleep(0.2)

    def served(self) -> bytes | None:
        """The certificate that a browser is shown, in DER form."""
        try:
            with self._connect() as wrapped:
                return wrapped.getpeercert(binary_form=True)
        except OSError:
            return None

    def _connect(self) -> ssl.SSLSocket:
        # What is served is compared with what is on disk: nothing has to be trusted for that.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((self.settings.host, self.settings.port), timeout=5)
        try:
            if self.settings.proxy_protocol:
                # What a load balancer says about a connection of its own.
                plain.sendall(b"PROXY UNKNOWN\r\n")
            return context.wrap_socket(plain, server_hostname=self.settings.server_name or None)
        except BaseException:
            plain.close()
            raise

    def _nginx(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._docker(
            *("exec", self.settings.container, "nginx", "-e", "/dev/stderr"),
            *("-c", "/etc/edge/nginx.conf", *arguments),
        )

    def _docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.settings.docker, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
