# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Groups, approvals, environments and folders: what is refused, and what the hub is told."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.authorization import access_settings as access

# Where the image has nothing but what ours has.
PLAIN = {"plain_images": ["notebook"]}
NOW = datetime(2026, 11, 22, 12, tzinfo=timezone.utc)
LOGIN: dict[str, t.Any] = {
    "kind": "github", "allow_all": False, "allowed_users": ["ada"], "admin_users": ["ruth"],
    "allowed_groups": [], "admin_groups": [], "blocked_users": [], "support_users": [], "support_groups": [],
}  # fmt: skip
LISTED = {**LOGIN, "kind": "shared_password", "allowed_users": ["brigitte"]}
CATALOG = [
    {"name": "hub"},
    {"name": "lab", "parent": "notebook"},
    {"name": "r", "stack": True},
    {"name": "r", "pip": []},
]
OIDC = {**LOGIN, "kind": "oidc", "oidc": {"groups_claim": "groups"}}


GATEWAY = "https://gateway.example.org"


def profile(**keys: t.Any) -> dict[str, t.Any]:
    return {"profiles": [{"name": "a", **keys}]}


def group(**keys: t.Any) -> dict[str, t.Any]:
    return {"groups": [{"name": "a", **keys}]}


def repo(place: str, **more: t.Any) -> dict[str, t.Any]:
    return {"url": f"https://example.org/{place}", **more}


# What is no path of a repository, no address of one, and no branch; and what is one.
PATHS = ("../b", "/b", "~/b", "b/", "b//c", "b/.git", "b\nc", ".", "x" * 250)
PAGES = ("a/tree/main", "a/-/tree/main", "a/blob/main/x.ipynb", "a?tab=readme", "a#readme", "a b")
REFS = ("refs/heads/main", "my branch", "-x", "a..b", "main/", "x.lock", "a" * 40, "a:b", "a~1")
BRANCHES = ("main", "feature/x", "v1.0", "2026", "größe")
OURS = ("/", "/tree", "/lab?reset", "/lab/tree/ü b.ipynb", "/terminals/1", "/rstudio/", "/notebooks/x.ipynb")


