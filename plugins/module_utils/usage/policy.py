# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What takes the disk of an engine, and what of it nobody needs. Pure: no engine, no files, no clock."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import user_today

LABEL_DIGEST = "galilean.hub.digest"
LABEL_INSTANCE = "galilean.hub.instance"
LABEL_ROLE = "galilean.hub.role"
LABEL_STACK = "galilean.hub.stack"
LABEL_USER = "galilean.hub.user"
MANAGED = "galilean.hub.managed=true"
# What the kinds of things are called that can go.
IMAGE, VOLUME, CACHE = "image", "volume", "build cache"


@dataclass(frozen=True)
class Image:
    """One image: ``layers`` are the digests of each layer with all below it, ``sizes`` what each takes."""

    id: str
    refs: tuple[str, ...] = ()
    labels: t.Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    shared: int = 0
    # When it got its name here; the time of its making may be fixed.
    named: str = ""
    layers: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()

    @property
    def ours(self) -> bool:
        return LABEL_DIGEST in self.labels


@dataclass(frozen=True)
class Container:
    """One container, running or not: ``size`` is what it wrote itself."""

    name: str
    image: str = ""
    labels: t.Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    running: bool = False
    volumes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Volume:
    """One volume; ``sealed`` is for volumes with software, None where that cannot be seen."""

    name: str
    labels: t.Mapping[str, str] = field(default_factory=dict)
    size: int = 0
    created: str = ""
    sealed: bool | None = None

    @property
    def role(self) -> str:
        return self.labels.get(LABEL_ROLE, "")


@dataclass(frozen=True)
class Cached:
    """One record of the build cache; ``used`` is when it was used last, in seconds."""

    id: str
    size: int = 0
    used: float = 0.0
    in_use: bool = False
    shared: bool = False


@dataclass(frozen=True)
class Observed:
    """An engine as it is.

    ``named`` are the words in the configurations of its instances, ``managed`` is whether it is ours, ``owners`` what each
    instance remembers of users who were renamed (see _home_owners), ``limits`` what homes may take, by volume, and ``hubs`` the
    folders of the host where instances keep their state.
    """

    images: tuple[Image, ...] = ()
    containers: tuple[Container, ...] = ()
    volumes: tuple[Volume, ...] = ()
    cache: tuple[Cached, ...] = ()
    layers_bytes: int = 0
    managed: bool = False
    named: frozenset[str] = frozenset()
    owners: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    limits: t.Mapping[str, int] = field(default_factory=dict)
    hubs: t.Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """What to keep. Sizes are bytes and ages seconds; 0 is no limit."""

    prefix: str = "galilean"
    wanted: frozenset[str] = frozenset()
    keep: int = 3
    software_keep: int = 0
    cache_keep: int = 0
    cache_age: int = 0
    foreign: bool = False


# How engine_usage and engine_prune take it; its documentation is a fragment.
POLICY_SPEC: dict[str, t.Any] = {
    "repository_prefix": {"type": "str", "default": "galilean"},
    "wanted": {"type": "list", "elements": "str", "default": []},
    "keep": {"type": "int", "default": 3},
    "software_keep": {"type": "int", "default": 0},
    "cache_keep_gib": {"type": "float", "default": 0},
    "cache_keep_days": {"type": "float", "default": 0},
    "foreign": {"type": "bool", "default": False},
    "docker_cli": {"type": "list", "elements": "str"},
}


def policy_from(params: t.Mapping[str, t.Any]) -> Policy:
    """Return the policy of a module's parameters; HubError for a negative number."""
    for key in ("keep", "software_keep", "cache_keep_gib", "cache_keep_days"):
        if params[key] < 0:
            raise HubError(f"{key} is {params[key]}: use 0 for no limit, or more.")
    return Policy(
        params["repository_prefix"],
        frozenset(params["wanted"]),
        params["keep"],
        params["software_keep"],
        int(params["cache_keep_gib"] * 2**30),
        int(params["cache_keep_days"] * 86400),
        params["foreign"],
    )


@dataclass(frozen=True)
class Item:
    """One thing that nobody needs."""

    kind: str
    name: str
    size: int
    reason: str


@dataclass(frozen=True)
class Plan:
    """What goes."""

    items: tuple[Item, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.items)

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)


def repository_of(ref: str) -> str:
    """The part of a reference before its tag or digest."""
    name = ref.split("@", 1)[0]
    head, _slash, last = name.rpartition("/")
    return f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]


