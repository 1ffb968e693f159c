# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What cloud-init gets, as it reads it."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.galilean.hub.plugins.module_utils.cloud.user_data import user_data, yaml_of


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "",
        'it\'s "quoted" \\ and: # more',
        "Université d'été, 天文台",
        "beyond \U0001f52d \U0010ffff",
        "ends \x85 \u2028 \u2029 of lines\r\n\t",
        "\ufeff\x7f\x80\x9f\x1b\x00",
        "\ufffe\uffff",
        "{{ inventory_dir }}",
        "yes",
        "2026-01-01",
        "%",
    ],
)
def test_yaml_gives_back_what_was_written(text: str) -> None:
    assert yaml.safe_load(yaml_of(text)) == text
    assert yaml.safe_load(yaml_of({text: [text, 1, None, True]}, indent=1)) == {text: [text, 1, None, True]}


@pytest.mark.parametrize("key", ["ssh-ed25519 AAAA ada@example.org", 'ssh-rsa AAAA Ada\'s "key" \U0001f52d'])
def test_login_user(key: str) -> None:
    text = user_data("debian", key, [])
    # The first line says what it is; without it, cloud-init takes it for nothing.
    assert text.startswith("#cloud-config\n")
    config = yaml.safe_load(text)
    default, user = config["users"]
    assert default == "default", "the image's own user stays"
    assert user["name"] == "debian"
    assert user["ssh_authorized_keys"] == [key]
    assert user["lock_passwd"] is True
    assert config["ssh_pwauth"] is False
    assert "packages" not in config
    assert "package_update" not in config


def test_packages() -> None:
    config = yaml.safe_load(user_data("debian", "ssh-rsa AAAA", ["chrony", "python3"]))
    assert config["packages"] == ["chrony", "python3"]
    assert config["package_update"] is True


def test_the_same_settings_give_the_same_text() -> None:
    assert user_data("a", "b", ["c"]) == user_data("a", "b", ("c",))
