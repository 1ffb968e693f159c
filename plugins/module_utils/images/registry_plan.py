# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names, credentials and answers of image registries. Pure."""

from __future__ import annotations

import base64
import json
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

_PART = re.compile(r"^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*\Z")
_HOST = re.compile(
    r"^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+(?=:)|\[[0-9a-fA-F:]+\])(?::\d{1,5})?\Z"
)
DIGEST = re.compile(r"^sha256:[0-9a-f]{64}\Z")


def check_registry(registry: str, setting: str = "images_registry") -> None:
    """Raise HubError for a wrong registry name, which an engine would take for a name on a public registry."""
    host, _slash, path = registry.partition("/")
    if "://" in registry or not _HOST.match(host) or (path and not all(map(_PART.match, path.split("/")))):
        raise HubError(
            f"{setting} is {registry!r}: give a host, a port where it is not the usual one, and a path where the registry has several, "
            "as in registry.example.org:5000/hub."
        )


def place_of(ref: str, registry: str) -> tuple[str, str]:
    """Name and tag in the registry of an image by its reference: the prefix makes way for the registry."""
    name, _colon, tag = ref.rpartition(":")
    return f"{registry}/{name.rsplit('/', 1)[-1]}", tag


def auth_header(registry: str, username: str, password: str) -> str:
    """What an engine passes on to the registry; without a name, nothing."""
    content: dict[str, str] = {}
    if username:
        content = {
            "username": username,
            "password": password,
            "serveraddress": registry.split("/")[0],
        }
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def pushed_digest(messages: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """Return the digest of a pushed image from the engine's messages; HubError if they have none."""
    for message in reversed(messages):
        digest = (message.get("aux") or {}).get("Digest", "")
        if DIGEST.match(digest):
            return str(digest)
    raise HubError("The engine did not say under which digest it pushed the image: see its log.")


def was_lacking(messages: t.Sequence[t.Mapping[str, t.Any]]) -> bool:
    """Whether a push brought the registry a layer that it did not have there."""
    return any(str(message.get("status", "")).startswith(("Push", "Mounted")) for message in messages)


def transferred(messages: t.Sequence[t.Mapping[str, t.Any]], words: t.Collection[str]) -> int:
    """How many bytes went over the line: the totals of the layers with one of these states."""
    totals: dict[str, int] = {}
    for message in messages:
        detail = message.get("progressDetail") or {}
        if message.get("status") in words:
            size = int(detail.get("total") or detail.get("current") or 0)
            totals[str(message.get("id"))] = max(size, totals.get(str(message.get("id")), 0))
    return sum(totals.values())
