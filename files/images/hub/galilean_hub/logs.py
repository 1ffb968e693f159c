# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What goes into the hub's log: no code or token of a login, and no line that is not the hub's.

JupyterHub hides secrets in its own lines, Tornado does not.
"""

from __future__ import annotations

import logging
import re

# What providers and JupyterHub put into addresses (RFC 6749, section 4.1.2, and RFC 6750, section 2.3).
SECRET = re.compile(r"([?&](?:code|state|token|access_token|id_token|_xsrf)=)[^&\s'\"]+")


def without_secrets(record: logging.LogRecord) -> bool:
    """A filter of logging: it keeps every line, and takes the secrets out of it."""
    text = record.getMessage()
    if "=" in text:
        record.msg, record.args = SECRET.sub(r"\1[secret]", text), ()
    return True


def quoted(said: bytes) -> str:
    """What a user's server wrote, as no line of the hub and without signs that a terminal obeys."""
    lines = said.decode(errors="replace").splitlines()
    return "\n".join(
        "  | " + "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line[:1000])
        for line in lines
    )


def hide_secrets() -> None:
    """Apply it to Tornado's loggers."""
    for name in ("tornado.general", "tornado.application", "tornado.access"):
        logging.getLogger(name).addFilter(without_secrets)
