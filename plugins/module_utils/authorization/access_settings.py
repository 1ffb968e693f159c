# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
# Note that this module util is PRIVATE to the collection. It can have breaking changes at any time.
"""What those who may come in get: groups, roles, approvals, environments, folders, repositories. Pure: no I/O."""

from __future__ import annotations

import contextlib
import posixpath
import re
import typing as t
import unicodedata
from datetime import datetime

from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import authorized_locally
from ansible_collections.galilean.hub.plugins.module_utils.authorization.renames import map_problems
from ansible_collections.galilean.hub.plugins.module_utils.authorization.services import (
    SERVICES,
    services_of,
    services_problems,
)
from ansible_collections.galilean.hub.plugins.module_utils.authorization.usernames import (
    name_problems,
    user_name,
)
from ansible_collections.galilean.hub.plugins.module_utils.core.urls import parts_of, web_address
from ansible_collections.galilean.hub.plugins.module_utils.settings.spec import nearest
from ansible_collections.galilean.hub.plugins.module_utils.shared.approval import (
    ApprovalError,
    RemovalError,
    check_removal,
    parse_list,
)
from ansible_collections.galilean.hub.plugins.module_utils.shared.claims import group_name
from ansible_collections.galilean.hub.plugins.module_utils.shared.git_links import entry_problem
from ansible_collections.galilean.hub.plugins.module_utils.shared.mount_source import mount_source_problem
from ansible_collections.galilean.hub.plugins.module_utils.shared.sizes import parse_size, size_problem

Settings = t.Mapping[str, t.Any]

# Part of a path in the user's container, of an HTML attribute and of a URL.
NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
# What a server takes before it does anything.
SMALLEST_SERVER = 128 * 1024**2
# A home has room for the welcome material and the settings of the programs in it.
SMALLEST_HOME = 16 * 1024**2
SMALLEST_MESSAGE = 1024**2
# Where the notebook image offers folders; its entry links them into the home.
SHARED, DATA = "/shared", "/data"
# Percent of the approved whom a new list may leave out: more is most often half a list.
MAX_REMOVED = 50
# Images of the catalog that are no user's server.
OTHER_IMAGES = ("hub", "proxy", "edge")
APPROVAL_KEYS = {"file": "file", "url": "url", "endpoint": "url", "script": "script"}


def _given(entry: Settings) -> dict[str, t.Any]:
    """An entry without the keys that the argument specification filled in as empty."""
    return {key: value for key, value in entry.items() if value not in (None, "", [], {})}


def group_members(settings: Settings, key: str) -> list[str]:
    """Names of the groups of the settings in which ``key`` (admin, support) is true."""
    return sorted(group["name"] for group in settings["groups"] if group.get(key))


def manages_groups(settings: Settings) -> bool:
    """Whether groups come with each login: from a claim of the provider, or from approvals.

    Otherwise they are those of the settings and of the hub's own list, which its API can change.
    """
    login = settings["login"]
    own = login.get(login["kind"]) or {}
    return bool(own.get("groups_claim") or _given(settings["approval"]))


# Settings that name groups.
GROUPS = ("groups", "read_groups", "allowed_groups", "admin_groups", "support_groups")


def with_group_names(settings: t.Any) -> t.Any:
    """The settings with all names of groups as the hub has them."""
    if isinstance(settings, (list, tuple)):
        return [with_group_names(one) for one in settings]
    if not isinstance(settings, t.Mapping):
        return settings
    found: dict[str, t.Any] = {}
    for key, value in settings.items():
        if key in GROUPS and isinstance(value, (list, tuple)):
            # jupyterhub_groups has entries, all others are lists of names.
            found[key] = [
                with_group_names({**one, "name": group_name(one.get("name", ""))})
                if isinstance(one, t.Mapping)
                else group_name(one)
                for one in value
            ]
        elif key in GROUPS and isinstance(value, str):
            # It should be a list, which is told as such: its letters are no names of groups.
            found[key] = []
        elif key in ("login", "profiles", "shared_folders", "data_mounts"):
            found[key] = with_group_names(value)
        else:
            found[key] = value
    return found


def _doubled(what: str, names: t.Sequence[str]) -> list[str]:
    found = sorted({name for name in names if names.count(name) > 1})
    return [f"{what} has {name!r} twice: keep one of them" for name in found]


