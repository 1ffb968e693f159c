# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Times, sizes and tables, as people write and read them. Pure."""

from __future__ import annotations

import re
import time
import typing as t
from datetime import datetime, timedelta

from .settings import Problem

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, now: float) -> float:
    """The time that an operator means, in seconds since 1970; raises Problem.

    18:30 is the next time that clocks of this host show it; 2026-12-01 18:30 is a day; 30m, 2h and 1d are from now on.
    """
    here = datetime.fromtimestamp(now)
    later = re.fullmatch(r"\+?(\d{1,4})([mhd])", text)
    clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if later:
        return now + timedelta(**{UNITS[later[2]]: int(later[1])}).total_seconds()
    if clock:
        then = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return (then if then > here else then + timedelta(days=1)).timestamp()
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise Problem(f"The time is '{text}': give 18:30, '2026-12-01 18:30', 30m, 2h or 1d.") from None
    if found <= now:
        raise Problem(f"The time is '{text}', which is over: give one that comes.")
    return found


def shown(seconds: float) -> str:
    """A moment by the clock of this host."""
    return time.strftime("%a %d %b %Y, %H:%M %Z", time.localtime(seconds))


def stamp(seconds: float) -> str:
    """A moment as ISO 8601 text in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def seconds_of(text: str) -> float:
    """A moment as ISO 8601 text, with or without fractions, in UTC; 0 for none that can be read."""
    plain = re.sub(r"\.\d+", "", str(text)).replace("Z", "+00:00")
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return 0.0
    return (found if found.tzinfo else datetime.fromisoformat(f"{plain}+00:00")).timestamp()


def ago(seconds: float) -> str:
    """A length of time in one word or two."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (size == 60 and seconds >= 60):
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "now"


def size(amount: float) -> str:
    """Bytes in binary units."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def table(rows: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Rows of words, the first one with the names of the columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths)).rstrip() for row in rows]
