# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""The settings of the role jupyterhub as the code of the hub takes them, with what they need of other roles."""

from __future__ import annotations

import os.path
import typing as t

from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import (
    user_list,
    user_list_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import user_name
from ansible_collections.galilean.hub.plugins.module_utils.derived.address import public_url
from ansible_collections.galilean.hub.plugins.module_utils.derived.instance import layout
from ansible_collections.galilean.hub.plugins.module_utils.derived.proxy import hub_proxy
from ansible_collections.galilean.hub.plugins.module_utils.host.limits import host_limits
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings

# The folders of the look by where containers have them: the site's own, and ours.
WEB = (("hub", "/opt/galilean/web"), ("notebook", "/opt/web"))


def user_names(settings: Settings, name: str) -> list[str]:
    """Names of users as JupyterHub has them."""
    return list(dict.fromkeys(map(user_name, settings[f"jupyterhub_{name}"])))


def _with(names: t.Iterable[str], more: t.Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*names, *more]))


def people(settings: Settings) -> dict[str, t.Any]:
    """The people whom the site lists, and what other settings say of them."""
    own = settings.role("jupyterhub")
    method = own.get(f"login_{own['authenticator']}")
    return {
        **{name: own[name] for name in ("users", "allow_all", "admin_groups")},
        "file": own["users_file"],
        "content": settings.content(own["users_file"]) if own["users_file"] else None,
        "unlisted": own["unlisted_users"],
        "kind": own["authenticator"],
        # Some have no settings of their own.
        "own": method if isinstance(method, dict) else {},
        # Support may log in as well.
        "allowed_users": _with(user_names(settings, "allowed_users"), user_names(settings, "support_users")),
        "allowed_groups": _with(own["allowed_groups"], own["support_groups"]),
        "admin_users": user_names(settings, "admin_users"),
        "blocked_users": user_names(settings, "blocked_users"),
    }


def listed_users(settings: Settings) -> dict[str, t.Any]:
    """The people whom the site lists, by what they may."""
    return user_list(people(settings))


def login(settings: Settings) -> dict[str, t.Any]:
    """Who may come in, and how."""
    own = settings.role("jupyterhub")
    site, listed = people(settings), listed_users(settings)
    return {
        # Of secrets counts only that there is one: the hub reads them from their files.
        **{name.removeprefix("login_"): value for name, value in own.items() if name.startswith("login_")},
        **{
            name: own[name]
            for name in ("allow_all", "allowed_groups", "admin_groups", "support_groups", "admin_access")
        },
        "kind": own["authenticator"],
        "public_url": public_url(settings),
        "allowed_users": _with(user_names(settings, "allowed_users"), listed["allowed"]),
        "admin_users": _with(user_names(settings, "admin_users"), listed["admin_users"]),
        "blocked_users": _with(user_names(settings, "blocked_users"), listed["blocked"]),
        "support_users": user_names(settings, "support_users"),
        "approval": bool(own["approval"]),
        "list_unread": bool(own["users_file"] and not settings.is_file(own["users_file"]))
        or bool(user_list_problems(site)),
    }


def web_live(settings: Settings) -> list[dict[str, str]]:
    """The folders of the look that containers show as they are; the site's own come first."""
    if not settings["jupyterhub_web_live"]:
        return []
    sources = (("-site", settings["images_web_site_path"]), ("", settings["images_web_path"]))
    folders = [
        {"part": part, "source": f"{os.path.realpath(source)}/{part}", "target": target + suffix}
        for part, target in WEB
        for suffix, source in sources
        if source
    ]
    return [folder for folder in folders if settings.is_folder(folder["source"])]


def egress_sources(settings: Settings) -> dict[str, t.Any]:
    """What user servers may reach, and the settings that name what they fetch from."""
    own = settings.role("jupyterhub")
    proxy = hub_proxy(settings) if own["users_proxy"] else {}
    return {
        "egress": egress(settings),
        **{
            name: own[name]
            for name in ("repositories", "groups", "profiles", "git_hosts", "git_links", "config_extra")
        },
        # Addresses of the proxy, where users' servers are told of it.
        "proxies": [value for name, value in proxy.items() if name != "no_proxy"],
        "addresses": {},
    }


def egress(settings: Settings) -> dict[str, t.Any]:
    """What user servers may reach."""
    return {name: settings[f"jupyterhub_egress_{name}"] for name in ("allowed", "blocked", "private")}


def catalog(settings: Settings) -> list[t.Any]:
    """The list of images with what the site adds, and those that an earlier role has left."""
    listed = [*settings["images_catalog"], *settings["images_catalog_extra"]]
    names = {one.get("name") for one in listed}
    return [*listed, *[{"name": name} for name in settings.fact("images_refs", {}) if name not in names]]


def stacks(settings: Settings) -> list[str]:
    """The stacks of which the shared software has something; the one that it is built for comes last."""
    stack = settings["images_software_stack"]
    included = [
        name for one in catalog(settings) if one.get("name") == stack for name in one.get("includes") or []
    ]
    return [name for name in _with(included, [stack]) if name]


def notebook_extras(settings: Settings) -> list[str]:
    """Features of JupyterLab that the notebook image has only where the hub turns them on."""
    return [name for name in settings["jupyterhub_lab_features"] if name in ("git", "voila")]


def welcome_folders(settings: Settings) -> list[str]:
    """The welcome material of the collection for these stacks."""
    folders = [os.path.join(settings.collection, "files", "notebooks", stack) for stack in stacks(settings)]
    return [folder for folder in folders if settings.is_folder(folder)]


def hooks(settings: Settings) -> bytes:
    """The site's own code for the hub; empty where there is none."""
    path = settings["jupyterhub_hooks_file"]
    return (settings.content(path) or b"") if path else b""


def hub(settings: Settings) -> dict[str, t.Any]:
    """The settings of the hub: those of the role without their prefix, and what they need of other roles."""
    own = settings.role("jupyterhub")
    names, facts = layout(settings), settings.facts
    limits = host_limits(int(facts.get("processor_nproc") or 2), int(facts.get("memtotal_mb") or 4096))
    images = settings.fact("images_refs", {})
    counted = ("cpu_limit", "concurrent_spawn_limit", "active_server_limit")
    return {
        **own,
        **{name: own[name] or limits[name] for name in counted},
        "memory_limit": limits["memory_limit"] if own["memory_limit"] == "auto" else own["memory_limit"],
        "public_url": public_url(settings),
        "login": login(settings),
        "hub_image": images.get("hub", ""),
        "notebook_image": images.get("notebook", ""),
        "images": images,
        "plain_images": []
        if any(one.get("name") == "notebook" for one in settings["images_catalog_extra"])
        else ["notebook"],
        "catalog": catalog(settings),
        "software": settings.fact("images_software", {}),
        "welcome_dir": names["welcome_dir"],
        "state_dir": names["state_dir"],
        "web_live": web_live(settings),
        "listed_groups": listed_users(settings)["groups"],
        # What is not UTF-8 is told by checks.jupyterhub.
        "hooks": hooks(settings).decode("utf-8", "replace"),
        "users_proxy": bool(own["users_proxy"] and hub_proxy(settings)),
    }
