# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Reads what an engine keeps, and removes of it what is planned."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import re
import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.api import ApiError, EngineApi
from ansible_collections.galilean.hub.plugins.module_utils.homes.limits import read_limits
from ansible_collections.galilean.hub.plugins.module_utils.homes.owners import read_owners
from ansible_collections.galilean.hub.plugins.module_utils.hub.releases import needed_by_releases
from ansible_collections.galilean.hub.plugins.module_utils.images.delivery_plan import chain_ids, layer_sizes
from ansible_collections.galilean.hub.plugins.module_utils.usage.policy import (
    CACHE,
    IMAGE,
    LABEL_INSTANCE,
    LABEL_ROLE,
    LABEL_STACK,
    MANAGED,
    VOLUME,
    Cached,
    Container,
    Image,
    Observed,
    Plan,
    Policy,
    Volume,
    cache_item,
    prunes_cache,
)
from ansible_collections.galilean.hub.plugins.module_utils.volumes.plan import MARKER

# Where a hub finds its data file, and where it keeps its state.
CONFIG, STATE, DISK = "/etc/jupyterhub", "/srv/jupyterhub", "/srv/disk"


def seconds_of(moment: str | None) -> float:
    """An engine's time as a number; 0 where it has none."""
    match = re.match(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", moment or "")
    if not match or match.group(1).startswith("0001-"):
        return 0.0
    zone = "+00:00" if match.group(3) == "Z" else match.group(3)
    whole = datetime.datetime.fromisoformat(match.group(1) + zone).timestamp()
    return whole + float(match.group(2) or 0)


def words_of(value: t.Any) -> t.Iterator[str]:
    """All texts in a configuration, keys and values."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from words_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from words_of(inner)
    elif isinstance(value, str):
        yield value


def _hubs(containers: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[tuple[str, dict[str, Path]]]:
    """The hubs of this host: name of the instance, and the host's folders by those in the container."""
    for data in containers:
        labels = data.get("Labels") or {}
        if labels.get(LABEL_ROLE) == "hub":
            mounts = data.get("Mounts") or []
            folders = {mount["Destination"]: Path(mount["Source"]) for mount in mounts if mount.get("Source")}
            yield labels.get(LABEL_INSTANCE, ""), folders


def named_by_hubs(containers: t.Sequence[t.Mapping[str, t.Any]]) -> frozenset[str]:
    """Return images and volumes in the configurations of the host's hubs; HubError if one cannot be read."""
    words: set[str] = set()
    for instance, mounts in _hubs(containers):
        if CONFIG in mounts:
            # What runs, and what can be gone back to.
            words |= needed_by_releases(mounts[CONFIG])
            path = mounts[CONFIG] / "config.json"
            try:
                words.update(words_of(json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError) as exc:
                raise HubError(
                    f"What the instance {instance} needs cannot be read in {path} ({exc}): use become, "
                    "or remove the instance if it is none any more."
                ) from exc
    return frozenset(words)


def owners_by_instance(containers: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, dict[str, str]]:
    """What the hubs of this host remember of users who were renamed, by the name of the instance."""
    return {instance: read_owners(mounts[STATE]) for instance, mounts in _hubs(containers) if STATE in mounts}


def limits_of_homes(containers: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, int]:
    """What homes may take, by the names of their volumes."""
    limits: dict[str, int] = {}
    for _instance, mounts in _hubs(containers):
        if DISK in mounts:
            limits.update(read_limits(mounts[DISK]))
    return limits


def _is_sealed(mountpoint: str) -> bool | None:
    try:
        os.stat(mountpoint)
        return os.path.exists(os.path.join(mountpoint, MARKER))
    except OSError:
        return None


def _image(api: EngineApi, data: t.Mapping[str, t.Any]) -> Image:
    tags = [ref for ref in data.get("RepoTags") or [] if not ref.endswith(":<none>")]
    digests = [ref for ref in data.get("RepoDigests") or [] if not ref.startswith("<none>")]
    more = api.get(f"/images/{data['Id']}/json")
    chains = chain_ids((more.get("RootFS") or {}).get("Layers") or [])
    # Only the history says how large a layer is: what several images that go have in common is freed, too.
    steps = api.get(f"/images/{data['Id']}/history")
    sizes = layer_sizes(len(chains), [(int(row["Size"]), str(row["CreatedBy"])) for row in reversed(steps)])
    named = (more.get("Metadata") or {}).get("LastTagTime") or ""
    return Image(
        data["Id"],
        tuple(sorted([*tags, *digests])),
        data.get("Labels") or {},
        int(data.get("Size") or 0),
        max(0, int(data.get("SharedSize") or 0)),
        f"{max(seconds_of(named), seconds_of(more.get('Created'))):017.6f}",
        tuple(chains),
        tuple(sizes),
    )


def observe(api: EngineApi) -> Observed:
    """Everything that takes the disk of the engine, in one long answer and a short one for each image."""
    data = api.get("/system/df")
    containers = data.get("Containers") or []
    return Observed(
        tuple(_image(api, row) for row in data.get("Images") or []),
        tuple(
            Container(
                (row.get("Names") or [row["Id"]])[0].lstrip("/"),
                row.get("ImageID") or "",
                row.get("Labels") or {},
                int(row.get("SizeRw") or 0),
                row.get("State") == "running",
                tuple(mount["Name"] for mount in row.get("Mounts") or [] if mount.get("Type") == "volume"),
            )
            for row in containers
        ),
        tuple(
            Volume(
                row["Name"],
                row.get("Labels") or {},
                max(0, int((row.get("UsageData") or {}).get("Size") or 0)),
                row.get("CreatedAt") or "",
                _is_sealed(row["Mountpoint"])
                if (row.get("Labels") or {}).get(LABEL_ROLE) == "software"
                else None,
            )
            for row in data.get("Volumes") or []
        ),
        tuple(
            Cached(
                row["ID"],
                int(row.get("Size") or 0),
                seconds_of(row.get("LastUsedAt")),
                bool(row.get("InUse")),
                bool(row.get("Shared")),
            )
            for row in data.get("BuildCache") or []
        ),
        int(data.get("LayersSize") or 0),
        MANAGED in (api.get("/info").get("Labels") or []),
        named_by_hubs(containers),
        owners_by_instance(containers),
        limits_of_homes(containers),
        {instance: str(mounts[STATE]) for instance, mounts in _hubs(containers) if STATE in mounts},
    )


def disk_of(api: EngineApi) -> dict[str, t.Any]:
    """Where the engine keeps its data, and what is free there."""
    root = str(api.get("/info").get("DockerRootDir") or "")
    try:
        stats = os.statvfs(root)
    except OSError:
        return {"path": root, "bytes": 0, "free_bytes": 0}
    return {
        "path": root,
        "bytes": stats.f_blocks * stats.f_frsize,
        "free_bytes": stats.f_bavail * stats.f_frsize,
    }


@contextlib.contextmanager
def _not_being_filled(volume: str, observed: Observed, log_dir: str) -> t.Iterator[bool]:
    """Whether no run is just filling the volume; none can begin to meanwhile."""
    stack = next((item.labels.get(LABEL_STACK, "") for item in observed.volumes if item.name == volume), "")
    lock = Path(log_dir, f"{stack}.lock")
    if not stack or "/" in stack or not lock.is_file():
        yield True
        return
    with open(lock, "a", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def _remove(api: EngineApi, path: str) -> bool:
    try:
        api.request("DELETE", path)
    except ApiError as exc:
        # Gone already, or taken into use meanwhile.
        if exc.status in (404, 409):
            return exc.status == 404
        raise
    return True


def remove_things(api: EngineApi, plan: Plan, observed: Observed, log_dir: str) -> list[str]:
    """Remove images and volumes; returns what was taken into use meanwhile and stays."""
    stay = []
    for item in plan.items:
        if item.kind == IMAGE:
            if not _remove(api, f"/images/{item.name}"):
                stay.append(item.name)
        elif item.kind == VOLUME:
            with _not_being_filled(item.name, observed, log_dir) as free:
                if not free or not _remove(api, f"/volumes/{item.name}"):
                    stay.append(item.name)
    return stay


def prune_cache(api: EngineApi, policy: Policy) -> tuple[int, int]:
    """Let the engine bring its build cache within the limits; the number of records and of bytes that went."""
    limits = []
    if policy.cache_age:
        limits.append({"filters": json.dumps({"until": [f"{policy.cache_age}s"]})})
    if policy.cache_keep:
        limits.append({"keep-storage": str(policy.cache_keep)})
    # One after the other: together, they would spare what meets one of them.
    answers = [json.loads(api.request("POST", "/build/prune", limit, timeout=3600)) for limit in limits]
    return (
        sum(len(answer.get("CachesDeleted") or []) for answer in answers),
        sum(int(answer.get("SpaceReclaimed") or 0) for answer in answers),
    )


def apply_prune(
    api: EngineApi, observed: Observed, plan: Plan, policy: Policy, log_dir: str
) -> tuple[Plan, list[str]]:
    """Remove what is planned; returns what went, and what was taken into use meanwhile."""
    stay = remove_things(api, plan, observed, log_dir)
    items = [item for item in plan.items if item.kind != CACHE and item.name not in stay]
    # After the images: what the cache shared with them is its own now.
    if prunes_cache(observed, policy):
        records, size = prune_cache(api, policy)
        items += [cache_item(records, size, policy)] if records or size else []
    return Plan(tuple(items)), stay
