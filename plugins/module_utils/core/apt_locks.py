# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Who keeps packages from being installed on this host.

Also a program, for the Makefile: it waits until packages can be installed, for as many seconds as its first argument says, which
is the value of the setting that the second one names. So it imports nothing of the collection.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time
import typing as t

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
# dpkg's journal of a run: it has entries only during one, or when that was stopped.
JOURNAL = "/var/lib/dpkg/updates"
CLOUD_INIT = "/run/cloud-init"
# What may stand before the name of a program that is a script.
_INTERPRETERS = ("python", "perl", "sh", "bash", "dash")
# struct flock of Linux, with 64-bit offsets.
_FLOCK = "hhqqi4x"
PAUSE, PROGRESS = 3.0, 60.0


def program_of(pid: int) -> str:
    """The name of a process's program, of a script that of the script."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            words = [os.path.basename(word) for word in stream.read().decode(errors="replace").split("\0")]
    except OSError:
        return ""
    script = words[0].startswith(_INTERPRETERS) and len(words) > 1 and words[1] and words[1][0] != "-"
    return words[1] if script else words[0]


def holder_of(path: str) -> str:
    """Who holds a lock of dpkg or apt, in words; empty where nobody does."""
    try:
        with open(path, "rb") as stream:
            asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            kind, _whence, _start, _length, pid = struct.unpack(
                _FLOCK, fcntl.fcntl(stream, fcntl.F_GETLK, asked)
            )
    except OSError:
        return ""
    if kind == fcntl.F_UNLCK:
        return ""
    # A process of another container has no number here.
    return (
        f"{program_of(pid) or 'a program'} (process {pid})" if pid > 0 else "a program in another container"
    )


def cloud_init_runs(folder: str = CLOUD_INIT) -> bool:
    """Whether cloud-init is still at work on this boot, by its own word where it can be asked."""
    if not os.path.exists(f"{folder}/enabled") or os.path.exists(f"{folder}/result.json"):
        return False
    try:
        asked = subprocess.run(
            ["cloud-init", "status"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    words = asked.stdout.lower()
    return "running" in words or "not run" in words or "not started" in words


def busy(locks: t.Sequence[str] = LOCKS) -> str:
    """What keeps packages from being installed, in words; empty where nothing does."""
    for path in locks:
        holder = holder_of(path)
        if holder:
            return f"{holder} holds {path}"
    return "cloud-init is still setting the machine up" if cloud_init_runs() else ""


def interrupted(folder: str = JOURNAL) -> bool:
    """Whether a run of dpkg was stopped in the middle, so that apt refuses until that is finished."""
    try:
        return any(name.isdigit() for name in os.listdir(folder))
    except OSError:
        return False


def finish() -> str:
    """Finish an interrupted run of dpkg; the last lines of what it says where that fails."""
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"]
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env=env, stdin=subprocess.DEVNULL
    )
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-5:]) if done.returncode else ""


def waiting(what: str, left: float, host: str) -> str:
    """The words for those who watch."""
    return f"Packages cannot be installed on {host} yet, as {what}: waiting, for up to {left:.0f} s"


def given_up(what: str, limit: float, host: str, setting: str) -> str:
    """The sentence for when it has lasted too long."""
    command = "cloud-init status --long" if what.startswith("cloud-init") else "ps -ef"
    return (
        f"Packages cannot be installed on {host}: after {limit:.0f} s of waiting, {what}. See there what it does ({command}), and run again when "
        f"it is done, or allow more seconds with {setting}."
    )


def unfinished(said: str, host: str) -> str:
    """The sentence for a run of dpkg that cannot be finished."""
    return (
        f"An earlier run of dpkg on {host} was interrupted, and 'dpkg --configure -a' does not finish it: run that there by hand, "
        f"and correct what it complains of. It said:\n{said}"
    )


def main(argv: t.Sequence[str], locks: t.Sequence[str] = LOCKS) -> int:
    """Wait on this machine; 1 and a sentence where that is in vain."""
    limit, setting, here = float(argv[0]), argv[1], "this machine"
    began = told = time.monotonic()
    before = ""
    while True:
        what = busy(locks)
        now = time.monotonic()
        if not what:
            break
        if now - began >= limit:
            print(given_up(what, limit, here, setting), file=sys.stderr)
            return 1
        if what != before or now - told >= PROGRESS:
            print(waiting(what, limit - (now - began), here), flush=True)
            before, told = what, now
        time.sleep(min(PAUSE, limit))
    if shutil.which("dpkg") and interrupted():
        print("An earlier run of dpkg was interrupted: finishing it", flush=True)
        said = finish()
        if said:
            print(unfinished(said, here), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
