# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Check the look of the hub's pages against the JupyterHub that is installed: part of the build of the image.

A template that no longer fits a new JupyterHub fails the build with one sentence for each fault. This module
reads templates and styles; web_render then makes every page.

    python3 -m galilean_hub.web_check FOLDER
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, nodes

# How templates name JupyterHub's own ones.
LIBRARY = "templates/"
ERROR_PAGE = re.compile(r"^[45]\d\d\.html$")
STYLE_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
STYLE_REFERENCE = re.compile(r"""url\(\s*["']?([^"')]+?)["']?\s*\)|@import\s+["']([^"']+)["']""")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|/|#)", re.IGNORECASE)


def nearest(name: str, names: Iterable[str]) -> str:
    """', did you mean x?' with the nearest of the names, or nothing."""
    match = difflib.get_close_matches(name, sorted(names), 1, 0.7)
    return f", did you mean {match[0]}?" if match else ""


@dataclass
class Template:
    """What one template says of others, and the blocks it fills."""

    name: str
    parent: tuple[str, int] | None = None
    # name -> line; those in another block of the same template are new, or come with that block.
    outer_blocks: dict[str, int] = field(default_factory=dict)
    blocks: set[str] = field(default_factory=set)
    uses: list[tuple[str, int]] = field(default_factory=list)
    static: list[tuple[str, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def _outer(node: nodes.Node) -> Iterator[nodes.Block]:
    for child in node.iter_child_nodes():
        if isinstance(child, nodes.Block):
            yield child
        else:
            yield from _outer(child)


def _names(node: nodes.Expr) -> list[str] | None:
    """The templates that an expression names; None when that is only known when the page is made."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, (nodes.List, nodes.Tuple)):
        found = [_names(item) for item in node.items]
        return None if None in found else [name for names in found if names for name in names]
    return None


def read_template(environment: Environment, name: str, source: str) -> Template:
    """Parse one template."""
    template = Template(name)
    try:
        tree = environment.parse(source, name)
        # Unknown filters and tests are only found here.
        environment.compile(source, name)
    except TemplateSyntaxError as exc:
        template.problems.append(f"{name}, line {exc.lineno}: {exc.message}")
        return template
    for block in _outer(tree):
        template.outer_blocks[block.name] = block.lineno
    template.blocks = {block.name for block in tree.find_all(nodes.Block)}
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        named = _names(node.template)
        if named is None:
            template.problems.append(
                f"{name}, line {node.lineno}: the name of another template must be a plain text in quotes"
            )
        elif isinstance(node, nodes.Extends):
            template.parent = (named[0], node.lineno)
        elif not (isinstance(node, nodes.Include) and node.ignore_missing):
            template.uses += [(other, node.lineno) for other in named]
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "static_url" and call.args:
            template.static += [(path, call.lineno) for path in _names(call.args[0]) or []]
    return template


class Templates:
    """Ours and JupyterHub's, found as JupyterHub finds them."""

    def __init__(self, own: Path, library: Path, pages: Iterable[str] = ()) -> None:
        self.environment = Environment(autoescape=True, enable_async=True)
        self._read: dict[Path, Template] = {}
        self.own, self.library = own, library
        self.names = sorted(str(file.relative_to(own)) for file in own.rglob("*") if file.is_file())
        self.names = [name for name in self.names if not Path(name).name.startswith(".")]
        self.library_names = {str(file.relative_to(library)) for file in library.rglob("*.html")}
        self.page_names = {*self.library_names, *pages}

    def find(self, name: str) -> Path | None:
        folders = [self.library] if name.startswith(LIBRARY) else [self.own, self.library]
        paths = [folder / name.removeprefix(LIBRARY) for folder in folders]
        return next((path for path in paths if path.is_file()), None)

    def read(self, path: Path) -> Template:
        if path not in self._read:
            own = path.is_relative_to(self.own)
            name = str(path.relative_to(self.own)) if own else LIBRARY + str(path.relative_to(self.library))
            try:
                source = path.read_text(encoding="utf-8")
            except ValueError:
                self._read[path] = Template(name, problems=[f"{name} is not UTF-8 text"])
            else:
                self._read[path] = read_template(self.environment, name, source)
        return self._read[path]

    def ours(self) -> list[Template]:
        return [self.read(self.own / name) for name in self.names]

    def ancestors(self, template: Template) -> tuple[list[Template], str]:
        """The templates that one stands on, nearest first, and a sentence when that never ends."""
        chain: list[Template] = []
        seen = {self.find(template.name)}
        current = template
        while current.parent:
            path = self.find(current.parent[0])
            if path is None:
                break
            if path in seen:
                base = Path(current.name).name
                parent, line = current.parent
                return chain, (
                    f"{current.name}, line {line}: extends {parent!r}, which is itself again: "
                    f"write {LIBRARY + base!r} for JupyterHub's own template"
                )
            seen.add(path)
            current = self.read(path)
            chain.append(current)
        return chain, ""

    def missing(self, template: Template) -> Iterator[str]:
        known = {*self.names, *self.library_names, *(LIBRARY + name for name in self.library_names)}
        parents = [template.parent] if template.parent else []
        for verb, references in (("extends", parents), ("uses", template.uses)):
            for name, line in references:
                if self.find(name) is None:
                    where = "JupyterHub" if name.startswith(LIBRARY) else "templates/ and in JupyterHub"
                    where += nearest(name, known)
                    yield f"{template.name}, line {line}: {verb} {name!r}, which is not in {where}"

    def strays(self) -> Iterator[str]:
        """Templates that nothing ever shows."""
        used = {name for template in self.ours() for name, _line in template.uses}
        used |= {template.parent[0] for template in self.ours() if template.parent}
        for name in self.names:
            if "/" not in name and name not in used | self.page_names and not ERROR_PAGE.fullmatch(name):
                yield f"{name}: JupyterHub has no page of this name{nearest(name, self.page_names)}"

    def problems(self) -> list[str]:
        found = []
        for template in self.ours():
            found += template.problems
            found += self.missing(template)
            chain, circle = self.ancestors(template)
            if circle:
                found.append(circle)
            elif template.parent and chain:
                known = {block for ancestor in chain for block in ancestor.blocks}
                parent = template.parent[0]
                found += [
                    f"{template.name}, line {line}: {parent} has no block {name!r}{nearest(name, known)}"
                    for name, line in template.outer_blocks.items()
                    if name not in known and not any(ancestor.problems for ancestor in chain)
                ]
        return [*found, *self.strays()]


def style_problems(folder: Path) -> Iterator[str]:
    """Files that the styles of a folder ask for and that are not there."""
    for style in sorted(folder.rglob("*.css")):
        text = STYLE_COMMENT.sub("", style.read_text(encoding="utf-8", errors="replace"))
        for match in STYLE_REFERENCE.finditer(text):
            reference = (match[1] or match[2]).strip()
            if not ELSEWHERE.match(reference):
                target = style.parent / re.split("[?#]", reference)[0]
                if not target.is_file():
                    yield f"{style.relative_to(folder.parent)}: asks for {reference!r}, which is not there"


def _colour(text: str) -> tuple[float, ...] | None:
    """Red, green and blue from 0 to 1; None for what is written in another way, which nobody judges here."""
    text = text.strip().lower()
    short, long = re.fullmatch(r"#([0-9a-f]{3})", text), re.fullmatch(r"#([0-9a-f]{6})", text)
    if short or long:
        digits = long[1] if long else "".join(digit * 2 for digit in short[1]) if short else ""
        return tuple(int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    numbers = re.fullmatch(r"rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)", text)
    if numbers:
        return tuple(min(int(number), 255) / 255 for number in numbers.groups())
    return {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0)}.get(text)


def _light(colour: tuple[float, ...]) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """From 1 to 21, as WCAG 2 has it."""
    bright, dark = sorted((_light(one), _light(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


# What is written on what, and the least contrast that WCAG 2 asks for (level AA).
PAIRS = [
    *((name, ground, 4.5) for name in ("text", "quiet", "accent", "bad") for ground in ("ground", "card")),
    ("on-accent", "accent", 4.5),
    ("notice-text", "notice", 4.5),
    ("field", "card", 3),
]
SETTINGS = re.compile(r"""(:root|\[data-bs-theme=["']?(?:light|dark)["']?\])\s*\{([^}]*)\}""")
SETTING = re.compile(r"--site-([a-z-]+)\s*:\s*([^;]+)")


def colour_problems(static: Path) -> Iterator[str]:
    """Colours of the site that not everybody can read, in light and in dark."""
    styles = [static / name for name in ("galilean.css", "site.css")]
    text = "".join(
        STYLE_COMMENT.sub("", file.read_text("utf-8", "replace")) for file in styles if file.is_file()
    )
    for theme, other in (("light", "dark"), ("dark", "light")):
        found: dict[str, str] = {}
        for selector, block in SETTINGS.findall(text):
            if other not in selector:
                found.update((name, value.strip()) for name, value in SETTING.findall(block))
        for name, ground, least in PAIRS:
            one, on = _colour(found.get(name, "")), _colour(found.get(ground, ""))
            if not one or not on:
                continue
            measured = contrast(one, on)
            if measured < least:
                yield (
                    f"static/site.css: --site-{name} is {found[name]}, which on --site-{ground}, "
                    f"{found[ground]}, has a contrast of {measured:.1f} in {theme} colours: "
                    f"give colours with {least:g} or more, so that everybody can read it"
                )


def static_problems(
    references: Iterable[tuple[str, str]], static: Path, library_static: Path
) -> Iterator[str]:
    """`references`: where it is said, and the path given to static_url()."""
    ours = {f"site/{file.relative_to(static)}" for file in static.rglob("*") if file.is_file()}
    for where, path in references:
        if path.startswith("site/"):
            if path not in ours:
                advice = f"put {path.removeprefix('site/')} into static/{nearest(path, ours)}"
                yield f"{where}: static file {path!r} is not there: {advice}"
        elif not (library_static / path).exists():
            yield f"{where}: static file {path!r} is not in JupyterHub; yours begin with 'site/'"


def layout_problems(web: Path) -> Iterator[str]:
    """Files where nobody looks for them."""
    for path in sorted(web.rglob("*")):
        name = path.relative_to(web)
        read = (
            name.parts[0] in ("templates", "static") or path.name == "README.md" or path.name.startswith(".")
        )
        if path.is_file() and not read:
            yield f"{name}: nothing reads this file, it belongs into templates/ or static/"


def problems(web: Path, library: Path, pages: Iterable[str] = ()) -> list[str]:
    """Sentences on all that does not fit.

    library: JupyterHub's folder of templates and static files. pages: those that an authenticator shows.
    """
    templates = Templates(web / "templates", library / "templates", pages)
    references = [
        (f"{template.name}, line {line}", path)
        for template in templates.ours()
        for path, line in template.static
    ]
    return [
        *layout_problems(web),
        *templates.problems(),
        *static_problems(references, web / "static", library / "static"),
        *style_problems(web / "static"),
        *colour_problems(web / "static"),
    ]


def main() -> int:
    """Entry point of `python -m galilean_hub.web_check`."""
    parser = argparse.ArgumentParser(prog="web_check")
    parser.add_argument("folder", type=Path)
    web = parser.parse_args().folder
    # Only the image has them.
    import jupyterhub._data

    from . import web_render

    found = problems(web, Path(jupyterhub._data.DATA_FILES_PATH), web_render.native_pages())
    if not found:
        found = web_render.problems(web)
    for sentence in dict.fromkeys(found):
        print(f"web/hub: {sentence}", file=sys.stderr)
    if found:
        print("The look of the hub does not fit this JupyterHub; see docs/web.md.", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
