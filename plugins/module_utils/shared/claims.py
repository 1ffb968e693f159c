# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Groups as providers tell them, in the data of the user or in the ID token. Pure: no I/O.

In the image of the hub, too: settings and hub call groups alike. It needs the standard
library only.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

# What providers call a group's name where they tell more of it than that, the first that is there.
NAMES = ("name", "displayName", "display_name", "displayname", "display", "value", "id")
# A distinguished name has commas of its own.
DISTINGUISHED = re.compile(r"\w+=[^,;]+(,\s*\w+=[^,;]+)+")
SHOWN = 12


class ClaimError(ValueError):
    """Groups that cannot be found or understood; one sentence for the hub's log."""


def id_token_claims(token: Any) -> Mapping[str, Any]:
    """What an ID token says; empty where there is none.

    Its signature is not looked at: it came from the provider's own address over TLS, and OpenID Connect Core
    3.1.3.7 takes that for enough.
    """
    parts = token.split(".") if isinstance(token, str) else []
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def find_claim(claims: Any, name: str) -> Any:
    """The value of a claim, or of one in another (realm_access.roles); None where there is none.

    A claim's own name may have dots (https://example.org/groups), so the longest one that is there counts.
    """
    if not isinstance(claims, Mapping):
        return None
    if name in claims:
        return claims[name]
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        inner = claims.get(".".join(parts[:end]))
        found = find_claim(inner, ".".join(parts[end:]))
        if found is not None:
            return found
    return None


def group_name(name: object) -> str:
    """A group's name as settings and hub have it: Keycloak's path /staff/physics is staff/physics."""
    return str(name).strip().strip("/")


def _in_text(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            names = json.loads(text)
        except (ValueError, RecursionError):
            raise ClaimError(f"are the text {text[:80]!r}, which is no list") from None
        return _names(names)
    if DISTINGUISHED.fullmatch(text.strip()):
        return [text]
    return re.split("[,;]", text)


def _entry(entry: Any) -> str:
    if isinstance(entry, bool) or entry is None:
        raise ClaimError(f"have {entry!r}, which is no name")
    if isinstance(entry, (str, int)):
        return str(entry)
    if isinstance(entry, Mapping):
        for key in NAMES:
            if isinstance(entry.get(key), (str, int)) and not isinstance(entry.get(key), bool):
                return str(entry[key])
    keys = ", ".join(NAMES)
    raise ClaimError(f"have {str(entry)[:80]!r}, which is no name and has none of {keys}")


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return _in_text(value)
    if isinstance(value, Mapping):
        # The names are the keys: {"staff": true}, {"admin": {"123": "example.org"}}.
        return [str(key) for key, one in value.items() if one is not False]
    if isinstance(value, Iterable):
        return [_entry(entry) for entry in value]
    raise ClaimError(f"are {value!r}, which is no list")


def claimed_groups(user: Any, id_token: Any, claim: str) -> set[str]:
    """The names of the groups that a login tells; ClaimError where they cannot be told.

    user: the provider's data of the user; id_token: as it came; claim: the setting groups_claim.
    """
    sources = [user if isinstance(user, Mapping) else {}, id_token_claims(id_token)]
    value = next((found for found in (find_claim(one, claim) for one in sources) if found is not None), None)
    if value is None:
        if any(find_claim(one.get("_claim_names"), claim) is not None for one in sources):
            raise ClaimError(
                f"{claim!r} is left out for a user with so many: let the provider send only the groups that "
                "are assigned to this application"
            )
        there = sorted({str(name) for one in sources for name in one})
        shown = ", ".join(there[:SHOWN]) + (", ..." if len(there) > SHOWN else "")
        raise ClaimError(f"{claim!r} is not among what the provider tells ({shown or 'nothing'})")
    try:
        names = _names(value)
    except ClaimError as exc:
        raise ClaimError(f"the groups in {claim!r} {exc}") from None
    return {name for name in map(group_name, names) if name}
