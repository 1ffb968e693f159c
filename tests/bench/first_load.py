# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long a person waits from the click on "Sign in" to a launcher that can be used, over slow lines.

    python tests/bench/first_load.py --url http://127.0.0.1:8000 --user ada --password PASSWORD [--repeats 3]

The user's server runs before. Chromium limits its own line; a browser that takes nothing compressed stands
for how it was before files were compressed, in turns with one that takes all. Each visit is the first one of
a new profile, and then once more.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from results import bench_parser, publish

LATENCY_MS = 20
LINES_MBIT = (10, 2)
VARIANTS = {"uncompressed": {"Accept-Encoding": "identity"}, "as deployed": {}}
CARD = ".jp-LauncherCard"
PATIENCE_MS = 180_000


class Line:
    """Chromium's own limit of a page, and what has come through it."""

    def __init__(self, page: Page, mbit: float, headers: dict[str, str]) -> None:
        self.requests, self.bytes = 0, 0
        self._session = page.context.new_cdp_session(page)
        self._session.on("Network.loadingFinished", self._count)
        self._session.send("Network.enable")
        self._session.send("Network.setExtraHTTPHeaders", {"headers": headers})
        rate = mbit * 1e6 / 8
        limits = {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": rate,
            "uploadThroughput": rate,
        }
        self._session.send("Network.emulateNetworkConditions", limits)

    def _count(self, event: dict[str, Any]) -> None:
        self.requests += 1
        self.bytes += event["encodedDataLength"]


def log_in(page: Page, url: str, user: str, password: str) -> None:
    page.goto(f"{url}/hub/login")
    page.fill("#username_input", user)
    page.fill("#password_input", password)


def until_usable(page: Page) -> None:
    page.locator(CARD).first.click(trial=True, timeout=PATIENCE_MS)


def visit(
    browser: Browser, url: str, user: str, password: str, mbit: float, headers: dict[str, str]
) -> dict[str, float]:
    """Seconds of both visits, and what was sent for the first."""
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    line = Line(page, mbit, headers)
    began = time.monotonic()
    log_in(page, url, user, password)
    login_page, login_bytes = time.monotonic() - began, line.bytes
    began = time.monotonic()
    page.click("#login_submit")
    until_usable(page)
    first, requests, sent = time.monotonic() - began, line.requests, line.bytes - login_bytes
    page.goto("about:blank")
    began = time.monotonic()
    page.goto(f"{url}/user/{user}/lab")
    until_usable(page)
    second = time.monotonic() - began
    context.close()
    return {
        "login_page": login_page,
        "first": first,
        "second": second,
        "kib": sent / 1024,
        "login_kib": login_bytes / 1024,
        "requests": requests,
    }


def main() -> None:
    parser = bench_parser(__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    results: dict[str, Any] = {}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        who = (options.url.rstrip("/"), options.user, options.password)
        # The server is there, and has answered once.
        visit(browser, *who, 1000, {})
        seen: dict[tuple[int, str], list[dict[str, float]]] = {}
        for _, mbit, name in itertools.product(range(options.repeats), LINES_MBIT, VARIANTS):
            seen.setdefault((mbit, name), []).append(visit(browser, *who, mbit, VARIANTS[name]))
        browser.close()
    for (mbit, name), visits in seen.items():
        results[f"{mbit} Mbit/s, {name}"] = {
            key: round(statistics.median(one[key] for one in visits), 2) for key in visits[0]
        }
    for mbit in LINES_MBIT:
        plain, deployed = (results[f"{mbit} Mbit/s, {name}"] for name in VARIANTS)
        results[f"{mbit} Mbit/s, ratio"] = {key: round(deployed[key] / plain[key], 2) for key in plain}
    publish(results, options.json)


if __name__ == "__main__":
    main()
