# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""How users log in: from a site's settings to the traits of an authenticator. Pure: no I/O.

Which of those who logged in may come in by their group, approval or role is in _access_settings.py.

Names of traits are those of oauthenticator 17.4 and JupyterHub 6.1.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import name_problems
from ansible_collections.galilean.hub.plugins.module_utils.core.urls import web_address

# Where tokens come from that can be renewed without the user: oauthenticator then does so by itself.
OFFLINE = "offline_access"


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of login.

    authenticator: JupyterHub's name of the class; traits: the class whose traits are set; people: who can log in with the
    provider where nothing narrows that; needs: its own settings that must be given; narrows: those of its own settings
    that say who may come in, with what that is in words.
    """

    authenticator: str
    traits: str
    people: str
    needs: tuple[str, ...] = ()
    narrows: t.Mapping[str, str] = dataclasses.field(default_factory=dict)


OAUTH: dict[str, Kind] = {
    "google": Kind(
        "google",
        "GoogleOAuthenticator",
        "everybody with a Google account",
        (),
        {"domains": "everybody of {}"},
    ),
    "github": Kind(
        "github",
        "GitHubOAuthenticator",
        "everybody with a GitHub account",
        (),
        {"organizations": "members of {} at GitHub"},
    ),
    "gitlab": Kind(
        "gitlab",
        "GitLabOAuthenticator",
        "everybody with an account of the GitLab",
        (),
        {"groups": "members of {} at GitLab", "projects": "developers of GitLab's projects {}"},
    ),
    "oidc": Kind(
        "generic-oauth",
        "GenericOAuthenticator",
        "everybody whom the provider knows",
        ("authorize_url", "token_url", "userdata_url"),
    ),
    "cilogon": Kind(
        "cilogon",
        "CILogonOAuthenticator",
        "everybody of the listed institutions",
        ("providers",),
        {"domains": "everybody of {}"},
    ),
    "globus": Kind(
        "globus",
        "GlobusOAuthenticator",
        "everybody with a Globus identity",
        (),
        {"groups": "members of Globus' groups {}"},
    ),
    "azuread": Kind(
        "azuread", "AzureAdOAuthenticator", "everybody of the tenant", ("tenant", "username_claim")
    ),
}
# What answers to names and passwords of its own; these have settings as providers have them.
DIRECTORIES: dict[str, Kind] = {
    "ldap": Kind(
        "ldap",
        "LDAPAuthenticator",
        "everybody whom the directory knows",
        ("server",),
        {
            "groups": "members of {} in the directory",
            "search_filter": "everybody whom {} finds in the directory",
        },
    ),
    "native": Kind(
        "native", "NativeAuthenticator", "everybody who signs up and is approved by an administrator"
    ),
}
LOCAL: dict[str, Kind] = {
    "dummy": Kind("dummy", "DummyAuthenticator", "everybody on this machine, with any password"),
    "shared_password": Kind(
        "shared-password", "SharedPasswordAuthenticator", "everybody who has the password"
    ),
    "pam": Kind("pam", "PAMAuthenticator", "everybody in the file of passwords"),
}
# The kinds that have settings of their own, jupyterhub_login_<kind>.
WITH_SETTINGS = {**OAUTH, **DIRECTORIES}
KINDS = {**LOCAL, **WITH_SETTINGS}


def _address_problems(kind: str, own: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    for name, value in own.items():
        if not name.endswith("url") or not value:
            continue
        parts = web_address(value)
        if parts is None:
            found.append(
                f"jupyterhub_login_{kind} has {name} {value!r}: give a full address, such as https://login.example.org/"
            )
        elif parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1"):
            found.append(
                f"jupyterhub_login_{kind} has {name} {value!r}: secrets cross the network there, so use https"
            )
    return found


def _given(own: t.Mapping[str, t.Any] | None) -> bool:
    """Whether any of a kind's own settings has a value; the role's argument specification fills in what is missing."""
    return any(value not in (None, "", [], {}) for value in (own or {}).values())


def _foreign(kind: str, settings: t.Mapping[str, t.Any]) -> list[str]:
    """Settings of another kind, which would have no effect."""
    return [
        f"jupyterhub_login_{other} is set while jupyterhub_authenticator is {kind!r}: it has no effect there, so remove it or "
        f"set jupyterhub_authenticator to {other!r}"
        for other in sorted(WITH_SETTINGS)
        if other != kind and _given(settings.get(other))
    ]


def _client_problems(kind: str, settings: t.Mapping[str, t.Any]) -> list[str]:
    found = []
    for name, where in (("client_id", "the settings"), ("client_secret", "secrets.yml")):
        if not settings[name]:
            found.append(
                f"jupyterhub_login_{name} is empty while jupyterhub_authenticator is {kind!r}: register the hub with the provider "
                f"({callback(settings['public_url'])} is its callback address), and put what it gives you into {where}"
            )
    return found


def callback(public_url: str) -> str:
    """The address that a provider sends users back to."""
    return f"{public_url.rstrip('/')}/hub/oauth_callback"


# Of native: sign-ups of an address in ten minutes, and accounts that nobody has approved yet. The image has defaults.
SIGN_UPS = ("sign_ups", "waiting")
# LONGEST_PASSWORD in the image's providers.py.
LONGEST_PASSWORD = 72


def says_who(kind: str, settings: t.Mapping[str, t.Any]) -> bool:
    """Whether anybody at all could log in."""
    lists = (
        "allowed_users",
        "admin_users",
        "allowed_groups",
        "admin_groups",
        "support_users",
        "support_groups",
    )
    return bool(
        kind == "dummy"
        or settings["allow_all"]
        or any(settings.get(name) for name in lists)
        or _narrowing(kind, settings)
    )


def _providers(own: t.Mapping[str, t.Any]) -> list[t.Mapping[str, t.Any]]:
    return own.get("providers") or []


def _narrowing(kind: str, settings: t.Mapping[str, t.Any]) -> dict[str, list[str]]:
    """The kind's own settings that say who may come in, with their values."""
    own = settings.get(kind) or {}
    if kind == "cilogon":
        own = {"domains": [domain for one in _providers(own) for domain in one.get("domains") or []]}
    found = {}
    for name in KINDS[kind].narrows:
        value = own.get(name)
        if value:
            found[name] = [str(part) for part in value] if isinstance(value, list) else [str(value)]
    return found


