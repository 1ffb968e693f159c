# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The other kinds of login: providers against a local server that speaks their addresses, accounts of the
hub's own, a file of passwords, and a real directory.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import typing as t
import urllib.error
import urllib.parse
import urllib.request

import pytest
from accessibility import no_violations
from browser import Visit
from deployment import as_root, docker, wait_until
from directory import PASSWORD, READER, Directory
from forge import CLIENT, SECRET, TENANT, Forge
from homes import keep_names
from people import person_of
from playwright.sync_api import expect
from scenario import Scenario

from ansible_collections.galilean.hub.plugins.module_utils.authorization.login import (
    authorized_locally,
    login_problems,
    login_traits,
)
from ansible_collections.galilean.hub.plugins.module_utils.hub.config_data import merge

REFUSED = "and this account may not use this hub"
# Settings of a login of which a test says nothing.
NOTHING: dict[str, t.Any] = {
    **{
        name: []
        for name in ("admin_users", "allowed_users", "allowed_groups", "admin_groups", "blocked_users")
    },
    "allow_all": False,
    "client_id": CLIENT,
    "client_secret": SECRET,
    "pam_passwords": True,
}
OWN = "correct horse battery"
GROUP = "f5f25af4-0000-4000-8000-000000000001"


# What a page that does not know the hub's secret can send all the same.
FORM = """path => { const form = document.createElement("form");
    Object.assign(form, {method: "post", action: path});
    document.body.append(form);
    form.submit(); }"""


