# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From the data file and the secrets folder to JupyterHub's configuration: it only sets values."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

SCHEMA = 1

# name of the file in the secrets folder -> required
SECRETS = {
    "proxy-token": True,
    "cookie-secret": True,
    "crypt-key": True,
    "check-token": True,
    "heal-token": True,
    "login-password": False,
    "admin-password": False,
}

CULLER_SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
CHECK_SCOPES = ["admin:users", "admin:servers", "access:servers", "read:hub"]


def read_data(path: Path) -> dict[str, Any]:
    """Read the data file; SystemExit with a sentence when it cannot be used by this image."""
    data = json.loads(path.read_text())
    if data.get("schema") != SCHEMA:
        raise SystemExit(
            f"{path} has schema {data.get('schema')!r}, this image reads {SCHEMA}: run site.yml again"
        )
    return data


def read_secrets(folder: Path) -> dict[str, str]:
    """Read the secrets that are there; SystemExit naming the first required one that is missing."""
    secrets = {}
    for name, required in SECRETS.items():
        path = folder / name
        if path.is_file():
            secrets[name] = path.read_text().strip()
        if required and not secrets.get(name):
            raise SystemExit(f"The secret {path} is missing or empty: run site.yml again, it makes a new one")
    return secrets


def _services(data: dict[str, Any], secrets: dict[str, str]) -> tuple[list[dict], list[dict]]:
    """Services and the roles that say what they may do."""
    services = [
        {"name": "check", "api_token": secrets["check-token"]},
        {"name": "heal", "api_token": secrets["heal-token"]},
    ]
    roles = [
        {"name": "check", "scopes": CHECK_SCOPES, "services": ["check"]},
        {"name": "heal", "scopes": ["proxy"], "services": ["heal"]},
    ]
    culler = data.get("culler")
    if culler:
        command = [sys.executable, "-m", "jupyterhub_idle_culler"]
        command += [f"--{option.replace('_', '-')}={value}" for option, value in sorted(culler.items())]
        services.append({"name": "idle-culler", "command": command})
        roles.append({"name": "idle-culler", "scopes": CULLER_SCOPES, "services": ["idle-culler"]})
    return services, roles


def _joined(trait: str, ours: Any, theirs: Any) -> Any:
    """What a site sets beside what the image sets itself; where only one can be, the site's."""
    if trait in {"services", "load_roles"}:
        return [*ours, *theirs]
    if trait == "template_paths":
        return [*theirs, *ours]
    return {**ours, **theirs} if isinstance(ours, dict) and isinstance(theirs, dict) else theirs


def configure(
    c: Any, data: dict[str, Any], secrets: dict[str, str], web: dict[str, Any] | None = None
) -> None:
    """Set JupyterHub's configuration `c` (traitlets Config) from the data file's content and the secrets.

    `web`: traits of JupyterHub for the look of its pages, from the module of that name.
    """
    for trait, value in (web or {}).items():
        c.JupyterHub[trait] = value
    services, roles = _services(data, secrets)
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles
    c.ConfigurableHTTPProxy.auth_token = secrets["proxy-token"]
    # One key a line, the newest first: data encrypted with an older one stays readable.
    c.CryptKeeper.keys = [bytes.fromhex(line) for line in secrets["crypt-key"].split()]
    if secrets.get("login-password"):
        c.SharedPasswordAuthenticator.user_password = secrets["login-password"]
    if secrets.get("admin-password"):
        c.SharedPasswordAuthenticator.admin_password = secrets["admin-password"]
    # Last, so that a site's own settings win over everything above.
    for class_name, traits in data["traits"].items():
        for trait, value in traits.items():
            if class_name == "JupyterHub" and trait in c.JupyterHub:
                value = _joined(trait, c.JupyterHub[trait], value)
            c[class_name][trait] = value
