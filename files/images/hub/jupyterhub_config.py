# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Static configuration of JupyterHub: what differs between sites is in the data file and the secrets."""

from pathlib import Path

from galilean_hub import database, web
from galilean_hub.loader import configure, read_data, read_secrets
from galilean_hub.web_static import SiteStaticFilesHandler

database.tune()
data = read_data(Path("/etc/jupyterhub/config.json"))
configure(
    get_config(),
    data,
    read_secrets(Path("/run/secrets")),
    web.settings(bool(data.get("web_live")), SiteStaticFilesHandler),
)