def _limit_problems(where: str, entry: Settings) -> list[str]:
    found = []
    if entry.get("memory_limit") not in (None, ""):
        found += _size_problems(f"{where} has memory_limit", entry["memory_limit"], SMALLEST_SERVER)
    if entry.get("disk_limit") not in (None, ""):
        found += _size_problems(f"{where} has disk_limit", entry["disk_limit"], SMALLEST_HOME, ("0",))
    return found


def _size_problems(where: str, size: t.Any, least: int, words: tuple[str, ...] = ()) -> list[str]:
    """What is wrong with a size; ``words`` are what may stand there instead of one."""
    problem = size_problem(size, least, words)
    return [f"{where} {size!r}: {problem}"] if problem else []


def _repository_problems(where: str, entries: t.Sequence[Settings]) -> list[str]:
    found = []
    for entry in entries:
        # A blank is told below.
        parts = web_address("".join(entry["url"].split()))
        if parts is None:
            found.append(
                f"{where} has the repository {entry['url']!r}: give its address with https://, such as https://git.example.org/group/course"
            )
        elif parts.username or parts.password:
            found.append(
                f"{where} has the repository of {parts.hostname} with a name or token in its address: users could read it, "
                "so take it out; git asks for the user's own token (jupyterhub_git_hosts)"
            )
        elif re.search(r"[?#\s]|/(?:-/)?(?:tree|blob)/", entry["url"]):
            found.append(
                f"{where} has the repository {entry['url']!r}, an address of one of its pages: give the one that git clones"
            )
        elif not repository_folder(entry).strip("."):
            found.append(
                f"{where} has the repository {entry['url']!r}: give its address with the name of the repository"
            )
        branch = entry.get("branch") or ""
        if branch and _NO_BRANCH.search(branch):
            found.append(
                f"{where} has the branch {branch!r}: give the name of a branch or of a tag, such as main"
            )
        path = entry.get("path") or ""
        names = path.split("/")
        if path and (
            path.startswith(("/", "~"))
            or posixpath.normpath(path) != path
            or {"..", ".", ".git"} & set(names)
            or not path.isprintable()
            # A clone under way has six letters more.
            or max(len(part.encode()) for part in names) > 249
        ):
            found.append(
                f"{where} has the path {path!r}: give one below the home, such as courses/statistics"
            )
    return found


# What git-check-ref-format(1) refuses, and a hash, which git does not fetch by itself.
_NO_BRANCH = re.compile(
    r"^[-/]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|^\.|\.lock(?:/|$)|[./]$|^refs/|^[0-9a-f]{40}$"
)


def repository_folder(entry: Settings) -> str:
    """Where a repository goes: its path, or the name that git itself would choose; empty where its address is none."""
    parts = web_address(entry["url"])
    name = parts.path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".git") if parts else ""
    return str(entry.get("path") or name)


def _repository_lists(settings: Settings) -> list[tuple[str, t.Sequence[Settings]]]:
    """All repositories of the settings, by what has them."""
    found = [("jupyterhub_repositories", settings["repositories"])]
    found += [
        (f"the group {one['name']!r} in jupyterhub_groups", one.get("repositories") or [])
        for one in settings["groups"]
    ]
    found += [
        (f"the environment {one['name']!r} in jupyterhub_profiles", one.get("repositories") or [])
        for one in settings["profiles"]
    ]
    return found


def _place_problems(settings: Settings) -> list[str]:
    """Two repositories in one folder, whoever gets them: a home is the same one in each environment and group."""
    taken: list[tuple[list[str], str, Settings]] = []
    links = {"shared": "jupyterhub_shared_folders", "data": "jupyterhub_data_mounts"}
    found = []
    for where, entries in _repository_lists(settings):
        for entry in entries:
            folder = repository_folder(entry)
            if not folder:
                # Its address is told.
                continue
            parts = _folded(folder).split("/")
            link = links.get(folder.split("/")[0])
            if link and settings[link.removeprefix("jupyterhub_")]:
                found.append(
                    f"{where} has a repository in ~/{folder}, which leads to the folders of {link}: give it another path"
                )
            for other, owner, one in taken:
                if all(mine == theirs for mine, theirs in zip(parts, other)) and not _same_repository(
                    entry, one
                ):
                    what = (
                        f"{where} has two repositories"
                        if owner == where
                        else f"{where} and {owner} have two repositories"
                    )
                    found.append(
                        f"{what} for one folder, {_shown(one)} in ~/{repository_folder(one)} and {_shown(entry)} in ~/{folder}: "
                        "give one of them another path"
                    )
                    break
            taken.append((parts, where, entry))
    return found


