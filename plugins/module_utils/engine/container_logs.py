# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The few lines of a container's log that explain a failure. Pure but for the runner that read_logs() is given."""

from __future__ import annotations

import re
import typing as t

TAIL = 400
LINES = 15
WIDTH = 400

# Colours and the like, and titles of windows.
ANSI_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\))")
TELLING = re.compile(r"\b(ERROR|CRITICAL|Traceback|Exception|emerg|crit)\b|^\[[EC] |\berror\b:?|\[error\]")
# What a hub or a proxy may write down of a token: the header, the query and the bare value of a generated one.
SECRET = re.compile(
    r"(?P<name>\b(?:token|password|secret|authorization|cookie)\b['\"]?\s*[:= ]\s*['\"]?(?:token |Bearer )?)"
    r"[A-Za-z0-9+/_.~-]{8,}",
    re.IGNORECASE,
)
LONG_HEX = re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE)


def logs_argv(docker_cli: str, container: str, since: int = 0) -> list[str]:
    """Return the command that prints the end of a container's log; since: seconds of the epoch, 0 for all of it."""
    return [docker_cli, "logs", "--tail", str(TAIL), *(["--since", str(since)] if since else []), container]


def server_argv(docker_cli: str, instance: str, user: str) -> list[str]:
    """Return the command that prints the names of the containers of a user's servers, which say not whose they are."""
    labels = {"instance": instance, "role": "user", "user": user}
    filters = [f"--filter=label=galilean.hub.{key}={value}" for key, value in labels.items()]
    return [docker_cli, "ps", "--all", *filters, "--format={{.Names}}"]


def visible(text: str) -> str:
    """Return the text without terminal colours, and with letters for other signs that a terminal obeys or does not show."""
    text = ANSI_ESCAPE.sub("", text)
    return "".join(
        sign if sign.isprintable() or sign == "\t" else sign.encode("unicode_escape").decode()
        for sign in text
    )


def redact(line: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the line without anything that a terminal obeys and without anything that looks like a secret."""
    line = visible(line)
    for secret in secrets:
        if secret:
            line = line.replace(secret, "********")
    line = SECRET.sub(lambda match: match.group("name") + "********", line)
    return LONG_HEX.sub("********", line)


def telling_lines(log: str, words: tuple[str, ...], secrets: tuple[str, ...] = ()) -> list[str]:
    """Return the last lines that carry one of the words or look like an error, with the tracebacks that follow them.

    Where there is none, the end of the log is better than nothing.
    """
    lines = [line.rstrip() for line in log.splitlines() if line.strip()]
    chosen: list[str] = []
    depth: int | None = None
    for line in lines:
        plain = ANSI_ESCAPE.sub("", line)
        indent = len(plain) - len(plain.lstrip())
        if depth is not None and indent >= depth:
            # The frames are indented deeper than the head; the first line that is not is the exception itself.
            chosen.append(plain)
            depth = depth if indent > depth else None
            continue
        depth = indent if "Traceback (" in plain else None
        if depth is not None or TELLING.search(plain) or any(word in plain for word in words):
            chosen.append(plain)
    chosen = chosen or lines[-5:]
    return [redact(line, secrets)[:WIDTH] for line in chosen[-LINES:]]


def as_text(logs: dict[str, list[str]]) -> list[str]:
    """Return the lines of all containers for the error message, each block under the name of its container."""
    return [
        text
        for name, lines in logs.items()
        for text in (f"Last lines of {name}:", *(f"  {line}" for line in lines))
    ]


def read_logs(
    run: t.Callable[[list[str]], tuple[int, str, str]],
    docker_cli: str,
    containers: list[str],
    words: tuple[str, ...],
    secrets: tuple[str, ...],
    since: int,
    server: tuple[str, str] | None = None,
) -> dict[str, list[str]]:
    """Return the telling lines of every container that exists; none where there is no Docker client.

    server: the instance and the user whose server's container is looked at, too.
    """
    logs = {}
    try:
        code, out, _err = run(server_argv(docker_cli, *server)) if server else (0, "", "")
        for name in [*containers, *(out.split() if code == 0 else [])]:
            code, out, err = run(logs_argv(docker_cli, name, since))
            lines = telling_lines(out + err, words, secrets) if code == 0 else []
            if lines:
                logs[name] = lines
    except OSError:
        return {}
    return logs
