# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long it takes to seed a software volume, and again after a small change, against a plain `cp -a`.

    python tests/bench/software.py [--gigabytes 2] [--files 40000] [--passes 3] [--base IMAGE] [--json FILE]

Two stack images are built, the second with another content of one package in 120. Each pass then measures,
each time up to the moment when the file system is synchronised:

1. `cp -a` of the first image's software into a new volume, in a container of the image;
2. the module software_volume for the same, verification included;
3. the module for the second image, while the first version is there.

It ends with the disk that the second version takes, and that of one more user's container. Needs root (it
looks into the engine's folders) and about four times the size on the disk. Ratios within one run can be
compared.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from results import bench_parser, publish

ROOT = Path(__file__).resolve().parents[2]
MODULE = "ansible_collections.galilean.hub.plugins.modules.software_volume"
TREE = "software_tree.py"
DOCKERFILE = f"""\
ARG BASE
FROM ${{BASE}}
COPY {TREE} /
ARG ARGUMENTS
RUN mkdir /opt/software && python3 /{TREE} /opt/software ${{ARGUMENTS}}
"""
# As in the collection's stacks. Without it the module reads the whole image to find what has not changed.
SUMS = """\
RUN cd /opt/software && find . -type f ! -name .sha256sums -exec sha256sum {} + > .sha256sums
"""


def docker(*argv: str) -> str:
    """Output of a docker command; its error output reaches the terminal when it fails."""
    return subprocess.run(["docker", *argv], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def newest(repository: str) -> str:
    """The newest image of a repository, or nothing."""
    refs = docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", repository).split()
    return refs[0] if refs else ""


def build(name: str, base: str, arguments: str, sums: bool) -> str:
    """Build a stack image; nothing of it comes from another one, as after a rebuild on a new base."""
    with tempfile.TemporaryDirectory() as context:
        Path(context, "Dockerfile").write_text(DOCKERFILE + (SUMS if sums else ""))
        Path(context, TREE).write_text(Path(__file__).with_name(TREE).read_text())
        argv = ["build", "--quiet", f"--tag={name}", f"--build-arg=BASE={base}"]
        docker(*argv, f"--build-arg=ARGUMENTS={arguments}", context)
    return name


def call_module(prefix: str, **params: Any) -> None:
    """Run the module as Ansible does on a host."""
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "params.json")
        log_dir = {"log_dir": str(Path(folder, "log"))}
        given.write_text(json.dumps({"ANSIBLE_MODULE_ARGS": {"prefix": prefix, **log_dir, **params}}))
        done = subprocess.run(
            [sys.executable, "-m", MODULE, str(given)],
            env={**os.environ, "PYTHONPATH": str(ROOT / ".ansible" / "collections")},
            text=True,
            stdout=subprocess.PIPE,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"The module failed: {json.loads(done.stdout)['msg']}")


def plain_copy(image: str, volume: str) -> None:
    """What people do without the module."""
    docker("volume", "create", volume)
    mount = f"--mount=type=volume,src={volume},dst=/volume,volume-nocopy"
    script = "cp -a /opt/software/. /volume && sync -f /volume"
    docker("run", "--rm", "--network=none", "--user=0:0", mount, "--entrypoint=/bin/sh", image, "-c", script)


def seconds(work: Any, *args: Any, **params: Any) -> float:
    """How long something takes on a disk that has nothing else to write."""
    os.sync()
    began = time.monotonic()
    work(*args, **params)
    return time.monotonic() - began


def disk(*paths: str) -> int:
    """Bytes that folders take together; a file with several names counts once."""
    out = subprocess.run(
        ["du", "--summarize", "--total", "--block-size=1", *paths],
        check=True,
        text=True,
        stdout=subprocess.PIPE,
    ).stdout
    return int(out.splitlines()[-1].split()[0])


def mountpoint(volume: str) -> str:
    return docker("volume", "inspect", "--format={{.Mountpoint}}", volume)


