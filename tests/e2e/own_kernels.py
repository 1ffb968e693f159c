# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What people put into their homes that concerns kernels, and what they then see in JupyterLab."""

from __future__ import annotations

import re
from pathlib import Path

from browser import PATIENCE, Visit
from deployment import docker, server_of
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

# As the welcome notebooks say, with ipykernel taken from the image in the place of a download.
ENVIRONMENT = """
python3 -m venv --without-pip ~/envs/own
echo /opt/notebook/lib/python3.13/site-packages > ~/envs/own/lib/python3.13/site-packages/own.pth
~/envs/own/bin/python -m ipykernel install --user --name own --display-name "My own"
~/envs/own/bin/python -m ipykernel install --user --name python3 --display-name "Python 3"
mkdir ~/.local/share/jupyter/kernels/broken
echo '{' > ~/.local/share/jupyter/kernels/broken/kernel.json
"""
# An old traitlets, which no kernel starts with, and a package that is only the user's.
PACKAGES = """
site=~/.local/lib/python3.13/site-packages
mkdir -p $site/traitlets $site/traitlets-4.3.3.dist-info && cd $site
echo 'raise ImportError("too old")' > traitlets/__init__.py
printf 'Metadata-Version: 2.1\\nName: traitlets\\nVersion: 4.3.3\\n' > traitlets-4.3.3.dist-info/METADATA
echo 'kept = "mine"' > only_mine.py
"""
# More than the server's memory, whatever its limit.
EAT = "[bytearray(b'x' * 2**28) for _ in range(400)]"
UPLOAD = "import ipywidgets as w; u = w.FileUpload(); display(u)"


def put(instance: str, user: str, script: str) -> None:
    docker("exec", server_of(instance, user), "sh", "-ec", script)


def start_notebook(seen: Visit, title: str) -> None:
    """A new notebook with the kernel of this title, from the launcher."""
    page = seen.page
    if not page.locator(".jp-Launcher").is_visible():
        page.get_by_title(re.compile("^New Launcher")).first.click()
    card = page.locator(".jp-LauncherCard[data-category='Notebook']")
    card.filter(has=page.get_by_text(title, exact=True)).click()
    page.wait_for_selector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell")
    page.get_by_text(re.compile(rf"{re.escape(title)} \| Idle$")).wait_for()


def run(seen: Visit, code: str) -> None:
    """Type code into the last cell, and run it."""
    panel = seen.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator(".jp-CodeCell .cm-content").last.click()
    seen.page.keyboard.insert_text(code)
    seen.page.keyboard.press("Shift+Enter")


def printed(seen: Visit, text: str) -> None:
    """Wait for an output."""
    panel = seen.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    panel.locator(".jp-OutputArea-output", has_text=text).last.wait_for()


def dismiss_ends(seen: Visit) -> None:
    """Close JupyterLab's own dialog on a kernel that died, whenever it lies over what is clicked."""
    died = seen.page.locator(".jp-Dialog").get_by_role("button", name="Ok", exact=True)
    seen.page.add_locator_handler(died, lambda: died.click())


def told(seen: Visit, beginning: str) -> str:
    """Wait for a notice, and return all of it."""
    notice = seen.page.locator(".Toastify__toast", has_text=beginning).first
    try:
        notice.wait_for(timeout=PATIENCE)
    except PlaywrightTimeoutError:
        raise AssertionError(seen.page.locator(".Toastify__toast").all_inner_texts()) from None
    details = notice.get_by_role("button", name="Details")
    if not details.is_visible():
        return notice.inner_text()
    details.click()
    dialog = seen.page.locator(".jp-Dialog", has=seen.page.get_by_role("button", name="Close", exact=True))
    text = dialog.locator(".jp-Dialog-body").inner_text()
    dialog.get_by_role("button", name="Close", exact=True).click()
    return text


def upload(seen: Visit, file: Path) -> None:
    """Give a file to the widget for uploads."""
    with seen.page.expect_file_chooser() as chosen:
        seen.page.locator(".jp-OutputArea-output button", has_text="Upload").last.click()
    chosen.value.set_files(file)
