# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What goes into the hub's log: no code or token of a login, and no line that is not the hub's.

JupyterHub hides secrets in its own lines, Tornado does not. Both write what strangers send as it is.
"""

from __future__ import annotations

import logging
import re
import traceback
from typing import Any

# What providers and JupyterHub put into addresses (RFC 6749, section 4.1.2, and RFC 6750, section 2.3).
SECRET = re.compile(r"([?&](?:code|state|token|access_token|id_token|_xsrf)=)[^&\s'\"]+")


# How a line begins that a user's server wrote.
QUOTE = "  | "


def visible(text: str, kept: str = "") -> str:
    """The text, with letters for the signs that end a line, that a terminal obeys or that nobody sees."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in kept else sign.encode("unicode_escape").decode()
        for sign in text
    )


class Record(logging.LogRecord):
    """One line, but for quoted lines of users' servers and the traceback of an error: of any logger."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0]:
            # Formatters take it as it is.
            said = "".join(traceback.format_exception(*self.exc_info))
            self.exc_text = visible(said.rstrip(), kept="\n")

    def getMessage(self) -> str:
        return f"\n{QUOTE}".join(visible(part) for part in super().getMessage().split(f"\n{QUOTE}"))


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
        QUOTE + "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line[:1000])
        for line in lines
    )


def use() -> None:
    """Have all loggers write such records, and Tornado's hide secrets."""
    logging.setLogRecordFactory(Record)
    for name in ("tornado.general", "tornado.application", "tornado.access"):
        logging.getLogger(name).addFilter(without_secrets)
