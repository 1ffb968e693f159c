# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long a backup takes, the first one and the next one, against restic alone on the same homes.

    python tests/bench/backup.py [--homes 20] [--megabytes 100] [--files 2000] [--passes 3] [--json FILE]

Homes are Docker volumes, half of each random bytes and half random digits, which compress to half. Each pass
has new repositories, in folders on the disk of /var/tmp. It measures, up to the moment when the file system
is synchronised:

1. restic alone: init, a backup of the homes, and another one;
2. the program of the role backup: the same, with a database and the manifest.

Needs root, restic and an engine. Ratios within one run can be compared.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from results import bench_parser, publish

PROGRAM = Path(__file__).resolve().parents[2] / "roles" / "backup" / "files"


def docker(*argv: str) -> str:
    return subprocess.run(["docker", *argv], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def fill(home: Path, megabytes: int, files: int) -> None:
    """Files of very different sizes, as people have them."""
    chance = random.Random(str(home))
    sizes = [chance.lognormvariate(0, 1.5) for _ in range(files)]
    scale = megabytes * 1e6 / sum(sizes)
    for number, size in enumerate(sizes):
        folder = home / f"project-{number % 40}"
        folder.mkdir(exist_ok=True)
        length = int(size * scale)
        data = os.urandom(length) if number % 2 else os.urandom(length // 2 + 1).hex().encode()[:length]
        (folder / f"file-{number}").write_bytes(data)


def timed(argv: list[str], env: dict[str, str], folder: str) -> float:
    os.sync()
    begin = time.monotonic()
    subprocess.run(argv, env={**os.environ, **env}, cwd=folder, check=True, capture_output=True)
    os.sync()
    return time.monotonic() - begin


def instance(folder: Path, name: str) -> list[str]:
    """An instance without its hub; the command that backs it up."""
    state = folder / name
    for part in ("hub", "secrets", "backup/secrets"):
        (state / part).mkdir(parents=True)
    with sqlite3.connect(state / "hub" / "jupyterhub.sqlite") as database:
        database.execute("CREATE TABLE users (name TEXT)")
        database.executemany("INSERT INTO users VALUES (?)", [(f"user-{number}",) for number in range(1000)])
    (state / "backup" / "secrets" / "password").write_text("password\n")
    settings = {
        "instance": name,
        "name": f"bench/host/{name}",
        "version": "0",
        "repository": str(folder / "ours"),
        "keep": {"daily": 7},
        "max_age": 36,
        "exclude": [],
        "options": [],
        "state_dir": str(state),
        "hub_dir": str(state / "hub"),
        "archive_dir": str(state / "archive"),
        "account": "daemon",
        "docker": ["docker"],
        "hub_container": f"{name}-hub",
    }
    (state / "backup" / "settings.json").write_text(json.dumps(settings))
    return ["python3", "-m", "galilean_backup", "--folder", str(state / "backup")]


def one_pass(folder: Path, program: list[str], places: list[str], name: str) -> dict[str, float]:
    for path in ("alone", "ours", "cache"):
        shutil.rmtree(folder / path, ignore_errors=True)
    home = folder / name / "backup"
    for path in ("cache", "repository.json", "last.json"):
        shutil.rmtree(home / path, ignore_errors=True) if (home / path).is_dir() else (home / path).unlink(
            missing_ok=True
        )
    alone = {
        "RESTIC_REPOSITORY": str(folder / "alone"),
        "RESTIC_PASSWORD": "password",
        "RESTIC_CACHE_DIR": str(folder / "cache"),
    }
    ours = {"PYTHONPATH": str(PROGRAM), "PYTHONDONTWRITEBYTECODE": "1"}
    # With the same place in the queues: what others do on the machine counts for both.
    restic = ["ionice", "-c", "2", "-n", "7", "nice", "-n", "10", "restic"]
    found = {
        "alone_first": timed([*restic, "init"], alone, "/") + timed([*restic, "backup", *places], alone, "/"),
        "alone_second": timed([*restic, "backup", *places], alone, "/"),
        "ours_first": timed([*program, "prepare"], ours, "/") + timed([*program, "run"], ours, "/"),
        "ours_second": timed([*program, "run"], ours, "/"),
    }
    return {key: round(value, 2) for key, value in found.items()}


def main() -> None:
    parser = bench_parser(__doc__)
    parser.add_argument("--homes", type=int, default=20)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args()
    name = f"bench{secrets.token_hex(3)}"
    folder = Path(tempfile.mkdtemp(prefix="galilean-bench-", dir="/var/tmp"))
    volumes = [f"{name}-home-user{number}" for number in range(options.homes)]
    try:
        places = []
        for volume in volumes:
            labels = [
                f"--label=galilean.hub.{key}={value}"
                for key, value in (("instance", name), ("role", "home"), ("user", volume))
            ]
            docker("volume", "create", *labels, volume)
            places.append(docker("volume", "inspect", "--format={{.Mountpoint}}", volume))
            fill(Path(places[-1]), options.megabytes, options.files)
        program = instance(folder, name)
        passes = [one_pass(folder, program, places, name) for _ in range(options.passes)]
    finally:
        for volume in volumes:
            subprocess.run(["docker", "volume", "rm", "--force", volume], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)
    median = {key: statistics.median(one[key] for one in passes) for key in passes[0]}
    results: dict[str, Any] = {
        "homes": options.homes,
        "megabytes": options.homes * options.megabytes,
        "files": options.homes * options.files,
        "seconds": median,
        "passes": passes,
        "first_to_restic_alone": round(median["ours_first"] / median["alone_first"], 3),
        "second_to_first": round(median["ours_second"] / median["ours_first"], 3),
    }
    publish(results, options.json)


if __name__ == "__main__":
    main()
