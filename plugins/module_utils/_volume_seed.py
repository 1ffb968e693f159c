# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reads and fills software volumes. PRIVATE to the collection: may change at any time."""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils import _seed_script
from ansible_collections.galilean.hub.plugins.module_utils import _volume_plan as plan
from ansible_collections.galilean.hub.plugins.module_utils._commands import read_tail, run_logged
from ansible_collections.galilean.hub.plugins.module_utils._docker_cli import DockerCli, Engine
from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils._image_plan import addressed_digest


def parse_marker(text: str) -> dict[str, t.Any] | None:
    """What a marker says; None for one that is damaged."""
    try:
        marker = json.loads(text)
    except ValueError:
        return None
    return marker if isinstance(marker, dict) else None


def read_marker(engine: DockerCli, volume: plan.ObservedVolume, image: str) -> dict[str, t.Any] | None:
    """What a volume's marker says, straight from the engine's folder; through a container where that is elsewhere."""
    if volume.mountpoint and os.path.isdir(volume.mountpoint):
        try:
            return parse_marker(Path(volume.mountpoint, plan.MARKER).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except PermissionError:
            pass
    if not image or engine.image(image) is None:
        raise HubError(f"The marker of volume {volume.name} cannot be read on this host: use become.")
    mount = f"--mount=type=volume,src={volume.name},dst=/.volume,readonly,volume-nocopy"
    out = engine.call(
        *("run", "--rm", "--network=none", "--user=0:0", mount, "--entrypoint=/bin/sh", image),
        *("-c", f"cat /.volume/{plan.MARKER} 2>/dev/null || true"),
    )
    return parse_marker(out or "")


def desired_volume(
    engine: Engine | None, prefix: str, image: str, digest: str, check_mode: bool
) -> plan.VolumeSpec:
    """The version that the module's parameters describe."""
    plan.check_spec(prefix, digest)
    if digest:
        return plan.VolumeSpec(prefix, digest, "")
    known = addressed_digest(image)
    if not known:
        observed = engine.image(image) if engine is not None else None
        if observed is None and not check_mode:
            raise HubError(f"image is {image}, which is not on this host: build or load it first.")
        known = observed.id.rsplit(":", 1)[-1][:12] if observed else "0" * 12
    return plan.VolumeSpec(prefix, known, image)


def observe(
    engine: DockerCli, spec: plan.VolumeSpec
) -> tuple[plan.ObservedVolume | None, list[plan.ObservedVolume]]:
    """The version itself, and all other versions of its stack."""
    names = engine.volume_names(f"{plan.LABEL_STACK}={spec.prefix}")
    names = [name for name in names if name != spec.name and plan.version_of(name, spec.prefix)]
    found = engine.volumes([spec.name, *names])
    current = found.pop(spec.name, None)
    if current is not None:
        current = dataclasses.replace(current, sealed=read_marker(engine, current, spec.image))
    others = [
        dataclasses.replace(
            volume,
            sealed=read_marker(engine, volume, spec.image),
            users=tuple(engine.volume_users(volume.name)),
        )
        for volume in found.values()
    ]
    return current, others


def seed_volume(engine: DockerCli, spec: plan.VolumeSpec, source: str, log: Path, timeout: float) -> None:
    """Fill a new volume from the image, verify it against the image, and seal it."""
    if engine.image(spec.image) is None:
        raise HubError(f"image is {spec.image}, which is not on this host: build or load it first.")
    container = f"{spec.name}-seed"
    # What a killed run left: its container may still be copying.
    engine.remove_container(container)
    users = engine.volume_users(spec.name)
    if users:
        raise HubError(
            f"Volume {spec.name} was not finished, and is in use by {', '.join(users)}: "
            "stop and remove these containers, then run again."
        )
    engine.remove_volume(spec.name)
    engine.create_volume(spec.name, spec.labels)
    argv = [
        *engine.client,
        "run",
        "--rm",
        "--interactive",
        f"--name={container}",
        "--network=none",
        "--user=0:0",
    ]
    argv.append(f"--label={plan.LABEL_ROLE}=software")
    argv.append(f"--mount=type=volume,src={spec.name},dst=/.seed,volume-nocopy")
    # The distribution's own interpreter, not one that the stack may put first in PATH.
    argv += ["--entrypoint=/usr/bin/python3", spec.image, "-I", "-", source, "/.seed", spec.digest]
    log.write_text("", encoding="utf-8")
    try:
        failed = run_logged(argv, log, timeout, stdin=inspect.getsource(_seed_script))
    except BaseException:
        engine.remove_container(container)
        raise
    if failed:
        engine.remove_volume(spec.name)
        raise HubError(f"Seeding volume {spec.name} failed: {read_tail(log, 4000).strip()}", log=str(log))
