# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How users log in: what is refused, what the hub is told, and who that is in words."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.authorization import login

ENDPOINTS = {
    "authorize_url": "https://login.example.org/auth",
    "token_url": "https://login.example.org/token",
    "userdata_url": "https://login.example.org/userinfo",
}


def settings(kind: str, **changes: t.Any) -> dict[str, t.Any]:
    given: dict[str, t.Any] = {
        "kind": kind, "client_id": "hub", "client_secret": "s3cret", "public_url": "https://hub.example.org/",
        "allow_all": False, "allowed_users": [], "admin_users": [], "allowed_groups": [], "admin_groups": [],
        "blocked_users": [], "oidc": ENDPOINTS if kind == "oidc" else {},
    }  # fmt: skip
    return {**given, **changes}


@pytest.mark.parametrize(
    ("given", "sentences"),
    [
        (settings("github", allowed_users=["ada"]), []),
        (settings("google", google={"domains": ["example.org"]}), []),
        (settings("oidc", allow_all=True), []),
        (settings("dummy", client_id="", client_secret=""), []),
        (settings("github"), ["list people in jupyterhub_users or jupyterhub_allowed_users, or groups"]),
        # Whom a list names that cannot be read, nobody knows.
        (settings("native", list_unread=True), []),
        (
            settings("native", allowed_users=["max muster", "ada"], admin_users=["muster, max"]),
            [
                "'max muster' may log in by the settings while jupyterhub_authenticator is 'native': nobody "
                "can sign up with a name that has a space or a comma, so give one such as 'max.muster'",
                "'muster, max' may log in by the settings while jupyterhub_authenticator is 'native': nobody "
                "can sign up with a name that has a space or a comma, so give one such as 'muster.max'",
            ],
        ),
        (
            settings("shared_password"),
            ["set jupyterhub_allow_all to true, which is everybody who has the password"],
        ),
        (
            settings("google", allow_all=True, client_id="", client_secret=""),
            [
                "jupyterhub_login_client_id is empty while jupyterhub_authenticator is 'google': register "
                "the hub with the provider (https://hub.example.org/hub/oauth_callback is its callback "
                "address)",
                "jupyterhub_login_client_secret is empty",
            ],
        ),
        (
            settings("github", allow_all=True, google={"domains": ["example.org"]}),
            ["jupyterhub_login_google is set while jupyterhub_authenticator is 'github'"],
        ),
        (
            settings("oidc", allow_all=True, oidc={**ENDPOINTS, "token_url": ""}),
            ["jupyterhub_login_oidc lacks token_url"],
        ),
        (
            settings(
                "oidc", allow_all=True, oidc={**ENDPOINTS, "token_url": "http://login.example.org/token"}
            ),
            ["has token_url 'http://login.example.org/token': secrets cross the network there, so use https"],
        ),
        (
            settings("oidc", allow_all=True, oidc={**ENDPOINTS, "token_url": "login.example.org"}),
            ["has token_url 'login.example.org': give a full address"],
        ),
        (
            settings(
                "ldap",
                allow_all=True,
                ldap={"server": "ldap.example.org", "bind_dn": ["uid={username}"], "search_filter": "(a=b)"},
            ),
            ["jupyterhub_login_ldap has search_filter and lacks user_search_base"],
        ),
        (
            settings("native", allow_all=True, native={"minimum_password_length": 80, "sign_ups": 0}),
            ["minimum_password_length 80: give a number from 1 to 72, which is the longest that can be kept"],
        ),
        (
            settings("native", allow_all=True, native={"sign_ups": -1, "waiting": -2}),
            ["sign_ups -1: give 0 for no limit, or more", "waiting -2: give 0 for no limit, or more"],
        ),
        (
            settings("github", allowed_users=["ada", "eve"], blocked_users=["eve"]),
            ["eve is in jupyterhub_blocked_users and in"],
        ),
    ],
)
def test_what_is_refused(given: dict[str, t.Any], sentences: list[str]) -> None:
    found = login.login_problems(given)
    assert len(found) == len(sentences), found
    for sentence, part in zip(found, sentences, strict=True):
        assert part in sentence
    assert "s3cret" not in " ".join(found)


