# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Does what a user does, in a container of the hub's image, and keeps how it went."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import time
import typing as t
from pathlib import Path

from .atomic_file import replace_file
from .settings import Problem, Settings
from .text import Text

INSTANCE, ROLE = "galilean.hub.instance", "galilean.hub.role"
# The certificates that the host trusts, where its OpenSSL has them in a folder.
HOST_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Seconds beyond the check's own limit: to start, and to tidy up.
BEYOND = 120


class Busy(Problem):
    """Somebody else checks."""


def docker(settings: Settings, *words: str) -> str:
    done = subprocess.run([*settings.docker, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise Problem(f"The Docker engine says: {' '.join(done.stderr.split())}")
    return done.stdout.strip()


def authorities(settings: Settings) -> str:
    path = Path(settings.ca_file or ssl.get_default_verify_paths().cafile or HOST_BUNDLE)
    return path.read_text(encoding="utf-8", errors="ignore") if path.is_file() else ""


def played(settings: Settings) -> dict[str, t.Any]:
    """What galilean_hub.check saw; raises Problem where it did not come to an end."""
    labels = {INSTANCE: settings.instance, ROLE: "check"}
    if docker(settings, "ps", "--quiet", *(f"--filter=label={key}={text}" for key, text in labels.items())):
        raise Busy("Another check runs, so this one ends here.")
    image = docker(settings, "container", "inspect", "--format={{.Image}}", settings.containers["hub"])
    argv = [
        *(
            "timeout",
            "--kill-after=10",
            str(int(settings.check["timeout"]) + BEYOND),
            *settings.docker,
            "run",
        ),
        *("--rm", "--interactive", "--network=host", "--read-only", "--cap-drop=ALL"),
        *("--security-opt=no-new-privileges", "--user=65534:65534", "--log-driver=none"),
        *(f"--label={key}={text}" for key, text in labels.items()),
        *(image, "python3", "-m", "galilean_hub.check"),
    ]
    request = {
        "url": settings.check_url,
        "token": settings.secret("check-token"),
        "validate_certs": True,
        "certificates": authorities(settings),
        "settings": settings.check,
    }
    seen: dict[str, t.Any] = {}
    # It may end before it has read everything.
    with (
        contextlib.suppress(BrokenPipeError),
        subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        assert process.stderr
        print(json.dumps(request), file=process.stdin, flush=True)
        for line in process.stdout:
            seen.update(json.loads(line))
            if "left" not in seen:
                # After a failure it waits for this before it tidies up.
                process.stdin.close()
        said = process.stderr.read()
    if "left" not in seen:
        raise Problem(f"The check ended too early: {' '.join(said.split())[-500:] or 'it said nothing'}")
    if "reason" not in seen and "total" not in seen["timings"]:
        raise Busy("Somebody stopped this check, so it says nothing of the hub.")
    return seen


def run(settings: Settings) -> dict[str, t.Any]:
    """Check, and keep the result; one that was stopped by somebody is none."""
    began = time.time()
    try:
        seen = played(settings)
    except Busy:
        raise
    except (Problem, OSError, ValueError, subprocess.TimeoutExpired) as exc:
        seen = {"phase": "begin", "reason": str(exc), "timings": {}}
    result = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "ok": "reason" not in seen,
        "phase": seen.get("phase", ""),
        "reason": seen.get("reason", ""),
        "seconds": round(time.time() - began, 3),
        "timings": seen.get("timings", {}),
    }
    keep(settings.state / "check", result)
    return result


def keep(folder: Path, result: t.Mapping[str, t.Any]) -> None:
    """last.json for people and programs, check.prom for Prometheus."""
    now = time.time()
    text = Text()
    text.add("galilean_hub_check_ok", "1 when the last check as a user went well, else 0.", int(result["ok"]))
    text.add("galilean_hub_check_timestamp_seconds", "Moment of the last check, in seconds since 1970.", now)
    for step, seconds in result["timings"].items():
        text.add("galilean_hub_check_step_seconds", "What a step of the last check took.", seconds, step=step)
    replace_file(str(folder / "last.json"), json.dumps(result, indent=2) + "\n", mode=0o644)
    replace_file(str(folder / "check.prom"), str(text), mode=0o644)
