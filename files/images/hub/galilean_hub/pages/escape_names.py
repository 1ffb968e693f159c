# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
r"""Escape names in the addresses that JupyterHub's pages make: a `#`, `?`, `%` or `\` in one leads elsewhere.

Part of the build of the image. JupyterHub 6.1.1, the newest one, escapes names on the server and in most of
its scripts, not in those below. Their addresses are made in the browser, where no template of ours comes in
between. A correction that finds nothing ends the build: then look whether the new version does it itself.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

from .precompressed import SUFFIXES

# File of JupyterHub's -> what is there (a regular expression), and what should be.
CORRECTIONS: dict[str, list[tuple[str, str]]] = {
    "static/js/home.js": [
        (r'base_url \+ "spawn/" \+ user\)', 'base_url + "spawn/" + encodeURIComponent(user))'),
    ],
    # Compiled: names of variables are one letter, and another one in each version.
    "static/js/admin-react.js": [
        (r'("/(?:users|groups|servers)/"\+)(\w+)(?=[,+)])', r"\1encodeURIComponent(\2)"),
        (r'("spawn/"\)\.concat\()(\w+\.name)\)', r"\1encodeURIComponent(\2))"),
    ],
    "templates/home.html": [
        (
            r"spawn/\{\{ user\.name \}\}/\{\{ spawner\.name \}\}",
            "spawn/{{ user.escaped_name }}/{{ spawner.name | urlencode }}",
        ),
    ],
}


def corrected(text: str, corrections: list[tuple[str, str]]) -> str:
    """The text with all of them; ValueError with the first that changes nothing."""
    for pattern, replacement in corrections:
        text, many = re.subn(pattern, replacement, text)
        if not many:
            raise ValueError(f"has no {pattern!r}")
    return text


def compress(path: Path) -> None:
    """Make the copies again that hub-core has of it for browsers, if it has any (precompressed.py)."""
    copies = [copy for suffix in SUFFIXES.values() if (copy := Path(f"{path}{suffix}")).exists()]
    for copy in copies:
        copy.unlink()
    if copies:
        # There is no brotli in this image, and every browser takes this.
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))


def main() -> int:
    """Entry point of `python -m galilean_hub.pages.escape_names`."""
    # Only the image has it.
    import jupyterhub._data

    for name, corrections in CORRECTIONS.items():
        path = Path(jupyterhub._data.DATA_FILES_PATH) / name
        try:
            text = corrected(path.read_text(encoding="utf-8"), corrections)
        except (OSError, ValueError) as exc:
            print(f"escape_names: {path}: {exc}", file=sys.stderr)
            return 1
        path.write_text(text, encoding="utf-8")
        compress(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
