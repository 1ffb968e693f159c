# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs in the hub image: starts JupyterHub with a data file, logs people in, and asks for their servers.

All of it is the image's own, up to the request to the engine, on which the broker's policy decides: nothing
is started. Reads lines of JSON: `data` (of config.json) and `people` (names, and what the provider tells of
each, where there is one). Prints for each `problem` (empty: it starts) and `people`: what they are refused
with, or their name, groups, and what the engine would be asked for, by environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import traceback
import typing as t
from pathlib import Path
from urllib.parse import urlsplit

import docker
import jupyterhub.app
import requests
from galilean_broker import model, policy
from galilean_hub import lint
from galilean_hub.loader import SECRETS
from galilean_hub.spawner import engine, profiles
from galilean_hub.spawner.docker_spawner import GalileanSpawner
from jupyterhub import orm
from jupyterhub.auth import Authenticator
from tornado import web

CONFIG, SECRET, STATE = Path("/etc/jupyterhub"), Path("/run/secrets"), Path("/srv/jupyterhub")


class Brokered(docker.APIClient):
    """A client whose requests go to the broker's policy, and no further."""

    def __init__(self, rules: dict[str, t.Any]) -> None:
        super().__init__(base_url="http://engine:2375", version="1.44")
        self.rules, self.created = rules, dict[str, t.Any]()

    def send(self, request: t.Any, **_: t.Any) -> requests.Response:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        parts = urlsplit(request.url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        policy.decide(self.rules, request.method, target, body)
        if parts.path.endswith("/containers/create"):
            self.created = json.loads(body)
        answer = requests.Response()
        answer.status_code, answer.url = 200, request.url
        answer._content = json.dumps({"Id": "0" * 64, "Config": {"Cmd": ["x"]}}).encode()
        return answer


async def start(asked: dict[str, t.Any]) -> dict[str, t.Any]:
    data = asked["data"]
    found = lint.lint(data["traits"], lint.installed_classes(data["traits"])) or model.problems(data)
    if found:
        return {"problem": "; ".join(found), "people": {}}
    (CONFIG / "config.json").write_text(json.dumps(data))
    for path in STATE.iterdir():
        path.unlink()
    app = jupyterhub.app.JupyterHub.instance()
    await app.initialize(["--config", "/opt/galilean/jupyterhub_config.py", "--log-level=WARN"])
    client = Brokered(model.compile_policy(data))
    GalileanSpawner._client = client
    people = {name: await visit(app, client, name, told) for name, told in asked["people"].items()}
    return {"problem": "", "people": people}


async def log_in(authenticator: t.Any, name: str, told: dict[str, t.Any] | None) -> t.Any:
    """As the hub does it after a password was right, or a provider has answered."""
    if told is None:
        # Without its count of wrong passwords.
        return await Authenticator.get_authenticated_user(
            authenticator, None, {"username": name, "password": "x"}
        )
    state = {authenticator.user_auth_state_key: told}
    groups = sorted(await authenticator.get_user_groups(state))
    login = {
        "name": authenticator.normalize_username(name),
        "auth_state": state,
        "groups": groups,
        "admin": None,
    }
    await authenticator.check_blocked_users(login["name"], login)
    if not (authenticator.allow_all or await authenticator.check_allowed(login["name"], login)):
        return None
    return await authenticator.complete(login)


async def visit(app: t.Any, client: Brokered, name: str, told: dict[str, t.Any] | None) -> dict[str, t.Any]:
    try:
        login = await log_in(app.authenticator, name, told)
    except web.HTTPError as exc:
        return {"refused": getattr(exc, "jupyterhub_message", str(exc))}
    if not login:
        return {"refused": "no such login"}
    if not orm.User.find(app.db, login["name"]):
        app.db.add(orm.User(name=login["name"]))
        app.db.commit()
    account = app.users[login["name"]]
    if login.get("groups") is not None:
        account.sync_groups(login["groups"])
    spawner = account.spawner
    spawner.api_token = "x"
    servers = {}
    offered = (
        profiles.allowed(spawner.profiles, spawner.group_names()) if spawner.profiles else [{"name": ""}]
    )
    for profile in offered:
        spawner.choose({"profile": profile["name"]})
        await spawner._ensure_home()
        await spawner.create_object()
        host = client.created["HostConfig"]
        servers[profile["name"]] = {
            "memory": host["Memory"],
            "cpus": host["CpuQuota"] / host["CpuPeriod"],
            "processes": host["PidsLimit"],
            "environment": client.created["Env"],
        }
    return {"name": login["name"], "groups": sorted(spawner.group_names()), "servers": servers}


def answer(asked: dict[str, t.Any], out: int) -> None:
    # What it logs belongs to what went wrong.
    log = Path("/tmp/log")
    with log.open("wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        said = asyncio.run(start(asked))
    except BaseException:
        said = {"problem": traceback.format_exc() + log.read_text()[-3000:], "people": {}}
    with os.fdopen(out, "w") as pipe:
        json.dump(said, pipe)


def main() -> None:
    for folder in (CONFIG, SECRET, STATE):
        folder.mkdir(parents=True, exist_ok=True)
    for name in SECRETS:
        (SECRET / name).write_text("00" * 32)
        (SECRET / name).chmod(0o600)
    engine.wait = lambda *_: None  # type: ignore[assignment]
    lint.installed_classes(["DummyAuthenticator"])
    for line in sys.stdin:
        read, write = os.pipe()
        # A hub leaves much behind in its process; its modules are loaded once.
        child = os.fork()
        if not child:
            os.close(read)
            try:
                answer(json.loads(line), write)
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            print(pipe.read() or '{"problem": "it ended without a word", "people": {}}', flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
