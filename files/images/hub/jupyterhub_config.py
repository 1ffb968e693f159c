# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Static configuration of JupyterHub: what differs between sites is in the data file and the secrets."""

from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from galilean_hub import logs
from galilean_hub.audit import events
from galilean_hub.authorization.access import with_access
from galilean_hub.authorization.login_guard import guarded
from galilean_hub.disk.watch import WATCH
from galilean_hub.http import api_limits, bounded_caches, outgoing, server, sharing, subdomains
from galilean_hub.loader import configure, read_data, read_secrets
from galilean_hub.pages import branding, git_links, home
from galilean_hub.pages.static_files import SiteStaticFilesHandler
from galilean_hub.spawner import engine
from galilean_hub.state import database, key_rotation, renaming

# A hub that starts without its engine takes all servers for stopped, and forgets them.
engine.wait()
database.tune()
logs.use()
bounded_caches.use()
outgoing.use()
data = read_data(Path("/etc/jupyterhub/config.json"))
c = get_config()
look = branding.jupyterhub_traits(bool(data.get("web_live")), SiteStaticFilesHandler)
configure(c, data, read_secrets(Path("/run/secrets")), look)
if data.get("users_proxy"):
    # A site's own settings for all servers win.
    c.DockerSpawner.environment = {**outgoing.variables(), **c.DockerSpawner.environment}
# What pages say to somebody whose home is too large, and whom to ask.
contact = c.LoginGuard.get("contact", "")
sharing_days = int(data.get("sharing_days") or 0)
sharing.use(sharing_days)
told = {"disk": WATCH.words, "contact": contact, "my_servers": home.teller, "sharing_days": sharing_days}
if data.get("git_links"):
    git_links.use(data["git_links"])
    # The home page leads to it.
    told["git_links"] = True
c.JupyterHub.template_vars = {**told, **c.JupyterHub.template_vars}
base = c.JupyterHub.get("base_url") or urlsplit(c.JupyterHub.get("bind_url", "")).path
server.install(data.get("network") or {}, f"/{base.strip('/')}/".replace("//", "/"))
c.JupyterHub.tornado_settings["transforms"] = [server.VersionHeaderRemoval, api_limits.FailedSessionRollback]
# A name of JupyterHub's own becomes a class with our rules; a site's own, by its full name, has those for
# logins.
if c.JupyterHub.authenticator_class == "native":
    # Its pages; ours come first.
    c.JupyterHub.template_paths.append(f"{Path(find_spec('nativeauthenticator').origin).parent}/templates")
    # The bar at the top leads to them.
    c.JupyterHub.template_vars["own_accounts"] = True
if "." not in c.JupyterHub.authenticator_class:
    c.JupyterHub.authenticator_class = with_access(c.JupyterHub.authenticator_class)
else:
    c.JupyterHub.authenticator_class = guarded(c.JupyterHub.authenticator_class)
if c.JupyterHub.get("cookie_host_prefix_enabled"):
    subdomains.guard_logins()
subdomains.tell_moves(c.JupyterHub.get("subdomain_host", ""))
database.upgrade(c.JupyterHub.db_url)
if data.get("trial"):
    database.forget_servers(c.JupyterHub.db_url)
# A hub that is only tried is no event.
if data.get("audit") and not data.get("trial"):
    events.install(c, bool(data.get("audit_code")))
names = data.get("renamed_users") or {}
renamed = set(renaming.rename(c.JupyterHub.db_url, names))
c.GalileanAccess.renamed_users = renamed
for old, new in names.items():
    if new in renamed:
        events.emit("account.rename", events.HUB, user=new, detail=f"was {old}")
# By its name: `keys` is a method of every section.
key_rotation.rotate(c.JupyterHub.db_url, c.CryptKeeper["keys"])
