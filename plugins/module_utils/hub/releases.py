# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The folder of an instance's releases on its host: what is in it, and how it changes, so that a run may be killed anywhere.

<name>/     a release: record.json, containers.json, config.json, hooks.py; secrets and hub (the database) as they were when it was left
current     a link to the one that runs
.next       what a run has prepared: config.json and hooks.py, for a rollback also secrets and hub
.former     what a run replaces: release (a name), config, secrets, hub. It is there as long as the switch is not finished
.run        the run that all of these are of
.trial      of hub_trial
failed/     what explains a release that was not taken into use
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.atomic_file import replace_file
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.json_file import read_json

FORMAT = 1
FILES = ("config.json", "hooks.py")
FAILURES_KEPT = 3
# Seconds without a step after which a run of another controller is taken for broken off: longer than a trial.
SILENCE = 1800
# In the order in which record.json has them. What of a release a run compares with the settings is marked.
COMPARED = ("collection_version", "images", "software")


def differences(record: t.Mapping[str, t.Any], before: t.Mapping[str, t.Any]) -> list[str]:
    """In what a release differs from the one before it, a word or two each."""
    found = []
    for key, word in (
        ("collection_version", "collection"),
        ("jupyterhub_version", "JupyterHub"),
        ("schema", "database schema"),
        ("software", "software"),
    ):
        if record.get(key) != before.get(key):
            found.append(f"{word} {record.get(key) or 'none'}" if key != "software" else word)
    images, former = record.get("images") or {}, before.get("images") or {}
    changed = sorted(name for name in {*images, *former} if images.get(name) != former.get(name))
    found += [f"images {', '.join(changed)}"] if changed else []
    if record.get("settings_digest") != before.get("settings_digest"):
        found.append("settings")
    return found


