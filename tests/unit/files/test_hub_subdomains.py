# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Host names of users' servers: good ones, and never two users with the same."""

from __future__ import annotations

import re
import sys
import types

import pytest
from galilean_hub.http.subdomains import RESERVED, guard_logins, hook, label, moved
from galilean_hub.loader import SECRETS, configure
from traitlets.config import Config

DIGESTED = re.compile(r"u-[a-z0-9]{1,16}--[0-9a-f]{32}")


@pytest.mark.parametrize("name", ["anna", "anna2", "4anna", "a", "a-b-c", "u-anna", "x" * 63])
def test_a_name_that_is_a_label_stays(name: str) -> None:
    assert label(name) == name


# A name, and what begins its label.
STUBS = {
    "anna@example.org": "annaexampleorg", "an.na": "anna", "an_na": "anna", "Anna": "anna", "zoë": "zo",
    "\u0430\u043d\u043d\u0430": "x", "": "x", "-anna": "anna", "anna-": "anna", "anna\n": "anna",
    "an--na": "anna", "xn--zo-jka": "xnzojka", "XN--ZO-JKA": "xnzojka", "127": "127", "x" * 64: "x" * 16,
    "www": "www", "services": "services", "evil.hub": "evilhub", "a/../b": "ab",
    label("anna@example.org"): "uannaexampleorg2", "grafana--service": "grafanaservice",
}  # fmt: skip


@pytest.mark.parametrize(("name", "stub"), STUBS.items())
def test_any_other_has_a_digest(name: str, stub: str) -> None:
    found = label(name)
    assert DIGESTED.fullmatch(found)
    assert found.startswith(f"u-{stub[:15]}")
    assert len(found) <= 63
    # Not a label that means something else (RFC 5891).
    assert found[2:4] != "--"


def test_no_two_names_have_the_same_label() -> None:
    names = [
        "anna", "Anna", "ANNA", "an.na", "an_na", "an-na", "an--na", "a.nna", "anna.", ".anna", "anna ",
        # One text, composed and not; letters that become others in capitals, or in a host name.
        "zo\u00eb", "zoe\u0308", "stra\u00dfe", "strasse", "\uff41nna", "\u212aarl", "karl", "xn--strae-oqa",
        "\u0430nna", "ann%61", "x" * 63, "x" * 64, "x" * 65, "7", "07", "\u0667", *RESERVED,
        *(name.upper() for name in RESERVED), *map(label, RESERVED), *map(label, map(label, RESERVED)),
    ]  # fmt: skip
    labels = [label(name) for name in dict.fromkeys(names)]
    assert len(set(labels)) == len(labels)
    # Host names are the same in capital letters.
    assert len({one.lower() for one in labels}) == len(labels)


def test_services_have_names_that_no_user_has() -> None:
    assert hook("anna", "hub.example.org", "user") == "anna.hub.example.org"
    assert hook("grafana", "hub.example.org", "service") == "grafana--service.hub.example.org"
    # xn-- would begin something else; the others are no labels.
    for name in ("xn", "my_service", "a--b", "x" * 60):
        found = hook(name, "hub.example.org", "service")
        assert re.fullmatch(r"s-[a-z0-9]{1,16}--[0-9a-f]{32}[.]hub[.]example[.]org", found)
        for user in (name, f"{name}--service", found.split(".")[0]):
            assert hook(user, "hub.example.org", "user") != found


def test_the_hub_uses_them_where_servers_have_names_of_their_own() -> None:
    given = dict.fromkeys(SECRETS, "00" * 32)
    config = Config()
    configure(config, {"traits": {"JupyterHub": {}}, "culler": None}, given)
    assert "subdomain_hook" not in config.JupyterHub
    configure(
        config,
        {"traits": {"JupyterHub": {"subdomain_host": "https://hub.example.org"}}, "culler": None},
        given,
    )
    assert config.JupyterHub.subdomain_hook is hook


def test_a_login_at_a_provider_is_kept_from_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "oauthenticator.oauth2", raising=False)
    guard_logins()
    module = types.ModuleType("oauthenticator.oauth2")
    module.__dict__["STATE_COOKIE_NAME"] = "oauthenticator-state"
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for _once in range(2):
        guard_logins()
        assert module.__dict__["STATE_COOKIE_NAME"] == "__Host-oauthenticator-state"


@pytest.mark.parametrize(
    ("callback", "hub", "told"),
    [
        ("/user/anna/oauth_callback", "", False),
        ("/user/anna/oauth_callback", "https://hub.example.org", False),
        ("https://anna.hub.example.org/user/anna/oauth_callback", "https://hub.example.org", False),
        ("https://anna.hub.example.org/user/anna/oauth_callback", "", True),
        ("https://anna.hub.example.org/user/anna/oauth_callback", "https://lab.example.org", True),
        ("https://anna.hub.example.org/user/anna/oauth_callback", "https://hub.example.org:8443", True),
        ("http://anna.hub.localhost:80/user/anna/oauth_callback", "https://hub.localhost:80", True),
    ],
)
def test_a_server_with_an_address_of_before(callback: str, hub: str, told: bool) -> None:
    assert moved(callback, hub) is told