def hashed(password: str) -> str:
    argv = ["openssl", "passwd", "-6", "-stdin"]
    return subprocess.run(argv, input=password, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture(scope="module")
def forge(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Forge]:
    forge = Forge(tmp_path_factory.mktemp("forge"))
    yield forge
    forge.stop()


@pytest.fixture(scope="module")
def directory(story: Scenario, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Directory]:
    directory = Directory(tmp_path_factory.mktemp("directory"), story.base_image())
    yield directory
    directory.stop()


@pytest.fixture(scope="module", autouse=True)
def hub(story: Scenario, forge: Forge, directory: Directory) -> str:
    """One run, with the first of the kinds and everything of the others that is no trait: what it says."""
    story.trust(forge.certificate)
    story.trust(directory.certificate)
    settings: dict[str, t.Any] = {
        "jupyterhub_authenticator": "google",
        "jupyterhub_login_client_id": CLIENT,
        "jupyterhub_login_client_secret": SECRET,
        "jupyterhub_login_google": {"domains": ["institute.example.org"]},
        "jupyterhub_login_ldap_password": PASSWORD,
        "jupyterhub_login_pam_passwords": f"pia:{hashed('of pia')}\npaul:{hashed('of paul')}\n",
        "jupyterhub_user_tokens": True,
        # Whoever has a home keeps the name.
        "jupyterhub_rename_map": keep_names(story),
        # Addresses that are no settings: these providers are only where they are.
        "jupyterhub_config_extra": {
            "GoogleOAuthenticator": {
                "authorize_url": f"{forge.url}/o/oauth2/v2/auth",
                "google_api_url": forge.url,
            },
            "CILogonOAuthenticator": {"cilogon_host": forge.place},
            "GlobusOAuthenticator": {
                "authorize_url": f"{forge.url}/v2/oauth2/authorize",
                "token_url": f"{forge.url}/v2/oauth2/token",
                "userdata_url": f"{forge.url}/v2/oauth2/userinfo",
                "globus_groups_url": f"{forge.url}/v2/groups/my_groups",
            },
        },
    }
    outcome = story.deploy("kinds", **settings).assert_done()
    story.wait_for_hub()
    return outcome.flat()


def switch(
    story: Scenario,
    kind: str,
    own: dict[str, t.Any] | None = None,
    refresh: int = 300,
    renamed: dict[str, str] | None = None,
    **who: t.Any,
) -> None:
    """Another kind of login: the hub's data as the role makes it of such settings, and the hub once more.

    That takes two seconds where a run of the playbook takes fifteen, and the rest of the run is the same for
    all kinds. refresh: seconds until the hub looks at somebody again; renamed: new names by the old ones.
    """
    login = {**NOTHING, "kind": kind, kind: own or {}, "public_url": story.site.url, **who}
    assert login_problems(login) == []
    path = f"/srv/{story.site.instance}/config/config.json"
    data = json.loads(subprocess.run(as_root(["cat", path]), capture_output=True, check=True).stdout)
    for part in (
        login_traits(login),
        {"GalileanAccess": {"authorized_locally": authorized_locally(kind, login)}},
    ):
        data["traits"] = merge(data["traits"], part)
    data["traits"]["Authenticator"]["auth_refresh_age"] = refresh
    data["renamed_users"] = renamed or {}
    subprocess.run(as_root(["tee", path]), input=json.dumps(data), text=True, capture_output=True, check=True)
    docker("restart", story.site.container("hub"))
    story.wait_for_hub()


def arrive(somebody: Visit, name: str) -> None:
    """Whoever has logged in sees the hub's page, with their name."""
    somebody.page.wait_for_url(re.compile("/hub/home$"))
    expect(somebody.page.get_by_text(name, exact=True).first).to_be_visible()


def refused(somebody: Visit, text: str = REFUSED) -> None:
    expect(somebody.page.get_by_text(text).first).to_be_visible()
    no_violations(somebody.page)


def come(somebody: Visit, service: str) -> None:
    """By the button on the login page, as somebody of whom nothing is known here."""
    somebody.page.context.clear_cookies()
    somebody.go("/hub/login?next=%2Fhub%2Fhome")
    somebody.page.get_by_text(f"Sign in with {service}").first.click()


def type_in(somebody: Visit, name: str, password: str, wait: bool = True) -> None:
    """By name and password."""
    somebody.page.context.clear_cookies()
    somebody.go("/hub/login?next=%2Fhub%2Fhome")
    somebody.page.fill("#username_input", name)
    somebody.page.fill("#password_input", password)
    somebody.page.locator("#login_submit, input[type=submit]").first.click(no_wait_after=not wait)


def server(story: Scenario, name: str) -> dict[str, t.Any]:
    """Start the server of somebody who has logged in; what Docker tells of it."""
    person = person_of(story, name)
    person.start()
    return story.inspect(name)


def google(name: str, domain: str, **more: t.Any) -> dict[str, t.Any]:
    return {"email": f"{name}@{domain}", "verified_email": True, "hd": domain, **more}


@pytest.mark.slow
def test_google(story: Scenario, forge: Forge, hub: str) -> None:
    assert "Who can log in: everybody of institute.example.org." in hub
    with story.visit() as somebody:
        forge.person = google("g", "institute.example.org")
        come(somebody, "Google")
        arrive(somebody, "g@institute.example.org")
        # Of another domain, of none that Google knows of, and with an address that may be another's.
        for person in (
            google("h", "other.example.org"),
            google("g", "institute.example.org", hd=""),
            google("g", "institute.example.org", verified_email=False),
        ):
            forge.person = person
            come(somebody, "Google")
            refused(somebody, f"You are logged in as {person['email']}, {REFUSED}. Ask help@example.org.")
        somebody.picture("kinds-google")
        # Who says no at the provider, or begins in one window and ends in another.
        for query, said in (
            (
                "error=access_denied&error_description=No+%3Cconsent%3E",
                "Google says: No <consent>. Log in again.",
            ),
            ("code=x&state=x", "The login took too long, or was begun in another window or browser."),
        ):
            somebody.go(f"/hub/oauth_callback?{query}")
            refused(somebody, f"{said.removesuffix(' Log in again.')} Log in again. Ask help@example.org.")
            refused(somebody, "You are not logged in")
        # The provider does not know what to say.
        forge.person = google("g", "institute.example.org", email=None)
        come(somebody, "Google")
        refused(somebody, "does not answer as it should. Try again in some minutes. Ask help@example.org.")
        somebody.picture("kinds-google-away")
    log = story.log()
    assert "A login could not be checked: " in log
    assert "Traceback" not in log
    assert "Blocked h@other.example.org with 'hd=other.example.org' not in hosted_domain" in log


@pytest.mark.slow
def test_who_is_no_longer_listed_is_stopped(story: Scenario) -> None:
    """The hub looks by itself, also where others run who came by another kind of login."""
    server(story, "g@institute.example.org")
    switch(story, "google", allowed_users=["somebody@else.example.org"])
    story.wait_for_end("g@institute.example.org", 60)


@pytest.mark.slow
def test_github(story: Scenario, forge: Forge) -> None:
    switch(story, "github", {"organizations": ["institute"], "url": forge.url})
    forge.members = {"institute": ["gina"]}
    with story.visit() as somebody:
        forge.person = {"login": "gina", "id": 7, "name": "Gina", "email": "gina@example.org"}
        come(somebody, "GitHub")
        arrive(somebody, "gina")
        forge.person = {"login": "greta", "id": 8, "name": None, "email": None}
        come(somebody, "GitHub")
        refused(somebody)
    assert "GIT_AUTHOR_NAME=Gina" in server(story, "gina")["Config"]["Env"]


@pytest.mark.slow
def test_gitlab(story: Scenario, forge: Forge) -> None:
    """A group in a group."""
    switch(story, "gitlab", {"groups": ["institute/lab"], "url": forge.url})
    forge.members = {"institute/lab": [9], "institute": [9, 10]}
    with story.visit() as somebody:
        forge.person = {"username": "lena", "id": 9, "name": "Lena", "email": "lena@example.org"}
        come(somebody, "GitLab")
        arrive(somebody, "lena")
        forge.person = {"username": "lou", "id": 10, "name": "Lou", "email": "lou@example.org"}
        come(somebody, "GitLab")
        refused(somebody)


@pytest.mark.slow
def test_cilogon(story: Scenario, forge: Forge) -> None:
    entity, domain = "https://login.institute.example.org/idp/shibboleth", "institute.example.org"
    provider = {"entity": entity, "strip_domain": domain, "domains": [domain]}
    switch(story, "cilogon", {"providers": [provider]})
    with story.visit() as somebody:
        forge.person = {"sub": "1", "idp": entity, "eppn": f"carl@{domain}"}
        come(somebody, "CILogon")
        arrive(somebody, "carl")
        forge.person = {"sub": "2", "idp": entity, "eppn": "cleo@other.example.org"}
        come(somebody, "CILogon")
        refused(somebody)
        # An institution that is not listed.
        forge.person = {"sub": "3", "idp": "https://other.example.org/idp", "eppn": f"carl@{domain}"}
        come(somebody, "CILogon")
        refused(somebody, "403")


@pytest.mark.slow
def test_globus(story: Scenario, forge: Forge) -> None:
    switch(story, "globus", {"identity_provider": "institute.example.org", "groups": [GROUP]})
    forge.members = {GROUP: ["1", "3"]}
    with story.visit() as somebody:
        forge.person = {"sub": "1", "preferred_username": "gil@institute.example.org"}
        come(somebody, "Globus")
        arrive(somebody, "gil")
        # Not of the group, and of another institution.
        forge.person = {"sub": "2", "preferred_username": "gus@institute.example.org"}
        come(somebody, "Globus")
        refused(somebody)
        forge.person = {"sub": "3", "preferred_username": "gil@other.example.org"}
        come(somebody, "Globus")
        refused(somebody, "restricted to institute.example.org")
    # Programs of the user get the token when they ask for it, and it is nowhere else.
    shown = json.dumps(server(story, "gil"))
    assert "GLOBUS_DATA" not in shown
    assert not [token for token in forge.tokens if token in shown]
    assert forge.tokens[story.inside("gil", "galilean-token")].person["sub"] == "1"


@pytest.mark.slow
def test_azuread(story: Scenario, forge: Forge) -> None:
    own = {"tenant": TENANT, "username_claim": "upn", "url": forge.url}
    switch(story, "azuread", own, allowed_users=["axel@institute.example.org"])
    with story.visit() as somebody:
        forge.person = {"upn": "axel@institute.example.org", "name": "Axel"}
        come(somebody, "Azure AD")
        arrive(somebody, "axel@institute.example.org")
        forge.person = {"upn": "anna@institute.example.org", "name": "Anna"}
        come(somebody, "Azure AD")
        refused(somebody)


@pytest.fixture(scope="module")
def members() -> tuple[str, str]:
    """Names of somebody who administrates the hub, and of somebody else."""
    # An instance that is kept knows those of the last time.
    nora, nils = (f"{name}{secrets.token_hex(3)}" for name in ("nora", "nils"))
    return nora, nils


def sign_up(somebody: Visit, name: str, password: str) -> None:
    page = somebody.page
    somebody.go("/hub/signup")
    page.fill("#username_input", name)
    page.fill("#password_input", password)
    page.fill("#password_confirmation_input", password)
    # Browsers take no address with all the signs that a name may have.
    page.fill("input[name=email]", f"{re.sub('[^a-z0-9]', '', name)}@example.org")
    somebody.picture("kinds-native-signup")
    no_violations(page, narrow=True)
    page.click("#signup_submit")
    page.locator(".alert").first.wait_for()


def press(somebody: Visit, name: str, button: str, then: str) -> None:
    """A button in the line of that account, where there is another one afterwards."""
    somebody.go("/hub/authorize")
    row = somebody.page.locator("tr", has_text=name)
    row.get_by_role("button", name=button, exact=True).click()
    row.get_by_role("button", name=then, exact=True).wait_for()
    no_violations(somebody.page, narrow=True)


def test_accounts_of_the_hubs_own(story: Scenario, members: tuple[str, str]) -> None:
    """Signing up is for everybody; somebody who administrates the hub lets in."""
    nora, nils = members
    switch(story, "native", allow_all=True, admin_users=[nora], blocked_users=["mallory"])
    with story.visit() as somebody:
        sign_up(somebody, nora, OWN)
        refused(somebody, f"You have signed up as {nora}, and may log in now.")
        sign_up(somebody, nils, OWN)
        refused(
            somebody, f"You have signed up as {nils}. This account waits for an administrator to approve it"
        )
        sign_up(somebody, "mallory", OWN)
        refused(somebody, "The account mallory is blocked. Ask help@example.org.")
        type_in(somebody, nils, "of somebody else")
        refused(somebody, "Invalid username or password")
        type_in(somebody, nils, OWN)
        refused(
            somebody, f"The account {nils} waits for an administrator to approve it. Ask help@example.org."
        )
        somebody.picture("kinds-native-pending")
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        somebody.page.get_by_role("link", name="Accounts").click()
        somebody.page.get_by_role("heading", name="Accounts").wait_for()
        press(somebody, nils, "Authorize", "Unauthorize")
        somebody.picture("kinds-native-authorize")
        for path in ("change-password", f"change-password/{nils}"):
            somebody.go(f"/hub/{path}")
            no_violations(somebody.page, narrow=True)
        somebody.picture("kinds-native-password")
        type_in(somebody, nils, OWN)
        arrive(somebody, nils)


def expire(somebody: Visit, button: str) -> None:
    """Send a form, for which the browser has nothing to show any more."""
    somebody.page.wait_for_timeout(1100)
    somebody.page.context.clear_cookies()
    somebody.page.click(button)


def test_what_is_refused_is_a_page(story: Scenario, members: tuple[str, str]) -> None:
    """Before, an empty answer, and an error in the hub's log. Only whom the settings list comes in here."""
    nora, nils = members
    switch(story, "native", admin_users=[nora], allowed_users=["lise"], blocked_users=[nils])
    with story.visit() as somebody:
        page = somebody.page
        name = f"late-{secrets.token_hex(3)}"
        sign_up(somebody, name, OWN)
        refused(somebody, "who have to list it in the hub's settings. Ask help@example.org.")
        # The login page says the same: an approval would not help.
        type_in(somebody, name, OWN)
        refused(somebody, "who have to list it in the hub's settings. Ask help@example.org.")
        type_in(somebody, nils, OWN)
        refused(somebody, "This account is blocked. Ask help@example.org.")
        type_in(somebody, nils, "of somebody else")
        refused(somebody, "Invalid username or password. Ask help@example.org.")
        somebody.go("/hub/login")
        page.fill("#username_input", nora)
        page.fill("#password_input", OWN)
        expire(somebody, "#login_submit")
        refused(somebody, "Login form invalid or expired. Try again.")
        somebody.go("/hub/signup")
        for field in ("#username_input", "#password_input", "#password_confirmation_input"):
            page.fill(field, name)
        page.fill("input[name=email]", f"{name}@example.org")
        expire(somebody, "#signup_submit")
        refused(somebody, "This form has expired")
        somebody.picture("kinds-native-expired")
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        page.get_by_role("link", name="Change password").click()
        page.fill("#old_password_input", OWN)
        expire(somebody, "#signup_submit")
        refused(somebody, "It was open for too long")
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        for path in ("change-password/nobody", "confirm/nobody"):
            somebody.go(f"/hub/{path}")
            refused(somebody, "There is no such page" if "change" in path else "Invalid URL")
    # What no browser sends: without fields, or with bytes that are no text.
    for fields in (b"", b"username=%ff&password=%ff", b"username=a%0ab"):
        answer, text = post_login(story, fields)
        assert (answer, "Invalid username or password" in text) == (403, True), fields
    assert "Traceback" not in story.log()


def post_login(story: Scenario, fields: bytes) -> tuple[int, str]:
    """Status and page of the login page's answer to a form."""
    opener = urllib.request.build_opener(
        urllib.request.HTTPCookieProcessor(), urllib.request.ProxyHandler({})
    )
    with opener.open(f"{story.site.url}/hub/login", timeout=60) as page:
        found = re.search(r'name="_xsrf" value="([^"]+)"', page.read().decode())
    assert found
    try:
        with opener.open(f"{story.site.url}/hub/login", b"_xsrf=%b&%b" % (found[1].encode(), fields)) as page:
            return page.status, page.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_names_in_addresses(story: Scenario, members: tuple[str, str]) -> None:
    """Before, 404 for what JupyterHub's own pages made of such a name: at home, for administrators."""
    nora, odd = members[0], f"odd#\\?%41&+ü{secrets.token_hex(3)}"
    switch(story, "native", allow_all=True, admin_users=[nora])
    with story.visit() as somebody:
        page = somebody.page
        lab = re.compile(r"/user/odd%23%5C%3F%2541%26%2B%C3%BC[0-9a-f]{6}/lab")
        sign_up(somebody, odd, OWN)
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        press(somebody, odd, "Authorize", "Unauthorize")
        page.locator("tr", has_text=odd).get_by_role("button", name="Change password").click()
        refused(somebody, f"New password for {odd}")
        type_in(somebody, odd, OWN)
        arrive(somebody, odd)
        page.click("#start")
        page.wait_for_url(lab)
        somebody.go("/hub/home")
        page.wait_for_function("window._jupyterhub_page_loaded")
        page.click("#stop")
        page.locator("#start", has_text="Start My Server").wait_for()
        story.wait_for_end(odd, 60)
        page.click("#start")
        page.wait_for_url(lab)
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        somebody.go("/hub/admin")
        row = page.locator("tr", has=page.get_by_text(odd, exact=True)).first
        row.get_by_role("button", name="Stop Server").click()
        story.wait_for_end(odd, 60)
        spawn = row.get_by_role("link", name="Spawn Page")
        expect(spawn).to_have_attribute("href", f"/hub/spawn/{urllib.parse.quote(odd)}")
        row.get_by_role("button", name="Start Server").click()
        wait_until(lambda: odd in story.servers(), 60, "the server that an administrator has started")
        somebody.picture("kinds-odd-name")


def test_an_approval_of_the_hubs_own_is_taken_back(story: Scenario, members: tuple[str, str]) -> None:
    nora, nils = members
    switch(story, "native", allow_all=True, admin_users=[nora], refresh=10)
    with story.visit() as somebody:
        browser = somebody.page.context
        type_in(somebody, nils, OWN)
        arrive(somebody, nils)
        his = browser.cookies()
        server(story, nils)
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        # As from a letter, typed, or by a page of a user's server, which has the hub's own address here: only
        # the list of accounts changes who may come in.
        page = somebody.page
        for what in ("authorize", "discard"):
            somebody.go(f"/hub/{what}/{nils}")
            refused(somebody, "Go to the list of accounts")
            somebody.go("/hub/home")
            with page.expect_navigation():
                page.evaluate("path => { location.href = path }", f"/hub/{what}/{nils}")
            refused(somebody, "Go to the list of accounts")
            # As one that does not know the secret.
            somebody.go("/hub/home")
            with page.expect_navigation() as sent:
                page.evaluate(FORM, f"/hub/{what}/{nils}")
            assert sent.value.status == 403
        somebody.go(f"/hub/authorize/{nils}")
        somebody.picture("kinds-native-link")
        press(somebody, nils, "Unauthorize", "Authorize")
        story.wait_for_end(nils, 60)
        # He is still in, as far as his browser knows.
        browser.clear_cookies()
        browser.add_cookies([t.cast("t.Any", cookie) for cookie in his])

        def is_asked() -> bool:
            somebody.go("/hub/home")
            return somebody.page.locator("#password_input").count() > 0

        wait_until(is_asked, 60, "the end of the session")
        type_in(somebody, nils, OWN)
        refused(somebody, f"The account {nils} waits for an administrator to approve it.")
        # Again, and by another name: with the same password, whoever else has asked for the name.
        type_in(somebody, nora, OWN)
        arrive(somebody, nora)
        press(somebody, nils, "Authorize", "Unauthorize")
        renamed, another = f"{nils}-2", "another horse battery"
        sign_up(somebody, renamed, another)
        switch(story, "native", allow_all=True, admin_users=[nora], renamed={nils: renamed})
        type_in(somebody, renamed, another)
        refused(somebody, "Invalid username or password")
        type_in(somebody, renamed, OWN)
        arrive(somebody, renamed)


@pytest.mark.slow
def test_a_file_of_passwords(story: Scenario) -> None:
    """Also somebody whom no setting lists. Before, a bare error 500 for the first login of everybody else."""
    switch(story, "pam", allow_all=True, admin_users=["pia"])
    with story.visit() as somebody:
        for name in ("pia", "paul"):
            type_in(somebody, name, "of somebody")
            refused(somebody, "Invalid username or password")
            type_in(somebody, name, f"of {name}")
            arrive(somebody, name)


def test_a_directory(story: Scenario, directory: Directory) -> None:
    directory.wait()
    base = "ou=people,dc=institute"
    switch(story, "ldap", directory.settings(bind_dn=[f"uid={{username}},{base}"]))
    with story.visit() as somebody:
        type_in(somebody, "lise", "of lise")
        arrive(somebody, "lise")
        for name, password in (("lise", "of lars"), ("*", "of lise")):
            type_in(somebody, name, password)
            refused(somebody, "Invalid username or password")
        # Known, and not of the group.
        type_in(somebody, "lars", "of lars")
        refused(somebody)
        # A name that has to be searched, by somebody who may search.
        switch(story, "ldap", directory.settings(user_search_base=base, search_user=READER))
        type_in(somebody, "lise", "of lise")
        arrive(somebody, "lise")
        # While it says nothing, those who log in wait, and the hub goes on.
        with directory.silent():
            type_in(somebody, "lise", "of lise", wait=False)
            somebody.page.wait_for_timeout(500)
            urllib.request.urlopen(f"{story.site.url}/hub/login", timeout=30)
        arrive(somebody, "lise")
        # Nobody's password goes to somebody who is not the directory.
        directory.pretend()
        type_in(somebody, "lise", "of lise")
        refused(somebody, "The directory of users does not answer.")
        somebody.picture("kinds-directory")
    wait_until(lambda: "certificate verify failed" in story.log(), 60, "the reason in the log")