def settings(**changes: t.Any) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {
        "login": LOGIN, "groups": [], "approval": {}, "profiles": [], "shared_folders": [],
        "data_mounts": [],
        "repositories": [], "images": {"notebook": "notebook:1", "hub": "hub:1"}, "git_hosts": {},
        "folders": [],
        "admin_access": True, "check_user": "hub-check", "login_refresh": 300,
        "services": [],
    }  # fmt: skip
    return {**given, **changes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, ""),
        ({"check_user": "probe-1@example.org"}, ""),
        ({"check_user": "Probe"}, "jupyterhub_check_user is 'Probe': give a name of lower-case letters"),
        ({"check_user": "check"}, "jupyterhub_check_user is 'check', as a service of the hub is called"),
        (
            {"check_user": "mine", "config_extra": {"JupyterHub": {"services": [{"name": "mine"}]}}},
            "jupyterhub_check_user is 'mine', as a service of the hub is called",
        ),
        (
            {"login": {**LOGIN, "allowed_users": ["Hub-Check"]}},
            "jupyterhub_allowed_users or jupyterhub_users has 'Hub-Check', which is the user of the check",
        ),
        (
            {"login": {**LOGIN, "admin_users": ["heal"]}},
            "has 'heal', which is a service of the hub: give this person another name",
        ),
        (
            {**group(users=["mine"]), "config_extra": {"JupyterHub": {"services": [{"name": "mine"}]}}},
            "the group 'a' in jupyterhub_groups has 'mine', which is a service of the hub",
        ),
        ({"rename_map": {"ada@example.org": "accounts", "bob": ""}}, "jupyterhub_rename_map has 'accounts'"),
        ({"login": {**LOGIN, "blocked_users": ["check"]}}, ""),
        ({"token_max_age": 0, "failed_login_limit": 0}, ""),
        ({"groups": [{"name": "a"}, {"name": "a"}]}, "jupyterhub_groups has 'a' twice"),
        ({"groups": [{"name": "a/b"}]}, "give a name without a slash"),
        (group(memory_limit="much"), "has memory_limit 'much'"),
        (group(disk_limit="auto"), "has disk_limit 'auto': give 0 or a number"),
        (group(disk_limit="20 GB", memory_limit="8 GiB"), ""),
        (profile(memory_limit=8589934592), ""),
        (profile(memory_limit=4), "memory_limit 4: it is 4 bytes, so write 4G"),
        ({"memory_limit": "8,5G"}, "jupyterhub_memory_limit is '8,5G': give auto or a number with K, M"),
        ({"tmp_limit": "1M"}, "jupyterhub_tmp_limit is '1M': give at least 16M"),
        ({"message_limit": "10 kB"}, "jupyterhub_message_limit is '10 kB': give at least 1M"),
        ({"message_limit": "512M", "memory_limit": "2G"}, ""),
        ({"message_limit": "auto", "memory_limit": "2G"}, ""),
        ({"message_limit": "513M", "memory_limit": "2G"}, "at a time, so give at most a quarter"),
        ({"user_extensions": True}, "set jupyterhub_subdomains to true as well"),
        ({"user_extensions": True, "subdomains": True}, ""),
        ({"sharing_days": 7}, "jupyterhub_sharing_days is 7 while jupyterhub_subdomains is false"),
        ({"sharing_days": 7, "subdomains": True}, ""),
        ({"phone_url": "tree"}, "jupyterhub_phone_url is 'tree': begin it with /"),
        ({"phone_url": ""}, ""),
        ({"disk_limit": "-1G"}, "jupyterhub_disk_limit is '-1G': give auto, 0 or a number"),
        ({"disk_limit": "0", "disk_reserve": "0"}, ""),
        ({"disk_reserve": "10 %"}, "jupyterhub_disk_reserve is '10 %': give auto, 0 or a number"),
        (group(cull_timeout=0), ""),
        (
            {"profiles": [{"name": "A b"}]},
            "the environment 'A b' in jupyterhub_profiles: give a name of small",
        ),
        (
            profile(image="notebok"),
            "have: use one of hub, notebook, or the full name of an image that is on the host (did you mean "
            "notebook?)",
        ),
        # Of the catalog, where it is known: what servers are started from.
        ({**profile(image="lab"), "catalog": CATALOG}, ""),
        ({**profile(image="r"), "catalog": CATALOG}, "have: use one of lab, or"),
        ({**profile(image="hub"), "catalog": CATALOG}, "have: use one of lab, or"),
        ({"rename_map": {"a": "b", "c": "b"}}, "jupyterhub_rename_map"),
        (profile(image="registry.example.org/a:1"), ""),
        ({**profile(image="any"), "images": {}}, ""),
        (profile(default_url="lab"), "begin it with /"),
        (profile(default_url="//example.org"), "begin it with /, such as /lab"),
        ({"profiles": [{"name": "a", "default_url": "/lab/tree/{name}"}]}, "remove braces"),
        (profile(default_url="/user/ada/lab"), "give the part after /user/<name>"),
        ({**profile(default_url="/vioila/"), **PLAIN}, "'/vioila/', which servers do not have"),
        ({**profile(default_url="/vscode"), **PLAIN}, "which servers do not have"),
        ({**profile(default_url="/vscode", image="hub"), **PLAIN}, ""),
        (profile(default_url="/voila/x.ipynb"), ""),
        (profile(gateway_url=GATEWAY, spark_remote="sc://spark.example.org:15002/;use_ssl=true"), ""),
        ({**profile(gateway_url=GATEWAY, gateway_login=True), "user_tokens": True}, ""),
        (profile(gateway_url="gateway.example.org"), "give a full URL, such as https://"),
        (profile(gateway_url="https://me:secret@x.org"), "users could read it, so take it out"),
        (profile(gateway_url=GATEWAY, gateway_login=True), "set jupyterhub_user_tokens to true as well"),
        (profile(gateway_login=True), "no effect without gateway_url: remove it"),
        (
            {**profile(gateway_url="http://x.org", gateway_login=True), "user_tokens": True},
            "others on the network could read the token, so use https",
        ),
        ({**profile(gateway_url=GATEWAY), "audit_code": True}, "is not recorded, so remove one of them"),
        (profile(spark_remote="spark://10.1.2.3:7077"), "give the address of a Spark Connect server"),
        (profile(spark_remote="sc://x.org/;use_ssl=true;token=abc"), "users could read it, so take it out"),
        ({"git_links": ["git.example.org/teaching"]}, ""),
        (
            {"git_links": ["https://git.example.org"]},
            "jupyterhub_git_links has 'https://git.example.org': leave",
        ),
        ({**profile(default_url="/viewer", apps=[{"name": "viewer"}]), **PLAIN}, ""),
        *(({**profile(default_url=page), **PLAIN}, "") for page in OURS),
        ({"default_url": "lab"}, "jupyterhub_default_url is 'lab': begin it with /"),
        (
            {"default_url": "/nothing", **PLAIN},
            "jupyterhub_default_url is '/nothing', which servers do not have",
        ),
        (
            {"default_url": "/viewer", "profiles": [{"name": "a"}], **PLAIN},
            "'a' in jupyterhub_profiles has no default_url, and jupyterhub_default_url is '/viewer', which",
        ),
        ({"default_url": "/viewer", **profile(default_url="/lab"), **PLAIN}, ""),
        (
            {**profile(groups=["genomic"]), "groups": [{"name": "genomics"}]},
            "kept with hub_group (did you mean genomics?)",
        ),
        ({**profile(groups=["genomic"]), "login": OIDC}, ""),
        ({"listed_groups": {"a": ["ada"]}, "groups": [{"name": "a"}]}, ""),
        ({"listed_groups": {"a": ["ada"]}}, ""),
        ({**group(users=["brigit"]), "login": LISTED}, "did you mean brigitte?"),
        ({**group(users=["Brigitte", "zoe"]), "login": LISTED}, ""),
        ({**group(users=["brigit"]), "login": {**LISTED, "allow_all": True}}, ""),
        (
            {"listed_groups": {"staf": ["ada", "bob"]}, "groups": [{"name": "staff"}]},
            "has ada, bob in the group 'staf', which no other setting names: correct it, or add it",
        ),
        ({**profile(groups=["g"]), "groups": [{"name": "g"}]}, ""),
        ({"login": {**LOGIN, "allowed_groups": ["g"]}}, "jupyterhub_allowed_groups names the group 'g'"),
        ({"shared_folders": [{"name": "../x"}]}, "jupyterhub_shared_folders has the name '../x'"),
        (
            {"shared_folders": [{"name": "a", "read_groups": ["g"]}]},
            "'a' in jupyterhub_shared_folders names the group",
        ),
        (
            {"shared_folders": [{"name": "a", "disk_limit": "much"}]},
            "'a' in jupyterhub_shared_folders has disk_limit 'much': give 0 or a number",
        ),
        ({"shared_disk_limit": "much"}, "jupyterhub_shared_disk_limit is 'much': give auto, 0 or a number"),
        ({"data_mounts": [{"name": "a", "source": "/"}]}, "it is the system's own"),
        ({"data_mounts": [{"name": "a", "source": "/home/ada/.ssh"}]}, "it holds keys of the host's people"),
        ({"data_mounts": [{"name": "a", "source": "/data:old"}]}, "without : and braces"),
        (
            {"data_mounts": [{"name": "a", "source": "/srv/hub/secrets"}], "state_dir": "/srv/hub"},
            "own files",
        ),
        ({"data_mounts": [{"name": "a", "source": "data"}]}, "give the full path"),
        ({"data_mounts": [{"name": "a", "source": "/mnt/a/"}]}, ""),
        ({"repositories": [{"url": "git@example.org:a"}]}, "give its address with https://"),
        ({"repositories": [{"url": "https://x:s3cret@example.org/a"}]}, "a name or token in its address"),
        ({"repositories": [repo("a", path="b/c")]}, ""),
        *(({"repositories": [repo("a", path=path)]}, "give one below the home") for path in PATHS),
        *(({"repositories": [repo(page)]}, "an address of one of its pages") for page in PAGES),
        ({"repositories": [{"url": "https://x.org/a/.."}]}, "with the name of the repository"),
        ({"repositories": [{"url": "https://x.org/a/...git"}]}, "with the name of the repository"),
        ({"repositories": [repo("")]}, "with the name of the repository"),
        *(({"repositories": [repo("a", branch=branch)]}, "has the branch") for branch in REFS),
        *(({"repositories": [repo("a", branch=branch)]}, "") for branch in BRANCHES),
        (
            {"repositories": [repo("a/course.git"), repo("b/course")]},
            "has two repositories for one folder, https://example.org/a/course.git in ~/course and",
        ),
        (
            {
                "repositories": [repo("course")],
                "groups": [{"name": "g", "repositories": [repo("b", path="Course")]}],
            },
            "'g' in jupyterhub_groups and jupyterhub_repositories have two repositories for one folder",
        ),
        (
            {
                "groups": [{"name": "g", "repositories": [repo("b")]}],
                "profiles": [{"name": "p", "repositories": [repo("c", path="b/c")]}],
            },
            "https://example.org/b in ~/b and https://example.org/c in ~/b/c: give one of them another path",
        ),
        (
            {"profiles": [{"name": name, "repositories": [repo("b", branch=name)]} for name in ("p", "q")]},
            "for one folder",
        ),
        ({"profiles": [{"name": name, "repositories": [repo("b")]} for name in ("p", "q")]}, ""),
        (
            {"data_mounts": [{"name": "d", "source": "/mnt"}], "repositories": [repo("data")]},
            "has a repository in ~/data, which leads to the folders of jupyterhub_data_mounts",
        ),
        ({"repositories": [repo("data")]}, ""),
        ({"approval": {"source": "url"}}, "has source 'url' and lacks url"),
        ({"approval": {"url": "https://a.org/"}}, "lacks source"),
        ({"approval": {"source": "file", "file": "/a", "url": "https://a.org"}}, "url, which has no effect"),
        ({"approval": {"source": "url", "url": "http://a.org/"}}, "use https"),
        ({"approval": {"source": "url", "url": "http://a.org/", "insecure": True}}, ""),
        ({"approval": {"source": "endpoint", "url": "a.org"}}, "give a full address"),
        # What the role's argument specification leaves empty is nothing.
        ({"approval": {"source": None, "url": ""}}, ""),
    ],
)
def test_what_is_refused(changes: dict[str, t.Any], sentence: str) -> None:
    found = access.access_problems(settings(**changes))
    assert sentence in "; ".join(found)
    assert bool(found) is bool(sentence), found
    assert "s3cret" not in "; ".join(found)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, ""),
        ({"memory_limit": "8000M", "cpu_limit": 2}, ""),
        ({"memory_limit": "auto", "cpu_limit": 0.0, "disk_reserve": "auto"}, ""),
        ({"memory_limit": "64G"}, "jupyterhub_memory_limit is '64G', more than the 8000 MiB of the host"),
        ({"cpu_limit": "2.5"}, "jupyterhub_cpu_limit is 2.5, and the host has 2: give no more"),
        ({"groups": [{"name": "a", "memory_limit": "9g"}]}, "the group 'a' in jupyterhub_groups has memory"),
        ({"profiles": [{"name": "a", "cpu_limit": 4}]}, "'a' in jupyterhub_profiles has cpu_limit 4"),
        # The deepest file system counts.
        ({"disk_reserve": "10G"}, "jupyterhub_disk_reserve is '10G', more than half of the 10.0 GiB of the"),
        ({"disk_reserve": "5G"}, ""),
    ],
)
def test_what_a_host_cannot_keep(changes: dict[str, t.Any], sentence: str) -> None:
    mounts = [
        {"mount": "/", "size_total": 100 * 1024**3},
        {"mount": "/var", "size_total": 10 * 1024**3},
        {"mount": "/var/lib/d", "size_total": 1024**3},
    ]
    found = access.capacity_problems(settings(**changes), 8000, 2, mounts, "/var/lib/docker")
    assert sentence in "; ".join(found)
    assert len(found) == bool(sentence)
    # Where nothing is known of the host, nothing is wrong.
    assert access.capacity_problems(settings(**changes), 0, 0) == []


