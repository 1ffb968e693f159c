#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Releases of a hub on its host."""

from __future__ import annotations

import calendar
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import time
import typing as t
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.galilean.hub.plugins.module_utils.core import sqlite_copy
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.json_file import read_json
from ansible_collections.galilean.hub.plugins.module_utils.engine.docker_cli import DockerCli
from ansible_collections.galilean.hub.plugins.module_utils.hub import releases as plan
from ansible_collections.galilean.hub.plugins.module_utils.hub.trial import database_name, server_images

DOCUMENTATION = r"""
module: hub_release
short_description: Record, switch and undo releases of a hub
version_added: 0.9.0
author: galilean.hub contributors (@galilean)
description:
  - Each good deploy of a hub is a release, with a folder in C(releases) of the instance's folder. C(record.json) has what it consists
    of. When a release is left, its secrets and its database come into the same folder.
  - A switch begins with V(begun) and ends with V(recorded) or V(undone). Until it ends, what it replaces is in C(.former), so that the
    next run finishes or undoes a killed one.
extends_documentation_fragment:
  - galilean.hub.attributes
  - galilean.hub.attributes.actiongroup_hub
attributes:
  check_mode:
    support: partial
    details:
      - For V(listed) and V(chosen), which change nothing.
  diff_mode:
    support: none
  idempotent:
    support: partial
    details:
      - V(undone) and V(resumed) change nothing where no switch was begun.
options:
  state:
    description:
      - V(begun) keeps what runs now, with a record of it if there is none, and puts the prepared settings in its place.
      - V(recorded) writes the record of what runs now, or says with O(name) that a former release runs again.
      - V(undone) puts containers, settings, secrets and database back.
      - V(resumed) looks at the switch of a killed run. It is finished if the new hub works, and undone otherwise. It is refused
        without O(database) if the switch is older than an hour, as the new database has been in use since.
      - V(listed) returns all releases.
      - V(chosen) prepares the release that O(name) names, or the one before the present one, for a rollback.
    type: str
    choices: [begun, recorded, undone, resumed, listed, chosen]
    required: true
  folders:
    description: Paths of the instance, from P(galilean.hub.settings#lookup) for V(instance).
    type: dict
    required: true
  release:
    description: The parts of the record that the settings say.
    type: dict
    default: {}
  containers:
    description: The containers as they are described for this release.
    type: list
    elements: dict
    default: []
  name:
    description: Name of a release.
    type: str
    default: ''
  database:
    description:
      - Whether a rollback may bring back the database of the release, without what users did since.
      - For V(resumed), V(false) goes on with the new database, whether the new hub works or not.
    type: bool
  keep:
    description: Number of releases to keep.
    type: int
    default: 5
  reason:
    description: Why a switch is undone.
    type: str
    default: ''
  run:
    description: Name of this run, from P(galilean.hub.run#lookup). Nothing is changed while another run switches.
    type: str
    default: ''
  docker_cli:
    description: Docker client.
    type: str
    default: docker
seealso:
  - module: galilean.hub.hub_trial
"""

EXAMPLES = r"""
- name: List the releases
  galilean.hub.hub_release:
    state: listed
    folders: "{{ __jupyterhub_layout }}"
  register: releases
"""

RETURN = r"""
name:
  description: Name of the release that runs.
  returned: success
  type: str
  sample: 20261130T120000Z
records:
  description: All records, the oldest first, each with RV(ignore:differences) to the one before it.
  returned: when O(state=listed)
  type: list
  elements: dict
table:
  description: The same for people, the newest first.
  returned: when O(state=listed)
  type: list
  elements: str
record:
  description: The chosen record.
  returned: when O(state=chosen)
  type: dict
containers:
  description: The containers of the chosen release.
  returned: when O(state=chosen)
  type: list
  elements: dict
outcome:
  description: What became of a switch, V(none), V(finished), V(undone) or V(restored), where only secrets had been changed.
  returned: when O(state=undone) or O(state=resumed)
  type: str
kept:
  description: Folder with what explains the failure.
  returned: when O(state=undone) or O(state=resumed)
  type: str
"""

