# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What one versioned software volume should be, and what is to be done for it. Pure: no engine, no files, no clock.

PRIVATE to the collection: may change at any time.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.galilean.hub.plugins.module_utils._errors import HubError

LABEL_DIGEST = "galilean.hub.digest"
LABEL_ROLE = "galilean.hub.role"
LABEL_STACK = "galilean.hub.stack"
LABEL_IMAGE = "galilean.hub.image"
# In the volume's root, written last: a volume without it was not finished.
MARKER = ".sealed"

_PREFIX = re.compile(r"^[a-z0-9][a-z0-9_.-]+\Z")
_DIGEST = re.compile(r"^[0-9a-f]{12}\Z")


@dataclass(frozen=True)
class VolumeSpec:
    """One version of a stack as it should be; without an image it has to be there already."""

    prefix: str
    digest: str
    image: str = ""

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
class ObservedVolume:
    """One volume as the engine has it; ``sealed`` is what its marker says, None without a marker."""

    name: str
    labels: dict[str, str] = field(default_factory=dict)
    mountpoint: str = ""
    created: str = ""
    sealed: dict[str, t.Any] | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is to be done: the version to fill or not, those to remove, and why."""

    seed: bool
    prune: tuple[str, ...]
    reasons: tuple[tuple[str, str, str], ...]
    before: dict[str, str]
    after: dict[str, str]

    @property
    def changed(self) -> bool:
        return self.seed or bool(self.prune)


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


def plan_present(
    spec: VolumeSpec, current: ObservedVolume | None, others: t.Sequence[ObservedVolume], keep: int
) -> Plan:
    """Plan for one version that should be there, with at most ``keep`` versions in all beside those in use."""
    before = {volume.name: _state(volume) for volume in others}
    seed = not is_sealed(current, spec.digest)
    if current is not None:
        before[current.name] = "unfinished" if seed else "sealed"
    reasons = []
    if seed:
        if not spec.image:
            found = ", ".join(sorted(name for name, state in before.items() if state == "sealed")) or "none"
            raise HubError(
                f"digest is {spec.digest}, of which there is no volume {spec.name}: choose one of {found}."
            )
        reasons.append(("seed", spec.name, "it does not exist" if current is None else "it was not finished"))
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
    return Plan(seed, tuple(prune), tuple(reasons), before, after)


def plan_absent(volumes: t.Sequence[ObservedVolume]) -> Plan:
    """Plan for a stack of which nothing should be there."""
    used = [f"{volume.name} by {', '.join(volume.users)}" for volume in volumes if volume.users]
    if used:
        raise HubError(f"These volumes are in use: {'; '.join(used)}. Stop and remove the containers first.")
    names = tuple(sorted(volume.name for volume in volumes))
    reasons = tuple(("remove", name, "state is absent") for name in names)
    return Plan(False, names, reasons, {volume.name: _state(volume) for volume in volumes}, {})
