# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Secrets that stand in plain text where everybody may read: found by setting, by key and by their look. Pure: no I/O."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import Spec, is_secret

# What Ansible connects with.
CONNECTION = re.compile(r"ansible_(.+_)?(pass|password|passphrase)")
# Keys of mappings that the specs know nothing of, such as traits and variables of the environment.
KEY = re.compile(
    r"(^|.*_)(secret|password|passwd|token|credentials?|(api|access|private|secret|hmac|crypt|encryption)_?key)s?",
    re.IGNORECASE,
)
# An address with a password or token in it, a private key, tokens of GitHub, GitLab, Slack and AWS.
LOOK = re.compile(
    r"://[^/\s:@]*:[^/\s@]+@|://\S+[?&][^=&\s]*(token|secret|passw|key)[^=&\s]*=[^&\s]{8}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(gh[opsu]_|github_pat_|glpat-|xox[abp]-)[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b"
)


def plain_secrets(name: str, value: t.Any, spec: Spec | None) -> list[tuple[str, t.Any]]:
    """Where in a setting a secret stands as text, and that text; ``spec`` is None for what is no setting of ours."""
    if spec is None:
        secret = CONNECTION if name.startswith("ansible_") else KEY
        return _leaves(name, value, secret.fullmatch(name) is not None)
    return _leaves(name, value, is_secret(spec), spec.get("options") or {})


def _is_no_secret(value: t.Any) -> bool:
    """A number, such as of tokens, or the path of a file with one."""
    return isinstance(value, (bool, int, float)) or (isinstance(value, str) and value.startswith("/"))


def _leaves(
    where: str, value: t.Any, secret: bool, options: t.Mapping[str, Spec] | None = None
) -> list[tuple[str, t.Any]]:
    if isinstance(value, t.Mapping):
        found = []
        for key, one in value.items():
            spec = (options or {}).get(str(key), {})
            named = not options and KEY.fullmatch(str(key)) is not None and not _is_no_secret(one)
            found += _leaves(f"{where}.{key}", one, secret or named or is_secret(spec), spec.get("options"))
        return found
    if isinstance(value, (list, tuple)):
        return [
            leaf
            for index, one in enumerate(value)
            for leaf in _leaves(f"{where}[{index}]", one, secret, options)
        ]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return []
    text = str(value)
    if not text.strip() or "{{" in text or "{%" in text:
        return []
    return [(where, value)] if secret or LOOK.search(text) else []