ARGUMENT_SPEC: dict[str, t.Any] = {
    "state": {
        "type": "str",
        "choices": ["begun", "recorded", "undone", "resumed", "listed", "chosen"],
        "required": True,
    },
    "folders": {"type": "dict", "required": True},
    "release": {"type": "dict", "default": {}},
    "containers": {"type": "list", "elements": "dict", "default": []},
    "name": {"type": "str", "default": ""},
    "database": {"type": "bool"},
    "keep": {"type": "int", "default": 5},
    "reason": {"type": "str", "default": ""},
    "run": {"type": "str", "default": ""},
    "docker_cli": {"type": "str", "default": "docker"},
}
# The hub last: it waits for the others.
ORDER = ("broker", "proxy", "disk", "hub")
VERSION = "import importlib.metadata; print(importlib.metadata.version('jupyterhub'))"
HEALTH = "import urllib.request as r; r.urlopen('http://127.0.0.1:8081/hub/health', timeout=5)"
PATIENCE = 60
# Seconds after which users have worked with what a switch has brought.
LATE = 3600


class Instance:
    """One instance: its releases, files and containers."""

    def __init__(self, params: dict[str, t.Any]) -> None:
        self.params, self.docker = params, DockerCli([params["docker_cli"]])
        self.layout: dict[str, t.Any] = params["folders"]
        self.releases = plan.Releases(Path(self.layout["releases_dir"]))
        self.config, self.secrets, self.hub = (
            Path(self.layout[f"{name}_dir"]) for name in ("config", "secrets", "hub")
        )
        self.names: dict[str, str] = self.layout["containers"]

    # -- what is there

    def inspect(self, name: str) -> dict[str, t.Any]:
        found = self.docker.existing("container", [name])
        return found[0] if found else {}

    def is_there(self, name: str) -> bool:
        return bool(self.inspect(name))

    def since(self, moment: float, name: str, what: str) -> bool:
        """Whether a container was made (Created) or started (StartedAt) after a moment."""
        found = self.inspect(name)
        return bool(found) and seconds({**found, **found["State"]}[what]) >= int(moment)

    def asked(self, code: str) -> str | None:
        """What Python in the hub's container prints; None when it fails."""
        argv = [*self.docker.client, "exec", self.names["hub"], "python3", "-c", code]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        return done.stdout.strip() if done.returncode == 0 else None

    def works(self, patience: float) -> bool:
        end = time.monotonic() + patience
        while self.asked(HEALTH) is None:
            # What has ended for good does not answer later; what is started again and again counts as running.
            if time.monotonic() > end or not self.inspect(self.names["hub"]).get("State", {}).get("Running"):
                return False
            time.sleep(0.25)
        return True

    def data(self) -> dict[str, t.Any]:
        return read_json(self.config / "config.json")

    def files(self) -> dict[str, str]:
        found = {}
        for name in plan.FILES:
            with contextlib.suppress(FileNotFoundError):
                found[name] = (self.config / name).read_text(encoding="utf-8")
        return found

    def schema(self) -> str:
        name = database_name(self.data())
        return sqlite_copy.schema(self.hub / name) if name else ""

    def facts(self, images: t.Mapping[str, str]) -> dict[str, t.Any]:
        """What of the record the host knows."""
        digest = hashlib.sha256("".join(self.files().values()).encode()).hexdigest()
        ids = {}
        for found in self.docker.existing("image", sorted(set(images.values()))):
            ids.update({ref: found["Id"] for ref in found.get("RepoTags") or [] if ref in images.values()})
        return {
            "image_ids": ids,
            "settings_digest": digest[:16],
            "schema": self.schema(),
            "jupyterhub_version": self.asked(VERSION) or "",
        }

    def write(self, moment: float, told: dict[str, t.Any], containers: list[dict[str, t.Any]]) -> str:
        name = self.releases.new_name(moment)
        record = {
            "format": plan.FORMAT,
            "name": name,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment)),
            **told,
            **self.facts(told["images"]),
        }
        described = json.dumps(containers, indent=1) + "\n" if containers else ""
        self.releases.write(record, {**self.files(), "containers.json": described})
        return name

    def what_runs(self) -> str:
        """Record a release that was deployed before there were records."""
        hub = self.inspect(self.names["hub"])
        images, containers = {}, []
        for role in (*ORDER, "edge"):
            found = self.inspect(self.names[role])
            if found and role in ("hub", "proxy", "edge"):
                images[role] = str(found["Config"]["Image"])
            if found and role in ORDER:
                containers.append(
                    plan.described(found, (self.docker.existing("image", [found["Image"]]) or [{}])[0])
                )
        data = self.data()
        servers = server_images(data)
        images.update(
            {f"server-{number}" if number else "notebook": one for number, one in enumerate(servers)}
        )
        volumes = data.get("traits", {}).get("DockerSpawner", {}).get("volumes", {})
        software = next((one for one in volumes if "-software-" in one and "/" not in one), "")
        made = seconds(hub["Created"])
        told = {"user": "", "collection_version": "", "images": images, "software": software}
        return self.write(made, told, containers)

    # -- the switch

    def begin(self) -> str:
        releases = self.releases
        releases.ensure()
        name = releases.current()
        if not name or not releases.record():
            name = self.what_runs()
            releases.point(name)
        releases.former.mkdir(mode=0o700, exist_ok=True)
        (releases.former / "release").write_text(f"{name}\n", encoding="utf-8")
        if not (releases.former / "secrets").is_dir():
            plan.copy_folder(self.secrets, releases.former / "secrets")
        if not (releases.former / "config").is_dir():
            part = releases.former / "config.part"
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir()
            for one in self.files():
                self.copy(self.config / one, part / one)
            os.replace(part, releases.former / "config")
        self.put(releases.next, self.config, plan.FILES)
        if (releases.next / "secrets").is_dir():
            self.put_all(releases.next / "secrets", self.secrets)
        return name

    @staticmethod
    def copy(source: Path, target: Path) -> None:
        shutil.copy2(source, target)
        found = source.stat()
        os.chown(target, found.st_uid, found.st_gid)

    def move(self, source: Path, target: Path) -> None:
        """Also where the releases are on a disk of their own."""
        try:
            os.replace(source, target)
        except OSError:
            self.copy(source, target)
            source.unlink()

    def put(self, source: Path, target: Path, names: t.Sequence[str]) -> None:
        """Bring files of a folder into another in which nothing else by these names stays. The data last: it is what counts."""
        for name in reversed(names):
            if (source / name).exists():
                part = target / f".{name}.part"
                self.copy(source / name, part)
                os.replace(part, target / name)
            else:
                with contextlib.suppress(FileNotFoundError):
                    (target / name).unlink()

    def put_all(self, source: Path, target: Path) -> None:
        names = {path.name for folder in (source, target) for path in folder.iterdir()}
        self.put(source, target, sorted(names))

    def record(self) -> str:
        params, releases = self.params, self.releases
        releases.ensure()
        left = releases.current()
        name = params["name"] or self.write(time.time(), params["release"], params["containers"])
        releases.point(name)
        releases.leave()
        now, before = releases.record(name), releases.record(left)
        same = before.get("settings_digest") == now["settings_digest"]
        if left and left != name and same and not before["collection_version"]:
            # The same, recorded where a run was broken off that knew more of it.
            shutil.rmtree(releases.root / left)
        releases.prune(params["keep"], {left})
        return name

    def undo(self) -> tuple[str, str]:
        """Put everything back; what became of it, and where the explanation is."""
        releases = self.releases
        before = [role for role in ORDER if self.is_there(f"{self.names[role]}-before")]
        begun = (releases.former / "config").is_dir()
        if not before and not releases.former.is_dir():
            releases.forget()
            return "none", ""
        # With time to write what they have: hubs write to a log beside the database. What goes back may have been started since, and
        # then has read what is new.
        ended = [
            self.names[role]
            for role in ORDER
            if role in before or (begun and self.since(releases.begun(), self.names[role], "StartedAt"))
        ]
        if ended:
            self.docker.call("stop", "--time", "15", *ended, missing_ok=True)
        kept = releases.failed() if before or begun else None
        if kept:
            releases.explain(kept, "reason.txt", f"{self.params['reason']}\n")
            for role in before:
                releases.explain(kept, f"{role}.log", self.docker.log(self.names[role]))
        for name in [
            *[self.names[role] for role in reversed(before)],
            *[f"{self.names[role]}-next" for role in ORDER],
        ]:
            self.docker.call("rm", "--force", name, missing_ok=True)
        self.bring_back(kept)
        for role in before:
            self.docker.call("rename", f"{self.names[role]}-before", self.names[role])
        there = [self.names[role] for role in ORDER if self.is_there(self.names[role])]
        if there and (before or begun):
            self.docker.call("start", *there)
        releases.forget()
        if not before and not begun:
            return "restored", ""
        if not self.works(PATIENCE):
            raise HubError(
                f"{self.params['reason']} The release before was put back, and its hub does not answer: look at its log. "
                f"What explains the failure is in {kept}."
            )
        return "undone", str(kept)

    def bring_back(self, kept: Path | None) -> None:
        """Files and database. Each is moved by itself, so that a killed undoing goes on."""
        former = self.releases.former
        if (former / "hub").is_dir():
            shutil.rmtree(self.hub / ".part", ignore_errors=True)
            name = database_name(read_json(former / "config" / "config.json"))
            # What belongs to the new database, and must not stay beside the former one.
            beside = {f"{name}-{end}" for end in ("wal", "shm", "journal")}
            beside = beside if (former / "hub" / name).is_file() else set()
            for path in sorted(self.hub.iterdir()):
                # Of a link, nothing is followed; what the former hub had comes next.
                if path.is_file() and ((former / "hub" / path.name).exists() or path.name in beside) and kept:
                    self.releases.move(path, kept / path.name)
                if path.name in beside:
                    with contextlib.suppress(FileNotFoundError):
                        path.unlink()
            # The database after all else, and its log after it: as long as it is there, this is done again.
            for path in sorted((former / "hub").iterdir(), key=lambda one: (".sqlite" in one.name, one.name)):
                self.move(path, self.hub / path.name)
        if (former / "config").is_dir():
            if kept:
                for name in self.files():
                    self.releases.explain(kept, name, (self.config / name).read_text(encoding="utf-8"))
            self.put(former / "config", self.config, plan.FILES)
        if (former / "secrets").is_dir():
            self.put_all(former / "secrets", self.secrets)

    def resume(self) -> tuple[str, str]:
        hub = self.names["hub"]
        releases, told, left = self.releases, self.params["database"], self.releases.left()
        # Broken off after all of it was recorded.
        good = bool(left) and left != releases.current()
        if not good and (releases.former / "hub").is_dir() and self.since(releases.begun(), hub, "Created"):
            # It may have been stopped since, and users may have worked with it.
            with contextlib.suppress(HubError):
                self.docker.call(
                    "start", *[self.names[role] for role in ORDER if self.is_there(self.names[role])]
                )
            good = self.works(PATIENCE) or told is False
            if not good and told is None and time.time() - releases.begun() > LATE:
                releases.disclaim()
                begun = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(releases.begun()))
                raise HubError(
                    f"A run was broken off on {begun} after it had switched the hub, and the new hub does not answer now: see its log and "
                    f"make it answer, or give -e rollback_database=true to bring the release {left} back with its database of then, without "
                    "what users did since, or -e rollback_database=false to go on with the database as it is; nothing was put back."
                )
            if good:
                # Who made it is not known any more.
                releases.point(self.what_runs())
        if not good:
            return self.undo()
        releases.leave()
        return "finished", ""

    # -- back to a former release

    def prepare(self, check: bool) -> dict[str, t.Any]:
        params, releases = self.params, self.releases
        record = dict(plan.choose(releases.records(), releases.current(), params["name"]))
        name = str(record["name"])
        folder = releases.root / name
        # With those that users' servers are started from.
        wanted = {record["images"][role] for role in ("hub", "proxy")}
        wanted |= {*server_images(read_json(folder / "config.json"))}
        there = {ref for ref in wanted if self.docker.existing("image", [ref])}
        lacking = sorted(wanted - there)
        volume = record["software"]
        if volume and not self.docker.volumes([volume]):
            lacking.append(volume)
        if lacking:
            raise HubError(
                f"The release {name} needs {', '.join(lacking)}, which this host has no more: check out version "
                f"{record['collection_version'] or 'of that release'} and run site.yml."
            )
        present = self.schema()
        other = bool(present) and record["schema"] != present
        if other and not (folder / "hub").is_dir():
            raise HubError(
                f"The release {name} has the database schema {record['schema'] or 'unknown'} and the present database {present}, "
                "and no database of that release was kept: its hub would not start, so nothing was changed."
            )
        if other and not params["database"]:
            raise HubError(
                f"The release {name} needs its own database, as the schema has changed since: what users, tokens and servers there are "
                "since it was left would be lost. Give -e rollback_database=true for it; nothing was changed."
            )
        described = read_list(folder / "containers.json")
        if not check:
            releases.claim(params["run"])
            self.stage(folder, other)
        return {"record": record, "containers": described, "database": other}

    def stage(self, folder: Path, database: bool) -> None:
        releases = self.releases
        shutil.rmtree(releases.next, ignore_errors=True)
        releases.next.mkdir(mode=0o700)
        for one in plan.FILES:
            if (folder / one).exists():
                shutil.copy2(folder / one, releases.next / one)
                found = (self.config / "config.json").stat()
                os.chown(releases.next / one, found.st_uid, found.st_gid)
                os.chmod(releases.next / one, found.st_mode & 0o777)
        if (folder / "secrets").is_dir():
            plan.copy_folder(folder / "secrets", releases.next / "secrets")
            self.merge_keys(releases.next / "secrets" / "crypt-key")
        if database:
            plan.copy_folder(folder / "hub", releases.next / "hub")

    def merge_keys(self, path: Path) -> None:
        """What was encrypted since stays readable: the present keys come first."""
        present = (self.secrets / "crypt-key").read_text(encoding="utf-8").split()
        then = path.read_text(encoding="utf-8").split() if path.exists() else []
        if path.exists():
            path.write_text("".join(f"{key}\n" for key in dict.fromkeys([*present, *then])), encoding="utf-8")