def _shown(entry: Settings) -> str:
    """Its address without a name or token."""
    return re.sub(r"//[^/@]*@", "//", str(entry["url"]))


def _same_repository(one: Settings, other: Settings) -> bool:
    """Whether two entries ask for the same."""
    first, second = (
        (entry["url"], entry.get("branch") or "", repository_folder(entry)) for entry in (one, other)
    )
    return first == second


# First parts of the addresses of pages that each server has: JupyterLab's, the classic notebook's, RStudio's, and those of programs that
# jupyter-server-proxy leads to.
PAGES = (
    "lab",
    "tree",
    "notebooks",
    "edit",
    "consoles",
    "terminals",
    "doc",
    "files",
    "view",
    "nbconvert",
    "proxy",
    "rstudio",
    "voila",
)


def _page_problems(where: str, page: str, apps: t.Collection[str], known: bool) -> list[str]:
    """What is wrong with a start page. known: whether the image has nothing but what ours has."""
    if not page.startswith("/") or page.startswith("//"):
        return [f"{where} {page!r}: begin it with /, such as /lab"]
    if re.search(r"[{}\\\x00-\x1f\x7f]", page):
        return [f"{where} {page!r}: remove braces, backslashes and line ends"]
    first = re.split("[/?#]", page[1:], maxsplit=1)[0]
    if first in ("user", "hub"):
        return [f"{where} {page!r}: give the part after /user/<name>, such as /lab"]
    if known and first and first not in PAGES and first not in apps:
        return [
            f"{where} {page!r}, which servers do not have: give /lab, /tree, the path of a file after /lab/tree/, or /<name>/ of one of apps"
        ]
    return []


def _meant(name: str, known: t.Iterable[str]) -> str:
    near = nearest(name, known)
    return f" (did you mean {near}?)" if near else ""


def _server_images(settings: Settings) -> set[str]:
    """Names of the images that servers can be started from: of images_catalog, or where that is not in reach of what was built."""
    merged: dict[str, dict[str, t.Any]] = {}
    for entry in settings.get("catalog") or []:
        merged.setdefault(str(entry.get("name")), {}).update(entry)
    if not merged:
        return set(settings["images"])
    return {
        name
        for name, one in merged.items()
        if not (one.get("internal") or one.get("stack") or name in OTHER_IMAGES)
    }


def _profile_problems(settings: Settings) -> list[str]:
    profiles = settings["profiles"]
    found = _doubled("jupyterhub_profiles", [profile["name"] for profile in profiles])
    images = settings["images"]
    page = str(settings.get("default_url") or "")
    if page and not profiles:
        found += _page_problems(
            "jupyterhub_default_url is", page, [], "notebook" in (settings.get("plain_images") or ())
        )
    if settings.get("phone_url"):
        found += _page_problems("jupyterhub_phone_url is", str(settings["phone_url"]), [], False)
    images = _server_images(settings)
    for profile in profiles:
        where = f"the environment {profile['name']!r} in jupyterhub_profiles"
        if not NAME.fullmatch(profile["name"]):
            found.append(f"{where}: give a name of small letters, digits, dashes and dots")
        image = profile.get("image") or "notebook"
        if images and image not in images and "/" not in image and ":" not in image:
            found.append(
                f"{where} has image {image!r}, which images_catalog does not have: use one of "
                f"{', '.join(sorted(images))}, or the full name of an image that is on the host{_meant(image, images)}"
            )
        own = str(profile.get("default_url") or "")
        apps = [str(app["name"]) for app in profile.get("apps") or []]
        plain = image in (settings.get("plain_images") or ())
        if own:
            found += _page_problems(f"{where} has default_url", own, apps, plain)
        elif page:
            found += _page_problems(
                f"{where} has no default_url, and jupyterhub_default_url is", page, apps, plain
            )
        for variable in profile.get("environment") or {}:
            if not VARIABLE.fullmatch(str(variable)):
                found.append(
                    f"{where} has the variable {variable!r} in environment: give a name of letters, digits and _"
                )
        for folder in profile.get("folders") or []:
            found += _source_problems(f"{where} has", folder["source"], not folder.get("read_only"), settings)
            if not folder["target"].startswith("/") or set(folder["target"]) & set(":{}"):
                found.append(
                    f"{where} has the target {folder['target']!r}: give a full path, without : and braces"
                )
        found += _limit_problems(where, profile)
        found += _repository_problems(where, profile.get("repositories") or [])
        found += _remote_problems(where, profile, settings)
    return found


