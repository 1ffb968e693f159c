# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Passwords that are guessed, and names that are not for people.

Browsers ask the proxy, as the edge does, which has a limit of its own in front: so they may say what their
address is.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from deployment import Deployment, as_root, docker
from hub_settings import hub_settings, in_hub, restart
from knock import Answer, Browser, addresses
from patience import AT_ONCE
from user_client import UserClient

RIGHT = "correct horse battery staple"
MANY = 6
GUARD = {"LoginGuard": {"failed_login_limit": MANY}}
NATIVE: dict[str, t.Any] = {
    "JupyterHub": {"authenticator_class": "native"},
    "NativeAuthenticator": {"open_signup": True, "minimum_password_length": 12, "ask_email_on_signup": False},
    "Authenticator": {"allow_all": True, "username_map": {"mallory": "hub-check"}},
    **GUARD,
}
# A kind with one password for everybody, which takes no time: the guard is the same.
QUICK: dict[str, t.Any] = {"DummyAuthenticator": {"password": RIGHT}, **GUARD}
# As a site's own: by its full name.
OWN: dict[str, t.Any] = {
    "JupyterHub": {"authenticator_class": "jupyterhub.auth.DummyAuthenticator"},
    "Authenticator": {"allow_all": True},
    **QUICK,
}


class Hub:
    """Where browsers of a test knock."""

    def __init__(self, site: Deployment) -> None:
        self.site = site
        self.proxy = addresses(site.container("proxy"))[f"{site.instance}-core"] + ":8000"
        self.direct = addresses(site.container("hub"))[f"{site.instance}-users"] + ":8081"

    def browser(self, client: str) -> Browser:
        return Browser(self.proxy, client)

    def log(self, seconds: float) -> str:
        argv = as_root(["docker", "logs", "--since", f"{int(seconds)}s", self.site.container("hub")])
        return subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
        ).stdout


KINDS = {"quick": QUICK, "native": NATIVE, "own": OWN}


@pytest.fixture(scope="module", params=list(KINDS))
def hub(site: Deployment, request: pytest.FixtureRequest) -> t.Iterator[Hub]:
    """The instance's hub with each of the kinds; tests that need one of them say which."""
    with hub_settings(site, traits=KINDS[request.param]):
        found = Hub(site)
        if request.param == "native":
            assert found.browser("192.0.2.1").sign_up("ada", RIGHT).status == 200
        yield found