def test_groups_of_the_settings_are_the_hubs_own() -> None:
    groups = [{"name": "a", "users": ["Ada", "bob"]}, {"name": "b"}]
    traits = access.access_traits(settings(groups=groups))
    assert traits["Authenticator"]["manage_groups"] is False
    assert traits["JupyterHub"]["load_groups"] == {"a": {"users": ["ada", "bob"]}, "b": {"users": []}}
    # The members of b are kept with the hub's API; a's are those of the settings.
    assert traits["GalileanAccess"]["group_members"] == {"a": ["ada", "bob"]}


@pytest.mark.parametrize(
    "changes", [{"login": OIDC}, {"approval": {"source": "url", "url": "https://a.org/"}}]
)
def test_groups_that_come_with_the_login(changes: dict[str, t.Any]) -> None:
    traits = access.access_traits(settings(groups=[{"name": "a", "users": ["ada"]}], **changes))
    assert traits["Authenticator"]["manage_groups"] is True
    assert "JupyterHub" not in traits


def test_administrators_who_enter_no_servers() -> None:
    given = settings(admin_access=False)
    assert access.roles(given)["manager"] == {"users": ["ruth"], "groups": []}
    traits = access.access_traits(given)
    assert traits["Authenticator"]["admin_users"] == []
    assert traits["Authenticator"]["allowed_users"] == ["ada", "ruth"]
    assert "administrator_groups" not in traits["GalileanAccess"]
    assert "manager" not in access.roles(settings())