def _remote_problems(where: str, profile: Settings, settings: Settings) -> list[str]:
    """What is wrong with kernels and a Spark that an environment has elsewhere."""
    gateway, spark = str(profile.get("gateway_url") or ""), str(profile.get("spark_remote") or "")
    url = web_address(gateway)
    found = []
    if gateway and url is None:
        found.append(
            f"{where} has gateway_url {gateway!r}: give a full URL, such as https://gateway.example.org"
        )
    elif url and (url.username or url.password):
        found.append(
            f"{where} has gateway_url with a name or token in it: users could read it, so take it out; gateway_login "
            "sends the user's own token"
        )
    if gateway and settings.get("audit_code"):
        found.append(
            f"{where} has gateway_url while jupyterhub_audit_code is true: code that runs elsewhere is not recorded, so remove one of them"
        )
    if profile.get("gateway_login") and not gateway:
        found.append(f"{where} has gateway_login, which has no effect without gateway_url: remove it")
    elif profile.get("gateway_login") and not settings.get("user_tokens"):
        found.append(
            f"{where} has gateway_login while jupyterhub_user_tokens is false: set jupyterhub_user_tokens to true as well"
        )
    elif profile.get("gateway_login") and url and url.scheme == "http":
        found.append(
            f"{where} has gateway_login and gateway_url {gateway!r}: others on the network could read the token, so use https"
        )
    parts = parts_of(spark)
    if spark and (parts is None or parts.scheme != "sc"):
        found.append(
            f"{where} has spark_remote {spark!r}: give the address of a Spark Connect server, such as sc://spark.example.org:15002"
        )
    elif "token=" in spark:
        found.append(f"{where} has spark_remote with a token in it: users could read it, so take it out")
    return found


def _source_problems(where: str, source: str, writable: bool, settings: Settings) -> list[str]:
    """What is wrong with a folder of the host that servers are to show."""
    # Docker takes what follows a colon for the target, and names of users go where braces are.
    if not source.startswith("/") or set(source) & set(":{}") or not source.isprintable():
        return [f"{where} the source {source!r}: give the full path of a folder, without : and braces"]
    problem = mount_source_problem(source, writable, str(settings.get("state_dir") or ""))
    return [f"{where} the source {source!r}, and {problem}: give a folder with data"] if problem else []


def _folder_problems(settings: Settings) -> list[str]:
    shared, data = settings["shared_folders"], settings["data_mounts"]
    found = _doubled("jupyterhub_shared_folders", [folder["name"] for folder in shared])
    found += _doubled("jupyterhub_data_mounts", [mount["name"] for mount in data])
    for key, entries in (("jupyterhub_shared_folders", shared), ("jupyterhub_data_mounts", data)):
        found += [
            f"{key} has the name {entry['name']!r}: give small letters, digits, dashes and dots"
            for entry in entries
            if not NAME.fullmatch(entry["name"])
        ]
    for folder in shared:
        where = f"{folder['name']!r} in jupyterhub_shared_folders has disk_limit"
        found += _size_problems(where, folder.get("disk_limit") or "0", SMALLEST_HOME, ("0",))
    for mount in data:
        source = str(mount["source"])
        found += _source_problems("jupyterhub_data_mounts has", source, False, settings)
    return found


