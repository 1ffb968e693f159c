# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which secret comes from where: given, else already there, else generated. Pure: the random source is a parameter."""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

NAME = re.compile(r"^[a-z][a-z0-9-]*$")


class Decision(t.NamedTuple):
    """What becomes of one secret: `write` is None when the file stays as it is."""

    name: str
    source: str
    write: str | None


def decide(
    wanted: list[dict[str, t.Any]], present: dict[str, str], generate: t.Callable[[int], str]
) -> list[Decision]:
    """Return a decision for each wanted secret, in order; HubError for a name that is not valid.

    wanted: name, value (may be empty) and bytes (0: never generated); present: content by name; generate: called
    with a number of bytes, returns a new secret.
    """
    decisions = []
    for secret in wanted:
        name, value = secret["name"], (secret.get("value") or "").strip()
        if not NAME.match(name):
            raise HubError(f"the secret's name is {name!r}: use lower-case letters, digits and dashes")
        there = present.get(name, "").strip()
        if value:
            decisions.append(Decision(name, "given", None if value == there else value))
        elif there:
            decisions.append(Decision(name, "present", None))
        elif secret.get("bytes"):
            decisions.append(Decision(name, "generated", generate(secret["bytes"])))
        else:
            decisions.append(Decision(name, "absent", None))
    return decisions


def fingerprint(contents: dict[str, str]) -> str:
    """A value that changes when any secret changes and tells nothing about them, not even about a weak password.

    The strongest secret serves as the key: whoever does not know it cannot try passwords against the result.
    """
    # A value that was just made has no line end yet, the same one read back has.
    values = sorted((text.strip() for text in contents.values()), key=lambda value: (len(value), value))
    key = values[-1] if values else ""
    text = "\0".join(f"{name}\0{contents[name].strip()}" for name in sorted(contents))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


def fingerprints(wanted: list[dict[str, t.Any]], contents: dict[str, str]) -> dict[str, str]:
    """The fingerprint of the secrets of each name in their ``used_by``; empty where there is no content at all."""
    used: dict[str, dict[str, str]] = {}
    for secret in wanted:
        for user in secret.get("used_by") or []:
            name = secret["name"]
            used.setdefault(user, {}).update({name: contents[name]} if name in contents else {})
    return {user: fingerprint(mine) if contents else "" for user, mine in used.items()}
