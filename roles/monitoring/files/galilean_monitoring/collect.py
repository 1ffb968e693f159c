# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All metrics of the instance, from their sources into one file that the edge serves to whoever has the token."""

from __future__ import annotations

import calendar
import json
import os
import re
import stat
import time
import typing as t
import urllib.error
import urllib.request
from pathlib import Path

from . import engine
from .atomic_file import replace_file
from .settings import Settings
from .text import Families, Text, add, render

TIMEOUT = 10.0
# More than the hub tells with thousands of users; less than what would fill the memory.
LONGEST = 32 * 1024 * 1024
# What each source may speak of. Hub and proxy could be broken into, and have no say in what others tell.
HUB = r"(jupyterhub|galilean_approval)_"
PROXY = r"(api_route|find_target_for_req|last_activity_updating|requests)(_|$)"
EDGE = r"nginx_"
NODE = r"node_"
OURS = r"galilean_hub_"
# Folders of root alone, in which programs of other roles leave theirs.
FOLDERS = ("backup", "certificate")
# What the last check as a user came to, by hubctl or by a run of verify.yml.
CHECK = Path("hubctl", "check.json")
TOKEN = "metrics-token.conf"
STATUS = re.compile(
    r"Active connections: (\d+)\s+server accepts handled requests\s+(\d+) (\d+) (\d+)\s+"
    r"Reading: (\d+) Writing: (\d+) Waiting: (\d+)"
)


def fetch(url: str, token: str = "", host: str = "") -> str:
    """Ask an address on this host; OSError where it does not answer well."""
    headers = {**({"Authorization": f"Bearer {token}"} if token else {}), **({"Host": host} if host else {})}
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
        text: bytes = answer.read(LONGEST)
    return text.decode(errors="replace")


