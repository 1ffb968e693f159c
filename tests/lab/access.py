# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a deployment on the lab needs beside a login: an SSH key, and a certificate for its addresses.

inventories/lab takes them from the lab's state, so that nothing of the kind is in the repository.
"""

from __future__ import annotations

import os

from commands import run
from settings import POOL_FIRST, POOL_LAST, Settings

KEY, CERTIFICATE, CERTIFICATE_KEY = "id_ed25519", "hub.crt", "hub.key"


def provide(settings: Settings, owner: tuple[int, int] | None) -> list[str]:
    """Make what is missing, for whoever called; the names of what was made."""
    made = []
    if not (settings.state / KEY).exists():
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", str(settings.state / KEY)])
        made.append(KEY)
    # Of another network it would be for other addresses.
    if not (settings.state / CERTIFICATE).exists():
        _certificate(settings)
        made.append(CERTIFICATE)
    if owner:
        for name in (KEY, f"{KEY}.pub", CERTIFICATE, CERTIFICATE_KEY):
            os.chown(settings.state / name, *owner)
    return made


def _certificate(settings: Settings) -> None:
    """One that signs itself, for every address that a server may get."""
    names = ",".join(f"IP:{settings.network[number]}" for number in range(POOL_FIRST, POOL_LAST + 1))
    part = settings.state / f".{CERTIFICATE}.part"
    run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "365", "-subj", "/CN=lab-hub", "-addext", f"subjectAltName={names}",
            "-keyout", str(settings.state / CERTIFICATE_KEY), "-out", str(part),
        ]
    )  # fmt: skip
    # The last step, so that a killed one is done again.
    part.replace(settings.state / CERTIFICATE)


def forget(settings: Settings) -> None:
    """Remove what was made; with other addresses or servers it would mean nothing."""
    for name in (KEY, f"{KEY}.pub", CERTIFICATE, CERTIFICATE_KEY, "known_hosts"):
        (settings.state / name).unlink(missing_ok=True)
