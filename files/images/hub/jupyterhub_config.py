# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Static configuration of JupyterHub: what differs between sites is in the data file and the secrets."""

from pathlib import Path

from galilean_hub import database
from galilean_hub.loader import configure, read_data, read_secrets

database.tune()
configure(
    get_config(),
    read_data(Path("/etc/jupyterhub/config.json")),
    read_secrets(Path("/run/secrets")),
)
