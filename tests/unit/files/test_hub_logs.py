# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lines of the hub's log: without codes and tokens of logins, and none that somebody else wrote."""

from __future__ import annotations

import logging

import pytest
from galilean_hub.logs import quoted, without_secrets


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
