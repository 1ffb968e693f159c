# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is a secret in a file that everybody reads, and what only looks like one."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.settings.secrets import plain_secrets

PLAIN: dict[str, t.Any] = {"type": "str"}
FREE: dict[str, t.Any] = {"type": "dict"}
SECRET: dict[str, t.Any] = {"type": "str", "no_log": True}
PEOPLE: dict[str, t.Any] = {"type": "list", "elements": "dict", "options": {"name": PLAIN, "hash": SECRET}}


@pytest.mark.parametrize(
    ("name", "value", "spec", "found"),
    [
        ("edge_password", "x", SECRET, ["edge_password"]),
        ("edge_password", 123456, SECRET, ["edge_password"]),
        ("edge_password", "", SECRET, []),
        ("edge_password", None, SECRET, []),
        ("edge_password", "{{ mine }}", SECRET, []),
        ("edge_keys", {"one": "x"}, {"type": "dict", "no_log": True}, ["edge_keys.one"]),
        ("edge_people", [{"name": "ada"}, {"name": "bob", "hash": "x"}], PEOPLE, ["edge_people[1].hash"]),
        ("edge_free", {"A": {"client_secret": "x", "client_id": "y"}}, FREE, ["edge_free.A.client_secret"]),
        ("edge_free", {"AWS_SECRET_ACCESS_KEY": "x"}, FREE, ["edge_free.AWS_SECRET_ACCESS_KEY"]),
        ("edge_free", {"api_tokens": {"x": "ada"}}, FREE, ["edge_free.api_tokens.x"]),
        ("edge_free", {"services": [{"api_token": "x"}]}, FREE, ["edge_free.services[0].api_token"]),
        ("edge_free", {"token_url": "https://a.org/", "max_tokens": 5, "ssh_keys": ["a"]}, FREE, []),
        ("edge_free", {"private_key": "/etc/ssl/a.key", "use_token": True, "username_key": "sub"}, FREE, []),
        ("edge_url", "https://ada:word@mirror.example.org/debian", PLAIN, ["edge_url"]),
        ("edge_url", "https://a.org/list?access_token=0123456789", PLAIN, ["edge_url"]),
        ("edge_url", "https://ada@mirror.example.org/debian?key=a", PLAIN, []),
        ("edge_text", "-----BEGIN OPENSSH PRIVATE KEY-----", PLAIN, ["edge_text"]),
        ("edge_text", "ghp_0123456789abcdefABCDEF", PLAIN, ["edge_text"]),
        ("ansible_become_password", "x", None, ["ansible_become_password"]),
        ("ansible_ssh_pass", "x", None, ["ansible_ssh_pass"]),
        ("ansible_ssh_private_key_file", "~/.ssh/id", None, []),
        ("my_client_secret", "x", None, ["my_client_secret"]),
        ("my_site", "x", None, []),
    ],
)
def test_secrets(name: str, value: t.Any, spec: dict[str, t.Any] | None, found: list[str]) -> None:
    assert [where for where, _value in plain_secrets(name, value, spec)] == found
