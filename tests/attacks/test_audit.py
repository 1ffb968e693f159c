# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The audit log: each act of a working day is in it as it was, and nobody writes others into it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
import time
import typing as t
import urllib.parse
from datetime import datetime, timezone
from pathlib import Path

import pytest
from deployment import Deployment, as_root, docker, wait_until
from hub_settings import hub_settings, in_hub
from knock import Browser, EdgeBrowser, addresses
from user_client import UserClient

OWN = "correct horse battery staple"
NATIVE: dict[str, t.Any] = {
    "JupyterHub": {"authenticator_class": "native"},
    "NativeAuthenticator": {
        "open_signup": False,
        "minimum_password_length": 12,
        "ask_email_on_signup": False,
    },
    "Authenticator": {"allow_all": True, "admin_users": ["boss"]},
}
# What a line is compared by.
SHOWN = ("actor", "action", "user", "server", "outcome", "via", "detail")


class Log:
    """The audit log of the instance from now on."""

    def __init__(self, site: Deployment) -> None:
        self.site = site
        self.since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"

    def ask(self, *options: str) -> list[dict[str, t.Any]]:
        """As an operator does, when what was done is there."""
        # The log is read again a second after it was taken.
        time.sleep(2.5)
        program = f"/srv/{self.site.instance}/bin/hubctl"
        argv = as_root([program, "who", "--json", "--since", self.since, *options])
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["events"]

    def text(self) -> str:
        """All of its files as they are."""
        folder = f"/srv/{self.site.instance}/audit"
        argv = as_root(
            ["sh", "-c", f"cat {folder}/audit.jsonl; zcat -f {folder}/audit-* 2>/dev/null || true"]
        )
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def browser(site: Deployment, authority: Path) -> EdgeBrowser:
    return EdgeBrowser(site.url, str(authority))


@pytest.fixture(scope="module", autouse=True)
def hub(site: Deployment) -> t.Iterator[None]:
    with hub_settings(site, traits=NATIVE):
        yield


def words(event: dict[str, t.Any]) -> str:
    return " ".join(str(event.get(key) or "-") for key in SHOWN)