def test_environments_get_their_images() -> None:
    given = settings(profiles=[{"name": "a", "label": ""}, {"name": "b", "image": "other:2", "groups": []}])
    assert access.profiles(given) == [{"name": "a", "image": "notebook:1"}, {"name": "b", "image": "other:2"}]


def test_folders() -> None:
    given = settings(
        shared_folders=[{"name": "lab", "groups": ["a"]}],
        data_mounts=[{"name": "icgc", "source": "/mnt/icgc/"}],
    )
    shared, data = access.folders(given, "/srv/hub/shared")
    assert (shared["source"], shared["target"], shared["groups"]) == (
        "/srv/hub/shared/lab",
        "/shared/lab",
        ["a"],
    )
    assert (data["source"], data["target"], data["read_only"]) == ("/mnt/icgc", "/data/icgc", True)


@pytest.mark.parametrize(
    ("own", "all_others", "limit"),
    [(None, "20G", "20G"), ("5G", "20G", "5G"), ("0", "20G", "0"), (None, "0", "0")],
)
def test_limits_of_folders(own: str | None, all_others: str, limit: str) -> None:
    given = settings(shared_folders=[{"name": "lab", "disk_limit": own}], shared_disk_limit=all_others)
    assert access.folders(given, "/srv/hub/shared")[0]["disk_limit"] == limit


