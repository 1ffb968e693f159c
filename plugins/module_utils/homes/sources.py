# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Homes in other systems: where they are, and which account of the hub each one is for."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import typing as t
from dataclasses import dataclass

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import user_name
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.usernames import name_problem

SHOWN = 10
# Names that The Littlest JupyterHub cuts: the prefix counts.
TLJH_SHORT = 26
# Folders of file systems, not of users.
NOT_HOMES = {"lost+found"}


@dataclass(frozen=True)
class Kind:
    """A system: what the names of its homes begin with, where they are, and in which folder of a home its files were seen."""

    prefix: str = ""
    root: str = ""
    into: str = ""


KINDS = {
    "tljh": Kind("jupyter-", "/home"),
    # Its configuration mounts the volume at ~/work, and notebooks have such paths.
    "deploy_docker": Kind("jupyterhub-user-", into="work"),
    "jukebox": Kind("jupyter-", "/home/jovyan"),
    "folders": Kind(),
}


@dataclass(frozen=True)
class Home:
    """A home in the other system: its name there, the folder, and the users that the name may stand for, the likeliest first."""

    name: str
    path: str
    users: tuple[str, ...]


class Host:
    """The host with the other system: this one, or one that is reached by ssh."""

    def __init__(self, address: str = "", ssh: t.Sequence[str] = ()) -> None:
        self.address = address
        self.ssh = list(ssh)
        self._root = [] if not address or address.startswith("root@") else ["sudo", "-n"]

    def run(self, *argv: str) -> str:
        """What a command prints there; HubError if it fails."""
        command = [*self._root, *argv]
        command = [*self.ssh, self.address, "--", shlex.join(command)] if self.address else command
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="surrogateescape",
                check=False,
                stdin=subprocess.DEVNULL,
            )
        except OSError as exc:
            raise HubError(f"{command[0]} cannot be started: {exc.strerror}.") from exc
        if done.returncode:
            where = f" on {self.address}" if self.address else ""
            told = " ".join(done.stderr.split())[-500:].rstrip(".") or f"status {done.returncode}"
            raise HubError(f"{argv[0]}{where} failed: {told}.")
        return done.stdout

    def rsync(self, path: str) -> list[str]:
        """Arguments with which rsync reads a folder there."""
        if not self.address:
            return [f"{path}/"]
        root = [f"--rsync-path={shlex.join([*self._root, 'rsync'])}"] if self._root else []
        return ["--protect-args", f"--rsh={shlex.join(self.ssh)}", *root, f"{self.address}:{path}/"]


def tljh_name(account: str) -> str:
    """The name on the system that The Littlest JupyterHub gives to an account with its prefix."""
    if len(account) < TLJH_SHORT:
        return account
    return f"{account[:TLJH_SHORT]}-{hashlib.sha256(account.encode()).hexdigest()[:5]}"


def unescaped(text: str, sign: str) -> str:
    """A name without the escapes of DockerSpawner; the same where they are none."""
    try:
        return re.sub(
            rb"(?:" + re.escape(sign).encode() + rb"[0-9A-Fa-f]{2})+",
            lambda found: bytes.fromhex(found[0].decode().replace(sign, "")),
            text.encode(),
        ).decode()
    except ValueError:
        return text


def likely_users(kind: str, name: str, prefix: str, known: t.Collection[str]) -> tuple[str, ...]:
    """The users whom a name in the other system may stand for, the likeliest first; none where it does not tell."""
    rest = name[len(prefix) :]
    if kind == "tljh":
        own = [user for user in known if tljh_name(prefix + user) == name]
        return tuple(own or ([rest] if len(name) < TLJH_SHORT else []))
    if kind == "folders":
        return (rest,)
    # DockerSpawner escapes with a dash, and before version 12 with an underscore, where a dash was itself.
    signs = ("_", "-") if "_" in rest else ("-", "_")
    found = [unescaped(rest, sign) for sign in signs]
    return tuple(sorted({*found, rest}, key=lambda user: (user not in known, [*found, rest].index(user))))


def _folders(host: Host, root: str, prefix: str) -> dict[str, str]:
    found = host.run("find", root, "-mindepth", "1", "-maxdepth", "1", "-type", "d", "-printf", r"%f\0")
    names = [
        name for name in found.split("\0") if name.startswith(prefix) and name and not name.startswith(".")
    ]
    return {name: f"{root.rstrip('/')}/{name}" for name in names if name not in NOT_HOMES}


