# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Commands with a time limit, a log and no survivors; locks between runs."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import time
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

_PR_SET_PDEATHSIG = 1
# Looked up here, because a child of a process with threads should do as little as it can before it becomes the command.
_PRCTL: t.Callable[[int, int], int] | None = None
with contextlib.suppress(OSError, AttributeError):
    _PRCTL = ctypes.CDLL(None).prctl


def _die_with_parent() -> None:
    # A module that is killed must not leave a build behind that nobody waits for. Linux only; elsewhere it may stay.
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
            return


def run_logged(
    argv: t.Sequence[str],
    log_path: Path,
    timeout: float,
    env: t.Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> int:
    """Run a command, append its output to a log file, and return its exit status; HubError after timeout seconds."""
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            process.communicate(None if stdin is None else stdin.encode(), timeout=timeout)
        except subprocess.TimeoutExpired:
            _stop(process)
            raise HubError(
                f"{argv[0]} was stopped after {timeout:.0f} s: raise timeout, or see {log_path}.",
                log=str(log_path),
            ) from None
        except BaseException:
            _stop(process)
            raise
        return process.returncode


def read_tail(path: Path, limit: int = 1 << 20) -> str:
    """The end of a log file as text."""
    with open(path, "rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - limit))
        return stream.read().decode(errors="replace")


def prepare_dir(path: str, setting: str) -> Path:
    """Create the folder for logs and locks; HubError, with the name of the setting, if that fails."""
    folder = Path(path)
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as exc:
        raise HubError(f"{setting} is {path}, which cannot be created: {exc.strerror}.") from exc
    if not os.access(folder, os.W_OK):
        raise HubError(f"{setting} is {path}, where this user may not write: use become, or another folder.")
    return folder


@contextlib.contextmanager
def locked(path: Path) -> t.Iterator[None]:
    """Hold a lock that the kernel releases when the process ends, however it ends."""
    with open(path, "a", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def slot(folder: Path, count: int) -> t.Iterator[None]:
    """Hold one of ``count`` places on this host, waiting for one to become free."""
    while True:
        for number in range(count):
            with open(folder / f"slot-{number}.lock", "a", encoding="utf-8") as stream:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue
                yield
                return
        time.sleep(0.5)
