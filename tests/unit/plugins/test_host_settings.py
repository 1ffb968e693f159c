# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings as they are worked out from variables, and what follows from those of several roles."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.derived import address, hub, instance
from ansible_collections.galilean.hub.plugins.module_utils.settings.typed import Unknown, absent, convert
from ansible_collections.galilean.hub.plugins.plugin_utils._host_settings import needs_facts

SettingsOf = t.Callable[..., t.Any]


def test_each_is_in_the_type_of_its_spec(settings_of: SettingsOf) -> None:
    settings = settings_of(edge_port="{{ '8' ~ '000' }}", edge_sni_routing="yes", users_service_uid=None)
    assert (settings["edge_port"], settings["edge_sni_routing"], settings["users_service_uid"]) == (
        8000,
        True,
        None,
    )
    # That of a role that is not in the play, and built from one of another role.
    assert settings_of(bootstrap_http_proxy="http://a")["bootstrap_https_proxy"] == "http://a"


TEXT, NUMBER = {"type": "str"}, {"type": "int"}


@pytest.mark.parametrize(
    ("value", "spec", "converted"),
    [
        ([20231234, 3.11, "ada"], {"type": "list", "elements": "str"}, ["20231234", "3.11", "ada"]),
        (["1", 2.0], {"type": "list", "elements": "int"}, [1, 2]),
        ([1, "1"], {"type": "list"}, [1, "1"]),
        (
            [{"name": 2026, "users": [5], "uid": "2000", "odd": 5}],
            {
                "type": "list",
                "elements": "dict",
                "options": {"name": TEXT, "uid": NUMBER, "users": {"type": "list", "elements": "str"}},
            },
            [{"name": "2026", "users": ["5"], "uid": 2000, "odd": 5}],
        ),
        (
            {"in": {"x": 5}},
            {"type": "dict", "options": {"in": {"type": "dict", "options": {"x": TEXT}}}},
            {"in": {"x": "5"}},
        ),
        ({5: 6, True: None}, {"type": "dict"}, {"5": 6, "True": None}),
        # What does not fit stays, for the sentence of its own.
        ("a", {"type": "list", "elements": "str"}, "a"),
        ([{"a": 1}], {"type": "list", "elements": "str"}, [{"a": 1}]),
        (float("inf"), NUMBER, float("inf")),
        (10**400, {"type": "float"}, 10**400),
    ],
)
def test_what_a_value_holds_is_in_the_type_of_its_spec(
    value: t.Any, spec: dict[str, t.Any], converted: t.Any
) -> None:
    """So that rules find a text where the specification says so: YAML makes numbers of names."""
    assert convert(value, spec) == converted


def test_of_secrets_is_told_whether_there_is_one(settings_of: SettingsOf) -> None:
    own = settings_of(jupyterhub_login_client_secret="s3cret").role("jupyterhub")
    assert (own["login_client_secret"], own["login_password"]) == (True, False)


@pytest.mark.parametrize(
    ("value", "facts", "known"),
    [
        ("{{ ansible_facts['memtotal_mb'] // 2 }}", {}, None),
        ("{{ ansible_facts.memtotal_mb | default(8) }}", {}, None),
        ("{{ other }}", {}, None),
        ("{{ ansible_facts['memtotal_mb'] // 2 }}", {"memtotal_mb": 4}, 2),
        # The word alone says nothing.
        ("{{ 'ansible_facts' | length }}", {}, 13),
    ],
)
def test_what_is_built_from_facts_waits_for_them(
    settings_of: SettingsOf, value: str, facts: dict[str, t.Any], known: int | None
) -> None:
    settings = settings_of(jupyterhub_pids_limit=value, other="{{ ansible_facts.x }}", ansible_facts=facts)
    if known is not None:
        assert settings["jupyterhub_pids_limit"] == known
        return
    with pytest.raises(Unknown) as caught:
        settings["jupyterhub_pids_limit"]
    assert needs_facts(caught.value)


def test_what_cannot_be_worked_out_is_no_matter_of_facts(settings_of: SettingsOf) -> None:
    with pytest.raises(Unknown) as caught:
        settings_of(jupyterhub_pids_limit="{{ no_such_thing }}")["jupyterhub_pids_limit"]
    assert not needs_facts(caught.value)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "http://127.0.0.1:8000/"),
        ({"edge_bind_address": "0.0.0.0", "edge_server_name": "hub.example.org"}, "https://hub.example.org/"),
        ({"edge_bind_address": "::", "ansible_host": "2001:db8::1"}, "https://[2001:db8::1]/"),
        (
            {
                "edge_bind_address": "10.0.0.1",
                "edge_tls_mode": "off",
                "edge_trusted_proxies": ["10.0.0.5"],
                "edge_server_name": "h.org",
            },
            "https://h.org/",
        ),
        (
            {"edge_bind_address": "10.0.0.1", "edge_tls_mode": "self_signed", "edge_port": 8443},
            "https://10.0.0.1:8443/",
        ),
        ({"jupyterhub_public_url": "https://a.org/"}, "https://a.org/"),
    ],
)
def test_the_address_of_the_hub(settings_of: SettingsOf, variables: dict[str, t.Any], url: str) -> None:
    assert address.public_url(settings_of(**variables)) == url


def test_one_root_for_all_of_an_instance(settings_of: SettingsOf) -> None:
    settings = settings_of(jupyterhub_instance="lab", jupyterhub_state_root="/data/hubs/")
    found = instance.layout(settings)
    folders = [value for name, value in found.items() if name.endswith("_dir")]
    assert len(folders) > 10
    assert {folder for folder in folders if not f"{folder}/".startswith("/data/hubs/lab/")} == set()
    assert instance.layout(settings, "other")["edge_dir"] == "/data/hubs/other/edge"


def test_who_is_listed_may_log_in(settings_of: SettingsOf) -> None:
    settings = settings_of(
        jupyterhub_users=[{"name": "Anna", "admin": True}, {"name": "berta", "blocked": True}],
        jupyterhub_allowed_users=["Carl", "carl", 7],
    )
    found = hub.login(settings)
    assert (found["allowed_users"], found["admin_users"]) == (["carl", "7", "anna"], ["anna"])
    assert found["blocked_users"] == ["berta"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("files/people.csv", 'write "{{ inventory_dir }}/files/people.csv"'),
        ("people.csv", "correct it"),
        ("/site/files/people.csv", "correct it"),
    ],
)
def test_a_path_from_the_inventory_is_told_as_it_has_to_be_written(
    settings_of: SettingsOf, tmp_path: Path, path: str, said: str
) -> None:
    """It is read from the folder that Ansible runs in, where it is not."""
    (tmp_path / "files").mkdir()
    (tmp_path / "files/people.csv").touch()
    settings = settings_of(inventory_dir=str(tmp_path))
    assert (
        absent(settings, "x is 'y'", path, "correct it")
        == f"x is 'y', which is no file on the controller: {said}"
    )
