# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fills a volume from an image, verifies it and seals it. Runs inside the image, from standard input.

PRIVATE to the collection: may change at any time. Standard library only, and nothing of the collection.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

MARKER = ".sealed"


def file_hash(path: str) -> str:
    """The BLAKE2 hash of a file: as safe as SHA-256 here, and faster where the processor has no help for that."""
    digest = hashlib.blake2b(digest_size=20)
    with open(path, "rb", buffering=0) as stream:
        while True:
            block = stream.read(1 << 20)
            if not block:
                return digest.hexdigest()
            digest.update(block)


def entries(root: str) -> list[str]:
    """Every path below a folder, sorted, without the marker; the folder itself is a dot."""
    out = ["."]
    for folder, subfolders, files in os.walk(root):
        relative = os.path.relpath(folder, root)
        out += [os.path.normpath(os.path.join(relative, name)) for name in subfolders + files]
    return sorted(path for path in out if path != MARKER)


def describe(root: str, path: str) -> str:
    """Kind, permissions, owner and content of one entry; times, too, as compiled Python depends on them."""
    full = os.path.join(root, path)
    info = os.lstat(full)
    base = f"{stat.S_IFMT(info.st_mode):o} {stat.S_IMODE(info.st_mode):o} {info.st_uid} {info.st_gid}"
    if stat.S_ISLNK(info.st_mode):
        return f"{base} {os.readlink(full)}"
    if stat.S_ISREG(info.st_mode):
        return f"{base} {info.st_size} {int(info.st_mtime)} {file_hash(full)}"
    return base


def manifest(root: str) -> dict[str, str]:
    """Every entry below a folder with its description."""
    paths = entries(root)
    # Hashing leaves the interpreter's lock, so threads use all cores.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return dict(zip(paths, pool.map(lambda path: describe(root, path), paths, chunksize=64)))


def differences(wanted: dict[str, str], found: dict[str, str]) -> list[str]:
    """The paths that are missing, too many or different, in words."""
    out = [f"{path} is missing" for path in wanted if path not in found]
    out += [f"{path} should not be there" for path in found if path not in wanted]
    out += [f"{path} differs" for path in wanted if path in found and wanted[path] != found[path]]
    return sorted(out)


def total_size(descriptions: dict[str, str]) -> tuple[int, int]:
    """The number of files and the sum of their sizes."""
    sizes = [int(text.split()[4]) for text in descriptions.values() if text.startswith(f"{stat.S_IFREG:o} ")]
    return len(sizes), sum(sizes)


def seed(source: str, target: str, digest: str) -> dict[str, object]:
    """Copy, make durable, compare, seal."""
    if not os.path.isdir(source):
        raise SystemExit(
            f"The image has no folder {source}: correct source_path, or build the image so that it has it."
        )
    subprocess.run(["cp", "-a", os.path.join(source, "."), target], check=True)
    wanted, found = manifest(source), manifest(target)
    wrong = differences(wanted, found)
    if wrong:
        shown = ", ".join(wrong[:10])
        raise SystemExit(f"The copy is not the same as the image in {len(wrong)} places: {shown}")
    files, size = total_size(found)
    text = "\n".join(f"{path} {line}" for path, line in sorted(found.items()))
    facts: dict[str, object] = {
        "digest": digest,
        "files": files,
        "size_bytes": size,
        "manifest": hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest(),
    }
    # The content has to be on the disk before the marker says that it is complete.
    subprocess.run(["sync", "-f", target], check=True)
    temporary = os.path.join(target, MARKER + ".tmp")
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(facts, stream, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    os.chmod(temporary, 0o444)
    os.rename(temporary, os.path.join(target, MARKER))
    subprocess.run(["sync", "-f", target], check=True)
    return facts


if __name__ == "__main__":
    print(json.dumps(seed(*sys.argv[1:4])))