def read_foreign(path: Path) -> t.Any:
    """JSON in a file that the hub could have put something else in place of."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError(f"{path} is no file")
        return json.loads(stream.read(LONGEST))


class Collector:
    """One look at everything."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = engine.Engine(settings.socket)
        self.token = settings.secret("metrics-token")

    def sources(self) -> dict[str, tuple[t.Callable[[], str], str]]:
        """By name: what asks it, and what it may speak of."""
        own = self.settings
        return {
            "hub": (lambda: fetch(own.hub_metrics, self.token), HUB),
            "proxy": (lambda: fetch(own.proxy_metrics), PROXY),
            "edge": (self.edge, EDGE),
            "engine": (self.containers, OURS),
            "homes": (self.homes, OURS),
            "host": (lambda: fetch(own.node_metrics), NODE),
            "files": (self.files, OURS),
            "check": (self.check, OURS),
        }

    def collect(self) -> tuple[str, dict[str, str]]:
        """The text, and why sources are missing in it."""
        families: Families = {}
        problems: dict[str, str] = {}
        labels = {"instance_name": self.settings.instance}
        told = Text()
        for name, (ask, wanted) in self.sources().items():
            try:
                add(families, ask(), wanted, labels)
            except (OSError, ValueError, KeyError, TypeError) as exc:
                problems[name] = str(exc) or type(exc).__name__
            told.add(
                "galilean_hub_source_up",
                "1 while a source of metrics answers.",
                int(name not in problems),
                source=name,
            )
        told.add(
            "galilean_hub_collected_timestamp_seconds",
            "When all this was gathered, in seconds since 1970.",
            time.time(),
        )
        if self.settings.check_minutes:
            told.add(
                "galilean_hub_check_interval_seconds",
                "Time between two checks.",
                self.settings.check_minutes * 60,
            )
        add(families, str(told), OURS, labels)
        return render(families), problems

    # -- sources

    def edge(self) -> str:
        """nginx, with the names that its usual exporter has for the same."""
        address = self._edge_address()
        try:
            answer = fetch(f"http://{address}:8080/_edge/status", self.token, self.settings.host)
        except urllib.error.HTTPError as exc:
            if exc.code != 403 or not self._reload():
                raise
            time.sleep(2)
            answer = fetch(f"http://{address}:8080/_edge/status", self.token, self.settings.host)
        found = STATUS.search(answer)
        if not found:
            raise ValueError("the edge tells nothing of itself")
        text = Text()
        names = ("active", "accepted", "handled", "", "reading", "writing", "waiting")
        for name, value in zip(names, map(int, found.groups())):
            kind = "counter" if name in ("accepted", "handled", "") else "gauge"
            full = f"nginx_connections_{name}" if name else "nginx_http_requests_total"
            text.add(full, f"Connections of nginx: {name}." if name else "Requests to nginx.", value, kind)
        return str(text)

    def _reload(self) -> bool:
        """Have the edge read the token, once for each that was written: with each reload it has more processes."""
        token, told = Path(self.settings.edge_dir) / TOKEN, self.settings.state / "monitoring" / "told"
        written = str(token.stat().st_mtime_ns)
        if told.is_file() and told.read_text(encoding="ascii") == written:
            return False
        self.engine.ask(f"/containers/{self.settings.containers['edge']}/kill?signal=HUP", "POST")
        replace_file(str(told), written)
        return True

    def _edge_address(self) -> str:
        networks = self.engine.ask(f"/containers/{self.settings.containers['edge']}/json")["NetworkSettings"][
            "Networks"
        ]
        return str(next(one["IPAddress"] for one in networks.values()))

    def containers(self) -> str:
        return engine.metrics(self.engine.containers(self.settings.instance), self.settings.containers)

    def homes(self) -> str:
        """What homes take, as far as the agent has measured them, and the file system that they are on."""
        state = read_foreign(self.settings.state / "disk" / "state.json")
        volumes = self.engine.volumes(self.settings.instance)
        users = {one["Name"]: (one.get("Labels") or {}).get("galilean.hub.user", "") for one in volumes}
        text = Text()
        for name, home in state["homes"].items():
            if not users.get(name):
                continue
            for key, part, meaning in (
                ("bytes", "bytes", "What a home takes on the disk."),
                ("limit", "limit_bytes", "What a home may take; 0 for no limit."),
                ("files", "files", "Files and folders in a home."),
            ):
                if home.get(key) is not None:
                    text.add(f"galilean_hub_home_{part}", meaning, float(home[key]), user=users[name])
        space = state["space"]["volumes"]
        for key in ("total", "free"):
            text.add(
                f"galilean_hub_homes_disk_{key}_bytes",
                f"The file system of the homes: {key}.",
                float(space[key]),
            )
        text.add(
            "galilean_hub_homes_disk_reserve_bytes",
            "With less than this free, no server starts.",
            float(state["reserve"]),
        )
        return str(text)

    def files(self) -> str:
        paths = [self.settings.state / name / f"{name}.prom" for name in FOLDERS]
        return "".join(path.read_text(encoding="utf-8") for path in paths if path.is_file())

    def check(self) -> str:
        """The last check; before the first one there is nothing to tell."""
        path, text = self.settings.state / CHECK, Text()
        if not path.is_file():
            return ""
        last = json.loads(path.read_text(encoding="utf-8"))
        ended = calendar.timegm(time.strptime(last["time"], "%Y-%m-%dT%H:%M:%SZ"))
        prefix = "galilean_hub_check"
        text.add(f"{prefix}_ok", "1 when the last check as a user went well, else 0.", int(last["ok"]))
        text.add(f"{prefix}_timestamp_seconds", "Moment of the last check, in seconds since 1970.", ended)
        for step, seconds in last["timings"].items():
            text.add(f"{prefix}_step_seconds", "What a step of the last check took.", seconds, step=step)
        return str(text)


def deliver_token(settings: Settings, token: str) -> None:
    """Where the edge reads whom it may serve; it is told with the next look at it."""
    path = Path(settings.edge_dir) / TOKEN
    line = f'"~^Bearer {re.escape(token)}$" 1;\n'
    try:
        if path.read_text(encoding="utf-8") == line:
            return
    except FileNotFoundError:
        pass
    write(path, line)


def write(path: Path, text: str) -> None:
    """A file of root's that the edge may read, as its folder."""
    group = path.parent.stat().st_gid

    def move(temporary: str, to: str) -> None:
        os.chown(temporary, 0, group)
        os.replace(temporary, to)

    replace_file(str(path), text, move, 0o640)


def run(settings: Settings) -> dict[str, t.Any]:
    """Gather all of it; what this returns says which sources do not answer."""
    collector = Collector(settings)
    deliver_token(settings, collector.token)
    text, problems = collector.collect()
    write(settings.endpoint, text)
    return {"samples": len(re.findall("(?m)^[^#]", text)), "problems": problems}
