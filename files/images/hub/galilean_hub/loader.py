# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From the data file and the secrets folder to JupyterHub's configuration: it only sets values."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import traceback
from pathlib import Path
from typing import Any

from .http import subdomains
from .state import keys

SCHEMA = 3

# name of the file in the secrets folder -> required
SECRETS = {
    "proxy-token": True,
    "cookie-secret": True,
    "crypt-key": True,
    "check-token": True,
    "heal-token": True,
    # Not required: a hub that was deployed before there was this service goes on without it.
    "accounts-token": False,
    "metrics-token": False,
    "client-secret": False,
    "login-password": False,
    "admin-password": False,
    "approval-token": False,
    "service-tokens": False,
    "ldap-password": False,
}

# The image's services; SERVICES in the collection's authorization/services.py.
SERVICES = ("check", "heal", "accounts", "metrics", "idle-culler")

# Its time by group is in the server's state.
CULLER_SCOPES = ["list:users", "read:users:activity", "read:servers", "delete:servers", "admin:server_state"]
# What a user's server may do for its user: tell it the tokens of its own login, for the programs in it.
SERVER_SCOPES = ["users:activity!user", "access:servers!server"]
TOKEN_SCOPE = "admin:auth_state!user"
# Lists and stops servers, and can enter none.
SUPPORT_SCOPES = ["admin-ui", "list:users", "read:users:name", "read:servers", "delete:servers", "read:hub"]
# Administrators who may not enter servers: all but `access:servers`, users' tokens, and what leads to either.
# Not `proxy`: with that the hub sends the proxy's token to any address.
MANAGER_SCOPES = [*SUPPORT_SCOPES, "read:users", "servers", "list:groups", "read:groups"]
# Only for the user that it plays: the server that it visits sees its token, whatever is in the image.
CHECK_SCOPES = ["admin:users", "admin:servers", "access:servers"]
# For the modules about accounts: see them, stop their servers, delete them, edit groups. Not create them and
# not make administrators: JupyterHub asks for admin:users there, which includes admin:auth_state (the users'
# tokens of the login's provider), and the latter it takes only from administrators, who may do everything.
# Both come from the settings instead, which the hub reads when it starts.
ACCOUNTS_SCOPES = [
    "list:users",
    "read:users",
    "read:servers",
    "delete:servers",
    "delete:users",
    "admin:groups",
]


# The site's own file, beside the data; not there where a site has none.
HOOKS_FILE = Path("/etc/jupyterhub/hooks.py")
# A function that it may define -> the class whose trait it is.
HOOKS = {
    "post_auth_hook": "Authenticator",
    "refresh_user_hook": "OAuthenticator",
    "modify_auth_state_hook": "OAuthenticator",
    "auth_state_hook": "Spawner",
    "pre_spawn_hook": "Spawner",
    "post_stop_hook": "Spawner",
}


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
    # The name of an older role's data, which does not say it.
    checked = [f"{scope}!user={data.get('check_user', 'hub-check')}" for scope in CHECK_SCOPES]
    roles = [
        {"name": "check", "scopes": [*checked, "read:hub"], "services": ["check"]},
        {"name": "heal", "scopes": ["proxy"], "services": ["heal"]},
    ]
    people = data.get("roles") or {}
    for name, scopes in (("support", SUPPORT_SCOPES), ("manager", MANAGER_SCOPES)):
        # Also without members: who was one before loses it.
        members = people.get(name) or {}
        roles.append(
            {
                "name": name,
                "scopes": scopes,
                "users": members.get("users") or [],
                "groups": members.get("groups") or [],
            }
        )
    if data.get("sharing_days"):
        # JupyterHub's role of everybody, with one right more.
        roles.append({"name": "user", "scopes": ["self", "shares!user"]})
    if data.get("user_tokens"):
        roles.append({"name": "server", "scopes": [*SERVER_SCOPES, TOKEN_SCOPE]})
    if secrets.get("accounts-token"):
        services.append({"name": "accounts", "api_token": secrets["accounts-token"]})
        roles.append({"name": "accounts", "scopes": ACCOUNTS_SCOPES, "services": ["accounts"]})
    if secrets.get("metrics-token"):
        services.append({"name": "metrics", "api_token": secrets["metrics-token"]})
        roles.append({"name": "metrics", "scopes": ["read:metrics"], "services": ["metrics"]})
    sites = data.get("services") or []
    tokens = json.loads(secrets.get("service-tokens") or "{}") if sites else {}
    for site in sites:
        if not tokens.get(site["name"]):
            raise SystemExit(
                f"The secret service-tokens has none for the service {site['name']!r}: run site.yml again"
            )
        # They have no role: what they do, they do with a token that a user has given them.
        services.append({**site, "api_token": tokens[site["name"]], "display": False})
    culler = data.get("culler")
    if culler:
        command = [sys.executable, "-m", "galilean_hub.spawner.culler"]
        command += [f"--{option.replace('_', '-')}={value}" for option, value in sorted(culler.items())]
        services.append({"name": "idle-culler", "command": command})
        roles.append({"name": "idle-culler", "scopes": CULLER_SCOPES, "services": ["idle-culler"]})
    return services, roles


