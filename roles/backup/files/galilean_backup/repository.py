# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Calls restic for the repository of this instance."""

from __future__ import annotations

import ctypes
import functools
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import typing as t
import urllib.parse

from . import complaint
from .settings import Problem, Settings

# A backup must not be felt: last at the disk, and behind everything else at the processor.
GENTLE = ("ionice", "-c", "2", "-n", "7", "nice", "-n", "10")
# Exit status of a backup in which some files could not be read; the snapshot is there.
PARTLY = 3
PR_SET_PDEATHSIG = 1
# Of what restic complains of, so many bytes are looked at for the reason: it comes last.
COMPLAINTS = 100_000
# Seconds that another machine or instance in the same repository is waited for, and between two looks.
PATIENCE, STEP = 3600.0, 30.0


def gentle() -> list[str]:
    """What comes before a command that nobody must feel."""
    return [] if shutil.which("ionice") is None else list(GENTLE)


class Ssh(t.NamedTuple):
    """Where a repository on sftp is."""

    target: str
    port: str


def ssh_target(repository: str) -> Ssh:
    """Account, host and port of sftp:[user@]host:/path or sftp://[user@]host[:port]//path."""
    if repository.startswith("sftp://"):
        parts = urllib.parse.urlsplit(repository)
        user = f"{urllib.parse.unquote(parts.username)}@" if parts.username else ""
        return Ssh(f"{user}{parts.hostname or ''}", str(parts.port or ""))
    return Ssh(repository.removeprefix("sftp:").partition(":")[0], "")


def ssh_command(settings: Settings) -> str:
    """What restic starts for sftp. No file of root's own is read, so nothing else than the settings counts."""
    target, port = ssh_target(settings.repository)
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "IdentitiesOnly=yes",
        "ServerAliveInterval=30",
        "ServerAliveCountMax=10",
    ]
    options += [
        "ConnectTimeout=30",
        f"UserKnownHostsFile={settings.known_hosts or '/dev/null'}",
        "GlobalKnownHostsFile=/dev/null",
    ]
    words = ["ssh", "-F", "/dev/null", *[word for option in options for word in ("-o", option)]]
    words += ["-i", settings.ssh_key] if settings.ssh_key else []
    words += ["-p", port] if port else []
    return shlex.join([*words, target, "-s", "sftp"])


def address(repository: str, environment: t.Mapping[str, str]) -> str:
    """The repository as restic takes it. Older versions know no variables for the account of a rest-server."""
    user, password = environment.get("RESTIC_REST_USERNAME", ""), environment.get("RESTIC_REST_PASSWORD", "")
    if not repository.startswith("rest:") or not user:
        return repository
    scheme, found, rest = repository.removeprefix("rest:").partition("://")
    quoted = ":".join(urllib.parse.quote(part, safe="") for part in (user, password))
    return f"rest:{scheme}://{quoted}@{rest}" if found and "@" not in rest.partition("/")[0] else repository


