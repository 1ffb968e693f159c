#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Print the name of a test host image; bootstrap it from the distribution's mirror when it is missing.

Usage: host_image.py SUITE [plain|docker|bare]

The image is a small server: systemd as PID 1, an SSH server, Python, which a bare one lacks. Its tag is a
hash of all that goes into it, so it is built once and reused until this file changes. No container registry
is used.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = "galilean-test/host"
VARIANTS = ("plain", "docker", "bare")
PACKAGES = [
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "python3", "python3-apt",
    "ca-certificates", "iproute2", "iptables", "procps", "kmod", "iputils-ping",
]  # fmt: skip
DOCKER_PACKAGES = {
    "bookworm": ["docker.io", "python3-requests"],
    "trixie": ["docker.io", "docker-cli", "docker-buildx", "python3-requests"],
}
PYTHON = ["python3", "python3-apt"]
# A container has no console, no network of its own to configure and no disk to check.
MASKED = [
    "systemd-networkd.service", "systemd-networkd-wait-online.service", "systemd-resolved.service",
    "systemd-timesyncd.service", "systemd-udevd.service", "systemd-udev-trigger.service",
    "systemd-remount-fs.service", "systemd-modules-load.service", "getty.target", "console-getty.service",
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "fstrim.timer", "systemd-logind.service",
]  # fmt: skip
# What the clock does is part of what is tested on a bare one.
CLOCK = "systemd-timesyncd.service"
DOCS = ["/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*"]
# `docker import` takes no STOPSIGNAL: create.yml passes --stop-signal.
CHANGES = ['CMD ["/sbin/init"]', "ENV container=docker LANG=C.UTF-8"]


def bootstrap_argv(suite: str, variant: str) -> list[str]:
    """Return the command that writes the root file system of a host as a tar file to its output."""
    packages = PACKAGES + (DOCKER_PACKAGES[suite] if variant == "docker" else [])
    masked = MASKED
    if variant == "bare":
        packages = [package for package in PACKAGES if package not in PYTHON]
        masked = [unit for unit in MASKED if unit != CLOCK]
    argv = ["mmdebstrap", "--quiet", "--variant=minbase", "--include=" + ",".join(packages)]
    argv += [f"--dpkgopt=path-exclude={path}" for path in DOCS]
    argv += ["--aptopt=Acquire::Languages none", "--aptopt=APT::Install-Recommends false"]
    argv += [f'--customize-hook=ln -sf /dev/null "$1/etc/systemd/system/{unit}"' for unit in masked]
    # Empty: every host gets a machine id of its own when it starts.
    argv += ['--customize-hook=: > "$1/etc/machine-id"']
    return [*argv, suite, "-"]


def image_name(suite: str, variant: str) -> str:
    """Return the full image name, whose tag covers the packages, the suite and every option."""
    parts = [*bootstrap_argv(suite, variant), *CHANGES]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    return f"{REPOSITORY}:{suite}{'' if variant == 'plain' else f'-{variant}'}-{digest}"


def docker(*argv: str, check: bool = True) -> str:
    """Run the docker client and return what it prints."""
    result = subprocess.run(["docker", *argv], capture_output=True, text=True, check=False)
    if check and result.returncode:
        sys.exit(f"docker {' '.join(argv)} failed: {result.stderr.strip()}")
    return result.stdout if result.returncode == 0 else ""


def build(suite: str, variant: str, image: str) -> None:
    """Bootstrap and import the image, then drop older versions of it that no container uses."""
    changes = [word for change in CHANGES for word in ("--change", change)]
    with tempfile.NamedTemporaryFile(prefix="galilean-host-", suffix=".tar") as tar:
        done = subprocess.run(bootstrap_argv(suite, variant), stdout=tar, stderr=subprocess.PIPE, check=False)
        if done.returncode:
            sys.exit(f"mmdebstrap {suite} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")
        docker("import", *changes, tar.name, image)
    prefix = image.rsplit("-", 1)[0]
    for other in docker("images", "--format", "{{.Repository}}:{{.Tag}}", REPOSITORY).split():
        if other != image and other.rsplit("-", 1)[0] == prefix:
            docker("rmi", other, check=False)


def main() -> None:
    """Check the arguments, take the lock of this image and build it when it is missing."""
    suite, variant = (*sys.argv[1:], "plain")[:2] if len(sys.argv) > 1 else ("", "")
    if suite not in DOCKER_PACKAGES or variant not in VARIANTS:
        sys.exit(f"usage: host_image.py {'|'.join(DOCKER_PACKAGES)} [{'|'.join(VARIANTS)}]")
    image = image_name(suite, variant)
    lock = Path(tempfile.gettempdir()) / f"galilean-host-image-{os.getuid()}-{suite}-{variant}.lock"
    with lock.open("w") as handle:
        # Two scenarios that start together build an image once.
        fcntl.flock(handle, fcntl.LOCK_EX)
        if not docker("image", "inspect", "--format", "{{.Id}}", image, check=False):
            build(suite, variant, image)
    print(image)


if __name__ == "__main__":
    main()
