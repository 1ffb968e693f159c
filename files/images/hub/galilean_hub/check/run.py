# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The synthetic user: the order of its steps, their timings and its tidying up."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..shared.hub_api import HubApiError, HubClient
from .kernel import Channel, converse, execute_content, kernel_versions

# Left on the server as one of its options, so that a later check knows a server of an earlier one that was
# killed,
# and whether the account, too, is the check's own.
MARK = "hub_check"
CREATED = "created"
FOUND = "found"

POLL = 0.2
STOP_TRIES = 3
CLEAN_UP_TIME = 60.0

PHASES = {
    "answer": "asking the address for the hub",
    "account": "preparing the account {user}",
    "spawn": "starting the server of {user}",
    "kernel": "starting the kernel {kernel}",
    "execute": "running code in the kernel {kernel}",
    "stop": "stopping the server of {user}",
    "notices": "asking the hub what it tells administrators",
}


@dataclass(frozen=True)
class CheckSettings:
    """What to check."""

    user: str
    kernel: str
    code: str
    expect: str
    timeout: float
    answer_timeout: float
    # What the server is started with, as a choice in the start form.
    options: dict[str, str] = field(default_factory=dict)


@dataclass
class CheckResult:
    """What was seen. Times are seconds."""

    timings: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    kernels: list[str] = field(default_factory=list)
    output: str = ""
    notices: list[str] = field(default_factory=list)


class CheckError(Exception):
    """Why a step failed, where the hub and its servers answer as they should."""


class CheckFailure(Exception):
    """A step failed: which, and why."""

    def __init__(self, phase: str, doing: str, reason: str) -> None:
        super().__init__(f"The check failed while {doing}: {reason.rstrip('.')}.")
        self.phase = phase


