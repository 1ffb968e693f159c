# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import re
import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.instance import instance_layout
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import hub_config_data, merge

LOGIN: dict[str, t.Any] = {
    "kind": "dummy", "public_url": "http://127.0.0.1:8000/", "client_id": "", "client_secret": False,
    "allow_all": True, "allowed_users": ["zoe", "ada"], "allowed_groups": [], "admin_users": [],
    "admin_groups": [], "blocked_users": [],
}  # fmt: skip
SETTINGS: dict[str, t.Any] = {
    "public_url": "http://127.0.0.1:8000/", "login": LOGIN, "hub_image": "galilean/hub:1",
    "notebook_image": "galilean/notebook:1", "welcome_dir": "/srv/hub/welcome",
    "software": {"volume": "galilean-software-x-1", "path": "/opt/software"},
    "ca_bundle": "/etc/ssl/certs/ca-certificates.crt", "memory_limit": "2048M", "cpu_limit": 2.0,
    "pids_limit": 1024, "open_files": 16384, "tmp_limit": "1024M", "concurrent_spawn_limit": 3,
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, "active_server_limit": 56, "cull_timeout": 3600,
    "cull_every": 300, "cull_max_age": 0, "kernel_cull_timeout": 3600, "busy_max_age": 604800,
    "cull_warning": 600, "default_url": "/lab", "token_max_age": 86400, "failed_login_limit": 60,
    "config_extra": {},
}  # fmt: skip


def data(**changes: t.Any) -> dict[str, t.Any]:
    return hub_config_data(instance_layout("hub"), {**SETTINGS, **changes})


def test_a_users_server_is_confined_and_its_home_is_kept() -> None:
    spawner = data()["traits"]["DockerSpawner"]
    assert spawner["remove"] is True
    assert spawner["volumes"]["hub-home-{home}"] == "/home/jovyan"
    assert spawner["volumes"]["galilean-software-x-1"] == {"bind": "/opt/software", "mode": "ro,nocopy"}
    assert spawner["extra_create_kwargs"]["hostname"] == "jupyter-hub"
    host = spawner["extra_host_config"]
    assert host["cap_drop"] == ["ALL"]
    assert host["memswap_limit"] == spawner["mem_limit"]
    assert host["security_opt"] == ["no-new-privileges", 'seccomp={"defaultAction":"SCMP_ACT_ERRNO"}']
    assert host["read_only"] is True
    assert host["oom_score_adj"] > 0
    assert host["ulimits"] == [{"Name": "nofile", "Soft": 16384, "Hard": 16384}]
    assert host["log_config"] == {"type": "json-file", "config": {"max-size": "10m", "max-file": "3"}}
    assert host["tmpfs"]["/tmp"].endswith(f",size={2**30}")


def test_what_a_notebook_server_is_told_of_pages() -> None:
    plain = data()["traits"]["DockerSpawner"]["environment"]
    assert not {"NOTEBOOK_MAX_MESSAGE", "NOTEBOOK_USER_EXTENSIONS"} & set(plain)
    asked = {"message_limit": "64M", "user_extensions": True, "subdomains": True}
    told = data(**asked)["traits"]["DockerSpawner"]["environment"]
    assert told["NOTEBOOK_MAX_MESSAGE"] == str(64 * 2**20)
    assert told["NOTEBOOK_USER_EXTENSIONS"] == "1"
    assert "NOTEBOOK_PHONE_URL" not in data(phone_url="")["traits"]["DockerSpawner"]["environment"]
    assert data(phone_url="/tree")["traits"]["DockerSpawner"]["environment"]["NOTEBOOK_PHONE_URL"] == "/tree"


@pytest.mark.parametrize(("limit", "allowed", "most"), [(0, False, 10), (3, True, 3)])
def test_servers_with_names_are_a_setting(limit: int, allowed: bool, most: int) -> None:
    hub = data(named_server_limit=limit)["traits"]["JupyterHub"]
    assert (hub["allow_named_servers"], hub["named_server_limit_per_user"]) == (allowed, most)


