# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's part in limits of homes and shared folders: it tells the agent which servers run, and acts.

The agent (agent.py) measures. Here it is decided, by rules.py, who is told, who may start and who is
stopped. Both call a shared folder shared/<name>, among homes: no home has a slash in its name.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..state.files import save
from . import rules

FOLDER = Path("/srv/disk")
EVERY = 2.0
# Who wrote most is told by what was written within this time.
WINDOW = 60.0
# The engine needs a moment until a server that is stopped writes no more.
SETTLE = 6.0


def _containers(spawners: dict[str, Any]) -> list[str]:
    return [one.object_id for one in spawners.values() if one.object_id]


class Watch:
    """One for the hub: servers that run, and the agent's last answer."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._app: Any = None
        self._task: asyncio.Task[None] | None = None
        self._log = logging.getLogger("galilean.disk")
        self._state: dict[str, Any] = {}
        self._seen: Any = None
        self._wanted: dict[str, Any] = {}
        # By home, and by the name of the server: those of one user have one home.
        self._spawners: dict[str, dict[str, Any]] = {}
        self._bases: dict[str, rules.Usage] = {}
        # How often in a row servers were stopped, until when the next has to wait, and what is told.
        self._stops: dict[str, tuple[int, float, str]] = {}
        self._samples: deque[dict[str, Any]] = deque()
        self._folders: dict[str, dict[str, Any]] | None = None
        # From when on a folder is judged again, after a server was stopped that wrote to it.
        self._settled: dict[str, float] = {}
        self._stopped_at = self._judged = 0.0

    # -- what spawners ask and tell

    def refusal(self, home: str) -> str:
        """Why no server may be started for this home now; empty: it may."""
        state = self.state()
        lacking = ""
        if time.time() - state.get("time", 0) < rules.STALE:
            for space in state["space"].values():
                lacking = lacking or rules.reached(space, state["reserve"])
        elif state:
            self._log.warning("the agent that looks after the disk has not answered for long")
        if lacking:
            return rules.REFUSED[lacking]
        times, until, _ = self._stops.get(home, (0, 0.0, ""))
        left = int(until - time.time())
        if times and left > 0:
            return (
                "Your last server was stopped because of what it wrote to the disk. "
                f"You can start the next one in {left} seconds."
            )
        return ""

    def started(self, spawner: Any) -> None:
        """A server is about to start, or was found running."""
        home = spawner.home_volume()
        others = self._running().get(home, {}).keys() - {spawner.name}
        self._spawners.setdefault(home, {})[spawner.name] = spawner
        usage = self.usage(home)
        # Beside another server of the same home nothing begins anew.
        if usage and not (others and home in self._bases):
            self._bases[home] = usage
        elif not usage:
            self._bases.pop(home, None)
        self._write()

    def usage(self, home: str) -> dict[str, Any] | None:
        """What a home takes; None where it was not measured yet."""
        one = (self.state().get("homes") or {}).get(home) or {}
        return (
            {key: one[key] for key in ("bytes", "files", "excess") if key in one} if "bytes" in one else None
        )

    def folders(self) -> dict[str, dict[str, Any]]:
        """Shared folders, as the settings have them."""
        if self._folders is None:
            if self._app is None:
                return {}
            entries = self._app.config.GalileanSpawner.get("folders") or []
            self._folders = {f"shared/{one['name']}": one for one in entries if one.get("disk_limit")}
        return self._folders

    def limit(self, home: str) -> int:
        """The limit of a shared folder, or of a home: its servers', or that of its last one."""
        if home in self.folders():
            return rules.limit_of(self.folders()[home]["disk_limit"], self._space("hub"))
        if spawners := self._spawners.get(home):
            return self._limit(spawners)
        return int(((self.state().get("homes") or {}).get(home) or {}).get("limit", 0))

    def _said(self, home: str) -> str:
        quota = bool(((self.state().get("homes") or {}).get(home) or {}).get("quota"))
        folder = home if home in self.folders() else ""
        return rules.notice(self.usage(home), self.limit(home), quota, folder)

    def notices(self, home: str) -> list[str]:
        """What a home's owner is told now: of the home, and of folders where its server writes."""
        return [said for said in (self.notice(home), *map(self._said, self._shared(home))) if said]

    def _shared(self, home: str) -> list[str]:
        """The folders that a home's servers may write to."""
        spawners = self._spawners.get(home, {}).values()
        return list(dict.fromkeys(name for spawner in spawners for name in spawner.shared))

    def notice(self, home: str) -> str:
        """What a home's owner is told of it now."""
        said = self._said(home)
        times, until, why = self._stops.get(home, (0, 0.0, ""))
        if times and home not in self._running() and time.time() < until + 600:
            return why
        return said

    def model(self, home: str) -> dict[str, Any]:
        """The same for programs."""
        folders = [
            {"name": name, **self._model(name), "message": self._said(name)} for name in self._shared(home)
        ]
        return {**self._model(home), "message": self.notice(home), "folders": folders}

    def _model(self, home: str) -> dict[str, Any]:
        usage, limit = self.usage(home), self.limit(home)
        return {
            "bytes": usage["bytes"] if usage else None,
            "files": usage["files"] if usage else None,
            "limit": limit,
            "files_limit": rules.files_of(limit),
            "state": rules.verdict(usage, limit),
        }

    def words(self, user: Any) -> str:
        """For the hub's pages: JupyterHub calls it for each, with the user who looks at it."""
        try:
            return " ".join(self.notices(user.spawner.home_volume())) if user is not None else ""
        except Exception:
            # No page is worth less than this line.
            return ""

    # -- what it reads and writes

    def state(self) -> dict[str, Any]:
        """The agent's last answer; empty where there is no agent."""
        path = self._folder / "state.json"
        try:
            found = path.stat()
            if (found.st_mtime_ns, found.st_ino) != self._seen:
                self._state = json.loads(path.read_text(encoding="utf-8"))
                self._seen = (found.st_mtime_ns, found.st_ino)
        except (OSError, ValueError):
            self._state, self._seen = {}, None
        return self._state

    def _space(self, part: str = "volumes") -> rules.Space:
        space: rules.Space | None = (self.state().get("space") or {}).get(part)
        return space or {"total": 0, "free": 0, "files": 0, "files_free": 0}

    def _limit(self, spawners: dict[str, Any]) -> int:
        """The most generous of those of a home's servers; 0 is none."""
        limits = [rules.limit_of(one.home_limit, self._space()) for one in spawners.values()]
        return 0 if 0 in limits else max(limits)

    def _running(self) -> dict[str, dict[str, Any]]:
        """Spawners of servers that run or start, by home and name."""
        for home, spawners in list(self._spawners.items()):
            for name in [name for name, one in spawners.items() if not (one.object_id or one.pending)]:
                del spawners[name]
            if not spawners:
                del self._spawners[home]
                self._bases.pop(home, None)
        return self._spawners

    def _write(self) -> None:
        if self._app is None or not os.access(self._folder / "wanted", os.W_OK):
            return
        config = self._app.config.GalileanSpawner
        homes = {}
        for home, spawners in self._running().items():
            limit = self._limit(spawners)
            homes[home] = {
                "limit": limit,
                "containers": _containers(spawners),
                "ceiling": rules.ceiling(limit, self._bases.get(home)),
            }
            for name in set(self._shared(home)) & self.folders().keys():
                limit = self.limit(name)
                ceiling = rules.ceiling(limit, self._bases.get(name))
                target = self.folders()[name]["target"]
                homes[name] = {"limit": limit, "containers": [], "ceiling": ceiling, "target": target}
        wanted = {
            "folders": {name: self.limit(name) for name in self.folders()},
            "limit": config.get("disk_limit") or "0",
            "reserve": config.get("disk_reserve") or "0",
            "homes": homes,
        }
        if wanted == self._wanted:
            return
        try:
            save(self._folder / "wanted" / "wanted.json", json.dumps(wanted))
            self._wanted = wanted
        except OSError as exc:
            self._log.error("the agent that looks after the disk cannot be asked: %s", exc)

    # -- what it does

    def start(self, app: Any) -> None:
        """Begin to look; where no loop runs, as in a check of the configuration, nothing is done."""
        self._app = app
        if not self._folder.is_dir():
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.once()
            except Exception:
                self._log.exception("The check of the disk failed and will be repeated")

    async def once(self) -> None:
        """One look."""
        state = self.state()
        self._write()
        if not state or state["time"] == self._judged:
            return
        self._judged = state["time"]
        for home in self._running():
            usage = self.usage(home)
            if usage and home not in self._bases:
                self._bases[home] = usage
        for name in self.folders():
            usage, base = self.usage(name), self._bases.get(name)
            if self._measured(name) < self._settled.get(name, 0):
                continue
            # Whoever deletes there, deletes for all; and then no more fits in than before.
            if usage and (base is None or usage["bytes"] < base["bytes"] or usage["files"] < base["files"]):
                self._bases[name] = usage
        for home in [one for one, stop in self._stops.items() if time.time() > stop[1] + 3600]:
            if rules.verdict(self.usage(home), self.limit(home)) != rules.FULL:
                self._stops.pop(home)
        self._write()
        for home, where in self._to_stop(state).items():
            await self._stop(home, where)

    def _servers(self, state: dict[str, Any]) -> Iterator[rules.Running]:
        """Servers as they are decided on."""
        for home, spawners in self._running().items():
            base = self._bases.get(home)
            written = max(0, self._written(state, _containers(spawners)))
            yield rules.Running(home, self._limit(spawners), self.usage(home), base, written)

    def _written(self, state: dict[str, Any], containers: list[str]) -> int:
        """What these have written since the first sample."""
        first = self._samples[0]["written"] if self._samples else {}
        return sum(state["written"].get(one, 0) - first.get(one, 0) for one in containers)

    def _measured(self, home: str) -> float:
        return float(((self.state().get("homes") or {}).get(home) or {}).get("time", 0))

    def _beyond(self, state: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Shared folders that have grown too large, each with the home whose server has written to it."""
        for name in self.folders():
            usage, running = self.usage(name), self._running()
            if self._measured(name) < self._settled.get(name, 0):
                continue
            if not rules.beyond(rules.Running(name, self.limit(name), usage, self._bases.get(name))):
                continue
            suspects = []
            for home, spawners in running.items():
                there = {key: one for key, one in spawners.items() if name in one.shared and not one.pending}
                if there:
                    written, touched = self._written(state, _containers(there)), False
                    for sample in self._samples:
                        touched |= any(name in sample["touched"].get(one, []) for one in _containers(there))
                    suspects.append(rules.Suspect(home, written, touched))
            home = rules.culprit(suspects)
            if home:
                # What it writes until it ends is nobody else's. Who writes there later has as much room
                # as somebody who comes with a full home.
                self._settled[name] = time.time() + SETTLE
                self._bases.pop(name, None)
                yield name, home

    def _to_stop(self, state: dict[str, Any]) -> dict[str, str]:
        """The homes whose servers have to go now, and what was written to: the home itself, or a folder."""
        sample = {key: state[key] for key in ("time", "grown", "written")}
        self._samples.append({**sample, "touched": state.get("touched") or {}})
        while len(self._samples) > 2 and self._samples[1]["time"] < state["time"] - WINDOW:
            self._samples.popleft()
        servers = list(self._servers(state))
        found = {home: name for name, home in self._beyond(state)}
        found.update({server.home: server.home for server in servers if rules.beyond(server)})
        threat = rules.in_danger(state["space"], state["reserve"], state.get("rates") or {})
        grown = state["grown"] - self._samples[0]["grown"]
        # Only while the disk goes on filling: what is full is not emptied by stopping somebody.
        if threat and not found and grown >= rules.WRITER and state["time"] > self._stopped_at + SETTLE:
            one = rules.writer(servers)
            if one:
                found[one.home] = one.home
        return found

    async def _stop(self, home: str, where: str) -> None:
        # All of a home's: each of them may be what writes.
        spawners = [one for one in self._spawners.get(home, {}).values() if one.active and not one.pending]
        if not spawners:
            return
        times = self._stops.get(home, (0, 0.0, ""))[0] + 1
        seconds = rules.pause(times)
        folder = where if where != home else ""
        why = rules.stopped(self.usage(where), self.limit(where), seconds, folder)
        self._stops[home] = times, time.time() + seconds, why
        self._stopped_at = time.time()
        # What was written before is not held against anybody else.
        self._samples.clear()
        for spawner in spawners:
            self._log.warning("Stopping the server %s: %s", spawner._log_name, why)
            # At once: what it writes in the seconds that a server has to end is on the disk for good.
            await spawner.kill()
        for spawner in spawners:
            await self._app.proxy.delete_user(spawner.user, spawner.name)
            await spawner.user.stop(spawner.name)


WATCH = Watch()
