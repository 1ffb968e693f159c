# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Commands on this machine, with a time limit, and with the end of what they said when they fail."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import typing as t
from pathlib import Path

from settings import LabError

_PR_SET_PDEATHSIG = 1
# Mounts and processes of a command in namespaces of its own end with it, however it ends.
ISOLATED = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def run(
    argv: t.Sequence[str], what: str = "", limit: float = 60, log: Path | None = None, **options: t.Any
) -> str:
    """Run a command and return what it prints; with a log, all that it says goes there."""
    shown = what or " ".join(argv[:4])
    with open(log or os.devnull, "ab") as stream:
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=stream if log else subprocess.PIPE,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                timeout=limit,
                check=False,
                preexec_fn=_die_with_parent,
                **options,
            )
        except subprocess.TimeoutExpired:
            raise LabError(
                f"{shown} was stopped after {limit:.0f} s{f', see {log}' if log else ''}."
            ) from None
    if done.returncode:
        said = (
            log.read_text(errors="replace") if log else (done.stderr or done.stdout).decode(errors="replace")
        )
        lines = "\n".join(said.strip().splitlines()[-15:])
        raise LabError(f"{shown} failed{f' (all of it: {log})' if log else ''}:\n{lines}")
    return "" if log else str(done.stdout.decode())


def remove(folder: Path) -> None:
    """Remove a folder, and nothing that may be mounted in it."""
    if folder.is_dir():
        run(["rm", "-rf", "--one-file-system", str(folder)], limit=300)
    else:
        folder.unlink(missing_ok=True)


def write(path: Path, content: str, mode: int = 0o644) -> bool:
    """Write a file if it has another content; whether it had."""
    try:
        if path.read_text() == content:
            return False
    except OSError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(content)
    part.replace(path)
    return True


def digest(*inputs: t.Any) -> str:
    """Short name of inputs; of files it takes the content."""
    found = hashlib.sha256()
    for one in inputs:
        found.update(one.read_bytes() if isinstance(one, Path) else json.dumps(one, sort_keys=True).encode())
        found.update(b"\0")
    return found.hexdigest()[:16]


def free_gib(path: Path) -> float:
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free / 2**30