@pytest.mark.parametrize(
    ("given", "name", "traits"),
    [
        (
            settings("google", google={"domains": ["example.org"]}),
            "GoogleOAuthenticator",
            {"hosted_domain": ["example.org"], "strip_domain": False},
        ),
        (
            settings("github", github={"organizations": ["org:team"], "url": "https://git.example.org/"}),
            "GitHubOAuthenticator",
            {
                "allowed_organizations": ["org:team"],
                "scope": ["read:org"],
                "github_url": "https://git.example.org",
            },
        ),
        (
            settings("gitlab", gitlab={"projects": [7]}),
            "GitLabOAuthenticator",
            {"allowed_project_ids": ["7"], "allowed_gitlab_groups": [], "scope": ["read_user", "read_api"]},
        ),
        (
            settings("ldap", allow_all=True, ldap={"server": "ldap.example.org", "user_search_base": "dc=a"}),
            "LDAPAuthenticator",
            {
                "server_port": 389,
                "lookup_dn": True,
                "user_attribute": "uid",
                "lookup_dn_user_dn_attribute": "uid",
            },
        ),
        (
            settings("native", allow_all=True, native={"sign_ups": 0}),
            "NativeAuthenticator",
            {
                "open_signup": False,
                "minimum_password_length": 12,
                "check_common_password": True,
                "ask_email_on_signup": True,
                "sign_ups": 0,
            },
        ),
        (
            settings("oidc", oidc={**ENDPOINTS, "groups_claim": "realm.groups"}, allowed_groups=["b", "a"]),
            "GenericOAuthenticator",
            {
                **ENDPOINTS,
                "username_claim": "preferred_username",
                "auth_state_groups_key": "oauth_user.realm.groups",
                "oauth_callback_url": "https://hub.example.org/hub/oauth_callback",
                "enable_auth_state": True,
            },
        ),
    ],
)
def test_what_the_hub_is_told(given: dict[str, t.Any], name: str, traits: dict[str, t.Any]) -> None:
    told = login.login_traits(given)
    assert told[name].items() >= traits.items()
    assert "s3cret" not in str(told)


@pytest.mark.parametrize(
    ("given", "everybody"),
    [
        (settings("dummy"), True),
        (settings("dummy", allowed_users=["ada"]), False),
        (settings("github", admin_users=["ada"]), False),
        (settings("github", allow_all=True), True),
        # A domain lets its people in, unless some of them are listed.
        (settings("google", google={"domains": ["example.org"]}), True),
        (settings("google", google={"domains": ["example.org"]}, allowed_users=["ada@example.org"]), False),
    ],
)
def test_whether_all_may_come(given: dict[str, t.Any], everybody: bool) -> None:
    assert login.login_traits(given)["Authenticator"]["allow_all"] is everybody


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            settings("google", google={"domains": ["example.org"]}, admin_users=["ada@example.org"]),
            "Who can log in: everybody of example.org. Administrators: ada@example.org.",
        ),
        (
            settings(
                "github",
                github={"organizations": ["org"]},
                # Lists that were put together have no order.
                allowed_users=["bob", "ada"],
                blocked_users=["mallory", "eve"],
            ),
            "Who can log in: the users ada, bob; members of org at GitHub; never eve, mallory. "
            "Administrators: none.",
        ),
        (
            settings("oidc", allowed_groups=["staff"], admin_groups=["ops"]),
            "Who can log in: members of the group staff; the administrators. Administrators: members of ops.",
        ),
        (
            settings("shared_password", allow_all=True),
            "Who can log in: everybody who has the password. Administrators: none.",
        ),
    ],
)
def test_who_that_is(given: dict[str, t.Any], text: str) -> None:
    assert login.in_words(given) == text
