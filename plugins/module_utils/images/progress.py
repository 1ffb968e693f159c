# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What is said of builds that run. Pure."""

from __future__ import annotations

# The last line that the builds write.
ENDED = "ended"
# Seconds without news after which it is said what runs.
QUIET = 60


class Progress:
    """Turns lines C(building|built|failed <image> <seconds>) into what an operator reads, each of them once."""

    def __init__(self, host: str, now: float) -> None:
        self.host, self.said = host, now
        self.read = 0
        self.running: dict[str, float] = {}
        self.ended = False

    def news(self, text: str, now: float) -> list[str]:
        """What to print of all that the builds have written so far; a line that is not complete waits."""
        lines = text.rpartition("\n")[0].splitlines()
        out = []
        for line in lines[self.read :]:
            event, _space, rest = line.partition(" ")
            name, _space, seconds = rest.partition(" ")
            if event == ENDED:
                self.ended = True
            elif event == "building":
                self.running[name] = now
                out.append(f"[{self.host}] building {name}")
            elif name in self.running:
                del self.running[name]
                out.append(f"[{self.host}] {event} {name} after {seconds} s")
        self.read = len(lines)
        if self.running and not out and now - self.said >= QUIET:
            rows = [f"{name} for {now - begun:.0f} s" for name, begun in self.running.items()]
            out.append(f"[{self.host}] still building {', '.join(rows)}")
        if out:
            self.said = now
        return out