def _volumes(host: Host, docker: t.Sequence[str], prefix: str) -> dict[str, str]:
    names = [name for name in host.run(*docker, "volume", "ls", "--quiet").split() if name.startswith(prefix)]
    found = json.loads(host.run(*docker, "volume", "inspect", *names)) if names else []
    for one in found:
        if one.get("Driver") != "local" or one.get("Options"):
            raise HubError(
                f"The volume {one['Name']} is a mount of {json.dumps(one.get('Options'))}: mount that, and use the source folders."
            )
    return {one["Name"]: one["Mountpoint"] for one in found}


def _containers(
    host: Host, docker: t.Sequence[str], prefix: str, path: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Folders with what users wrote in their containers, and the names of the users where containers tell them."""
    names = host.run(*docker, "ps", "--all", "--no-trunc", "--format={{.Names}}").split()
    names = [name for name in names if name.startswith(prefix)]
    found = json.loads(host.run(*docker, "container", "inspect", *names)) if names else []
    places, users = {}, {}
    for one in found:
        name, driver = one["Name"].lstrip("/"), one.get("GraphDriver") or {}
        layer = (driver.get("Data") or {}).get("UpperDir")
        if not layer:
            raise HubError(
                f"The engine keeps containers with {driver.get('Name') or 'a store'} that has no folder for the layer of {name}: copy "
                f"their homes with docker cp {name}:{path} <folder>, and use the source folders."
            )
        places[name] = layer + path
        variables = dict(entry.partition("=")[::2] for entry in one["Config"].get("Env") or [])
        users[name] = variables.get("JUPYTERHUB_USER") or variables.get("JPY_USER") or ""
    script = 'for folder; do [ ! -d "$folder" ] || printf "%s\\n" "$folder"; done'
    there = host.run("sh", "-c", script, "sh", *places.values()).splitlines() if places else []
    return {name: place for name, place in places.items() if place in there}, users


def homes(
    kind: str, host: Host, docker: t.Sequence[str], root: str, prefix: str, known: t.Collection[str]
) -> list[Home]:
    """All homes of the other system."""
    users: dict[str, str] = {}
    if kind == "deploy_docker":
        places = _volumes(host, docker, prefix)
    elif kind == "jukebox":
        places, users = _containers(host, docker, prefix, root)
    else:
        places = _folders(host, root, prefix)
    return [
        Home(name, place, (users[name],) if users.get(name) else likely_users(kind, name, prefix, known))
        for name, place in sorted(places.items())
    ]


def assign(
    homes: t.Sequence[Home],
    names: t.Mapping[str, t.Any],
    known: t.Collection[str],
    prefix: str,
    unlisted: bool,
) -> dict[str, Home]:
    """The home for each user; HubError with every name that leads to none.

    names: old name, with or without the prefix, -> user, or nothing for a home that is left out; unlisted: users need no account.
    """
    found: dict[str, Home] = {}
    wrong: list[str] = []
    used = set()
    for home in homes:
        old = [home.name, home.name[len(prefix) :], *home.users]
        key = next((name for name in old if name in names), None)
        if key is not None:
            used.add(key)
            if not names[key]:
                continue
        user = user_name(names[key]) if key is not None else user_name(home.users[0]) if home.users else ""
        if not user:
            problem = "its system cut the name"
        elif name_problem(user):
            problem = f"{user!r}: {name_problem(user)}"
        elif user not in known and not unlisted:
            problem = f"no account {user!r}"
        elif user in found:
            problem = f"{user!r} would have the home {found[user].name}, too"
        else:
            found[user] = home
            continue
        wrong.append(f"{home.name} ({problem})")
    wrong += [f"{name} (not in the other system)" for name in names if name not in used]
    if wrong:
        shown = ", ".join(wrong[:SHOWN]) + (f" and {len(wrong) - SHOWN} more" if wrong[SHOWN:] else "")
        raise HubError(
            f"{len(wrong)} names lead to no home of a user: {shown}. Give the users in migrate_names, an empty one leaves a home out; "
            "migrate_unlisted: true takes users without an account, too. Nothing has been touched."
        )
    return found