def _browser(public_url: str) -> dict[str, Any]:
    """Cookies that go along with no form of another site, and not unencrypted."""
    secure = {"secure": True} if public_url.startswith("https:") else {}
    return {"cookie_options": {"samesite": "Lax"}, "xsrf_cookie_kwargs": {"samesite": "Lax", **secure}}


def read_hooks(path: Path) -> dict[str, Any]:
    """The hooks of the site's own file, where there is one; SystemExit with a sentence on what is wrong."""
    if not path.is_file():
        return {}
    spec = importlib.util.spec_from_file_location("site_hooks", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as exc:
        lines = [
            frame.lineno for frame in traceback.extract_tb(exc.__traceback__) if frame.filename == str(path)
        ]
        # An error of syntax says its line itself.
        where = f" ({path.name}, line {lines[-1]})" if lines else ""
        raise SystemExit(f"jupyterhub_hooks_file cannot be read: {type(exc).__name__}: {exc}{where}") from exc
    hooks = {name: getattr(module, name) for name in HOOKS if callable(getattr(module, name, None))}
    if not hooks:
        raise SystemExit(f"jupyterhub_hooks_file defines none of {', '.join(HOOKS)}: give one of them")
    return hooks


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
    public_url = data["traits"].get("JupyterHub", {}).get("public_url", "")
    c.JupyterHub.tornado_settings = {**(web or {}).get("tornado_settings", {}), **_browser(public_url)}
    services, roles = _services(data, secrets)
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles
    c.ConfigurableHTTPProxy.auth_token = secrets["proxy-token"]
    # Containers' names must not be a copy of the secret that cookies are signed with.
    c.GalileanSpawner.name_key = hashlib.sha256(f"names {secrets['cookie-secret']}".encode()).hexdigest()
    # Data encrypted with an older one stays readable.
    c.CryptKeeper.keys = keys.read(secrets["crypt-key"])
    if data.get("cull_connected"):
        c.JupyterHub.proxy_class = "galilean_hub.spawner.idle.QuietProxy"
    if secrets.get("client-secret"):
        c.OAuthenticator.client_secret = secrets["client-secret"]
    if secrets.get("login-password"):
        c.SharedPasswordAuthenticator.user_password = secrets["login-password"]
    if secrets.get("admin-password"):
        c.SharedPasswordAuthenticator.admin_password = secrets["admin-password"]
    # Everybody may log in with the hub at other sites.
    everybody = {f"access:services!service={site['name']}" for site in data.get("services") or []}
    if data.get("user_tokens"):
        # A server's token has no scope that its user has not.
        everybody.add(TOKEN_SCOPE)
    if everybody:
        c.JupyterHub.extra_user_scopes = everybody
    if secrets.get("ldap-password"):
        c.LDAPAuthenticator.lookup_dn_search_password = secrets["ldap-password"]
    if secrets.get("approval-token"):
        c.GalileanAccess.approval_token = secrets["approval-token"]
    for name, hook in read_hooks(HOOKS_FILE).items():
        c[HOOKS[name]][name] = hook
    if data["traits"].get("JupyterHub", {}).get("subdomain_host"):
        c.JupyterHub.subdomain_hook = subdomains.hook
    # Last, so that a site's own settings win over everything above.
    for class_name, traits in data["traits"].items():
        for trait, value in traits.items():
            if class_name == "JupyterHub" and trait in c.JupyterHub:
                value = _joined(trait, c.JupyterHub[trait], value)
            c[class_name][trait] = value
    # After the site's own services. Ours also where one of them does not run now.
    names = {str(service.get("name", "")) for service in c.JupyterHub.services}
    c.LoginGuard.reserved_names = {*SERVICES, *names, data.get("check_user", "hub-check")} - {""}