def seconds(told: str) -> int:
    """The time that the engine tells."""
    return calendar.timegm(time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S"))


def read_list(path: Path) -> list[dict[str, t.Any]]:
    try:
        return list(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return []


def run(params: dict[str, t.Any], check: bool) -> dict[str, t.Any]:
    instance = Instance(params)
    state = params["state"]
    if state == "listed":
        records = instance.releases.records()
        current = instance.releases.current()
        for before, record in zip([{}, *records], records):
            record["differences"] = plan.differences(record, before) if before else []
        return {"changed": False, "records": records, "name": current, "table": plan.table(records, current)}
    if state == "chosen":
        return {"changed": False, "name": instance.releases.current(), **instance.prepare(check)}
    if instance.releases.root.is_dir():
        instance.releases.claim(params["run"])
    if state == "begun":
        return {"changed": True, "name": instance.begin()}
    if state == "recorded":
        return {"changed": True, "name": instance.record()}
    outcome, kept = instance.undo() if state == "undone" else instance.resume()
    return {
        "changed": outcome != "none",
        "outcome": outcome,
        "kept": kept,
        "name": instance.releases.current(),
    }


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    if module.check_mode and module.params["state"] not in ("listed", "chosen"):
        module.exit_json(changed=False, name="")
    try:
        module.exit_json(**run(module.params, module.check_mode))
    except HubError as exc:
        module.fail_json(msg=str(exc))


if __name__ == "__main__":
    main()
