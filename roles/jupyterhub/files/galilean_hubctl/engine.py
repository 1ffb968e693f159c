# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the docker client tells of the instance's containers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t

from .container_logs import visible
from .settings import Problem, Settings


def run(argv: list[str]) -> tuple[int, str, str]:
    """Exit status, output and errors of a command."""
    # As bytes: of a text, Python takes each carriage return for the end of a line.
    done = subprocess.run(argv, capture_output=True, check=False)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def replace_process(argv: list[str]) -> t.NoReturn:
    """Become another program, which has the terminal then."""
    os.execvp(argv[0], argv)


def show(argv: list[str]) -> t.NoReturn:
    """As a program prints it, to a terminal without anything that this would obey; and end as it ends."""
    if not sys.stdout.isatty() and not sys.stderr.isatty():
        replace_process(argv)
    both = sys.stdout.isatty()
    with subprocess.Popen(
        argv,
        stdout=subprocess.PIPE if both else None,
        stderr=subprocess.STDOUT if both else subprocess.PIPE,
    ) as process:
        for line in t.cast(t.IO[bytes], process.stdout or process.stderr):
            text = line.decode(errors="replace").removesuffix("\n").removesuffix("\r")
            print(visible(text), file=sys.stdout if both else sys.stderr, flush=True)
    raise SystemExit(process.returncode)


def inspect(settings: Settings, names: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """Those of the containers that there are; raises Problem where the engine does not answer."""
    code, out, err = run([*settings.docker, "container", "inspect", *names])
    try:
        found = json.loads(out or "[]")
    except ValueError:
        found = []
    if code and not found and "no such" not in err.lower():
        raise Problem(f"The Docker engine does not answer ({' '.join(err.split())}): start it, then the hub.")
    return {one["Name"].lstrip("/"): one for one in found}


def servers(settings: Settings, user: str = "", every: bool = False) -> list[dict[str, str]]:
    """Containers of users' servers that run, or also of those that have ended: name, user, label of the settings, and server's name."""
    labels = {"role": "user", "instance": settings.instance, **({"user": user} if user else {})}
    shown = '{{.Names}}\t{{.Label "galilean.hub.user"}}\t{{.Label "galilean.hub.settings"}}\t{{.Label "galilean.hub.server"}}'
    code, out, err = run(
        [
            *(*settings.docker, "ps", f"--format={shown}", *(["--all"] if every else [])),
            *(f"--filter=label=galilean.hub.{key}={value}" for key, value in labels.items()),
        ]
    )
    if code:
        raise Problem(f"The Docker engine does not answer ({' '.join(err.split())}): start it, then the hub.")
    return [
        dict(zip(("container", "user", "settings", "server"), line.split("\t")))
        for line in out.split("\n")
        if line
    ]


def running(settings: Settings, part: str) -> str:
    """The name of a part's container; raises Problem where it does not run."""
    name = settings.containers[part]["name"]
    found = inspect(settings, [name]).get(name)
    if found is None:
        raise Problem(f"There is no container {name} on this host: run site.yml again.")
    state = found["State"]["Status"]
    if state != "running":
        raise Problem(
            f"The container {name} is not running ({state}): start it with {settings.start_command}."
        )
    return name
