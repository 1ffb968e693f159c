# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""Compare the hub's data file with what it should be, and speak about the differences. Pure: no I/O."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError

_ABSENT = object()
# Must be the name of HOOKS_FILE in files/images/hub/galilean_hub/loader.py.
HOOKS = "hooks.py"


def serialise(data: dict[str, t.Any]) -> str:
    """The file's content: the same data always gives the same bytes."""
    return json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def parse(text: str | None) -> dict[str, t.Any]:
    """The data in a file's content; empty for a file that is absent or that a human has broken."""
    if not text:
        return {}
    try:
        data = json.loads(text)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _flatten(value: t.Any, path: str = "") -> t.Iterator[tuple[str, t.Any]]:
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _flatten(value[key], f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def drift(current: dict[str, t.Any], desired: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The settings that differ, as a sorted list of name, current and desired; None stands for absent."""
    was, shall = dict(_flatten(current)), dict(_flatten(desired))
    return [
        {"name": name, "current": was.get(name), "desired": shall.get(name)}
        for name in sorted({*was, *shall} - {""})
        if was.get(name, _ABSENT) != shall.get(name, _ABSENT)
    ]


def lint_argv(docker: list[str], image: str, hooks: str = "") -> list[str]:
    """Command that checks data given on its standard input in the image: no network, no rights, no files.

    hooks: path of the site's file of hooks, which is read as the hub reads it.
    """
    return [
        *docker,
        "run",
        "--rm",
        "--interactive",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--user=65534:65534",
        "--env=HOME=/tmp",
        "--tmpfs=/tmp",
        *([f"--volume={hooks}:/etc/jupyterhub/{HOOKS}:ro"] if hooks else []),
        image,
        "python3",
        "-m",
        "galilean_hub.lint",
    ]


def lint_verdict(returncode: int, stdout: str, stderr: str, image: str) -> list[str]:
    """The sentences that the check printed; HubError when it could not be made."""
    try:
        sentences = json.loads(stdout) if returncode == 0 else None
    except ValueError:
        sentences = None
    if not isinstance(sentences, list):
        tail = "\n".join((stderr or stdout).strip().splitlines()[-5:])
        raise HubError(
            f"The hub's settings could not be checked in the image {image} (exit code {returncode}): {tail}"
        )
    return [str(sentence) for sentence in sentences]
