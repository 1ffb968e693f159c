# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the build of the notebook image refuses in the look of JupyterLab."""

from __future__ import annotations

import importlib.util
import json
import typing as t
from pathlib import Path

import pytest

CHECK = Path(__file__).resolve().parents[3] / "files" / "images" / "notebook" / "check_web.py"
THEMES = "@jupyterlab/apputils-extension:themes"
MENU = "@jupyterlab/mainmenu-extension:plugin"
EXTENSION = {"name": "mine", "jupyterlab": {"_build": {"load": "mine.js"}}}


def write(folder: Path, files: dict[str, t.Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def load() -> t.Any:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("check_web", CHECK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., list[str]]:
    """Check a look with some files added, against a JupyterLab with two plugins and one command."""
    module = load()
    share = write(
        tmp_path / "share",
        {
            "lab/schemas/@jupyterlab/apputils-extension/themes.json": {
                "properties": {"adaptive-theme": {"type": "boolean"}, "theme": {"type": "string"}}
            },
            "lab/schemas/@jupyterlab/mainmenu-extension/plugin.json": {
                "properties": {"menus": {"type": "array", "items": {"$ref": "#/definitions/menu"}}},
                "definitions": {"menu": {"type": "object", "required": ["id"]}},
            },
            "lab/static/jlab_core.js": 'let a="help:open";',
        },
    )
    monkeypatch.setattr(module, "SHARE", share)

    def check(files: dict[str, t.Any], style_there: bool = True) -> list[str]:
        style = {"static/custom.css": ""} if style_there else {}
        return list(module.problems(write(tmp_path / "web", {"README.md": "", **style, **files})))

    return check


def menu(command: str) -> dict[str, t.Any]:
    return {MENU: {"menus": [{"id": "jp-mainmenu-help", "items": [{"command": command, "args": {}}]}]}}


FITTING: list[dict[str, t.Any]] = [
    {},
    {"overrides.json": {THEMES: {"adaptive-theme": True}}, "README.md": "", "static/.keep": ""},
    {"overrides.json": menu("help:open")},
    {
        "overrides.json": menu("mine:do"),
        "labextensions/mine/package.json": EXTENSION,
        "labextensions/mine/mine.js": 'x("mine:do")',
    },
    {"static/site.css": "a { background: url(logo.svg?x) }", "static/logo.svg": "<svg/>"},
]


@pytest.mark.parametrize("files", FITTING)
def test_a_look_that_fits_passes(problems: t.Callable[..., list[str]], files: dict[str, t.Any]) -> None:
    assert problems(files) == []


FAULTS: list[tuple[dict[str, t.Any], str]] = [
    (
        {"logo.svg": ""},
        "logo.svg: nothing reads this file; known are static/ (styles, pictures, fonts), "
        "labextensions/<name>/ and overrides.json",
    ),
    ({"static/custom.js": ""}, "static/custom.js: nothing reads this file; known are "),
    ({"labextensions/mine.js": ""}, "labextensions/mine.js: nothing reads this file; known are "),
    ({"overrides.json": "{"}, "overrides.json: this is not JSON (Expecting property name "),
    ({"overrides.json": []}, "overrides.json: this must be a mapping of plugins to their settings"),
    (
        {"overrides.json": {THEMES + "s": {}}},
        f"overrides.json: JupyterLab has no plugin '{THEMES}s' with settings, did you mean {THEMES}?",
    ),
    (
        {"overrides.json": {THEMES: {"adaptive_theme": True}}},
        f"overrides.json: {THEMES} has no setting 'adaptive_theme', did you mean adaptive-theme?",
    ),
    (
        {"overrides.json": {THEMES: {"adaptive-theme": "yes"}}},
        f"overrides.json: {THEMES}, adaptive-theme is 'yes': 'yes' is not of type 'boolean'",
    ),
    ({"overrides.json": {THEMES: True}}, f"overrides.json: {THEMES} must be a mapping of settings to values"),
    (
        {"overrides.json": {MENU: {"menus": [{}]}}},
        f"overrides.json: {MENU}, menus is [{{}}]: 'id' is a required property",
    ),
    (
        {"overrides.json": menu("help:opn")},
        "overrides.json: JupyterLab has no command 'help:opn', did you mean help:open?",
    ),
    ({"static/site.css": "@import 'x.css'"}, "static/site.css: asks for 'x.css', which is not there"),
    ({"labextensions/mine/mine.js": ""}, "labextensions/mine/package.json: this file is missing"),
    (
        {"labextensions/mine/package.json": EXTENSION},
        "labextensions/mine/package.json: loads 'mine.js', which is not there",
    ),
    (
        {"labextensions/your/package.json": EXTENSION, "labextensions/your/mine.js": ""},
        "labextensions/your/package.json: the name 'mine' is not the one of the folder",
    ),
    (
        {"labextensions/mine/package.json": {"name": "mine"}},
        "labextensions/mine/package.json: it names no jupyterlab._build, so this is no prebuilt extension",
    ),
]


@pytest.mark.parametrize(("files", "sentence"), FAULTS, ids=[fault[1][:60] for fault in FAULTS])
def test_a_fault_is_named(
    problems: t.Callable[..., list[str]], files: dict[str, t.Any], sentence: str
) -> None:
    (found,) = problems(files)
    assert found.startswith(sentence) if sentence.endswith(" ") else found == sentence


def test_a_sealed_extension_has_an_address_of_its_own(tmp_path: Path) -> None:
    files = {"@me/mine/package.json": EXTENSION, "@me/mine/mine.js": "1", "your/package.json": EXTENSION}
    folder = write(tmp_path, {**files, "your/mine.js": "2"})

    def addresses() -> list[str]:
        packages = [json.loads((folder / name).read_text()) for name in files if name.endswith(".json")]
        return [package["jupyterlab"]["_build"]["load"] for package in packages]

    load().seal(folder)
    before = addresses()
    assert [address[:10] for address in before] == ["mine.js?v=", "mine.js?v="]
    assert before[0] != before[1]
    load().seal(folder)
    assert addresses() == before
    write(folder, {"your/mine.js": "1"})
    load().seal(folder)
    assert addresses() == [before[0], before[0]]


def test_the_style_that_jupyterlab_asks_for_must_be_there(problems: t.Callable[..., list[str]]) -> None:
    assert problems({}, style_there=False) == [
        "static/custom.css: this file is missing, JupyterLab asks for it"
    ]
