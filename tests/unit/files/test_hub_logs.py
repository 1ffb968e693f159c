# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lines of the hub's log: without codes and tokens of logins, and none that somebody else wrote."""

from __future__ import annotations

import logging

import pytest
from galilean_hub.logs import Record, quoted, without_secrets


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (
            "403 GET /hub/oauth_callback?code=abc&state=x%3D&iss=y",
            "403 GET /hub/oauth_callback?code=[secret]&state=[secret]&iss=y",
        ),
        ("GET /user/ada/?token=abc (ada)", "GET /user/ada/?token=[secret] (ada)"),
        ("GET /hub/home?next=/a", "GET /hub/home?next=/a"),
        ("100 % of code=1", "100 % of code=1"),
    ],
)
def test_what_is_kept(said: str, kept: str) -> None:
    record = logging.LogRecord("tornado.general", logging.WARNING, "web.py", 1, "%s", (said,), None)
    assert without_secrets(record)
    assert record.getMessage() == kept


def test_nobody_writes_lines_of_the_hub() -> None:
    """The last words of a user's server are quoted: they could be a login of somebody else's."""
    said = "Traceback: für\tÄ\n[I 2026 JupyterHub] mallory\r[I 2026] x\u2028[I] y\x1b[2Jz\xff".encode()
    assert quoted(said + b"\xff\n").split("\n") == [
        "  | Traceback: für\ufffdÄ",
        "  | [I 2026 JupyterHub] mallory",
        "  | [I 2026] x",
        "  | [I] y\ufffd[2Jzÿ\ufffd",
    ]
    assert len(quoted(b"x" * 10**6)) < 2000


FORGED = "[I 2026-01-01 00:00:00.000 JupyterHub base:1033] User logged in: boss"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("für ada, 100 %", "für ada, 100 %"),
        (f"a\n{FORGED}\x1b]0;x\x07", f"a\\n{FORGED}\\x1b]0;x\\x07"),
        ("a\r\x85\u2028\u202e\u200b\x9b2J\udcff", "a\\r\\x85\\u2028\\u202e\\u200b\\x9b2J\\udcff"),
        # What a user's server wrote is below the line that says so.
        ("its last lines:\n  | a\n  | b\x1bc", "its last lines:\n  | a\n  | b\\x1bc"),
    ],
)
def test_each_record_is_one_line(said: str, shown: str) -> None:
    """Before: strangers wrote lines of the hub by an address, and operators' terminals obeyed them."""
    assert Record("any", logging.WARNING, "x.py", 1, "%s", (said,), None).getMessage() == shown


def test_only_tracebacks_have_more_lines() -> None:
    try:
        raise ValueError(f"a\x1b[2J\r{FORGED}")
    except ValueError as exc:
        record = Record("any", logging.ERROR, "x.py", 1, "failed", (), (type(exc), exc, exc.__traceback__))
    shown = logging.Formatter().format(record).split("\n")
    assert shown[:2] == ["failed", "Traceback (most recent call last):"]
    assert shown[-1] == f"ValueError: a\\x1b[2J\\r{FORGED}"
    assert Record("any", logging.ERROR, "x.py", 1, "no error", (), (None, None, None)).exc_text is None