def _approval_problems(approval: Settings) -> list[str]:
    given = _given(approval)
    if not given:
        return []
    source = given.get("source")
    if source is None:
        return ["jupyterhub_approval lacks source: give file, url, script or endpoint"]
    needed = APPROVAL_KEYS[source]
    found = []
    if not given.get(needed):
        found.append(f"jupyterhub_approval has source {source!r} and lacks {needed}: give its value")
    for key in sorted({"file", "url", "script"} - {needed}):
        if given.get(key):
            found.append(
                f"jupyterhub_approval has {key}, which has no effect with source {source!r}: remove it"
            )
    url = str(given.get("url") or "")
    parts = web_address(url)
    if url and parts is None:
        found.append(
            f"jupyterhub_approval has url {url!r}: give a full address, such as https://example.org/list"
        )
    elif (
        parts
        and parts.scheme == "http"
        and parts.hostname not in ("localhost", "127.0.0.1")
        and not given.get("insecure")
    ):
        found.append(
            f"jupyterhub_approval has url {url!r}: others on the network could forge approvals, so use https"
        )
    return found


def _percent(approval: Settings) -> float:
    """Of the approved whom a new list may leave out; 0 lets it leave out one at a time."""
    return float(approval.get("max_removed", MAX_REMOVED))


def approved_problems(approval: Settings, content: bytes, before: bytes, now: datetime) -> list[str]:
    """What is wrong with the list of approved users in a file, before it takes the place of the one that counts.

    approval: jupyterhub_approval; content: of its file; before: of the list that counts on the host, empty where there is none.
    """
    approval = _given(approval)
    if approval.get("source") != "file" or not approval.get("file"):
        return []
    where = f"jupyterhub_approval has file {approval['file']!r}"
    try:
        approved = parse_list(content)
    except ApprovalError as exc:
        return [f"{where}: {exc}"]
    try:
        check_removal(parse_list(before), approved, _percent(approval), now)
    except RemovalError as exc:
        return [f"{where}: {exc}"]
    except ApprovalError:
        # There was none, or one that did not count.
        pass
    return []


def access_problems(settings: Settings) -> list[str]:
    """What is wrong with groups, approvals, environments, folders and repositories, one sentence each.

    settings: login (what login_problems takes), groups, approval, profiles, shared_folders, data_mounts, repositories
    (as the role's settings jupyterhub_*), images (names of the images that the role images provides).
    """
    settings = with_group_names(settings)
    groups = settings["groups"]
    found = _doubled("jupyterhub_groups", [group["name"] for group in groups])
    for group in groups:
        where = f"the group {group['name']!r} in jupyterhub_groups"
        # Where the hub keeps the members itself, its API has the name in an address.
        if not group["name"] or ("/" in group["name"] and not manages_groups(settings)):
            found.append(f"{where}: give a name without a slash")
        found += name_problems(f"{where} has", group.get("users") or [])
        found += _limit_problems(where, group)
        found += _repository_problems(where, group.get("repositories") or [])
    for key in ("disk_limit", "shared_disk_limit"):
        found += _size_problems(
            f"jupyterhub_{key} is", settings.get(key, "auto"), SMALLEST_HOME, ("auto", "0")
        )
    found += _size_problems(
        "jupyterhub_disk_reserve is", settings.get("disk_reserve", "auto"), 1, ("auto", "0")
    )
    sizes = (
        ("memory_limit", SMALLEST_SERVER),
        ("tmp_limit", SMALLEST_HOME),
        ("message_limit", SMALLEST_MESSAGE),
    )
    for key, least in sizes:
        found += _size_problems(f"jupyterhub_{key} is", settings.get(key, "auto"), least, ("auto",))
    found += _exchange_problems(settings)
    found += _approval_problems(settings["approval"])
    found += _profile_problems(settings)
    found += _folder_problems(settings)
    found += _repository_problems("jupyterhub_repositories", settings["repositories"])
    found += _place_problems(settings)
    found += [
        f"jupyterhub_git_links has {entry!r}: {problem}"
        for entry in map(str, settings.get("git_links") or [])
        if (problem := entry_problem(entry))
    ]
    found += _unknown_groups(settings)
    found += _unknown_people(settings)
    found += map_problems(settings.get("rename_map") or {})
    found += services_problems(settings)
    services = {
        *SERVICES,
        *services_of(settings.get("config_extra") or {}),
        *(one["name"] for one in settings["services"]),
    }
    found += _check_problems(settings["check_user"], services)
    found += _reserved_problems(settings, services)
    return found


