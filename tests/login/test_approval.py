# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Beside the provider's yes, an approval: given, ended, taken back, and while its source is away."""

from __future__ import annotations

import typing as t

import pytest
from accessibility import no_violations
from deployment import wait_until
from people import person_of
from playwright.sync_api import expect
from scenario import Scenario, in_lab, sign_in
from source import TOKEN, Source

from ansible_collections.galilean.hub.plugins.module_utils.shared.hub_api import HubApiError

RULES: dict[str, t.Any] = {
    "jupyterhub_allow_all": True,
    "jupyterhub_login_refresh": 5,
    "jupyterhub_approval_token": TOKEN,
    "jupyterhub_admin_users": ["olga"],
    "jupyterhub_groups": [{"name": "genomics", "memory_limit": "700M"}],
}


def refused(story: Scenario, name: str, reason: str, picture: str = "") -> None:
    with story.visit() as somebody:
        sign_in(somebody, name)
        expect(somebody.page.get_by_text(reason)).to_be_visible()
        no_violations(somebody.page)
        if picture:
            somebody.picture(picture)


def test_a_list_from_an_address(story: Scenario, source: Source) -> None:
    story.provider.know(olga={"name": "Olga", "email": "olga@example.org", "groups": []})
    # As a German spreadsheet saves it.
    rows = [
        "User;Expires;Groups",
        'ada;31.12.2099;"genomics;teaching"',
        "eve;31.1.2020;genomics",
        "fay;;",
        "gus;;",
        "",
    ]
    source.list = "\ufeff" + "\r\n".join(rows)
    approval = {"source": "url", "url": f"{source.url}/list", "interval": 5, "insecure": True}
    outcome = story.with_provider("approval-url", jupyterhub_approval=approval, **RULES).assert_done()
    assert "each of them only with a valid approval" in outcome.flat()
    assert TOKEN not in outcome.text
    person = person_of(story, "ada")
    person.stop()
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
    model = person.client.ask("GET", f"{story.site.url}/hub/api/users/ada").json()
    # Those of the provider and those of the approval.
    assert set(model["groups"]) >= {"genomics", "teaching"}
    assert story.inspect("ada")["HostConfig"]["Memory"] == 700 * 2**20


def test_an_approval_that_ended_is_told(story: Scenario) -> None:
    refused(story, "eve", "The approval of eve has ended (31 January 2020).", "approval-ended")


def test_somebody_who_was_never_approved(story: Scenario) -> None:
    refused(story, "ruth", "The account ruth is not on the list of approved users.")


def test_the_source_is_away(story: Scenario, source: Source) -> None:
    source.away = True
    wait_until(lambda: "was not renewed: " in story.log(), 60, "a look at the source")
    # What was read last goes on to count.
    assert "hours old" in story.log()
    assert "ada" in story.servers()
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
    # A page of a login in between, or an empty answer, is no list either.
    source.away, source.list = False, "<!doctype html><html>Log in</html>"
    wait_until(lambda: "the list is a page in HTML" in story.log(), 90, "a look at the page")
    # Nor a list that leaves out everybody at once.
    source.list = "ruth\ngus\n"
    wait_until(lambda: "from 2 of 3 users" in story.log(), 90, "a look at the list of others")
    assert "ada" in story.servers()
    # Administrators see it on the hub's pages, others do not, and operators see it at the end of a run.
    said = f"The list of approved users from {source.url}/list was not renewed: "
    (notice,) = person_of(story, "ada").client.notices()
    assert notice.startswith(said)
    assert notice.endswith(" hours old.")
    for name, seen in (("olga", 1), ("ada", 0)):
        with story.visit() as somebody:
            sign_in(somebody, name, "/hub/home")
            expect(somebody.page.get_by_text("My Server").first).to_be_visible()
            expect(somebody.page.get_by_text(said)).to_have_count(seen)
            somebody.picture(f"approval-notice-{name}")


def test_an_approval_that_is_taken_back_stops_the_server(story: Scenario, source: Source) -> None:
    source.list = "user\nruth\nfay\ngus\n"
    # The source is asked again, and the users are looked at, every five seconds.
    seconds = story.wait_for_end("ada", 90)
    print(f"\nthe server of a revoked user was stopped after {seconds:.0f} s")
    refused(story, "ada", "The account ada is not on the list of approved users.", "approval-revoked")
    # Nor does a token that was made before start it again.
    ada = person_of(story, "ada")
    with pytest.raises(HubApiError, match="not on the list of approved users"):
        ada.client.start_server("ada", {})


def test_an_endpoint_is_asked_at_login(story: Scenario, source: Source) -> None:
    source.approved = {"ada": {"groups": ["genomics"], "expires": "2099-01-01"}}
    approval = {"source": "endpoint", "url": f"{source.url}/ask", "cache": 2, "timeout": 3, "insecure": True}
    story.with_provider("approval-endpoint", jupyterhub_approval=approval, **RULES).assert_done()
    with story.visit() as ada:
        sign_in(ada, "ada")
        in_lab(ada)
    assert "ada" in source.asked
    refused(story, "eve", "The account eve is not on the list of approved users.")
    source.away = True
    try:
        # Closed on failure; and told otherwise than a refusal.
        refused(story, "ruth", "Whether you are approved cannot be found out at the moment.")
        # Who is in already stays in: after two looks, and what comes of them, the server still runs.
        wait_until(lambda: source.missed.count("ada") >= 3, 60, "the third look")
        assert "ada" in story.servers()
    finally:
        source.away = False
    # What comes next is the menu, and who has a server sees none.
    person_of(story, "ada").stop()


@pytest.mark.slow
def test_a_file_and_a_script(story: Scenario) -> None:
    folder = story.site.folder
    (folder / "approved.csv").write_text("eve\n", encoding="utf-8")
    approval: dict[str, t.Any] = {"source": "file", "file": str(folder / "approved.csv")}
    story.with_provider("approval-file", jupyterhub_approval=approval, **RULES).assert_done()
    with story.visit() as eve:
        sign_in(eve, "eve")
        in_lab(eve)
    # A table in another encoding changes nothing, and is told before anything is touched.
    (folder / "approved.csv").write_text("müller\n", encoding="cp1252")
    outcome = story.with_provider("approval-file", jupyterhub_approval=approval, **RULES)
    assert "signs in line 1 that are not UTF-8: save the table as 'CSV UTF-8'" in outcome.flat()
    assert outcome.code != 0
    # A changed list counts with the next run, and the hub goes on.
    before = story.started("hub")
    (folder / "approved.csv").write_text("ruth\n", encoding="utf-8")
    story.with_provider("approval-file", jupyterhub_approval=approval, **RULES).assert_done()
    assert story.started("hub") == before
    story.wait_for_end("eve", 60)
    (folder / "list.py").write_text(
        f'#!/usr/bin/env python3\nimport json\nassert input() == "{TOKEN}"\n'
        'print(json.dumps([{"user": "eve", "expires": None}]))\n',
        encoding="utf-8",
    )
    approval = {"source": "script", "script": str(folder / "list.py")}
    story.with_provider("approval-script", jupyterhub_approval=approval, **RULES).assert_done()
    with story.visit() as eve:
        sign_in(eve, "eve")
        in_lab(eve)
    refused(story, "ruth", "The account ruth is not on the list of approved users.")