def _kind_problems(kind: str, own: t.Mapping[str, t.Any]) -> list[str]:
    """What only one kind can get wrong."""
    found = []
    if kind == "cilogon":
        for one in _providers(own):
            if one.get("strip_domain") and one.get("prefix"):
                found.append(
                    f"jupyterhub_login_cilogon has strip_domain and prefix for {one['entity']}: a name gets one of them"
                )
    if kind == "native":
        least = own.get("minimum_password_length") or 12
        if not 1 <= least <= LONGEST_PASSWORD:
            found.append(
                f"jupyterhub_login_native has minimum_password_length {least}: give a number from 1 to {LONGEST_PASSWORD}, "
                "which is the longest that can be kept"
            )
        found += [
            f"jupyterhub_login_native has {name} {own[name]}: give 0 for no limit, or more"
            for name in SIGN_UPS
            if int(own.get(name) or 0) < 0
        ]
    if kind == "ldap":
        if not own.get("bind_dn") and not own.get("user_search_base"):
            found.append(
                "jupyterhub_login_ldap lacks bind_dn or user_search_base: say how a user's entry is found, such as "
                "bind_dn: ['uid={username},ou=people,dc=example,dc=org']"
            )
        elif own.get("search_filter") and not own.get("user_search_base"):
            found.append(
                "jupyterhub_login_ldap has search_filter and lacks user_search_base: say below which entry it searches"
            )
        found += [
            f"jupyterhub_login_ldap has bind_dn {dn!r}: write {{username}} where the user's name goes"
            for dn in own.get("bind_dn") or []
            if "{username}" not in dn
        ]
        if own.get("encryption") == "none":
            found.append(
                "jupyterhub_login_ldap has encryption 'none': passwords cross the network there, so use 'tls' or 'starttls'"
            )
    return found


