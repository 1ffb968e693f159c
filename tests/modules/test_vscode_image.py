# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image with VS Code, which a site adds to its list in two lines."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest
from engine import apply_images, docker
from environments import Server, running

# An extension as people install it from a file; a registry gives the same.
EXTENSION = """
mkdir -p /tmp/own/extension && cd /tmp/own
cat > extension/package.json <<'END'
{"name": "own", "publisher": "test", "version": "1.0.0", "engines": {"vscode": "*"}}
END
cat > extension.vsixmanifest <<'END'
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
<Metadata><Identity Id="own" Version="1.0.0" Publisher="test"/></Metadata><Dependencies/>
<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
<Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json"/></Assets>
</PackageManifest>
END
python3 -m zipfile -c ../own.vsix extension.vsixmanifest extension
/opt/vscode/bin/code-server --install-extension /tmp/own.vsix
"""
OWN = "~/.local/share/code-server"


@pytest.fixture(scope="module")
def vscode(prefix: str, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    """As docs/environments.md says; built into the same list as everything else, and shared like it."""
    extra = {"images_catalog_extra": [{"name": "vscode", "parent": "notebook"}]}
    done = apply_images(tmp_path_factory.mktemp("vscode"), extra)
    assert done.status == 0, done.said
    with running(done.refs["vscode"], f"{prefix}-vscode") as server:
        yield server


def test_it_is_in_the_launcher(vscode: Server) -> None:
    (app,) = json.loads(vscode.get("server-proxy/servers-info")[2])["server_processes"]
    assert (app["name"], app["launcher_entry"]["title"]) == ("vscode", "VS Code")
    assert vscode.get("server-proxy/icon/vscode")[0] == 200


def test_only_its_user_reaches_it(vscode: Server) -> None:
    status, url, _ = vscode.get("vscode/", token=False)
    assert status == 403 or "/login" in url
    # It listens nowhere but on a socket of its user's, and wants no password there.
    assert vscode.get("vscode/")[0] == 200
    listening = docker("exec", vscode.container, "cat", "/proc/net/tcp", "/proc/net/tcp6")
    ports = {int(port, 16) for port in re.findall(r":([0-9A-F]{4}) \S+ 0A ", listening)}
    assert ports == {8888}
    assert docker("exec", vscode.container, "sh", "-c", "ls -A ~/.config 2>/dev/null; true") == ""


def test_a_person_edits_and_has_a_terminal(vscode: Server, tmp_path: Path) -> None:
    docker("exec", vscode.container, "sh", "-c", "echo 'print(6 * 7)' > ~/answer.py")
    with vscode.visit(tmp_path, "vscode/") as person:
        page = person.page
        # Asked before the first program is started, or before.
        trust = page.get_by_role("button", name=re.compile("I trust the authors|Trust Folder"))
        page.add_locator_handler(trust, lambda button: button.click())
        page.locator(".monaco-workbench").wait_for()
        person.picture("vscode-first")
        page.locator(".explorer-folders-view").get_by_text("answer.py").first.dblclick()
        page.locator(".monaco-editor").get_by_text("print").first.wait_for()
        page.keyboard.press("Control+Backquote")
        page.locator(".terminal-wrapper .xterm").first.wait_for()
        # Keys that come before the shell's first prompt are lost.
        for _ in range(5):
            page.wait_for_timeout(3000)
            page.locator(".terminal-wrapper .xterm").first.click()
            page.keyboard.type("python3 answer.py > said.txt\n")
            page.wait_for_timeout(1000)
            if docker("exec", vscode.container, "sh", "-c", "cat ~/said.txt; true") == "42":
                break
        person.picture("vscode")
        page.locator(".explorer-folders-view").get_by_text("said.txt").first.wait_for()
        assert page.get_by_text("Build with Agent").count() == 0
        # A file and a setting are saved.
        page.locator(".monaco-editor").get_by_text("print").first.click()
        page.keyboard.press("Control+End")
        page.keyboard.type("# mine")
        page.keyboard.press("Control+S")
        page.keyboard.press("F1")
        page.keyboard.type("Toggle between Light/Dark Themes")
        page.locator(".quick-input-list").get_by_text("Toggle between Light/Dark Themes").first.click()
        saved = f"grep -c mine ~/answer.py; grep -c workbench.colorTheme {OWN}/User/settings.json"
        for _ in range(50):
            page.wait_for_timeout(200)
            if docker("exec", vscode.container, "sh", "-c", f"{saved}; true").split() == ["1", "1"]:
                break
        person.picture("vscode-saved")
    assert docker("exec", vscode.container, "sh", "-c", saved).split() == ["1", "1"]
    assert docker("exec", vscode.container, "sh", "-c", "cat ~/said.txt") == "42"


def test_extensions_are_installed_in_the_home(vscode: Server) -> None:
    docker("exec", vscode.container, "sh", "-c", EXTENSION)
    assert docker("exec", vscode.container, "sh", "-c", f"ls {OWN}/extensions").split() == [
        "extensions.json",
        "test.own-1.0.0",
    ]
