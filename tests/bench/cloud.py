# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long a cloud takes for one server and for four, from an empty project and with everything they need.

    python tests/bench/cloud.py [--servers 4] [--passes 3] [--json FILE]

Needs the lab (`make lab-up`). Servers have the flavor lab.fake, which takes no time to boot, so that what is
measured is the work of the module and of the cloud. Each pass makes one server, calls the module again,
removes all of it, and does the same with several: plain servers in a network of their own, and such as hubs
need, with a data volume and a floating IP each. Ratios within one run can be compared.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import typing as t
from pathlib import Path

from results import bench_parser, publish

ROOT = Path(__file__).resolve().parents[2]
LAB = Path(os.environ.get("LAB_STATE") or ROOT / ".cache" / "lab")
PLAY = ROOT / "tests" / "cloud" / "deployment_play.yml"
NAME = "lab-bench"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0c4xk2hN6E0b3WJ3dVtq0Jw7c0oC0qW2hJd1l5n9aB bench"


KINDS: dict[str, dict[str, t.Any]] = {
    "plain": {"floating_ip": "none"},
    "hub": {"floating_ip": "auto", "volume_gib": 1},
}


def call(count: int, kind: str, **more: t.Any) -> float:
    """Call the module for so many servers, as a play does; the seconds that this took."""
    servers = [
        {"name": f"{NAME}-{number}", "image": "debian-12-bare", "flavor": "lab.fake", **KINDS[kind]}
        for number in range(count)
    ]
    options = {
        "cloud": "lab", "name": NAME, "public_key": KEY, "ssh_networks": ["172.24.4.1/32"],
        "servers": servers, **more,
    }  # fmt: skip
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"deployment": options}, file)
        file.flush()
        program = str(Path(sys.executable).parent / "ansible-playbook")
        began = time.monotonic()
        done = subprocess.run(
            [program, "-i", "localhost,", str(PLAY), "-e", f"@{file.name}"],
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "OS_CLIENT_CONFIG_FILE": str(LAB / "clouds.yaml"),
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"ansible-playbook failed:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return seconds


def remove() -> float:
    return call(0, "plain", state="absent", delete_volumes=True, release_addresses=True)


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--servers", type=int, default=4, help="against one (default: %(default)s)")
    parser.add_argument("--passes", type=int, default=3, help="how often (default: %(default)s)")
    options = parser.parse_args()
    figures: dict[str, list[float]] = {}
    remove()
    try:
        for _ in range(options.passes):
            for kind, count in itertools.product(KINDS, (1, options.servers)):
                figures.setdefault(f"{kind}_make_{count}_s", []).append(call(count, kind))
                figures.setdefault(f"{kind}_again_{count}_s", []).append(call(count, kind))
                figures.setdefault(f"{kind}_remove_{count}_s", []).append(remove())
            print({key: round(values[-1], 1) for key, values in figures.items()}, file=sys.stderr)
    finally:
        remove()
    median = {key: round(statistics.median(values), 1) for key, values in figures.items()}
    ratios = {
        kind: round(median[f"{kind}_make_{options.servers}_s"] / median[f"{kind}_make_1_s"], 2)
        for kind in KINDS
    }
    publish({"passes": options.passes, "median": median, "ratios": ratios}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
