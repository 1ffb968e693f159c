# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The check as a user, in a container of the hub's image.

The module hub_check runs it, and so does hubctl on the host, without Ansible: it stands alone.
"""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

INSTANCE = "galilean.hub.instance"
ROLE = "galilean.hub.role"
# The certificates that the host trusts, where its OpenSSL has them in a folder.
HOST_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
# Seconds that a check takes beyond its own limit: to start, and to tidy up.
STARTING = 60
TIDYING = 60

Run = t.Callable[[list[str]], tuple[int, str, str]]


class CheckEnded(Exception):
    """The check could not be run: one sentence."""


def host_certificates() -> str:
    """The certificates that this host trusts, for the container; empty where they are somewhere else."""
    bundle = Path(ssl.get_default_verify_paths().cafile or HOST_BUNDLE)
    return bundle.read_text(encoding="utf-8", errors="ignore") if bundle.is_file() else ""


def result(seen: t.Mapping[str, t.Any], now: float) -> dict[str, t.Any]:
    """What is kept of a check on the host, as the file of `result_path` has it."""
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "ok": not seen.get("reason"),
        "phase": seen.get("phase", ""),
        "message": seen.get("reason", ""),
        "timings": seen.get("timings") or {},
        "versions": seen.get("versions") or {},
    }


class CheckContainer:
    """The container that a check runs in. Raises CheckEnded."""

    def __init__(self, docker: list[str], hub_container: str, run: Run) -> None:
        self._docker, self._hub, self._run = docker, hub_container, run
        label = f'{{{{index .Config.Labels "{INSTANCE}"}}}}'
        code, out, err = run(
            [*docker, "container", "inspect", f"--format={{{{.Image}}}} {label}", hub_container]
        )
        if code:
            raise CheckEnded(
                f"The image of the hub is not known from its container {hub_container}: {err.strip()}"
            )
        self._image, _, self.instance = out.strip().partition(" ")

    def others(self) -> list[str]:
        """Checks of the same hub that run."""
        labels = (f"--filter=label={INSTANCE}={self.instance}", f"--filter=label={ROLE}=check")
        return self._run([*self._docker, "ps", "--quiet", *labels])[1].split()

    def end_former(self) -> None:
        """A check that was killed may still tidy up, which would meet this one."""
        former = self.others()
        if former:
            self._run([*self._docker, "stop", "-t", str(TIDYING), *former])

    def argv(self, timeout: float) -> list[str]:
        """The command; the token goes another way, as everybody on the host may read this."""
        return [
            # Also for an engine that hangs.
            *("timeout", "--kill-after=10", f"{timeout + STARTING + TIDYING:g}"),
            *(*self._docker, "run", "--rm", "--interactive"),
            # Where the hub is reached as from the host, by whatever name and address.
            *("--network=host", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"),
            *("--user=65534:65534", "--log-driver=none"),
            *(f"--label={INSTANCE}={self.instance}", f"--label={ROLE}=check"),
            *(self._image, "python3", "-m", "galilean_hub.check"),
        ]

    def run(
        self, request: t.Mapping[str, t.Any], read_logs: t.Callable[[str, int], t.Any]
    ) -> dict[str, t.Any]:
        """What the check saw; after a failure also its phase and reason, and the logs.

        request: what galilean_hub.check reads; read_logs: called with the step that failed and when the check began.
        """
        began = int(time.time())
        seen: dict[str, t.Any] = {}
        argv = self.argv(request["settings"]["timeout"])
        with tempfile.TemporaryFile("w+", errors="replace") as complaints:
            # It may end before it has read everything; why is among the complaints then.
            with (
                contextlib.suppress(BrokenPipeError),
                subprocess.Popen(
                    argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True
                ) as process,
            ):
                assert process.stdin
                assert process.stdout
                print(json.dumps(request), file=process.stdin, flush=True)
                for line in process.stdout:
                    seen.update(json.loads(line))
                    if "left" not in seen:
                        seen["logs"] = read_logs(seen["phase"], began)
                        # It waits for this before it tidies up.
                        process.stdin.close()
            complaints.seek(0)
            said = complaints.read().strip().splitlines()
        if "left" not in seen:
            last = "\n".join(said[-5:]) or "it said nothing"
            raise CheckEnded(
                f"The check in the image of {self._hub} ended too early (exit code {process.returncode}): {last}"
            )
        return seen
