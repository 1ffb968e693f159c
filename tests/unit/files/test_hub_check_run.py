# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
import re
import typing as t

import pytest
from galilean_hub.check import run
from galilean_hub.check.kernel import Channel
from galilean_hub.shared.hub_api import Answer, HubApiError, HubClient, Transport

BASE = "http://h"
U = "/hub/api/users/hub-check"
STARTING = '{"servers": {"": {"pending": "spawn"}}}'


class FakeHub(Transport):
    """A hub's API as a table: the account, its server, and answers that a test puts in the way."""

    def __init__(self) -> None:
        self.exists = False
        self.server: dict[str, t.Any] | None = None
        self.options: dict[str, t.Any] = {}
        self.polls_until_ready = 2
        self.override: dict[tuple[str, str], list[Answer]] = {}
        self.sent: list[tuple[str, str]] = []

    def send(self, method: str, url: str, body: str | None, timeout: float) -> Answer:
        path = url.removeprefix(BASE).split("?")[0]
        self.sent.append((method, path))
        queue = self.override.get((method, path))
        if queue:
            return queue.pop(0)
        name = f"{method} {path.replace('/hub/api/users/hub-check', 'U').replace('/user/hub-check', 'S')}"
        return getattr(self, "on_" + re.sub(r"\W+", "_", name).strip("_").lower())(body)

    def on_get_hub_api(self, body: str | None) -> Answer:
        return Answer(200, '{"version": "6.1.1"}')

    def on_get_hub_api_galilean_approval(self, body: str | None) -> Answer:
        # An older hub.
        return Answer(404, '{"message": "Not Found"}')

    def on_get_u(self, body: str | None) -> Answer:
        if not self.exists:
            return Answer(404)
        server: dict[str, t.Any] = {"user_options": self.options, "url": "/user/hub-check/"}
        if self.server is not None:
            self.polls_until_ready -= 1
            ready = self.polls_until_ready <= 0
            server.update(ready=ready, pending=None if ready else "spawn")
        return Answer(200, json.dumps({"servers": {"": server}}))

    def on_post_u(self, body: str | None) -> Answer:
        self.exists = True
        return Answer(201)

    def on_delete_u(self, body: str | None) -> Answer:
        self.exists = False
        return Answer(204)

    def on_post_u_server(self, body: str | None) -> Answer:
        self.server = {}
        self.options = json.loads(body or "{}")["user_options"]
        return Answer(202)

    def on_delete_u_server(self, body: str | None) -> Answer:
        self.server = None
        return Answer(204)

    def on_patch_u_server(self, body: str | None) -> Answer:
        self.options = {}
        return Answer(200)

    def on_get_u_server_progress(self, body: str | None) -> Answer:
        return Answer(200, 'data: {"failed": true, "message": "Spawn failed: no such image"}\n\n')

    def on_get_s_api(self, body: str | None) -> Answer:
        return Answer(200, '{"version": "2.21"}')

    def on_get_s_api_kernelspecs(self, body: str | None) -> Answer:
        return Answer(200, '{"kernelspecs": {"python3": {}}}')

    def on_post_s_api_kernels(self, body: str | None) -> Answer:
        return Answer(201, '{"id": "k1"}')

    def on_delete_s_api_kernels_k1(self, body: str | None) -> Answer:
        return Answer(204)


class FakeKernel(Channel):
    """Prints what it is told to for any code."""

    def __init__(self, output: str = "42\n", error: str = "") -> None:
        self.output, self.error = output, error
        self.frames: list[str] = []
        self.closed = False

    def send(self, text: str) -> None:
        header = json.loads(text)["header"]
        parent = {"parent_header": header}
        reply = header["msg_type"].replace("_request", "_reply")
        content: dict[str, t.Any] = {
            "status": "ok",
            "implementation": "ipython",
            "implementation_version": "9",
        }
        if reply == "execute_reply":
            self.frames.append(json.dumps({**parent, "msg_type": "stream", "content": {"text": self.output}}))
            if self.error:
                content = {"status": "error", "ename": self.error, "evalue": ""}
        self.frames.append(json.dumps({**parent, "msg_type": reply, "content": content}))
        self.frames.append(
            json.dumps({**parent, "msg_type": "status", "content": {"execution_state": "idle"}})
        )

    def receive(self, timeout: float) -> str:
        if not self.frames:
            raise HubApiError("the kernel did not answer in time")
        return self.frames.pop(0)

    def close(self) -> None:
        self.closed = True


