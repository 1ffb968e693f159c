# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Renewals under a kernel that talks all the time."""

from __future__ import annotations

import json
import threading

import pytest
import requests
from conftest import Site, wait_until
from user_client import UserClient

ROUNDS = 3
# Until the last renewal is done, and that is written into the home.
COUNT = """
import itertools, pathlib, time
for number in itertools.count():
    print(number, flush=True)
    if pathlib.Path("done.txt").exists():
        break
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def ada(site: Site) -> UserClient:
    data = json.loads(site.sh("cat /data/hubs/hub/config/config.json"))
    (everybody,) = data["traits"]["JupyterHub"]["services"]
    person = UserClient(site.url, everybody["api_token"], "ada", site.root(), 240)
    person.start()
    return person


def test_no_message_is_lost(site: Site, ada: UserClient) -> None:
    """A kernel prints while certificates change: all of it comes through one websocket."""
    root = site.root()
    ada.open_kernel("python3")
    ada.run("1 + 1")
    heard: list[str] = []
    talk = threading.Thread(target=lambda: heard.append(ada.run(COUNT)))
    statuses: list[object] = []
    done = threading.Event()

    def ask() -> None:
        session = requests.Session()
        while not done.is_set():
            try:
                statuses.append(session.get(f"{site.url}/hub/health", verify=root, timeout=10).status_code)
            except requests.RequestException as exc:
                statuses.append(str(exc))

    browser = threading.Thread(target=ask)
    serials = [site.served(root).serial]
    talk.start()
    browser.start()
    try:
        for _ in range(ROUNDS):
            site.force()
            serials.append(site.served(root).serial)
        # All of them while the kernel was still talking.
        assert talk.is_alive()
    finally:
        done.set()
        ada.write("done.txt", "")
        talk.join(timeout=60)
        browser.join(timeout=30)
    assert len(set(serials)) == ROUNDS + 1
    lines = heard[0].split()
    assert lines == [str(number) for number in range(len(lines))]
    assert len(lines) > 50
    assert set(statuses) == {200}
    assert len(statuses) > 50
    print(f"{len(lines)} messages and {len(statuses)} requests over {ROUNDS} renewals, none lost")
    # The websocket itself is the one from the beginning.
    assert ada.run("6 * 7 and print('alive')") == "alive"


def test_old_keys_do_not_stay(site: Site) -> None:
    assert len(site.sh("ls /data/hubs/hub/edge/tls-*.pem").split()) == 1


def test_one_that_ends_soon_is_replaced(site: Site, ada: UserClient) -> None:
    """Issued for less than half a minute, and in its last third when the next run looks at it."""
    site.pebble(certificateValidityPeriod=24)
    site.force()
    first = site.served(site.root())
    assert site.certificate("issue")["why"] == ""
    wait_until(lambda: "it ends on" in site.certificate("issue", "--check")["why"], 30, "the last third")
    site.pebble()
    said = site.certbot("--check")
    assert "changed=1" in said, said
    said = site.certbot()
    assert said.endswith("rc=0"), said
    assert "changed=1" in said, said
    assert site.served(site.root()).serial != first.serial
    assert "changed=0" in site.converge()