class Repository:
    """The repository of one instance."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def environment(self) -> dict[str, str]:
        settings = self.settings
        secrets = settings.environment()
        return {
            **os.environ,
            **secrets,
            "RESTIC_REPOSITORY": address(settings.repository, secrets),
            "RESTIC_PASSWORD_FILE": str(settings.password_file),
            "RESTIC_CACHE_DIR": str(settings.home / "cache"),
            # Packs are collected in files there, which can be larger than a /tmp in memory.
            "TMPDIR": str(settings.home / "tmp"),
            "LC_ALL": "C.UTF-8",
        }

    def argv(self, *words: str) -> list[str]:
        settings = self.settings
        options = list(settings.options)
        if settings.repository.startswith("sftp:"):
            options += ["-o", f"sftp.command={ssh_command(settings)}"]
        if settings.ca_file:
            options += ["--cacert", settings.ca_file]
        return [*gentle(), "restic", *options, *words]

    def call(
        self,
        *words: str,
        folder: str | None = None,
        line: t.Callable[[str], None] | None = None,
        complaint_line: t.Callable[[str], None] | None = None,
        prepare: t.Callable[[], None] | None = None,
    ) -> tuple[int, str, str]:
        """Status, output and the last complaints of restic.

        line takes each line of the output while it runs, complaint_line each one of all complaints afterwards, and prepare runs in its
        process first.
        """
        if not self.settings.password_file.is_file():
            raise Problem(
                f"{self.settings.password_file} is missing: run site.yml again, or put the password back that was kept outside."
            )
        (self.settings.home / "tmp").mkdir(mode=0o700, exist_ok=True)

        def begin() -> None:
            # Nothing works on without this program when that is killed.
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if prepare is not None:
                prepare()

        with tempfile.TemporaryFile(dir=self.settings.home / "tmp") as complaints:
            try:
                process = subprocess.Popen(
                    self.argv(*words),
                    env=self.environment(),
                    cwd=folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    text=True,
                    errors="replace",
                    preexec_fn=begin,
                )
            except FileNotFoundError as exc:
                raise Problem("restic is not on this host: run site.yml again.") from exc
            kept: list[str] = []
            try:
                for one in process.stdout or ():
                    if line is not None:
                        line(one)
                    else:
                        kept.append(one)
                status = process.wait()
            except BaseException:
                # Somebody stops this program: nothing may go on in a folder that is removed next.
                process.terminate()
                process.wait()
                raise
            complaints.seek(0)
            if complaint_line is not None:
                for raw in complaints:
                    complaint_line(raw.decode(errors="replace"))
            complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - COMPLAINTS))
            said = complaints.read().decode(errors="replace")
        if "unable to start the sftp session" in said:
            said += self.ssh_said()
        return status, "".join(kept), said

    def ssh_said(self) -> str:
        """Why ssh ends: restic is often gone before it has passed that on."""
        try:
            done = subprocess.run(
                shlex.split(ssh_command(self.settings)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            return str(exc)
        return done.stderr

    def patient(self, say: t.Callable[[str], None], *words: str, **more: t.Any) -> tuple[int, str, str]:
        """The same, where another one may be at work in the repository: what a dead one has left goes, a living one is waited for."""
        end = time.monotonic() + PATIENCE
        for number in itertools.count():
            found = self.call(*words, **more)
            if not found[0] or not complaint.is_locked(found[2]) or time.monotonic() > end:
                break
            # Not before: each call of restic takes a second.
            self.unlock()
            if number == 1:
                say("Another one works in the repository: this one waits for it, an hour at most.")
            time.sleep(STEP if number else 0)
        return found

    def run(self, *words: str, say: t.Callable[[str], None] | None = None, **more: t.Any) -> str:
        """The output of restic; raises Problem with a sentence. With say, it waits as patient does."""
        call = self.call if say is None else functools.partial(self.patient, say)
        status, said, complaints = call(*words, **more)
        if status:
            raise Problem(complaint.of_restic(complaints, self.settings.repository))
        return said

    def exists(self) -> bool:
        """Whether there is a repository, which the password opens. Raises Problem where nobody can tell."""
        status, _said, complaints = self.call("cat", "config")
        if status and complaint.is_empty(complaints):
            return False
        if status:
            raise Problem(complaint.of_restic(complaints, self.settings.repository))
        return True

    def unlock(self) -> None:
        """Take away locks of runs that are dead. Those of others stay."""
        self.run("unlock")

    def snapshots(self, name: str = "") -> list[dict[str, t.Any]]:
        """Its snapshots of one name, or all of this collection, oldest first."""
        words = ["--host", name] if name else []
        found = json.loads(self.run("snapshots", "--json", "--tag", "galilean.hub", *words) or "null") or []
        return sorted(found, key=lambda one: str(one["time"]))

    def version(self) -> tuple[int, ...]:
        found = re.search(r"restic (\d+)\.(\d+)", self.run("version"))
        return (int(found[1]), int(found[2])) if found else (0, 0)
