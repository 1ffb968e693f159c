# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One check: JSON on standard input says what to check, lines of JSON on standard output what was seen.

The check goes on for as long as standard input is open. When that is closed, or a signal comes, it tidies up
and ends. So a killed run leaves nothing behind either. After a failure it waits for that end before it tidies
up: a container that is removed takes its log with it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import Any

from ..shared.hub_api import HubClient
from ..shared.hub_http import UrlTransport, trust
from .channel import WebsocketChannel
from .run import CheckFailure, CheckSettings, HubCheck

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Ended(KeyboardInterrupt):
    """The check was told to end. Of all exceptions, asyncio lets this kind pass wherever it is raised."""


def end(_number: int, _frame: FrameType | None) -> None:
    # Signals often come more than once: that must not end the tidying up.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Ended


def end_with_input() -> None:
    """Do what a signal does when standard input is closed."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


def main() -> None:
    given = json.loads(sys.stdin.readline())
    token = given["token"]
    context = trust(given["validate_certs"], given["certificates"])
    client = HubClient(given["url"], UrlTransport(token, context))

    def open_channel(url: str, timeout: float) -> WebsocketChannel:
        return WebsocketChannel(url, token, context, timeout)

    check = HubCheck(CheckSettings(**given["settings"]), client, open_channel)
    for number in SIGNALS:
        signal.signal(number, end)
    threading.Thread(target=end_with_input, daemon=True).start()
    try:
        try:
            check.run()
        except CheckFailure as exc:
            say(phase=exc.phase, reason=str(exc))
            while True:
                time.sleep(1)
    except Ended:
        pass
    left = check.clean_up()
    say(left=left, **vars(check.result))


if __name__ == "__main__":
    main()