def test_a_day(site: Deployment, authority: Path) -> None:
    log = Log(site)
    boss, ida, dan = (browser(site, authority) for _ in range(3))
    for one, name in ((boss, "boss"), (ida, "ida"), (dan, "dan")):
        assert one.sign_up(name, OWN).status == 200
    assert boss.log_in("boss", OWN).status == 302
    assert ida.log_in("ida", OWN).status == 403
    for name in ("ida", "dan"):
        assert boss.form(f"/hub/authorize/{name}", "/hub/authorize").status == 302
    # The second one is a password in the wrong field.
    assert ida.log_in("ida", "wrong").status == 403
    assert ida.log_in(OWN, "").status == 403
    assert ida.log_in("ida", OWN).status == 302
    assert browser(site, authority).log_in("ida", "wrong").status == 403
    assert dan.log_in("dan", OWN).status == 302

    # A server: started by its owner, opened by others.
    ida.ask("GET", "/hub/home")
    assert ida.api("POST", "users/ida/server").status in (201, 202)
    wait_until(
        lambda: json.loads(ida.api("GET", "users/ida").text)["servers"].get("", {}).get("ready"),
        120,
        "ida's server",
    )
    path, page = boss.follow("/user/ida/lab")
    assert path.startswith("/hub/api/oauth2/authorize"), path
    fields = re.findall(r'name="(_xsrf|scopes)"[^>]*value="([^"]*)"', page.text)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = boss.ask("POST", path, urllib.parse.urlencode(fields), **form)
    assert answer.status == 302, answer.text
    callback = urllib.parse.urlsplit(str(answer.header("Location")))
    assert boss.follow(f"{callback.path}?{callback.query}")[1].status == 200
    assert dan.follow("/user/ida/lab")[1].status == 403

    # Accounts, groups, tokens.
    boss.ask("GET", "/hub/home")
    secret = json.loads(boss.api("POST", "users/boss/tokens", note="for scripts").text)
    assert boss.api("GET", "users/ida", token=secret["token"]).status == 200
    token = secret["token"]
    assert boss.api("POST", "users/newbie", token=token).status == 201
    assert boss.api("PATCH", "users/newbie", token=token, name="newton", admin=True).status == 200
    assert boss.api("POST", "groups/physics", token=token).status == 201
    assert boss.api("POST", "groups/physics/users", token=token, users=["newton"]).status == 200
    assert boss.api("DELETE", "users/newton", token=token).status == 204
    assert boss.api("DELETE", "groups/physics", token=token).status == 204
    assert dan.api("DELETE", "users/ida").status == 403
    # By a token, past the hub's pages: the server asks the hub whose it is.
    asked = EdgeBrowser(site.url, str(authority)).ask(
        "GET", "/user/ida/api/status", Authorization=f"token {token}"
    )
    assert asked.status == 200
    assert boss.api("DELETE", "users/ida/server", token=token).status in (202, 204)
    wait_until(
        lambda: not json.loads(boss.api("GET", "users/ida", token=token).text)["servers"], 60, "its end"
    )
    assert boss.api("DELETE", f"users/boss/tokens/{secret['id']}").status == 204
    passwords = {"old_password": OWN, "new_password": OWN[::-1], "new_password_confirmation": OWN[::-1]}
    assert ida.form("/hub/change-password", "/hub/change-password", **passwords).status == 200
    assert boss.form("/hub/authorize/dan", "/hub/authorize").status == 302
    ida.ask("GET", "/hub/logout")

    number = secret["id"]
    expected = f"""
        - account.signup boss - ok login approved
        - account.signup ida - ok login -
        - account.signup dan - ok login -
        boss login boss - ok form -
        - login ida - refused form The account ida waits for an administrator to approve it.
        boss approval.grant ida - ok session -
        boss approval.grant dan - ok session -
        - login - - failed form wrong name or password
        - login - - failed form wrong name or password
        ida login ida - ok form -
        ida account.create ida - ok login -
        - login ida - failed form wrong name or password
        dan login dan - ok form -
        dan account.create dan - ok login -
        ida server.start ida - ok session -
        boss server.enter ida - ok session -
        dan server.enter ida - refused session -
        boss token.create boss - ok session {number} for scripts
        boss account.create newbie - ok token -
        boss account.rename newton - ok token was newbie
        boss account.admin newton - ok token given
        boss group.create - - ok token physics
        boss group.add newton - ok token physics
        boss account.delete newton - ok token -
        boss group.delete - - ok token physics
        dan access.refused - - refused session DELETE /hub/api/users/ida
        boss server.enter ida - ok token -
        boss server.stop ida - ok token -
        boss token.revoke boss - ok session {number} for scripts
        ida account.password ida - ok session -
        boss approval.withdraw dan - ok session -
        ida logout ida - ok session -
    """
    found = log.ask()
    assert [words(event) for event in found] == [
        " ".join(line.split()) for line in expected.strip().splitlines()
    ]

    # The address is what the edge has seen, whatever the browser says; both have seen the same request.
    (network,) = json.loads(docker("network", "inspect", f"{site.instance}-core"))
    gateway = network["IPAM"]["Config"][0]["Gateway"]
    for event in found:
        if event["action"] == "server.enter" and event["via"] == "token":
            assert "address" not in event
            continue
        assert event["address"] == event["edge"]["address"] == gateway, event
        assert event["request"] != "0" * 32
    by_token = next(
        event for event in found if event["action"] == "account.create" and event["user"] == "newbie"
    )
    assert by_token["token"] == f"{number} for scripts"
    assert by_token["edge"]["path"] == "/hub/api/users/newbie"
    # Questions.
    assert {event["user"] for event in log.ask("newbie", "--action", "account")} == {"newbie", "newton"}
    assert [words(event) for event in log.ask("ida", "--action", "server.enter")] == [
        "boss server.enter ida - ok session -",
        "dan server.enter ida - refused session -",
        "boss server.enter ida - ok token -",
    ]
    # No secret of all that: passwords, tokens, cookies, codes.
    text = log.text()
    secrets = [OWN, OWN[::-1], urllib.parse.quote_plus(OWN), token, "code=", "state="]
    secrets += [value for one in (boss, ida, dan) for value in one.cookies.values() if len(value) > 8]
    assert [secret for secret in secrets if secret in text] == []