def login_problems(settings: t.Mapping[str, t.Any]) -> list[str]:
    """What is wrong with the settings of the login, one sentence each; empty when they fit together.

    settings: login_kind as ``kind``; client_id, client_secret, public_url; allow_all, allowed_users, admin_users,
    allowed_groups, admin_groups, support_users, support_groups, blocked_users; and the own settings of each kind under
    its name; list_unread: whether there is a list of people that is wrong.
    """
    kind = settings["kind"]
    own = settings.get(kind) or {}
    found = _foreign(kind, settings)
    if kind in OAUTH:
        found += _client_problems(kind, settings)
    found += [
        f"jupyterhub_login_{kind} lacks {name}: give its value, see docs/login.md"
        for name in KINDS[kind].needs
        if not own.get(name)
    ]
    if kind in WITH_SETTINGS:
        found += _address_problems(kind, own)
    found += _kind_problems(kind, own)
    if kind == "pam" and not settings.get("pam_passwords"):
        found.append(
            "jupyterhub_login_pam_passwords is empty while jupyterhub_authenticator is 'pam': put a line with name:hash for each "
            "user into secrets.yml, the hash made by mkpasswd"
        )
    # A list of people that cannot be read is told as such. It may well name somebody.
    if not says_who(kind, settings) and not settings.get("list_unread"):
        found.append(
            "nobody could log in: list people in jupyterhub_users or jupyterhub_allowed_users, or groups in jupyterhub_allowed_groups, "
            f"or set jupyterhub_allow_all to true, which is {KINDS[kind].people}"
        )
    for key in ("allowed_users", "admin_users", "blocked_users", "support_users"):
        found += name_problems(f"jupyterhub_{key} has", settings.get(key) or [])
    if kind == "native":
        found += [
            f"{name!r} may log in by the settings while jupyterhub_authenticator is 'native': nobody can sign up with a name that has a "
            f"space or a comma, so give one such as {re.sub('[ ,]+', '.', name)!r}"
            for name in sorted({*settings["allowed_users"], *settings["admin_users"]})
            if re.search("[ ,]", str(name).strip())
        ]
    both = sorted(set(settings["blocked_users"]) & {*settings["allowed_users"], *settings["admin_users"]})
    if both:
        found.append(
            f"{', '.join(both)} is in jupyterhub_blocked_users and in jupyterhub_allowed_users or jupyterhub_admin_users: remove it from one of them"
        )
    return found


def _google(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "hosted_domain": own.get("domains") or [],
        # Always written: a default that changed would give people other names, and so other homes.
        "strip_domain": bool(own.get("strip_domain")),
        "extra_authorize_params": {"access_type": "offline"},
    }