@pytest.mark.parametrize(
    ("approval", "percent", "cache"), [({}, 50.0, 60), ({"max_removed": 0, "cache": 0}, 0.0, 0)]
)
def test_nothing_is_a_number_of_approvals(approval: dict[str, int], percent: float, cache: int) -> None:
    given = settings(approval={"source": "endpoint", "url": "https://example.org/x", **approval})
    traits = access.access_traits({**given, "folders": []})["GalileanAccess"]["approval"]
    assert (traits["max_removed"], traits["cache"]) == (percent, cache)


def test_rules_of_groups() -> None:
    groups = [
        {"name": "a", "memory_limit": "8g", "cull_timeout": 0, "cpu_limit": None, "disk_limit": 0},
        {"name": "b"},
    ]
    assert access.access_traits(settings(groups=groups))["GalileanSpawner"]["groups"] == {
        "a": {"memory_limit": 8 * 2**30, "cull_timeout": 0, "disk_limit": "0"}
    }


@pytest.mark.parametrize(
    ("content", "before", "percent", "sentence"),
    [
        (b"ada\nbob\ncarl\n", b"", None, ""),
        (b"m\xfcller\n", b"", None, "the list has signs in line 1 that are not UTF-8"),
        (b"ada\n", b"ada\nbob\ncarl\n", None, "would take the approval from 2 of 3 users, more than 50 %"),
        (b"ada\n", b"ada\nbob\ncarl\n", 100, ""),
        # What was no list before takes nothing from anybody.
        (b"ada\n", b"<html>", None, ""),
    ],
)
def test_a_file_of_approvals(content: bytes, before: bytes, percent: float | None, sentence: str) -> None:
    approval = {"source": "file", "file": "approved.csv", "max_removed": percent}
    found = access.approved_problems(approval, content, before, NOW)
    assert sentence in "; ".join(found)
    assert bool(found) is bool(sentence)
    assert all(one.startswith("jupyterhub_approval has file 'approved.csv': ") for one in found)