class HubCheck:
    """One check. run() plays the user, clean_up() removes what is left of it, and may be called any time."""

    def __init__(
        self,
        settings: CheckSettings,
        client: HubClient,
        open_channel: Callable[[str, float], Channel],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings = settings
        self.result = CheckResult()
        self._client = client
        self._open_channel = open_channel
        self._clock = clock
        self._sleep = sleep
        self._deadline = clock() + settings.timeout
        self._own_account = False
        self._started = False
        self._marked = False
        self._server = ""
        self._kernel_id = ""

    def run(self) -> CheckResult:
        """Play the user. Raises CheckFailure with the step that failed."""
        begin = self._clock()
        with self._step("answer", "answer"):
            self._wait_for_answer()
        with self._step("account"):
            self._prepare_account()
        with self._step("spawn", "spawn"):
            self._start_server()
        with self._step("kernel"):
            self._look_at_server()
        with contextlib.ExitStack() as stack:
            with self._step("kernel", "kernel_start"):
                channel = self._start_kernel(stack)
            with self._step("execute", "execute"):
                self._execute(channel)
        with self._step("stop", "stop"):
            self._stop_server()
        with self._step("account"):
            self._leave_account()
        with self._step("notices"):
            self.result.notices = self._client.notices()
        self.result.timings["total"] = round(self._clock() - begin, 3)
        return self.result

    def clean_up(self) -> list[str]:
        """Remove what a failed check left; return what could not be removed, one sentence each."""
        self._deadline = self._clock() + CLEAN_UP_TIME
        left = []
        for what, remove in (("server", self._stop_server), ("account", self._leave_account)):
            try:
                remove()
            except (CheckError, HubApiError) as exc:
                left.append(f"the {what} of {self.settings.user} is still there: {exc}")
        return left

    @contextlib.contextmanager
    def _step(self, phase: str, timing: str = "") -> Iterator[None]:
        begin = self._clock()
        try:
            yield
        except (CheckError, HubApiError) as exc:
            doing = PHASES[phase].format(user=self.settings.user, kernel=self.settings.kernel)
            raise CheckFailure(phase, doing, str(exc)) from exc
        if timing:
            self.result.timings[timing] = round(self._clock() - begin, 3)

    def _remaining(self) -> float:
        left = self._deadline - self._clock()
        if left <= 0:
            raise CheckError(f"the time limit of {self.settings.timeout:g} seconds is over")
        return left

    def _wait_for_answer(self) -> None:
        """A hub that was just started gets a moment; a wrong address must not take minutes to show."""
        end = min(self._deadline, self._clock() + self.settings.answer_timeout)
        while True:
            try:
                self.result.versions["hub"] = self._client.version(timeout=max(end - self._clock(), 1.0))
                return
            except HubApiError as exc:
                if exc.status == 403:
                    # It is there; what is wrong with the token is told where it is used.
                    return
                if self._clock() + POLL >= end:
                    raise HubApiError(
                        f"{self._client.url} does not answer as a hub: {exc}", exc.status
                    ) from exc
            self._sleep(POLL)

    def _prepare_account(self) -> None:
        name = self.settings.user
        try:
            state = self._client.user(name)
            if not state.exists:
                # To a token for other users, the hub says here that there is nothing of the kind.
                self._client.create_user(name)
                self._own_account = True
                return
        except HubApiError as exc:
            if exc.status in (401, 403, 404):
                raise HubApiError(
                    f"the hub refuses the token: {exc}; for {name} it needs the scopes admin:users, "
                    "admin:servers and access:servers",
                    exc.status,
                ) from exc
            raise
        self._own_account = state.options.get(MARK) == CREATED
        if not state.running:
            return
        if MARK not in state.options:
            # Whoever started it may be at work in it.
            raise HubApiError(
                "it has a running server that no check started: give the check an account of its own"
            )
        self._started = True
        self._stop_server()

    def _start_server(self) -> None:
        name = self.settings.user
        mark = {**self.settings.options, MARK: CREATED if self._own_account else FOUND}
        self._started = self._marked = True
        try:
            while self._client.start_server(name, mark).status == 429:
                # The hub starts only so many servers at once: wait in the queue as a person would.
                self._remaining()
                self._sleep(1.0)
        except HubApiError as exc:
            raise HubApiError(self._client.spawn_failure(name) or str(exc), exc.status) from exc
        while True:
            state = self._client.user(name)
            if state.ready:
                self._server = self._client.server_url(state)
                return
            if not state.running:
                raise HubApiError(
                    self._client.spawn_failure(name) or "the server ended while it was starting"
                )
            self._remaining()
            self._sleep(POLL)

    def _look_at_server(self) -> None:
        try:
            self.result.kernels = self._client.kernels(self._server)
        except HubApiError as exc:
            if exc.status in (302, 401, 403):
                raise HubApiError(
                    f"the server refuses the token: {exc}; it needs the scope access:servers"
                ) from exc
            raise
        self.result.versions["server"] = self._client.server_version(self._server)
        if self.settings.kernel not in self.result.kernels:
            offered = ", ".join(self.result.kernels) or "none"
            raise HubApiError(f"the server does not offer it; it offers: {offered}")

    def _start_kernel(self, stack: contextlib.ExitStack) -> Channel:
        """Start the kernel and wait until it answers over the websocket."""
        self._kernel_id = self._client.start_kernel(self._server, self.settings.kernel)
        channel = self._open_channel(
            f"{self._server}/api/kernels/{self._kernel_id}/channels", self._remaining()
        )
        stack.callback(channel.close)
        info = converse(channel, "kernel_info_request", {}, self._remaining)
        if info.error:
            raise CheckError(info.error)
        self.result.versions.update(kernel_versions(info.reply))
        return channel

    def _execute(self, channel: Channel) -> None:
        done = converse(channel, "execute_request", execute_content(self.settings.code), self._remaining)
        self.result.output = done.output
        if done.error:
            raise CheckError(done.error)
        if self.settings.expect not in done.output:
            raise CheckError(
                f"its output {done.output.strip()[:200]!r} does not contain {self.settings.expect!r}"
            )

    def _stop_server(self) -> None:
        if not self._started:
            return
        if self._kernel_id:
            # The server ends its kernels with itself; asking first lets them end in good order. No reason
            # to fail.
            with contextlib.suppress(HubApiError):
                self._client.stop_kernel(self._server, self._kernel_id)
            self._kernel_id = ""
        name = self.settings.user
        tries, stopping = 0, False
        while True:
            state = self._client.user(name)
            if not state.running:
                break
            if not stopping and state.pending != "stop":
                try:
                    self._client.stop_server(name)
                    stopping = True
                except HubApiError:
                    # A hub that was interrupted while it started the server stops it and still answers
                    # with an error.
                    tries += 1
                    if tries == STOP_TRIES:
                        raise
            self._remaining()
            self._sleep(POLL if stopping else 1.0)
        self._started = False

    def _leave_account(self) -> None:
        """Remove the account where it is the check's own; take the mark off it where it was there before."""
        if self._own_account:
            self._client.delete_user(self.settings.user)
            self._own_account = False
        elif self._marked:
            # No reason to fail: the mark only matters to the next check, and is written again by it.
            with contextlib.suppress(HubApiError):
                self._client.forget_options(self.settings.user)
        self._marked = False