def users_of_images(observed: Observed) -> dict[str, list[str]]:
    """The containers of each image by its id, and the instances whose configuration names it."""
    users: dict[str, list[str]] = {}
    for container in observed.containers:
        users.setdefault(container.image, []).append(container.name)
    for image in observed.images:
        if observed.named & {image.id, *image.refs}:
            users.setdefault(image.id, []).append("(a hub's configuration)")
    return {key: sorted(names) for key, names in users.items()}


def users_of_volumes(observed: Observed) -> dict[str, list[str]]:
    """The containers of each volume, and the instances whose configuration names it."""
    users: dict[str, list[str]] = {}
    for container in observed.containers:
        for name in container.volumes:
            users.setdefault(name, []).append(container.name)
    for volume in observed.volumes:
        if volume.name in observed.named:
            users.setdefault(volume.name, []).append("(a hub's configuration)")
    return {key: sorted(names) for key, names in users.items()}


def _old_images(observed: Observed, policy: Policy) -> list[tuple[Image, str, str]]:
    """Images of ours that nobody needs: the image, its name and why."""
    used = users_of_images(observed)
    out: list[tuple[Image, str, str]] = []
    versions: dict[str, list[tuple[str, Image]]] = {}
    for image in observed.images:
        tags = [ref for ref in image.refs if "@" not in ref]
        if not tags:
            # A name from a registry keeps it, too.
            if not image.refs and image.id not in used and (image.ours or policy.foreign):
                out.append((image, image.id, "it has no name"))
            continue
        for ref in tags:
            repository = repository_of(ref)
            if image.ours and policy.keep > 0 and repository.rpartition("/")[0] == policy.prefix:
                versions.setdefault(repository, []).append((ref, image))
    for found in versions.values():
        found.sort(key=lambda pair: (pair[0] in policy.wanted, pair[1].named, pair[0]), reverse=True)
        for number, (ref, image) in enumerate(found):
            if number >= policy.keep and ref not in policy.wanted and image.id not in used:
                out.append((image, ref, f"more than {policy.keep} versions"))
    return sorted(out, key=lambda entry: entry[1])


def _freed(observed: Observed, going: t.Sequence[tuple[Image, str, str]]) -> list[int]:
    """How many bytes each image frees that goes: its layers that no other image has, each counted once."""
    names = {name for _image, name, _why in going}
    ids = {image.id for image, _name, _why in going}
    # An image with another name stays, and so do its layers.
    stay = {
        layer
        for image in observed.images
        if image.id not in ids or set(image.refs) - names
        for layer in image.layers
    }
    out = []
    for image, _name, _why in going:
        own = {layer: size for layer, size in zip(image.layers, image.sizes) if layer not in stay}
        stay |= set(own)
        out.append(sum(own.values()))
    return out


def _old_volumes(observed: Observed, policy: Policy) -> list[Item]:
    """Volumes with software that were never finished, and versions beyond those to keep; never a home."""
    used = users_of_volumes(observed)
    items = []
    stacks: dict[str, list[Volume]] = {}
    for volume in observed.volumes:
        if volume.role != "software":
            continue
        if volume.sealed is False and volume.name not in used:
            items.append(Item(VOLUME, volume.name, volume.size, "it was not finished"))
        elif volume.sealed:
            stacks.setdefault(volume.labels.get(LABEL_STACK, ""), []).append(volume)
    for stack, found in stacks.items():
        if policy.software_keep < 1 or not stack.startswith(policy.prefix.replace("/", "-") + "-software-"):
            continue
        found.sort(key=lambda volume: (volume.created, volume.name), reverse=True)
        for volume in found[policy.software_keep :]:
            if volume.name not in used:
                reason = f"more than {policy.software_keep} versions"
                items.append(Item(VOLUME, volume.name, volume.size, reason))
    return sorted(items, key=lambda item: item.name)


def prunes_cache(observed: Observed, policy: Policy) -> bool:
    """Whether the build cache is ours to limit, and has a limit."""
    return (observed.managed or policy.foreign) and bool(policy.cache_keep or policy.cache_age)


def plan_cache(observed: Observed, policy: Policy, now: float) -> Item | None:
    """About what the engine removes of the build cache with the limits: what is old, then the oldest until the rest fits.

    The engine decides about single records: of those that others are made of, it keeps some longer.
    """
    rest = sum(record.size for record in observed.cache if not record.shared)
    free = [record for record in observed.cache if not record.shared and not record.in_use]
    gone = []
    for record in sorted(free, key=lambda record: record.used):
        old = policy.cache_age and record.used < now - policy.cache_age
        if old or (policy.cache_keep and rest > policy.cache_keep):
            gone.append(record)
            rest -= record.size
    return cache_item(len(gone), sum(record.size for record in gone), policy) if gone else None


