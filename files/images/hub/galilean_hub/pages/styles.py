# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong with the styles of a folder: files that are not there, and colours that few can read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
REFERENCE = re.compile(r"""url\(\s*["']?([^"')]+?)["']?\s*\)|@import\s+["']([^"']+)["']""")
ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|/|#)", re.IGNORECASE)
# What is written on what, and the least contrast that WCAG 2 asks for (level AA).
PAIRS = [
    *((name, ground, 4.5) for name in ("text", "quiet", "accent", "bad") for ground in ("ground", "card")),
    ("on-accent", "accent", 4.5),
    ("notice-text", "notice", 4.5),
    ("field", "card", 3),
]
SETTINGS = re.compile(r"""(:root|\[data-bs-theme=["']?(?:light|dark)["']?\])\s*\{([^}]*)\}""")
SETTING = re.compile(r"--site-([a-z-]+)\s*:\s*([^;]+)")


def read(style: Path) -> str:
    return COMMENT.sub("", style.read_text("utf-8", "replace")) if style.is_file() else ""


def missing_files(static: Path) -> Iterator[str]:
    """Files that the styles ask for and that are not there."""
    for style in sorted(static.rglob("*.css")):
        for match in REFERENCE.finditer(read(style)):
            name = (match[1] or match[2]).strip()
            if not ELSEWHERE.match(name) and not (style.parent / re.split("[?#]", name)[0]).is_file():
                yield f"{style.relative_to(static.parent)}: asks for {name!r}, which is not there"


def luminance(text: str) -> float | None:
    """The relative luminance of a colour; None where it is written in another way, which nobody judges."""
    text = {"white": "#fff", "black": "#000"}.get(text.strip().lower(), text.strip().lower())
    parts = re.findall(r"\d+", text) if re.fullmatch(r"rgb\(\s*\d+[\s,]+\d+[\s,]+\d+\s*\)", text) else []
    numbers = [min(int(part), 255) for part in parts]
    if re.fullmatch("#([0-9a-f]{3}){1,2}", text):
        size = len(text) // 3
        numbers = [int(text[at : at + size] * (3 - size), 16) for at in range(1, len(text), size)]
    if not numbers:
        return None
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (number / 255 for number in numbers)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def low_contrasts(static: Path) -> Iterator[str]:
    """Colours of the site that not everybody can read, in light and in dark."""
    text = read(static / "galilean.css") + read(static / "site.css")
    for theme, other in (("light", "dark"), ("dark", "light")):
        found: dict[str, str] = {}
        for selector, block in SETTINGS.findall(text):
            if other not in selector:
                found.update((name, value.strip()) for name, value in SETTING.findall(block))
        for name, ground, least in PAIRS:
            one, on = luminance(found.get(name, "")), luminance(found.get(ground, ""))
            if one is None or on is None:
                continue
            contrast = (max(one, on) + 0.05) / (min(one, on) + 0.05)
            if contrast < least:
                yield (
                    f"static/site.css: --site-{name} is {found[name]}, which on --site-{ground}, "
                    f"{found[ground]}, has a contrast of {contrast:.1f} in {theme} colours: "
                    f"give colours with {least:g} or more, so that all users can read it"
                )
