# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine with a stock Debian kernel, for what the kernel of the machine may lack.

Its system is a small tree of packages, unpacked into its memory; nothing of the machine needs to be mounted
or changed. It runs one command and ends.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "guest"
SUITE = "bookworm"
PACKAGES = (
    "linux-image-cloud-amd64", "kmod", "mount", "e2fsprogs", "xfsprogs", "python3-minimal",
    "libpython3-stdlib",
)  # fmt: skip
INIT = """\
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/task LC_ALL=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp
for module in virtio_pci virtio_blk ext4 xfs quota_v2; do modprobe "$module"; done
n=0; until [ -b /dev/vdb ] || [ "$n" -gt 100 ]; do n=$((n + 1)); sleep 0.1; done
sh -c "$(cat /task/command)" 2>&1
echo ENDED
echo o >/proc/sysrq-trigger
sleep 60
"""


def _initrd() -> Path:
    """The system as an archive; made once for each set of packages."""
    inputs = repr((SUITE, PACKAGES, INIT, inspect.getsource(_initrd)))
    key = hashlib.sha256(inputs.encode()).hexdigest()[:16]
    done = CACHE / f"system-{key}.cpio"
    if done.exists():
        return done
    CACHE.mkdir(parents=True, exist_ok=True)
    tree, part = CACHE / "tree.part", CACHE / "system.part"
    shutil.rmtree(tree, ignore_errors=True)
    folder = '"$1/etc/initramfs-tools/conf.d"'
    conf = f"mkdir -p {folder}; echo MODULES=list >{folder}/small.conf"
    excluded = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")]
    subprocess.run(
        ["mmdebstrap", "--variant=minbase", "--mode=root", f"--include={','.join(PACKAGES)}", *excluded,
         f"--essential-hook={conf}", SUITE, str(tree)],
        check=True, capture_output=True, timeout=900,
    )  # fmt: skip
    (tree / "init").write_text(INIT, encoding="utf-8")
    (tree / "init").chmod(0o755)
    shutil.copy(next((tree / "boot").glob("vmlinuz-*")), CACHE / f"kernel-{key}")
    for name in ("boot/initrd.img*", "var/cache/apt/*", "var/lib/apt/lists/*"):
        for path in tree.glob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    _pack(tree, part)
    shutil.rmtree(tree)
    part.rename(done)
    return done


def _pack(tree: Path, archive: Path) -> None:
    with archive.open("wb") as handle:
        subprocess.run(
            "find . -print0 | cpio --null --create --format=newc --quiet",
            shell=True, cwd=tree, stdout=handle, check=True, timeout=300,
        )  # fmt: skip


def run(
    work: Path, files: t.Mapping[str, Path], command: str, disks: t.Sequence[int], limit: float = 300
) -> str:
    """What the command prints in a guest with these files and folders in /task, and disks of so many MiB."""
    system = _initrd()
    tree = work / "tree" / "task"
    tree.mkdir(parents=True)
    for name, source in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    (tree / "command").write_text(command, encoding="utf-8")
    _pack(work / "tree", work / "task.cpio")
    # The kernel unpacks archives that stand one behind the other.
    with (work / "initrd").open("wb") as out:
        for part in (system, work / "task.cpio"):
            with part.open("rb") as handle:
                shutil.copyfileobj(handle, out)
    kernel = system.with_name(system.name.replace("system-", "kernel-").removesuffix(".cpio"))
    argv = [
        "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-m", "1536",
        "-smp", str(min(2, os.cpu_count() or 1)),
        "-nographic", "-no-reboot", "-nic", "none", "-kernel", str(kernel), "-initrd", str(work / "initrd"),
        "-append", "console=ttyS0 quiet panic=1 rdinit=/init",
    ]  # fmt: skip
    for number, size in enumerate(disks):
        disk = work / f"disk{number}"
        with disk.open("wb") as handle:
            handle.truncate(size * 2**20)
        argv += ["-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")
