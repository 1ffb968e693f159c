# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The options that say which hub is meant and with what token; documented in the fragment hub_api."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError, HubClient
from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_http import UrlTransport, trust

CONNECTION_SPEC: dict[str, t.Any] = {
    "url": {"type": "str", "required": True},
    "token": {"type": "str", "no_log": True},
    # A path is no secret, and the message about a missing file must show it.
    "token_path": {"type": "path", "no_log": False},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "ca_content": {"type": "str"},
}
EXCLUSIVE = [("token", "token_path"), ("ca_path", "ca_content")]
ONE_OF = [("token", "token_path")]


def read_token(params: t.Mapping[str, t.Any], whose: str = "a service") -> str:
    """Return the token from the parameters or from the file; HubError if the file is empty or cannot be read."""
    if params["token"]:
        return str(params["token"])
    path = params["token_path"]
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise HubError(f"token_path is {path!r}: the token cannot be read from it ({exc})") from exc
    if not token:
        raise HubError(f"token_path is {path!r}: the file is empty, write the token of {whose} into it")
    return token


def certificates(params: t.Mapping[str, t.Any]) -> str:
    """The certificates to trust, as text; empty for those that the system trusts."""
    path = params["ca_path"]
    if not path:
        return params["ca_content"] or ""
    try:
        return Path(path).read_text(encoding="utf-8", errors="ignore")
    except OSError as exc:
        raise HubError(f"ca_path is {path!r}: the certificates cannot be read from it ({exc})") from exc


def hub_client(params: t.Mapping[str, t.Any], token: str, accept: str = "") -> HubClient:
    """A client of the hub that the options name."""
    try:
        context = trust(params["validate_certs"], certificates(params))
        return HubClient(params["url"], UrlTransport(token, context, accept))
    except HubApiError as exc:
        raise HubError(str(exc)) from exc
