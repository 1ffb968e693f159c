# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""DockerSpawner that starts servers in turn, sees at once when one is ready or dead, labels volumes, and
gives each user what is theirs.
"""

from __future__ import annotations

import asyncio
import copy
import errno
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Any, ClassVar

import docker.errors
from dockerspawner import DockerSpawner
from jupyterhub.app import JupyterHub
from jupyterhub.spawner import SpawnException
from sqlalchemy.orm import object_session
from tornado import web
from traitlets import Dict, Float, Integer, List, Set, Unicode, default

from .. import logs
from ..audit import events
from ..disk import rules
from ..disk.watch import WATCH
from ..state import homes
from . import engine, profiles
from .drain import DRAIN
from .names import container_digest, safe_name
from .start_queue import StartQueue

# What a choice changes. One spawner object lives through many starts: each begins with the settings' values.
CHANGED = (
    "image",
    "mem_limit",
    "cpu_limit",
    "extra_host_config",
    "volumes",
    "default_url",
    "environment",
)


class GalileanSpawner(DockerSpawner):
    """DockerSpawner with a start queue.

    A start costs seconds of processor time. When many users come at once, starting all of them together
    makes everybody wait for the last one; JupyterHub's own limit (`concurrent_spawn_limit`) answers the
    others with an error. Here they wait in a queue, in the order in which they came, and their start page
    says so.
    """

    concurrent_spawn_limit = Integer(
        4, min=1, config=True, help="How many servers may be starting at the same time."
    )
    ready_timeout = Float(
        300, min=1, config=True, help="Seconds from the start of the container until its server must answer."
    )
    instance = Unicode("hub", config=True, help="Name of the instance; goes into the labels of volumes.")
    name_key = Unicode(config=True, help="Secret that the names of containers are made with.")

    profiles = List(Dict(), config=True, help="Environments to choose from, see docs/environments.md.")
    groups = Dict(Dict(), config=True, help="Limits, repositories and times by group.")
    folders = List(Dict(), config=True, help="Folders of the host for groups or for everybody.")
    repositories = List(Dict(), config=True, help="Git repositories that each home gets.")
    git_hosts = Dict(
        Unicode(),
        config=True,
        help="Hosts that git may give the user's own token to, and the user name that belongs to it.",
    )
    default_profile_users = Set(
        Unicode(), config=True, help="Users who get the first environment without being asked."
    )

    cull_default = Integer(
        0, config=True, help="Seconds without activity until a server is stopped; 0: never."
    )
    cull_max_age = Integer(0, config=True, help="Seconds until a server is stopped in any case; 0: never.")

    disk_limit = Unicode(
        "0", config=True, help="What a home may take; 0: no limit, auto: a part of the disk."
    )
    disk_reserve = Unicode("0", config=True, help="What stays free on the disk, or no server starts.")

    _plain: dict[str, Any] | None = None
    # The limit of this start, by groups and environment.
    _home_limit: str | None = None
    # The folders of others that this server may write to, as disk/watch.py calls them.
    shared: Sequence[str] = ()
    cull_timeout: int | None = None
    # What the home page tells of a server that runs: its environment, and its limit of memory.
    facts: Mapping[str, Any] = MappingProxyType({})
    _environment = ""

    _queue: ClassVar[StartQueue | None] = None
    _threads: ClassVar[ThreadPoolExecutor | None] = None

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Threads for calls to the engine: with DockerSpawner's single one, starts would wait for each other.

        One `docker start` takes some tenths of a second. requests' connection pool, which the client stands
        on, may be used by several threads.
        """
        cls = GalileanSpawner
        if cls._threads is None:
            cls._threads = ThreadPoolExecutor(self.concurrent_spawn_limit + 1, thread_name_prefix="docker")
        return cls._threads

    @property
    def queue(self) -> StartQueue:
        """The start queue: one for all users, since there is one hub process."""
        cls = GalileanSpawner
        if cls._queue is None:
            cls._queue = StartQueue(self.concurrent_spawn_limit)
        return cls._queue

    def _docker(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """As DockerSpawner's; a broker that is being restarted is waited for."""
        return engine.call(super()._docker, method, *args, **kwargs)

    @default("escape")
    def _escape_default(self) -> Any:
        return safe_name

    def template_namespace(self) -> dict[str, Any]:
        """As DockerSpawner's; `{home}` is the name of the user's home, also after the user was renamed."""
        return {**super().template_namespace(), "home": safe_name(homes.owner(self.user.name))}

    def _object_name_default(self) -> str:
        """A name that tells nobody who the user is.

        Docker's resolver has it for each address of the network: with the user's name in it, every notebook
        could read who is there. The label galilean.hub.user tells the operator.
        """
        return f"{self.prefix}-{container_digest(self.name_key, self.user.name, self.name)}"

    # -- what the user may choose, and gets

    def group_names(self) -> set[str]:
        """The user's groups, as they are now."""
        return {group.name for group in self.user.groups}

    @default("options_form")
    def _options_form_default(self) -> Any:
        def menu(_spawner: Any) -> str:
            if self.user.name in self.default_profile_users:
                return ""
            return profiles.options_form(
                self.profiles, self.group_names(), (self.user_options or {}).get("profile")
            )

        return menu

    @default("options_from_form")
    def _options_from_form_default(self) -> Any:
        def read(fields: dict[str, list[str]]) -> dict[str, Any]:
            given = {name: (fields.get(name) or [""])[0] for name in ("profile", "clean")}
            # A start by a link names no environment: it is the one of last time.
            last = (self.user_options or {}).get("profile")
            return {**given, "profile": given["profile"] or (last if given["clean"] else "")}

        return read

    @default("apply_user_options")
    def _apply_user_options_default(self) -> Any:
        # The form shows only what is offered; a request of the user's own making comes here, too.
        return lambda _spawner, options: self.choose(options)

    def choose(self, options: dict[str, Any]) -> None:
        """Set image, limits, folders and the rest for this start; HTTPError 403 for what is not theirs."""
        if self._plain is None:
            self._plain = {name: copy.deepcopy(getattr(self, name)) for name in CHANGED}
        for name, value in self._plain.items():
            setattr(self, name, copy.deepcopy(value))
        mine = self.group_names()
        try:
            if self.user.name in self.default_profile_users:
                profile = self.profiles[0] if self.profiles else {}
            else:
                profile = profiles.selected(self.profiles, mine, options.get("profile"))
        except profiles.ProfileNotAllowed as exc:
            said = "%s asked for an environment that is not offered"
            error = web.HTTPError(403, said, self._log_name, reason="Not offered")
            error.jupyterhub_message = str(exc)  # type: ignore[attr-defined]
            raise error from None
        try:
            clean = profiles.clean(options)
        except ValueError as exc:
            error = web.HTTPError(400, "%s: %s", self._log_name, exc)
            error.jupyterhub_message = str(exc)  # type: ignore[attr-defined]
            raise error from None
        if "clean" in options:
            # For this once: the hub takes a start's options for the next one's.
            self.orm_spawner.user_options = {key: options[key] for key in options if key != "clean"}
        self._environment = profile.get("label") or profile.get("name") or ""
        self.image = profile.get("image") or self.image
        self.default_url = profile.get("default_url") or self.default_url
        self._limit(profiles.limits(self.groups, mine, profile))
        folders = [*self.folders, *profile.get("folders", [])]
        self.volumes = {**self.volumes, **profiles.folders(folders, mine)}
        self.shared = profiles.limited_folders(self.folders, mine)
        self.cull_timeout = profiles.cull_timeout(self.groups, mine)
        given = profiles.repositories(self.repositories, self.groups, mine, profile)
        self.environment = {
            **self.environment,
            **(profile.get("environment") or {}),
            **({"GALILEAN_REPOSITORIES": json.dumps(given)} if given else {}),
            **({"GALILEAN_APPS": json.dumps(profile["apps"])} if profile.get("apps") else {}),
            # There is something to be told.
            **({"GALILEAN_DISK_LIMIT": "1"} if self.home_limit != "0" or self.shared else {}),
            **({"GALILEAN_GIT_CREDENTIALS": json.dumps(self.git_hosts)} if self.git_hosts else {}),
            **({"GALILEAN_CLEAN": "1"} if clean else {}),
            **self._git_identity,
        }

    def _limit(self, limits: dict[str, Any]) -> None:
        host: dict[str, Any] = {}
        if "memory_limit" in limits:
            self.mem_limit = limits["memory_limit"]
            # No swap beyond it.
            host["memswap_limit"] = limits["memory_limit"]
        self._home_limit = limits.get("disk_limit")
        if "cpu_limit" in limits:
            self.cpu_limit = float(limits["cpu_limit"])
        if "pids_limit" in limits:
            host["pids_limit"] = int(limits["pids_limit"])
        if host:
            self.extra_host_config = {**self.extra_host_config, **host}

    _git_identity: Mapping[str, str] = MappingProxyType({})

    async def run_auth_state_hook(self, auth_state: dict[str, Any] | None) -> None:
        """git's name and address for the user, from what the provider told; then the site's own hook."""
        key = getattr(self.authenticator, "user_auth_state_key", "")
        info = (auth_state or {}).get(key)
        self._git_identity = profiles.git_identity(info, self.user.name) if isinstance(info, dict) else {}
        await super().run_auth_state_hook(auth_state)

    async def _check_standing(self) -> None:
        """A token of the user's still starts servers when the user can no longer log in."""
        ask = getattr(self.authenticator, "lost", None)
        reason = await ask(self.user) if ask else ""
        if reason:
            raise SpawnException(
                reason, reason="refused", log_message=f"{self._log_name}: not started: {reason}"
            )

    def get_state(self) -> dict[str, Any]:
        """As DockerSpawner's, with the time that the culler looks for."""
        state: dict[str, Any] = super().get_state()
        if state and self.cull_timeout is not None:
            state[profiles.CULL_STATE] = self.cull_timeout
        if state and self._home_limit is not None:
            state["disk_limit"] = self._home_limit
        if state and self.shared:
            state["shared"] = list(self.shared)
        if state and self.facts:
            state["facts"] = dict(self.facts)
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.cull_timeout = state.get(profiles.CULL_STATE)
        self._home_limit = state.get("disk_limit")
        self.shared = state.get("shared") or ()
        self.facts = state.get("facts") or {}
        if self.object_id:
            # Found running by a hub that has just started.
            WATCH.started(self)

    async def start(self) -> tuple[str, int]:
        """As below; a start that does not work is written down, with its reason."""
        try:
            return await self._started()
        except BaseException as exc:
            reason = getattr(exc, "reason", "") or type(exc).__name__
            events.emit(
                "server.start", user=self.user.name, server=self.name, outcome="failed", detail=str(reason)
            )
            raise

    async def _started(self) -> tuple[str, int]:
        await self._check_standing()
        async with self.queue.turn(self._log_name):
            # In its turn: while somebody waited, the hub may have been drained, or the disk have run full.
            self._check_drain()
            self._check_disk()
            try:
                await self._ensure_home()
                if not self.object_id:
                    # Its last container may have had a name of an earlier release, with the user's in it.
                    self.object_name = self._object_name_default()
                # As it is now: a site's own hook may have set other limits.
                self.facts = {"environment": self._environment, "memory": int(self.mem_limit or 0)}
                address = await super().start()
            except Exception as exc:
                if getattr(exc, "errno", 0) == errno.ENOSPC or "no space left" in str(exc).lower():
                    raise self._disk_full(rules.REFUSED["bytes"]) from exc
                message = engine.explain(exc)
                if not message:
                    raise
                raise SpawnException(
                    message, reason="engine", log_message=f"{self._log_name}: not started: {exc}"
                ) from exc
            await self._wait_until_ready(*address)
        return address

    async def kill(self) -> None:
        """End the server's processes without a word; stop() does the rest."""
        try:
            await self.docker("stop", self.container_id, timeout=0)
        except docker.errors.APIError as exc:
            self.log.warning("%s could not be killed: %s", self._log_name, exc)

    def home_volume(self) -> str:
        """Name of the volume that holds the user's home."""
        for source, target in self.volumes.items():
            if isinstance(target, str) and not source.startswith("/"):
                return str(self.format_volume_name(source, self))
        return ""

    @property
    def home_limit(self) -> str:
        """What the home may take, as the settings have it."""
        return self.disk_limit if self._home_limit is None else self._home_limit

    def _check_drain(self) -> None:
        sentence = DRAIN.refusal(self.handler)
        if sentence:
            raise SpawnException(
                sentence,
                reason="drained",
                status_code=503,
                log_message=f"{self._log_name}: not started, the hub is drained",
            )

    def _check_disk(self) -> None:
        reason = WATCH.refusal(self.home_volume())
        if reason:
            raise self._disk_full(reason)
        WATCH.started(self)

    def _disk_full(self, sentence: str) -> SpawnException:
        return SpawnException(
            sentence, reason="disk", log_message=f"{self._log_name}: not started: {sentence}"
        )

    async def _ensure_home(self) -> None:
        """Create the user's volumes with labels; those that Docker makes by itself say not whose they are."""
        for source, target in self.volumes.items():
            # A mapping says how to mount what is there already; a plain path is the user's own volume.
            if isinstance(target, str) and not source.startswith("/"):
                await self.docker(
                    "create_volume",
                    self.format_volume_name(source, self),
                    labels={
                        "galilean.hub.instance": self.instance,
                        "galilean.hub.role": "home",
                        "galilean.hub.user": homes.owner(self.user.name),
                    },
                )

    async def _wait_until_ready(self, host: str, port: int) -> None:
        """Return when the server listens.

        JupyterHub's own wait doubles its pauses up to five seconds and so notices late; it also goes on
        waiting for a container that has died.
        """
        deadline = time.monotonic() + self.ready_timeout
        look_at_container = time.monotonic() + 2
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout=2)
            except (OSError, asyncio.TimeoutError):
                pass
            else:
                writer.close()
                return
            if time.monotonic() > look_at_container:
                look_at_container = time.monotonic() + 2
                if await self.poll() is not None:
                    raise SpawnException(
                        "Your server stopped while it was starting. Try again, or without your changes; "
                        "if that does not help, tell the people who run this hub.",
                        reason="exited",
                        log_message=f"{self._log_name}: the container exited during its start, see above",
                    )
            await asyncio.sleep(0.05)
        raise SpawnException(
            f"Your server did not answer within {self.ready_timeout:.0f} seconds. Try again later.",
            reason="timeout",
            log_message=f"{self._log_name}: no answer from {host}:{port} in {self.ready_timeout:.0f} s",
        )

    async def poll(self) -> Any:
        """As DockerSpawner's; what a dead container said last goes to the hub's log before it is removed."""
        status = await super().poll()
        # While it starts there is no address to compare with.
        if status is None and self.server and self.server.ip:
            await self._follow()
        if status is not None and self.object_id and self.remove:
            detail = f"the container has ended by itself: {status}"
            events.emit("server.exit", events.HUB, user=self.user.name, server=self.name, detail=detail)
            try:
                lines = await self.docker("logs", self.object_id, tail=30)
                self.log.warning(
                    "%s: the container has exited (%s); its last lines:\n%s",
                    self._log_name,
                    status,
                    logs.quoted(lines),
                )
            except docker.errors.APIError as exc:
                self.log.warning("%s: the container has exited (%s): %s", self._log_name, status, exc)
            await self.remove_object()
        return status

    async def _follow(self) -> None:
        """Where its network was made anew, the server that runs has another address."""
        try:
            host, _port = await self.get_ip_and_port()
        except Exception as exc:
            # In no network at this moment; the next poll looks again.
            self.log.warning("%s: its address is not known: %s", self._log_name, exc)
            return
        if host and host != self.server.ip:
            self.log.warning("%s: moved from %s to %s", self._log_name, self.server.ip, host)
            self.server.ip = host
            object_session(self.orm_spawner).commit()
            if self.ready:
                await JupyterHub.instance().proxy.add_user(self.user, self.name)

    async def progress(self) -> Any:
        """Messages for the start page: the place in the queue while there is one, then the start itself."""
        last = None
        for notice in WATCH.notices(self.home_volume()):
            yield {"progress": 5, "message": notice}
        while True:
            place = self.queue.place(self._log_name)
            if place != last:
                last = place
                if place:
                    yield {
                        "progress": 10,
                        "message": f"Waiting for other servers to start: you are number {place}",
                    }
                else:
                    yield {"progress": 40, "message": "Starting your server"}
            await asyncio.sleep(1)
