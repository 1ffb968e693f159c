# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""People log in with a real OpenID provider: in, refused, in other groups, with renewed tokens, and out."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t

from accessibility import no_violations
from deployment import as_root, wait_until
from people import person_of
from playwright.sync_api import expect
from scenario import Scenario, in_lab, sign_in

ASK = (
    "import json, os, urllib.request as r; "
    "q = r.Request(os.environ['JUPYTERHUB_API_URL'] + '/users/' + os.environ['JUPYTERHUB_USER']); "
    "q.add_header('Authorization', 'token ' + os.environ['JUPYTERHUB_API_TOKEN']); "
    "print(json.load(r.urlopen(q))['auth_state']['access_token'])"
)

NO_GROUPS = (
    "Your login does not tell which groups you are in, so this hub cannot know whether you may use it. "
    "Its administrators find the reason in the hub's log."
)
RECORDED = "the code that you run on this hub are recorded, and kept for 90 days."


def test_the_run_says_who_can_log_in(story: Scenario) -> None:
    outcome = story.with_provider(
        "login",
        jupyterhub_allowed_groups=["staff"],
        jupyterhub_admin_groups=["operators"],
        jupyterhub_login_refresh=10,
        jupyterhub_user_tokens=True,
        jupyterhub_audit_code=True,
    ).assert_done()
    assert (
        "Who can log in: members of the group staff; the administrators. "
        "Administrators: members of operators." in outcome.flat()
    )
    assert story.provider.client_secret not in outcome.text


def test_somebody_of_the_group_comes_in(story: Scenario) -> None:
    with story.visit() as ada:
        ada.go("/hub/login")
        expect(ada.page.get_by_text("Sign in with the institute")).to_be_visible()
        expect(ada.page.get_by_text(RECORDED)).to_be_visible()
        ada.picture("login-page")
        no_violations(ada.page, narrow=True)
        sign_in(ada, "ada")
        in_lab(ada)
        expect(ada.page.get_by_text(RECORDED)).to_be_visible()
        ada.picture("login-ada")
        # The provider's own pages ask for a font of the internet.
        assert [error for error in ada.errors if story.site.url in error] == []
    # What the provider told of her is git's.
    environment = story.inspect("ada")["Config"]["Env"]
    assert {"GIT_AUTHOR_NAME=Ada Lovelace", "GIT_COMMITTER_EMAIL=ada@example.org"} <= set(environment)


def test_somebody_else_is_told_why_not(story: Scenario) -> None:
    with story.visit() as eve:
        sign_in(eve, "eve")
        page = eve.page
        expect(
            page.get_by_text("You are logged in as eve, and this account may not use this hub.")
        ).to_be_visible()
        expect(page.get_by_text("Ask help@example.org.")).to_be_visible()
        eve.picture("login-refused")
        no_violations(eve.page, narrow=True)
    # A provider that forgets the claim keeps everybody out, so it is told.
    known = story.provider.people["eve"]
    story.provider.know(eve={key: value for key, value in known.items() if key != "groups"})
    with story.visit() as eve:
        sign_in(eve, "eve")
        expect(eve.page.get_by_text("does not tell which groups you are in")).to_be_visible()
        eve.picture("login-no-groups")
    assert "'groups' is not among what the provider tells" in story.log()
    story.provider.know(eve=known)
    assert "eve" not in story.servers()


def test_an_administrator_by_group(story: Scenario) -> None:
    with story.visit() as ruth:
        sign_in(ruth, "ruth")
        in_lab(ruth)
        ruth.go("/hub/admin")
        expect(ruth.page.get_by_text("ada", exact=True).first).to_be_visible()
        ruth.picture("login-admin")


def test_a_token_is_renewed_in_a_running_notebook(story: Scenario) -> None:
    ada = person_of(story, "ada")
    ada.start()
    ada.open_kernel("python3")
    first = ada.run(ASK)
    assert story.provider.accepts(first)
    # Its 25 seconds pass; the server goes on, and asks again.
    wait_until(lambda: not story.provider.accepts(first), 90, "the end of the token")
    # The hub asks the provider every 10 seconds (jupyterhub_login_refresh), not at each request.
    wait_until(lambda: ada.run(ASK) != first, 30, "a new token")
    second = ada.run(ASK)
    assert story.provider.accepts(second)
    # Neither of them is in the container's settings, nor in the hub's log.
    seen = json.dumps(story.inspect("ada")) + story.log()
    assert first not in seen
    assert second not in seen


