# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Which names of users JupyterHub takes, and how it writes them."""

from __future__ import annotations

import typing as t
from urllib.parse import unquote

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError


def user_name(value: t.Any) -> str:
    """A name in the settings as JupyterHub has it (Authenticator.normalize_username); YAML may have made a number of it."""
    return str(value).lower()


def name_problem(name: str) -> str:
    """Why JupyterHub takes this for no name of an account; empty where it does."""
    if not name or name != name.strip():
        return "it is empty, or starts or ends with a space"
    if "/" in name:
        return "a name has no slash"
    if set(unquote(name)) == {"."} or set(name) == {"."}:
        return "it has nothing but dots"
    if not name.isprintable():
        return "it has a character that cannot be printed"
    return ""


def name_problems(where: str, names: t.Iterable[t.Any]) -> list[str]:
    """One sentence for each name that no account can have, without its full stop; where: the setting, such as "x has"."""
    return [
        f"{where} the name {name!r}: {problem}, so no account can have it"
        for name in map(str, names)
        for problem in [name_problem(name)]
        if problem
    ]


def check_name(name: str, option: str = "name") -> str:
    """Return the name; raise HubError where no account can have it."""
    problem = name_problem(name)
    if problem:
        raise HubError(f"{option} is {name!r}: {problem}, so no account can have it")
    return name