def of(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("hub", kinds, indirect=True, scope="module")


def told_to_wait(answer: Answer) -> None:
    """With a sentence and seconds, on the page that the person knows."""
    assert answer.status == 429
    seconds = int(answer.header("Retry-After") or 0)
    assert 0 < seconds <= 600
    assert f"Try again in {seconds} seconds." in answer.text
    assert 'name="password"' in answer.text


def wrong(hub: Hub, client: str, name: str, times: int) -> list[int]:
    person = hub.browser(client)
    return [person.log_in(name, f"wrong {number}").status for number in range(times)]


def test_passwords_are_taken_from_the_login_page_only(hub: Hub) -> None:
    """Before: the API answered 150 wrong ones and then the right one, with a token that never ends."""
    auth = {"username": "ada", "password": RIGHT}
    said = {"Content-Type": "application/json", "X-Forwarded-For": "192.0.2.9"}
    for address in (hub.proxy, hub.direct):
        for path in ("/hub/api/users/ada/tokens", "/hub/api/authorizations/token"):
            for body in ({"auth": auth}, auth):
                answer = Browser(address).ask("POST", path, json.dumps(body), **said)
                assert answer.status in (403, 404), answer
                assert "token" not in json.loads(answer.text) or answer.status == 404
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            answer = Browser(address).ask(
                method, f"/hub/login?username=ada&password={RIGHT.replace(' ', '%20')}"
            )
            assert "jupyterhub-hub-login" not in answer.cookies()
    # The page itself, past the proxy; whoever says there to be somebody else is not believed.
    past = Browser(hub.direct, "192.0.2.9").log_in("ada", RIGHT)
    assert past.status == 403
    assert "Logins are accepted on the hub&#39;s login page only." in past.text
    log = hub.log(10)
    assert "tried to log in by POST /hub/login, past the login page: refused" in log
    assert "192.0.2.9 tried to log in by POST /hub/login" not in log
    assert hub.browser("192.0.2.1").log_in("ada", RIGHT).status == 302


def test_who_guesses_waits_and_nobody_else(hub: Hub) -> None:
    """Before: native shut the account, for its owner, too; another kind answered 60 of 60."""
    guesser = "198.51.100.1"
    assert wrong(hub, guesser, "ada", MANY + 2) == [403] * MANY + [429] * 2
    told_to_wait(hub.browser(guesser).log_in("somebody", RIGHT))
    # Another spelling of the address changes nothing; the log says why.
    told_to_wait(hub.browser(f"::ffff:{guesser}").log_in("ada", RIGHT))
    assert (
        f"A login as 'ada' from {guesser} was not tried: too many wrong passwords from this address"
        in hub.log(30)
    )
    begin = time.monotonic()
    assert hub.browser("203.0.113.7").log_in("ada", RIGHT).status == 302
    assert time.monotonic() - begin < AT_ONCE


@of("quick")
def test_a_class_behind_one_address_logs_in_at_once(hub: Hub) -> None:
    """More than may guess wrong. Before: passwords that were being tried counted as wrong: some got 429."""
    people = [hub.browser("198.51.100.50") for _ in range(4 * MANY)]
    with ThreadPoolExecutor(len(people)) as pool:
        seen = list(pool.map(lambda person: person.log_in("ada", RIGHT).status, people))
    assert set(seen) == {302}


@of("quick")
def test_many_addresses_guess_and_the_owner_comes_in(hub: Hub) -> None:
    """With her browser, or from where she has logged in; a stranger is kept waiting."""
    ada = hub.browser("203.0.113.20")
    assert ada.log_in("grace", RIGHT).status == 302
    device = {"galilean-device": ada.cookies["galilean-device"]}
    threads = [
        threading.Thread(target=wrong, args=(hub, f"2001:db8:0:{number:x}::1", "grace", MANY))
        for number in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told_to_wait(hub.browser("203.0.113.21").log_in("GRACE", RIGHT))
    elsewhere = hub.browser("203.0.113.22")
    elsewhere.cookies = dict(device)
    for owner, name in ((elsewhere, "grace"), (hub.browser("203.0.113.20"), "Grace")):
        begin = time.monotonic()
        assert owner.log_in(name, RIGHT).status == 302
        assert time.monotonic() - begin < AT_ONCE
    # Her cookie is for her account.
    other = hub.browser("203.0.113.23")
    other.cookies = dict(device)
    statuses = [other.log_in("ada", "wrong").status for _ in range(MANY + 1)]
    assert statuses == [403] * MANY + [429]


@of("quick")
def test_a_class_behind_one_address_comes_in(hub: Hub) -> None:
    statuses = {hub.browser("203.0.113.99").log_in(f"student{number}", RIGHT).status for number in range(300)}
    assert statuses == {302}


@of("native")
def test_guesses_keep_nobody_from_the_hub(hub: Hub) -> None:
    """Before: the login page took up to 5.6 seconds while four others guessed."""
    threads = [
        threading.Thread(target=wrong, args=(hub, f"192.0.2.{100 + number}", f"nobody{number}", 3))
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    waits = []
    while any(thread.is_alive() for thread in threads):
        begin = time.monotonic()
        assert hub.browser("203.0.113.30").ask("GET", "/hub/login").status == 200
        waits.append(time.monotonic() - begin)
        time.sleep(0.05)
    assert sorted(waits)[len(waits) // 2] < 1, waits


@of("native")
def test_a_name_without_an_account_takes_as_long(hub: Hub) -> None:
    """Before: 0.1 seconds without an account, 0.7 with one."""

    def seconds(name: str) -> float:
        person = hub.browser("192.0.2.140")
        waits = []
        for _ in range(3):
            begin = time.monotonic()
            assert person.log_in(name, "wrong").status == 403
            waits.append(time.monotonic() - begin)
        return min(waits)

    # One comparison of bcrypt; what there is beside takes a hundredth of it.
    assert seconds("nobody-at-all") > 0.1


@of("native")
def test_who_has_a_session_may_not_guess_the_password_with_it(hub: Hub) -> None:
    """Before: 12 of 12 were tried, on the page to change it."""
    hub.browser("192.0.2.150").sign_up("bob", RIGHT)
    bob = hub.browser("192.0.2.150")
    assert bob.log_in("bob", RIGHT).status == 302
    bob.cookies.pop("galilean-device")
    fields = {"new_password": "another long one", "new_password_confirmation": "another long one"}
    page = "/hub/change-password"
    statuses = [
        bob.form(page, page, old_password=f"wrong {number}", **fields).status for number in range(MANY + 1)
    ]
    assert statuses == [200] * MANY + [429]


@of("native")
def test_passwords_that_are_too_long_end_in_no_error(hub: Hub) -> None:
    """Before: in one of the hub's own, 500."""
    hub.browser("192.0.2.151").sign_up("carl", RIGHT)
    carl = hub.browser("192.0.2.151")
    assert carl.log_in("carl", RIGHT).status == 302
    page, long = "/hub/change-password", "p" * 200
    for old, new in ((long, RIGHT), (RIGHT, long)):
        fields = {"old_password": old, "new_password": new, "new_password_confirmation": new}
        answer = carl.form(page, page, **fields)
        assert answer.status == 200
        assert "successfully" not in answer.text
    assert hub.browser("192.0.2.151").log_in("carl", RIGHT).status == 302


RESERVED = [
    "hub-check",
    "Hub-Check",
    "heal",
    "ACCOUNTS",
    "idle-culler",
    "everybody",
    "\uff48\uff55\uff42-check",
    "mallory",
]


@of("quick", "own")
def test_nobody_logs_in_by_a_name_of_the_hub(hub: Hub) -> None:
    """Before: everybody could be hub-check, heal, accounts, idle-culler or everybody."""
    for name in RESERVED[:-1]:
        answer = hub.browser("203.0.113.40").log_in(name, RIGHT)
        assert answer.status == 403, (name, answer.headers)
        assert "is reserved for the hub" in answer.text
        assert "jupyterhub-hub-login" not in answer.cookies()


@of("native")
def test_nobody_signs_up_by_a_name_of_the_hub(hub: Hub) -> None:
    """Before: anybody could; and who had done so comes in no more."""
    # An instance that was kept has those of the last time.
    left = "sqlalchemy.text(\"DELETE FROM users_info WHERE username IN ('hub-check', 'heal')\")"
    in_hub(hub.site, f"import sqlalchemy\ndb.execute({left}); db.commit()")
    for name in RESERVED:
        hub.browser("203.0.113.41").sign_up(name, RIGHT)
    names = "import sqlalchemy\nprint(*db.scalars(sqlalchemy.text('SELECT username FROM users_info')))"
    made = set(in_hub(hub.site, names).split())
    assert not {"hub-check", "heal", "accounts", "everybody", "\uff48\uff55\uff42-check"} & made
    # As an older hub had let them.
    in_hub(
        hub.site,
        "import bcrypt, sqlalchemy\n"
        f"hashed = bcrypt.hashpw({RIGHT!r}.encode(), bcrypt.gensalt(4))\n"
        "columns = 'username, password, is_authorized, login_email_sent, has_2fa'\n"
        "ask = f'INSERT INTO users_info ({columns}) VALUES (:n, :p, 1, 0, 0)'\n"
        "db.execute(sqlalchemy.text(ask), [{'n': n, 'p': hashed} for n in ('hub-check', 'heal')])\n"
        "db.commit()",
    )
    for name in ("hub-check", "heal", "mallory"):
        answer = hub.browser("203.0.113.42").log_in(name, RIGHT)
        assert answer.status == 403
        assert "is reserved for the hub" in answer.text


@of("native")
def test_sign_ups_come_by_the_page(hub: Hub) -> None:
    """Before: at the hub's own port, past the edge's limit."""
    assert Browser(hub.direct, "192.0.2.9").sign_up("carol", RIGHT).status == 403


def told(answer: Answer) -> str:
    """What the page of sign-ups says."""
    found = re.search(r'<div class="alert [a-z-]+" role="alert">\s*<p[^>]*>(.*?)</p>', answer.text, re.S)
    return " ".join(html.unescape(found[1]).split()) if found else ""


@of("native")
def test_whether_a_name_is_taken_is_told_last(hub: Hub) -> None:
    """Before: to whoever sent a form that makes no account, of which administrators saw nothing."""
    somebody, taken = hub.browser("203.0.113.43"), "already in use"
    assert taken in told(somebody.sign_up("ada", RIGHT))
    for password, again, said in (
        (RIGHT, "another", "did not match"),
        ("short", "short", "at least 12 characters"),
        ("p" * 73, "p" * 73, "Your password is too long: 72 letters"),
    ):
        fields = {"signup_password": password, "signup_password_confirmation": again, "email": ""}
        answers = {
            told(somebody.form("/hub/signup", "/hub/signup", username=name, **fields))
            for name in ("ada", "nobody-yet")
        }
        assert len(answers) == 1
        assert said in answers.pop()
    assert "128 letters at most" in told(somebody.sign_up("n" * 129, RIGHT))


@of("native")
def test_sign_ups_are_counted(hub: Hub) -> None:
    """Before: 100,000 accounts from one notebook's browser, all in the list of administrators."""
    # An instance that was kept has those of the last time.
    nobody = "sqlalchemy.text('DELETE FROM users_info WHERE NOT is_authorized')"
    in_hub(hub.site, f"import sqlalchemy\ndb.execute({nobody}); db.commit()")
    limits = {"open_signup": False, "sign_ups": MANY, "waiting": 8}
    with hub_settings(
        hub.site, traits={"NativeAuthenticator": limits, "Authenticator": {"admin_users": ["vera"]}}
    ):
        flood = [hub.browser("198.51.100.50").sign_up(f"flood{number}", RIGHT) for number in range(MANY + 1)]
        assert [answer.status for answer in flood] == [200] * MANY + [429]
        seconds = int(flood[-1].header("Retry-After") or 0)
        assert f"too many sign-ups from this address. Try again in {seconds} seconds." in flood[-1].text
        more = [hub.browser("198.51.100.51").sign_up(f"more{number}", RIGHT) for number in range(4)]
        assert [answer.status for answer in more] == [200] * 2 + [403] * 2
        assert "So many accounts wait for an administrator to approve them" in more[-1].text
        assert "8 accounts wait at /hub/authorize" in hub.log(60)
        # Those whom the settings list come in all the same.
        assert hub.browser("198.51.100.52").sign_up("vera", RIGHT).status == 200
        assert hub.browser("198.51.100.52").log_in("vera", RIGHT).status == 302


@of("native")
def test_what_such_accounts_have_from_before_ends(hub: Hub) -> None:
    """Their tokens and sessions; and a token of anybody that never ends gets one."""
    made = in_hub(
        hub.site,
        "names = {name: orm.User.find(db, name) or orm.User(name=name) for name in ('hub-check', 'dora')}\n"
        "db.add_all(names.values()); db.commit()\n"
        "print(*[user.new_api_token(note='old', scopes=['inherit']) for user in names.values()])",
    ).split()
    restart(hub.site)
    asked = {
        token: hub.browser("").ask("GET", "/hub/api/user", Authorization=f"token {token}") for token in made
    }
    assert [answer.status for answer in asked.values()] == [403, 200]
    ends = in_hub(hub.site, "print(*[token.expires_at for token in orm.User.find(db, 'dora').api_tokens])")
    assert ends != "None"


@of("quick")
def test_tokens_end(hub: Hub) -> None:
    """Before: never, unless whoever made one said so."""
    person = hub.browser("203.0.113.60")
    assert person.log_in("erin", RIGHT).status == 302
    person.headers["X-XSRFToken"] = person.cookies["_xsrf"]
    made = json.loads(person.token("erin").text)
    assert made["expires_at"]
    refused = person.token("erin", expires_in=10**9)
    assert refused.status == 400
    assert "must not exceed" in refused.text


@of("quick")
def test_a_notebook_is_no_way_in(hub: Hub, people: t.Callable[[str], UserClient]) -> None:
    """From inside a user's container, with right passwords, as whom it likes."""
    somebody = people("holder")
    code = f"""
import json, urllib.request as r
auth = {{"auth": {{"username": "ada", "password": {RIGHT!r}}}}}
said = {{"X-Forwarded-For": "192.0.2.1"}}
ask = r.Request("http://hub:8081/hub/api/users/ada/tokens", json.dumps(auth).encode(), said)
try:
    print(r.urlopen(ask).status)
except r.HTTPError as exc:
    print(exc.code)
"""
    assert docker("exec", somebody.container(hub.site.instance), "python3", "-c", code) == "403"
