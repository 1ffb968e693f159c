# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real OpenID provider (npm's oidc-provider), at an address that containers and browsers reach."""

from __future__ import annotations

import json
import secrets
import socket
import ssl
import subprocess
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from deployment import docker, wait_until
from programs import install, node

PACKAGES = ("oidc-provider@9.13.3",)


def host_address() -> str:
    """The machine's own address in Docker's default network: containers of every network reach it."""
    # Of the interface: the engine that made it names it as the network's gateway only after a restart.
    option = '{{index .Options "com.docker.network.bridge.name"}}'
    bridge = docker("network", "inspect", "--format", option, "bridge")
    argv = ["ip", "-json", "-4", "address", "show", bridge]
    (interface,) = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    return str(interface["addr_info"][0]["local"])


def free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


def make_pair(folder: Path, host: str) -> Path:
    """Make a certificate that is its own authority, and return its file."""
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={host} -addext subjectAltName=IP:{host}"
    subprocess.run(
        ["openssl", *words.split(), "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder / "cert.pem"


class Provider:
    """The running provider and the people whom it knows."""

    def __init__(self, folder: Path, callback: str, seconds: int = 3600) -> None:
        self.folder, self.host = folder, host_address()
        self.port = free_port(self.host)
        self.issuer = f"https://{self.host}:{self.port}"
        self.client_id, self.client_secret = "hub-of-tests", secrets.token_urlsafe(32)
        self.certificate = make_pair(folder, self.host)
        self._process: subprocess.Popen[bytes] | None = None
        client = {"id": self.client_id, "secret": self.client_secret}
        settings = {"host": self.host, "port": self.port, "callback": callback, "client": client}
        (folder / "settings.json").write_text(json.dumps({**settings, "seconds": seconds}), encoding="utf-8")
        self.people: dict[str, dict[str, t.Any]] = {}
        self.know()

    def know(self, **people: dict[str, t.Any]) -> None:
        """Add people, or change what is told of them."""
        self.people.update(people)
        (self.folder / "people.json").write_text(json.dumps(self.people), encoding="utf-8")

    def forget(self, name: str) -> None:
        del self.people[name]
        self.know()

    def start(self) -> None:
        place = install("provider", PACKAGES)
        # Modules are looked for beside the file.
        program = place / "provider.mjs"
        program.write_bytes((Path(__file__).parent / "provider.mjs").read_bytes())
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            [str(node(place)), str(program), str(self.folder)], stdout=log, stderr=log
        )
        wait_until(self._answers, 120, f"the provider, see {self.folder / 'log'}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        return bool(self.ask("/.well-known/openid-configuration")["issuer"])

    def ask(self, path: str, token: str = "") -> dict[str, t.Any]:
        """Ask one of the provider's addresses, with an access token where there is one."""
        request = urllib.request.Request(f"{self.issuer}{path}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        context = ssl.create_default_context(cafile=str(self.certificate))
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:
            model: dict[str, t.Any] = json.load(answer)
            return model

    def accepts(self, token: str) -> bool:
        """Whether an access token is valid now."""
        try:
            return bool(self.ask("/me", token)["sub"])
        except urllib.error.HTTPError as error:
            if error.code == 401:
                return False
            raise

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def settings(self) -> dict[str, t.Any]:
        """The role's settings for a hub that uses it."""
        return {
            "jupyterhub_authenticator": "oidc",
            "jupyterhub_login_client_id": self.client_id,
            "jupyterhub_login_client_secret": self.client_secret,
            "jupyterhub_login_oidc": {
                "name": "the institute",
                "authorize_url": f"{self.issuer}/auth",
                "token_url": f"{self.issuer}/token",
                "userdata_url": f"{self.issuer}/me",
                "logout_url": f"{self.issuer}/session/end",
                "groups_claim": "groups",
                "scopes": ["openid", "profile", "email", "groups", "offline_access"],
                "authorize_params": {"prompt": "consent"},
            },
        }