def _github(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    organizations = own.get("organizations") or []
    return {
        "allowed_organizations": organizations,
        # Private membership is told to those who may read it.
        "scope": [*(["read:org"] if organizations else []), *(own.get("scopes") or [])],
        **({"github_url": own["url"].rstrip("/")} if own.get("url") else {}),
    }


def _gitlab(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    groups, projects = own.get("groups") or [], own.get("projects") or []
    return {
        "allowed_gitlab_groups": groups,
        "allowed_project_ids": [str(project) for project in projects],
        "scope": ["read_user", *(["read_api"] if groups or projects else []), *(own.get("scopes") or [])],
        **({"gitlab_url": own["url"].rstrip("/")} if own.get("url") else {}),
    }


def _oidc(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    traits: dict[str, t.Any] = {
        "login_service": own.get("name") or "your institution",
        "authorize_url": own["authorize_url"],
        "token_url": own["token_url"],
        "userdata_url": own["userdata_url"],
        "username_claim": own.get("username_claim") or "preferred_username",
        "scope": own.get("scopes") or ["openid", "profile", "email", OFFLINE],
    }
    if own.get("authorize_params"):
        traits["extra_authorize_params"] = own["authorize_params"]
    if own.get("groups_claim"):
        traits["auth_state_groups_key"] = f"oauth_user.{own['groups_claim']}"
    if own.get("logout_url"):
        traits["logout_redirect_url"] = own["logout_url"]
    return traits


def _cilogon(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    idps: dict[str, t.Any] = {}
    for one in _providers(own):
        naming: dict[str, str] = {"username_claim": one.get("username_claim") or "eppn"}
        if one.get("strip_domain"):
            naming |= {"action": "strip_idp_domain", "domain": one["strip_domain"]}
        elif one.get("prefix"):
            naming |= {"action": "prefix", "prefix": one["prefix"]}
        idps[one["entity"]] = {"username_derivation": naming, "allowed_domains": one.get("domains") or []}
    return {"idps": idps}


def _globus(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "identity_provider": own.get("identity_provider") or "",
        "allowed_globus_groups": own.get("groups") or [],
        # Always written, as it makes the names.
        "username_from_email": bool(own.get("username_from_email")),
    }


def _azuread(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    traits = {
        "tenant_id": own["tenant"],
        "username_claim": own["username_claim"],
        "scope": ["openid", OFFLINE],
    }
    if own.get("groups_claim"):
        traits["auth_state_groups_key"] = f"user.{own['groups_claim']}"
    if own.get("url"):
        traits["graph_url"] = own["url"].rstrip("/")
    return traits


def _ldap(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    encryption = own.get("encryption") or "starttls"
    traits: dict[str, t.Any] = {
        "server_address": own["server"],
        "server_port": own.get("port") or (636 if encryption == "tls" else 389),
        "tls_strategy": {"tls": "on_connect", "starttls": "before_bind"}[encryption],
        # ldap3 looks at no certificate by itself; 2 is ssl.CERT_REQUIRED, and goes with the server's name.
        "tls_kwargs": {"validate": 2, "ca_certs_file": "/etc/ssl/certs/ca-certificates.crt"},
        "bind_dn_template": own.get("bind_dn") or [],
        # Distinguished names; their members may log in.
        "allowed_groups": own.get("groups") or [],
        "search_filter": own.get("search_filter") or "",
    }
    if own.get("user_search_base"):
        traits |= {
            "user_search_base": own["user_search_base"],
            "user_attribute": own.get("user_attribute") or "uid",
            # Without it no entry that was found counts.
            "lookup_dn_user_dn_attribute": own.get("user_attribute") or "uid",
            "lookup_dn": not own.get("bind_dn"),
            "lookup_dn_search_user": own.get("search_user") or "",
            # Names as the directory has them: otherwise what somebody types is the name, and the home.
            "use_lookup_dn_username": not own.get("bind_dn"),
        }
    return traits


def _native(own: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {
        "open_signup": bool(own.get("open_signup")),
        "minimum_password_length": own.get("minimum_password_length") or 12,
        "check_common_password": True,
        "ask_email_on_signup": True,
        **{name: int(own[name]) for name in SIGN_UPS if own.get(name) is not None},
    }


OWN: dict[str, t.Callable[[t.Mapping[str, t.Any]], dict[str, t.Any]]] = {
    "google": _google, "github": _github, "gitlab": _gitlab, "oidc": _oidc, "cilogon": _cilogon, "globus": _globus,
    "azuread": _azuread, "ldap": _ldap, "native": _native,
}  # fmt: skip


def allows_all(kind: str, settings: t.Mapping[str, t.Any]) -> bool:
    """The value of ``allow_all``.

    Google's domains only keep others out: who is in one is let in by this. Native sign-ups are approved one by one.
    """
    listed = any(settings.get(name) for name in ("allowed_users", "allowed_groups"))
    if kind == "dummy":
        return bool(settings["allow_all"] or not listed)
    return bool(settings["allow_all"] or (kind == "google" and _narrowing(kind, settings) and not listed))


def authorized_locally(kind: str, settings: t.Mapping[str, t.Any]) -> bool:
    """Whether the settings alone say who may come in, and not what the provider answers at each login."""
    return not _narrowing(kind, settings) and kind != "native"


def naming(settings: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What users' names are made of. While it stays as it is, so do their homes."""
    kind = settings["kind"]
    own = settings.get(kind) or {}
    if kind in LOCAL or kind == "native":
        return {"names": "as people type them"}
    parts: dict[str, t.Any] = {"names": kind}
    if kind in OWN:
        traits = OWN[kind](own)
        names = (
            "strip_domain",
            "username_claim",
            "username_from_email",
            "user_attribute",
            "use_lookup_dn_username",
        )
        parts |= {name: traits[name] for name in names if name in traits}
        parts |= {
            f"names of {entity}": one["username_derivation"]
            for entity, one in (traits.get("idps") or {}).items()
        }
    return parts


def login_traits(settings: t.Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """Traits by class, for settings without problems. The client's secret is not in them: the hub reads its file."""
    kind = settings["kind"]
    traits: dict[str, dict[str, t.Any]] = {
        "JupyterHub": {"authenticator_class": KINDS[kind].authenticator},
        "Authenticator": {
            "admin_users": sorted(settings["admin_users"]),
            "allowed_users": sorted({*settings["allowed_users"], *(settings.get("support_users") or [])}),
            "blocked_users": sorted(settings["blocked_users"]),
            "allow_all": allows_all(kind, settings),
            # By default true where users are listed, and then who is taken off the list may still come in.
            "allow_existing_users": False,
            # The list may be empty, and who may come in is said by groups; login_problems looks that somebody may.
            "any_allow_config": True,
        },
    }
    if kind in OWN:
        traits[KINDS[kind].traits] = OWN[kind](settings.get(kind) or {})
    if kind in OAUTH:
        traits[KINDS[kind].traits] |= {
            "client_id": settings["client_id"],
            "oauth_callback_url": callback(settings["public_url"]),
            "enable_auth_state": True,
        }
    if kind == "pam":
        # Accounts of the file, not of the container: nothing to open a session for.
        # PAM answers wrong passwords after two seconds: with one thread, as it comes, all others would wait for who guesses.
        traits[KINDS[kind].traits] = {
            "service": "galilean-hub",
            "open_sessions": False,
            "executor_threads": 64,
        }
    return traits


def git_hosts(settings: t.Mapping[str, t.Any]) -> dict[str, str]:
    """The host of the provider's repositories, and the user name that goes with a user's token there.

    Names from GitHub's and GitLab's documentation of tokens over HTTPS.
    """
    kind = settings["kind"]
    url = (settings.get(kind) or {}).get("url") or f"https://{kind}.com"
    user = {"github": "x-access-token", "gitlab": "oauth2"}.get(kind)
    parts = web_address(url)
    return {parts.netloc: user} if user and parts else {}


def in_words(settings: t.Mapping[str, t.Any]) -> str:
    """Who can log in and who is an administrator, in one or two sentences."""
    kind = settings["kind"]
    who: list[str] = []
    if allows_all(kind, settings):
        narrowed = [
            KINDS[kind].narrows[name].format(_join(v)) for name, v in _narrowing(kind, settings).items()
        ]
        who.append("; ".join(narrowed) or KINDS[kind].people)
    else:
        for name, text in (("allowed_users", "user"), ("allowed_groups", "members of the group")):
            if settings[name]:
                plural = "s" if len(settings[name]) > 1 else ""
                article = "the " if text == "user" else ""
                who.append(f"{article}{text}{plural} {_join(sorted(settings[name]))}")
        if kind != "google":
            who += [
                KINDS[kind].narrows[name].format(_join(values))
                for name, values in _narrowing(kind, settings).items()
            ]
        if settings["admin_users"] or settings["admin_groups"]:
            who.append("the administrators")
        if settings.get("support_users") or settings.get("support_groups"):
            who.append("the support")
    text = f"Who can log in: {'; '.join(who) or 'nobody'}"
    if settings.get("approval"):
        text += ", each of them only with a valid approval"
    if settings["blocked_users"]:
        text += f"; never {_join(sorted(settings['blocked_users']))}"
    admins = _members(settings["admin_users"], settings["admin_groups"])
    text += f". Administrators: {admins or 'none'}"
    if admins and not settings.get("admin_access", True):
        text += " (they cannot enter users' servers)"
    support = _members(settings.get("support_users") or [], settings.get("support_groups") or [])
    return f"{text}. Support: {support}." if support else f"{text}."


def _members(users: t.Iterable[str], groups: t.Iterable[str]) -> str:
    return _join([*sorted(users), *(f"members of {group}" for group in sorted(groups))])


def _join(names: t.Iterable[t.Any]) -> str:
    return ", ".join(str(name) for name in names)
