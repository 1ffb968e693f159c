# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's own port, which notebooks reach past the edge and the proxy: what strangers can make it hold, and
what it tells them.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import subprocess
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

import pytest
import requests
from deployment import Deployment, as_root, docker, wait_until
from hub_settings import in_hub
from knock import Browser, addresses
from patience import AT_ONCE
from user_client import UserClient

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def hub(site: Deployment) -> str:
    """The hub's address in the users' network."""
    return addresses(site.container("hub"))[f"{site.instance}-users"] + ":8081"


@pytest.fixture(scope="module")
def proxy(site: Deployment) -> str:
    """The proxy's address in the network of hub, proxy and edge: what comes from there is from the edge."""
    return addresses(site.container("proxy"))[f"{site.instance}-core"] + ":8000"


def memory(site: Deployment, part: str = "hub") -> int:
    """Bytes that the container's processes hold."""
    rows = docker("top", site.container(part), "-o", "pid,rss").splitlines()[1:]
    return sum(int(row.split()[1]) for row in rows) * 1024


def connect(address: str) -> socket.socket:
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), 10)


def pour(wires: t.Sequence[socket.socket], bytes_each: int, seconds: float) -> list[int]:
    """Send zeros on all of them, as long as they are taken; how many bytes each one took."""
    block, taken, end = bytes(65536), [0] * len(wires), time.monotonic() + seconds
    open_ones = set(range(len(wires)))
    for wire in wires:
        wire.setblocking(False)
    while open_ones and time.monotonic() < end:
        for number in list(open_ones):
            try:
                taken[number] += wires[number].send(block)
            except BlockingIOError:
                continue
            except OSError:
                open_ones.discard(number)
            if taken[number] >= bytes_each:
                open_ones.discard(number)
        time.sleep(0.001)
    return taken


def quick(site: Deployment, authority: Path) -> float:
    """Seconds that somebody else waits for the login page."""
    begin = time.monotonic()
    argv = ["curl", "-sS", "--fail", "-o", "/dev/null", "--cacert", str(authority), f"{site.url}/hub/login"]
    subprocess.run(argv, check=True, timeout=30)
    return time.monotonic() - begin


# What is sent in front of bodies that never end.
HEADS = {
    "length": f"POST /hub/api/users HTTP/1.1\r\nHost: hub\r\nContent-Length: {98 * MIB}\r\n\r\n",
    "no length": "POST /hub/api/users HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n6000000\r\n",
    "login": f"POST /hub/login HTTP/1.1\r\nHost: hub\r\nContent-Length: {98 * MIB}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\nusername=",
    "elsewhere": f"PUT /nowhere HTTP/1.1\r\nHost: hub\r\nContent-Length: {98 * MIB}\r\n\r\n",
    "headers": "GET /hub/api HTTP/1.1\r\nHost: hub\r\nX: ",
}


@pytest.mark.parametrize("head", HEADS)
def test_unfinished_requests_hold_no_memory(
    site: Deployment, authority: Path, hub: str, proxy: str, head: str
) -> None:
    """Before: with 512 MiB the hub was ended by the kernel after 571 MiB of 24 bodies, in 5 seconds."""
    for address in (hub, proxy):
        before = memory(site)
        wires = [connect(address) for _ in range(24)]
        for wire in wires:
            wire.sendall(HEADS[head].encode())
        pour(wires, 4 * MIB, 2)
        assert quick(site, authority) < AT_ONCE
        grown = memory(site) - before
        for wire in wires:
            wire.close()
        assert grown < 16 * MIB, f"{head}: {grown / MIB:.0f} MiB more by {address}"


def ask_all(address: str, heads: t.Iterable[bytes]) -> set[bytes]:
    """Requests one after the other on a connection, as long as it lasts; the statuses of their answers."""
    statuses, wire = set(), connect(address)
    for head in heads:
        wire.sendall(head)
        answer = b""
        while b"\r\n\r\n" not in answer:
            piece = wire.recv(65536)
            answer += piece
            if not piece:
                break
        length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
        missing = int(length[1]) - len(answer.partition(b"\r\n\r\n")[2]) if length else 0
        while missing > 0:
            missing -= len(wire.recv(65536))
        statuses.add(answer[9:12])
        if b"connection: close" in answer.lower() or not answer:
            wire.close()
            wire = connect(address)
    wire.close()
    return statuses


