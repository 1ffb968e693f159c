# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long an unchanged list of images takes, and a changed line of the hub's look until it is seen.

    python tests/bench/images.py [--url http://127.0.0.1:8000] [--passes 3] [--json FILE]

For the instance that `make site` runs on this machine. A line is added to its pages by a site's folder for
the look (images_web_site_path), then `make hub` is run, and the hub's login page is asked until it shows that
line. It ends with the sizes of the images, and with the hub as it was.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from results import bench_parser, publish

ROOT = Path(__file__).resolve().parents[2]
ROLE = re.compile(r"^(\S+) -+ ([0-9.]+)s$", re.MULTILINE)
RECAP = re.compile(r"^localhost\s+:.*changed=(\d+).*failed=(\d+)", re.MULTILINE)
PAGE = (
    '{%% extends "galilean/page.html" %%}\n{%% block stylesheet %%}{{ super() }}<!-- %s -->{%% endblock %%}\n'
)


def hub(*arguments: str) -> tuple[float, dict[str, float], int]:
    """Run `make hub`; its time, that of each role, and how much it changed."""
    began = time.monotonic()
    done = subprocess.run(
        ["make", "hub", f"ARGS={' '.join(arguments)}"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
    )
    recap = RECAP.search(done.stdout)
    if done.returncode or not recap or recap.group(2) != "0":
        raise SystemExit(f"make hub failed:\n{done.stdout[-4000:]}")
    roles = {name: float(value) for name, value in ROLE.findall(done.stdout)}
    return time.monotonic() - began, roles, int(recap.group(1))


class Watch(threading.Thread):
    """Asks the login page until it holds a text; `seconds` is how long that took."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__(daemon=True)
        self.url, self.text = f"{url}/hub/login", text
        self.began = time.monotonic()
        self.seconds = 0.0

    def run(self) -> None:
        while time.monotonic() - self.began < 300:
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    if self.text in answer.read().decode():
                        self.seconds = time.monotonic() - self.began
                        return
            except (urllib.error.URLError, OSError):
                pass
            # Not so often that the watching itself takes a part of the machine.
            time.sleep(0.2)


def sizes() -> dict[str, int]:
    """Megabytes of the newest image of each name."""
    rows = subprocess.run(
        ["docker", "image", "ls", "--format={{.Repository}} {{.Tag}}", "galilean/*"],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout.split("\n")
    newest: dict[str, str] = {}
    for row in filter(None, rows):
        repository, tag = row.split()
        newest.setdefault(repository, tag)
    out = {}
    for repository, tag in sorted(newest.items()):
        size = subprocess.run(
            ["docker", "image", "inspect", "--format={{.Size}}", f"{repository}:{tag}"],
            check=True,
            text=True,
            stdout=subprocess.PIPE,
        ).stdout
        out[repository.rsplit("/", 1)[1]] = round(int(size) / 1e6)
    return out


def median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the instance's address")
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    unchanged, changed = [], []
    for number in range(options.passes):
        # What an earlier pass, or a person, has left.
        hub()
        seconds, roles, count = hub()
        if count:
            raise SystemExit(f"an unchanged list changed {count} times")
        unchanged.append((seconds, roles.get("images", 0.0)))
        with tempfile.TemporaryDirectory() as folder:
            templates = Path(folder, "hub/templates")
            templates.mkdir(parents=True)
            text = f"bench {os.getpid()} {number}"
            (templates / "page.html").write_text(PAGE % text)
            watch = Watch(options.url, text)
            watch.start()
            seconds, _roles, _count = hub("-e", f"images_web_site_path={folder}")
            watch.join(timeout=30)
            if not watch.seconds:
                raise SystemExit("the login page does not show the change")
            changed.append((watch.seconds, seconds))
    hub()
    results: dict[str, Any] = {
        "unchanged": {
            "images_role_s": median([images for _seconds, images in unchanged]),
            "make_hub_s": median([seconds for seconds, _images in unchanged]),
        },
        "changed_line": {
            "until_the_page_shows_it_s": median([shown for shown, _seconds in changed]),
            "make_hub_s": median([seconds for _shown, seconds in changed]),
        },
        "image_mb": sizes(),
    }
    publish(results, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
