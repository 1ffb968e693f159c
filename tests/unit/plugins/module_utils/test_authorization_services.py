# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.authorization import services

TOKEN, OTHER = "1" * 32, "2" * 32
CALLBACK = "https://galaxy.example.org/oauth_callback"


def settings(**changes: t.Any) -> dict[str, t.Any]:
    given = {"services": [{"name": "galaxy", "redirect_url": CALLBACK}], "service_tokens": {"galaxy": TOKEN}}
    return {**given, **changes}


def service(**changes: t.Any) -> dict[str, t.Any]:
    return settings(services=[{"name": "galaxy", "redirect_url": CALLBACK, **changes}])


NAMED = settings(
    services=[
        {"name": name, "redirect_url": CALLBACK} for name in ("a b", "check", "mine", "twice", "twice")
    ],
    service_tokens={name: f"{number}" * 32 for number, name in enumerate(("a b", "check", "mine", "twice"))},
    config_extra={"JupyterHub": {"services": [{"name": "mine"}]}},
)
REFUSED_URLS = (
    "http://galaxy.example.org/callback", "galaxy.example.org", "https://a:b@galaxy.example.org/", "ftp://x/y",
    "https://galaxy.example.org/#x", "", "https://galaxy.example.org:99999/", "javascript:alert(1)",
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        (settings(), []),
        (settings(services=[], service_tokens={}), []),
        (service(redirect_url="http://127.0.0.1:9000/callback", scopes=["access:servers"]), []),
        (
            NAMED,
            [
                "jupyterhub_services has 'a b': give a name of 2 to 32 lower-case letters",
                "jupyterhub_services has 'check', a name that another service has",
                "jupyterhub_services has 'mine', a name that another service has",
                "jupyterhub_services has 'twice', a name that another service has",
            ],
        ),
        *((service(redirect_url=url), [f"with the redirect_url {url!r}: give"]) for url in REFUSED_URLS),
        # Whatever reaches others is none of those, nor what leads to more scopes.
        *(
            (service(scopes=[scope]), [f"with the scope '{scope}': did you mean "])
            for scope in ("admin:users", "servers!user=ada", "tokens", "inherit", "all", "server")
        ),
        (settings(service_tokens={}), ["for which jupyterhub_service_tokens has no token of at least 32"]),
        (settings(service_tokens={"galaxy": "short"}), ["has no token of at least 32"]),
        (
            settings(service_tokens={"galaxy": TOKEN, "galaxi": OTHER}),
            ["jupyterhub_service_tokens has 'galaxi', which jupyterhub_services does not have"],
        ),
        (
            {
                "services": [{"name": name, "redirect_url": CALLBACK} for name in ("one", "two")],
                "service_tokens": {"one": TOKEN, "two": TOKEN},
            },
            ["jupyterhub_service_tokens has the same token twice"],
        ),
    ],
)
def test_services(given: dict[str, t.Any], sentences: list[str]) -> None:
    found = services.services_problems(given)
    found += services.token_problems(given["services"], given["service_tokens"])
    assert len(found) == len(sentences), found
    for said, expected in zip(found, sentences, strict=True):
        assert expected in said
        assert TOKEN not in said


def test_scopes_are_for_the_user_who_has_logged_in() -> None:
    (made,) = services.hub_services(settings())
    assert made == {
        "name": "galaxy",
        "oauth_redirect_uri": CALLBACK,
        "oauth_client_allowed_scopes": ["read:servers!user", "read:users:name!user", "servers!user"],
    }
    (made,) = services.hub_services(service(scopes=["access:servers"]))
    assert made["oauth_client_allowed_scopes"] == ["access:servers!user"]