def test_what_a_notebook_server_is_told_of_jupyterlab() -> None:
    asked = {"lab_features": ["git", "trash"], "lab_languages": [], "hidden_files": False, "trash_days": 7}
    told = data(**asked)["traits"]["DockerSpawner"]["environment"]
    expected = {"FEATURES": "git,trash", "LANGUAGES": "", "HIDDEN_FILES": "0", "TRASH_DAYS": "7"}
    assert {name: told[f"NOTEBOOK_{name}"] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "host", "prefixed"),
    [
        ("https://hub.example.org/", "https://hub.example.org", True),
        ("https://Hub.example.org:8443/", "https://hub.example.org:8443", True),
        ("http://hub.localhost:8000/", "http://hub.localhost:8000", False),
    ],
)
def test_servers_with_names_of_their_own(url: str, host: str, prefixed: bool) -> None:
    assert "subdomain_host" not in data(public_url=url)["traits"]["JupyterHub"]
    hub = data(public_url=url, subdomains=True)["traits"]["JupyterHub"]
    assert hub["subdomain_host"] == host
    assert hub["cookie_host_prefix_enabled"] is prefixed


def test_lists_are_sorted_so_that_their_order_in_the_settings_changes_nothing() -> None:
    assert data()["traits"]["Authenticator"]["allowed_users"] == ["ada", "zoe"]
    assert json.dumps(data()) == json.dumps(data(login={**LOGIN, "allowed_users": ["ada", "zoe"]}))


def test_without_software_and_bundle_nothing_of_them_is_mounted() -> None:
    spawner = data(software={}, ca_bundle="")["traits"]["DockerSpawner"]
    assert set(spawner["volumes"]) == {"hub-home-{home}", "/srv/hub/welcome"}
    assert "JUPYTER_PATH" not in spawner["environment"]


def test_live_folders_are_mounted_read_only_and_only_while_they_are_live() -> None:
    assert data()["web_live"] is False
    assert "NOTEBOOK_WEB_LIVE" not in data()["traits"]["DockerSpawner"]["environment"]
    folders = [
        {"part": "hub", "source": "/src/hub", "target": "/opt/galilean/web"},
        {"part": "notebook", "source": "/site/notebook", "target": "/opt/web-site"},
        {"part": "notebook", "source": "/src/notebook", "target": "/opt/web"},
    ]
    live = data(web_live=folders)
    assert live["web_live"] is True
    spawner = live["traits"]["DockerSpawner"]
    assert spawner["environment"]["NOTEBOOK_WEB_LIVE"] == "1"
    assert spawner["volumes"]["/site/notebook"] == {"bind": "/opt/web-site", "mode": "ro"}
    assert spawner["volumes"]["/src/notebook"] == {"bind": "/opt/web", "mode": "ro"}
    assert "/src/hub" not in spawner["volumes"]


@pytest.mark.parametrize(
    ("changes", "culler"),
    [
        ({}, {"timeout": 3600, "cull_every": 300}),
        ({"cull_timeout": 0}, None),
        ({"cull_timeout": 0, "groups": [{"name": "a", "cull_timeout": 0}, {"name": "b"}]}, None),
        (
            {"cull_timeout": 0, "groups": [{"name": "a", "cull_timeout": 600}]},
            {"timeout": 0, "cull_every": 300},
        ),
        ({"cull_timeout": 0, "cull_max_age": 86400}, {"timeout": 0, "cull_every": 300, "max_age": 86400}),
    ],
)
def test_the_culler_follows_the_settings(changes: dict[str, t.Any], culler: t.Any) -> None:
    assert data(**changes)["culler"] == culler


def test_a_sites_own_traits_win_and_merge() -> None:
    traits = data(
        config_extra={
            "DockerSpawner": {"environment": {"SITE": "x"}, "pids_limit": 5},
            "Spawner": {"debug": True},
        }
    )["traits"]
    assert traits["DockerSpawner"]["environment"]["SITE"] == "x"
    assert traits["DockerSpawner"]["environment"]["GALILEAN_INSTANCE"] == "hub"
    assert traits["Spawner"] == {"debug": True}


def test_merge_leaves_its_inputs_alone() -> None:
    base = {"a": {"b": 1}, "l": [1]}
    assert merge(base, {"a": {"c": 2}, "l": [2]}) == {"a": {"b": 1, "c": 2}, "l": [2]}
    assert base == {"a": {"b": 1}, "l": [1]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"notebook_image": ""}, "the hub's settings lack notebook_image: give a value for each"),
        (
            {"login": {**LOGIN, "kind": "shared_password", "allow_all": False, "allowed_users": []}},
            "nobody could log in: list people in jupyterhub_users or jupyterhub_allowed_users, or groups "
            "in jupyterhub_allowed_groups, "
            "or set jupyterhub_allow_all to true, which is everybody who has the password",
        ),
    ],
)
def test_what_is_missing_or_unknown_is_named(changes: dict[str, t.Any], message: str) -> None:
    with pytest.raises(HubError, match=f"^{re.escape(message)}$"):
        data(**changes)