def test_groups_change_at_the_next_refresh(story: Scenario) -> None:
    ada = person_of(story, "ada")
    story.provider.know(ada={**story.provider.people["ada"], "groups": ["staff", "genomics"]})
    with story.visit() as somebody:
        sign_in(somebody, "ada")
        in_lab(somebody)
        # As text, and with paths, as some providers tell them.
        story.provider.know(ada={**story.provider.people["ada"], "groups": "/staff, /teaching"})

        def groups() -> list[str]:
            somebody.go("/hub/home")
            model = ada.client.ask("GET", f"{story.site.url}/hub/api/users/ada").json()
            return sorted(model["groups"])

        wait_until(lambda: groups() == ["staff", "teaching"], 60, "the new groups")


def test_who_leaves_the_group_is_stopped_and_told(story: Scenario) -> None:
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
        story.provider.know(ada={**story.provider.people["ada"], "groups": []})

        def refused() -> bool:
            ada.go("/hub/home")
            return "/hub/login" in ada.page.url or "oauth" in ada.page.url

        wait_until(refused, 60, "the login page")
        ada.page.get_by_text("Sign in with the institute").first.click()
        ada.page.get_by_role("button", name="Continue").click()
        expect(ada.page.get_by_text("this account may not use this hub").first).to_be_visible()
    # The server goes with the next look at those that run.
    story.wait_for_end("ada", 60)
    story.provider.know(ada={**story.provider.people["ada"], "groups": ["staff"]})


def test_out(story: Scenario) -> None:
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
        ada.go("/hub/home")
        ada.page.get_by_role("link", name=re.compile("Log ?out", re.IGNORECASE)).or_(
            ada.page.get_by_role("button", name=re.compile("Log ?out", re.IGNORECASE))
        ).first.click()
        ada.page.wait_for_url(re.compile(re.escape(story.provider.issuer)))
        ada.picture("login-out")
        ada.go("/hub/home")
        expect(ada.page.get_by_text("Sign in with the institute").first).to_be_visible()


def test_no_code_of_a_login_is_in_the_log(story: Scenario) -> None:
    lines = [line for line in story.log().splitlines() if "code=" in line]
    assert lines
    assert not [line for line in lines if not re.search(r"code=\[secret\]", line)]


def test_the_audit_log_has_all_of_it(story: Scenario) -> None:
    """What the people above have done, in a browser and in a kernel."""

    def who(*options: str) -> list[dict[str, t.Any]]:
        program = f"/srv/{story.site.instance}/bin/hubctl"
        done = subprocess.run(as_root([program, "who", "--json", *options]), capture_output=True, check=True)
        return json.loads(done.stdout)["events"]

    wait_until(lambda: bool(who("ada", "--action", "logout")), 10, "the last event")
    logins = {
        (one.get("user"), one["via"], one["outcome"], one.get("detail")) for one in who("--action", "login")
    }
    assert logins == {
        ("ada", "provider", "ok", None),
        ("ruth", "provider", "ok", None),
        ("eve", "provider", "refused", "not among the allowed users"),
        ("eve", "provider", "refused", NO_GROUPS),
        ("ada", "provider", "refused", "not among the allowed users"),
    }
    assert all(one["address"] == one["edge"]["address"] for one in who("--action", "login"))
    rights = [
        one for one in who("ruth", "--action", "account") if "admin" in f"{one.get('detail')} {one['action']}"
    ]
    assert rights[0]["outcome"] == "ok"
    # Whoever leaves the group loses the server, and that is the hub's doing.
    stopped = [one for one in who("ada", "--action", "server.stop") if one["via"] == "hub"]
    assert "this account may not use this hub" in stopped[0]["detail"]
    assert {one["user"] for one in who("--action", "access.withdraw")} == {"ada"}
    # The kernel's cells, told by the server: of ada, whoever says so.
    cells = who("ada", "--action", "code")
    assert {(one["actor"], one["user"], one["via"]) for one in cells} == {("ada", "ada", "server")}
    assert ASK in {one["detail"] for one in cells}
