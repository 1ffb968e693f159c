# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person at a browser: Debian's Chromium without a window, and what one does in JupyterLab."""

from __future__ import annotations

import contextlib
import re
import time
import typing as t
from pathlib import Path

from playwright.sync_api import Locator, Page, expect, sync_playwright

CHROMIUM = Path(__file__).parent / "chromium_alone.py"

# A server that starts on a busy machine takes a while; nothing here is about how fast it is.
PATIENCE = 180_000
# Of each `expect` in all tests that open a browser by this file; playwright's own 5 s are too few.
expect.set_options(timeout=PATIENCE)

# Messages that say nothing about the hub: any other error on a page's console fails the test.
ALLOWED = (
    # JupyterLab asks for workspaces and settings that a new user does not have yet.
    re.compile(r"Failed to load resource: .* 404 .*/lab/api/(workspaces|settings)/"),
)


# Whether a file in the home has this size.
SIZE_OF = """
async ([name, size]) => {
  const base = JSON.parse(document.getElementById("jupyter-config-data").textContent).baseUrl;
  const headers = {"X-XSRFToken": (document.cookie.match(/\\b_xsrf=([^;]*)/) || ["", ""])[1]};
  const answer = await fetch(`${base}api/contents/${name}?content=0`, {headers});
  return answer.ok && (await answer.json()).size === size;
}
"""


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
        """Open an address of the hub."""
        self.page.goto(f"{self.url}{path}")

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

    def in_terminal(self, command: str) -> None:
        """Open a terminal by the launcher and type a command into it."""
        self.page.locator(".jp-LauncherCard", has_text="Terminal").click()
        self.page.locator(".jp-Terminal .xterm").wait_for()
        # Keys that come before the shell's first prompt are lost.
        self.page.wait_for_timeout(5000)
        self.page.locator(".jp-Terminal textarea").focus()
        self.page.keyboard.type(command + "\n")

    def upload(self, file: Path) -> None:
        """Upload a file by the button of the file browser, and wait until all of it is there."""
        with self.page.expect_file_chooser() as chosen:
            self.page.get_by_title("Upload Files").click()
        chosen.value.set_files(file)
        # JupyterLab asks before it sends more than 15 MB.
        if file.stat().st_size > 15 * 2**20:
            self.page.get_by_role("button", name="Upload", exact=True).click()
        self.page.get_by_text(file.name).first.wait_for()
        # It is listed from its first piece on. wait_for_function would take the promise itself for a yes.
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(SIZE_OF, [file.name, file.stat().st_size]):
            assert time.monotonic() < end, f"{file.name} is not there after {PATIENCE / 1000:.0f} s"
            self.page.wait_for_timeout(500)

    def download(self, name: str) -> Path:
        """Download a file by its context menu; where the browser put it."""
        self.page.locator(".jp-DirListing-item", has_text=name).click(button="right")
        with self.page.expect_download() as begun:
            self.page.get_by_role("menuitem", name="Download", exact=True).click()
        return Path(begun.value.path())

    def new_token(self, note: str) -> str:
        """Ask for an API token on the page for it."""
        self.go("/hub/token")
        # The button does nothing of its own before the page's scripts have come.
        self.page.wait_for_load_state("networkidle")
        self.page.fill("#token-note", note)
        self.page.get_by_role("button", name="Request new API token").click()
        result = self.page.locator("#token-result")
        result.wait_for()
        return (result.text_content() or "").strip()

    def open_notebook(self, name: str) -> None:
        """Open a notebook as a double click in the file list does, and wait until its kernel is ready."""
        self.page.locator(".jp-DirListing-item", has_text=name).dblclick()
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")
        self._wait_for_kernel()

    def new_notebook(self) -> None:
        """Open a notebook by the launcher."""
        self.page.locator(".jp-LauncherCard[data-category='Notebook']").first.click()
        self.page.wait_for_selector(".jp-NotebookPanel .jp-Cell")

    def _wait_for_kernel(self) -> None:
        # The circle beside the kernel's name is there before there is a kernel; the status bar knows.
        self.page.get_by_text(re.compile(r"\S \| Idle$")).first.wait_for()
        self.page.wait_for_selector('.jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status="idle"]')

    def run_all(self) -> list[str]:
        """Run all cells by the menu, wait for the end, and return the text of each code cell's output."""
        cells = self.page.locator(".jp-NotebookPanel .jp-CodeCell")
        before = cells.count()
        # JupyterLab that still looks for a kernel starts a second one. What it was to run may then
        # wait for ever, for the one that it gives up.
        self._wait_for_kernel()
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
    url: str,
    pictures: Path,
    own_certificate: bool = False,
    patience: int = PATIENCE,
    hosts: str = "",
    trusted_key: str = "",
) -> t.Iterator[Visit]:
    """Open a browser of its own, with nothing remembered; it may accept a certificate that nobody signed.

    hosts: where names lead to, as Chromium's --host-resolver-rules has it. trusted_key: digest of a key whose
    certificate is as good as an authority's; with own_certificate all are, but there are no service workers.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Root is refused a sandbox, /dev/shm may be small, and no proxy stands before loopback.
            args=[
                *("--no-sandbox", "--disable-dev-shm-usage", "--no-proxy-server"),
                *([f"--host-resolver-rules={hosts}"] if hosts else []),
                *([f"--ignore-certificate-errors-spki-list={trusted_key}"] if trusted_key else []),
            ],
        )
        try:
            context = browser.new_context(
                viewport={"width": 1400, "height": 900}, locale="en-GB", ignore_https_errors=own_certificate
            )
            page = context.new_page()
            seen = Visit(page, url, pictures, patience)
            try:
                yield seen
            except Exception as error:
                picture = seen.picture("failure")
                said = "".join(f"\n  {line}" for line in seen.errors)
                error.add_note(f"{page.url} is in {picture}; its console said:{said or ' nothing'}")
                raise
        finally:
            browser.close()
