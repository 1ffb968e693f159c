# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What one versioned software volume should be, and what is to be done for it. Pure: no engine, no files, no clock."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume

LABEL_DIGEST = "galilean.hub.digest"
LABEL_ROLE = "galilean.hub.role"
LABEL_STACK = "galilean.hub.stack"
LABEL_IMAGE = "galilean.hub.image"
# In the volume's root, written last: a volume without it was not finished.
MARKER = ".sealed"

# What the seeding script puts before its sentence.
FAILED = "FAILED: "

_PREFIX = re.compile(r"^[a-z0-9][a-z0-9_.-]+\Z")
_DIGEST = re.compile(r"^[0-9a-f]{12}\Z")
_AWAY = re.compile(
    r"Cannot connect to the Docker daemon|error during connect|unexpected EOF|connection reset|context canceled"
)
# How some clients print their errors.
_LOGGED = re.compile(r'level=\w+ msg="(.*)"\Z')
_NO_PYTHON = re.compile(r'exec: "/usr/bin/python3"|/usr/bin/python3: no such file', re.IGNORECASE)


@dataclass(frozen=True)
class VolumeSpec:
    """One version of a stack as it should be.

    Without an image it has to be there already; ``others`` are the versions of which this host has an image.
    """

    prefix: str
    digest: str
    image: str = ""
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.prefix}-{self.digest}"

    @property
    def labels(self) -> dict[str, str]:
        return {
            LABEL_DIGEST: self.digest,
            LABEL_IMAGE: self.image,
            LABEL_ROLE: "software",
            LABEL_STACK: self.prefix,
        }


@dataclass(frozen=True)
class Damage:
    """What differs from a sealed volume's manifest: how many paths, and the first of them with words."""

    count: int = 0
    paths: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = [f"{path} {words}" for path, words in list(self.paths.items())[:5]]
        more = self.count - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True)
class Plan:
    """What is to be done: the version to fill, to repair or neither, those to remove, and why."""

    seed: bool
    repair: bool
    prune: tuple[str, ...]
    reasons: tuple[tuple[str, str, str], ...]
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> bool:
        return self.seed or self.repair or bool(self.prune)


def check_spec(prefix: str, digest: str) -> None:
    """Refuse names that the engine would refuse later and less clearly."""
    if not _PREFIX.match(prefix):
        raise HubError(f"prefix is {prefix!r}: use lower-case letters, digits, dashes, dots and underscores.")
    if digest and not _DIGEST.match(digest):
        raise HubError(f"digest is {digest!r}: use the 12 hexadecimal digits at the end of a volume's name.")


def version_of(name: str, prefix: str) -> str:
    """The digest in the name of a volume of this stack, or nothing when it is another's."""
    digest = name[len(prefix) + 1 :]
    return digest if name.startswith(prefix + "-") and _DIGEST.match(digest) else ""


def is_sealed(volume: ObservedVolume | None, digest: str) -> bool:
    """Whether a volume was finished, and with this content."""
    return volume is not None and volume.sealed is not None and volume.sealed.get("digest") == digest


def _state(volume: ObservedVolume) -> str:
    return "sealed" if volume.sealed is not None else "unfinished"


def _nothing_there(spec: VolumeSpec, others: t.Sequence[ObservedVolume]) -> HubError:
    sealed = {version_of(volume.name, spec.prefix) for volume in others if volume.sealed is not None}
    found = ", ".join(sorted(sealed | set(spec.others))) or "none"
    return HubError(
        f"digest is {spec.digest}, of which this host has neither the volume {spec.name} nor an image "
        f"to fill it from: choose one of the versions that are there ({found}), or leave digest (images_software_digest) empty."
    )


def plan_present(
    spec: VolumeSpec,
    current: ObservedVolume | None,
    others: t.Sequence[ObservedVolume],
    keep: int,
    damage: Damage | None = None,
) -> Plan:
    """Plan for one version that should be there, with at most ``keep`` versions in all beside those in use."""
    before = {volume.name: _state(volume) for volume in others}
    seed = not is_sealed(current, spec.digest)
    repair = not seed and damage is not None and damage.count > 0
    if current is not None:
        before[current.name] = "unfinished" if seed else "damaged" if repair else "sealed"
    reasons = []
    if seed:
        if not spec.image:
            raise _nothing_there(spec, others)
        reasons.append(("seed", spec.name, "it does not exist" if current is None else "it was not finished"))
    if repair:
        if not spec.image:
            raise HubError(
                f"Volume {spec.name} differs from its manifest ({damage}), and the image that it was filled from is "
                "not on this host: build or load that image and run again, or use another version.",
                differences=damage.paths if damage else {},
            )
        reasons.append(("repair", spec.name, str(damage)))
    prune = []
    kept = 1
    for volume in sorted(others, key=lambda item: (item.created, item.name), reverse=True):
        if volume.sealed is not None and kept < keep:
            kept += 1
        elif not volume.users:
            prune.append(volume.name)
            why = f"more than {keep} versions" if volume.sealed is not None else "it was not finished"
            reasons.append(("remove", volume.name, why))
    after = {name: state for name, state in before.items() if name not in prune}
    after[spec.name] = "sealed"
    return Plan(seed, repair, tuple(prune), tuple(reasons), before, after)


def shareable(others: t.Sequence[ObservedVolume]) -> list[ObservedVolume]:
    """The versions that a new one may share files with, newest first: sealed, and with a manifest."""
    found = [volume for volume in others if volume.sealed is not None and "format" in volume.sealed]
    return sorted(found, key=lambda item: (item.created, item.name), reverse=True)


def helpers(name: str) -> tuple[str, ...]:
    """The containers of ours that may have a volume; they are not its users."""
    return f"{name}-seed", f"{name}-repair", f"{name}-verify"


def failure(spec: VolumeSpec, action: str, status: int, output: str, log: str) -> HubError:
    """What went wrong, from the end of a log: one sentence."""
    missed = {"seed": "filled", "repair": "repaired", "verify": "verified"}[action]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    own = [line.partition(FAILED)[2] for line in lines if FAILED in line]
    if own:
        why = own[-1]
    elif _NO_PYTHON.search(output):
        why = f"image {spec.image} has no /usr/bin/python3, which copies the files: install python3 in it"
    elif status == 125 or _AWAY.search(output):
        said = _LOGGED.search(lines[-1]) if lines else None
        last = said.group(1) if said else lines[-1] if lines else "no answer"
        why = f"the Docker engine went away or refused ({last}): see that it runs, then run again"
    elif status in (137, 143):
        why = f"it was stopped from outside (status {status}), perhaps because memory ran out: run again"
    else:
        why = lines[-1] if lines else f"status {status} without a word"
    return HubError(f"Volume {spec.name} was not {missed}: {why} (log: {log}).", log=log)


def plan_absent(volumes: t.Sequence[ObservedVolume]) -> Plan:
    """Plan for a stack of which nothing should be there."""
    used = [f"{volume.name} by {', '.join(volume.users)}" for volume in volumes if volume.users]
    if used:
        raise HubError(f"These volumes are in use: {'; '.join(used)}. Stop and remove the containers first.")
    names = tuple(sorted(volume.name for volume in volumes))
    reasons = tuple(("remove", name, "state is absent") for name in names)
    return Plan(False, False, names, reasons, {volume.name: _state(volume) for volume in volumes}, {})