LINE = '{"time":"2026-11-30T12:00:00Z","action":"login","actor":"boss","user":"boss","source":"hub"}'


def test_nobody_writes_a_line_of_their_own(site: Deployment, authority: Path) -> None:
    """By a name, the path, the browser's name, or headers: over HTTP as nobody should write it."""
    log = Log(site)
    mallory = browser(site, authority)
    mallory.headers["User-Agent"] = f'x"}}{LINE}'
    mallory.log_in(f"mallory\n{LINE}", "wrong")
    mallory.log_in(LINE, "wrong")
    mallory.sign_up(f'mallory"{LINE}', OWN)
    host = urllib.parse.urlsplit(site.url)
    for text in (
        f"POST /hub/login%0a{urllib.parse.quote(LINE)} HTTP/1.1\r\nHost: {host.netloc}\r\n",
        f'POST /hub/login HTTP/1.1\r\nHost: {host.netloc}\r\nUser-Agent: a\\"\x0b\x1b[2J\xff{LINE}\r\n',
        f"POST /hub/login HTTP/1.1\r\nHost: {host.netloc}\r\nX-Forwarded-For: 1.2.3.4\n{LINE}\r\n",
        f"POST /hub/login HTTP/1.1\r\nHost: {host.netloc}\r\nX-Request-ID: {LINE}\r\n",
    ):
        context = ssl.create_default_context(cafile=str(authority))
        with (
            socket.create_connection((str(host.hostname), int(host.port or 443)), timeout=30) as plain,
            context.wrap_socket(plain, server_hostname=host.hostname) as stream,
        ):
            stream.sendall(f"{text}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("latin-1"))
            while stream.recv(65536):
                pass
    events = log.ask() + log.ask("--action", "request")
    assert {event["action"] for event in events} == {"login", "request"}
    assert [event for event in events if event["action"] == "login" and event["outcome"] == "ok"] == []
    assert {event.get("actor") for event in events} == {None}
    assert "1.2.3.4" not in {event.get("address") for event in events}
    # Each line is one object, of ASCII, and none of them is that.
    text = log.text()
    assert text.isascii()
    assert LINE not in text.splitlines()
    for line in text.splitlines():
        json.loads(line)


def test_a_broken_hub_cannot_change_the_past(site: Deployment, authority: Path) -> None:
    log = Log(site)
    assert browser(site, authority).log_in("nobody", "wrong").status == 403
    # What is older than two seconds is out of its reach.
    time.sleep(2.5)
    before = log.text()

    def in_hub(command: str) -> str:
        return docker("exec", site.container("hub"), "sh", "-c", f"cd /srv/audit; {command}")

    assert set(in_hub("ls -A").split()) <= {"spool"}
    forged = {"time": "2020-01-01T00:00:00Z", "action": "login", "actor": "boss", "source": "edge"}
    in_hub(f"rm -f spool; echo '{json.dumps(forged)}' >> spool")
    time.sleep(2.5)
    in_hub("rm -f spool; ln -s /etc/passwd spool")
    old = log.ask("--since", "2019-01-01", "--until", "2020-12-31")
    events = log.ask() + [event for event in old if event["received"] > log.since]
    assert log.text().startswith(before)
    assert [event["action"] for event in events if event["action"] != "request"] == [
        "login",
        "audit.unreadable",
        "login",
    ]
    assert events[-1]["source"] == "hub"


def test_no_token_is_hidden(site: Deployment, authority: Path) -> None:
    """Before: a note as those of servers' tokens was enough, and nothing of the token was told."""
    traits = {"JupyterHub": {"authenticator_class": "dummy"}, "Authenticator": {"allow_all": True}}
    with hub_settings(site, traits=traits):
        eve = browser(site, authority)
        assert eve.log_in("eve", "any").status == 302
        eve.ask("GET", "/hub/token")
        log = Log(site)
        answer = eve.api("POST", "users/eve/tokens", note="Server at /user/eve/")
        assert answer.status == 400
        assert "is for the tokens of servers: give another one." in json.loads(answer.text)["message"]
        assert eve.api("POST", "users/eve/tokens", note=["Server at "]).status in (400, 500)
        # One that was made before: it has an end, as no server's has.
        token = in_hub(
            site,
            "user = orm.User.find(db, 'eve')\n"
            "print(user.new_api_token(note='Server at /user/eve/', expires_in=3600))",
        )
        assert eve.api("DELETE", "groups/nothing", token=token).status == 403
        held = json.loads(eve.api("GET", "users/eve/tokens").text)["api_tokens"]
        (number,) = [one["id"] for one in held if one["note"].startswith("Server at ")]
        assert eve.api("DELETE", f"users/eve/tokens/{number}").status == 204
        assert [words(event) for event in log.ask("eve")] == [
            "eve access.refused - - refused token DELETE /hub/api/groups/nothing",
            f"eve token.revoke eve - ok session {number} Server at /user/eve/",
        ]


def test_what_one_user_has_refused_is_bounded(site: Deployment, authority: Path) -> None:
    """Before: any number of lines, as long as a path may be."""
    traits = {"JupyterHub": {"authenticator_class": "dummy"}, "Authenticator": {"allow_all": True}}
    with hub_settings(site, traits=traits):
        proxy = Browser(addresses(site.container("proxy"))[f"{site.instance}-core"] + ":8000")
        assert proxy.log_in("eve", "any").status == 302
        proxy.ask("GET", "/hub/token")
        headers = {"X-XSRFToken": proxy.cookies["_xsrf"]}
        log = Log(site)
        for number in range(620):
            assert proxy.ask("DELETE", f"/hub/api/groups/{number}{'x' * 1000}", **headers).status == 403
        events = log.ask("eve")
        refused = [event for event in events if event["action"] == "access.refused"]
        (lost,) = [event for event in events if event["action"] == "audit.lost"]
        assert 600 <= len(refused) < 620
        assert max(len(event["detail"]) for event in refused) == len("DELETE ") + 100
        assert lost["detail"] == "access.refused is left out: more than 600 in ten minutes"
        # Another action of theirs is told all the same.
        proxy.ask("GET", "/hub/logout")
        assert [event["actor"] for event in log.ask("eve", "--action", "logout")] == ["eve"]


def test_a_users_server_neither_reads_nor_writes_it(
    people: t.Callable[[str], UserClient], site: Deployment
) -> None:
    with hub_settings(
        site, traits={"JupyterHub": {"authenticator_class": "dummy"}, "Authenticator": {"allow_all": True}}
    ):
        eve = people("eve")
        eve.open_kernel("python3")
        log = Log(site)
        assert eve.run(
            "import glob; print(glob.glob('/srv/**', recursive=True), glob.glob('/var/spool/audit'))"
        ).strip() in ("[] []", "['/srv/'] []")
        # The hub takes its word for no address, no request of the edge, and no name.
        said = eve.run(
            "import json, os, urllib.request as r\n"
            "for path in ('users/boss', 'users', 'groups/x'):\n"
            "    q = r.Request(os.environ['JUPYTERHUB_API_URL'] + '/' + path, method='DELETE')\n"
            "    for name, value in (('Authorization', 'token ' + os.environ['JUPYTERHUB_API_TOKEN']),\n"
            "                        ('X-Forwarded-For', '1.2.3.4'), ('X-Request-ID', 'a' * 32)):\n"
            "        q.add_header(name, value)\n"
            "    try: r.urlopen(q)\n"
            "    except Exception as e: print(e.code)\n"
            # Nobody wants to know what it runs.
            "body = json.dumps({'events': [{'action': 'code.run', 'detail': 'x'}]}).encode()\n"
            "q = r.Request(os.environ['JUPYTERHUB_API_URL'] + '/galilean/audit', data=body)\n"
            "q.add_header('Authorization', 'token ' + os.environ['JUPYTERHUB_API_TOKEN'])\n"
            "try: print(r.urlopen(q).status)\n"
            "except Exception as e: print(e.code)\n"
        )
        assert set(said.split()) <= {"403", "404", "405"}
        assert log.ask("--action", "code") == []
        refusals = log.ask("--action", "access.refused")
        assert refusals
        for event in refusals:
            assert (event["actor"], event["via"]) == ("eve", "server")
            assert event["address"] != "1.2.3.4"
            assert "request" not in event