LETTERS = "A" * 60_000
STRANGE = {
    # Before: the hub's metrics counted each method for itself, for good.
    "method": ("X{number}{letters} /hub/health HTTP/1.1\r\nHost: hub\r\n\r\n", b"405"),
    # Before: Tornado kept the last 1000 names.
    "header": ("GET /hub/health HTTP/1.1\r\nHost: hub\r\nX{number}{letters}: a\r\n\r\n", b"200"),
}


@pytest.mark.parametrize("what", STRANGE)
def test_strange_words_hold_no_memory(site: Deployment, hub: str, what: str) -> None:
    """Each is another one, of 60 KB: nothing that a stranger makes up is a key of a table."""
    head, status = STRANGE[what]
    heads = [head.format(number=f"{number:05}", letters=LETTERS).encode() for number in range(800)]
    ask_all(hub, heads[:50])
    before = memory(site)
    assert ask_all(hub, heads[50:]) == {status}
    assert memory(site) - before < 16 * MIB


def test_scopes_hold_no_memory(site: Deployment, proxy: str) -> None:
    """Before: JupyterHub kept 65,535 scopes that were asked for, each with all that it includes."""
    visitor = person(proxy, "visitor")
    visitor.headers["X-XSRFToken"] = visitor.cookies["_xsrf"]

    def ask(numbers: range) -> set[int]:
        scopes = (f"admin:users!user={number:05}{LETTERS[:7500]}" for number in numbers)
        return {visitor.token("visitor", scopes=[scope]).status for scope in scopes}

    ask(range(20))
    before = memory(site)
    assert ask(range(20, 200)) == {400}
    assert memory(site) - before < 16 * MIB


def test_refusals_hold_no_memory(site: Deployment, hub: str, proxy: str) -> None:
    """Before: each path that was refused was kept for five minutes, and the last 1024 groups for good."""
    visitor = at_hub(person(proxy, "visitor"), hub)
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    secret = visitor.cookies["_xsrf"]
    head = "DELETE /hub/api/groups/{number}{letters} HTTP/1.1\r\nHost: hub\r\n"
    head += "Cookie: {cookies}\r\nX-XSRFToken: {secret}\r\n\r\n"
    heads = [
        head.format(number=f"{number:05}", letters=LETTERS[:30_000], cookies=cookies, secret=secret).encode()
        for number in range(1000)
    ]
    # Python keeps the last 128 addresses that were taken apart.
    ask_all(hub, heads[:150])
    before = memory(site)
    assert ask_all(hub, heads[150:]) == {b"403"}
    assert memory(site) - before < 16 * MIB


def test_an_honest_body_is_taken_and_one_that_is_too_large_is_not(site: Deployment, hub: str) -> None:
    """A list of 10,000 users is the largest that there is."""
    asked = Browser(hub)
    asked.headers["Authorization"] = f"token {site.token}"
    names = json.dumps({"usernames": [f"user{number:016}/" for number in range(10_000)]})
    assert len(names) < 256 * 1024
    answer = asked.ask("POST", "/hub/api/users", names)
    # The names are none, so nobody is made.
    assert answer.status == 400
    assert "Invalid" in answer.text
    with connect(hub) as wire:
        wire.sendall(f"POST /hub/api/users HTTP/1.1\r\nContent-Length: {256 * 1024 + 1}\r\n\r\n".encode())
        assert wire.recv(100).startswith(b"HTTP/1.1 400")


def test_an_address_has_so_many_connections_and_no_more(site: Deployment, authority: Path, hub: str) -> None:
    """Before: 300 of 300 stayed open."""
    wires = [connect(hub) for _ in range(300)]
    time.sleep(0.5)
    shut = 0
    for wire in wires:
        wire.setblocking(False)
        try:
            shut += wire.recv(1) == b""
        except BlockingIOError:
            pass
        except ConnectionResetError:
            shut += 1
    try:
        assert 300 - shut <= 64
        # Who comes by the proxy is somebody else.
        assert quick(site, authority) < AT_ONCE
    finally:
        for wire in wires:
            wire.close()
    wait_until(lambda: Browser(hub).ask("GET", "/hub/health").status == 200, 10, "room for others")


