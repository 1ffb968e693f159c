# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""From a site's settings to the data file that the hub image loads. Pure: no I/O, no clock, no randomness."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import urlsplit

from ansible_collections.galilean.hub.plugins.module_utils.authorization.access_settings import (
    access_problems,
    access_traits,
    folders,
    roles,
    with_group_names,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import (
    git_hosts,
    login_problems,
    login_traits,
    naming,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.renames import renames
from ansible_collections.galilean.hub.plugins.module_utils.authorization.services import hub_services
from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.plain import to_plain
from ansible_collections.galilean.hub.plugins.module_utils.hub.server_settings import LABEL, fingerprint
from ansible_collections.galilean.hub.plugins.module_utils.shared.sizes import parse_size

# Must be the same as SCHEMA in files/images/hub/galilean_hub/loader.py.
SCHEMA = 3

HOME = "/home/jovyan"

# The single-user server looks for the site's certificates where Debian keeps them; the host's own bundle goes there.
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


# What is nothing where the settings say nothing.
ACCESS: dict[str, t.Any] = {
    "groups": [], "listed_groups": {}, "approval": {}, "profiles": [], "shared_folders": [], "data_mounts": [], "repositories": [],
    "images": {}, "git_hosts": {}, "git_links": [], "admin_access": True, "check_user": "hub-check", "login_refresh": 300,
    "user_tokens": False, "rename_map": {}, "disk_limit": "auto", "disk_reserve": "auto",
    "shared_disk_limit": "auto", "services": [],
}  # fmt: skip


# What servers are told of JupyterLab.
LAB = {
    "lab_features": "NOTEBOOK_FEATURES",
    "lab_languages": "NOTEBOOK_LANGUAGES",
    "hidden_files": "NOTEBOOK_HIDDEN_FILES",
    "trash_days": "NOTEBOOK_TRASH_DAYS",
}


def merge(base: dict[str, t.Any], extra: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return base with extra laid over it: mappings merge, everything else is replaced."""
    merged = dict(base)
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _hub_traits(layout: dict[str, t.Any], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    traits: dict[str, t.Any] = {
        "public_url": settings["public_url"],
        # configurable-http-proxy listens there in its own container; JupyterHub only takes the path from it.
        "bind_url": "http://:8000",
        "hub_bind_url": "http://0.0.0.0:8081",
        "hub_connect_url": "http://hub:8081",
        "cleanup_servers": False,
        "cleanup_proxy": False,
        "db_url": "sqlite:////srv/jupyterhub/jupyterhub.sqlite",
        "cookie_secret_file": "/run/secrets/cookie-secret",
        "spawner_class": "galilean_hub.spawner.docker_spawner.GalileanSpawner",
        # The start queue keeps the order; this only bounds how long the queue may become.
        "concurrent_spawn_limit": max(100, settings["active_server_limit"]),
        "active_server_limit": settings["active_server_limit"],
        "allow_named_servers": bool(settings.get("named_server_limit")),
        # Also where a site lets users have named ones by itself: JupyterHub would let one user take all there are.
        "named_server_limit_per_user": settings.get("named_server_limit") or 10,
        "token_expires_in_max_seconds": settings["token_max_age"],
    }
    if settings.get("subdomains"):
        parts = urlsplit(settings["public_url"])
        traits["subdomain_host"] = f"{parts.scheme}://{parts.netloc.lower()}"
        # A page on one subdomain may set cookies for all of them, but none with this prefix. Browsers take it over TLS only.
        traits["cookie_host_prefix_enabled"] = parts.scheme == "https"
    return traits


def _mounts(settings: dict[str, t.Any]) -> dict[str, dict[str, str]]:
    mounts = {}
    software = settings.get("software") or {}
    if software:
        # nocopy: an empty volume must not be filled from whatever image happens to mount it first.
        mounts[software["volume"]] = {"bind": software["path"], "mode": "ro,nocopy"}
    if settings.get("ca_bundle"):
        mounts[settings["ca_bundle"]] = {"bind": CA_BUNDLE, "mode": "ro"}
    mounts[settings["welcome_dir"]] = {"bind": "/opt/welcome", "mode": "ro"}
    for folder in _live_folders(settings):
        mounts[folder["source"]] = {"bind": folder["target"], "mode": "ro"}
    return mounts


def _live_folders(settings: dict[str, t.Any]) -> list[dict[str, str]]:
    """Folders of the host that new user servers show as they are, while somebody works on their look."""
    return [folder for folder in settings.get("web_live") or [] if folder["part"] == "notebook"]


def _spawner_traits(layout: dict[str, t.Any], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    memory = parse_size(settings["memory_limit"])
    tmp = memory // 2 if settings["tmp_limit"] == "auto" else parse_size(settings["tmp_limit"])
    environment = {
        "GALILEAN_INSTANCE": layout["name"],
        "NOTEBOOK_KERNEL_CULL_IDLE": str(settings["kernel_cull_timeout"]),
        "NOTEBOOK_TERMINAL_CULL_IDLE": str(settings["kernel_cull_timeout"]),
        "NOTEBOOK_BUSY_MAX_AGE": str(settings["busy_max_age"]),
        "NOTEBOOK_CULL_WARNING": str(settings["cull_warning"]),
    }
    if settings.get("cull_connected"):
        environment["NOTEBOOK_KERNEL_CULL_CONNECTED"] = "1"
    if settings.get("keep_outputs"):
        environment["NOTEBOOK_KEEP_OUTPUTS"] = "1"
    if settings.get("contact"):
        environment["GALILEAN_CONTACT"] = settings["contact"]
    if str(settings.get("message_limit", "auto")) != "auto":
        environment["NOTEBOOK_MAX_MESSAGE"] = str(parse_size(settings["message_limit"]))
    if settings.get("audit_code"):
        environment["GALILEAN_AUDIT"] = "1"
    if settings.get("phone_url"):
        environment["NOTEBOOK_PHONE_URL"] = settings["phone_url"]
    if settings.get("user_extensions"):
        environment["NOTEBOOK_USER_EXTENSIONS"] = "1"
    if settings.get("git_links"):
        environment["GALILEAN_GIT_LINKS"] = json.dumps(settings["git_links"])
    for name, variable in LAB.items():
        if name in settings:
            value = settings[name]
            environment[variable] = ",".join(value) if isinstance(value, list) else str(int(value))
    if _live_folders(settings):
        environment["NOTEBOOK_WEB_LIVE"] = "1"
    software = settings.get("software") or {}
    if software:
        environment["JUPYTER_PATH"] = f"{software['path']}/share/jupyter"
    return {
        "image": settings["notebook_image"],
        "pull_policy": "never",
        # Otherwise a container, and with it an old image and old limits, would be used again.
        "remove": True,
        "network_name": layout["users_network"],
        "use_internal_ip": True,
        "prefix": layout["user_container_prefix"],
        "volumes": {layout["home_volume_prefix"] + "-{home}": HOME, **_mounts(settings)},
        "mem_limit": memory,
        "cpu_limit": settings["cpu_limit"],
        "default_url": settings["default_url"],
        # Users must not be able to make their own server serve others' scripts (jupyterhub's security overview).
        "disable_user_config": True,
        # Waiting in the start queue counts as starting.
        "start_timeout": 900,
        "http_timeout": 60,
        "environment": environment,
        "extra_create_kwargs": {
            # In the prompt of terminals, in place of a number. The hub's own name would lead to the server itself.
            "hostname": f"jupyter-{layout['name']}",
            "labels": {
                "galilean.hub.instance": layout["name"],
                "galilean.hub.role": "user",
                # Its name tells nobody who that is.
                "galilean.hub.user": "{raw_username}",
                "galilean.hub.server": "{raw_servername}",
            },
        },
        "extra_host_config": {
            # The spawner removes a dead container itself, after it has read why it died.
            "auto_remove": False,
            # The image brings its own init process, which a user's programs cannot write into (files/images/notebook).
            "init": False,
            "cap_drop": ["ALL"],
            # The engine takes the profile's content, not its name. DockerSpawner leaves a string with such braces as it is.
            "security_opt": [
                "no-new-privileges",
                f"seccomp={json.dumps(settings['seccomp'], separators=(',', ':'))}",
            ],
            # Nothing is written but the home, shared folders and memory: no user fills the engine's disk. What is in
            # /tmp counts as the server's memory. Programs are compiled and run there.
            "read_only": True,
            "tmpfs": {
                "/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={tmp}",
                "/var/tmp": "rw,exec,nosuid,nodev,mode=1777,size=64m",
            },
            "ulimits": [{"Name": "nofile", "Soft": settings["open_files"], "Hard": settings["open_files"]}],
            # When the host has no memory left, users' servers end first; hub, proxy and edge last.
            "oom_score_adj": 800,
            "memswap_limit": memory,
            # A quarter of the usual weight: when all cores are busy, hub, proxy and edge come first.
            "cpu_shares": 256,
            "pids_limit": settings["pids_limit"],
            "shm_size": "256m",
            # Files of bounded size for each server. In the journal, all containers share the engine's rate: one server
            # that writes without end would silence the others, and push what is older out.
            "log_config": {"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}},
        },
    }


def _require(settings: dict[str, t.Any], names: t.Iterable[str]) -> None:
    missing = [name for name in names if settings.get(name) in (None, "")]
    if missing:
        raise HubError(f"the hub's settings lack {', '.join(missing)}: give a value for each")


def hub_config_data(layout: dict[str, t.Any], settings: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the content of the hub's data file.

    layout: what instance_layout() returns; settings: the role's settings without their prefix, all defaults
    applied (see roles/jupyterhub/vars/main.yml); raises HubError when one of them is missing or unknown.
    """
    settings = to_plain(settings)
    layout = to_plain(layout)
    _require(settings, ("public_url", "login", "notebook_image", "hub_image", "memory_limit", "welcome_dir"))
    access = {**ACCESS, **{name: value for name, value in settings.items() if value is not None}}
    access = with_group_names(access)
    access["folders"] = folders(access, layout["shared_dir"])
    access["git_hosts"] = {**git_hosts(settings["login"]), **access["git_hosts"]}
    problems = login_problems(settings["login"]) + access_problems(access)
    if problems:
        raise HubError("; ".join(problems))
    traits: dict[str, t.Any] = {
        "JupyterHub": _hub_traits(layout, settings),
        "ConfigurableHTTPProxy": {"should_start": False, "api_url": "http://proxy:8001"},
        "GalileanSpawner": {
            "instance": layout["name"],
            "concurrent_spawn_limit": settings["concurrent_spawn_limit"],
            "disk_limit": str(access["disk_limit"]),
            "disk_reserve": str(access["disk_reserve"]),
            "cull_default": settings["cull_timeout"],
            "cull_max_age": settings["cull_max_age"],
        },
        "DockerSpawner": _spawner_traits(layout, settings),
        "LoginGuard": {
            "failed_login_limit": settings["failed_login_limit"],
            "contact": access.get("contact") or "",
        },
    }
    culler = None
    # A group may have a time where nobody else has one.
    times = [int(group.get("cull_timeout") or 0) for group in access["groups"]]
    if any(seconds > 0 for seconds in (settings["cull_timeout"], settings["cull_max_age"], *times)):
        culler = {"timeout": settings["cull_timeout"], "cull_every": settings["cull_every"]}
        if settings["cull_max_age"] > 0:
            culler["max_age"] = settings["cull_max_age"]
    for part in (login_traits(settings["login"]), access_traits(access), settings["config_extra"]):
        traits = merge(traits, part)
    labels = {LABEL: fingerprint(traits)}
    traits = merge(traits, {"DockerSpawner": {"extra_create_kwargs": {"labels": labels}}})
    return {
        "schema": SCHEMA,
        "instance": layout["name"],
        # Part of the data so that a new image is always checked against the settings before it is used.
        "image": settings["hub_image"],
        "culler": culler,
        # Whether a server with a page that is only open counts as idle.
        "cull_connected": bool(settings.get("cull_connected")),
        # The hub looks at its templates again for each page.
        "web_live": bool(settings.get("web_live")),
        "roles": roles(access),
        "services": hub_services(access),
        "check_user": access["check_user"],
        # Where the hub and the proxy are in the users' network: who comes from there by no proxy is a user's server.
        "network": {"hub": layout["hub_address"], "proxy": layout["proxy_address"]},
        # Whether a user's server may ask for the tokens of its user's login.
        "user_tokens": bool(access["user_tokens"]),
        # What links may bring into homes: the hub has a page that makes such links.
        "git_links": access["git_links"],
        # For how many days users may let others into their servers; 0: not at all.
        "sharing_days": int(settings.get("sharing_days") or 0),
        # Whether users' servers are told of the site's proxy. Its address is a secret, which is not here.
        "users_proxy": bool(settings.get("users_proxy")),
        # Whether the hub writes down who did what.
        "audit": bool(settings.get("audit_days")),
        # And what users' servers tell of notebooks and code.
        "audit_code": bool(settings.get("audit_code")),
        # For the broker between hub and engine, which reads this file as well.
        "broker": {"state_dir": layout["state_dir"], "allow": settings.get("broker_allow") or {}},
        # As which number servers run: what the next run, and the restoring of homes, go by (home_uid).
        "user_id": settings.get("user_id") or 0,
        # What names are made of: as long as it stays, so do homes. And who is called otherwise since it changed.
        "naming": naming(settings["login"]),
        "renamed_users": renames(access["rename_map"]),
        "traits": traits,
    }
