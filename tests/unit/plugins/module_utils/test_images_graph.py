# SPDX-FileCopyrightText: 2026 galilean.hub contributors
# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import threading

import pytest

from ansible_collections.galilean.hub.plugins.module_utils.core.errors import HubError
from ansible_collections.galilean.hub.plugins.module_utils.images.graph import build_graph
from ansible_collections.galilean.hub.plugins.module_utils.images.progress import QUIET, Progress

# A parent that is not in the graph is there already.
GRAPH = {"core": ["base"], "hub": ["core"], "site": ["hub", "core"], "proxy": ["base"], "tools": []}


def test_parents_come_first() -> None:
    outcome = build_graph(GRAPH, lambda _name: None, 2)
    place = {name: number for number, name in enumerate(outcome.built)}
    assert set(place) == set(GRAPH)
    assert place["core"] < place["hub"] < place["site"]
    outcome.raise_failures()


@pytest.mark.parametrize(("parallel", "expected"), [(9, 3), (2, 2), (1, 1)])
def test_as_many_as_may_run_at_a_time(parallel: int, expected: int) -> None:
    running, most, lock = 0, 0, threading.Lock()
    together = threading.Barrier(expected)

    def build(name: str) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if name in ("core", "proxy", "tools")[:expected]:
            together.wait(timeout=10)
        with lock:
            running -= 1

    build_graph(GRAPH, build, parallel)
    assert most == expected


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    def build(name: str) -> None:
        if name in ("core", "tools"):
            raise HubError(f"{name} failed.", step=name)

    outcome = build_graph(GRAPH, build, 1)
    assert outcome.built == ["proxy"]
    assert outcome.skipped == ["hub", "site"]
    with pytest.raises(HubError) as caught:
        outcome.raise_failures()
    assert (
        caught.value.message == "core failed.\ntools failed.\nNot built, because a parent failed: hub, site."
    )
    assert caught.value.details == {"step": "core"}


def test_another_exception_is_not_swallowed() -> None:
    def build(_name: str) -> None:
        raise RuntimeError("no outcome of a build")

    with pytest.raises(RuntimeError):
        build_graph(GRAPH, build, 2)
    assert build_graph({}, build, 2).built == []


def test_progress_says_each_thing_once() -> None:
    progress = Progress("web", 0)
    text = "building core 0\nbuilding proxy 0\nbuil"
    assert progress.news(text, 1) == ["[web] building core", "[web] building proxy"]
    assert progress.news(text, 2) == []
    assert progress.news(text, 1 + QUIET) == ["[web] still building core for 60 s, proxy for 60 s"]
    assert progress.news(text, 2 + QUIET) == []
    text = "building core 0\nbuilding proxy 0\nbuilt core 62\n"
    assert progress.news(text, 3 + QUIET) == ["[web] built core after 62 s"]
    # What was there already in the meantime, because another run has built it, was never begun.
    text += "built hub 1\nfailed proxy 70\nended  0\n"
    assert progress.news(text, 4 + QUIET) == ["[web] failed proxy after 70 s"]
    assert progress.ended
