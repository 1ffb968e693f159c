# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Check the look of JupyterLab against the JupyterLab that is installed: part of the build of the image.

    check_web.py FOLDER [--seal]

One sentence for each fault, and exit code 1, when something in the folder would be ignored or would not work.
With --seal, extensions that are right get the hash of their script into its address, so that browsers fetch
it anew whenever it is another one.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema

SHARE = Path("/opt/notebook/share/jupyter")
STATIC = {".css", ".gif", ".ico", ".jpg", ".jpeg", ".png", ".svg", ".webp", ".woff", ".woff2", ".ttf"}
EXTENSION = STATIC | {".js", ".json", ".map", ".txt"}
COMMAND = re.compile(r"""["']([a-zA-Z@][\w@/.-]*:[\w:/.-]+)["']""")
STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STYLE_REFERENCE = re.compile(r"""url\(\s*["']?([^"')]+?)["']?\s*\)|@import\s+["']([^"']+)["']""")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|/|#)", re.IGNORECASE)


def nearest(name: str, names: Iterable[str]) -> str:
    """', did you mean x?' with the nearest of the names, or nothing."""
    match = difflib.get_close_matches(name, sorted(names), 1, 0.7)
    return f", did you mean {match[0]}?" if match else ""


def read_json(path: Path, name: str) -> tuple[Any, str]:
    """The content, and a sentence when it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8")), ""
    except ValueError as exc:
        return None, f"{name}: this is not JSON ({exc})"


def layout_problems(web: Path) -> Iterator[str]:
    """Files that nothing would read."""
    for path in sorted(web.rglob("*")):
        name = path.relative_to(web)
        if path.is_dir() or path.name == "README.md" or path.name.startswith("."):
            continue
        if name.parts[0] == "static" and path.suffix in STATIC:
            continue
        if name.parts[0] == "labextensions" and len(name.parts) > 2 and path.suffix in EXTENSION:
            continue
        if str(name) != "overrides.json":
            known = "static/ (styles, pictures, fonts), labextensions/<name>/ and overrides.json"
            yield f"{name}: nothing reads this file; known are {known}"
    if not (web / "static" / "custom.css").is_file():
        yield "static/custom.css: this file is missing, JupyterLab asks for it"


def style_problems(folder: Path) -> Iterator[str]:
    """Files that styles ask for and that are not there."""
    for style in sorted(folder.rglob("*.css")):
        text = STYLE_COMMENT.sub("", style.read_text(encoding="utf-8", errors="replace"))
        for match in STYLE_REFERENCE.finditer(text):
            reference = (match[1] or match[2]).strip()
            target = style.parent / re.split("[?#]", reference)[0]
            if not ELSEWHERE.match(reference) and not target.is_file():
                yield f"{style.relative_to(folder.parent)}: asks for {reference!r}, which is not there"


def extension_problems(folder: Path) -> Iterator[str]:
    """Extensions that JupyterLab would not load."""
    for extension in sorted(path for path in folder.glob("*") if path.is_dir()):
        scoped = sorted(extension.glob("*")) if extension.name.startswith("@") else [extension]
        for path in scoped:
            name = f"labextensions/{path.relative_to(folder)}/package.json"
            if not (path / "package.json").is_file():
                yield f"{name}: this file is missing"
                continue
            content, problem = read_json(path / "package.json", name)
            if problem:
                yield problem
                continue
            build = content.get("jupyterlab", {}).get("_build", {}) if isinstance(content, dict) else {}
            if not build:
                yield f"{name}: it names no jupyterlab._build, so this is no prebuilt extension"
            elif content.get("name") != str(path.relative_to(folder)):
                yield f"{name}: the name {content.get('name')!r} is not the one of the folder"
            elif not (path / str(build.get("load")).partition("?")[0]).is_file():
                yield f"{name}: loads {build.get('load')!r}, which is not there"


def schemas() -> dict[str, Path]:
    """Identifiers of the plugins that have settings."""
    folder = SHARE / "lab" / "schemas"
    return {f"{path.parent.relative_to(folder)}:{path.stem}": path for path in folder.rglob("*.json")}


def commands(value: Any) -> Iterator[str]:
    """Every command that settings name: menus, toolbars, shortcuts."""
    if isinstance(value, dict):
        if isinstance(value.get("command"), str) and value["command"]:
            yield value["command"]
        for inner in value.values():
            yield from commands(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from commands(inner)


def known_commands(web: Path) -> set[str]:
    """What looks like a command in the scripts of JupyterLab and of extensions."""
    found: set[str] = set()
    for folder in (SHARE / "lab" / "static", SHARE / "labextensions", web / "labextensions"):
        for script in folder.rglob("*.js"):
            found.update(COMMAND.findall(script.read_text(encoding="utf-8", errors="replace")))
    return found


def override_problems(path: Path, web: Path) -> Iterator[str]:
    """Settings that no plugin of this JupyterLab takes."""
    content, problem = read_json(path, path.name)
    if problem:
        yield problem
        return
    if not isinstance(content, dict):
        yield f"{path.name}: this must be a mapping of plugins to their settings"
        return
    known = schemas()
    for plugin, values in content.items():
        if plugin not in known:
            yield f"{path.name}: JupyterLab has no plugin {plugin!r} with settings{nearest(plugin, known)}"
            continue
        schema = json.loads(known[plugin].read_text(encoding="utf-8"))
        properties = schema.get("properties", {})
        if not isinstance(values, dict):
            yield f"{path.name}: {plugin} must be a mapping of settings to values"
            continue
        for setting, value in values.items():
            if setting not in properties:
                yield f"{path.name}: {plugin} has no setting {setting!r}{nearest(setting, properties)}"
                continue
            rules = {**properties[setting], "definitions": schema.get("definitions", {})}
            error = jsonschema.exceptions.best_match(jsonschema.Draft7Validator(rules).iter_errors(value))
            if error is not None:
                yield f"{path.name}: {plugin}, {setting} is {value!r}: {error.message}"
    named = sorted(set(commands(content)))
    if named:
        there = known_commands(web)
        for command in named:
            if command not in there:
                yield f"{path.name}: JupyterLab has no command {command!r}{nearest(command, there)}"


def problems(web: Path) -> list[str]:
    found = [
        *layout_problems(web),
        *style_problems(web / "static"),
        *extension_problems(web / "labextensions"),
    ]
    if (web / "overrides.json").is_file():
        found += override_problems(web / "overrides.json", web)
    return found


def seal(folder: Path) -> None:
    """Write the hash of each extension's script into its package.json."""
    for package in [*folder.glob("*/package.json"), *folder.glob("@*/*/package.json")]:
        content = json.loads(package.read_text(encoding="utf-8"))
        build = content["jupyterlab"]["_build"]
        script = build["load"].partition("?")[0]
        digest = hashlib.sha256((package.parent / script).read_bytes()).hexdigest()[:16]
        build["load"] = f"{script}?v={digest}"
        package.write_text(json.dumps(content, indent=2), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="check_web")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seal", action="store_true")
    options = parser.parse_args()
    found = problems(options.folder)
    for sentence in found:
        print(f"web/notebook: {sentence}", file=sys.stderr)
    if found:
        print("The look of JupyterLab does not fit this JupyterLab; see docs/web.md.", file=sys.stderr)
    elif options.seal:
        seal(options.folder / "labextensions")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
