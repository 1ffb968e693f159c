# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person at a browser: Debian's Chromium without a window, and what one does in JupyterLab."""

from __future__ import annotations

import contextlib
import re
import shutil
import typing as t
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, sync_playwright

# A server that starts on a busy machine takes a while; nothing here is about how fast it is.
PATIENCE = 180_000

# Messages that say nothing about the hub: any other error on a page's console fails the test.
ALLOWED = (
    # JupyterLab asks for workspaces and settings that a new user does not have yet.
    re.compile(r"Failed to load resource: .* 404 .*/lab/api/(workspaces|settings)/"),
    # Chromium drops requests whenever any container on the machine comes or goes, even those to loopback, and
    # JupyterLab asks again: what is asserted beside this fails where it does not.
    re.compile(r"net::ERR_NETWORK_CHANGED"),
)


class Visit:
    """One page of one person, with all that went wrong in it."""

    def __init__(self, page: Page, url: str, pictures: Path, patience: int = PATIENCE) -> None:
        self.page = page
        self.url = url.rstrip("/")
        self._pictures = pictures
        self.errors: list[str] = []
        page.set_default_timeout(patience)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(f"exception: {error}"))

    def _on_console(self, message: t.Any) -> None:
        if message.type != "error":
            return
        text = f"{message.text} {message.location.get('url', '')}"
        if not any(pattern.search(text) for pattern in ALLOWED):
            self.errors.append(text)

    def picture(self, name: str) -> Path:
        """Keep what is to be seen."""
        self._pictures.mkdir(parents=True, exist_ok=True)
        path = self._pictures / f"{name}.png"
        self.page.screenshot(path=path)
        return path

    def go(self, path: str) -> None:
        """Open an address of the hub, again where Chromium gives up because some container came or went."""
        for attempt in range(5):
            try:
                self.page.goto(f"{self.url}{path}")
                return
            except Error as error:
                if "ERR_NETWORK_CHANGED" not in str(error) or attempt == 4:
                    raise

    def log_in(self, user: str, password: str) -> None:
        """Log in and wait until JupyterLab is there."""
        self.go("/hub/login")
        self.page.fill("#username_input", user)
        self.page.fill("#password_input", password)
        self.page.click("#login_submit")
        self.page.wait_for_url(re.compile(rf"/user/{re.escape(user)}/lab"))
        self.page.wait_for_selector("#jp-main-dock-panel")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        self.page.locator(".jp-Launcher, .jp-NotebookPanel").first.wait_for()

    def open_notebook(self, name: str) -> None:
        """Open a notebook as a double click in the file list does, and wait until its kernel is ready."""
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        self._wait_for_kernel()

    def _wait_for_kernel(self) -> None:
        # The circle beside the kernel's name is there before there is a kernel; the status bar knows.
        self.page.get_by_text(re.compile(r"\S \| Idle$")).first.wait_for()
        self.page.wait_for_selector('.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]')

    def run_all(self) -> list[str]:
        """Run all cells by the menu, wait for the end, and return the text of each code cell's output."""
        cells = self.page.locator(".jp-NotebookPanel .jp-CodeCell")
        before = cells.count()
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        # A cell that ran has a number: [1]:, one that waits has a star.
        prompts = self.page.locator(".jp-NotebookPanel .jp-CodeCell .jp-InputPrompt")
        done = re.compile(r"^\[\d+\]:$")
        for number in range(before):
            self._wait_for_text(prompts.nth(number), done)
        self._wait_for_kernel()
        return [cells.nth(number).locator(".jp-Cell-outputArea").inner_text() for number in range(before)]

    def _wait_for_text(self, locator: Locator, pattern: re.Pattern[str]) -> None:
        locator.filter(has_text=pattern).wait_for()

    def kernel_name(self) -> str:
        """Return the name of the notebook's kernel as the person reads it."""
        return self.page.locator(".jp-NotebookPanel .jp-KernelName").inner_text().strip()


@contextlib.contextmanager
def visit(
    url: str, pictures: Path, own_certificate: bool = False, patience: int = PATIENCE
) -> t.Iterator[Visit]:
    """Open a browser of its own, with nothing remembered; it may accept a certificate that nobody signed."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: `make setup-dev` installs it"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            # Root is refused a sandbox, /dev/shm may be small, and no proxy stands before loopback.
            args=["--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"],
        )
        try:
            context = browser.new_context(
                viewport={"width": 1400, "height": 900}, locale="en-GB", ignore_https_errors=own_certificate
            )
            page = context.new_page()
            seen = Visit(page, url, pictures, patience)
            try:
                yield seen
            except Exception:
                seen.picture("failure")
                raise
        finally:
            browser.close()