def user_disk(name: str, image: str, software: str) -> int:
    """Bytes that one more user takes: the container's own layer and records, and the fresh home."""
    home = f"{name}-home"
    try:
        docker(
            *(
                "run",
                "--detach",
                f"--name={name}",
                "--network=none",
                f"--volume={software}:/opt/software:ro,nocopy",
            ),
            *(f"--volume={home}:/home/jovyan", "--entrypoint=/bin/sleep", image, "600"),
        )
        facts = json.loads(docker("container", "inspect", name))[0]
        layer = Path(facts["GraphDriver"]["Data"]["UpperDir"]).parent
        # What the engine mounts there is not the container's own.
        own = [str(path) for path in layer.iterdir() if path.name != "merged"]
        return disk(*own, str(Path(facts["ResolvConfPath"]).parent), mountpoint(home))
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=False, stdout=subprocess.DEVNULL)
        subprocess.run(["docker", "volume", "rm", "--force", home], check=False, stdout=subprocess.DEVNULL)


def one_pass(prefix: str, images: list[str], user_image: str, figures: dict[str, list[float]]) -> None:
    """Measure everything once."""
    copy = f"{prefix}-copy"
    try:
        figures["cp_a_s"].append(seconds(plain_copy, images[0], copy))
        docker("volume", "rm", copy)
        figures["seed_s"].append(seconds(call_module, prefix, image=images[0]))
        figures["seed_again_s"].append(seconds(call_module, prefix, image=images[1], keep=2))
        old, new = (mountpoint(f"{prefix}-{image.rpartition(':')[2]}") for image in images)
        figures["second_version_mib"].append((disk(old, new) - disk(old)) / 2**20)
        figures["user_mib"].append(user_disk(f"{prefix}-user", user_image, Path(new).parent.name) / 2**20)
    finally:
        subprocess.run(["docker", "volume", "rm", "--force", copy], check=False, stdout=subprocess.DEVNULL)
        call_module(prefix, state="absent")
    print({key: round(values[-1], 2) for key, values in figures.items()}, file=sys.stderr)


def summary(figures: dict[str, float]) -> dict[str, float]:
    """Figures with their ratios."""
    return {
        **{key: round(value, 2) for key, value in figures.items()},
        "seed_to_cp_a": round(figures["seed_s"] / figures["cp_a_s"], 2),
        "seed_again_to_seed": round(figures["seed_again_s"] / figures["seed_s"], 2),
    }


def main() -> int:
    parser = bench_parser(__doc__)
    parser.add_argument("--gigabytes", type=float, default=2, help="size of the stack (default: %(default)s)")
    parser.add_argument("--files", type=int, default=40000, help="files in the stack (default: %(default)s)")
    parser.add_argument("--passes", type=int, default=3, help="how often (default: %(default)s)")
    parser.add_argument(
        "--base", default=newest("galilean/base"), help="an image with Python (default: %(default)s)"
    )
    parser.add_argument("--no-sums", action="store_true", help="images without hashes of their files")
    options = parser.parse_args()
    if not options.base:
        raise SystemExit(
            "There is no image galilean/base: run `make site` first, or name an image in --base."
        )
    prefix = f"galilean-bench-{secrets.token_hex(3)}"
    names = [f"{prefix}/stack:{secrets.token_hex(6)}" for _ in range(2)]
    figures: dict[str, list[float]] = {
        key: [] for key in ("cp_a_s", "seed_s", "seed_again_s", "second_version_mib", "user_mib")
    }
    size = f"{options.files} {int(options.gigabytes * 10**9)}"
    try:
        images = [
            build(name, options.base, f"{size}{changed}", not options.no_sums)
            for name, changed in zip(names, ("", " changed"), strict=True)
        ]
        for _ in range(options.passes):
            one_pass(prefix, images, newest("galilean/notebook") or options.base, figures)
    finally:
        subprocess.run(["docker", "image", "rm", *names], check=False, stdout=subprocess.DEVNULL)
    results = {
        "stack": {"files": options.files, "gigabytes": options.gigabytes, "passes": options.passes},
        "median": summary({key: statistics.median(values) for key, values in figures.items()}),
        # On a machine that does other things too, these are the steadiest.
        "least": summary({key: min(values) for key, values in figures.items()}),
    }
    publish(results, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
