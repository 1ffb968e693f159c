#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Talks to the hub on this host through its public address, as people and programs do.

talk.py api METHOD PATH [TOKEN]      an answer's status and body, as JSON; else as the service everybody
talk.py wait PATH SECONDS [TOKEN]    wait until PATH answers 200; how long that took
talk.py watch PATH FILE              ask until FILE is there; how often it answered what, into FILE.json
talk.py login NAME FILE              log in as NAME, keep the cookies in FILE, and ask for an API token
talk.py home FILE                    where a browser with these cookies gets to
"""

from __future__ import annotations

import collections
import http.cookiejar
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

URL = "http://127.0.0.1:8000"
DATA = Path("/srv/hub/config/config.json")
DIRECT = urllib.request.ProxyHandler({})


def ask(method: str, path: str, token: str = "") -> dict[str, object]:
    token = token or json.loads(DATA.read_text())["traits"]["JupyterHub"]["services"][0]["api_token"]
    request = urllib.request.Request(URL + path, method=method, headers={"Authorization": f"token {token}"})
    try:
        with urllib.request.build_opener(DIRECT).open(request, timeout=20) as answer:
            status, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        status, body = exc.code, exc.read().decode()
    except OSError as exc:
        status, body = 0, str(exc)
    return {"status": status, "body": body}


def wait(path: str, seconds: str, token: str = "") -> float:
    begin = time.monotonic()
    while (answer := ask("GET", path, token))["status"] != 200:
        if time.monotonic() - begin > float(seconds):
            sys.exit(f"{path} still answers {answer} after {seconds} seconds")
        time.sleep(0.05)
    return time.monotonic() - begin


def watch(path: str, file: str) -> None:
    seen: collections.Counter[str] = collections.Counter()
    while not Path(file).exists():
        seen[str(ask("GET", path)["status"])] += 1
        time.sleep(0.05)
    Path(file + ".json").write_text(json.dumps(seen))


def browser(file: str) -> tuple[http.cookiejar.LWPCookieJar, urllib.request.OpenerDirector]:
    jar = http.cookiejar.LWPCookieJar(file)
    if Path(file).exists():
        jar.load(ignore_discard=True)
    return jar, urllib.request.build_opener(DIRECT, urllib.request.HTTPCookieProcessor(jar))


def login(name: str, file: str) -> str:
    Path(file).unlink(missing_ok=True)
    jar, opener = browser(file)
    opener.open(f"{URL}/hub/login", timeout=20).close()
    xsrf = next(cookie.value for cookie in jar if cookie.name == "_xsrf")
    form = urllib.parse.urlencode({"username": name, "password": "x", "_xsrf": xsrf}).encode()
    # To a page that starts no server.
    opener.open(f"{URL}/hub/login?next=%2Fhub%2Fhome", data=form, timeout=20).close()
    jar.save(ignore_discard=True)
    # The login has made a new one.
    xsrf = next(str(cookie.value) for cookie in jar if cookie.name == "_xsrf")
    headers = {"X-XSRFToken": xsrf, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}/hub/api/users/{name}/tokens", data=b"{}", headers=headers)
    with opener.open(request, timeout=20) as answer:
        return str(json.load(answer)["token"])


def home(file: str) -> str:
    with browser(file)[1].open(f"{URL}/hub/home", timeout=20) as answer:
        return str(answer.url)


ACTIONS = {"api": ask, "wait": wait, "watch": watch, "login": login, "home": home}
print(json.dumps(ACTIONS[sys.argv[1]](*sys.argv[2:])))
