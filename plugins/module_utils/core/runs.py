# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names for runs, which tell later whether a run still goes on.

What a run leaves for a moment is kept in a folder with its name. After a kill the next run sees that nobody needs it.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import typing as t
from pathlib import Path

# Process and the time of its start, as numbers get used again.
_TOKEN = re.compile(r"^(\d+)-(\d+)\Z")


def _started(process: int) -> int:
    """When a process started, in the kernel's own count; 0 where that is not known."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    # Behind the name, which may hold spaces and brackets.
    return int(text.rsplit(")", 1)[1].split()[19])


def run_token(process: int) -> str:
    """The name of the run that this process leads."""
    return f"{process}-{_started(process)}"


def is_alive(token: str) -> bool:
    """Whether the run of that name still goes on, on this machine."""
    match = _TOKEN.match(token)
    if not match:
        return False
    process, started = int(match.group(1)), int(match.group(2))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _started(process) == started


def controller_id() -> str:
    """A name for this account on this machine, for what it leaves elsewhere."""
    return hashlib.sha256(f"{socket.gethostname()} {os.getuid()}".encode()).hexdigest()[:12]


def ended_runs(folder: Path) -> t.Iterator[Path]:
    """The marks of runs of this machine that are over."""
    for path in sorted(folder.glob("*.run")):
        if _TOKEN.match(path.stem) and not is_alive(path.stem):
            yield path