def cache_item(records: int, size: int, policy: Policy) -> Item:
    reason = "not used for longest" if policy.cache_keep else "not used for long"
    return Item(CACHE, f"{records} records", size, reason)


def plan_prune(observed: Observed, policy: Policy, now: float) -> Plan:
    """What nobody needs. Homes, containers and what is not ours are no part of it."""
    going = _old_images(observed, policy)
    items = [
        Item(IMAGE, name, size, why) for (_image, name, why), size in zip(going, _freed(observed, going))
    ]
    items += _old_volumes(observed, policy)
    cache = plan_cache(observed, policy, now) if prunes_cache(observed, policy) else None
    return Plan((*items, *([cache] if cache else [])))


def _by_size(rows: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return sorted(rows, key=lambda row: (-row["bytes"], str(row.get("name", row.get("repository", "")))))


def _image_rows(observed: Observed, policy: Policy) -> list[dict[str, t.Any]]:
    used = users_of_images(observed)
    groups: dict[str, list[tuple[str, Image]]] = {}
    for image in observed.images:
        tags = [ref for ref in image.refs if "@" not in ref]
        for ref in tags or list(image.refs) or [""]:
            groups.setdefault(repository_of(ref), []).append((ref, image))
    rows = []
    for repository, found in groups.items():
        versions = [
            {
                "ref": ref,
                "id": image.id,
                "bytes": image.size,
                "unique_bytes": max(0, image.size - image.shared),
                "shared_bytes": image.shared,
                "wanted": ref in policy.wanted,
                "users": used.get(image.id, []),
            }
            for ref, image in sorted(found, key=lambda pair: (pair[1].named, pair[0]), reverse=True)
        ]
        # Each layer once, as versions share most of theirs.
        ids = {image.id: image for _ref, image in found}
        rows.append(
            {
                "repository": repository or "(no name)",
                "ours": any(image.ours for _ref, image in found),
                "unique_bytes": sum(max(0, image.size - image.shared) for image in ids.values()),
                "bytes": max(image.size for _ref, image in found),
                "versions": versions,
            }
        )
    return _by_size(rows)


def _volume_rows(observed: Observed) -> dict[str, list[dict[str, t.Any]]]:
    used = users_of_volumes(observed)
    rows: dict[str, list[dict[str, t.Any]]] = {"homes": [], "software": [], "other_volumes": []}
    for volume in observed.volumes:
        row: dict[str, t.Any] = {
            "name": volume.name,
            "bytes": volume.size,
            "users": used.get(volume.name, []),
        }
        if volume.role == "home":
            instance = volume.labels.get(LABEL_INSTANCE, "")
            user = user_today(volume.labels.get(LABEL_USER, ""), observed.owners.get(instance, {}))
            row.update(instance=instance, user=user, limit_bytes=observed.limits.get(volume.name, 0))
            rows["homes"].append(row)
        elif volume.role == "software":
            row.update(stack=volume.labels.get(LABEL_STACK, ""), sealed=volume.sealed)
            rows["software"].append(row)
        else:
            rows["other_volumes"].append(row)
    return {key: _by_size(found) for key, found in rows.items()}


def usage(observed: Observed, policy: Policy, now: float) -> dict[str, t.Any]:
    """What takes how much, the biggest first, and what of it could go."""
    plan = plan_prune(observed, policy, now)
    volumes = _volume_rows(observed)
    containers = [
        {
            "name": container.name,
            "bytes": container.size,
            "running": container.running,
            "instance": container.labels.get(LABEL_INSTANCE, ""),
        }
        for container in observed.containers
    ]
    cache = sum(record.size for record in observed.cache if not record.shared)
    freeable: dict[str, int] = {}
    for item in plan.items:
        freeable[item.kind] = freeable.get(item.kind, 0) + item.size
    return {
        "images": _image_rows(observed, policy),
        **volumes,
        "containers": _by_size(containers),
        "build_cache": {"records": len(observed.cache), "bytes": cache},
        "totals": {
            "images": observed.layers_bytes,
            **{key: sum(row["bytes"] for row in rows) for key, rows in volumes.items()},
            "containers": sum(row["bytes"] for row in containers),
            "build_cache": cache,
        },
        "freeable": {
            "images": freeable.get(IMAGE, 0),
            "software": freeable.get(VOLUME, 0),
            "build_cache": freeable.get(CACHE, 0),
        },
    }