HOSTILE: dict[str, tuple[str, dict[str, str], bytes]] = {
    "deep JSON": ("/hub/api/users", {}, b"[" * 100_000),
    "deep objects": ("/hub/api/users", {}, b'{"a":' * 40_000),
    "a long number": ("/hub/api/users", {}, b"9" * 250_000),
    "compressed": ("/hub/api/users", {"Content-Encoding": "gzip"}, gzip.compress(bytes(100 * MIB))),
    "4,000 parts": (
        "/hub/login",
        {"Content-Type": "multipart/form-data; boundary=x"},
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 4_000 + b"--x--\r\n",
    ),
    "30,000 fields": (
        "/hub/login",
        {"Content-Type": "application/x-www-form-urlencoded"},
        b"&".join(b"a%d=" % number for number in range(30_000)),
    ),
    "a long query": ("/hub/login?" + "a=1&" * 12_000, {}, b""),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_requests_are_refused_quickly(site: Deployment, hub: str, what: str) -> None:
    path, headers, body = HOSTILE[what]
    before = memory(site)
    for authorized in (False, True):
        asked = Browser(hub)
        if authorized:
            asked.headers["Authorization"] = f"token {site.token}"
        begin = time.monotonic()
        assert 400 <= asked.ask("POST", path, body, **headers).status < 500
        assert time.monotonic() - begin < AT_ONCE
    assert memory(site) - before < 32 * MIB
    assert Browser(hub).ask("GET", "/hub/health").status == 200


# Runs in a user's container: it has Python, and no more than this knows.
FROM_A_NOTEBOOK = """
import socket, time
wires = [socket.create_connection(("hub", 8081), 5) for _ in range(24)]
for wire in wires:
    wire.sendall(b"POST /hub/api/users HTTP/1.1\\r\\nHost: hub\\r\\nContent-Length: 102760448\\r\\n\\r\\n")
    wire.setblocking(False)
end, block = time.monotonic() + 2, bytes(65536)
while wires and time.monotonic() < end:
    for wire in list(wires):
        try:
            wire.send(block)
        except BlockingIOError:
            pass
        except OSError:
            wires.remove(wire)
print("left", len(wires))
for port in (8000, 8001, 8002):
    for name in ("hub", "{proxy}", "{core}"):
        try:
            socket.create_connection((name, port), 2).close()
            print("open", name, port)
        except OSError:
            pass
"""


def test_from_a_notebook(
    site: Deployment, authority: Path, people: t.Callable[[str], UserClient], proxy: str
) -> None:
    """The same past the edge, and the proxy's ports, which no notebook reaches."""
    somebody = people("holder")
    users = addresses(site.container("proxy"))[f"{site.instance}-users"]
    code = FROM_A_NOTEBOOK.replace("{proxy}", users).replace("{core}", proxy.partition(":")[0])
    before = memory(site)
    told = docker("exec", somebody.container(site.instance), "python3", "-c", code)
    assert memory(site) - before < 16 * MIB
    assert told.split("\n") == ["left 0"]
    assert quick(site, authority) < AT_ONCE


def test_strangers_are_not_told_the_version(site: Deployment, hub: str, proxy: str) -> None:
    """Before: a cookie or an Authorization header of nonsense was enough, and behind the edge nothing."""
    version = json.loads(
        docker(
            "exec",
            site.container("hub"),
            "python3",
            "-c",
            "import jupyterhub, json; print(json.dumps(jupyterhub.__version__))",
        )
    )
    asks: list[dict[str, str]] = [
        {},
        {"Cookie": "jupyterhub-hub-login=nonsense"},
        {"Cookie": "a=b"},
        {"Authorization": "token nonsense"},
        {"Authorization": "Basic bm86bm8="},
    ]
    for address in (hub, proxy):
        for headers in asks:
            for path in (
                "/hub/api",
                "/hub/api/",
                "/hub/login",
                "/hub/nowhere",
                "/hub/api/info",
                "/hub/health",
            ):
                answer = Browser(address).ask("GET", path, **headers)
                said = f"{answer.headers} {answer.text}"
                assert version not in said, (address, path, headers)
                assert "TornadoServer" not in said
    assert Browser(proxy).ask("GET", "/hub/api").status == 403
    # A user's server asks so whether the hub is there, and gives up where it is refused.
    assert Browser(hub).ask("GET", "/hub/api").status == 200
    known = Browser(proxy).ask("GET", "/hub/api", Authorization=f"token {site.token}")
    assert json.loads(known.text) == {"version": version}


def test_cookies_go_nowhere_else(site: Deployment, proxy: str) -> None:
    """Before: _xsrf had neither Secure nor SameSite."""
    person = Browser(proxy, "192.0.2.50")
    cookies = person.ask("GET", "/hub/login").cookies()
    answer = person.log_in("cookie-eater", "any")
    assert answer.status == 302, answer
    cookies |= answer.cookies()
    assert {"_xsrf", "jupyterhub-session-id", "jupyterhub-hub-login"} <= set(cookies)
    for name, line in cookies.items():
        said = [part.strip().lower() for part in line.split(";")[1:]]
        assert "secure" in said, line
        assert "samesite=lax" in said, line
        assert "httponly" in said or name == "_xsrf", line


def test_cookies_of_a_users_server_neither(
    site: Deployment, authority: Path, people: t.Callable[[str], UserClient]
) -> None:
    """Before: its _xsrf had neither of them."""
    somebody = people("holder")
    session = requests.Session()
    session.trust_env, session.verify = False, str(authority)
    found = re.search('name="_xsrf" value="([^"]+)"', session.get(f"{site.url}/hub/login", timeout=30).text)
    form = {"username": somebody.name, "password": "any", "_xsrf": found[1] if found else ""}
    page = f"/user/{somebody.name}/lab"
    answer = session.post(f"{site.url}/hub/login", form, params={"next": page}, timeout=60)
    assert answer.url == site.url + page
    lines = [line for one in (*answer.history, answer) for line in one.raw.headers.getlist("set-cookie")]
    # Without those that end one.
    lines = [line for line in lines if '=""' not in line]
    assert {"_xsrf", f"jupyterhub-user-{somebody.name}"} <= {line.partition("=")[0] for line in lines}
    for line in lines:
        assert "samesite=lax" in line.lower(), line
        assert "; secure" in line.lower(), line
    assert "no version header" not in docker("logs", somebody.container(site.instance))


def person(address: str, name: str) -> Browser:
    """Somebody with a session of the hub, at this address."""
    somebody = Browser(address)
    assert somebody.log_in(name, "any").status == 302
    assert somebody.ask("GET", "/hub/token").status == 200
    return somebody


def at_hub(somebody: Browser, hub: str) -> Browser:
    """The same session, past edge and proxy."""
    there = Browser(hub)
    there.cookies = dict(somebody.cookies)
    return there


SCRIPT = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


def test_scripts_get_no_page_of_the_hub(hub: str, proxy: str) -> None:
    """Before: only the edge refused them, and who came past it got the page's secret."""
    visitor = person(proxy, "visitor")
    for asked in (visitor, at_hub(visitor, hub)):
        for path in ("/hub/home", "/hub/token?a=/hub/api/", "/hub/nothing", "/", "/hub/api/oauth2/authorize"):
            for mode in ("cors", "no-cors", "same-origin", "websocket"):
                for dest in ("empty", "script", "serviceworker", "embed"):
                    said = {**SCRIPT, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
                    answer = asked.ask("GET", path, **said)
                    assert (answer.status, "xsrf" in answer.text) == (403, False), (path, said)
                    assert not answer.cookies()
        stopped = asked.ask("GET", "/hub/user/visitor/lab", **SCRIPT)
        assert (stopped.status, "xsrf" in stopped.text) == (424, False)
        shown = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}
        for said in (shown, {}):
            assert "xsrf_token" in asked.ask("GET", "/hub/home", **said).text
        assert asked.ask("GET", "/hub/static/css/style.min.css", **SCRIPT).status == 200


def test_a_cookie_alone_is_nobody_at_the_api(site: Deployment, hub: str, proxy: str) -> None:
    """Before: with "no-cors", or over an unencrypted connection, JupyterHub looked at no secret."""
    visitor = person(proxy, "visitor")
    secret = {"X-XSRFToken": visitor.cookies["_xsrf"]}
    for asked in (visitor, at_hub(visitor, hub)):
        for mode in ("cors", "no-cors", "same-origin", "websocket", ""):
            said = {**SCRIPT, "Sec-Fetch-Mode": mode} if mode else {}
            for method, path in (
                ("GET", "/hub/api/user"),
                ("GET", "/hub/api/users/visitor/tokens"),
                ("POST", "/hub/api/users/visitor/tokens"),
                ("POST", "/hub/api/users/visitor/server"),
                ("DELETE", "/hub/api/users/visitor/server"),
                ("POST", "/hub/api/users/visitor/activity"),
            ):
                answer = asked.ask(method, path, "{}" if method == "POST" else None, **said)
                assert answer.status == 403, (method, path, said, answer)
            assert asked.ask("GET", "/hub/api/user", **said, **secret).status == 200
        for path in ("/hub/spawn", "/hub/security/csp-report"):
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            for mode in ("navigate", "websocket", "no-cors", ""):
                said = {"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": "document"} if mode else {}
                assert asked.ask("POST", path, "a=b", **form, **said).status == 403
    # Whoever shows a token does without.
    for said in ({}, {**SCRIPT, "Sec-Fetch-Mode": "no-cors"}):
        assert (
            Browser(hub).ask("GET", "/hub/api/info", **said, Authorization=f"token {site.token}").status
            == 200
        )


def test_a_user_has_so_many_tokens(site: Deployment, proxy: str) -> None:
    """Before: any number, with notes of 250 KB."""
    service = {"Authorization": f"token {site.token}"}
    Browser(proxy).ask("DELETE", "/hub/api/users/hoarder", **service)
    hoarder = person(proxy, "hoarder")
    hoarder.headers["X-XSRFToken"] = hoarder.cookies["_xsrf"]
    long = hoarder.token("hoarder", note="n" * 10_000)
    assert long.status == 413
    assert "8192 are the most" in json.loads(long.text)["message"]
    statuses = [hoarder.token("hoarder", note=f"{number}").status for number in range(101)]
    assert statuses == [201] * 100 + [403]
    said = json.loads(hoarder.token("hoarder").text)["message"]
    assert said == "hoarder has 100 tokens, which is the most: revoke some that are not used any more."
    # There is room as soon as one is revoked.
    held = json.loads(hoarder.ask("GET", "/hub/api/users/hoarder/tokens").text)["api_tokens"]
    assert hoarder.ask("DELETE", f"/hub/api/users/hoarder/tokens/{held[0]['id']}").status == 204
    assert hoarder.token("hoarder").status == 201
    assert hoarder.token("hoarder").status == 403


def test_what_cannot_be_written_is_nobody_elses_matter(site: Deployment, proxy: str) -> None:
    """Before: the next request, of whoever it was, failed and asked for a login."""
    odd = person(proxy, "odd")
    odd.headers["X-XSRFToken"] = odd.cookies["_xsrf"]
    notes: tuple[t.Any, ...] = ("\ud800", 7, [], {"a": 1})
    for note in notes:
        assert odd.token("odd", note=note, expires_in=60).status in (201, 400, 500)
        asked = Browser(proxy).ask("GET", "/hub/api/users/odd", Authorization=f"token {site.token}")
        assert asked.status == 200, note


def test_logins_at_a_server_leave_so_many_rows(
    site: Deployment, proxy: str, people: t.Callable[[str], UserClient]
) -> None:
    """Before: a code for each time that the address was asked for, and they stayed for up to an hour."""
    holder = person(proxy, people("holder").name)
    page = holder.ask("GET", "/user/holder/lab")
    where = page.header("Location") or ""
    assert "/hub/api/oauth2/authorize" in where
    for _ in range(60):
        assert "code=" in (holder.ask("GET", where[where.index("/hub/") :]).header("Location") or "")
    assert in_hub(site, "print(db.query(orm.OAuthCode).count())") == "50"


def test_interrupted_starts_leave_no_tokens(site: Deployment, hub: str) -> None:
    """Before: each that met another one left a token that never ended."""
    asked = Browser(hub)
    asked.headers["Authorization"] = f"token {site.token}"
    assert asked.ask("POST", "/hub/api/users/hasty").status in (201, 409)
    end = time.monotonic() + 8

    def repeat(method: str) -> None:
        while time.monotonic() < end:
            asked.ask(method, "/hub/api/users/hasty/server")

    threads = [threading.Thread(target=repeat, args=(method,)) for method in ["POST", "DELETE"] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = in_hub(site, "print(len(orm.User.find(db, 'hasty').api_tokens))")
    wait_until(lambda: asked.ask("DELETE", "/hub/api/users/hasty").status == 204, 60, "the end of the server")
    assert int(held) <= 1


def test_activity_that_is_no_time_keeps_nobody_waiting(
    site: Deployment, authority: Path, people: t.Callable[[str], UserClient]
) -> None:
    """Before: with this in it the hub did nothing else for 21 seconds."""
    somebody = people("holder")
    code = """
import json, os, urllib.request as r
bad = {"last_activity": "1.1." * 1500}
for body in (bad, {"last_activity": "1.1." * 60_000}, {"servers": {"": bad}},
             {"last_activity": "2026-01-01T00:00:00Z"}):
    ask = r.Request(os.environ["JUPYTERHUB_ACTIVITY_URL"], json.dumps(body).encode())
    ask.add_header("Authorization", "token " + os.environ["JUPYTERHUB_API_TOKEN"])
    try:
        print(r.urlopen(ask).status)
    except r.HTTPError as exc:
        print(exc.code)
"""
    begin = time.monotonic()
    somebody.open_kernel("python3")
    assert somebody.run(code).split() == ["400", "413", "400", "200"]
    assert time.monotonic() - begin < AT_ONCE
    assert quick(site, authority) < AT_ONCE


def test_a_report_is_one_line_of_the_log(site: Deployment, proxy: str) -> None:
    """Before: 250 KB, with lines in it that looked like the hub's own."""
    liar = person(proxy, "liar")
    report = b"{}\n[I 2026-01-01 00:00:00.000 JupyterHub base:1] User logged in: root\n" + b"x" * 200_000
    liar.headers["X-XSRFToken"] = liar.cookies["_xsrf"]
    assert liar.ask("POST", "/hub/security/csp-report", report).status == 200
    argv = as_root(["docker", "logs", "--since", "20s", site.container("hub")])
    log = subprocess.run(argv, capture_output=True, text=True, check=True).stderr
    (line,) = [line for line in log.splitlines() if "User logged in: root" in line]
    assert "Content security violation: " in line
    assert len(line) < 1300


FORGED = "[I 2026-11-30 12:00:00.000 JupyterHub base:1033] User logged in: forged-boss"


def test_nobody_writes_lines_of_the_log(site: Deployment, hub: str, proxy: str) -> None:
    """Before: by an address, which the log showed decoded, and which root's terminal obeyed."""
    begin = time.time()
    liar = person(proxy, "liar")
    secret = {"X-XSRFToken": liar.cookies["_xsrf"]}
    text = urllib.parse.quote(f"a\n{FORGED}\r{FORGED}\u2028{FORGED}\x1b]0;owned\x07\u202e\x9b", safe="")
    paths = (
        f"/hub/static/%2e%2e/%2e%2e/{text}",
        f"/hub/static/{text}",
        f"/hub/{text}",
        f"/hub/user/{text}/",
        f"/hub/spawn/{text}",
        f"/hub/login?next={text}",
        f"/hub/oauth_callback?error=x&error_description={text}",
        f"/hub/api/oauth2/authorize?client_id={text}&redirect_uri={text}&response_type={text}",
        f"/hub/api/users/me/servers/{text}",
        f"/hub/api/users/liar/servers/{text}/progress",
        f"/hub/api/users/{text}",
        f"/hub/api/groups/{text}",
        f"/hub/api/authorizations/token/{text}",
    )
    for path in paths:
        for who, headers in (
            (liar, secret),
            (at_hub(liar, hub), secret),
            (Browser(proxy), {}),
            (Browser(hub), {}),
        ):
            for method in ("GET", "POST", "DELETE"):
                who.ask(method, path, **headers)
    for name in (f"a\n{FORGED}", f"a\x1b[2J\r{FORGED}"):
        Browser(proxy).log_in(name, "any")
    liar.token("liar", note=f"a\n{FORGED}", scopes=[f"a\n{FORGED}"])
    argv = as_root(["docker", "logs", "--since", str(begin), site.container("hub")])
    done = subprocess.run(argv, capture_output=True, check=True)
    log = done.stderr.decode()
    assert "\\n[I 2026-11-30 12:00:00.000" in log
    assert [line for line in log.split("\n") if line.lstrip().startswith(FORGED)] == []
    assert {sign for sign in log if not sign.isprintable()} == {"\n"}
    hubctl = as_root([f"/srv/{site.instance}/bin/hubctl", "logs", "--logins", "--json"])
    logins = subprocess.run(hubctl, capture_output=True, text=True, check=True).stdout
    assert "liar" in {one["user"] for one in json.loads(logins)["logins"]}
    assert "forged-boss" not in {one["user"] for one in json.loads(logins)["logins"]}


def test_names_that_cannot_be_printed(site: Deployment, proxy: str) -> None:
    """Before: an account with the end of a line in its name broke hubctl and the metrics."""
    service = {"Authorization": f"token {site.token}"}
    for sign in "\u2028\u200b\u202e\xa0\ufeff\x85":
        address = "/hub/api/users/" + urllib.parse.quote(f"ada{sign}x")
        assert Browser(proxy).ask("POST", address, **service).status == 400, ascii(sign)
        assert Browser(proxy).log_in(f"ada{sign}x", "any").status == 403, ascii(sign)
    for name in ("ada x", "ünï x@y.org", "o'neill", "李雷"):
        address = "/hub/api/users/" + urllib.parse.quote(name)
        assert Browser(proxy).ask("POST", address, **service).status in (201, 409), name
        assert Browser(proxy).log_in(name, "any").status == 302, name
        assert Browser(proxy).ask("DELETE", address, **service).status == 204


def test_many_cookies_are_little_work(site: Deployment, authority: Path, hub: str, proxy: str) -> None:
    """Before: two seconds in which the hub did nothing else, and 8,000 lines of its log."""
    for address, many in ((proxy, 1_000), (hub, 6_000)):
        for name in ("_xsrf=a", "_xsrf =a", "_xsrf", '"_xsrf"=a'):
            begin = time.time()
            said = ";".join([name] * many)
            assert Browser(address).ask("GET", "/hub/login", Cookie=said).status == 200
            argv = as_root(["docker", "logs", "--since", str(begin), site.container("hub")])
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            assert len(done.stderr.splitlines()) < 150, name
    # Its own is found among them.
    somebody = person(proxy, "visitor")
    secret = {"X-XSRFToken": somebody.cookies["_xsrf"]}
    cookies = "; ".join([f"{name}={value}" for name, value in somebody.cookies.items()] + ["_xsrf=a"] * 200)
    somebody.cookies = {}
    assert somebody.ask("GET", "/hub/api/user", Cookie=cookies, **secret).status == 200


def test_who_may_come_in_is_not_for_everybody_on_the_host(site: Deployment) -> None:
    """Before: config.json was readable for every account of the host."""
    found = subprocess.run(
        as_root(["find", f"/srv/{site.instance}/config", "-type", "f", "-perm", "/o+rwx", "-printf", "%P\n"]),
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["web/look.json"]


@pytest.mark.parametrize("part", ["hub", "proxy"])
def test_the_engine_knows_whether_it_is_well(site: Deployment, part: str) -> None:
    """Before: no container had a check."""
    test = json.loads(docker("inspect", "--format", "{{json .Config.Healthcheck}}", site.container(part)))
    assert test["Interval"] == 60 * 10**9
    # As the engine runs it, once; and against a port where nobody is.
    docker("exec", site.container(part), *test["Test"][1:])
    away = [word.replace("8081", "1").replace("8000", "1") for word in test["Test"][1:]]
    done = subprocess.run(
        as_root(["docker", "exec", site.container(part), *away]), capture_output=True, check=False
    )
    assert done.returncode == 1
