# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What of the instance is in the Docker engine."""

from __future__ import annotations

import json
import subprocess
import typing as t

from .settings import Problem, Settings

LABEL, ROLE, USER = "galilean.hub.instance", "galilean.hub.role", "galilean.hub.user"
AT_ONCE = 100


def docker(settings: Settings, *words: str) -> str:
    """What the engine answers; raises Problem."""
    try:
        done = subprocess.run(
            [*settings.docker, *words], capture_output=True, text=True, timeout=600, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise Problem(f"The Docker engine does not answer ({exc}): start it, homes are its volumes.") from exc
    if done.returncode:
        told = " ".join(done.stderr.split()).rstrip(".")
        raise Problem(
            f"The Docker engine does not do what it shall ({told}): look whether it runs, homes are its volumes."
        )
    return done.stdout


def volumes(settings: Settings, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """Volumes that are there, as the engine shows them."""
    found: list[dict[str, t.Any]] = []
    for start in range(0, len(names), AT_ONCE):
        found += json.loads(docker(settings, "volume", "inspect", *names[start : start + AT_ONCE]))
    return found


def homes(settings: Settings) -> list[dict[str, t.Any]]:
    """The volumes with homes, as the engine shows them."""
    filters = [f"--filter=label={LABEL}={settings.instance}", f"--filter=label={ROLE}=home"]
    names: list[str] = []
    while True:
        before, names = names, sorted(docker(settings, "volume", "ls", "--quiet", *filters).split())
        try:
            found = volumes(settings, names)
            break
        except Problem:
            # One was perhaps removed in between.
            if names == before:
                raise
    strange = [one["Name"] for one in found if one.get("Driver") != "local" or not one.get("Mountpoint")]
    if strange:
        raise Problem(
            f"The volume {strange[0]} is not on this host: back it up where it is, and give it other labels."
        )
    return found


def places(settings: Settings, names: t.Sequence[str]) -> dict[str, str]:
    """Where volumes are on the host."""
    return {one["Name"]: one["Mountpoint"] for one in volumes(settings, names)}


def labels(settings: Settings, names: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """The labels of those of these volumes that are there."""
    there = set(docker(settings, "volume", "ls", "--quiet").split())
    found = volumes(settings, [name for name in names if name in there])
    return {one["Name"]: one.get("Labels") or {} for one in found}


def containers(settings: Settings) -> list[dict[str, str]]:
    """The containers of the instance, with those of users: name, image and the image's digest."""
    shown = docker(
        settings, "ps", "--all", "--no-trunc", f"--filter=label={LABEL}={settings.instance}", "--format",
        '{{.Names}}\t{{.Image}}\t{{.Label "galilean.hub.role"}}',
    )  # fmt: skip
    rows = [line.split("\t") for line in shown.splitlines() if line]
    return [{"name": name, "image": image, "role": role} for name, image, role in rows]


def image_ids(settings: Settings, names: t.Collection[str]) -> dict[str, str]:
    """The digest of each image that is there."""
    found = {}
    for name in sorted(names):
        try:
            found[name] = docker(settings, "image", "inspect", "--format", "{{.Id}}", name).strip()
        except Problem:
            continue
    return found
