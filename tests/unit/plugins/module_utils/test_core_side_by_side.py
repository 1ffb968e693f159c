# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Jobs that run at the same time."""

from __future__ import annotations

import threading
import time
import typing as t
from functools import partial

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.core.side_by_side import LANES, side_by_side


def test_nothing_to_do() -> None:
    side_by_side([])


def test_they_run_at_the_same_time() -> None:
    # Each waits for all others: one after the other, none would get through.
    barrier = threading.Barrier(LANES)
    side_by_side((lambda: barrier.wait(timeout=10)) for _ in range(LANES))


def test_not_more_than_lanes() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def job() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1

    side_by_side([job] * (LANES * 3))
    assert 1 < most <= LANES


def fail(error: BaseException) -> None:
    raise error


def test_the_others_are_finished_when_one_fails() -> None:
    done: list[int] = []
    jobs: list[t.Callable[[], t.Any]] = [partial(fail, HubError("One."))]
    jobs += [partial(done.append, n) for n in range(40)]
    with pytest.raises(HubError) as caught:
        side_by_side([*jobs, lambda: fail(HubError("Two."))])
    assert sorted(done) == list(range(40))
    assert caught.value.message == "One. Two.", "in the order of the jobs"


def test_a_mistake_in_the_program_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        side_by_side([lambda: fail(HubError("One.")), lambda: fail(ZeroDivisionError()), lambda: None])
