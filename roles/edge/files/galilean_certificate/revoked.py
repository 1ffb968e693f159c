# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whether an authority has revoked a certificate."""

from __future__ import annotations

import os
import re
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .settings import Certbot

URL = re.compile(r"URI:(http://\S+)")
# The lists of large authorities are in pieces of at most a few megabytes.
LARGEST = 20 << 20


def revoked(certbot: Certbot, serial: str) -> bool:
    """Ask the authority's list that the certificate names. certbot asks by OCSP, which most authorities have given up.

    An authority that does not answer is taken for "no": that is how browsers do it as well.
    """
    # A proxy, for instance: the list is asked for in the same way as the authority.
    os.environ.update(certbot.environment)
    lineage = Path(certbot.lineage)
    argv = ["openssl", "x509", "-noout", "-ext", "crlDistributionPoints", "-in", str(lineage / "cert.pem")]
    told = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
    return any(in_list(url, serial, lineage / "chain.pem") for url in URL.findall(told))


def in_list(url: str, serial: str, issuer: Path) -> bool:
    """Whether the authority's list, signed by it, has this serial number (hexadecimal)."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            listed = answer.read(LARGEST)
    except (OSError, urllib.error.URLError):
        return False
    checked = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-noout", "-text", "-CAfile", str(issuer)],
        input=listed,
        capture_output=True,
        check=False,
    )
    if checked.returncode or b"verify OK" not in checked.stderr:
        return False
    numbers = re.findall(r"Serial Number: *([0-9A-Fa-f:]+)", checked.stdout.decode(errors="replace"))
    return int(serial, 16) in {int(number.replace(":", ""), 16) for number in numbers}
