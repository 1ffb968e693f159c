# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What the argument spec of the role jupyterhub cannot say, and what the host cannot do: one sentence for each problem."""

from __future__ import annotations

import base64
import os
import re
import stat
import typing as t
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.galilean.hub.plugins.module_utils.authorization.access_settings import (
    access_problems,
    approved_problems,
    capacity_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import login_problems
from ansible_collections.galilean.hub.plugins.module_utils.authorization.services import token_problems
from ansible_collections.galilean.hub.plugins.module_utils.authorization.user_list import user_list_problems
from ansible_collections.galilean.hub.plugins.module_utils.checks import data_volume
from ansible_collections.galilean.hub.plugins.module_utils.core.urls import web_address
from ansible_collections.galilean.hub.plugins.module_utils.derived import address, hub
from ansible_collections.galilean.hub.plugins.module_utils.hub.branding import web_problems
from ansible_collections.galilean.hub.plugins.module_utils.network.egress import egress_problems
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Settings, absent

USUAL_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def dummy(settings: Settings) -> list[str]:
    bind = settings["edge_bind_address"]
    if settings["jupyterhub_authenticator"] != "dummy" or bind in (*address.LOCAL, "localhost"):
        return []
    return [
        f"jupyterhub_authenticator is 'dummy' and edge_bind_address is '{bind}': dummy accepts any password, so use another authenticator, or the address 127.0.0.1"
    ]


def secrets(settings: Settings) -> list[str]:
    found = []
    for name, least in (("login_password", 8), ("admin_password", 32)):
        length = len(settings[f"jupyterhub_{name}"])
        if 0 < length < least:
            found.append(f"jupyterhub_{name} has {length} characters: use at least {least}")
    make = "make one with openssl rand -hex 32, or leave it empty"
    if not re.fullmatch(r"|[0-9a-f]{64}", settings["jupyterhub_cookie_secret"]):
        found.append(f"jupyterhub_cookie_secret is not 64 hexadecimal digits: {make}")
    if not re.fullmatch(r"|[0-9a-f]{64}(\s+[0-9a-f]{64})*\n?", settings["jupyterhub_crypt_key"]):
        found.append(f"jupyterhub_crypt_key is not 64 hexadecimal digits a line: {make}")
    return found + token_problems(settings["jupyterhub_services"], settings["jupyterhub_service_tokens"])


def audit(settings: Settings) -> list[str]:
    if not settings["jupyterhub_audit_code"] or settings["jupyterhub_audit_days"]:
        return []
    return [
        "jupyterhub_audit_code is true while jupyterhub_audit_days is 0: give days for which the audit log is kept, or false"
    ]


def welcome(settings: Settings) -> list[str]:
    missing = [path for path in settings["jupyterhub_welcome_paths"] if not settings.is_folder(path)]
    if not missing:
        return []
    said = f"jupyterhub_welcome_paths has {', '.join(missing)}"
    return [
        absent(
            settings, said, missing[0] if len(missing) == 1 else "/", "correct it or leave it out", "folder"
        )
    ]


def public_url(settings: Settings) -> list[str]:
    url = settings["jupyterhub_public_url"]
    if not url or web_address(url):
        return []
    return [
        f"jupyterhub_public_url is '{url}': give a full address, such as https://hub.example.org/, or leave it empty"
    ]


def subdomains(settings: Settings) -> list[str]:
    if public_url(settings) or not settings["jupyterhub_subdomains"]:
        return []
    given, name = settings["jupyterhub_public_url"], settings["edge_server_name"]
    host = address.address(settings)["public_host"]
    found = []
    if host != name.lower():
        found.append(
            f"jupyterhub_public_url is '{given}' while jupyterhub_subdomains is true and edge_server_name is '{name}': users' servers have names below it, so use the same name in both"
        )
    if given.lower().startswith("http://") and not host.endswith(".localhost"):
        found.append(
            f"jupyterhub_public_url is '{given}' while jupyterhub_subdomains is true: pages could set cookies for each other, so "
            "write https, or use a name such as hub.localhost to try it on this machine"
        )
    return found


def users_file(settings: Settings) -> list[str]:
    path = settings["jupyterhub_users_file"]
    if not path or settings.is_file(path):
        return []
    return [
        absent(settings, f"jupyterhub_users_file is '{path}'", path, "correct the path, or leave it empty")
    ]


def listed(settings: Settings) -> list[str]:
    return user_list_problems(hub.people(settings))


def login(settings: Settings) -> list[str]:
    return login_problems(hub.login(settings))


def _approved(settings: Settings, before: bytes) -> list[str]:
    """The list of approved users against the one that counts on the host."""
    approval = settings["jupyterhub_approval"]
    content = settings.content(approval["file"]) if approval.get("file") else None
    # A file that is not there is told where its path is checked.
    return [] if content is None else approved_problems(approval, content, before, datetime.now(timezone.utc))


def access(settings: Settings) -> list[str]:
    return access_problems(hub.hub(settings))


def approved(settings: Settings) -> list[str]:
    return _approved(settings, b"")


def files(settings: Settings) -> list[str]:
    approval = settings["jupyterhub_approval"]
    named = [
        ("jupyterhub_hooks_file", settings["jupyterhub_hooks_file"]),
        ("jupyterhub_check_ca_file", settings["jupyterhub_check_ca_file"]),
        ("file in jupyterhub_approval", approval.get("file")),
        ("script in jupyterhub_approval", approval.get("script")),
    ]
    found = [
        absent(settings, f"{name} is {path}", path, "correct its path")
        for name, path in named
        if path and not settings.is_file(path)
    ]
    try:
        hub.hooks(settings).decode()
    except UnicodeDecodeError as exc:
        line = exc.object.count(b"\n", 0, exc.start) + 1
        found.append(
            f"jupyterhub_hooks_file is {settings['jupyterhub_hooks_file']}, whose line {line} has a letter that is not UTF-8: save it as UTF-8"
        )
    return found


def egress(settings: Settings) -> list[str]:
    return egress_problems(hub.egress_sources(settings))


def branding(settings: Settings) -> list[str]:
    return web_problems(
        {name: settings[f"jupyterhub_web_{name}"] for name in ("title", "announcement", "links")}
    )


def live_look(settings: Settings) -> list[str]:
    if not settings["jupyterhub_web_live"]:
        return []
    found = []
    if not settings.local:
        found.append(
            f"jupyterhub_web_live is true, but {settings.host} is not this machine: containers can only show folders of their own "
            "host, so use a hub on this machine (inventories/local), or set jupyterhub_web_live to false"
        )
    for folder in hub.web_live(settings):
        below = (Path(at, name) for at, dirs, names in os.walk(folder["source"]) for name in ["", *names])
        hidden = next((path for path in below if not path.lstat().st_mode & stat.S_IROTH), None)
        if hidden:
            return [
                *found,
                f"{hidden} is not readable for everybody, so the hub could not show it (jupyterhub_web_live): chmod -R a+rX its folder",
            ]
    return found


def _below(settings: Settings) -> str:
    """Where the volume for the data is not mounted yet: what is below that is looked at when it is."""
    return str(settings["data_volume_path"]) if data_volume.waits(settings) else ""


def data_mounts(settings: Settings) -> list[str]:
    there, below = settings.found["jupyterhub"]["folders"], _below(settings)
    lost = [
        one["source"]
        for one in settings["jupyterhub_data_mounts"]
        if one["source"] not in there and not (below and one["source"].startswith(f"{below}/"))
    ]
    if not lost:
        return []
    return [
        f"jupyterhub_data_mounts has the source {', '.join(lost)}, which is no folder on {settings.host}: mount it there first, or "
        "take it out of the list"
    ]


def sources(settings: Settings) -> list[str]:
    found = settings.found["jupyterhub"]
    return egress_problems(
        {
            **hub.egress_sources(settings),
            "addresses": found["addresses"],
            "fib_trie": base64.b64decode(found["fib_trie"]).decode("ascii", "replace"),
        }
    )


def capacity(settings: Settings) -> list[str]:
    facts: t.Mapping[str, t.Any] = settings.facts
    return capacity_problems(
        settings.role("jupyterhub"),
        int(facts.get("memtotal_mb") or 0),
        int(facts.get("processor_nproc") or 0),
        [] if _below(settings) else facts.get("mounts") or [],
        settings["docker_data_root"] or "/var/lib/docker",
    )


def approved_before(settings: Settings) -> list[str]:
    before = settings.found["jupyterhub"]["approved"]
    return _approved(settings, base64.b64decode(before)) if before else []


def ca_bundle(settings: Settings) -> list[str]:
    path = settings["jupyterhub_ca_bundle"]
    # The usual one comes with a package.
    if not path or path == USUAL_BUNDLE or path in settings.found["jupyterhub"]["files"]:
        return []
    return [f"jupyterhub_ca_bundle is {path}, which is no file on {settings.host}: correct the path"]


CHECKS = (
    dummy,
    secrets,
    audit,
    welcome,
    public_url,
    subdomains,
    users_file,
    listed,
    login,
    access,
    approved,
    files,
    egress,
    branding,
    live_look,
)
HOST_CHECKS = (data_mounts, sources, capacity, approved_before, ca_bundle)