def capacity_problems(
    settings: Settings, memory_mb: int, cores: int, mounts: t.Sequence[Settings] = (), data_root: str = ""
) -> list[str]:
    """Limits that a host cannot keep, one sentence each.

    settings: as for access_problems, with memory_limit, cpu_limit and disk_reserve as they are set; memory_mb, cores: of the host, 0
    where nobody knows; mounts: its file systems (mount, size_total); data_root: where the engine keeps its data.
    """
    entries = [("jupyterhub_{} is", settings)]
    entries += [
        (f"the group {group['name']!r} in jupyterhub_groups has {{}}", group) for group in settings["groups"]
    ]
    entries += [
        (f"the environment {one['name']!r} in jupyterhub_profiles has {{}}", one)
        for one in settings["profiles"]
    ]
    found = []
    for where, entry in entries:
        memory, cpu = entry.get("memory_limit"), entry.get("cpu_limit")
        if memory not in (None, "", "auto") and 0 < memory_mb * 1024**2 < parse_size(memory):
            found.append(
                f"{where.format('memory_limit')} {memory!r}, more than the {memory_mb} MiB of the host: give less, or leave it out"
            )
        if cpu not in (None, "") and 0 < cores < float(cpu):
            found.append(
                f"{where.format('cpu_limit')} {cpu}, and the host has {cores}: give no more, or leave it out"
            )
    reserve = settings.get("disk_reserve", "auto")
    disks = [
        one for one in mounts if (data_root.rstrip("/") + "/").startswith(str(one["mount"]).rstrip("/") + "/")
    ]
    size = int(max(disks, key=lambda one: len(str(one["mount"]))).get("size_total") or 0) if disks else 0
    if reserve not in ("auto", "0") and 0 < size < 2 * parse_size(reserve):
        found.append(
            f"jupyterhub_disk_reserve is {reserve!r}, more than half of the {size / 1024**3:.1f} GiB of the disk that holds the homes "
            f"({data_root}): give less, or auto"
        )
    return found


def _exchange_problems(settings: Settings) -> list[str]:
    """Of what passes between pages and servers: messages that do not fit, extensions that could act for somebody else."""
    found = []
    with contextlib.suppress(KeyError, ValueError):
        if parse_size(settings["message_limit"]) > parse_size(settings["memory_limit"]) // 4:
            found.append(
                f"jupyterhub_message_limit is {settings['message_limit']!r} while jupyterhub_memory_limit is "
                f"{settings['memory_limit']!r}: several copies of a message are in memory at a time, so give at most a quarter"
            )
    if settings.get("user_extensions") and not settings.get("subdomains"):
        found.append(
            "jupyterhub_user_extensions is true while jupyterhub_subdomains is false: an extension of one user could act as "
            "whoever opens that user's server, so set jupyterhub_subdomains to true as well, or put the extension into the image"
        )
    if settings.get("sharing_days") and not settings.get("subdomains"):
        found.append(
            f"jupyterhub_sharing_days is {settings['sharing_days']} while jupyterhub_subdomains is false: pages of a shared server could act "
            "as whoever opens it, so set jupyterhub_subdomains to true as well, or jupyterhub_sharing_days to 0"
        )
    return found


def _folded(name: t.Any) -> str:
    """As the hub compares names: folded() in its image's login_guard.py."""
    return unicodedata.normalize("NFKC", str(name)).casefold().strip()


def _reserved_problems(settings: Settings, services: t.Iterable[str]) -> list[str]:
    """People under a name that the hub uses itself: nobody can log in with one."""
    login = settings["login"]
    own = {settings["check_user"]: "the user of the check (jupyterhub_check_user)"}
    own |= dict.fromkeys(services, "a service of the hub")
    reserved = {_folded(name): what for name, what in own.items()}
    lists = [
        ("jupyterhub_allowed_users or jupyterhub_users", login["allowed_users"]),
        ("jupyterhub_admin_users or jupyterhub_users", login["admin_users"]),
        ("jupyterhub_support_users", login.get("support_users") or []),
        ("jupyterhub_rename_map", [new for new in (settings.get("rename_map") or {}).values() if new]),
    ]
    lists += [
        (f"the group {group['name']!r} in jupyterhub_groups", group.get("users") or [])
        for group in settings["groups"]
    ]
    return [
        f"{where} has {name!r}, which is {reserved[_folded(name)]}: give this person another name"
        for where, names in lists
        for name in names
        if _folded(name) in reserved
    ]


