# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real JupyterHub that keeps login tokens and renews them, for containers of the notebook image.

The part of the login provider is played by a file: it holds the token that is valid now, or nothing.
"""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import re
import secrets
import time
import typing as t
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from loopback_hub import LoopbackHub, run_hub, wait_until

CONFIG = """
import json, pathlib
from jupyterhub.auth import DummyAuthenticator


class Provider(DummyAuthenticator):
    def state(self, name):
        kept = json.loads(pathlib.Path({provider!r}).read_text())
        return {{"name": name, "auth_state": kept["auth_state"]}} if kept["valid"] else False

    async def authenticate(self, handler, data):
        name = await super().authenticate(handler, data)
        return self.state(name) if name else None

    async def refresh_user(self, user, handler=None, **kwargs):
        return self.state(user.name)


def note(spawner):
    # What a server gets, for the test to start one of its own with it.
    given = {{"token": spawner.api_token, "api": spawner.hub.api_url}}
    pathlib.Path({servers!r}, spawner.user.name).write_text(json.dumps(given))
    return "1"


c.JupyterHub.authenticator_class = Provider
c.Authenticator.allow_all = True
c.Authenticator.enable_auth_state = True
c.Authenticator.auth_refresh_age = 1
c.Authenticator.auth_refresh_strict = {strict}
c.Spawner.environment = {{"NOTED": note}}
c.Spawner.cmd = [{python!r}, "-c", "import time; time.sleep(600)"]
c.Spawner.args = []
c.JupyterHub.load_roles.append({{"name": "user", "scopes": ["self", "admin:auth_state!user"]}})
# The server itself is of no interest here: it never answers, and nobody waits for it.
c.Spawner.http_timeout = 600
c.JupyterHub.tornado_settings = {{"slow_spawn_timeout": 0}}
c.Spawner.server_token_scopes = {scopes}
"""
SCOPES = ["users:activity!user", "access:servers!server", "admin:auth_state!user"]


@dataclass
class LoginHub:
    """A hub, and the login provider behind it."""

    hub: LoopbackHub
    folder: Path

    def provide(self, token: str | None, valid: bool = True, **more: t.Any) -> None:
        """The provider has another token from now on, or refuses."""
        state = None if token is None else {"access_token": token, **more}
        (self.folder / "provider.json").write_text(json.dumps({"auth_state": state, "valid": valid}))
        # The hub asks the provider again when what it has is older than a second.
        time.sleep(1.2)

    def log_in(self, user: str) -> None:
        """Log in as a browser does."""
        jar = http.cookiejar.CookieJar()
        opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(jar), urllib.request.ProxyHandler({})
        )
        with opener.open(f"{self.hub.url}/hub/login", timeout=30) as answer:
            found = re.search(r'name="_xsrf" value="([^"]+)"', answer.read().decode())
        assert found
        form = {"username": user, "password": "x", "_xsrf": found[1]}
        with opener.open(
            f"{self.hub.url}/hub/login?next=%2Fhub%2Ftoken",
            data=urllib.parse.urlencode(form).encode(),
            timeout=30,
        ) as answer:
            assert answer.url.endswith("/hub/token"), answer.url

    def server(self, user: str) -> dict[str, str]:
        """Log in, have a server, and return what the hub sets in its container."""
        self.log_in(user)
        self.hub.api(f"/users/{user}/server", "POST")
        noted = self.folder / "servers" / user
        wait_until(noted.exists, 30, f"the server of {user}")
        given = json.loads(noted.read_text())
        return {
            "JUPYTERHUB_API_TOKEN": given["token"],
            "JUPYTERHUB_API_URL": given["api"],
            "JUPYTERHUB_USER": user,
        }


@contextlib.contextmanager
def login_hub(folder: Path, strict: bool = True, scopes: t.Sequence[str] = SCOPES) -> t.Iterator[LoginHub]:
    (folder / "servers").mkdir()
    (folder / "provider.json").write_text('{"auth_state": {"access_token": "first"}, "valid": true}')
    config = CONFIG.format(
        provider=str(folder / "provider.json"),
        servers=str(folder / "servers"),
        python="python3",
        strict=strict,
        scopes=list(scopes),
    )
    crypt = {"JUPYTERHUB_CRYPT_KEY": secrets.token_hex(32)}
    runner = run_hub(folder, config, crypt)
    hub = next(runner)
    try:
        yield LoginHub(hub, folder)
    finally:
        runner.close()
