# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Git's credential helper: the user's own access token for the hosts that the hub names.

`GALILEAN_GIT_CREDENTIALS` is a JSON object of hosts and the user names that they expect beside a token.
Whatever is not asked about one of these hosts over HTTPS is left to git's other helpers, without a word.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from galilean_token import TokenError, access_token


def hosts_of(text: str) -> dict[str, str]:
    """Hosts, with a port that is not the usual one, and user names. A mistake gives the token to nobody."""
    try:
        named = json.loads(text or "{}")
    except ValueError:
        return {}
    if not isinstance(named, dict):
        return {}
    return {
        host.lower(): user
        for host, user in named.items()
        # A line break would let a value pose as another line of the answer.
        if isinstance(user, str) and user and user.isprintable()
    }


def read_request(lines: TextIO) -> tuple[dict[str, str], set[str]]:
    """What git asks, and what it can do."""
    request, capabilities = {}, set()
    for line in lines:
        key, _, value = line.rstrip("\n").partition("=")
        if key == "capability[]":
            capabilities.add(value)
        elif key:
            request[key] = value
    return request, capabilities


def answer(
    request: Mapping[str, str], capabilities: set[str], hosts: Mapping[str, str], token: Callable[[], str]
) -> list[str]:
    """The lines for git; none where the question is not for us."""
    user = hosts.get(request.get("host", "").lower())
    if request.get("protocol") != "https" or user is None:
        return []
    # An address with another user name asks for another account.
    if request.get("username", user) != user:
        return []
    secret = token()
    if not secret.isprintable():
        return []
    if "authtype" in capabilities:
        # In this form helpers that keep passwords, such as "store", have nothing to write down.
        both = base64.b64encode(f"{user}:{secret}".encode()).decode()
        return ["capability[]=authtype", "authtype=Basic", f"credential={both}", "ephemeral=1"]
    return [f"username={user}", f"password={secret}"]


def main() -> int:
    if sys.argv[1:] != ["get"]:
        return 0
    request, capabilities = read_request(sys.stdin)
    hosts = hosts_of(os.environ.get("GALILEAN_GIT_CREDENTIALS", ""))
    try:
        lines = answer(request, capabilities, hosts, access_token)
    except TokenError as exc:
        # Git goes on with its next helper, and the user reads why ours had nothing.
        print(f"galilean-token: {exc}", file=sys.stderr)
        return 0
    if lines:
        print("\n".join(lines))
    return 0
