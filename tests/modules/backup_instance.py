# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a hub keeps on its host, without the hub: a folder with database and secrets, and volumes with homes.

The program of the role backup is beside it, as the role leaves it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

from engine import ROOT, docker

PROGRAM = ROOT / "roles" / "backup" / "files"
# Of each entry: kind, mode, owner, time, links, target, content. Runs as root.
MANIFEST = """
import hashlib, json, os, sys
found = {}
for above, folders, files in os.walk(sys.argv[1]):
    for name in [".", *folders, *files]:
        path = os.path.join(above, name)
        one = os.lstat(path)
        link = os.readlink(path) if os.path.islink(path) else ""
        plain = os.path.isfile(path) and not link
        content = hashlib.sha256(open(path, "rb").read()).hexdigest() if plain else ""
        xattrs = {key: os.getxattr(path, key).hex() for key in os.listxattr(path)} if plain else {}
        found[os.path.normpath(os.path.relpath(path, sys.argv[1]))] = [
            one.st_mode, one.st_uid, one.st_gid, one.st_mtime_ns, one.st_nlink if plain else 0, link, content,
            xattrs]
json.dump(found, sys.stdout)
"""
# A home as people have it. Runs as root.
HOME = r"""
import os, pathlib, sys
home = pathlib.Path(sys.argv[1])
(home / "notes" / "deep" / "er").mkdir(parents=True)
(home / "notes" / "x.ipynb").write_text("a notebook")
(home / "notes" / "deep" / "run.sh").write_text("#!/bin/sh\n")
(home / "notes" / "deep" / "run.sh").chmod(0o750)
(home / "notes" / "a [b] *?.txt").write_text("letters that patterns have")
(home / "Ünïcode \n two lines").write_text("name")
(home / "secret").write_text("mine")
(home / "secret").chmod(0o600)
os.link(home / "notes" / "x.ipynb", home / "notes" / "linked.ipynb")
os.symlink("/etc/passwd", home / "leads-out")
os.symlink("gone", home / "leads-nowhere")
os.mkfifo(home / "pipe")
os.setxattr(home / "secret", "user.note", b"kept")
with open(home / "sparse", "wb") as file:
    file.truncate(4 << 20)
for name in (".cache/pip", ".local/share/Trash/files", "big"):
    (home / name).mkdir(parents=True)
    (home / name / "left-out").write_text("left out")
(home / "big" / ".nobackup").touch()
for above, folders, files in os.walk(home):
    for name in [*folders, *files]:
        path = os.path.join(above, name)
        os.chown(path, 77000, 77000, follow_symlinks=False)
        os.utime(path, ns=(10**18 + 1, 1234567890123456789 - len(path)), follow_symlinks=False)
os.chown(home, 77000, 77000)
os.chmod(home, 0o2755)
os.utime(home, ns=(0, 1111111111222222222))
"""


def as_root(argv: list[str]) -> list[str]:
    return argv if os.geteuid() == 0 else ["sudo", "-n", "-E", *argv]


def python(script: str, *words: str) -> str:
    argv = as_root([sys.executable, "-c", script, *words])
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@dataclasses.dataclass(frozen=True)
class Answer:
    """What one call of the program came to."""

    status: int
    answer: dict[str, t.Any]
    said: str


class Instance:
    """One instance on this host."""

    def __init__(self, folder: Path, name: str, repository: str, **more: t.Any) -> None:
        self.name, self.state, self.home = name, folder / name, folder / name / "backup"
        self.settings: dict[str, t.Any] = {}
        (self.home / "secrets").mkdir(parents=True)
        self.set(repository, **more)

    def set(self, repository: str, password: str = "correct horse battery staple", **more: t.Any) -> None:
        """Write the settings, as the role does."""
        (self.home / "secrets" / "password").write_text(f"{password}\n")
        (self.home / "secrets" / "environment").write_text(json.dumps(more.pop("environment", {})))
        (self.home / "secrets" / "ssh-key").write_text(more.get("ssh_key", ""))
        (self.home / "secrets" / "ssh-key").chmod(0o600)
        (self.home / "known_hosts").write_text(more.pop("known_hosts", "") + "\n")
        self.settings = {
            "instance": self.name,
            "name": f"tests/host/{self.name}",
            "version": "0",
            "repository": repository,
            "keep": {"daily": 7},
            "max_age": 36,
            "exclude": [],
            "options": [],
            "state_dir": str(self.state),
            "hub_dir": str(self.state / "hub"),
            "archive_dir": str(self.state / "archive"),
            "account": "daemon",
            "docker": ["docker"],
            "hub_container": f"{self.name}-hub",
            "known_hosts": str(self.home / "known_hosts"),
            **more,
        }
        if more.get("ssh_key"):
            self.settings["ssh_key"] = str(self.home / "secrets" / "ssh-key")
        (self.home / "settings.json").write_text(json.dumps(self.settings))

    def argv(self, *words: str) -> list[str]:
        env = [f"PYTHONPATH={PROGRAM}", "PYTHONDONTWRITEBYTECODE=1"]
        program = ["/usr/bin/env", *env, "python3", "-m", "galilean_backup", "--folder", str(self.home)]
        return as_root([*program, *words])

    def __call__(self, *words: str) -> Answer:
        done = subprocess.run(self.argv(*words), capture_output=True, text=True, timeout=600, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, json.loads(done.stdout), done.stderr)

    def done(self, *words: str) -> dict[str, t.Any]:
        """The answer of a call that went well."""
        called = self(*words)
        assert called.status == 0, called.said
        return called.answer

    def refused(self, *words: str) -> str:
        """The one sentence of a call that did not."""
        called = self(*words)
        assert called.status == 1, called.answer
        # Below what was done until then.
        assert called.said.splitlines()[-1] == called.answer["problem"]
        return str(called.answer["problem"])

    def volume(self, user: str) -> str:
        return f"{self.name}-home-{user}"

    def place(self, user: str) -> str:
        return docker("volume", "inspect", "--format={{.Mountpoint}}", self.volume(user)).strip()

    def add_home(self, user: str) -> None:
        labels = {"instance": self.name, "role": "home", "user": user}
        docker(
            "volume",
            "create",
            *(f"--label=galilean.hub.{key}={value}" for key, value in labels.items()),
            self.volume(user),
        )
        python(HOME, self.place(user))

    def manifest(self, user: str) -> dict[str, t.Any]:
        return dict(json.loads(python(MANIFEST, self.place(user))))

    def labels(self, user: str) -> dict[str, str]:
        return dict(json.loads(docker("volume", "inspect", "--format={{json .Labels}}", self.volume(user))))

    def wipe(self) -> None:
        """The machine is lost; on the new one stands what the role leaves."""
        volumes = docker(
            "volume", "ls", "--quiet", f"--filter=label=galilean.hub.instance={self.name}"
        ).split()
        if volumes:
            docker("volume", "rm", *volumes)
        for path in self.state.iterdir():
            if path.is_file():
                path.unlink()
            elif path != self.home:
                shutil.rmtree(path)
        for name in ("cache", "tmp", "work"):
            shutil.rmtree(self.home / name, ignore_errors=True)
        for name in ("last.json", "repository.json", "restored.json"):
            (self.home / name).unlink(missing_ok=True)
