# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Homes of users and their archives: names, and which archive is meant. Pure: no I/O."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import asdict, dataclass

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.engine.observed import ObservedVolume
from ansible_collections.galilean.hub.plugins.module_utils.shared.home_owners import user_today

# Set by files/images/hub/galilean_hub/spawner/docker_spawner.py.
LABEL_INSTANCE = "galilean.hub.instance"
LABEL_ROLE = "galilean.hub.role"
LABEL_USER = "galilean.hub.user"
# The archive that a volume was restored from.
LABEL_RESTORED = "galilean.hub.restored"
# In a volume whose restoring has not come to its end.
UNFINISHED = ".galilean-restoring"

SUFFIX = ".tar.gz"
_ARCHIVE = re.compile(r"^(?P<volume>[A-Za-z0-9][A-Za-z0-9_.-]*)-(?P<time>\d{8}T\d{6}Z)\.tar\.gz$")
# What find says of one entry: path, kind, mode, owner, group, size, blocks on the disk, times of content and of the entry, target.
FIND_FORMAT = r"%P\0%y\0%m\0%U\0%G\0%s\0%b\0%T@\0%C@\0%l\0"
# What find may say of one tree, and tar would write of its paths: with each level of folders all longer.
MOST_TOLD = 8 << 30
_FIELDS = 10
_BLOCKS = 6


@dataclass(frozen=True)
class Archive:
    """One archive. What its notes do not tell is empty; the user is whom the home was made for."""

    name: str
    volume: str
    time: str
    bytes: int = 0
    user: str = ""
    instance: str = ""
    home_bytes: int = 0
    entries: int = 0
    fingerprint: str = ""

    def notes(self) -> str:
        """What is kept beside the archive, as JSON."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


@dataclass(frozen=True)
class Measure:
    """What a tree holds: its entries, the bytes that it takes on the disk, and a fingerprint that any change changes."""

    entries: int
    bytes: int
    fingerprint: str


def archive_name(volume: str, time: str) -> str:
    """The file name of an archive. A volume's name has the user's name in a form that is safe in paths."""
    return f"{volume}-{time}{SUFFIX}"


def parse_archive(name: str, size: int, notes: str | None) -> Archive | None:
    """An archive by its file name, with what its notes tell; None for a file that is none."""
    match = _ARCHIVE.match(name)
    if not match:
        return None
    plain = Archive(name, match["volume"], match["time"], size)
    try:
        told = json.loads(notes or "")
        # Notes of another file would lead to another home.
        if told["name"] == name and told["volume"] == plain.volume:
            return Archive(**{**asdict(plain), **told, "bytes": size})
    except (ValueError, KeyError, TypeError):
        pass
    return plain


def same_home(archives: t.Iterable[Archive], volume: str, fingerprint: str) -> Archive | None:
    """The newest archive of a volume, if the volume is still as it was then."""
    own = sorted((one for one in archives if one.volume == volume), key=lambda one: one.time)
    return own[-1] if own and own[-1].fingerprint == fingerprint else None


def user_of(volume: ObservedVolume, owners: t.Mapping[str, str]) -> str:
    """Whose home a volume is today; owners as in _home_owners."""
    return user_today(volume.labels.get(LABEL_USER, ""), owners)


def volumes_of(
    volumes: t.Iterable[ObservedVolume], instance: str, user: str | None, owners: t.Mapping[str, str]
) -> list[ObservedVolume]:
    """The homes of an instance, all or those of one user; owners as in _home_owners."""
    return sorted(
        (
            volume
            for volume in volumes
            if volume.labels.get(LABEL_INSTANCE) == instance
            and volume.labels.get(LABEL_ROLE) == "home"
            and (user is None or user_of(volume, owners) == user)
        ),
        key=lambda volume: volume.name,
    )


def choose(
    archives: t.Sequence[Archive], instance: str, user: str, folder: str, owners: t.Mapping[str, str]
) -> Archive:
    """The newest archive of a user; raise HubError where there is none."""
    own = [one for one in archives if user_today(one.user, owners) == user and one.instance == instance]
    if not own:
        raise HubError(
            f"user is {user!r}, of whom {folder} has no archive of the instance {instance!r}: name a file in archive."
        )
    return max(own, key=lambda one: one.time)


def tree_measure(chunks: t.Iterable[bytes]) -> Measure:
    """Measure a tree from find's output in FIND_FORMAT, in any order of entries; HubError if it is nested too deep."""
    fields: list[bytes] = []
    entries = blocks = total = told = 0
    rest = b""
    for chunk in chunks:
        told += len(chunk)
        if told > MOST_TOLD:
            raise HubError(
                f"It has folders nested so deep that their paths alone take more than {in_units(MOST_TOLD)}, which no archive "
                "could hold in time: delete the deepest of them, or set jupyterhub_removed_homes to keep."
            )
        parts = (rest + chunk).split(b"\0")
        rest = parts.pop()
        for part in parts:
            fields.append(part)
            if len(fields) == _FIELDS:
                entries += 1
                blocks += int(fields[_BLOCKS])
                total += int.from_bytes(hashlib.sha256(b"\0".join(fields)).digest(), "big")
                fields = []
    return Measure(entries, blocks * 512, f"{total % (1 << 256):064x}")


def in_units(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
