# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The parts of the hub image that need no JupyterHub: the configuration loader and the start queue."""

from __future__ import annotations

import asyncio
import json
import re
import typing as t
from pathlib import Path

import pytest
from galilean_hub.loader import HOOKS_FILE, SECRETS, configure, read_data, read_secrets
from galilean_hub.spawner.start_queue import StartQueue
from traitlets.config import Config

from ansible_collections.galilean.hub.plugins.module_utils.authorization import services
from ansible_collections.galilean.hub.plugins.module_utils.hub import config_data, config_plan

GIVEN = {name: f"{number:064x}" for number, name in enumerate(SECRETS, 1)}


def configured(data: dict[str, t.Any], secrets: dict[str, str] = GIVEN) -> Config:
    config = Config()
    configure(config, {"traits": {}, "culler": None, **data}, secrets)
    return config


def test_image_and_role_speak_the_same_schema(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"schema": config_data.SCHEMA}))
    assert read_data(path) == {"schema": config_data.SCHEMA}
    path.write_text(json.dumps({"schema": 0}))
    with pytest.raises(SystemExit, match="has schema 0, this image reads"):
        read_data(path)


def test_the_check_reads_the_hooks_where_the_hub_does() -> None:
    volumes = [word for word in config_plan.lint_argv([], "i", "/tmp/x") if word.startswith("--volume")]
    assert volumes == [f"--volume=/tmp/x:{HOOKS_FILE}:ro"]
    assert HOOKS_FILE.name == config_plan.HOOKS


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    for name in GIVEN:
        (tmp_path / name).write_text(GIVEN[name] + "\n")
    assert read_secrets(tmp_path) == GIVEN
    (tmp_path / "login-password").unlink()
    assert "login-password" not in read_secrets(tmp_path)
    (tmp_path / "crypt-key").write_text("")
    with pytest.raises(SystemExit, match=re.escape(f"The secret {tmp_path}/crypt-key is missing or empty")):
        read_secrets(tmp_path)


def test_traits_are_set_and_the_sites_services_are_added_to_ours() -> None:
    config = configured(
        {"traits": {"JupyterHub": {"services": [{"name": "mine"}], "active_server_limit": 3}}}
    )
    assert config.JupyterHub.active_server_limit == 3
    names = [service["name"] for service in config.JupyterHub.services]
    assert names == ["check", "heal", "accounts", "metrics", "mine"]


SITE = {"name": "galaxy", "oauth_redirect_uri": "https://galaxy.example.org/callback"}


def test_other_sites_have_their_token_and_no_role() -> None:
    config = configured({"services": [SITE]}, {**GIVEN, "service-tokens": '{"galaxy": "secret"}'})
    assert config.JupyterHub.services[-1] == {**SITE, "api_token": "secret", "display": False}
    assert "galaxy" not in str(config.JupyterHub.load_roles)
    assert config.JupyterHub.extra_user_scopes == {"access:services!service=galaxy"}
    assert "galaxy" in config.LoginGuard.reserved_names
    with pytest.raises(SystemExit, match="has none for the service 'galaxy'"):
        configured({"services": [SITE]}, {**GIVEN, "service-tokens": "{}"})


def test_the_role_knows_the_names_of_services() -> None:
    config = configured({"culler": {"timeout": 600}})
    assert {service["name"] for service in config.JupyterHub.services} == set(services.SERVICES)


def test_the_check_may_only_play_its_own_user() -> None:
    role = next(
        role for role in configured({"check_user": "probe"}).JupyterHub.load_roles if role["name"] == "check"
    )
    assert {scope.partition("!")[2] for scope in role["scopes"] if scope != "read:hub"} == {"user=probe"}


def test_the_service_accounts_cannot_read_what_logins_leave() -> None:
    role = next(role for role in configured({}).JupyterHub.load_roles if role["name"] == "accounts")
    assert role["services"] == ["accounts"]
    # Each of these would include the tokens of the login's provider, or the users' files.
    assert not {"admin:users", "admin:auth_state", "admin:servers", "access:servers", "tokens"} & set(
        role["scopes"]
    )
    # A hub whose secrets are older than the service.
    older = {name: value for name, value in GIVEN.items() if name != "accounts-token"}
    assert "accounts" not in {service["name"] for service in configured({}, older).JupyterHub.services}


def test_the_culler_is_a_service_with_no_more_rights_than_it_needs() -> None:
    config = configured({"culler": {"timeout": 600, "cull_every": 60}})
    culler = config.JupyterHub.services[-1]
    assert culler["command"][1:] == ["-m", "galilean_hub.spawner.culler", "--cull-every=60", "--timeout=600"]
    role = config.JupyterHub.load_roles[-1]
    assert role["services"] == ["idle-culler"]
    assert "admin:users" not in role["scopes"]


def test_an_older_crypt_key_still_decrypts() -> None:
    keys = configured({}, {**GIVEN, "crypt-key": "11" * 32 + "\n" + "22" * 32})["CryptKeeper"]["keys"]
    assert keys == [b"\x11" * 32, b"\x22" * 32]


def test_the_queue_serves_in_order_and_tells_the_place() -> None:
    async def story() -> list[str]:
        queue = StartQueue(1)
        order: list[str] = []
        release = asyncio.Event()

        async def start(name: str) -> None:
            async with queue.turn(name):
                order.append(name)
                await release.wait()

        tasks = [asyncio.create_task(start(name)) for name in ("a", "b", "c", "d")]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert [queue.place(name) for name in ("a", "b", "c", "d")] == [0, 1, 2, 3]
        # Somebody who gives up makes room for those behind.
        tasks[1].cancel()
        await asyncio.sleep(0)
        assert [queue.place(name) for name in ("b", "c", "d")] == [0, 1, 2]
        release.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order

    assert asyncio.run(story()) == ["a", "c", "d"]


def test_a_start_that_fails_gives_its_turn_back() -> None:
    async def story() -> None:
        queue = StartQueue(1)
        with pytest.raises(ValueError, match="boom"):
            async with queue.turn("a"):
                raise ValueError("boom")
        async with asyncio.timeout(1):
            async with queue.turn("b"):
                pass

    asyncio.run(story())
