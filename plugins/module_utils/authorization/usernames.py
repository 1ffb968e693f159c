# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Names of users in the settings: how JupyterHub writes them, and a sentence where it takes one for none."""

from __future__ import annotations

import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.shared.usernames import composed, name_problem


def user_name(value: t.Any) -> str:
    """A name in the settings as JupyterHub has it (normalize_username of its image's login_guard.py); YAML may have made a number of it."""
    return composed(str(value)).lower()


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
