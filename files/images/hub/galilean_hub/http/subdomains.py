# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Host names of users' servers, one label below the hub's own: never two users with the same one."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any
from urllib.parse import urlsplit

# A label of the DNS that browsers show and compare as it is written (RFC 1123, section 2.1).
PLAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# Names that programs look for by themselves, or that people take for the site's own.
RESERVED = {
    *("account", "accounts", "admin", "administrator", "api", "app", "apps", "auth"),
    *("autoconfig", "autodiscover", "broadcasthost", "cdn", "check", "dns", "ftp", "git", "help"),
    *("home", "host", "hub", "imap", "info", "isatap", "jupyter", "jupyterhub", "lab", "ldap"),
    *("localdomain", "localhost", "login", "logout", "mail", "mta-sts", "news", "ns", "ns0"),
    *("ns1", "ns2", "ns3", "openid", "pop", "pop3", "postmaster", "proxy", "register", "root"),
    *("secure", "security", "service", "services", "shared", "signin", "signup", "sip", "smtp"),
    *("ssh", "sso", "static", "status", "support", "system", "test", "token", "tokens", "user"),
    *("users", "vpn", "web", "webmail", "wpad", "www", "www1", "www2", "www3"),
}
# All of 128 bits: who may choose a name finds none that leads to somebody else's host.
DIGEST = 32
STUB = 16


def label(name: str) -> str:
    """The label of a user's name: the name itself, or some of its letters and a digest.

    Labels with a digest have two dashes in a row, which no name that stays as it is has. JupyterHub's own
    hook keeps 28 bits of a digest, for which anybody finds a second name in minutes.
    """
    if _plain(name) and not name.isdigit() and name not in RESERVED:
        return name
    return _digested("u", name)


def _plain(name: str) -> bool:
    return bool(PLAIN.fullmatch(name)) and "--" not in name


def _digested(kind: str, name: str) -> str:
    # The kind keeps two dashes from the third and fourth place, where they have a meaning (RFC 5891).
    stub = "".join(re.findall("[a-z0-9]", name.lower()))[:STUB] or "x"
    return f"{kind}-{stub}--{hashlib.sha256(name.encode()).hexdigest()[:DIGEST]}"


def hook(name: str, domain: str, kind: str) -> str:
    """JupyterHub.subdomain_hook. A service is at <name>--service, as with JupyterHub's own: no user is."""
    if kind == "user":
        return f"{label(name)}.{domain}"
    suffix = f"--{kind}"
    simple = _plain(name) and len(name) != 2 and len(name) + len(suffix) <= 63
    return f"{name + suffix if simple else _digested(kind[0], name)}.{domain}"


def guard_logins() -> None:
    """Keep what a browser holds of a login at a provider from pages beside the hub.

    One that sets this cookie for all names could end somebody's login with a code of its own account.
    oauthenticator 17.4 has the name for all its classes in one place; none of them in use, it is not loaded.
    """
    oauth2 = sys.modules.get("oauthenticator.oauth2")
    if oauth2 and not oauth2.STATE_COOKIE_NAME.startswith("__Host-"):
        oauth2.STATE_COOKIE_NAME = f"__Host-{oauth2.STATE_COOKIE_NAME}"


def moved(callback: str, hub: str) -> bool:
    """Whether a server has its logins come back to an address of before.

    hub: the address below which servers have their names; none where they are at the hub's own. A server that
    was started there asks for a path alone, which leads to it wherever it is now.
    """
    parts = urlsplit(callback)
    now = urlsplit(hub)
    return bool(parts.netloc) and (parts.scheme, parts.netloc.partition(".")[2]) != (now.scheme, now.netloc)


def tell_moves(hub: str) -> None:
    """Say to who opens such a server what to do. JupyterHub would lead them to what is not there any more."""
    from jupyterhub.oauth.provider import JupyterHubRequestValidator
    from tornado.web import HTTPError

    validate = JupyterHubRequestValidator.validate_redirect_uri

    def told(self: Any, client_id: str, redirect_uri: str, *rest: Any, **more: Any) -> bool:
        good: bool = validate(self, client_id, redirect_uri, *rest, **more)
        if good and client_id.startswith("jupyterhub-user-") and moved(redirect_uri, hub):
            raise HTTPError(
                409,
                "This server was started while servers had other addresses. Stop it on the page Home of the "
                "hub, and start it again.",
            )
        return good

    JupyterHubRequestValidator.validate_redirect_uri = told
