# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the benchmarks share: how their results get out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any


def bench_parser(text: str | None) -> argparse.ArgumentParser:
    """A parser with the first line of a docstring, and with the option that all benchmarks have."""
    made = argparse.ArgumentParser(description=(text or "").split("\n")[0])
    made.add_argument("--json", type=Path, help="write the results there too")
    return made


def publish(results: dict[str, Any], path: Path | None) -> None:
    """Print the results, and write them to a file where one is named."""
    text = json.dumps(results, indent=2)
    print(text)
    if path:
        path.write_text(text + "\n")