def _check_problems(name: str, services: t.Collection[str]) -> list[str]:
    """The name stands in scopes as it is; and JupyterHub takes a service for the user of the same name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]*", name):
        return [
            f"jupyterhub_check_user is {name!r}: give a name of lower-case letters, digits and the signs .-_@"
        ]
    if name in services:
        return [f"jupyterhub_check_user is {name!r}, as a service of the hub is called: give another name"]
    return []


def _unknown_groups(settings: Settings) -> list[str]:
    """Groups that entries are for and that nobody can be in: a name misspelled."""
    if manages_groups(settings):
        return []
    login = settings["login"]
    defined = {group["name"] for group in settings["groups"]}
    listed = settings.get("listed_groups") or {}
    known = defined | set(listed)
    used = [
        ("jupyterhub_allowed_groups", login["allowed_groups"]),
        ("jupyterhub_admin_groups", login["admin_groups"]),
    ]
    used += [
        (f"the environment {one['name']!r} in jupyterhub_profiles", one.get("groups") or [])
        for one in settings["profiles"]
    ]
    for key in ("shared_folders", "data_mounts"):
        used += [
            (
                f"{one['name']!r} in jupyterhub_{key}",
                [*(one.get("groups") or []), *(one.get("read_groups") or [])],
            )
            for one in settings[key]
        ]
    named = defined.union(*(names for _where, names in used))
    return [
        f"{where} names the group {name!r}, which jupyterhub_groups does not have and no provider tells: add it there, "
        f"without users where its members are kept with hub_group{_meant(name, known)}"
        for where, names in used
        for name in names
        if name not in known
    ] + [
        # Where the settings have groups, one that stands in a list of people only does nothing.
        f"jupyterhub_users or jupyterhub_users_file has {', '.join(people)} in the group {name!r}, which no other setting names: correct it, or "
        f"add it to jupyterhub_groups{_meant(name, named)}"
        for name, people in sorted(listed.items())
        if defined and name not in named
    ]


def _unknown_people(settings: Settings) -> list[str]:
    """Members of groups whom no list lets in, and who are called nearly as somebody whom one does: a name misspelled."""
    login = settings["login"]
    by_group = [*login["allowed_groups"], *login["admin_groups"], *(login.get("support_groups") or [])]
    known = {
        *login["allowed_users"],
        *login["admin_users"],
        *(login.get("support_users") or []),
        *login["blocked_users"],
    }
    if (
        login["allow_all"]
        or by_group
        or not login["allowed_users"]
        or not authorized_locally(login["kind"], login)
    ):
        return []
    return [
        f"the group {group['name']!r} in jupyterhub_groups has {name!r}, whom no list allows: did you mean {near}?"
        for group in settings["groups"]
        for name in map(user_name, group.get("users") or [])
        if name not in known
        for near in [nearest(name, known, 0.8)]
        if near
    ]


def folders(settings: Settings, shared_dir: str) -> list[dict[str, t.Any]]:
    """The folders of the host that users' servers may get, as the hub's spawner takes them.

    shared_dir: the instance's folder for what groups share.
    """
    found: list[dict[str, t.Any]] = [
        {
            "name": folder["name"],
            "source": f"{shared_dir}/{folder['name']}",
            "target": f"{SHARED}/{folder['name']}",
            "groups": folder.get("groups") or [],
            "read_groups": folder.get("read_groups") or [],
            "disk_limit": str(folder.get("disk_limit") or settings.get("shared_disk_limit", "auto")),
        }
        for folder in settings["shared_folders"]
    ]
    found += [
        {
            "name": mount["name"],
            "source": posixpath.normpath(mount["source"]),
            "target": f"{DATA}/{mount['name']}",
            "groups": mount.get("groups") or [],
            "read_only": True,
        }
        for mount in settings["data_mounts"]
    ]
    return found


def profiles(settings: Settings) -> list[dict[str, t.Any]]:
    """The environments with the names of their images put in place."""
    found = []
    for profile in settings["profiles"]:
        image = profile.get("image") or "notebook"
        one = {**_given(profile), "image": settings["images"].get(image, image)}
        if "memory_limit" in one:
            one["memory_limit"] = parse_size(one["memory_limit"])
        if "disk_limit" in one:
            # YAML's 0 is no limit as well.
            one["disk_limit"] = str(one["disk_limit"])
        environment = {**_remote(one), **(one.get("environment") or {})}
        for key in ("gateway_url", "gateway_login", "spark_remote"):
            one.pop(key, None)
        found.append({**one, **({"environment": environment} if environment else {})})
    return found


def _remote(profile: Settings) -> dict[str, str]:
    """Variables of a server whose kernels or Spark are elsewhere, as Jupyter Server and Spark read them."""
    found = {}
    if profile.get("gateway_url"):
        found["JUPYTER_GATEWAY_URL"] = str(profile["gateway_url"])
    if profile.get("gateway_login"):
        found["GALILEAN_GATEWAY_LOGIN"] = "1"
    if profile.get("spark_remote"):
        found["SPARK_REMOTE"] = str(profile["spark_remote"])
    return found


def roles(settings: Settings) -> dict[str, dict[str, list[str]]]:
    """Members of the roles support, and manager: administrators who may not enter servers."""
    login = settings["login"]
    found = {
        "support": {
            "users": sorted(login.get("support_users") or []),
            "groups": sorted(login.get("support_groups") or []),
        }
    }
    if not settings["admin_access"]:
        found["manager"] = {"users": sorted(login["admin_users"]), "groups": sorted(login["admin_groups"])}
    return found


def access_traits(settings: Settings) -> dict[str, dict[str, t.Any]]:
    """Traits by class for groups, approvals, environments, folders and repositories."""
    login = settings["login"]
    approval = _given(settings["approval"])
    managed = manages_groups(settings)
    # A group without a list of users is kept by the hub's own list.
    members = {
        group["name"]: sorted({user_name(user) for user in group["users"]})
        for group in settings["groups"]
        if group.get("users") is not None
    }
    for name, users in (settings.get("listed_groups") or {}).items():
        # What jupyterhub_users says of groups: otherwise it is brought to the hub's own list, by hub_user.
        if managed or name in members:
            members[name] = sorted({*members.get(name, []), *users})
    support = login.get("support_groups") or []
    access: dict[str, t.Any] = {
        "access_groups": sorted({*login["allowed_groups"], *login["admin_groups"], *support}),
        "group_members": members,
        "approval": {},
        "authorized_locally": authorized_locally(login["kind"], login),
        "exempt_users": [settings["check_user"]],
    }
    if settings["admin_access"]:
        access["administrator_groups"] = sorted(login["admin_groups"])
    if settings.get("denied_message"):
        access["denied_message"] = settings["denied_message"]
    if approval:
        access["approval"] = {
            "source": approval["source"],
            "url": approval.get("url") or "",
            "max_removed": _percent(approval),
            "interval": int(approval.get("interval") or 900),
            "timeout": int(approval.get("timeout") or 10),
            "cache": int(approval.get("cache", 60)),
            "on_failure": approval.get("on_failure") or "refuse",
        }
    traits: dict[str, dict[str, t.Any]] = {
        "GalileanAccess": access,
        "Authenticator": {"manage_groups": managed, "auth_refresh_age": settings["login_refresh"]},
        "GalileanSpawner": {
            "profiles": profiles(settings),
            "groups": {group["name"]: _rules(group) for group in settings["groups"] if _rules(group)},
            "folders": settings["folders"],
            "repositories": settings["repositories"],
            "git_hosts": settings["git_hosts"],
            "default_profile_users": [settings["check_user"]],
        },
    }
    if not settings["admin_access"]:
        traits["Authenticator"]["admin_users"] = []
        # They have no admin role, so they have to be let in like others.
        traits["Authenticator"]["allowed_users"] = sorted(
            {*login["allowed_users"], *(login.get("support_users") or []), *login["admin_users"]}
        )
    if not managed:
        names = [group["name"] for group in settings["groups"]]
        traits["JupyterHub"] = {"load_groups": {name: {"users": members.get(name, [])} for name in names}}
    return traits


def _rules(group: Settings) -> dict[str, t.Any]:
    keys = ("memory_limit", "cpu_limit", "pids_limit", "repositories")
    rules = {key: group[key] for key in keys if group.get(key)}
    if "memory_limit" in rules:
        rules["memory_limit"] = parse_size(rules["memory_limit"])
    if group.get("disk_limit") not in (None, ""):
        # 0 means no limit.
        rules["disk_limit"] = str(group["disk_limit"])
    # 0 means never.
    if group.get("cull_timeout") is not None:
        rules["cull_timeout"] = int(group["cull_timeout"])
    return rules
