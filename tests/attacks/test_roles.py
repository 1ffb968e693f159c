# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Nobody gets further than their role: each of them tries on a real hub (the table is in docs/access.md)."""

from __future__ import annotations

import json
import typing as t

import pytest
from deployment import Deployment
from hub_settings import hub_settings
from knock import Answer, Browser, addresses

# Of others, and of the hub as a whole: what leads to somebody's files or to all rights.
FAR = {
    "access:servers", "access:services", "admin:users", "admin:servers", "admin:auth_state", "admin:groups",
    "admin:services", "admin:server_state", "groups", "groups:shares", "users", "users:shares", "shares",
    "tokens", "proxy", "shutdown",
}  # fmt: skip


class Role:
    """Somebody with a role, and a token of theirs."""

    def __init__(self, name: str, address: str, token: str) -> None:
        self.name, self._browser, self._token = name, Browser(address), token

    def ask(self, method: str, path: str, body: t.Any = None) -> Answer:
        text = None if body is None else json.dumps(body)
        return self._browser.ask(method, f"/hub/api{path}", text, Authorization=f"token {self._token}")

    def scopes(self) -> set[str]:
        return set(json.loads(self.ask("GET", "/user").text)["scopes"])


@pytest.fixture(scope="module")
def roles(site: Deployment) -> t.Iterator[dict[str, Role]]:
    """Support, a manager, a plain user; and the services of the hub, with the tokens that lie on the host."""
    given = {
        "roles": {
            "support": {"users": ["sue"], "groups": []},
            "manager": {"users": ["max"], "groups": []},
        },
        "traits": {
            "JupyterHub": {"load_groups": {"admins": {"users": []}}},
            "GalileanAccess": {"administrator_groups": ["admins"]},
        },
    }
    with hub_settings(site, **given):
        proxy = addresses(site.container("proxy"))[f"{site.instance}-core"] + ":8000"
        found = {}
        for role, name in (("support", "sue"), ("manager", "max"), ("user", "victim")):
            person = Browser(proxy, "203.0.113.70")
            assert person.log_in(name, "any").status == 302
            person.headers["X-XSRFToken"] = person.cookies["_xsrf"]
            found[role] = Role(name, proxy, json.loads(person.token(name).text)["token"])
        for service in ("check", "heal", "accounts"):
            found[service] = Role(service, proxy, site.secret(f"{service}-token"))
        yield found


ALL = ["support", "manager", "user", "check", "heal", "accounts"]
# What a role is for, where others are refused.
MEANT = {
    ("heal", "another proxy"), ("accounts", "group"), ("accounts", "new group"), ("check", "enter"),
}  # fmt: skip


def tries(role: Role) -> dict[str, tuple[str, str, t.Any]]:
    """Ways to more: what they are, and how they are asked for."""
    return {
        "another proxy": ("PATCH", "/proxy", {"api_url": "http://127.0.0.1:1", "auth_token": "x"}),
        "another's token": ("POST", "/users/victim/tokens", {}),
        "another's tokens": ("GET", "/users/victim/tokens", None),
        "administrator": ("PATCH", f"/users/{role.name}", {"admin": True}),
        "another's login": ("PATCH", "/users/victim", {"auth_state": {"a": 1}}),
        "another's name": ("PATCH", "/users/victim", {"name": "somebody-else"}),
        "new administrator": ("POST", "/users", {"usernames": ["mole"], "admin": True}),
        "new user": ("POST", "/users/mole", {}),
        "group": (
            "POST",
            "/groups/admins/users",
            {"users": [role.name if role.name != "accounts" else "victim"]},
        ),
        "new group": ("POST", "/groups/more", {}),
        "share": (
            "POST",
            "/shares/victim/",
            {"user": role.name, "scopes": ["access:servers!server=victim/"]},
        ),
        "end": ("POST", "/shutdown", {"servers": True}),
        "state": ("GET", "/users/victim?include_stopped_servers=1", None),
    }


@pytest.mark.parametrize("role", ALL)
def test_no_role_leads_further(roles: dict[str, Role], role: str) -> None:
    """Before: a manager had the proxy's token sent to any address."""
    somebody = roles[role]
    for what, (method, path, body) in tries(somebody).items():
        if (role, what) in MEANT or (role == "user" and path.startswith("/users/victim")):
            continue
        answer = somebody.ask(method, path, body)
        if what == "state":
            assert answer.status in (200, 403, 404)
            model = json.loads(answer.text)
            assert "auth_state" not in model
            assert all(not server.get("state") for server in (model.get("servers") or {}).values())
        else:
            assert answer.status in (400, 403, 404), f"{role}: {what}: {answer.status} {answer.text}"
    assert not json.loads(roles["check"].ask("GET", "/users/mole").text).get("name")


@pytest.mark.parametrize("role", ["support", "manager"])
def test_what_a_person_has_for_others_is_nothing_far(roles: dict[str, Role], role: str) -> None:
    """Scopes as the hub has put them together, with all that is in them."""
    for_others = {scope for scope in roles[role].scopes() if f"user={roles[role].name}" not in scope}
    assert not {scope.partition("!")[0] for scope in for_others} & FAR


@pytest.mark.parametrize("role", ["support", "manager", "user"])
@pytest.mark.parametrize(
    "scope", ["admin:users", "access:servers", "proxy", "tokens!user=sue2", "admin:groups"]
)
def test_a_token_has_no_more_than_its_owner(roles: dict[str, Role], role: str, scope: str) -> None:
    somebody = roles[role]
    answer = somebody.ask("POST", f"/users/{somebody.name}/tokens", {"scopes": [scope]})
    assert answer.status in (400, 403), answer.text


def test_a_user_of_a_services_name_is_no_part_of_it(roles: dict[str, Role]) -> None:
    """The check plays one user, and can do nothing to others."""
    for method, path, body in (
        ("DELETE", "/users/victim", None),
        ("POST", "/users/victim/server", {}),
        ("DELETE", "/users/victim/server", None),
        ("PATCH", "/users/hub-check", {"name": "victim"}),
        ("PATCH", "/users/hub-check", {"admin": True}),
    ):
        assert roles["check"].ask(method, path, body).status in (400, 403, 404), path