def table(records: t.Sequence[t.Mapping[str, t.Any]], current: str) -> list[str]:
    """The releases as lines for people, the newest first; the one that runs has a star."""
    rows = [("", "release", "by", "collection", "JupyterHub", "differs from the one before in")]
    for before, record in reversed(list(zip([{}, *records], records))):
        rows.append(
            (
                "*" if record["name"] == current else "",
                str(record["name"]),
                str(record.get("user") or "-"),
                str(record.get("collection_version") or "-"),
                str(record.get("jupyterhub_version") or "-"),
                ", ".join(differences(record, before)) if before else "-",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def described(found: t.Mapping[str, t.Any], image: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A container that runs, as the role describes its containers: of a release that was deployed before there were records.

    found, image: what the engine says of the container and of its image.
    """
    config, host, own = found["Config"], found["HostConfig"], image.get("Config") or {}
    labels = config.get("Labels") or {}
    role = str(labels.get("galilean.hub.role", ""))
    health = config.get("Healthcheck") or {}
    seconds = {"interval": "Interval", "timeout": "Timeout", "start_period": "StartPeriod"}
    networks = [
        {
            "name": name,
            "aliases": [alias for alias in one.get("Aliases") or [] if not found["Id"].startswith(alias)],
            **(
                {"ipv4_address": one["IPAMConfig"]["IPv4Address"]}
                if (one.get("IPAMConfig") or {}).get("IPv4Address")
                else {}
            ),
        }
        for name, one in (found["NetworkSettings"].get("Networks") or {}).items()
        if name != "none"
    ]
    made = {
        "role": role,
        "image": "proxy" if role == "proxy" else "hub",
        "command": config.get("Cmd") if config.get("Cmd") != own.get("Cmd") else None,
        "user": str(config.get("User", "")).partition(":")[0],
        "memory": str(host.get("Memory") or 0),
        "oom_score_adj": host.get("OomScoreAdj") or 0,
        "init": host.get("Init"),
        "groups": host.get("GroupAdd"),
        "capabilities": host.get("CapAdd"),
        "security_opts": host.get("SecurityOpt"),
        "pid_mode": host.get("PidMode"),
        "volumes": host.get("Binds") or [],
        "env": dict(
            line.split("=", 1) for line in config.get("Env") or [] if line not in (own.get("Env") or [])
        ),
        "healthcheck": {
            "test": health.get("Test") or ["NONE"],
            **{key: f"{health[name] // 10**9}s" for key, name in seconds.items() if health.get(name)},
            **({"retries": health["Retries"]} if health.get("Retries") else {}),
        },
        "labels": {key: labels[key] for key in ("galilean.hub.state",) if key in labels},
        "networks": networks,
        "network_mode": "none" if not networks else None,
    }
    return {key: value for key, value in made.items() if value not in (None, "", [])}


def to_prune(names: t.Iterable[str], keep: int, needed: t.Collection[str]) -> list[str]:
    """Which of the releases go: all but the newest ones and those that are needed."""
    newest = sorted(names, reverse=True)
    return [name for name in newest[max(keep, 1) :] if name not in needed]


def choose(records: t.Sequence[t.Mapping[str, t.Any]], current: str, wanted: str) -> t.Mapping[str, t.Any]:
    """The release that a rollback goes to; records: the oldest first. HubError where there is none."""
    others = [record for record in records if record["name"] != current]
    if wanted:
        found = [record for record in records if record["name"] == wanted]
        if not found:
            there = ", ".join(str(record["name"]) for record in others) or "none"
            raise HubError(
                f"rollback_release is '{wanted}', and there is no such release: choose one of {there}."
            )
        if wanted == current:
            raise HubError(
                f"rollback_release is '{wanted}', which is the release that runs: choose another one."
            )
        return found[0]
    earlier = [record for record in others if record["name"] < current]
    if not earlier:
        raise HubError(
            "There is no release before the one that runs: name one with -e rollback_release=<name>."
        )
    return earlier[-1]


def needed_by_releases(config_dir: Path) -> set[str]:
    """Images and volumes that the releases of an instance need, by the folder of its configuration."""
    needed: set[str] = set()
    releases = Releases(config_dir.parent / "releases")
    for record in releases.records():
        ids = record.get("image_ids") or {}
        needed |= {*(record.get("images") or {}).values(), *ids.values(), str(record.get("software") or "")}
    return needed - {""}


class Releases:
    """The folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.next, self.former = root / ".next", root / ".former"

    def ensure(self) -> None:
        self.root.mkdir(mode=0o700, exist_ok=True)

    def names(self) -> list[str]:
        """All releases, the oldest first."""
        if not self.root.is_dir():
            return []
        return sorted(path.parent.name for path in self.root.glob("[0-9]*/record.json"))

    def current(self) -> str:
        """Name of the release that runs, as far as it is recorded."""
        try:
            return os.readlink(self.root / "current")
        except OSError:
            return ""

    def record(self, name: str = "") -> dict[str, t.Any]:
        return read_json(self.root / (name or "current") / "record.json")

    def records(self) -> list[dict[str, t.Any]]:
        return [self.record(name) for name in self.names()]

    def new_name(self, seconds: float) -> str:
        while True:
            name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))
            if not (self.root / name).exists():
                return name
            seconds += 1

    def write(self, record: t.Mapping[str, t.Any], files: t.Mapping[str, str]) -> None:
        """Write a release whole, or not at all."""
        part = self.root / ".part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        for name, text in {**files, "record.json": json.dumps(record, indent=1) + "\n"}.items():
            if text:
                replace_file(str(part / name), text)
        os.replace(part, self.root / str(record["name"]))

    def point(self, name: str) -> None:
        """Say which release runs."""
        part = self.root / ".current"
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
        part.symlink_to(name)
        os.replace(part, self.root / "current")

    def left(self) -> str:
        """Name of the release that a switch leaves."""
        try:
            return (self.former / "release").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def refuse(self, run: str) -> None:
        """Raise HubError while another run is between one release and the next."""
        held = self.root / ".run"
        try:
            other, last = held.read_text(encoding="utf-8").strip(), held.stat().st_mtime
        except FileNotFoundError:
            return
        if other != run and time.time() - last < SILENCE:
            until = time.strftime("%H:%M UTC", time.gmtime(last + SILENCE))
            raise HubError(
                f"Another run changes this hub: that of {other}. Wait for its end, and run this again; without another step of it, it counts "
                f"as broken off at {until}, or at once when you remove {held}. Nothing was changed."
            )

    def claim(self, run: str) -> None:
        """Say which run is between one release and the next from now on; HubError while it is another one."""
        self.ensure()
        try:
            # Of two, one is the first.
            with (self.root / ".run").open("x", encoding="utf-8") as file:
                file.write(f"{run}\n")
        except FileExistsError:
            self.refuse(run)
            with contextlib.suppress(OSError):
                replace_file(str(self.root / ".run"), f"{run}\n")
        except OSError:
            # A full disk keeps nobody from going back.
            self.disclaim()

    def disclaim(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self.root / ".run").unlink()

    def begun(self) -> float:
        """When the switch that is not finished was begun; 0 where none was."""
        try:
            return (self.former / "release").stat().st_mtime
        except FileNotFoundError:
            return 0

    def leave(self) -> None:
        """Move what was replaced to the release that it belongs to: the switch is finished."""
        name = self.left()
        if name and (self.root / name).is_dir():
            for part in ("hub", "secrets"):
                if (self.former / part).is_dir():
                    shutil.rmtree(self.root / name / part, ignore_errors=True)
                    self.move(self.former / part, self.root / name / part)
        self.forget()

    def forget(self) -> None:
        """What says that a switch is not finished goes first."""
        for path in (self.former, self.next):
            gone = path.with_name(".gone")
            shutil.rmtree(gone, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, gone)
            shutil.rmtree(gone, ignore_errors=True)
        self.disclaim()

    def prune(self, keep: int, needed: t.Collection[str]) -> list[str]:
        gone = to_prune(self.names(), keep, {*needed, self.current()})
        for name in gone:
            shutil.rmtree(self.root / name)
        return gone

    # -- what explains a failure; a full disk keeps nobody from going back

    def failed(self) -> Path:
        """A new folder for it. Of older ones the last stay."""
        folder = self.root / "failed"
        path = folder / time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        with contextlib.suppress(OSError):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            for old in sorted(folder.iterdir())[:-FAILURES_KEPT]:
                shutil.rmtree(old)
        return path

    @staticmethod
    def explain(folder: Path, name: str, text: str) -> None:
        with contextlib.suppress(OSError):
            (folder / name).write_text(text, encoding="utf-8")

    @staticmethod
    def move(source: Path, target: Path) -> None:
        """Also where the releases are on a disk of their own."""
        with contextlib.suppress(OSError, shutil.Error):
            shutil.move(str(source), str(target))


def copy_folder(source: Path, target: Path) -> None:
    """Copy a folder whole, with owners and modes, or not at all; links stay links."""
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, symlinks=True)
    for copied in (part, *part.rglob("*")):
        found = (source / copied.relative_to(part)).lstat()
        os.chown(copied, found.st_uid, found.st_gid, follow_symlinks=False)
    os.replace(part, target)