class Clock:
    """Time that passes only while the check sleeps, and a moment with each look at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def make(hub: FakeHub, channel: FakeKernel | None = None, **settings: t.Any) -> run.HubCheck:
    defaults: dict[str, t.Any] = {
        "user": "hub-check",
        "kernel": "python3",
        "code": "print(6 * 7)",
        "expect": "42",
        "timeout": 300,
        "answer_timeout": 30,
    }
    clock = Clock()
    opened = channel or FakeKernel()
    check = run.CheckSettings(**{**defaults, **settings})
    return run.HubCheck(check, HubClient(BASE, hub), lambda url, timeout: opened, clock, clock.sleep)


def test_good_check_leaves_nothing() -> None:
    hub, kernel = FakeHub(), FakeKernel()
    check = make(hub, kernel)
    result = check.run()
    assert list(result.timings) == ["answer", "spawn", "kernel_start", "execute", "stop", "total"]
    assert all(value == round(value, 3) > 0 for value in result.timings.values())
    assert result.output == "42\n"
    assert result.kernels == ["python3"]
    assert result.versions == {"hub": "6.1.1", "server": "2.21", "ipython": "9"}
    assert (hub.exists, hub.server, kernel.closed) == (False, None, True)
    before = len(hub.sent)
    assert check.clean_up() == []
    assert len(hub.sent) == before


def test_account_that_was_there_stays_and_loses_the_mark() -> None:
    hub = FakeHub()
    hub.exists = True
    make(hub).run()
    assert (hub.exists, hub.server, hub.options) == (True, None, {})


@pytest.mark.parametrize(("mark", "stays"), [(run.CREATED, False), (run.FOUND, True)])
@pytest.mark.parametrize("running", [True, False], ids=["killed while it ran", "killed after the stop"])
def test_leftovers_of_a_killed_check(mark: str, stays: bool, running: bool) -> None:
    hub = FakeHub()
    hub.exists, hub.server, hub.options = True, {} if running else None, {run.MARK: mark}
    make(hub).run()
    assert (hub.exists, hub.server) == (stays, None)
    first_stop = hub.sent.index(("DELETE", f"{U}/server"))
    assert (first_stop < hub.sent.index(("POST", f"{U}/server"))) is running


@pytest.mark.parametrize(
    ("answer", "notices"),
    [
        (Answer(200, '{"notice": "The list was not renewed."}'), ["The list was not renewed."]),
        (Answer(200, '{"notice": ""}'), []),
        (Answer(403), []),
    ],
)
def test_what_administrators_are_told(answer: Answer, notices: list[str]) -> None:
    hub = FakeHub()
    hub.override = {("GET", "/hub/api/galilean/approval"): [answer]}
    check = make(hub)
    check.run()
    assert check.result.notices == notices


def test_a_persons_server_is_left_alone() -> None:
    hub = FakeHub()
    hub.exists, hub.server = True, {}
    check = make(hub)
    with pytest.raises(run.CheckFailure, match="a running server that no check started"):
        check.run()
    assert check.clean_up() == []
    assert hub.server == {}
    assert {method for method, _ in hub.sent} == {"GET"}


# what is in the way (method, path, answers), settings, kernel, phase, part of the sentence
FAILURES: list[
    tuple[str, dict[tuple[str, str], list[Answer]], dict[str, t.Any], FakeKernel | None, str, str]
] = [
    (
        "edge without hub",
        {("GET", "/hub/api/"): [Answer(502)] * 999},
        {"answer_timeout": 2},
        None,
        "answer",
        "http://h does not answer as a hub: the part behind the edge is away (HTTP 502)",
    ),
    (
        "wrong token",
        {("GET", U): [Answer(403, '{"message": "Missing or invalid credentials."}')]},
        {},
        None,
        "account",
        "(HTTP 403); for hub-check it needs the scopes admin:users, admin:servers and access:servers",
    ),
    (
        "refused start",
        {("POST", f"{U}/server"): [Answer(500, '{"message": "no"}')]},
        {},
        None,
        "spawn",
        "while starting the server of hub-check: Spawn failed: no such image.",
    ),
    (
        "refused start, no reason kept",
        {
            ("POST", f"{U}/server"): [Answer(400, '{"message": "too many"}')],
            ("GET", f"{U}/server/progress"): [Answer(400)],
        },
        {},
        None,
        "spawn",
        "too many (HTTP 400)",
    ),
    (
        "start never ends",
        {("GET", U): [Answer(404)] + [Answer(200, STARTING)] * 99},
        {"timeout": 5},
        None,
        "spawn",
        "the time limit of 5 seconds is over",
    ),
    (
        "queue never ends",
        {("POST", f"{U}/server"): [Answer(429)] * 99},
        {"timeout": 5},
        None,
        "spawn",
        "the time limit of 5 seconds is over",
    ),
    (
        "token without access",
        {("GET", "/user/hub-check/api/kernelspecs"): [Answer(403)]},
        {},
        None,
        "kernel",
        "it needs the scope access:servers",
    ),
    (
        "unknown kernel",
        {},
        {"kernel": "julia"},
        None,
        "kernel",
        "the kernel julia: the server does not offer it; it offers: python3",
    ),
    ("code raises", {}, {}, FakeKernel("", "ImportError"), "execute", "the code raised ImportError"),
    ("other output", {}, {}, FakeKernel("41\n"), "execute", "its output '41' does not contain '42'"),
    (
        "stop refused",
        {("DELETE", f"{U}/server"): [Answer(500, '{"message": "engine away"}')] * 3},
        {},
        None,
        "stop",
        "engine away",
    ),
]


@pytest.mark.parametrize(
    ("override", "settings", "kernel", "phase", "sentence"),
    [c[1:] for c in FAILURES],
    ids=[c[0] for c in FAILURES],
)
def test_failure_names_the_step_and_leaves_nothing(
    override: dict[tuple[str, str], list[Answer]],
    settings: dict[str, t.Any],
    kernel: FakeKernel | None,
    phase: str,
    sentence: str,
) -> None:
    hub = FakeHub()
    hub.override = {key: list(answers) for key, answers in override.items()}
    check = make(hub, kernel, **settings)
    with pytest.raises(run.CheckFailure, match=re.escape(sentence)) as info:
        check.run()
    assert info.value.phase == phase
    assert str(info.value).startswith("The check failed while ")
    hub.override = {}
    assert check.clean_up() == []
    assert (hub.exists, hub.server) == (False, None)


def test_a_full_hub_is_waited_for() -> None:
    hub = FakeHub()
    hub.override = {("POST", f"{U}/server"): [Answer(429), Answer(429)]}
    assert make(hub).run().timings["spawn"] > 2


def test_a_stop_that_fails_once_is_tried_again() -> None:
    hub = FakeHub()
    hub.override = {("DELETE", f"{U}/server"): [Answer(500)]}
    make(hub).run()
    assert hub.server is None


def test_what_cannot_be_removed_is_told() -> None:
    hub = FakeHub()
    check = make(hub, FakeKernel("", "ValueError"))
    with pytest.raises(run.CheckFailure):
        check.run()
    hub.override = {("GET", U): [Answer(503)], ("DELETE", U): [Answer(503)]}
    assert [sentence.split(":")[0] for sentence in check.clean_up()] == [
        "the server of hub-check is still there",
        "the account of hub-check is still there",
    ]
