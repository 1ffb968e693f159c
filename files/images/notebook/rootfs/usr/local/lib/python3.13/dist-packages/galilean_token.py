# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The access token of a user's login, as long as it is valid: `from galilean_token import access_token`.

The hub keeps the token and renews it with the login provider. It is asked each time, so that nobody works
with a token that has expired. Nothing is written anywhere. For everything but Python: `galilean-token`.
"""

from __future__ import annotations

import base64
import http.client
import json
import math
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["TokenError", "access_token"]

# What the command ends with; docs/repositories.md lists them.
OUTSIDE, NO_TOKENS, HUB_AWAY, LOG_IN_AGAIN = 2, 3, 4, 5
# A loop in a notebook does not ask the hub a thousand times. The hub renews tokens less often than this.
REMEMBERED = 10.0
# The hub may have to ask the provider first.
PATIENCE = 30.0
# Clocks differ.
LENIENCE = 30.0

_USAGE = """usage: galilean-token

Prints the access token of your login, as long as it is valid. Pass it on by a pipe or a variable of a script;
what is written to a file or a notebook's output can be read by whoever gets the file.

exit code: 2 this is no server of a hub, 3 the hub has no token for you, 4 the hub does not answer,
5 log in to the hub again"""


class TokenError(Exception):
    """There is no token; the text is one sentence for the user."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The server's own token goes to the hub and nowhere else."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def expiry(state: Mapping[str, Any], token: str) -> float:
    """When the token ends, in seconds since 1970, as far as it says so; infinity where nothing does."""
    answer = state.get("token_response")
    answer = answer if isinstance(answer, Mapping) else {}
    found = [state.get("expires_at"), answer.get("expires_at")]
    if _is_number(answer.get("created_at")) and _is_number(answer.get("expires_in")):
        found.append(answer["created_at"] + answer["expires_in"])
    # Many providers' tokens are JSON Web Tokens. Nothing is trusted because of what is in there.
    parts = token.split(".")
    if len(parts) == 3:
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
            found.append(claims.get("exp"))
        except (ValueError, AttributeError):
            pass
    return min((float(when) for when in found if _is_number(when)), default=math.inf)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def token_of(model: Any, now: float) -> str:
    """The token in what the hub says about the user."""
    if not isinstance(model, Mapping) or "auth_state" not in model:
        raise TokenError(
            NO_TOKENS, "This hub gives no login tokens to servers; the people who run it can change that."
        )
    state = model["auth_state"]
    if not isinstance(state, Mapping):
        raise TokenError(
            NO_TOKENS,
            "The hub has kept no token of your login: log out of the hub and in again; if that does not "
            "help, this hub keeps none.",
        )
    token = state.get("access_token")
    if not isinstance(token, str) or not token:
        raise TokenError(NO_TOKENS, "Your login at this hub comes without an access token.")
    if expiry(state, token) + LENIENCE < now:
        raise TokenError(
            LOG_IN_AGAIN,
            "The token of your login has expired and the login provider gave no new one: log out of the hub "
            "and in again.",
        )
    return token


def _ask(environment: Mapping[str, str]) -> Any:
    """What the hub says about the user of this server."""
    try:
        address = environment["JUPYTERHUB_API_URL"].rstrip("/")
        secret = environment["JUPYTERHUB_API_TOKEN"]
        user = urllib.parse.quote(environment["JUPYTERHUB_USER"], safe="")
    except KeyError as exc:
        raise TokenError(OUTSIDE, f"This is no server of a hub: {exc.args[0]} is not set.") from None
    request = urllib.request.Request(
        f"{address}/users/{user}", headers={"Authorization": f"token {secret}", "Accept": "application/json"}
    )
    # The hub is next door, whatever proxy leads to the rest of the world.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as exc:
        exc.close()
        if exc.code in (401, 403):
            raise TokenError(
                LOG_IN_AGAIN,
                "The hub accepts your login no longer: log out of the hub and in again, then restart your "
                "server.",
            ) from None
        raise TokenError(
            HUB_AWAY, f"The hub or the login provider has a problem (status {exc.code}); try again later."
        ) from None
    except (OSError, ValueError, http.client.HTTPException):
        raise TokenError(HUB_AWAY, "The hub does not answer; try again in a minute.") from None


_remembered: tuple[float, str] = (-math.inf, "")


def access_token() -> str:
    """Return the token; TokenError says in one sentence why there is none."""
    global _remembered
    until, token = _remembered
    if time.monotonic() >= until:
        token = token_of(_ask(os.environ), time.time())
        _remembered = (time.monotonic() + REMEMBERED, token)
    return token


def main(arguments: Sequence[str] | None = None, token: Callable[[], str] = access_token) -> int:
    """The command galilean-token."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments:
        asked = arguments[0] in ("-h", "--help")
        print(_USAGE, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    try:
        print(token())
    except TokenError as exc:
        print(f"galilean-token: {exc}", file=sys.stderr)
        return exc.status
    return 0
