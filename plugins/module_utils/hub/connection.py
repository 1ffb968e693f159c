# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The options that say which hub is meant and with what token; documented in the fragment hub_api."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

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


def ca_file(params: t.Mapping[str, t.Any], folder: str) -> str | None:
    """The file of certificates to trust; one in the module's own folder, which goes with it, for those given as text."""
    if not params["ca_content"]:
        return str(params["ca_path"]) if params["ca_path"] else None
    file = Path(folder, "ca.pem")
    file.write_text(params["ca_content"], encoding="utf-8")
    return str(file)
