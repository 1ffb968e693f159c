# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.engine import container_logs as logs

TRACEBACK = """\
[I 2026-11-20 JupyterHub app:1] quiet
[E 2026-11-20 JupyterHub user:1] Unhandled error starting x's server
    Traceback (most recent call last):
      File "a.py", line 1, in start
    docker.errors.ImageNotFound: no such image
[I 2026-11-20 JupyterHub app:2] quiet
"""

# log, chosen lines
CASES: list[tuple[str, str, list[str]]] = [
    ("empty", "", []),
    (
        "nothing telling: the end",
        "\n".join(f"line {n}" for n in range(9)),
        [f"line {n}" for n in range(4, 9)],
    ),
    ("the user's name", "a\nGET /user/hub-check/\nb", ["GET /user/hub-check/"]),
    ("a traceback with its log line", TRACEBACK, TRACEBACK.splitlines()[1:5]),
    (
        "a bare traceback ends with the exception",
        "x\nTraceback (most recent call last):\n  File 'a'\nValueError: no\nquiet",
        ["Traceback (most recent call last):", "  File 'a'", "ValueError: no"],
    ),
    ("nginx", "fine\n2026/11/20 [error] 7#7: connect() failed", ["2026/11/20 [error] 7#7: connect() failed"]),
    ("colours", "\x1b[31mERROR\x1b[39m: no", ["ERROR: no"]),
    (
        "what a terminal obeys",
        "\x1b]0;t\x07ERROR\x1bc\u202e: no\x1b]8;;x",
        ["ERROR\\x1bc\\u202e: no\\x1b]8;;x"],
    ),
]


@pytest.mark.parametrize(("log", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_telling_lines(log: str, expected: list[str]) -> None:
    assert logs.telling_lines(log, ("hub-check",)) == expected


def test_only_the_last_lines_and_no_endless_one() -> None:
    chosen = logs.telling_lines("\n".join("ERROR " + "x" * 999 for _ in range(99)), ())
    assert len(chosen) == logs.LINES
    assert {len(line) for line in chosen} == {logs.WIDTH}


SECRETS: list[tuple[str, str]] = [
    ("Authorization: token abcdefgh12345678", "Authorization: token ********"),
    ("Authorization: Bearer abcdefgh12345678", "Authorization: Bearer ********"),
    ("GET /hub/api?token=abcdefgh12345678&x=1", "GET /hub/api?token=********&x=1"),
    ('{"password": "correct-horse"}', '{"password": "********"}'),
    ("made 0123456789abcdef0123456789abcdef", "made ********"),
    ("the given one: s3cret!", "the given one: ********"),
    ("token refused", "token refused"),
]


@pytest.mark.parametrize(("line", "expected"), SECRETS)
def test_redact(line: str, expected: str) -> None:
    assert logs.redact(line, ("s3cret!", "")) == expected


def test_as_text() -> None:
    assert logs.as_text({"a": ["1", "2"], "b": ["3"]}) == [
        "Last lines of a:",
        "  1",
        "  2",
        "Last lines of b:",
        "  3",
    ]
    assert logs.as_text({}) == []


def test_read_logs() -> None:
    asked: list[list[str]] = []

    def run(argv: list[str]) -> tuple[int, str, str]:
        asked.append(argv)
        return (0, "", "ERROR: token abcdefgh12345678") if argv[-1] == "a" else (1, "", "no such container")

    assert logs.read_logs(run, "docker", ["a", "gone"], (), (), 5) == {"a": ["ERROR: token ********"]}
    assert [argv[-1] for argv in asked] == ["a", "gone"]


def test_the_container_of_a_users_server_is_found_by_its_labels() -> None:
    def run(argv: list[str]) -> tuple[int, str, str]:
        if argv[1] == "ps":
            assert "--filter=label=galilean.hub.user=probe" in argv
            assert "--filter=label=galilean.hub.instance=hub" in argv
            return (0, "hub-user-0123\n", "")
        return (0, f"ERROR: {argv[-1]}", "")

    found = logs.read_logs(run, "docker", ["a"], (), (), 0, ("hub", "probe"))
    assert found == {"a": ["ERROR: a"], "hub-user-0123": ["ERROR: hub-user-0123"]}


def test_read_logs_without_a_client() -> None:
    def run(argv: list[str]) -> tuple[int, str, str]:
        raise FileNotFoundError(argv[0])

    assert logs.read_logs(run, "docker", ["a"], (), (), 0) == {}
