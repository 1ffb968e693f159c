# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Settings of the lab from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from settings import LabError, Settings

CHECKOUT = Path("/checkout")


def test_without_settings_the_state_is_in_the_checkout() -> None:
    made = Settings.from_environ({}, CHECKOUT)
    assert made.clouds_file == Path("/checkout/.cache/lab/clouds.yaml")
    assert (made.gateway, made.address, made.pool) == (
        "172.24.4.1",
        "172.24.4.2",
        ("172.24.4.10", "172.24.4.21"),
    )
    assert made.auth_url == "http://172.24.4.2:5000/v3"


def test_everything_can_be_chosen() -> None:
    made = Settings.from_environ(
        {"LAB_STATE": "/elsewhere", "LAB_NETWORK": "198.51.100.32/27", "LAB_SUITE": "trixie"}, CHECKOUT
    )
    assert made.var == Path("/elsewhere/var")
    assert made.pool == ("198.51.100.42", "198.51.100.53")
    assert made.image == "debian-13"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAB_STATE", "relative/folder"),
        ("LAB_NETWORK", "172.24.4.1/24"),
        ("LAB_NETWORK", "172.24.4.0/28"),
        ("LAB_NETWORK", "somewhere"),
        ("LAB_SUITE", "buster"),
        ("LAB_GUEST_CA", "perhaps"),
        ("LAB_DNS", "1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(name: str, value: str) -> None:
    with pytest.raises(LabError) as caught:
        Settings.from_environ({name: value}, CHECKOUT)
    assert str(caught.value).startswith(f"{name} is {value}: ")


@pytest.mark.parametrize(
    ("environ", "trusted"),
    [
        ({}, False),
        ({"LAB_MIRROR": "https://mirror.example.org/debian"}, True),
        ({"LAB_MIRROR": "https://mirror.example.org/debian", "LAB_GUEST_CA": "no"}, False),
        ({"LAB_GUEST_CA": "yes"}, True),
    ],
)
def test_guests_trust_the_site_where_they_have_to(environ: dict[str, str], trusted: bool) -> None:
    assert Settings.from_environ(environ, CHECKOUT).guest_ca is trusted


def test_a_state_keeps_its_name_server(tmp_path: Path) -> None:
    assert not Settings.from_environ({"LAB_STATE": str(tmp_path)}, CHECKOUT).dns
    assert Settings.from_environ({"LAB_STATE": str(tmp_path), "LAB_DNS": "yes"}, CHECKOUT).dns
    (tmp_path / "var/etc/designate").mkdir(parents=True)
    assert Settings.from_environ({"LAB_STATE": str(tmp_path), "LAB_DNS": "no"}, CHECKOUT).dns
