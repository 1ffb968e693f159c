# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a scanner that looks for weak encryption and known holes has to say (testssl.sh)."""

from __future__ import annotations

import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from conftest import Edge

# Everything that is judged. Left out are lists for people: each cipher with its number, and what old browsers
# would choose.
PARTS = [
    ["--protocols", "--std", "--fs", "--server-preference", "--server-defaults", "--headers"],
    ["--vulnerable"],
]
HARMLESS = {"OK", "INFO", "LOW", "WARN"}
# An authority on the hub host has no address at which it could revoke something; a new root does it.
PRIVATE = {"cert_revocation"}
# Without these, it has not looked at what matters.
LOOKED_AT = {"SSLv3", "cipher_order", "cert_chain_of_trust", "HSTS_time", "heartbleed", "ROBOT", "LUCKY13"}


@pytest.fixture(scope="module")
def found(upstream: Edge, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Its findings: by name the severity and the sentence."""
    said = upstream.converge(edge_tls_mode="self_signed")
    assert said.endswith("rc=0"), said
    folder = tmp_path_factory.mktemp("scan")
    root = upstream.folder.parent / "certificate/ca.crt"
    options = ["--quiet", "--color=0", "--warnings=off", "--nodns=none", f"--add-ca={root}"]
    options += ["--connect-timeout=10", "--openssl-timeout=10"]
    files = [folder / f"{number}.json" for number in range(len(PARTS))]
    scans = [
        subprocess.Popen(
            ["testssl", *options, *part, f"--jsonfile={file}", upstream.url("/", "https")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )
        for part, file in zip(PARTS, files, strict=True)
    ]  # fmt: skip
    # It exits with the number of its findings.
    for scan in scans:
        scan.wait(300)
    return {one["id"]: (one["severity"], one["finding"]) for file in files for one in load(file)}


def load(file: Path) -> list[dict[str, t.Any]]:
    findings: list[dict[str, t.Any]] = json.loads(file.read_text())
    return findings


@pytest.mark.slow
def test_nothing_is_found(found: dict[str, tuple[str, str]]) -> None:
    bad = {name: said for name, said in found.items() if said[0] not in HARMLESS and name not in PRIVATE}
    assert bad == {}


@pytest.mark.slow
def test_it_has_looked(found: dict[str, tuple[str, str]]) -> None:
    assert {name: found.get(name, ("", ""))[0] for name in LOOKED_AT} == dict.fromkeys(LOOKED_AT, "OK")
