# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long `make site` takes on a fresh machine, and again when nothing has changed.

    python tests/bench/site.py [--suite bookworm] [--json FILE]

The fresh machine is a systemd host in a container that has nothing but what a minimal server has: no Docker,
no virtual environment, no image, no cache. It gets a copy of the committed checkout and installs everything
from the distribution and PyPI. The two runs are followed by `make verify`, so that the shares can be told
apart.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from results import bench_parser, publish

ROOT = Path(__file__).resolve().parents[2]
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# See molecule/resources/create.yml: Docker in a container without --privileged.
OPTIONS = [
    "--cap-add=ALL", "--cap-drop=SYS_RESOURCE", "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined", "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm", "--cgroupns=host", "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--tmpfs=/run", "--tmpfs=/run/lock", "--tmpfs=/tmp:exec", "--volume=/var/lib/docker",
    "--stop-signal=SIGRTMIN+3",
]  # fmt: skip
ROLE = re.compile(r"^(\S+) -+ ([0-9.]+)s$", re.MULTILINE)
RECAP = re.compile(r"^localhost\s+:.*changed=(\d+).*failed=(\d+)", re.MULTILINE)


def run(*argv: str, **options: Any) -> str:
    """Output of a command; ends the program with that output when it fails."""
    done = subprocess.run(
        argv, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(argv[:6])} failed:\n{done.stdout[-4000:]}")
    return done.stdout


def measure(host: str, target: str) -> dict[str, Any]:
    """Run a target of the Makefile on the host; its time, the share of each role, and what it changed."""
    began = time.monotonic()
    output = run("docker", "exec", "--workdir", "/opt/galilean.hub", host, "make", target)
    seconds = time.monotonic() - began
    recap = RECAP.search(output)
    if not recap or recap.group(2) != "0":
        raise SystemExit(f"make {target} gave no clean recap:\n{output[-4000:]}")
    roles = {name: float(value) for name, value in ROLE.findall(output) if name != "total"}
    return {
        "seconds": round(seconds, 1),
        "changed": int(recap.group(1)),
        "setup_s": round(max(0.0, seconds - sum(roles.values())), 1),
        "roles_s": {name: value for name, value in roles.items() if value >= 0.5},
    }


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument(
        "--suite", default="bookworm", choices=["bookworm", "trixie"], help="Debian of the machine"
    )
    options = parser.parse_args()
    image = run(
        sys.executable, str(ROOT / "molecule/resources/host_image.py"), options.suite, "plain"
    ).strip()
    host = f"galilean-bench-{secrets.token_hex(3)}"
    run("docker", "run", "--detach", f"--name={host}", f"--hostname={host}", *OPTIONS, image, "/sbin/init")
    try:
        run("docker", "exec", host, "mkdir", "-p", "/opt/galilean.hub")
        archive = subprocess.run(
            ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
        ).stdout
        into = ["docker", "exec", "--interactive", host, "tar", "-x", "-C", "/opt/galilean.hub"]
        subprocess.run(into, input=archive, check=True)
        if CA_BUNDLE.exists():
            run("docker", "cp", str(CA_BUNDLE), f"{host}:{CA_BUNDLE}")
        run("docker", "exec", host, "sh", "-c", "apt-get update -q && apt-get install -qy make")
        results = {
            "fresh": measure(host, "site"),
            "again": measure(host, "site"),
            "verify": measure(host, "verify"),
        }
    finally:
        subprocess.run(["docker", "rm", "--force", "--volumes", host], check=False, stdout=subprocess.DEVNULL)
    publish(results, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
