# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Print the table of docs/software.md: what the packages of the scientific Python take on the disk.

python tests/tools/software_sizes.py galilean/python-science:<digest>
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

LISTED = Path(__file__).resolve().parents[2] / "files/images/python-science/requirements.in"
# Run in the image: MiB of each distribution, with its compiled files; and of all.
SIZES = """
import json, os, re
from importlib.metadata import distributions
folder, found, total = "/opt/software/lib/python3.13/packages", {}, 0
for one in distributions(path=[folder]):
    size = 0
    for path in (one.locate_file(file) for file in one.files or []):
        head, tail = os.path.split(path)
        compiled = os.path.join(head, "__pycache__", tail[:-3] + ".cpython-313.pyc")
        size += sum(os.path.getsize(each) for each in (path, compiled) if os.path.isfile(each))
    found[re.sub("[-_.]+", "-", one.metadata["Name"]).lower()] = size
print(json.dumps(found))
"""


def main() -> None:
    listed = re.findall(r"^([a-z0-9-]+)", LISTED.read_text(encoding="utf-8"), re.MULTILINE)
    command = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        sys.argv[1],
        "/opt/software/bin/python",
        "-c",
        SIZES,
    ]
    sizes = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    # Polars is a small package with a large one.
    sizes["polars"] += sizes.pop("polars-runtime-32")
    sizes["numba"] += sizes.pop("llvmlite")
    print("| package | MiB |\n|---|---|")
    for name in sorted(listed, key=lambda name: (-sizes[name], name)):
        print(f"| {name} | {sizes[name] / 2**20:.1f} |")
    others = sum(size for name, size in sizes.items() if name not in listed)
    print(f"| {len(sizes) - len(listed)} others that these need | {others / 2**20:.0f} |")


if __name__ == "__main__":
    main()
