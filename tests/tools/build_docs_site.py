# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Build the documentation site from the pages of the checkout; each warning is an error.

The navigation is the lists of docs/README.md. A link to the source of a module (plugins/modules/<name>.py)
leads to a page that is written from its DOCUMENTATION: only modules that a guide links to have one.
The build checks links between pages, and the headings that they name. DOCS_SITE_URL is where the site will be
served, for the switcher of versions; without it, at the root of a host.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import typing as t
from pathlib import Path

import render_docs
import yaml

REPO = render_docs.REPO
CONFIGURATION = Path(__file__).with_name("docs_site")
# One folder for each version that was built here: what a web server may serve as it is.
SITE = REPO / ".cache/docs-site"
INDEX = "docs/README.md"
PAGES = ("README.md", "CHANGELOG.md", "docs/**/*.md", "docs/images/*", "roles/*/README.md")
MODULE = re.compile(r"\]\((?:\.\./)+plugins/modules/(\w+)\.py\)")
LINK = re.compile(r"\[([^\]]+)\]\(([^):#]+\.md)\)")


def navigation(index: str, extra: t.Sequence[str]) -> str:
    """The lists of the page of contents as trees of Sphinx: a caption for each of its sections."""
    trees = []
    for section in re.split(r"^## ", index, flags=re.MULTILINE)[1:]:
        caption, _, body = section.partition("\n")
        entries = [
            f"{title.strip('`')} <{target.removesuffix('.md')}>"
            for line in body.splitlines()
            if line.startswith("- ")
            for title, target in LINK.findall(line)[:1]
        ]
        if caption == "Reference":
            entries += extra
        if entries:
            trees.append(tree(entries, caption))
    return "".join(trees)


def tree(entries: t.Sequence[str], caption: str = "") -> str:
    head = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n".join(["", "```{toctree}", *head, "", *entries, "```", ""])


def sources() -> dict[str, bytes]:
    """What Sphinx reads, by path."""
    files = sorted(file for pattern in PAGES for file in REPO.glob(pattern))
    texts = {str(file.relative_to(REPO)): file.read_text() for file in files if file.suffix == ".md"}
    modules = sorted({name for text in texts.values() for name in MODULE.findall(text)})
    for page, text in texts.items():
        folder = os.path.relpath("docs/modules", Path(page).parent)
        texts[page] = MODULE.sub(rf"]({folder}/\1.md)", text)
    for name, data in render_docs.module_docs(modules).items():
        texts[f"docs/modules/{name}.md"] = render_docs.module_page(name, data)
    for role in render_docs.roles():
        texts[f"docs/roles/{role}.md"] += tree([f"How it works </roles/{role}/README>"])
    texts[INDEX] += navigation(texts[INDEX], [f"Module {name} <modules/{name}>" for name in modules])
    pictures = {str(file.relative_to(REPO)): file.read_bytes() for file in files if file.suffix != ".md"}
    return {**pictures, **{page: text.encode() for page, text in texts.items()}}


def lay(folder: Path, wanted: t.Mapping[str, bytes]) -> None:
    """Bring a folder to hold these files. Those that are right keep their time: Sphinx skips them."""
    for file in folder.rglob("*"):
        if file.is_file() and str(file.relative_to(folder)) not in wanted:
            file.unlink()
    for name, content in wanted.items():
        place = folder / name
        if not place.exists() or place.read_bytes() != content:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def main() -> int:
    version = str(yaml.safe_load((REPO / "galaxy.yml").read_text())["version"])
    work = REPO / ".cache/docs-site-work"
    lay(work / "sources", sources())
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--jobs", "auto"]
    command += ["--conf-dir", str(CONFIGURATION), "--doctree-dir", str(work / "doctrees")]
    command += [str(work / "sources"), str(SITE / version)]
    done = subprocess.run(command, env={**os.environ, "DOCS_SITE_VERSION": version}, check=False)
    if done.returncode != 0:
        return done.returncode
    built = sorted((folder.parent.name for folder in SITE.glob("*/index.html")), key=_numbers, reverse=True)
    address = os.environ.get("DOCS_SITE_URL", "/").rstrip("/")
    switcher = [{"version": one, "url": f"{address}/{one}/"} for one in built]
    (SITE / "switcher.json").write_text(json.dumps(switcher, indent=2) + "\n")
    shutil.copyfile(CONFIGURATION / "newest.html", SITE / "index.html")
    print(f"{SITE.relative_to(REPO)}/{version}/index.html")
    return 0


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


if __name__ == "__main__":
    sys.exit(main())
